"""The hours of owners who are asked about again, kept in memory and in step with what is stored.

Only where no other process can store anything. To load hours from a meter's rollup takes as long as two
answers by the engine, so it is done at the third question about the same owners, groups and filters. Events
stored since wait beside them and are added when the next question comes. Owners with more events than
questions are given up: the engine serves them as well.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from meterhouse.usage.block import EventRow
from meterhouse.usage.engine.hours import CELLS_MAX, Hours, Row

CELLS_KEPT_MAX = 200_000  # of all owners: some 40 MB
HELD_MAX = 2_000
ASKED_MAX = 5_000
PLACES_MAX = 20
WAITING_MAX = 200  # events of one owner; more take longer to be added than the engine takes
WAITING_BYTES_MAX = 4_096  # of one event
WAITING_KEPT_MAX = 10_000  # of all owners
ASKED_BEFORE = PAID_USES = 2
REST_S = 600.0

Key = tuple[int, str]
Place = tuple[bytes, str, str]
"""Organisation, type and subject of events."""


@dataclass(eq=False)
class Held:
    """Some owners' hours, and the events that are not in them yet."""

    key: Key
    places: Collection[Place]
    hours: Hours
    waiting: list[EventRow]
    is_loaded: bool = False
    uses: int = 0


@dataclass
class _Asked:
    """How often hours were wanted that are not there, and until when they are not loaded all the same."""

    times: int = 0
    rests_until: float = 0.0


class OwnerHours:
    """Hours by meter definition and hourly question, the longest unused forgotten first."""

    def __init__(self) -> None:
        self._held: OrderedDict[Key, Held] = OrderedDict()
        self._asked: OrderedDict[Key, _Asked] = OrderedDict()
        self._at: defaultdict[Place, set[Held]] = defaultdict(set)
        self._cells = self._waiting = 0

    def find(self, key: Key) -> Hours | None:
        """Hours that hold every event that is stored by now."""
        held = self._held.get(key)
        if held is None or not held.is_loaded:
            return None
        self._held.move_to_end(key)
        held.uses += 1
        return self._caught_up(held)

    def is_due(self, key: Key) -> bool:
        """Whether hours should be loaded now; of the first questions only note is taken."""
        asked = self._asked.get(key, _Asked())
        self._note(key, asked)
        asked.times += 1
        return asked.times > ASKED_BEFORE and _now() >= asked.rests_until

    def _note(self, key: Key, asked: _Asked) -> None:
        self._asked[key] = asked
        self._asked.move_to_end(key)
        if len(self._asked) > ASKED_MAX:
            self._asked.popitem(last=False)

    def enter(self, key: Key, places: Collection[Place], hours: Hours, lacked: Sequence[EventRow]) -> Held:
        """Make a place for hours before they are asked for; from now on events wait for them.

        `lacked` are the events that are stored and that the hours to come will not hold.
        """
        self._drop(self._held.get(key))
        held = self._held[key] = Held(key, places, hours, list(lacked))
        self._waiting += len(held.waiting)
        for place in places:
            self._at[place].add(held)
        self._bound()
        return held

    def take_in(
        self, key: Key, places: Collection[Place], hours: Hours, lacked: Sequence[EventRow]
    ) -> Hours | None:
        """Keep hours that are there already; `None` when those that they lack cannot be added."""
        return self._loaded(self.enter(key, places, hours, lacked))

    async def fill(self, held: Held, rows: Sequence[Row]) -> Hours | None:
        """Keep the rows that were asked for; `None` when they are of no use, or not any more."""
        # Beside the loop, because thousands take a while; nobody else has these hours yet.
        is_taken = len(rows) <= CELLS_MAX and await asyncio.to_thread(held.hours.take, rows)
        if not is_taken:
            self.give_up(held)
            return None
        return self._loaded(held)

    def _loaded(self, held: Held) -> Hours | None:
        if self._held.get(held.key) is not held:
            return None
        held.is_loaded = True
        self._cells += len(held.hours)
        return self._caught_up(held)

    def give_up(self, held: Held) -> None:
        """Forget hours, and do not load them again for a while unless it paid to have them."""
        if self._held.get(held.key) is not held:
            return
        self._drop(held)
        if held.uses < PAID_USES:
            self._note(held.key, _Asked(rests_until=_now() + REST_S))

    def _caught_up(self, held: Held) -> Hours | None:
        """The hours with the events that waited; `None` when these cannot be added."""
        before = len(held.hours)
        waiting, held.waiting = held.waiting, []
        self._waiting -= len(waiting)
        is_added = held.hours.add(waiting)
        self._cells += len(held.hours) - before
        if not is_added or len(held.hours) > CELLS_MAX:
            self.give_up(held)
        self._bound()
        return held.hours if is_added else None

    def forget(self) -> None:
        """Forget all hours, because it is not known what was stored."""
        self._held.clear()
        self._at.clear()
        self._cells = self._waiting = 0

    def add(self, rows: Sequence[EventRow]) -> None:
        """Take in rows that are stored."""
        if not self._held:
            return
        full: set[Held] = set()
        for row in rows:
            for held in self._at.get((row[1], row[2], row[3]), ()):
                held.waiting.append(row)
                self._waiting += 1
                if len(held.waiting) > WAITING_MAX or len(row[14]) > WAITING_BYTES_MAX:
                    full.add(held)
        for held in full:
            self.give_up(held)
        self._bound()

    def _bound(self) -> None:
        while len(self._held) > HELD_MAX or self._cells > CELLS_KEPT_MAX or self._waiting > WAITING_KEPT_MAX:
            self._drop(next(iter(self._held.values())))

    def _drop(self, held: Held | None) -> None:
        if held is None or self._held.get(held.key) is not held:
            return
        del self._held[held.key]
        self._waiting -= len(held.waiting)
        if held.is_loaded:
            self._cells -= len(held.hours)
        for place in held.places:
            self._at[place].discard(held)
            if not self._at[place]:
                del self._at[place]


def _now() -> float:
    return asyncio.get_running_loop().time()
