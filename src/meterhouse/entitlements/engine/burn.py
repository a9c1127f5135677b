"""The burn-down itself: usage eats grants, phase by phase (openmeter 4.4, 4 to 8)."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext
from uuid import UUID

from meterhouse.entitlements.engine.periods import usage_period_at
from meterhouse.entitlements.engine.timeline import (
    CUMULATIVE,
    Changes,
    Plan,
    Stretch,
    instant,
    minute,
)
from meterhouse.entitlements.model import ZERO, Balance, Segment, State
from meterhouse.kernel.exact import EXACT
from meterhouse.kernel.periods import Period
from meterhouse.usage.model import Aggregation


@dataclass
class Ledger:
    """Where credit came from and went, over a whole run: what was given is what was used, lost or is left.

    `lapsed` is what a recurrence replaced or a reset did not carry over, `forgiven` the overage that ended
    with a period; `used` and `forgiven` account for all usage that is not overage still.
    """

    given: Decimal = ZERO
    used: Decimal = ZERO
    expired: Decimal = ZERO
    voided: Decimal = ZERO
    lapsed: Decimal = ZERO
    forgiven: Decimal = ZERO


@dataclass(frozen=True)
class Look:
    """What was left at a moment on the way, and what had been used since the start of the run."""

    balance: Decimal
    used: Decimal


@dataclass(frozen=True)
class Outcome:
    """The balance at the end of a run, what led to it, and states from which a later run may start.

    `state` stands at the last change before the end, or at the start when nothing changed. `segments` are
    only kept by a detailed run. `looks` are the balances at the moments asked for.
    """

    balance: Balance
    state: State
    ledger: Ledger
    segments: tuple[Segment, ...]
    looks: Mapping[datetime, Look]


def run(plan: Plan, usages: Sequence[Decimal], *, is_detailed: bool = False) -> Outcome:
    """Burn `usages`, one for each of `plan.ranges`, and tell what is left.

    A usage is the meter's value over its range, zero where nothing qualifies. The same rules and usage give
    the same outcome from wherever a run starts.
    """
    with localcontext(EXACT):
        return _Run(plan, is_detailed).through(usages)


@dataclass
class _Run:
    """Amounts by the rank of their grant. `active` holds ranks in ascending order."""

    plan: Plan
    is_detailed: bool
    balances: list[Decimal] = field(default_factory=list)
    burnt: list[Decimal] = field(default_factory=list)
    active: list[int] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    segments: list[Segment] = field(default_factory=list)
    looks: dict[int, Look] = field(default_factory=dict)
    total: Decimal = ZERO

    def __post_init__(self) -> None:
        start, ranked = self.plan.start, self.plan.rules.ranked
        self.grants = ranked
        self.balances = [start.balances.get(grant.id, ZERO) for grant in ranked]
        self.burnt = [start.burnt.get(grant.id, ZERO) for grant in ranked]
        self.overage, self.usage, self.counted = start.overage, start.usage, start.usage
        self.period_start = minute(start.period_start)
        self.is_latest = self.plan.rules.aggregation is Aggregation.LATEST
        self.is_cumulative = self.plan.rules.aggregation in CUMULATIVE
        self.state = start
        if not start.is_initial:
            begin, spans = minute(start.at), self.plan.rules.spans
            self.active = [rank for rank, (since, end) in enumerate(spans) if since < begin <= end]

    def through(self, usages: Sequence[Decimal]) -> Outcome:
        stretches = zip(self.plan.stretches, usages, strict=True)
        at = start = minute(self.plan.start.at)
        end = self.plan.at
        cuts = sorted({*self.plan.changes, end})
        last_change = max(self.plan.changes, default=at)
        if at not in self.plan.changes:
            self._begin_phase(at)
        for cut in cuts:
            if cut > at:
                self._phase(stretches, cut)
                at = cut
            change = self.plan.changes.get(cut)
            if change is not None:
                if cut == last_change > start:
                    self.state = self._state(cut)
                self._change(change, cut)
                self._begin_phase(cut)
        if end in self.plan.looks:
            self.looks.setdefault(end, Look(self._left(), self.total))
        return self._outcome()

    def _begin_phase(self, at: int) -> None:
        if self.is_latest:
            for rank in self.active:
                self.ledger.given += self.grants[rank].amount - self.balances[rank]
                self.balances[rank] = self.grants[rank].amount
        if at in self.plan.looks:
            self.looks[at] = Look(self._left(), self.total)

    def _left(self) -> Decimal:
        return sum((self.balances[rank] for rank in self.active), ZERO)

    def _phase(self, stretches: Iterator[tuple[Stretch, Decimal]], end: int) -> None:
        for stretch, value in stretches:
            used = self._used(value)
            if not stretch.is_look:
                self._burn_phase(stretch, end, used)
                self.counted = value
                return
            kept = self.balances.copy(), self.burnt.copy(), self.overage, self.ledger.used
            self.overage = self._burn(used + self.overage)
            self.looks[stretch.end] = Look(self._left(), self.total + used)
            self.balances, self.burnt, self.overage, self.ledger.used = kept

    def _used(self, value: Decimal) -> Decimal:
        """What a phase adds; a cumulative value never falls, and nothing below nothing is used of a gauge."""
        if self.is_cumulative:
            return max(value, self.counted) - self.counted
        return max(value, ZERO) if self.is_latest else value

    def _burn_phase(self, stretch: Stretch, end: int, used: Decimal) -> None:
        before = self._amounts() if self.is_detailed else {}
        burnt_before = self.burnt.copy() if self.is_detailed else []
        self.usage += used
        self.total += used
        if used or self.overage:
            self.overage = self._burn(used + self.overage)
        if self.is_detailed:
            self._record(stretch.start, end, used, before, burnt_before)

    def _burn(self, amount: Decimal) -> Decimal:
        """Take an amount from the active grants; the rest comes back as overage."""
        if amount < 0:
            return self._refund(amount)
        for rank in self.active:
            if not amount:
                break
            taken = min(self.balances[rank], amount)
            if taken:
                self.balances[rank] -= taken
                self.burnt[rank] += taken
                self.ledger.used += taken
                amount -= taken
        return amount

    def _refund(self, amount: Decimal) -> Decimal:
        """Negative usage gives back what the period burnt, the last burnt first; the rest waits for usage."""
        for rank in reversed(self.active):
            room = min(self.burnt[rank], self.grants[rank].amount - self.balances[rank], -amount)
            if room > 0:
                self.balances[rank] += room
                self.burnt[rank] -= room
                self.ledger.used -= room
                amount += room
        return amount

    def _change(self, change: Changes, at: int) -> None:
        for rank in change.ends:
            self._end(rank)
        if change.is_reset:
            self._reset(change.preserve_overage, at)
        for rank in change.recurs:
            if rank in self.active:
                self._refill(rank)
        for rank in change.starts:
            insort(self.active, rank)
            self.balances[rank] = self.grants[rank].amount
            self.ledger.given += self.grants[rank].amount

    def _end(self, rank: int) -> None:
        grant, left = self.grants[rank], self.balances[rank]
        self.active.remove(rank)
        self.balances[rank] = ZERO
        if grant.ends_at == grant.expires_at:
            self.ledger.expired += left
        else:
            self.ledger.voided += left

    def _refill(self, rank: int) -> None:
        self.ledger.lapsed += self.balances[rank]
        self.ledger.given += self.grants[rank].amount
        self.balances[rank] = self.grants[rank].amount

    def _reset(self, preserve_overage: bool, at: int) -> None:
        before = self._amounts() if self.is_detailed else {}
        for rank in self.active:
            self._roll_over(rank)
        self.burnt = [ZERO] * len(self.burnt)
        if preserve_overage:
            self.overage = self._burn(self.overage)
        else:
            self.ledger.forgiven += self.overage
            self.overage = ZERO
        self.usage = self.counted = ZERO
        self.period_start = at
        if self.is_detailed:
            self._record(at, at, ZERO, before, [ZERO] * len(self.burnt), is_reset=True)

    def _roll_over(self, rank: int) -> None:
        grant, left = self.grants[rank], self.balances[rank]
        kept = min(grant.max_rollover, max(grant.min_rollover, left))
        if kept < left:
            self.ledger.lapsed += left - kept
        else:
            self.ledger.given += kept - left
        self.balances[rank] = kept

    def _amounts(self) -> dict[UUID, Decimal]:
        return {self.grants[rank].id: self.balances[rank] for rank in self.active}

    def _record(
        self,
        start: int,
        end: int,
        used: Decimal,
        before: dict[UUID, Decimal],
        burnt_before: list[Decimal],
        *,
        is_reset: bool = False,
    ) -> None:
        burnt = {
            self.grants[rank].id: self.burnt[rank] - burnt_before[rank]
            for rank in self.active
            if self.burnt[rank] != burnt_before[rank]
        }
        period = Period(instant(start), instant(end))
        overage = max(self.overage, ZERO)
        segment = Segment(period, used, overage, before, self._amounts(), burnt, is_reset)
        self.segments.append(segment)

    def _state(self, at: int) -> State:
        return State(
            at=instant(at),
            period_start=instant(self.period_start),
            balances=self._amounts(),
            burnt={grant.id: burnt for grant, burnt in zip(self.grants, self.burnt, strict=True) if burnt},
            usage=self.usage,
            overage=self.overage,
        )

    def _outcome(self) -> Outcome:
        at = instant(self.plan.at)
        rules, left, period_end = self.plan.rules, self._left(), self.plan.period_end
        if period_end is None:
            period_end = usage_period_at(rules.entitlement, rules.resets, at).end
        grant_usages = {g.id: burnt for g, burnt in zip(self.grants, self.burnt, strict=True) if burnt}
        balance = Balance(
            at=at,
            period=Period(instant(self.period_start), period_end),
            balance=left,
            usage=self.usage,
            overage=max(self.overage, ZERO),
            total_available=left + sum(grant_usages.values(), ZERO),
            grant_balances=self._amounts(),
            grant_usages=grant_usages,
        )
        looks = {instant(look): found for look, found in self.looks.items()}
        return Outcome(balance, self.state, self.ledger, tuple(self.segments), looks)
