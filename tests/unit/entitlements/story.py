"""A story for the engine: one entitlement, its grants, resets and usage, told in times relative to T0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from meterhouse.entitlements.engine import Outcome, Plan, plan, run
from meterhouse.entitlements.model import Entitlement, EntitlementType, Grant, Reset, State
from meterhouse.kernel.exact import exact_sum
from meterhouse.kernel.periods import Cadence, Interval, Period
from meterhouse.usage.model import Aggregation

T0 = datetime(2027, 3, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = timedelta(0)


def entitlement(
    *,
    interval: str = "YEAR",
    anchor: datetime = T0,
    measured_from: datetime = T0,
    preserve_overage: bool = False,
) -> Entitlement:
    return Entitlement(
        id=UUID(int=1),
        organisation_id=UUID(int=2),
        customer_id=UUID(int=3),
        feature_id=UUID(int=4),
        feature_key="tokens",
        type=EntitlementType.METERED,
        created_at=measured_from,
        active_from=measured_from,
        usage_period=Cadence(Interval.parse(interval), anchor),
        measure_usage_from=measured_from,
        preserve_overage_at_reset=preserve_overage,
    )


def grant(
    number: int,
    amount: int | str,
    *,
    effective: timedelta = NOW,
    priority: int = 1,
    expires: timedelta | None = None,
    every: str | None = None,
    anchored: timedelta | None = None,
    rollover: tuple[int, int] = (0, 0),
    voided: timedelta | None = None,
) -> Grant:
    """Grant `number`, effective at T0 + `effective`; `rollover` is the least and the most carried over."""
    anchor = T0 + (effective if anchored is None else anchored)
    return Grant(
        id=UUID(int=number),
        entitlement_id=UUID(int=1),
        amount=Decimal(amount),
        effective_at=T0 + effective,
        created_at=T0 + timedelta(seconds=number),
        priority=priority,
        expires_at=None if expires is None else T0 + expires,
        recurrence=None if every is None else Cadence(Interval.parse(every), anchor),
        min_rollover=Decimal(rollover[0]),
        max_rollover=Decimal(rollover[1]),
        voided_at=None if voided is None else T0 + voided,
    )


def reset(after: timedelta, *, preserve_overage: bool = False, anchor: datetime | None = None) -> Reset:
    return Reset(T0 + after, T0 + after if anchor is None else anchor, preserve_overage)


Usage = tuple[timedelta, int | str | Decimal]


@dataclass(frozen=True)
class Story:
    """`usage` holds (time after T0, value). The value is a key for a `unique` meter."""

    grants: Sequence[Grant] = ()
    usage: Sequence[Usage] = ()
    resets: Sequence[Reset] = ()
    aggregation: Aggregation = Aggregation.SUM
    entitlement: Entitlement = field(default_factory=entitlement)

    def plan(self, after: timedelta, *, start: State | None = None, looks: Sequence[timedelta] = ()) -> Plan:
        return plan(
            self.entitlement,
            self.grants,
            self.resets,
            T0 + after,
            aggregation=self.aggregation,
            start=start,
            looks=[T0 + look for look in looks],
        )

    def at(self, after: timedelta, *, start: State | None = None, looks: Sequence[timedelta] = ()) -> Outcome:
        """The balance at T0 + `after`, with all details."""
        planned = self.plan(after, start=start, looks=looks)
        return run(planned, [self.value(range_) for range_ in planned.ranges], is_detailed=True)

    def value(self, range_: Period) -> Decimal:
        """What the meter says of a range, the plain way."""
        found = [
            (T0 + after, value) for after, value in self.usage if range_.start <= T0 + after < range_.end
        ]
        match self.aggregation:
            case Aggregation.COUNT:
                return Decimal(len(found))
            case Aggregation.UNIQUE:
                return Decimal(len({value for _, value in found}))
            case Aggregation.MAX:
                return max((Decimal(value) for _, value in found), default=Decimal(0))
            case Aggregation.LATEST:
                return Decimal(sorted(found, key=lambda pair: pair[0])[-1][1]) if found else Decimal(0)
            case _:
                return exact_sum(Decimal(value) for _, value in found)

    def left(self, after: timedelta) -> list[int]:
        """Balances of all grants by number, 0 where inactive."""
        balances = self.at(after).balance.grant_balances
        return [int(balances.get(grant.id, Decimal(0))) for grant in self.grants]
