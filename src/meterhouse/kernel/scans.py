"""Scans that the one clock drives: functions of an instant that do some of what is due and tell how much."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

Scan = Callable[[datetime], Awaitable[int]]


class Rarely:
    """A scan that rests for an hour once it finds nothing: for what need not be done at once."""

    REST = timedelta(hours=1)

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._next: datetime | None = None

    async def __call__(self, now: datetime) -> int:
        if self._next is not None and now < self._next:
            return 0
        found = await self._scan(now)
        self._next = None if found else now + self.REST
        return found
