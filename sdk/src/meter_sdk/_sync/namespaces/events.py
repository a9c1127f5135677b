# Generated from _async by generate.py.
"""The operations under `events`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence
from datetime import datetime

from ..._call import Call
from ..._query import REPEATED, encoded, merged
from ..operations import Operations

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class Events(Operations):
    """The operations under `events`."""

    def ingest_event(
        self, event: t.Union[types.Event, Mapping[str, t.Any]], *, request_timeout: t.Optional[float] = None
    ) -> None:
        """Send usage events. Repeats of the same source and id count once.

        `POST /api/v1/events`

        Args:
            event: The fields of `Event`.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 1.1 and 1.2.
        """
        self._send(
            Call(
                "POST",
                "/api/v1/events",
                body=event,
                content_type="application/cloudevents+json",
                safe=True,
                timeout_s=request_timeout,
            )
        )

    def list(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        client_id: t.Optional[str] = None,
        ingested_at_from: t.Optional[t.Union[datetime, str]] = None,
        ingested_at_to: t.Optional[t.Union[datetime, str]] = None,
        id: t.Optional[str] = None,
        subject: t.Optional[str] = None,
        customer_id: t.Optional[Sequence[str]] = None,
        from_: t.Optional[t.Union[datetime, str]] = None,
        to: t.Optional[t.Union[datetime, str]] = None,
        limit: t.Optional[int] = None,
        request_timeout: t.Optional[float] = None,
    ) -> t.List[types.IngestedEvent]:
        """List events.

        `GET /api/v1/events`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            client_id: `clientId` of the query.
            ingested_at_from: `ingestedAtFrom` of the query.
            ingested_at_to: `ingestedAtTo` of the query.
            id: `id` of the query.
            subject: `subject` of the query.
            customer_id: `customerId` of the query.
            from_: `from` of the query.
            to: `to` of the query.
            limit: `limit` of the query. 100 if not given.
            request_timeout: Seconds for this call.

        Returns:
            `List[IngestedEvent]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 1.4.
        """
        wire = merged(
            params,
            {
                "clientId": client_id,
                "ingestedAtFrom": ingested_at_from,
                "ingestedAtTo": ingested_at_to,
                "id": id,
                "subject": subject,
                "customerId": customer_id,
                "from": from_,
                "to": to,
                "limit": limit,
            },
            {
                "client_id": "clientId",
                "ingested_at_from": "ingestedAtFrom",
                "ingested_at_to": "ingestedAtTo",
                "customer_id": "customerId",
                "from_": "from",
            },
        )
        answer: t.List[types.IngestedEvent] = self._send(
            Call("GET", "/api/v1/events", query=encoded(wire, {"customerId": REPEATED}), timeout_s=request_timeout)
        )
        return answer

    def ingest_events(
        self, events: Sequence[t.Union[types.Event, Mapping[str, t.Any]]], *, request_timeout: t.Optional[float] = None
    ) -> None:
        """Send usage events. Repeats of the same source and id count once.

        `POST /api/v1/events`

        Args:
            events: The request.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 1.1 and 1.2.
        """
        self._send(
            Call(
                "POST",
                "/api/v1/events",
                body=events,
                content_type="application/cloudevents-batch+json",
                safe=True,
                timeout_s=request_timeout,
            )
        )
