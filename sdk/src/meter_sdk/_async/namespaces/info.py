"""The operations under `info`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t

from ..._arguments import segment
from ..._call import Call
from ..operations import Operations

if t.TYPE_CHECKING:
    from ...types import openmeter as types


class Info(Operations):
    """The operations under `info`."""

    async def list_currencies(self, *, request_timeout: t.Optional[float] = None) -> t.List[types.Currency]:
        """List currencies.

        `GET /api/v1/info/currencies`

        Args:
            request_timeout: Seconds for this call.

        Returns:
            `List[Currency]`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 9.2.
        """
        answer: t.List[types.Currency] = await self._send(
            Call("GET", "/api/v1/info/currencies", timeout_s=request_timeout)
        )
        return answer

    async def get_progress(self, id: str, *, request_timeout: t.Optional[float] = None) -> types.Progress:
        """Get progress.

        `GET /api/v1/info/progress/{id}`

        Args:
            id: `id` of the path.
            request_timeout: Seconds for this call.

        Returns:
            `Progress`.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            NotFoundError: There is no such object.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 9.2.
        """
        answer: types.Progress = await self._send(
            Call("GET", f"/api/v1/info/progress/{segment(id, 'id')}", timeout_s=request_timeout)
        )
        return answer
