"""From rules, grants and resets to the stretches of time in which nothing changes (openmeter 4.4, 1 to 3).

Times are whole minutes since 1970: comparing and hashing numbers is what makes years of daily resets cheap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from meterhouse.entitlements.engine.periods import reset_times, usage_period_at
from meterhouse.entitlements.model import Entitlement, Grant, Reset, State
from meterhouse.kernel.errors import Invalid, LimitExceeded
from meterhouse.kernel.periods import LAST_INSTANT, Period
from meterhouse.usage.model import Aggregation

PHASES_MAX = 200_000
ADDITIVE = frozenset({Aggregation.SUM, Aggregation.COUNT})
CUMULATIVE = frozenset({Aggregation.UNIQUE, Aggregation.MAX})
"""What grows within a period: a phase uses what it adds to the value since the period's start."""
BURNABLE = ADDITIVE | CUMULATIVE | {Aggregation.LATEST}
"""Average and minimum can shrink, so nothing says which credit an event used up."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_MICROSECOND = timedelta(microseconds=1)
_LAST_MINUTE = (LAST_INSTANT - _EPOCH) // _MINUTE


@dataclass(frozen=True)
class Rules:
    """What a balance follows from, besides usage."""

    entitlement: Entitlement
    aggregation: Aggregation
    grants: tuple[Grant, ...] = ()
    resets: tuple[Reset, ...] = ()

    @cached_property
    def ranked(self) -> tuple[Grant, ...]:
        """The grants in the order in which they are burnt (openmeter 4.4, 6)."""
        return tuple(sorted(self.grants, key=_burn_order))

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The minutes `[start, end)` in which each of the ranked grants is active."""
        return tuple((minute(grant.effective_at), _end_minute(grant)) for grant in self.ranked)


@dataclass
class Changes:
    """What happens at one minute, in this order; grants by their rank in the order of burning."""

    ends: list[int]
    is_reset: bool
    preserve_overage: bool
    recurs: list[int]
    starts: list[int]


@dataclass(frozen=True)
class Stretch:
    """Usage that is needed: from the start of a phase to its end, or to a moment looked at within it."""

    start: int
    end: int
    counted_from: int
    is_look: bool = False


@dataclass(frozen=True)
class Plan:
    """Where a run begins, what changes when, and the usage it needs, in the order in which `run` takes it.

    `period_end` is when the usage period that holds `at` ends, for those who know.
    """

    rules: Rules
    start: State
    at: int
    changes: dict[int, Changes]
    stretches: tuple[Stretch, ...]
    looks: frozenset[int] = frozenset()
    period_end: datetime | None = None

    @cached_property
    def ranges(self) -> tuple[Period, ...]:
        """`[start, end)` of which usage is needed. Ranges of a cumulative meter begin with their period."""
        return tuple(
            Period(instant(stretch.counted_from), instant(stretch.end)) for stretch in self.stretches
        )


def plan(
    entitlement: Entitlement,
    grants: Iterable[Grant],
    resets: Iterable[Reset],
    at: datetime,
    *,
    aggregation: Aggregation = Aggregation.SUM,
    start: State | None = None,
    looks: Sequence[datetime] = (),
) -> Plan:
    """Plan a run up to `at`, a full minute, from where measuring starts or from an earlier `start`.

    `looks` are full minutes up to `at` at which balances are wanted too. Raises `Invalid` for a meter whose
    usage cannot be burnt and `LimitExceeded` when there are too many phases.
    """
    return plan_rules(
        Rules(entitlement, aggregation, tuple(grants), tuple(resets)), at, start=start, looks=looks
    )


def plan_rules(
    rules: Rules,
    at: datetime,
    *,
    start: State | None = None,
    looks: Sequence[datetime] = (),
    cut: datetime | None = None,
    is_running: bool = False,
) -> Plan:
    """As `plan`, for rules that are asked more than once.

    `cut` begins a new phase where nothing changes; a gauge is not cut: its phases are what it is used in.
    `is_running` leaves out what happens at `at` itself, for a minute that is not over yet.
    """
    check_burnable(rules.aggregation)
    if start is None:
        start = initial_state(rules.entitlement, at)
    end_minute = minute(at)
    changes = _changes(rules, start, end_minute)
    if cut is not None and start.at < cut < at and rules.aggregation is not Aggregation.LATEST:
        changes.setdefault(minute(cut), Changes([], False, False, [], []))
    if is_running and end_minute > minute(start.at):
        changes.pop(end_minute, None)
    wanted = tuple(sorted({minute(look) for look in looks}))
    stretches = tuple(_stretches(rules.aggregation, start, end_minute, changes, wanted))
    return Plan(rules, start, end_minute, changes, stretches, frozenset(wanted))


def initial_state(entitlement: Entitlement, at: datetime) -> State:
    """Where measuring starts, or `at` if that is earlier: no usage, the grants of that minute to come."""
    measured_from = entitlement.measure_usage_from
    assert measured_from is not None, "only a metered entitlement has a balance"
    begin = min(measured_from, at)
    return State(at=begin, period_start=begin, balances={}, is_initial=True)


def check_burnable(aggregation: Aggregation) -> None:
    """Raises `Invalid` for a meter that no balance can be kept of."""
    if aggregation not in BURNABLE:
        known = ", ".join(sorted(known.value for known in BURNABLE))
        raise Invalid(
            f"a meter with aggregation {aggregation.value} cannot stand behind an entitlement: its value can "
            f"go down, so no event uses up credit for good; use one of {known}",
            code="meter_not_burnable",
        )


def minute(at: datetime) -> int:
    """Full minutes from 1970 to an instant."""
    return (at - _EPOCH) // _MINUTE


def instant(minutes: int) -> datetime:
    """The instant of so many minutes since 1970."""
    return _EPOCH + timedelta(minutes=minutes)


def _burn_order(grant: Grant) -> tuple[int, datetime, datetime, int]:
    return grant.priority, grant.expires_at or LAST_INSTANT, grant.created_at, grant.id.int


def _changes(rules: Rules, start: State, end: int) -> dict[int, Changes]:
    """Everything that happens from the start to the end, both included.

    A run from the very beginning starts with every grant active there as if it took effect then.
    """
    begin, is_fresh = minute(start.at), start.is_initial
    found: dict[int, Changes] = defaultdict(lambda: Changes([], False, False, [], []))
    for at, preserve_overage in reset_times(rules.entitlement, rules.resets, start.at, instant(end)):
        if at != start.period_start:
            change = found[minute(at)]
            change.is_reset, change.preserve_overage = True, preserve_overage
            _check_count(found)
    for rank, (grant, (starts, ends)) in enumerate(zip(rules.ranked, rules.spans, strict=True)):
        if starts >= ends or starts > end or ends < begin or (is_fresh and ends == begin):
            continue
        if starts >= begin or is_fresh:
            found[max(starts, begin)].starts.append(rank)
        if ends <= end:
            found[ends].ends.append(rank)
        if grant.recurrence is not None:
            first, last = max(starts, begin), min(ends - 1, end)
            if first <= last:
                for at in grant.recurrence.between(instant(first), instant(last + 1)):
                    found[minute(at)].recurs.append(rank)
                    _check_count(found)
    return dict(found)


def next_change(rules: Rules, at: int) -> int:
    """The first minute after `at` at which anything happens: a reset, or something to a grant."""
    after = instant(at)
    found = [minute(usage_period_at(rules.entitlement, rules.resets, after).end)]
    for grant, (starts, ends) in zip(rules.ranked, rules.spans, strict=True):
        if starts >= ends or ends <= at:
            continue
        found.append(starts if starts > at else ends)
        if grant.recurrence is not None and starts <= at:
            found.append(minute(grant.recurrence.after(after + _MINUTE - _MICROSECOND)))
    return min(found)


def _check_count(found: dict[int, Changes]) -> None:
    if len(found) > PHASES_MAX:
        raise LimitExceeded(
            f"the balance rests on more than {PHASES_MAX} resets and recurrences; ask for an earlier time",
            code="too_many_phases",
        )


def _end_minute(grant: Grant) -> int:
    end = grant.ends_at
    return _LAST_MINUTE if end is None else minute(end)


def _stretches(
    aggregation: Aggregation, start: State, end: int, changes: dict[int, Changes], looks: Sequence[int]
) -> Iterator[Stretch]:
    """Phases in order, each with the looks within it before it."""
    period_start, phase_start, next_look = minute(start.period_start), minute(start.at), 0
    is_cumulative = aggregation in CUMULATIVE
    for cut in (*sorted(changes), end):
        counted_from = period_start if is_cumulative else phase_start
        while next_look < len(looks) and looks[next_look] < cut:
            if looks[next_look] > phase_start:
                yield Stretch(phase_start, looks[next_look], counted_from, is_look=True)
            next_look += 1
        if cut > phase_start:
            yield Stretch(phase_start, cut, counted_from)
        phase_start = cut
        if cut in changes and changes[cut].is_reset:
            period_start = cut
