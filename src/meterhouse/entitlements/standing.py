"""The standing of one entitlement, kept in memory: exact at any moment from some minute on.

A standing begins with a state of the engine at the last change, and with what was used since, minute by
minute. Every event that is stored later is added to its minute. What happens before the state (a late
event) is more than a standing can take in: it is lost then, and the store is asked anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from meterhouse.entitlements.engine import Plan, run
from meterhouse.entitlements.engine.timeline import (
    CUMULATIVE,
    Changes,
    Stretch,
    instant,
    minute,
    next_change,
    plan_rules,
)
from meterhouse.entitlements.model import ZERO, Balance, State
from meterhouse.entitlements.terms import Terms
from meterhouse.kernel.exact import EXACT, decimal_from
from meterhouse.usage.engine.decode import Parts
from meterhouse.usage.engine.ranges import MINUTE_US, MinuteParts
from meterhouse.usage.engine.reading import Added
from meterhouse.usage.model import Aggregation

MINUTES_MAX = 5_000
FOLDED_FROM_MINUTES = 64
WATCHABLE = frozenset({Aggregation.SUM, Aggregation.COUNT, Aggregation.MAX, Aggregation.LATEST})
"""Unique values would have to be remembered one by one."""

Place = tuple[int, str]


@dataclass(frozen=True)
class Held:
    """What some minutes hold: a sum, or the value chosen and, for a gauge, its place among others."""

    amount: Decimal
    place: Place = (0, "")


def held_from(aggregation: Aggregation, parts: Parts, place: Place = (0, "")) -> Held:
    """What the parts of an aggregate come to."""
    if aggregation is Aggregation.COUNT:
        return Held(Decimal(parts.count))
    return Held(decimal_from(parts.amount), place)


def combined(aggregation: Aggregation, one: Held | None, other: Held | None) -> Held | None:
    """What both hold together."""
    if one is None or other is None:
        return one or other
    match aggregation:
        case Aggregation.LATEST:
            return max(one, other, key=lambda held: held.place)
        case Aggregation.MAX:
            return max(one, other, key=lambda held: held.amount)
        case _:
            return Held(EXACT.add(one.amount, other.amount))


class Lost(Exception):
    """The standing cannot say; ask the store."""


@dataclass
class Standing:
    """See the module. `folded` is what `[state.at, tail_from)` holds, `minutes` what comes after."""

    terms: Terms
    state: State
    tail_from: int
    folded: Held | None
    minutes: dict[int, Held]
    is_place_known: bool = False
    version: int = 0
    changes: dict[int, Changes] = field(default_factory=dict)
    until: int = 0
    period_end: datetime | None = None
    answers: dict[int, tuple[int, Balance]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.terms.rules is not None
        self.rules = self.terms.rules
        self.aggregation = self.rules.aggregation
        self._stand_on(self.state)

    def _stand_on(self, state: State) -> None:
        self.state = state
        self.since = minute(state.at)
        here = plan_rules(self.rules, state.at, start=state)
        self.changes = {at: change for at, change in here.changes.items() if at == self.since}
        self.until = next_change(self.rules, self.since)
        self.period_end = run(here, []).balance.period.end
        self.answers.clear()

    def add(self, added: Added) -> None:
        """Take in one event that was stored. Raises `Lost` for one that is too late."""
        place = (0, "")
        if self.aggregation is Aggregation.LATEST:
            place = (added.time_us, str(UUID(bytes=added.uid)))
        self._add(added.time_us // MINUTE_US, held_from(self.aggregation, added.parts, place))

    def add_minutes(self, minutes: Mapping[int, MinuteParts]) -> None:
        """Take in what was stored meanwhile, by the microsecond at which its minute starts."""
        for start_us, held in minutes.items():
            if held.parts.count:
                self._add(start_us // MINUTE_US, held_from(self.aggregation, held.parts, held.newest))

    def _add(self, at: int, held: Held) -> None:
        self.version += 1
        if at < self.since:
            measured_from = self.rules.entitlement.measure_usage_from
            if measured_from is not None and at < minute(measured_from):
                return  # it never counts
            raise Lost
        if at < self.tail_from:
            if self.aggregation is Aggregation.LATEST and not self.is_place_known:
                raise Lost
            self.folded = combined(self.aggregation, self.folded, held)
            return
        self.minutes[at] = combined(self.aggregation, self.minutes.get(at), held) or held
        if len(self.minutes) > MINUTES_MAX:
            raise Lost

    def balance(self, at: datetime, *, now: datetime, is_running: bool = False) -> Balance:
        """The balance at a full minute. Raises `Lost` for a time that lies before what it knows.

        `is_running` leaves out what happens at that minute itself.
        """
        asked, present = minute(at), minute(now)
        if asked < self.tail_from:
            raise Lost
        if self.until <= present:
            self._move_on(present)
        if len(self.minutes) > FOLDED_FROM_MINUTES:
            self._fold(present)
        if is_running and asked >= self.until:
            planned = plan_rules(self.rules, at, start=self.state, is_running=True)
            return run(planned, self.usages(planned)).balance
        known = self.answers.get(asked)
        if known is not None and known[0] == self.version:
            return known[1]
        planned = self._plan(at, asked)
        found = run(planned, self.usages(planned)).balance
        if len(self.answers) > 8:
            self.answers.clear()
        self.answers[asked] = (self.version, found)
        return found

    def _plan(self, at: datetime, asked: int) -> Plan:
        if asked >= self.until:
            return plan_rules(self.rules, at, start=self.state)
        counted_from = self.since
        if self.aggregation in CUMULATIVE:
            counted_from = minute(self.state.period_start)
            if self.since in self.changes and self.changes[self.since].is_reset:
                counted_from = self.since
        stretches = (Stretch(self.since, asked, counted_from),) if asked > self.since else ()
        return Plan(self.rules, self.state, asked, self.changes, stretches, period_end=self.period_end)

    def usages(self, planned: Plan) -> list[Decimal]:
        return [self._used(stretch) for stretch in planned.stretches]

    def _used(self, stretch: Stretch) -> Decimal:
        """What a stretch holds; a cumulative value also has what was there before the state."""
        start = max(stretch.counted_from, self.since)
        held: Held | None = None
        if self.aggregation in CUMULATIVE and stretch.counted_from < self.since:
            held = Held(self.state.usage)
        if start == self.since and self.folded is not None:
            held = combined(self.aggregation, held, self.folded)
        for at, tail in self.minutes.items():
            if start <= at < stretch.end:
                held = combined(self.aggregation, held, tail)
        return held.amount if held is not None else ZERO

    def _move_on(self, present: int) -> None:
        """Stand on the last change that has come to pass."""
        planned = plan_rules(self.rules, instant(present), start=self.state)
        state = run(planned, self.usages(planned)).state
        since = minute(state.at)
        if since <= self.since:
            return
        self.minutes = {at: held for at, held in self.minutes.items() if at >= since}
        self.folded, self.is_place_known = None, True
        self.tail_from = since
        self._stand_on(state)

    def _fold(self, present: int) -> None:
        for at in [at for at in self.minutes if at < present]:
            self.folded = combined(self.aggregation, self.folded, self.minutes.pop(at))
            self.is_place_known = self.is_place_known or self.aggregation is not Aggregation.LATEST
        self.tail_from = max(self.tail_from, present)
