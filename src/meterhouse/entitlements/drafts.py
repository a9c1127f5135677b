"""Entitlements and grants to be, as they are asked for: not yet checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from meterhouse.entitlements.model import ZERO, EntitlementType, Expiration

MeasureFrom = datetime | Literal["CURRENT_PERIOD_START", "NOW"]


@dataclass(frozen=True)
class CadenceDraft:
    """How often: a name or an ISO-8601 duration. Without an anchor it counts from when it takes effect."""

    interval: str
    anchor: datetime | None = None


@dataclass(frozen=True)
class GrantDraft:
    """A grant to be. Without a priority it is burnt first; without `max_rollover` all of it may roll over."""

    amount: Decimal
    effective_at: datetime
    priority: int | None = None
    expiration: Expiration | None = None
    recurrence: CadenceDraft | None = None
    min_rollover: Decimal = ZERO
    max_rollover: Decimal | None = None
    metadata: Mapping[str, str] | None = None
    annotations: Mapping[str, object] | None = None


@dataclass(frozen=True)
class EntitlementDraft:
    """An entitlement to be. What is `None` was not given; `feature_id` goes before `feature_key`."""

    type: EntitlementType
    feature_id: str | None = None
    feature_key: str | None = None
    usage_period: CadenceDraft | None = None
    measure_usage_from: MeasureFrom | None = None
    is_soft_limit: bool | None = None
    preserve_overage_at_reset: bool | None = None
    issue_after_reset: Decimal | None = None
    issue_after_reset_priority: int | None = None
    grants: tuple[GrantDraft, ...] | None = None
    config: str | None = None
    metadata: Mapping[str, str] | None = None
    subscription_id: UUID | None = None
