"""Bodies and queries of the meter operations. Class names appear in the locations of published errors."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from meterhouse.apis.polar.schemas.common import (
    CustomersQuery,
    ExternalId,
    Metadata,
    MetadataFilter,
    OrganisationQuery,
    Text,
    storable,
)
from meterhouse.kernel.errors import Invalid
from meterhouse.usage.engine.filters import FILTER_CLAUSES_MAX
from meterhouse.usage.engine.zones import check_zone

EARLIEST_START = datetime(2023, 1, 1, tzinfo=UTC)


class Conjunction(StrEnum):
    AND = "and"
    OR = "or"


class Operator(StrEnum):
    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    LIKE = "like"
    NOT_LIKE = "not_like"


class Unit(StrEnum):
    SCALAR = "scalar"
    TOKEN = "token"  # noqa: S105 - a unit
    CUSTOM = "custom"


class Interval(StrEnum):
    YEAR = "year"
    MONTH = "month"
    WEEK = "week"
    DAY = "day"
    HOUR = "hour"


class CustomerFunction(StrEnum):
    COUNT = "count"
    SUM = "sum"
    MAX = "max"
    MIN = "min"
    AVG = "avg"
    UNIQUE = "unique"


class MeterSort(StrEnum):
    CREATED_AT = "created_at"
    CREATED_AT_DESCENDING = "-created_at"
    NAME = "name"
    NAME_DESCENDING = "-name"


ClauseText = Annotated[str, Field(max_length=1000), AfterValidator(storable)]
ClauseInteger = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]


class FilterClause(BaseModel):
    property: Text
    operator: Operator
    value: ClauseText | ClauseInteger | bool


class Filter(BaseModel):
    conjunction: Conjunction
    # The bound is that of the rules; it keeps the list of faults short, too.
    clauses: Annotated[list[FilterClause | Filter], Field(max_length=FILTER_CLAUSES_MAX)]


class CountAggregation(BaseModel):
    func: Literal["count"]


class PropertyAggregation(BaseModel):
    func: Literal["sum", "max", "min", "avg"]
    property: Text


class UniqueAggregation(BaseModel):
    func: Literal["unique"]
    property: Text


Aggregation = Annotated[
    CountAggregation | PropertyAggregation | UniqueAggregation, Field(discriminator="func")
]
MeterName = Annotated[str, Field(min_length=3), AfterValidator(storable)]
Multiplier = Annotated[int, Field(gt=0, le=2**63 - 1)]


class MeterCreate(BaseModel):
    name: MeterName
    filter: Filter
    aggregation: Aggregation
    unit: Unit = Unit.SCALAR
    custom_label: Text | None = None
    custom_multiplier: Multiplier | None = None
    metadata: Metadata = Field(default_factory=dict)
    organization_id: UUID | None = None
    external_id: ExternalId = None

    @model_validator(mode="after")
    def _check_label(self) -> MeterCreate:
        if self.unit is Unit.CUSTOM and self.custom_label is None:
            raise ValueError("custom_label is required when unit is 'custom'.")
        if self.unit is not Unit.CUSTOM and self.custom_label is not None:
            raise ValueError("custom_label and custom_multiplier are only allowed when unit is 'custom'.")
        return self


class MeterUpdate(BaseModel):
    """Only what was sent counts (`model_fields_set`); the defaults are never read."""

    name: MeterName = ""
    filter: Filter | None = None
    aggregation: Aggregation | None = None
    unit: Unit | None = None
    custom_label: Text | None = None
    custom_multiplier: Multiplier | None = None
    metadata: Metadata = Field(default_factory=dict)
    is_archived: bool | None = None
    external_id: ExternalId = None


class MetersQuery(OrganisationQuery):
    query: str | None = None
    is_archived: bool | None = None
    metadata: MetadataFilter = Field(default_factory=dict)
    external_id: list[str] | None = None
    sorting: list[MeterSort] = Field(default=[MeterSort.NAME])


def _zone(name: str) -> str:
    try:
        return check_zone(name)
    except Invalid:
        raise PydanticCustomError("TimeZoneName", "Invalid timezone name.") from None


class QuantitiesQuery(CustomersQuery):
    start_timestamp: Annotated[AwareDatetime, Field(ge=EARLIEST_START)]
    end_timestamp: AwareDatetime
    interval: Interval
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    customer_aggregation_function: CustomerFunction | None = None
    metadata: MetadataFilter = Field(default_factory=dict)
    # the spelling of releases 0.15.0 to 0.16.0
    exernal_customer_id: list[str] | None = None

    @property
    def external_ids(self) -> list[str] | None:
        """External customer ids under either spelling."""
        if self.external_customer_id is None and self.exernal_customer_id is None:
            return None
        return [*(self.external_customer_id or ()), *(self.exernal_customer_id or ())]
