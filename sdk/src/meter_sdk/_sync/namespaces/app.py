# Generated from _async by generate.py.
"""The operations under `app`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator, Mapping

from ..._arguments import segment
from ..._call import Call
from ..._query import encoded, merged
from ..operations import Operations
from ..pages import by_number, size_of

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class App(Operations):
    """The operations under `app`."""

    def list(
        self,
        params: t.Optional[Mapping[str, t.Any]] = None,
        *,
        page: t.Optional[int] = None,
        page_size: t.Optional[int] = None,
        request_timeout: t.Optional[float] = None,
    ) -> types.AppPaginatedResponse:
        """List apps.

        `GET /api/v1/apps`

        Args:
            params: The query parameters as a mapping, under these or their wire names.
            page: `page` of the query. 1 if not given.
            page_size: `pageSize` of the query. 100 if not given.
            request_timeout: Seconds for this call.

        Returns:
            `AppPaginatedResponse`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        wire = merged(params, {"page": page, "pageSize": page_size}, {"page_size": "pageSize"})
        answer: types.AppPaginatedResponse = self._send(
            Call("GET", "/api/v1/apps", query=encoded(wire, {}), timeout_s=request_timeout)
        )
        return answer

    def iter_all(
        self, params: t.Optional[Mapping[str, t.Any]] = None, *, page_size: int = 100, **filters: t.Any
    ) -> Iterator[types.App]:
        """Walk through all pages of `list`, with its parameters, `page_size` at a time.

        Reference: OpenMeter, section 7.9.
        """
        size = size_of(page_size)

        def fetch(page: int) -> t.Any:
            options = {**filters, "page": page, "page_size": size}
            return self.list(params, **options)

        return by_number(fetch, size)

    def get(self, id: str, *, request_timeout: t.Optional[float] = None) -> types.App:
        """Get app.

        `GET /api/v1/apps/{id}`

        Args:
            id: `id` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `App`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.App = self._send(Call("GET", f"/api/v1/apps/{segment(id, 'id')}", timeout_s=request_timeout))
        return answer

    def update(
        self,
        id: str,
        body: t.Union[types.AppReplaceUpdate, Mapping[str, t.Any]],
        *,
        request_timeout: t.Optional[float] = None,
    ) -> types.App:
        """Update app.

        `PUT /api/v1/apps/{id}`

        Args:
            id: `id` of the path.
            body: The fields of `AppReplaceUpdate`.
            request_timeout: Seconds for this call.

        Returns:
            `App`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        answer: types.App = self._send(
            Call("PUT", f"/api/v1/apps/{segment(id, 'id')}", body=body, timeout_s=request_timeout)
        )
        return answer

    def uninstall(self, id: str, *, request_timeout: t.Optional[float] = None) -> None:
        """Uninstall app.

        `DELETE /api/v1/apps/{id}`

        Args:
            id: `id` of the path.
            request_timeout: Seconds for this call.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 7.9.
        """
        self._send(Call("DELETE", f"/api/v1/apps/{segment(id, 'id')}", timeout_s=request_timeout))
