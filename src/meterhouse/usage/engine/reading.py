"""What one event on its way into the store adds to a customer's usage of a meter.

The plain evaluator is right but takes its time over every document. Most documents are small objects in
which the wanted members are spelt once and without escapes; these are read by a fast parser, any other by
the evaluator. Both give the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

import msgspec

from meterhouse.usage.block import EventRow
from meterhouse.usage.engine.compile import value_path
from meterhouse.usage.engine.decode import Parts
from meterhouse.usage.engine.documents import (
    MISSING,
    Members,
    at,
    chosen_of,
    number_of,
    parse_document,
    text_of,
)
from meterhouse.usage.engine.evaluate import evaluate_parts
from meterhouse.usage.engine.jsonpath import Path, parse_jsonpath
from meterhouse.usage.engine.matching import matches, text_passes
from meterhouse.usage.engine.ranges import Usage
from meterhouse.usage.model import Aggregation, Event, Meter, StringFilter

FAST_BYTES_MAX = 4_096
_LONG = 2**63
_NOTHING = Parts(0, Fraction(0))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SUMMED = frozenset({Aggregation.SUM, Aggregation.AVG})
_COUNTED = frozenset({Aggregation.COUNT})


@dataclass(frozen=True)
class Added:
    """What an event brings: when, what it counts for, and for `unique` its key."""

    time_us: int
    uid: bytes
    parts: Parts
    key: str | None = None


@dataclass(frozen=True)
class Opened:
    """An event that counts, and its document for the filters by group-bys."""

    added: Added
    document: object
    groups: Mapping[str, Path]
    data: bytes

    def text(self, key: str) -> str:
        """The value of a group-by."""
        path = self.groups[key]
        if not isinstance(self.document, dict) or isinstance(self.document, Members):
            return text_of(at(self.document, path))
        value = at_plain(self.document, path)
        if isinstance(value, dict | list) or _is_long(value):
            return text_of(at(parse_document(self.data.decode()), path))
        return text_of(value)

    def passes(self, filters: Mapping[str, StringFilter]) -> bool:
        return all(text_passes(self.text(key), wanted) for key, wanted in filters.items())


class EventReader:
    """Reads rows for one meter and some of its group-bys; made once, because it prepares the paths."""

    def __init__(self, meter: Meter, group_keys: Iterable[str]) -> None:
        self._meter = meter
        self._organisation = meter.organisation_id.bytes
        self._type = meter.event_type
        self._event_from_us = _micros(meter.event_from) if meter.event_from is not None else None
        self._value = value_path(meter)
        self._groups = {key: parse_jsonpath(meter.group_by[key]) for key in group_keys}
        paths = [*self._groups.values(), *([self._value] if self._value is not None else [])]
        self._names = _plain_names(paths)
        self.is_plain = self._type is not None and self._names is not None and meter.dialect == "openmeter"

    def open(self, row: EventRow) -> Opened | None:
        """What a row brings: nothing when its value is unusable. `None` when it is none of the meter's."""
        if row[1] != self._organisation or (self._type is not None and row[2] != self._type):
            return None
        if self._event_from_us is not None and row[4] < self._event_from_us:
            return None
        document = self._parse(row[14])
        return self._evaluated(row) if document is None else self._added(row, document)

    def _parse(self, data: bytes) -> dict[str, object] | None:
        """The document, when the fast parser is sure to see in it what the evaluator sees."""
        if not self.is_plain:
            return None
        if not self._names:
            return {}
        if len(data) > FAST_BYTES_MAX or b"\\" in data or any(data.count(name) > 1 for name in self._names):
            return None
        try:
            document = msgspec.json.decode(data)
        except msgspec.DecodeError:
            return None
        return document if isinstance(document, dict) else None

    def _added(self, row: EventRow, document: dict[str, object]) -> Opened | None:
        meter = self._meter
        if meter.aggregation in _COUNTED:
            return self._opened(row, document, Parts(1, Fraction(0)))
        assert self._value is not None
        value = at_plain(document, self._value)
        if isinstance(value, dict | list) or _is_long(value):
            return self._evaluated(row)
        if meter.aggregation is Aggregation.UNIQUE:
            if value is None:
                return self._opened(row, document, _NOTHING)
            added = Added(row[4], row[7], Parts(1, Fraction(0)), text_of(value))
            return Opened(added, document, self._groups, row[14])
        if meter.aggregation in _SUMMED:
            number = number_of(value, reads_texts=True)
            amount = None if number is None else number[1]
        else:
            amount = chosen_of(value, reads_texts=True)
        return self._opened(row, document, _NOTHING if amount is None else Parts(1, amount))

    def _opened(self, row: EventRow, document: object, parts: Parts) -> Opened:
        return Opened(Added(row[4], row[7], parts), document, self._groups, row[14])

    def _evaluated(self, row: EventRow) -> Opened | None:
        event, meter = _event_from(row), self._meter
        if not matches(meter.filter, event):
            return None
        document, parts = parse_document(event.data), evaluate_parts(meter, [event])
        key = None
        if meter.aggregation is Aggregation.UNIQUE and parts.count:
            assert self._value is not None
            key = text_of(at(document, self._value))
        return Opened(Added(row[4], row[7], parts, key), document, self._groups, row[14])


class RowReader(EventReader):
    """Reads rows for the usage of one customer."""

    def __init__(self, usage: Usage) -> None:
        super().__init__(usage.meter, usage.group_filters)
        self._usage = usage

    def read(self, row: EventRow) -> Added | None:
        """What a row of the customer adds; `None` when it does not count."""
        opened = self.open(row)
        if opened is None or not opened.passes(self._usage.group_filters):
            return None
        return opened.added

    def open(self, row: EventRow) -> Opened | None:
        """As `read`, before the filters by group-bys: whoever has several asks them one by one."""
        if not self._is_own(row):
            return None
        opened = super().open(row)
        return opened if opened is not None and opened.added.parts.count else None

    def _is_own(self, row: EventRow) -> bool:
        customer, subject = row[9], row[3]
        if customer:
            return customer in self._usage.customer.customer_ids
        return subject in self._usage.customer.external_ids


def at_plain(document: object, path: Path) -> object:
    """The value at a path of member names, or `MISSING`."""
    for step in path.steps:
        if not isinstance(document, dict) or step not in document:
            return MISSING
        document = document[step]
    return document


def _plain_names(paths: list[Path]) -> list[bytes] | None:
    """The members on the paths as they are spelt in JSON; `None` when something else is on the way."""
    names = set()
    for path in paths:
        for step in path.steps:
            if not isinstance(step, str) or not step.isascii() or not step.isprintable():
                return None
            if '"' in step or "\\" in step:
                return None
            names.add(f'"{step}"'.encode())
    return sorted(names)


def _is_long(value: object) -> bool:
    """Whether a number may have more digits than the fast parser keeps."""
    return isinstance(value, int | float) and abs(value) >= _LONG


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _event_from(row: EventRow) -> Event:
    """The event that a row was made from."""
    return Event(
        organisation_id=UUID(bytes=row[1]),
        type=row[2],
        subject=row[3],
        time=_EPOCH + timedelta(microseconds=row[4]),
        source=row[5],
        id=row[6],
        uid=UUID(bytes=row[7]),
        origin="system" if row[8] == "system" else "user",
        customer_id=row[9],
        member_id=row[10],
        external_member_id=row[11],
        parent_id=row[12],
        ingested_at=_EPOCH + timedelta(microseconds=row[13]),
        data=row[14].decode(),
    )
