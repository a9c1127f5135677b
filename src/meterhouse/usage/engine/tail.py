"""What questions about named owners add up from events that no cell of a rollup holds yet.

Such events are few: the newest, and those of a first or last hour that is asked for in part. The engine takes
longer to plan a query that aggregates them than Python takes to read them, so they are fetched as they are
and added to what the cells hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from meterhouse.usage.block import EventRow
from meterhouse.usage.engine import columns
from meterhouse.usage.engine.compile import effective_groups, subject_owners, subjects_of
from meterhouse.usage.engine.decode import Parts, read_parts
from meterhouse.usage.engine.parameters import to_micros
from meterhouse.usage.engine.quantities import customer_key, plan_quantities
from meterhouse.usage.engine.ranges import Usage
from meterhouse.usage.engine.reading import EventReader, Opened, RowReader
from meterhouse.usage.engine.windows import bucket_key
from meterhouse.usage.engine.zones import zone_table
from meterhouse.usage.model import Aggregation, Meter, MeterQuery, QuantityQuery, Window

EVENTS_MAX, BYTES_MAX = 1_000, 8_192
SLOW_EVENTS_MAX = 200  # where the fast parser is of no use
ALL_BYTES_MAX = 500_000
ADDED = frozenset({Aggregation.SUM, Aggregation.AVG, Aggregation.COUNT, Aggregation.MIN, Aggregation.MAX})
"""What can be put together from parts alone, without a set of values or an order."""

SELECTED = (
    columns.TYPE,
    columns.SUBJECT,
    f"toUnixTimestamp64Micro({columns.TIME})",
    f"toString({columns.ORIGIN})",
    columns.CUSTOMER,
    f"if(length({columns.DATA}) > {BYTES_MAX}, '', {columns.DATA})",
    f"length({columns.DATA}) > {BYTES_MAX}",
)
"""What is read of each event; the last column says whether its data are too large to be read so."""

Row = Mapping[str, object]
_Key = tuple[object, ...]
_NO_UID = bytes(16)


@dataclass
class _Held:
    """What one answer row rests on, and the first and last microsecond of its events."""

    parts: Parts
    first_at: int
    last_at: int

    def add(self, aggregation: Aggregation, other: Parts, at: int) -> None:
        self.parts = combined(aggregation, self.parts, other)
        self.first_at, self.last_at = min(self.first_at, at), max(self.last_at, at)


def combined(aggregation: Aggregation, one: Parts, other: Parts) -> Parts:
    """What two sets of events rest on together, for an aggregation that is in `ADDED`."""
    if not one.count or not other.count:
        return one if one.count else other
    count = one.count + other.count
    if aggregation is Aggregation.MIN:
        return Parts(count, min(one.amount, other.amount))
    if aggregation is Aggregation.MAX:
        return Parts(count, max(one.amount, other.amount))
    return Parts(count, one.amount + other.amount)


def read_events(meter: Meter, events: Sequence[Sequence[object]]) -> list[EventRow] | None:
    """Rows of `SELECTED` as rows of events, or `None` when data were left out."""
    if any(event[-1] for event in events):
        return None
    rows: list[EventRow] = []
    for event in events:
        kind, subject, time_us, origin, customer, data = cast(
            tuple[str, str, int, str, str, str], tuple(event[:6])
        )
        own = (b"", meter.organisation_id.bytes, kind, subject, time_us, "", "", _NO_UID, origin, customer)
        rows.append((*own, "", "", "", 0, data.encode()))
    return rows


def add_events(meter: Meter, reading: Reading, rows: Sequence[Row], events: Iterable[EventRow]) -> list[Row]:
    """Answer rows of cells, and with them the events that belong to the question."""
    names = reading.names
    answer = {tuple(row[name] for name in names): row for row in rows}
    touched: dict[_Key, _Held] = {}
    for event in events:
        found = reading.find(event)
        if found is None:
            continue
        key, opened = found
        held = touched.get(key)
        if held is None:
            held = touched[key] = _held(meter, answer.get(key), event[4])
        held.add(meter.aggregation, opened.added.parts, event[4])
    for key, held in touched.items():
        answer[key] = {
            **dict(zip(names, key, strict=True)),
            "parts": held.parts,
            "n": held.parts.count,
            "first_at": held.first_at,
            "last_at": held.last_at,
        }
    return list(answer.values())


def _held(meter: Meter, row: Row | None, at: int) -> _Held:
    if row is None:
        return _Held(Parts(0, Fraction(0)), at, at)
    first_at, last_at = cast(int, row.get("first_at", at)), cast(int, row.get("last_at", at))
    return _Held(read_parts(meter.aggregation, row), first_at, last_at)


class Reading:
    """Which answer row an event belongs to, and what it brings; one for each kind of question.

    `names` are those of the keys, `subjects` the ones that events can have, or `None` for any.
    """

    names: Sequence[str]
    subjects: frozenset[str] | None

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader

    def are_few(self, events: Sequence[EventRow]) -> bool:
        """Whether events are read one by one in a few milliseconds."""
        most = EVENTS_MAX if self._reader.is_plain else SLOW_EVENTS_MAX
        return len(events) <= most and sum(len(event[14]) for event in events) <= ALL_BYTES_MAX

    def find(self, row: EventRow) -> tuple[_Key, Opened] | None:
        """The key of the row, and what the event brings; `None` for one that does not belong to it."""
        raise NotImplementedError


class MeterReading(Reading):
    """For OpenMeter's questions."""

    def __init__(self, meter: Meter, query: MeterQuery) -> None:
        self._by_subject, self._by_customer, self._groups = effective_groups(query)
        super().__init__(EventReader(meter, (*self._groups, *query.group_filters)))
        self._query = query
        self._zone = zone_table(query.zone)
        self._owners = subject_owners(query.customers or {})
        self._from_us = -math.inf if query.from_at is None else to_micros(query.from_at)
        self._to_us = math.inf if query.to_at is None else to_micros(query.to_at)
        self.subjects = subjects_of(query)
        has_window = query.window is not None
        wanted = {"k_window": has_window, "k_subject": self._by_subject, "k_customer": self._by_customer}
        groups = [f"k_group{index}" for index in range(len(self._groups))]
        self.names = [*(name for name, is_wanted in wanted.items() if is_wanted), *groups]

    def find(self, row: EventRow) -> tuple[_Key, Opened] | None:
        if not self._from_us <= row[4] < self._to_us:
            return None
        owner = self.owner(row[3], row[9])
        opened = None if owner is None else self._reader.open(row)
        if owner is None or opened is None or not opened.passes(self._query.group_filters):
            return None
        key: list[object] = []
        if self._query.window is not None:
            key.append(bucket_key(self._zone, self._query.window, row[4] // 1_000_000))
        return (*key, *owner, *(opened.text(name) for name in self._groups)), opened

    def owner(self, subject: str, customer_id: str) -> tuple[str, ...] | None:
        """The part of the key that tells whose an event is; `None` for one that does not belong here."""
        if self.subjects is not None and subject not in self.subjects:
            return None
        named = (subject,) if self._by_subject else ()
        if not self._by_customer:
            return named
        owner = customer_id if customer_id in (self._query.customers or {}) else None
        if not customer_id:
            owner = self._owners.get(subject)
        return None if owner is None else (*named, owner)


class QuantityReading(Reading):
    """For Polar's questions about some customers."""

    def __init__(self, meter: Meter, query: QuantityQuery) -> None:
        assert query.identities is not None
        super().__init__(RowReader(Usage(meter, query.identities)))
        self._by_customer = query.customer_function is not None
        self._zone, self._window = zone_table(query.zone), Window(query.interval)
        self._listed = frozenset(plan_quantities(query).keys)
        self.subjects = frozenset((*query.identities.external_ids, ""))
        self.names = ["k_window", "k_customer"] if self._by_customer else ["k_window"]

    def find(self, row: EventRow) -> tuple[_Key, Opened] | None:
        window = bucket_key(self._zone, self._window, row[4] // 1_000_000)
        opened = self._reader.open(row) if window in self._listed else None
        if opened is None:
            return None
        return ((window, customer_key(row[9], row[3])) if self._by_customer else (window,)), opened
