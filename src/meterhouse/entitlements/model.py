"""Entitlements, their grants and resets, and what a balance says (openmeter 4). Times are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from meterhouse.kernel.exact import exact_sum
from meterhouse.kernel.periods import Cadence, Interval, Period

ZERO = Decimal(0)


class EntitlementType(StrEnum):
    METERED = "metered"
    STATIC = "static"
    BOOLEAN = "boolean"


@dataclass(frozen=True)
class Entitlement:
    """What a customer may use of a feature. `usage_period` is the cadence it began with; see `Reset`.

    It is active in `[active_from, active_to)`. `measure_usage_from` is set on metered ones, a full minute:
    usage before it never counts. `config` is the JSON text of a static one.
    """

    id: UUID
    organisation_id: UUID
    customer_id: UUID
    feature_id: UUID
    feature_key: str
    type: EntitlementType
    created_at: datetime
    active_from: datetime
    active_to: datetime | None = None
    deleted_at: datetime | None = None
    modified_at: datetime | None = None
    usage_period: Cadence | None = None
    measure_usage_from: datetime | None = None
    is_soft_limit: bool = False
    preserve_overage_at_reset: bool = False
    issue_after_reset: Decimal | None = None
    issue_after_reset_priority: int | None = None
    config: str | None = None
    subscription_id: UUID | None = None
    metadata: Mapping[str, str] | None = None
    annotations: Mapping[str, object] | None = None

    def is_active(self, at: datetime) -> bool:
        ends = [end for end in (self.active_to, self.deleted_at) if end is not None]
        return self.active_from <= at and all(at < end for end in ends)


@dataclass(frozen=True)
class Expiration:
    """A lifetime as it was asked for: `count` times HOUR, DAY, WEEK, MONTH or YEAR."""

    duration: str
    count: int

    def after(self, effective_at: datetime) -> datetime:
        return Interval.named(self.duration, self.count).after(effective_at)


@dataclass(frozen=True)
class Grant:
    """Credit for one entitlement: active in `[effective_at, ends_at)`, which are full minutes.

    A lower `priority` is burnt first. `recurrence` sets the balance back to `amount`; at a reset the balance
    becomes `min(max_rollover, max(min_rollover, balance))`.
    """

    id: UUID
    entitlement_id: UUID
    amount: Decimal
    effective_at: datetime
    created_at: datetime
    priority: int = 0
    expiration: Expiration | None = None
    expires_at: datetime | None = None
    recurrence: Cadence | None = None
    min_rollover: Decimal = ZERO
    max_rollover: Decimal = ZERO
    voided_at: datetime | None = None
    deleted_at: datetime | None = None
    modified_at: datetime | None = None
    metadata: Mapping[str, str] | None = None
    annotations: Mapping[str, object] | None = None

    @property
    def ends_at(self) -> datetime | None:
        """The first instant at which it is not active any more; `None` when it has no end."""
        ends = [end for end in (self.expires_at, self.voided_at, self.deleted_at) if end is not None]
        return min(ends, default=None)

    def is_active(self, at: datetime) -> bool:
        end = self.ends_at
        return self.effective_at <= at and (end is None or at < end)


@dataclass(frozen=True)
class Reset:
    """A reset somebody asked for. The usage period is counted from `anchor` afterwards.

    A reset that retains the anchor repeats the one in force before it.
    """

    at: datetime
    anchor: datetime
    preserve_overage: bool


@dataclass(frozen=True)
class State:
    """A run of the engine as it stands at `at`, before anything that happens at that very minute.

    `burnt` is what each grant lost since `period_start`, `usage` what was used since then. `overage` is
    below zero while a refund waits for usage to be set against. A snapshot is a stored state. `is_initial`
    marks the start of measuring, where the grants of that minute are yet to come.
    """

    at: datetime
    period_start: datetime
    balances: Mapping[UUID, Decimal]
    burnt: Mapping[UUID, Decimal] = field(default_factory=dict)
    usage: Decimal = ZERO
    overage: Decimal = ZERO
    is_initial: bool = False


@dataclass(frozen=True)
class Balance:
    """The value of a metered entitlement at `at` (openmeter 4.4, 8).

    `usage` counts since the start of `period`, covered by grants or not. `total_available` is what grants
    gave in this period plus what they still hold. `grant_balances` has the active grants and sums to
    `balance`.
    """

    at: datetime
    period: Period
    balance: Decimal
    usage: Decimal
    overage: Decimal
    total_available: Decimal
    grant_balances: Mapping[UUID, Decimal]
    grant_usages: Mapping[UUID, Decimal]


@dataclass(frozen=True)
class Segment:
    """A stretch in which the same grants were active, or with `is_reset` the instant of a reset.

    Balances at the start are those after what happens at that minute; those of a reset's start are from
    before it, and its `grant_usages` paid for preserved overage.
    """

    period: Period
    usage: Decimal
    overage: Decimal
    grant_balances_at_start: Mapping[UUID, Decimal]
    grant_balances_at_end: Mapping[UUID, Decimal]
    grant_usages: Mapping[UUID, Decimal]
    is_reset: bool = False

    @property
    def balance_at_start(self) -> Decimal:
        return exact_sum(self.grant_balances_at_start.values())

    @property
    def balance_at_end(self) -> Decimal:
        return exact_sum(self.grant_balances_at_end.values())


@dataclass(frozen=True)
class UsageWindow:
    """One window of a history: usage in it and the balance before it (openmeter 4.6)."""

    period: Period
    usage: Decimal
    balance_at_start: Decimal


@dataclass(frozen=True)
class History:
    """What happened between two instants, by windows and by segments."""

    windows: tuple[UsageWindow, ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Value:
    """What an entitlement allows at `at`: `balance` for metered ones, `config` for static ones."""

    entitlement: Entitlement | None
    at: datetime
    has_access: bool
    config: str | None = None
    balance: Balance | None = None
