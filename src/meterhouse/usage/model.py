"""Events, meters and queries: the one definition behind both metering facades.

An OpenMeter meter (event type, JSONPath, group-bys) and a Polar meter (filter tree, aggregation) are two
ways to write the same thing: *filter tree + aggregation + value path + group-by paths*.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
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
class Correction:
    """An event that was deleted or replaced: what it was, and what stands in its place (`None` if deleted).

    Both have the same source and id; anything else may differ, time and subject included.
    """

    id: UUID
    before: StoredEvent
    after: StoredEvent | None
    at: datetime


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
    external_id: str | None = None

    @property
    def event_type(self) -> str | None:
        """The event type, when the filter is exactly `name eq <type>`; else `None`."""
        match self.filter:
            case Filter("and", (Clause("name", "eq", str(event_type)),)):
                return event_type
            case _:
                return None


StringOperator = Literal[
    "eq", "ne", "in", "nin", "like", "nlike", "ilike", "nilike", "gt", "gte", "lt", "lte"
]


@dataclass(frozen=True)
class StringFilter:
    """`text operator value`, or `and`/`or` over further filters; texts compare byte by byte.

    `like` patterns know `%`, `_` and the escape `\\`. `in` and `nin` take a tuple of texts.
    """

    operator: StringOperator | Literal["and", "or"]
    value: str | tuple[str, ...] | tuple[StringFilter, ...]


@dataclass(frozen=True)
class TimeFilter:
    """`instant operator value`, or `and`/`or` over further filters."""

    operator: Literal["gt", "gte", "lt", "lte", "and", "or"]
    value: datetime | tuple[TimeFilter, ...]


@dataclass(frozen=True)
class MeterQuery:
    """An OpenMeter-style question to one meter: `[from_at, to_at)`, windows, filters and groups.

    `subjects` and `customers` filter *and* group. `customers` maps a customer's id to the subjects it
    owns (its key first); an event belongs to a customer by its own customer id or else by its subject.
    `group_by` holds keys of the meter, `subject` and `customer_id`. `None` means no such filter.
    """

    from_at: datetime | None = None
    to_at: datetime | None = None
    window: Window | None = None
    zone: str = "UTC"
    subjects: tuple[str, ...] | None = None
    customers: Mapping[str, tuple[str, ...]] | None = None
    group_by: tuple[str, ...] = ()
    group_filters: Mapping[str, StringFilter] = field(default_factory=dict)


@dataclass(frozen=True)
class QueryRow:
    """One answer row. `exact` is the value before its one rounding to a double."""

    exact: Fraction
    window_start: datetime
    window_end: datetime
    subject: str | None = None
    customer_id: str | None = None
    group_by: Mapping[str, str] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The value as the nearest double."""
        return to_double(self.exact)


Interval = Literal["hour", "day", "week", "month", "year"]
CustomerFunction = Literal["count", "sum", "max", "min", "avg", "unique"]


@dataclass(frozen=True)
class Identities:
    """Customers whose events are meant, united: by our customer id or by external id (subject).

    The caller has resolved each customer to both of its identifiers. Two empty tuples match nothing.
    """

    customer_ids: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class QuantityQuery:
    """A Polar-style question: one quantity per step from `start_at` to `end_at`, both inclusive.

    `metadata` maps a literal top-level key to the texts it may have.
    """

    start_at: datetime
    end_at: datetime
    interval: Interval
    zone: str = "UTC"
    identities: Identities | None = None
    customer_function: CustomerFunction | None = None
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Quantity:
    """What the calendar bucket around `timestamp` holds."""

    timestamp: datetime
    exact: Fraction

    @property
    def value(self) -> float:
        """The quantity as the nearest double."""
        return to_double(self.exact)


@dataclass(frozen=True)
class Quantities:
    """Quantities per listed instant, and their total by the rules of the meter's aggregation."""

    items: tuple[Quantity, ...]
    exact_total: Fraction

    @property
    def total(self) -> float:
        """The total as the nearest double."""
        return to_double(self.exact_total)


def to_double(exact: Fraction) -> float:
    """Round once, to the nearest double; beyond the largest double to that double, never to infinity."""
    try:
        return float(exact)
    except OverflowError:
        return sys.float_info.max if exact > 0 else -sys.float_info.max


@dataclass(frozen=True)
class Cursor:
    """A place in a list of events ordered by time and row id, both descending."""

    time: datetime
    uid: UUID


@dataclass(frozen=True)
class EventCriteria:
    """Which events to list, OpenMeter style (openmeter 1.4, 1.5). Ranges are `[from, to)`; all parts AND.

    `customers` maps a customer's id to its subjects. `texts` filters `id`, `source`, `subject` and
    `type`; `times` filters `time` and `ingested_at`.
    """

    from_at: datetime | None = None
    to_at: datetime | None = None
    ingested_from_at: datetime | None = None
    ingested_to_at: datetime | None = None
    id_contains: str | None = None
    subject: str | None = None
    customers: Mapping[str, tuple[str, ...]] | None = None
    texts: Mapping[str, StringFilter] = field(default_factory=dict)
    times: Mapping[str, TimeFilter] = field(default_factory=dict)
    after: Cursor | None = None


@dataclass(frozen=True)
class EventSearch:
    """Which events to list, Polar style (polar 9.2). `start_at < time < end_at`; all parts AND.

    `meter` keeps what matches that meter and qualifies for its aggregation. `text` is found, ignoring
    case, in the name, the source or the data; `text_identities` adds all events of those customers.
    `parents` are row ids or event ids as stored; an empty text stands for "no parent".
    """

    filter: Filter | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    names: tuple[str, ...] | None = None
    origins: tuple[Origin, ...] | None = None
    identities: Identities | None = None
    meter: Meter | None = None
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text: str | None = None
    text_identities: Identities | None = None
    parents: tuple[str, ...] | None = None
    is_ascending: bool = False


@dataclass(frozen=True)
class EventPage:
    """One page of events and how many there are in all."""

    items: tuple[StoredEvent, ...]
    total_count: int
