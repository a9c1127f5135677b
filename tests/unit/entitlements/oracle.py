"""The burn-down once more, minute by minute and by the letter of openmeter 4.4: slow and plainly right."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from meterhouse.entitlements.model import Grant
from meterhouse.usage.model import Aggregation
from tests.unit.entitlements.story import MINUTE, T0, Story

ZERO = Decimal(0)


@dataclass
class Oracle:
    """Walks through every minute of a story; usage of a minute is burnt in that minute."""

    story: Story
    balances: dict[UUID, Decimal] = field(default_factory=dict)
    burnt: dict[UUID, Decimal] = field(default_factory=dict)
    usage: Decimal = ZERO
    overage: Decimal = ZERO
    seen: set[object] = field(default_factory=set)
    peak: Decimal = ZERO
    gauge: Decimal = ZERO

    def __post_init__(self) -> None:
        told = self.story.entitlement
        assert told.usage_period is not None
        assert told.measure_usage_from is not None
        self.step = timedelta(seconds=told.usage_period.interval.seconds)
        self.anchor, self.start = told.usage_period.anchor, told.measure_usage_from

    def until(self, after: timedelta) -> Oracle:
        at = self.start
        while True:
            if self._is_change(at):
                self._burn_gauge()
            self._change(at)
            if at == T0 + after:
                return self
            self._use(at)
            at += MINUTE
            if at == T0 + after:
                self._burn_gauge()

    def left(self, at: datetime) -> Decimal:
        return sum((self.balances[grant.id] for grant in self.story.grants if grant.is_active(at)), ZERO)

    def _is_change(self, at: datetime) -> bool:
        real = (grant for grant in self.story.grants if grant.is_active(grant.effective_at))
        return self._resets(at) or any(
            at in (grant.effective_at, grant.ends_at) or (grant.is_active(at) and _recurs(grant, at))
            for grant in real
        )

    def _resets(self, at: datetime) -> bool:
        return at > self.start and (
            any(reset.at == at for reset in self.story.resets)
            or (at - self.anchor) % self.step == timedelta(0)
        )

    def _change(self, at: datetime) -> None:
        is_cut = self._is_change(at)
        active = [grant for grant in self.story.grants if grant.is_active(at)]
        if self._resets(at):
            self._reset(at, [grant for grant in active if grant.effective_at < at])
        for grant in self.story.grants:
            if not grant.is_active(at):
                self.balances[grant.id] = ZERO
            elif (
                at in (grant.effective_at, self.start)
                or _recurs(grant, at)
                or (is_cut and self.story.aggregation is Aggregation.LATEST)
            ):
                self.balances[grant.id] = grant.amount

    def _reset(self, at: datetime, active: list[Grant]) -> None:
        preserve = self.story.entitlement.preserve_overage_at_reset
        for reset in self.story.resets:
            if reset.at == at:
                preserve, self.anchor = reset.preserve_overage, reset.anchor
        for grant in self.story.grants:
            kept = min(grant.max_rollover, max(grant.min_rollover, self.balances[grant.id]))
            self.balances[grant.id] = kept if grant in active else ZERO
        self.burnt, self.seen, self.peak, self.usage = {}, set(), ZERO, ZERO
        carried, self.overage = self.overage if preserve else ZERO, ZERO
        self._burn(at, carried)

    def _use(self, at: datetime) -> None:
        values = [value for after, value in self.story.usage if at <= T0 + after < at + MINUTE]
        used = ZERO
        for value in values:
            match self.story.aggregation:
                case Aggregation.COUNT:
                    used += 1
                case Aggregation.UNIQUE:
                    used += value not in self.seen
                    self.seen.add(value)
                case Aggregation.MAX:
                    used += max(ZERO, Decimal(value) - self.peak)
                    self.peak = max(self.peak, Decimal(value))
                case Aggregation.LATEST:
                    self.gauge = Decimal(value)
                case _:
                    used += Decimal(value)
        if self.story.aggregation is not Aggregation.LATEST:
            self._burn(at, used)
            self.usage += used

    def _burn_gauge(self) -> None:
        """A gauge is used once per phase, when the phase is over."""
        if self.story.aggregation is Aggregation.LATEST:
            self.usage += self.gauge
            self._burn(None, self.gauge)
            self.gauge = ZERO

    def _burn(self, at: datetime | None, amount: Decimal) -> None:
        rest = amount + self.overage
        far = datetime.max.replace(tzinfo=T0.tzinfo)
        order = sorted(
            self.story.grants, key=lambda g: (g.priority, g.expires_at or far, g.created_at, g.id.int)
        )
        for grant in order:
            if at is not None and not grant.is_active(at):
                continue
            taken = min(rest, self.balances.get(grant.id, ZERO))
            if taken:
                self.balances[grant.id] -= taken
                self.burnt[grant.id] = self.burnt.get(grant.id, ZERO) + taken
                rest -= taken
        self.overage = rest


def _recurs(grant: Grant, at: datetime) -> bool:
    if grant.recurrence is None:
        return False
    step = timedelta(seconds=grant.recurrence.interval.seconds)
    return (at - grant.recurrence.anchor) % step == timedelta(0)
