"""What every group of operations is built on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .._call import Call
    from .transport import AsyncTransport


class Operations:
    """Operations on one transport. `request_timeout` of a method is in seconds, for that call alone."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def _send(self, call: Call) -> Any:
        return await self._transport.request(call)
