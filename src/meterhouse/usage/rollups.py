"""Keeps rollups of meters that are asked about, and says how far each of them reaches.

A rollup is made of batches, each of which holds the events of a range of `seq` and is stored in one piece
together with its mark. Its rows never change, so any number that it once reached may be gone by for ever:
answers read the batches up to that number and the raw events above it. Nothing here can therefore make an
answer wrong or stale, only slow.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.ports import EventStore
from meterhouse.usage.engine.rollups import INSERT_MARK, MARK, TABLE, Rollup, compile_batch, definition_of
from meterhouse.usage.ingest import newest_seq
from meterhouse.usage.model import Meter

log = logging.getLogger(__name__)

Lock = Callable[[], AbstractAsyncContextManager[object]]

SETTLE_POLL_S = 0.1

_RUNNING = """
SELECT count() FROM system.processes
WHERE query_kind = 'Insert' AND current_database = currentDatabase()
  AND Settings['log_comment'] = {mark:String}
"""


@dataclass(frozen=True)
class RollupLimits:
    """When a rollup is carried on, and how much at once.

    A batch is made once `behind_min` events are not in it, or `idle_behind_min` when no more have come since
    the last look. `cells_per_event_max` gives up a rollup that would be no smaller than the events.
    """

    batch_events_max: int = 500_000
    behind_min: int = 10_000
    idle_behind_min: int = 1_000
    pause_s: float = 1.0
    rest_factor: float = 3.0
    batch_timeout_s: float = 300.0
    meters_max: int = 2_000
    cells_per_event_max: float = 2.2
    judged_from_events: int = 50_000


@dataclass
class _Kept:
    """One meter's rollup. `upto` is `None` until its marks are read, and may lag behind them; a batch with
    an unknown outcome makes the number uncertain."""

    meter: Meter
    upto: int | None = None
    is_certain: bool = False
    is_refused: bool = False


class Rollups:
    """The rollups of one event store; see the module."""

    def __init__(
        self,
        store: EventStore,
        reached: Callable[[], int | None],
        *,
        lock: Lock | None = None,
        limits: RollupLimits | None = None,
    ) -> None:
        """`reached` is `Ingestor.reached`; `lock` is passed when other processes may make rollups too."""
        self._store = store
        self._reached = reached
        self._lock: Lock = lock or nullcontext
        self._is_shared = lock is not None
        self._limits = limits or RollupLimits()
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._turn = asyncio.Lock()
        self._batch_events = self._limits.batch_events_max
        self._seen = -1
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Carry rollups on in the background."""
        self._keeper = asyncio.create_task(self._keep_up(), name="rollups")

    async def stop(self) -> None:
        """End after the batch in hand."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        async with self._turn:
            pass

    async def find(self, meter: Meter, *, is_corrected: bool) -> Rollup | None:
        """What may be read instead of raw events now; a meter asked about is carried on from now on."""
        definition = definition_of(meter)
        kept = self._kept.get(definition)
        if kept is None:
            kept = self._kept[definition] = _Kept(meter)
            while len(self._kept) > self._limits.meters_max:
                self._kept.popitem(last=False)
        self._kept.move_to_end(definition)
        if kept.upto is None:
            kept.upto = await self._read_marks(definition)
        if kept.upto < 0 or kept.is_refused:
            return None
        reached = self._reached()
        return Rollup(definition, kept.upto, reached is not None and reached <= kept.upto, is_corrected)

    async def carry_on(self, meter: Meter) -> None:
        """Bring a meter's rollup up to the newest event. Raises `DependencyFailed` when the store fails."""
        await self.find(meter, is_corrected=False)
        kept = self._kept[definition_of(meter)]
        while await self._carry_on(kept, behind_min=1):
            pass

    async def drop(self, meter: Meter) -> None:
        """Throw a rollup away; the next question about the meter begins a new one.

        Only for a store that no other process reads.
        """
        async with self._turn, self._lock():
            definition = definition_of(meter)
            await self._discard(definition)
            self._kept.pop(definition, None)

    async def _keep_up(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self._pass()
            except DependencyFailed as failure:
                log.warning("rollups could not be carried on: %s", failure)
            took = loop.time() - began
            await asyncio.sleep(max(self._limits.pause_s, took * self._limits.rest_factor))

    async def _pass(self) -> None:
        if not self._kept:
            return
        reached = await self._newest()
        is_idle = reached == self._seen
        self._seen = reached
        behind = self._limits.idle_behind_min if is_idle else self._limits.behind_min
        for kept in list(self._kept.values()):
            await asyncio.shield(self._carry_on(kept, behind_min=behind))

    async def _newest(self) -> int:
        reached = self._reached()
        return await newest_seq(self._store, 0) if reached is None else reached

    async def _carry_on(self, kept: _Kept, *, behind_min: int) -> bool:
        """Make one batch if enough events wait for it; say whether one was made."""
        newest = await self._newest()
        if kept.is_refused or newest - max(kept.upto or 0, 0) < behind_min:
            return False
        async with self._turn, self._lock():
            definition = definition_of(kept.meter)
            await self._settle()
            if kept.upto is None or not kept.is_certain or self._is_shared:
                kept.upto = await self._read_marks(definition)
            if newest - max(kept.upto, 0) < behind_min:
                return False
            upto = min(newest, max(kept.upto, 0) + self._batch_events)
            await self._add_batch(kept, definition, kept.upto + 1, upto)
            return True

    async def _add_batch(self, kept: _Kept, definition: int, since: int, upto: int) -> None:
        batch = compile_batch(kept.meter, definition, since, upto)
        kept.is_certain = False
        try:
            await self._store.command(batch.sql, batch.parameters, timeout_s=self._limits.batch_timeout_s)
        except DependencyFailed as failure:
            if failure.code == "events_memory":
                self._batch_events = max(1_000, self._batch_events // 4)
            raise
        kept.upto, kept.is_certain = upto, True
        if await self._is_too_large(definition, upto):
            kept.is_refused = True
            await self._discard(definition)

    async def _is_too_large(self, definition: int, upto: int) -> bool:
        answer = await self._store.query(
            f"SELECT countIf(level != {MARK}), sumIf(n, level = {MARK}) FROM {TABLE} "  # noqa: S608
            "WHERE definition = {definition:UInt128} AND upto = {upto:UInt64}",
            {"definition": definition, "upto": upto},
        )
        cells, events = (int(str(value)) for value in answer.rows[0])
        return events >= self._limits.judged_from_events and cells > events * self._limits.cells_per_event_max

    async def _settle(self) -> None:
        """Wait for a batch whose maker is gone; it may still be stored."""
        deadline = asyncio.get_running_loop().time() + self._limits.batch_timeout_s
        while (await self._store.query(_RUNNING, {"mark": INSERT_MARK})).rows[0][0]:
            if asyncio.get_running_loop().time() > deadline:
                raise DependencyFailed("An earlier batch is still being stored.", retryable=True)
            await asyncio.sleep(SETTLE_POLL_S)

    async def _read_marks(self, definition: int) -> int:
        """How far the batches reach without a hole; -1 for none. Batches with a hole are thrown away."""
        answer = await self._store.query(
            f"SELECT since, upto FROM {TABLE} "  # noqa: S608
            f"WHERE definition = {{definition:UInt128}} AND level = {MARK} ORDER BY since, upto",
            {"definition": definition},
        )
        marks = [(int(str(since)), int(str(upto))) for since, upto in answer.rows]
        if _is_chain(marks):
            return marks[-1][1] if marks else -1
        log.error("a rollup has a hole or an overlap and is made anew")
        await self._discard(definition)
        return -1

    async def _discard(self, definition: int) -> None:
        # The number is one of ours, and a partition cannot be named by a parameter.
        await self._store.command(f"ALTER TABLE {TABLE} DROP PARTITION '{int(definition)}'")


def _is_chain(marks: Sequence[tuple[int, int]]) -> bool:
    expected = 0
    for since, upto in marks:
        if since != expected:
            return False
        expected = upto + 1
    return True
