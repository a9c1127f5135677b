"""The operations under `events_v2`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import AsyncIterator, Mapping

from ..._call import Call
from ..._query import JSON, encoded, merged
from ..operations import Operations
from ..pages import by_cursor, size_of

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class EventsV2(Operations):
    """The operations under `events_v2`."""

    async def list(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        cursor: t.Optional[str] = None,
        limit: t.Optional[int] = None,
        client_id: t.Optional[str] = None,
        filter: t.Optional[Mapping[str, t.Any]] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.IngestedEventCursorPaginatedResponse:
        """List events, newest first, with filters and a cursor.

        `GET /api/v2/events`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            cursor: `cursor` of the query.
            limit: `limit` of the query. 100 if not given.
            client_id: `clientId` of the query.
            filter: `filter` of the query.
            request_timeout: Seconds for this call.

        Returns:
            `IngestedEventCursorPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 1.5.
        """
        wire = merged(
            params,
            {"cursor": cursor, "limit": limit, "clientId": client_id, "filter": filter},
            {"client_id": "clientId"},
        )
        answer: types.IngestedEventCursorPaginatedResponse = await self._send(
            Call("GET", "/api/v2/events", query=encoded(wire, {"filter": JSON}), timeout_s=request_timeout)
        )
        return answer

    def iter_all(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> AsyncIterator[types.IngestedEvent]:
        """Walk through all pages of `list`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 1.5.
        """
        size = size_of(page_size)

        async def fetch(cursor: t.Any) -> t.Any:
            options = {**filters, "cursor": cursor, "limit": size}
            return await self.list(params, **options)

        return by_cursor(fetch)
