# Generated from _async by generate.py.
"""The operations under `debug`. Generated from the contract by `generate.py`."""

from __future__ import annotations

import typing as t

from ..._call import Call
from ..operations import Operations


class Debug(Operations):
    """The operations under `debug`."""

    def get_metrics(self, *, request_timeout: t.Optional[float] = None) -> str:
        """Get today's event counts as OpenMetrics text.

        `GET /api/v1/debug/metrics`

        Args:
            request_timeout: Seconds for this call.

        Returns:
            The text.

        Raises:
            InvalidRequestError: A parameter or the body is malformed.
            PermissionDeniedError: The key may not do this.
            ConflictError: The object's state does not allow it.
            NotSupportedError: The server does not have this operation yet.

        Reference: OpenMeter, section 9.2.
        """
        answer: str = self._send(Call("GET", "/api/v1/debug/metrics", accept="text/plain", timeout_s=request_timeout))
        return answer
