"""Features: what a product is able to do, and how use of it is measured and costs us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from meterhouse.usage.model import Aggregation, StringFilter

MEASURABLE = frozenset(
    {Aggregation.SUM, Aggregation.COUNT, Aggregation.UNIQUE, Aggregation.MAX, Aggregation.LATEST}
)
"""Aggregations of which a part of a period's usage is defined, so that credits can be burnt down by it."""


@dataclass(frozen=True)
class ManualUnitCost:
    """One unit of use costs us `amount`."""

    amount: Decimal


@dataclass(frozen=True)
class LlmUnitCost:
    """One unit costs what a model's token does. Each is fixed, or names the group-by that holds it."""

    provider: str | None = None
    provider_property: str | None = None
    model: str | None = None
    model_property: str | None = None
    token_type: str | None = None
    token_type_property: str | None = None


UnitCost = ManualUnitCost | LlmUnitCost


@dataclass(frozen=True)
class Feature:
    """One feature; without a meter it can be had or not, but not used up.

    `filters` maps group-by keys of the meter to what they may hold; all AND.
    """

    id: UUID
    organisation_id: UUID
    key: str
    name: str
    meter_id: UUID | None
    meter_slug: str | None
    filters: Mapping[str, StringFilter]
    unit_cost: UnitCost | None
    metadata: Mapping[str, str]
    created_at: datetime
    modified_at: datetime
    archived_at: datetime | None = None


@dataclass(frozen=True)
class FeatureDraft:
    """A feature to be."""

    key: str
    name: str
    meter_slug: str | None = None
    filters: Mapping[str, StringFilter] = field(default_factory=dict)
    unit_cost: UnitCost | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
