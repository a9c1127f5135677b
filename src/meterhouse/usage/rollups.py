"""Keeps rollups of meters that are asked about, and says how far each of them reaches.

A rollup is made of batches, each of which holds the events of a range of `seq` and is stored in one piece
together with its mark. Its rows never change, so any number that it once reached may be gone by: answers
read the batches up to that number and the raw events above it. Nothing here can therefore make an answer
wrong or stale, only slow.

Small batches have cells of their own even for the same hour, so from time to time they are folded into one;
they stay for a while for those who still go by them. What is folded is merged into one part of the table when
nothing else is to be done: each further part costs every question most of a millisecond.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace

from meterhouse.kernel.errors import DependencyFailed, InvariantBroken
from meterhouse.platform.ports import EventStore
from meterhouse.usage.all_owners import AllOwners
from meterhouse.usage.engine.compile import CompiledQuery
from meterhouse.usage.engine.rollups import (
    FOLDED,
    INSERT_MARK,
    MARK,
    SMALL,
    TABLE,
    Batch,
    Rollup,
    compile_batch,
    compile_fold,
    definition_of,
)
from meterhouse.usage.ingest import newest_seq
from meterhouse.usage.model import Meter
from meterhouse.usage.newest import ROWS_MAX

log = logging.getLogger(__name__)

Lock = Callable[[], AbstractAsyncContextManager[object]]

SETTLE_POLL_S = 0.1
_PARTITION_ID = re.compile(r"[0-9a-f-]+")

_RUNNING = """
SELECT count() FROM system.processes
WHERE query_kind = 'Insert' AND current_database = currentDatabase()
  AND Settings['log_comment'] = {mark:String}
"""


@dataclass(frozen=True)
class RollupLimits:
    """When a rollup is carried on, and how much at once.

    There are none while the store holds fewer than `events_min` events: raw ones are read as fast. A batch is
    made once `behind_min` events are not in it, or `idle_behind_min` when no more have come since the last
    look; fewer than that only once in `small_pause_s`, because each batch has cells of its own even for the
    same hour. A rollup that is far behind goes in steps of `catch_up_events`: the events of any step lie all
    over the table, so fewer steps read less. `cells_per_event_max` gives up a rollup that would be no smaller
    than the events; large batches are judged by that until `judged_max` were.
    """

    events_min: int = 20_000
    batch_events_max: int = 500_000
    catch_up_events: int = 2_000_000
    behind_min: int = 10_000
    idle_behind_min: int = 1_000
    small_pause_s: float = 60.0
    pause_s: float = 1.0
    rest_factor: float = 3.0
    catch_up_rest_factor: float = 0.3
    batch_timeout_s: float = 300.0
    meters_max: int = 2_000
    cells_per_event_max: float = 2.2
    judged_from_events: int = 50_000
    judged_max: int = 3
    large_batch_events: int = 100_000
    fold_batches: int = 64
    fold_events: int = 500_000
    drop_after_s: float = 120.0
    merge_rows_max: int = 20_000_000
    trusted_s: float = 20.0


@dataclass(frozen=True)
class Reach:
    """How far a rollup goes (-1 for nothing): folded up to `folded`, and with small batches up to `upto`.

    `epoch` is that of the next small batch, `small` counts those that are not folded yet. `leftovers`: there
    are small ones that have been folded.
    """

    folded: int = -1
    upto: int = -1
    epoch: int = 0
    small: int = 0
    leftovers: bool = False


@dataclass
class _Kept:
    """One meter's rollup. `reach` is `None` until its marks are read, and may lag behind them; a batch with
    an unknown outcome makes it uncertain. `folds`: which epochs were folded when and are not dropped yet."""

    meter: Meter
    reach: Reach | None = None
    is_certain: bool = False
    is_refused: bool = False
    is_merged: bool = False
    has_wide: bool = False
    judged: int = 0
    read_at: float = -math.inf
    small_at: float = -math.inf
    folds: list[tuple[int, float]] = field(default_factory=list)

    @property
    def upto(self) -> int:
        return -1 if self.reach is None else self.reach.upto

    @property
    def folded(self) -> int:
        return -1 if self.reach is None else self.reach.folded


class Rollups:
    """The rollups of one event store; see the module."""

    def __init__(
        self,
        store: EventStore,
        reached: Callable[[], int | None],
        *,
        lock: Lock | None = None,
        limits: RollupLimits | None = None,
        owners: AllOwners | None = None,
    ) -> None:
        """`reached` is `Ingestor.reached`; `lock` is passed when other processes may make rollups too, and
        `owners` when none may."""
        self._store = store
        self._reached = reached
        self._lock: Lock = lock or nullcontext
        self._is_shared = lock is not None
        self.owners = owners
        self._limits = limits or RollupLimits()
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._turn = asyncio.Lock()
        # Less once the store has run out of memory.
        self._batch_events = max(self._limits.batch_events_max, self._limits.catch_up_events)
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

    def expect(self, meter: Meter) -> None:
        """Carry a meter's rollup on from now on, because questions are to be expected."""
        self._keep(meter)

    def _keep(self, meter: Meter) -> tuple[int, _Kept]:
        definition = definition_of(meter)
        kept = self._kept.get(definition)
        if kept is None:
            kept = self._kept[definition] = _Kept(meter)
            while len(self._kept) > self._limits.meters_max:
                self._kept.popitem(last=False)
        self._kept.move_to_end(definition)
        return definition, kept

    async def find(self, meter: Meter, *, is_corrected: bool) -> Rollup | None:
        """What may be read instead of raw events now; a meter asked about is carried on from now on."""
        definition, kept = self._keep(meter)
        reach = kept.reach
        if reach is None or (self._is_shared and _now() - kept.read_at > self._limits.trusted_s):
            reach = await self._read_marks(definition, kept)
        if reach.upto < 0 or kept.is_refused:
            return None
        reached = self._reached()
        reaches_all = reached is not None and reached <= reach.upto
        found = Rollup(definition, reach.folded, reach.epoch, reach.upto, reaches_all, is_corrected)
        return replace(found, has_wide=kept.has_wide)

    def learn_wide(self, definition: int) -> None:
        """From now on expect values beyond decimals in the cells of a rollup."""
        if (kept := self._kept.get(definition)) is not None:
            kept.has_wide = True

    async def carry_on(self, meter: Meter) -> None:
        """Bring a meter's rollup up to the newest event, and then the hours of all owners if they are kept.

        Raises `DependencyFailed` when the store fails.
        """
        await self.find(meter, is_corrected=False)
        kept = self._kept[definition_of(meter)]
        while await self._carry_on(kept, behind_min=1):
            pass
        while await self._carry_owners_on(definition_of(meter), kept.upto):
            pass

    def progress(self, meter: Meter) -> float:
        """The part of all events, from 0 to 1, that a meter's rollup has reached, as far as is known here."""
        _, kept = self._keep(meter)
        return min(1.0, max(kept.upto, 0) / max(self._seen, 1))

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
            began, lags, owners_took = loop.time(), False, 0.0
            try:
                lags = await self._pass()
            except DependencyFailed as failure:
                log.warning("rollups could not be carried on: %s", failure)
            else:
                passed = loop.time()
                lags |= await self._carry_all_owners_on()
                owners_took = loop.time() - passed
            took = loop.time() - began
            rest = took * self._limits.catch_up_rest_factor
            if not lags:
                # Owners' hours are loaded once; what has come to the rollup since need not wait for that.
                rest = max(self._limits.pause_s, rest, (took - owners_took) * self._limits.rest_factor)
            await asyncio.sleep(rest)

    async def _pass(self) -> bool:
        """Carry each rollup on by a batch if it is worth it; say whether one lags far behind even so."""
        if not self._kept:
            return False
        reached = await self._newest()
        if reached < self._limits.events_min:
            return False
        is_idle = reached == self._seen
        self._seen = reached
        has_made = False
        for kept in list(self._kept.values()):
            behind = self._limits.behind_min
            if is_idle:
                is_rested = _now() - kept.small_at >= self._limits.small_pause_s
                behind = 1 if is_rested else self._limits.idle_behind_min
            has_made |= await asyncio.shield(self._carry_on(kept, behind_min=behind))
        if is_idle and not has_made:  # what is merged after each batch is merged all over again
            await self._merge_one()
        return any(
            not kept.is_refused and reached - kept.upto >= self._limits.batch_events_max
            for kept in self._kept.values()
        )

    async def _merge_one(self) -> None:
        """Merge what is folded of one rollup, unless the end of the process would wait long for it."""
        kept = next((one for one in self._kept.values() if one.folded >= 0 and not one.is_merged), None)
        if kept is None:
            return
        kept.is_merged = True
        definition = {"definition": definition_of(kept.meter)}
        answer = await self._store.query(
            f"SELECT _partition_id, count() FROM {TABLE} "  # noqa: S608
            f"WHERE definition = {{definition:UInt128}} AND tier = {FOLDED} GROUP BY 1",
            definition,
        )
        for partition, rows in answer.rows:
            if int(str(rows)) <= self._limits.merge_rows_max:
                merge = f"OPTIMIZE TABLE {TABLE} PARTITION ID '{_checked_id(partition)}' FINAL"
                settings = "SETTINGS optimize_skip_merged_partitions = 1"
                await self._store.command(f"{merge} {settings}", timeout_s=self._limits.batch_timeout_s)

    async def _newest(self) -> int:
        reached = self._reached()
        return await newest_seq(self._store, 0) if reached is None else reached

    async def _carry_on(self, kept: _Kept, *, behind_min: int) -> bool:
        """Make one batch if enough events wait for it; say whether one was made."""
        newest = await self._newest()
        if kept.is_refused or newest - max(kept.upto, 0) < behind_min:
            return False
        async with self._turn, self._lock():
            definition = definition_of(kept.meter)
            await self._settle()
            reach = kept.reach
            if reach is None or not kept.is_certain or self._is_shared:
                reach = await self._read_marks(definition, kept)
            if newest - max(reach.upto, 0) < behind_min:
                return False
            upto = min(newest, max(reach.upto, 0) + self._step(kept, newest - reach.upto))
            reach = await self._fold_if_due(kept, definition, reach, upto)
            await self._add_batch(kept, definition, reach, upto)
            await self._drop_leftovers(kept, definition)
            return True

    async def _carry_all_owners_on(self) -> bool:
        """Carry the hours of all owners on by a step for each meter; say whether there is more to do."""
        has_more = False
        for definition in () if self.owners is None else self.owners.definitions():
            has_more |= await asyncio.shield(self._carry_owners_on(definition, self._seen))
        return has_more

    async def _carry_owners_on(self, definition: int, newest: int) -> bool:
        """Carry the hours of all owners on, unless they would lag too far behind to be of use."""
        kept = self._kept.get(definition)
        if self.owners is None or kept is None or kept.is_refused or not kept.is_certain:
            return False
        if kept.upto < 0 or newest - kept.upto > ROWS_MAX:
            return False
        async with self._turn:  # so that nothing is thrown away meanwhile
            return await self.owners.carry_on(definition, kept.upto)

    def _step(self, kept: _Kept, behind: int) -> int:
        """How many events the next batch holds. The first ones are no larger than usual, to be judged."""
        limits = self._limits
        is_far = behind >= 2 * limits.catch_up_events and kept.judged >= limits.judged_max
        return min(self._batch_events, limits.catch_up_events if is_far else limits.batch_events_max)

    async def _fold_if_due(self, kept: _Kept, definition: int, reach: Reach, upto: int) -> Reach:
        """Fold the small batches when there are many, or when a large one comes after them."""
        is_due = reach.small >= self._limits.fold_batches or (
            reach.small > 0
            and (
                upto - reach.upto >= self._limits.large_batch_events
                or upto - reach.folded >= self._limits.fold_events
            )
        )
        if not is_due:
            return reach
        batch = Batch(definition, FOLDED, 0, reach.folded + 1, reach.upto)
        await self._insert(kept, batch, compile_fold(kept.meter.aggregation, batch))
        kept.folds.append((reach.epoch, _now()))
        kept.reach = Reach(reach.upto, reach.upto, reach.epoch + 1, 0, leftovers=True)
        return kept.reach

    async def _add_batch(self, kept: _Kept, definition: int, reach: Reach, upto: int) -> None:
        is_large = upto - reach.upto >= self._limits.large_batch_events
        batch = Batch(
            definition, FOLDED if is_large else SMALL, 0 if is_large else reach.epoch, reach.upto + 1, upto
        )
        await self._insert(kept, batch, compile_batch(kept.meter, batch))
        if is_large:
            kept.reach = replace(reach, folded=upto, upto=upto)
        else:
            kept.reach = replace(reach, upto=upto, small=reach.small + 1)
        if upto - reach.upto < self._limits.idle_behind_min:
            kept.small_at = _now()
        if await self._is_too_large(kept, batch):
            kept.is_refused = True
            await self._discard(definition)

    async def _insert(self, kept: _Kept, batch: Batch, made: CompiledQuery) -> None:
        kept.is_certain = kept.is_merged = False
        try:
            await self._store.command(made.sql, made.parameters, timeout_s=self._limits.batch_timeout_s)
        except DependencyFailed as failure:
            if failure.code == "events_memory":
                self._batch_events = max(1_000, (batch.upto - batch.since + 1) // 4)
            raise
        kept.is_certain = True

    async def _drop_leftovers(self, kept: _Kept, definition: int) -> None:
        """Drop what was folded long enough ago that nobody goes by it any more."""
        reach, before = kept.reach, _now() - self._limits.drop_after_s
        rested = [epoch for epoch, at in kept.folds if at <= before]
        if reach is None or not rested:
            return
        await self._drop_partitions(definition, f"tier = {SMALL} AND epoch <= {max(rested)}")
        kept.folds = [fold for fold in kept.folds if fold[0] > max(rested)]
        kept.reach = replace(reach, leftovers=bool(kept.folds))

    async def _is_too_large(self, kept: _Kept, batch: Batch) -> bool:
        if batch.tier == FOLDED and kept.judged >= self._limits.judged_max:
            return False  # to count the cells of one batch, all of them are looked through
        answer = await self._store.query(
            f"SELECT countIf(level != {MARK}), sumIf(n, level = {MARK}) FROM {TABLE} "  # noqa: S608
            "WHERE definition = {definition:UInt128} AND since = {since:UInt64} AND upto = {upto:UInt64}",
            {"definition": batch.definition, "since": batch.since, "upto": batch.upto},
        )
        cells, events = (int(str(value)) for value in answer.rows[0])
        is_judged = events >= self._limits.judged_from_events
        kept.judged += is_judged
        return is_judged and cells > events * self._limits.cells_per_event_max

    async def _settle(self) -> None:
        """Wait for a batch whose maker is gone; it may still be stored."""
        deadline = asyncio.get_running_loop().time() + self._limits.batch_timeout_s
        while (await self._store.query(_RUNNING, {"mark": INSERT_MARK})).rows[0][0]:
            if asyncio.get_running_loop().time() > deadline:
                raise DependencyFailed("An earlier batch is still being stored.", retryable=True)
            await asyncio.sleep(SETTLE_POLL_S)

    async def _read_marks(self, definition: int, kept: _Kept) -> Reach:
        """How far the batches reach without a hole. Batches with a hole or an overlap are thrown away."""
        answer = await self._store.query(
            f"SELECT tier, epoch, since, upto FROM {TABLE} "  # noqa: S608
            f"WHERE definition = {{definition:UInt128}} AND level = {MARK} ORDER BY since, upto",
            {"definition": definition},
        )
        reach = reach_of([Batch(definition, *(int(str(value)) for value in row)) for row in answer.rows])
        if reach is None:
            log.error("a rollup has a hole or an overlap and is made anew")
            await self._discard(definition)
            reach = Reach()
        # Epochs are counted anew in a rollup that is made anew.
        kept.folds = [fold for fold in kept.folds if fold[0] < reach.epoch]
        if reach.leftovers and all(epoch != reach.epoch - 1 for epoch, _ in kept.folds):
            # By whomever: others may still go by what was folded.
            kept.folds.append((reach.epoch - 1, _now()))
        kept.reach, kept.read_at, kept.is_certain = reach, _now(), True
        return reach

    async def _discard(self, definition: int) -> None:
        await self._drop_partitions(definition, "1")

    async def _drop_partitions(self, definition: int, condition: str) -> None:
        answer = await self._store.query(
            f"SELECT DISTINCT _partition_id FROM {TABLE} "  # noqa: S608
            f"WHERE definition = {{definition:UInt128}} AND {condition}",
            {"definition": definition},
        )
        for (partition,) in answer.rows:
            await self._store.command(f"ALTER TABLE {TABLE} DROP PARTITION ID '{_checked_id(partition)}'")


def _checked_id(partition: object) -> str:
    """A partition cannot be named by a parameter; its id is made of digits and dashes."""
    if not _PARTITION_ID.fullmatch(str(partition)):
        raise InvariantBroken(f"The partition id {partition!r} is not one of ours.")
    return str(partition)


def reach_of(marks: Sequence[Batch]) -> Reach | None:
    """How far batches reach, by their marks in order of `since`; `None` when they are not one chain."""
    folded = _end_of_chain([mark for mark in marks if mark.tier == FOLDED], 0)
    if folded is None:
        return None
    small = [mark for mark in marks if mark.tier == SMALL and mark.since > folded]
    upto = _end_of_chain(small, folded + 1)
    if upto is None:
        return None
    epochs = [mark.epoch for mark in marks if mark.tier == SMALL]
    epoch = small[-1].epoch if small else max(epochs, default=-1) + 1
    return Reach(folded, upto, epoch, len(small), leftovers=len(epochs) > len(small))


def _end_of_chain(marks: Sequence[Batch], start: int) -> int | None:
    expected = start
    for mark in marks:
        if mark.since != expected:
            return None
        expected = mark.upto + 1
    return expected - 1


def _now() -> float:
    return asyncio.get_running_loop().time()
