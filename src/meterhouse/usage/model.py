"""Events, meters and queries: the one definition behind both metering facades.

An OpenMeter meter (event type, JSONPath, group-bys) and a Polar meter (filter tree, aggregation) are two
ways to write the same thing: *filter tree + aggregation + value path + group-by paths*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

Operator = Literal["eq", "ne", "gt", "gte", "lt", "lte", "like", "not_like"]
Dialect = Literal["openmeter", "polar"]
Origin = Literal["user", "system"]


class Aggregation(StrEnum):
    SUM = "sum"
    COUNT = "count"
    UNIQUE = "unique"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    LATEST = "latest"


class Window(StrEnum):
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True)
class Event:
    """One usage event as accepted.

    Identity is organisation + `source` + `id`. `data` is the JSON object as it was sent, or empty.
    `subject` is OpenMeter's subject and Polar's external customer id; `customer_id` is only set when
    the producer named a customer by our id. `uid` is the row's own id (for paging and for Polar).
    """

    organisation_id: UUID
    type: str
    source: str
    id: str
    subject: str
    time: datetime
    ingested_at: datetime
    uid: UUID
    data: str = ""
    origin: Origin = "user"
    customer_id: str = ""
    member_id: str = ""
    external_member_id: str = ""
    parent_id: str = ""


@dataclass(frozen=True)
class StoredEvent(Event):
    """An event as read back, with the instant at which it became queryable."""

    stored_at: datetime = field(kw_only=True)


@dataclass(frozen=True)
class Clause:
    """`property operator value`; `property` is `name`, `source`, `timestamp` or a dotted data path."""

    property: str
    operator: Operator
    value: str | int | bool


@dataclass(frozen=True)
class Filter:
    """A tree of clauses. An empty `and` and an empty `or` both match everything."""

    conjunction: Literal["and", "or"]
    clauses: tuple[Clause | Filter, ...] = ()


@dataclass(frozen=True)
class Meter:
    """What to count. `dialect` fixes how values are read and which name forms are legal.

    `openmeter`: numbers and numeric strings count, paths are JSONPath (`$.a.b`).
    `polar`: only JSON numbers count, paths are dotted (`a.b`), `unique` compares JSON values.
    A meter keeps its dialect whichever facade asks, so its quantities never depend on the asker.
    """

    id: UUID
    organisation_id: UUID
    dialect: Dialect
    slug: str
    name: str
    description: str | None
    filter: Filter
    aggregation: Aggregation
    value_path: str | None
    group_by: Mapping[str, str]
    event_from: datetime | None
    metadata: Mapping[str, object]
    unit: str
    custom_label: str | None
    custom_multiplier: int | None
    is_frozen: bool
    created_at: datetime
    modified_at: datetime | None
    archived_at: datetime | None
    deleted_at: datetime | None

    @property
    def event_type(self) -> str | None:
        """The event type, when the filter is exactly `name eq <type>`; else `None`."""
        match self.filter:
            case Filter("and", (Clause("name", "eq", str(event_type)),)):
                return event_type
            case _:
                return None
