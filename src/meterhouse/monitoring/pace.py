"""How many jobs go side by side: many while they wait, few while they keep the event loop busy.

Jobs share a process with the interface. Those that wait for a slow site cost nothing; when many have work at
once, everybody who asks waits behind all of them, and not one job is done sooner.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

START = 8
LEAST = 4
LAG_GOOD_S = 0.005
LAG_BAD_S = 0.015
SHRINK = 0.75
MEASURE_S = 0.05
IDLE_S = 0.5


@dataclass
class Pace:
    """A number of hands between `LEAST` and `most`, moved by how late the event loop is."""

    most: int
    _hands: float = 0.0

    def __post_init__(self) -> None:
        self._hands = float(min(START, self.most))

    @property
    def hands(self) -> int:
        return int(self._hands)

    def observe(self, lag_s: float, *, busy: int) -> None:
        """Take note of a lag, measured while so many hands were busy."""
        if lag_s > LAG_BAD_S:
            self._hands = max(float(min(LEAST, self.most)), self._hands * SHRINK)
        elif lag_s < LAG_GOOD_S and busy >= self.hands:
            self._hands = min(float(self.most), self._hands + 1)

    async def measure(self) -> float:
        """Seconds by which the event loop is late right now."""
        loop = asyncio.get_running_loop()
        wanted_at = loop.time() + MEASURE_S
        await asyncio.sleep(MEASURE_S)
        return loop.time() - wanted_at
