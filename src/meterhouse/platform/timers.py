"""Due-scans: business timers as columns, found by queries against the one clock.

A scan is a function of the present instant that does (or enqueues) what has become due and returns how
much that was. It must be safe to run at any time, as often as wanted, in several processes at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import InvariantBroken
from meterhouse.kernel.scans import Scan

log = structlog.get_logger(__name__)

TICK_S = 1.0
ROUNDS_MAX = 10_000


class DueScans:
    """All scans of the product, run once a second, or at once when a test clock has moved."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._scans: dict[str, Scan] = {}
        # Scans skip rows that another scan holds. Were two passes to overlap, the one that found nothing
        # could say "all done" while the other has not yet written down what it found.
        self._turn = asyncio.Lock()

    def register(self, name: str, scan: Scan) -> None:
        assert name not in self._scans, f"scan {name} is registered twice"
        self._scans[name] = scan

    async def run_once(self) -> int:
        """Run every scan; one that fails is logged and does not keep the others from running."""
        async with self._turn:
            return await self._pass()

    async def _pass(self) -> int:
        found = 0
        for name, scan in self._scans.items():
            try:
                found += await scan(self._clock.now())
            except Exception as error:
                log.error("scan.failed", scan=name, error=f"{type(error).__name__}: {error}"[:300])
        return found

    async def settle(self, drain: Callable[[], Awaitable[None]]) -> None:
        """Alternate queue and scans until neither finds work: all that is due at this instant is done.

        The first pass is for what is due now, which must not wait for a queue that others keep filling. Only
        a pass that begins with an empty queue and finds nothing proves that nothing is left.
        """
        async with self._turn:
            await self._pass()
            await drain()
            for _ in range(ROUNDS_MAX):
                found = await self._pass()
                await drain()
                if not found:
                    return
        raise InvariantBroken("The due-scans keep finding work; some scan does not mark what it has done.")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async def loop() -> None:
            while True:
                await asyncio.sleep(TICK_S)
                await self.run_once()

        task = asyncio.create_task(loop(), name="due-scans")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
