"""Keeps the hours of all owners of the meters whose owners are asked about, within bounds.

Only where no other process can store anything. They are loaded from the meter's rollup, a step after each
look at the rollup, once its owners were asked about a few times, and go on with every batch as long as
somebody asks. What came after them is found among the newest events; where those do not reach back so far,
the engine is asked as before. Nothing here can make an answer wrong, only slow.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.ports import EventStore
from meterhouse.usage.engine.compile import effective_groups
from meterhouse.usage.engine.owner_runs import Groups, OwnerRuns, compile_step
from meterhouse.usage.engine.rollups import MARK, OWNED_HOURS, TABLE, Batch
from meterhouse.usage.model import Meter, MeterQuery

log = logging.getLogger(__name__)

ASKED_MIN = 3
KEPT_MAX = 2_000
CELLS_READ_MAX = 8_000_000
CELLS_KEPT_MAX = 4_000_000  # of all meters: some 130 MB
SERIES_CELLS = 12  # as many as take the room of what is kept of each series besides
STEP_EVENTS = 1_000_000
IDLE_S = 600.0
REST_S = 600.0

_Shape = tuple[int, Groups]


@dataclass
class _Kept:
    """The hours of one meter by some group-bys; `runs` is `None` while they are not worth it, or rest."""

    meter: Meter
    groups: Groups
    asked: int = 0
    asked_at: float = -math.inf
    rests_until: float = -math.inf
    runs: OwnerRuns | None = None
    is_complete: bool = False

    @property
    def size(self) -> int:
        """In cells."""
        return 0 if self.runs is None else self.runs.cells + SERIES_CELLS * self.runs.series

    def forget(self, rests_until: float = -math.inf) -> None:
        """Give the hours up; they are not loaded before `rests_until`."""
        self.runs, self.is_complete, self.rests_until = None, False, rests_until


@dataclass(frozen=True)
class _Marked:
    """A batch, and how many events are in it."""

    batch: Batch
    events: int


class AllOwners:
    """See the module. `find` is for questions, `carry_on` for whoever makes rollups."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._kept: OrderedDict[_Shape, _Kept] = OrderedDict()

    def find(self, definition: int, meter: Meter, wanted: MeterQuery) -> OwnerRuns | None:
        """The hours for an hourly question about some owners, if they are there; notes that it was asked."""
        if wanted.group_filters:
            return None
        groups = effective_groups(wanted)[2]
        shape = (definition, groups)
        kept = self._kept.setdefault(shape, _Kept(meter, groups))
        self._kept.move_to_end(shape)
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        kept.asked, kept.asked_at = kept.asked + 1, _now()
        return kept.runs if kept.is_complete else None

    def definitions(self) -> set[int]:
        """The meters whose owners were asked about."""
        return {definition for definition, _ in self._kept}

    async def carry_on(self, definition: int, upto: int) -> bool:
        """Take a step with each of a meter's hours, whose rollup reaches `upto`; whether there is more to do.

        No batch of the rollup may be thrown away meanwhile.
        """
        has_more = False
        for shape, kept in list(self._kept.items()):
            if shape[0] == definition and self._is_worth_it(kept):
                try:
                    has_more |= await self._step(definition, kept, upto)
                except DependencyFailed as failure:
                    log.warning("the hours of all owners of a meter could not be loaded: %s", failure)
                    self._rest(kept)
        return has_more

    def _is_worth_it(self, kept: _Kept) -> bool:
        now = _now()
        if now - kept.asked_at > IDLE_S:
            kept.asked = 0
            kept.forget(kept.rests_until)
        return kept.asked >= ASKED_MIN and now >= kept.rests_until

    async def _step(self, definition: int, kept: _Kept, upto: int) -> bool:
        if kept.runs is None:
            if await self._are_too_many(definition):
                self._rest(kept)
                return False
            kept.runs = OwnerRuns(kept.meter, kept.groups)
        runs = kept.runs
        if runs.upto >= upto:
            return False
        batches = _next(await self._marks(definition, runs.upto), runs.upto + 1)
        if not batches:  # what comes next has been folded into what is held already
            kept.forget()
            return True
        asked = compile_step(kept.meter, kept.groups, batches)
        table = await self._store.query_arrow(asked.sql, asked.parameters)
        await asyncio.to_thread(runs.take, batches, table)
        kept.is_complete |= runs.upto >= upto
        self._bound(kept)
        return kept.runs is not None and runs.upto < upto

    async def _are_too_many(self, definition: int) -> bool:
        answer = await self._store.query(
            f"SELECT count() FROM {TABLE} "  # noqa: S608
            f"WHERE definition = {{definition:UInt128}} AND level = {OWNED_HOURS}",
            {"definition": definition},
        )
        return int(str(answer.rows[0][0])) > CELLS_READ_MAX

    async def _marks(self, definition: int, upto: int) -> list[_Marked]:
        answer = await self._store.query(
            f"SELECT tier, epoch, since, upto, n FROM {TABLE} "  # noqa: S608
            f"WHERE definition = {{definition:UInt128}} AND level = {MARK} AND since >= {{since:UInt64}}",
            {"definition": definition, "since": upto + 1},
        )
        found = []
        for row in answer.rows:
            tier, epoch, since, until, events = (int(str(value)) for value in row)
            found.append(_Marked(Batch(definition, tier, epoch, since, until), events))
        return found

    def _bound(self, newest: _Kept) -> None:
        """Give up the newest hours if they alone are too many, else those that nobody asks about."""
        if newest.size > CELLS_KEPT_MAX:
            self._rest(newest)
        by_use = sorted((kept for kept in self._kept.values() if kept.size), key=lambda kept: kept.asked_at)
        size = sum(kept.size for kept in by_use)
        for kept in by_use:
            if size <= CELLS_KEPT_MAX:
                break
            size -= kept.size
            self._rest(kept)

    def _rest(self, kept: _Kept) -> None:
        kept.forget(_now() + REST_S)


def _next(marked: Sequence[_Marked], since: int) -> list[Batch]:
    """Batches that go on from `since` without a hole, for one step; may be none.

    Of small batches and the one they were folded into it takes either.
    """
    longest: dict[int, _Marked] = {}
    for one in marked:
        had = longest.get(one.batch.since)
        if had is None or had.batch.upto < one.batch.upto:
            longest[one.batch.since] = one
    found: list[Batch] = []
    events = 0
    while (following := longest.get(since)) is not None:
        events += following.events
        if found and events > STEP_EVENTS:
            break
        found.append(following.batch)
        since = following.batch.upto + 1
    return found


def _now() -> float:
    return asyncio.get_running_loop().time()
