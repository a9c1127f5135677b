"""Events to a file: pages in a fixed order, each turned into bytes of the wanted format.

An export holds the events stored when it began. Pages continue behind the last event rather than by counting,
so each page costs the same, and a page's size is measured before it is read, so memory stays bounded.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from meterhouse.platform.ports import EventStore
from meterhouse.usage.engine import columns
from meterhouse.usage.engine.events import criteria_conditions
from meterhouse.usage.engine.parameters import Parameters
from meterhouse.usage.model import EventCriteria
from meterhouse.usage.transfer.parquet import INSTANTS, ParquetWriter
from meterhouse.usage.transfer.rows import FIELDS, Format

PAGE_ROWS_FIRST = 1_000
PAGE_ROWS_MAX = 20_000
PAGE_BYTES_MAX = 16 * 1024 * 1024
TIMEOUT_S = 120.0

_ORDER = f"{columns.TYPE}, {columns.SUBJECT}, {columns.TIME}, toString({columns.UID})"
_TEXTS = (
    columns.TYPE,
    columns.SUBJECT,
    columns.SOURCE,
    columns.ID,
    columns.CUSTOMER,
    columns.MEMBER,
    columns.EXTERNAL_MEMBER,
    columns.PARENT,
    columns.DATA,
)
_LENGTH = " + ".join(f"length({name})" for name in _TEXTS)


@dataclass(frozen=True)
class _Place:
    """The last event of a page."""

    type: str
    subject: str
    time: int
    uid: str


@dataclass(frozen=True)
class Export:
    """Which events to write, as of an instant."""

    organisation_id: UUID
    criteria: EventCriteria
    as_of: datetime

    def conditions(self, bind: Parameters) -> list[str]:
        stored = f"{columns.STORED_AT} <= {bind.instant(self.as_of)}"
        return [*criteria_conditions(self.organisation_id, self.criteria, bind), stored]


async def count_events(store: EventStore, export: Export) -> int:
    """How many events the export will hold. Raises `Invalid` for a broken filter."""
    bind = Parameters()
    where = " AND ".join(export.conditions(bind))
    sql = f"SELECT count() FROM {columns.TABLE} WHERE {where}"  # noqa: S608
    return cast(int, (await store.query(sql, bind.values, timeout_s=TIMEOUT_S)).rows[0][0])


Heard = Callable[[int], Awaitable[None]]


async def unheard(rows: int) -> None:
    """Where nobody wants to hear of progress."""


async def export_events(
    store: EventStore, export: Export, format: Format, *, heard: Heard = unheard
) -> AsyncIterator[bytes]:
    """The bytes of the file, piece by piece; `heard` is told after each how many events have gone."""
    writer = _writer(format)
    rows, place, done = PAGE_ROWS_FIRST, None, 0
    while True:
        size = await _page_bytes(store, export, place, rows)
        if size > PAGE_BYTES_MAX and rows > 1:
            rows = max(1, rows // 4)
            continue
        page = await _page(store, export, place, rows)
        if page.num_rows:
            yield await asyncio.to_thread(writer.write, page)
            place = _place(page)
            done += page.num_rows
            await heard(done)
        if page.num_rows < rows:
            break
        if size < PAGE_BYTES_MAX // 4:
            rows = min(PAGE_ROWS_MAX, rows * 2)
    yield await asyncio.to_thread(writer.finish)


async def _page_bytes(store: EventStore, export: Export, place: _Place | None, rows: int) -> int:
    bind = Parameters()
    where = _where(export, place, bind)
    page = f"SELECT {_LENGTH} AS n FROM {columns.TABLE} WHERE {where} ORDER BY {_ORDER} LIMIT {int(rows)}"  # noqa: S608
    answer = await store.query(f"SELECT sum(n) FROM ({page})", bind.values, timeout_s=TIMEOUT_S)  # noqa: S608
    return int(str(answer.rows[0][0] or 0))


async def _page(store: EventStore, export: Export, place: _Place | None, rows: int) -> pa.Table:
    """A page with the fields of a file in order, its instants as microseconds."""
    bind = Parameters()
    where = _where(export, place, bind)
    selected = ", ".join(f"{_plain(name)} AS f_{name}" for name in FIELDS)
    sql = f"SELECT {selected} FROM {columns.TABLE} WHERE {where} ORDER BY {_ORDER} LIMIT {int(rows)}"  # noqa: S608
    answer = await store.query_arrow(sql, bind.values, timeout_s=TIMEOUT_S)
    return answer.rename_columns(list(FIELDS))


def _plain(name: str) -> str:
    if name in INSTANTS:
        return f"toUnixTimestamp64Micro({name})"
    return f"toString({name})" if name in (columns.UID, columns.ORIGIN) else name


def _where(export: Export, place: _Place | None, bind: Parameters) -> str:
    conditions = export.conditions(bind)
    if place is not None:
        conditions.append(_behind(place, bind))
    return " AND ".join(conditions)


def _behind(place: _Place, bind: Parameters) -> str:
    """As alternatives per column, because these let the engine skip what lies before."""
    steps = (
        (columns.TYPE, bind.text(place.type)),
        (columns.SUBJECT, bind.text(place.subject)),
        (columns.TIME, f"fromUnixTimestamp64Micro({bind.integer(place.time)}, 'UTC')"),
        (f"toString({columns.UID})", bind.text(place.uid)),
    )
    condition = ""
    for name, value in reversed(steps):
        rest = f" OR ({name} = {value} AND {condition})" if condition else ""
        condition = f"({name} > {value}{rest})"
    return condition


def _place(page: pa.Table) -> _Place:
    last = page.slice(page.num_rows - 1).to_pylist()[0]
    return _Place(_text(last["type"]), _text(last["subject"]), last["time"], _text(last["uid"]))


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Writer(Protocol):
    def write(self, table: pa.Table) -> bytes: ...

    def finish(self) -> bytes: ...


def _writer(format: Format) -> _Writer:
    match format:
        case "csv":
            return _CsvWriter()
        case "jsonl":
            return _JsonLinesWriter()
        case "parquet":
            return _Typed(ParquetWriter())


def _typed(page: pa.Table) -> pa.Table:
    """The page with texts as texts and instants as instants."""
    arrays = []
    for name, column in zip(page.schema.names, page.columns, strict=True):
        kind = pa.timestamp("us", "UTC") if name in INSTANTS else pa.string()
        arrays.append(column.cast(kind))
    return pa.table(arrays, names=page.schema.names)


class _Typed:
    def __init__(self, writer: ParquetWriter) -> None:
        self._writer = writer

    def write(self, table: pa.Table) -> bytes:
        return self._writer.write(_typed(table))

    def finish(self) -> bytes:
        return self._writer.finish()


class _CsvWriter:
    """A header and one row per event, every text in quotes."""

    def __init__(self) -> None:
        self._header = (",".join(FIELDS) + "\n").encode()

    def write(self, table: pa.Table) -> bytes:
        sink = io.BytesIO()
        options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
        pyarrow.csv.write_csv(_with_spelt_instants(table), sink, options)
        header, self._header = self._header, b""
        return header + sink.getvalue()

    def finish(self) -> bytes:
        return self._header


def _with_spelt_instants(page: pa.Table) -> pa.Table:
    typed = _typed(page)
    for index, name in enumerate(typed.schema.names):
        if name in INSTANTS:
            spelt = pc.strftime(typed.column(index), "%Y-%m-%dT%H:%M:%SZ")
            typed = typed.set_column(index, name, spelt)
    return typed


class _JsonLinesWriter:
    """One object per event; what is empty or usual is left out."""

    def __init__(self) -> None:
        self._encode = msgspec.json.Encoder().encode

    def write(self, table: pa.Table) -> bytes:
        return b"".join(self._line(row) for row in _with_spelt_instants(table).to_pylist())

    def _line(self, row: dict[str, str]) -> bytes:
        data = row.pop("data")
        shown: dict[str, object] = {
            name: text
            for name, text in row.items()
            if name in _ALWAYS or (text and (name, text) != ("origin", "user"))
        }
        if data:
            # Line feeds inside the data would end the line: such data go as a text.
            shown["data"] = data if "\n" in data or "\r" in data else msgspec.Raw(data.encode())
        return self._encode(shown) + b"\n"

    def finish(self) -> bytes:
        return b""


_ALWAYS = frozenset({"id", "source", "type", "subject", "time", "uid", "ingested_at"})
