"""Events on their way into the store: the lean row form, the identity key and the block of columns.

A row is a plain tuple: making one costs a tenth of making an `Event`, and ingest makes one per event.
Everything a row holds is checked before it exists, so that a block never fails for one of its rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import UUID

import numpy as np
import pyarrow as pa

from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.usage.model import Event

TABLE, KEY = "events", "key"
ROWS_AT_ONCE = 500

# What DateTime64(6) holds: from 1900-01-01 up to and including 2299-12-31 23:59:59.
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2299, 12, 31, 23, 59, 59, tzinfo=UTC)

# key, organisation id, type, subject, time (µs), source, id, uid, origin, customer id, member id,
# external member id, parent id, ingested at (µs), data (UTF-8 JSON, or empty)
EventRow: TypeAlias = tuple[bytes, bytes, str, str, int, str, str, bytes, str, str, str, str, str, int, bytes]

_ID = pa.binary(16)
_INSTANT = pa.timestamp("us", "UTC")
_TEXT = pa.string()

_COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    (KEY, _ID),
    ("organisation_id", _ID),
    ("type", _TEXT),
    ("subject", _TEXT),
    ("time", _INSTANT),
    ("source", _TEXT),
    ("id", _TEXT),
    ("uid", _ID),
    ("origin", _TEXT),
    ("customer_id", _TEXT),
    ("member_id", _TEXT),
    ("external_member_id", _TEXT),
    ("parent_id", _TEXT),
    ("ingested_at", _INSTANT),
    ("data", pa.binary()),
)
_SCHEMA = pa.schema([*_COLUMNS, ("stored_at", _INSTANT), ("seq", pa.uint64())])

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Identity:
    """Makes the keys of one organisation's events: 128 bits of BLAKE2b over the whole identity.

    The length before `source` keeps ("ab", "c") and ("a", "bc") apart. Two different identities meeting
    in one key is not a case to handle: among 10¹² events its odds are about 10⁻¹⁵.
    """

    def __init__(self, organisation_id: UUID) -> None:
        self._base = hashlib.blake2b(organisation_id.bytes, digest_size=16)

    def key(self, source: str, id: str) -> bytes:
        return self.keys([(source, id)])[0]

    def keys(self, identities: Iterable[tuple[str, str]]) -> list[bytes]:
        """The keys of many events by source and id; neighbours of one source cost less."""
        keys = []
        last, begun = None, self._base
        for source, id in identities:
            if source != last:
                begun = self._base.copy()
                begun.update(f"{len(source)}:{source}".encode())
                last = source
            state = begun.copy()
            state.update(id.encode())
            keys.append(state.digest())
        return keys


def microseconds(instant: datetime) -> int:
    """Count microseconds since 1970, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def rows_from_events(events: Sequence[Event]) -> list[EventRow]:
    """Bring events into row form. Raises `Invalid` for one that the store cannot hold exactly."""
    identities: dict[UUID, Identity] = {}
    rows = []
    for index, event in enumerate(events):
        identity = identities.get(event.organisation_id)
        if identity is None:
            identity = identities[event.organisation_id] = Identity(event.organisation_id)
        _check(event, index)
        rows.append(_row(event, identity))
    return rows


def _row(event: Event, identity: Identity) -> EventRow:
    return (
        identity.key(event.source, event.id),
        event.organisation_id.bytes,
        event.type,
        event.subject,
        microseconds(event.time),
        event.source,
        event.id,
        event.uid.bytes,
        event.origin,
        event.customer_id,
        event.member_id,
        event.external_member_id,
        event.parent_id,
        microseconds(event.ingested_at),
        event.data.encode(),
    )


def _check(event: Event, index: int) -> None:
    if not EARLIEST <= event.time <= LATEST:
        issue = Issue(("events", index, "time"), "The time must lie in the years 1900 to 2299.", "time_range")
        raise Invalid("An event lies outside the years 1900 to 2299.", issues=[issue])
    for name in ("id", "source", "type", "subject", "data", "customer_id", "member_id"):
        _check_text(getattr(event, name), index, name)
    _check_text(event.external_member_id, index, "external_member_id")
    _check_text(event.parent_id, index, "parent_id")


def _check_text(text: str, index: int, name: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        issue = Issue(("events", index, name), "The text is not valid Unicode.", "unicode")
        raise Invalid("An event holds text that is not valid Unicode.", issues=[issue]) from None


def block_from_rows(rows: Sequence[EventRow], stored_at: datetime, *, first_seq: int) -> pa.RecordBatch:
    """Turn rows into the columns of one block, all stored at the same instant and numbered in order."""
    return numbered(columns_from_rows(rows), stored_at, first_seq=first_seq)


def columns_from_rows(rows: Sequence[EventRow]) -> pa.RecordBatch:
    """The columns of a block that do not depend on when it is stored."""
    columns = [_column(values, kind) for values, (_, kind) in zip(_transposed(rows), _COLUMNS, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=[name for name, _ in _COLUMNS])


def numbered(columns: pa.RecordBatch, stored_at: datetime, *, first_seq: int) -> pa.RecordBatch:
    """Complete the columns of a block: all stored at the same instant and numbered in order."""
    size = columns.num_rows
    stored = pa.repeat(pa.scalar(microseconds(stored_at), _INSTANT), size)
    numbers = pa.array(np.arange(first_seq, first_seq + size, dtype=np.uint64))
    return pa.RecordBatch.from_arrays([*columns.columns, stored, numbers], schema=_SCHEMA)


def _transposed(rows: Sequence[EventRow]) -> list[list[object]]:
    """The values of each column. Some hundreds of rows at a time, which the processor's cache holds."""
    columns: list[list[object]] = [[] for _ in _COLUMNS]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = zip(*rows[start : start + ROWS_AT_ONCE], strict=True)
        for column, values in zip(columns, part, strict=True):
            column += values
    return columns


def _column(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    """One column. Half of them usually hold the same value throughout, and that is cheaper to repeat."""
    first = values[0]
    if first == values[-1] and values.count(first) == len(values):
        return pa.repeat(pa.scalar(first, kind), len(values))
    return pa.array(values, kind)
