"""Events through files: whatever is written reads back the same, and a bad row is named."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.usage_factory import NOW, ORGANISATION, event

from meterhouse.kernel.errors import DependencyFailed, Invalid
from meterhouse.usage.block import EARLIEST
from meterhouse.usage.engine.parameters import to_micros
from meterhouse.usage.model import Event
from meterhouse.usage.transfer import reading
from meterhouse.usage.transfer.export import _writer
from meterhouse.usage.transfer.imports import ImportCounts, import_events
from meterhouse.usage.transfer.parquet import INSTANTS
from meterhouse.usage.transfer.rows import FIELDS, Reception

FORMATS = ("csv", "jsonl", "parquet")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", "\r", "a\nb", "=1+1", " x ", "\ufeff", "\x00", "\u2028", "'", "\\", "null"]
)
DATAS = st.sampled_from(
    [
        "",
        "{}",
        '{"a":1.0,"a":2}',
        '{\n "a" :\r\n 1\n}',
        '{"a":"\\u0000\\n\\ud83d\\ude00"}',
        '{"n":123456789012345678901234567890.10e-400}',
    ]
)
TIMES = st.integers(to_micros(EARLIEST), to_micros(NOW)).map(
    lambda micros: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
)
SYSTEM = [
    ("meter.reset", '{"meter_id":"01900000-0000-7000-8000-000000000009"}'),
    ("meter.credited", '{"meter_id":"01900000-0000-7000-8000-000000000009","units":-5,"rollover":false}'),
]
OWNERS = st.tuples(TEXTS, st.just("")) | st.tuples(st.just(""), st.uuids().map(str))


def _built(kind: Any, owner: tuple[str, str], **rest: Any) -> Event:
    origin, type, data = kind
    return event(data, origin=origin, type=type, subject=owner[0], customer_id=owner[1], **rest)


EVENTS = st.builds(
    _built,
    st.tuples(st.just("user"), TEXTS, DATAS)
    | st.sampled_from([("system", type, data) for type, data in SYSTEM]),
    OWNERS,
    time=TIMES,
    ingested_at=TIMES,
    source=st.just("polar"),
    id=TEXTS,
    uid=st.uuids(),
    member_id=st.just("") | st.uuids().map(str),
    external_member_id=TEXTS,
    parent_id=TEXTS,
)
RECEPTION = Reception(ORGANISATION, NOW, may_bring_system_events=True)


class Store:
    """Takes events as the ingestor does; `fails_after` blocks it is away."""

    def __init__(self, fails_after: int = 1_000_000) -> None:
        self.events: list[Event] = []
        self._left = fails_after

    async def submit(self, events: list[Event]) -> list[bool]:
        self._left -= 1
        if self._left < 0:
            raise DependencyFailed("The store is away.", retryable=True)
        known = {(stored.source, stored.id) for stored in self.events}
        fresh = [(found.source, found.id) not in known for found in events]
        self.events += events
        return fresh


def page(events: list[Event]) -> pa.Table:
    """Events as the export reads them from the store."""
    columns: dict[str, list[Any]] = {
        name: [getattr(found, name) for found in events] for name in FIELDS if name not in INSTANTS
    }
    columns["uid"] = [str(uid) for uid in columns["uid"]]
    for name in INSTANTS:
        columns[name] = [to_micros(getattr(found, name)) for found in events]
    arrays = {
        name: pa.array(columns[name], pa.int64() if name in INSTANTS else pa.string()) for name in FIELDS
    }
    return pa.table(arrays)


def written(format: str, *pages: list[Event]) -> bytes:
    writer = _writer(format)  # type: ignore[arg-type]
    return b"".join([*(writer.write(page(events)) for events in pages), writer.finish()])


def read(
    data: bytes, format: str, *, piece: int = 1 << 20, store: Store | None = None, **terms: Any
) -> tuple[list[Event], ImportCounts]:
    async def pieces():  # type: ignore[no-untyped-def]
        for start in range(0, len(data), piece):
            yield data[start : start + piece]

    async def run() -> None:
        await import_events(
            into,
            pieces(),
            format=format,  # type: ignore[arg-type]
            reception=replace(RECEPTION, **terms),
            counts=counts,
        )

    into, counts = store or Store(), ImportCounts()
    asyncio.run(run())
    return into.events, counts


@settings(max_examples=40, deadline=None)
@given(
    first=st.lists(EVENTS, max_size=3), second=st.lists(EVENTS, max_size=3), format=st.sampled_from(FORMATS)
)
def test_what_is_written_reads_back_the_same(first, second, format):
    data = written(format, first, second)
    assert read(data, format)[0] == first + second


@settings(max_examples=20, deadline=None)
@given(
    events=st.lists(EVENTS, min_size=1, max_size=3),
    piece=st.integers(1, 9),
    format=st.sampled_from(["csv", "jsonl"]),
)
def test_pieces_may_end_anywhere(monkeypatch_feed, events, piece, format):
    assert read(written(format, events), format, piece=piece)[0] == events


@pytest.fixture(scope="module")
def monkeypatch_feed():
    """Feed each piece by itself instead of joining small ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("meterhouse.usage.transfer.imports.FEED_BYTES", 1)
        yield


def test_an_empty_export_reads_as_nothing():
    for format in FORMATS:
        assert read(written(format), format)[0] == []


def lines(*rows: dict[str, Any]) -> bytes:
    return "\n".join(
        json.dumps({"id": "1", "source": "s", "type": "t", "subject": "u"} | row) for row in rows
    ).encode()


def test_what_is_left_out_is_filled_in():
    for data, format in ((lines({}), "jsonl"), (b"type,subject,id,source\nt,u,1,s", "csv")):
        (found,) = read(data, format)[0]
        assert (found.time, found.ingested_at, found.data, found.origin) == (NOW, NOW, "", "user")
        assert isinstance(found.uid, UUID)


def test_a_file_may_begin_with_a_mark_and_hold_blank_lines():
    assert len(read(b"\xef\xbb\xbf" + lines({}) + b"\n\n", "jsonl")[0]) == 1
    assert len(read(b"\xef\xbb\xbfid,source,type,subject\r\n\r\n1,s,t,u\r\n", "csv")[0]) == 1


BAD_ROWS = [
    ({"id": ""}, "id is required"),
    ({"time": "2026-03-02"}, "time has no offset"),
    ({"time": "yesterday"}, "time is no RFC 3339 instant"),
    ({"time": "2026-03-02T00:00:00.0000001Z"}, "time is finer than microseconds"),
    ({"time": "1899-12-31T23:59:59Z"}, "time must lie in the years 1900 to 2299"),
    ({"time": "0001-01-01T00:00:00+14:00"}, "time must lie in the years 1900 to 2299"),
    ({"time": "9999-12-31T23:59:59-14:00"}, "time must lie in the years 1900 to 2299"),
    ({"ingested_at": "2200-01-01T00:00:00Z"}, "ingested_at lies in the future"),
    ({"uid": "x"}, "uid is no UUID"),
    ({"origin": "me"}, "origin must be user or system"),
    ({"origin": "system"}, "origin meter.credited and meter.reset are the system events that there are"),
    ({"customer_id": "01900000-0000-7000-8000-000000000009"}, "subject must be empty beside a customer_id"),
    ({"customer_id": "c"}, "customer_id is no UUID"),
    ({"data": "[1]"}, "data must be a JSON object"),
    ({"data": '{"a":'}, "data is no JSON"),
]


@pytest.mark.parametrize(("change", "told"), BAD_ROWS)
def test_a_bad_row_is_named_and_what_is_before_it_is_stored(change, told):
    store = Store()
    with pytest.raises(Invalid) as refused:
        read(lines({}, {"id": "2"}, change, {"id": "4"}), "jsonl", store=store)
    assert refused.value.message.startswith(f"line 3: {told}")
    assert "The 2 rows before are stored (2 new, 0 known before)." in refused.value.message
    assert [stored.id for stored in store.events] == ["1", "2"]
    assert refused.value.details == {"rows": 2, "inserted": 2, "line": 3}


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'{"id":1}', "line 1: Expected `str`, got `int` - at `$.id`"),
        (b'{"ident":"1"}', "line 1: Object contains unknown field `ident`"),
        (b'{"id":"1"}', "line 1: Object missing required field `source`"),
        (b"\n[]", "line 2: Expected `object`, got `array`"),
        (b'{"id":"\xff"}', "line 1: is not UTF-8 text"),
        (b"[" * 100_000, "line 1: "),
    ],
)
def test_lines_that_are_no_events(data, told):
    with pytest.raises(Invalid, match="Nothing of the file is stored") as refused:
        read(data, "jsonl")
    assert refused.value.message.startswith(told)


HEADER = b"id,source,type,subject,data\n"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "line 1: the file is empty"),
        (b"id,source,type\n", "line 1: the column subject is missing"),
        (b"id,source,type,subject,id\n", "line 1: the column id is there twice"),
        (b"id,source,type,subject,=x\n", "line 1: unknown column '=x'"),
        (HEADER + b'1,s,t,u,"{\n}"\n2,s,t,u\n', "line 4: has 4 values, the header has 5"),
        (HEADER + b'1,s,t,u,\n2,s,t,"u\n', "line 3: is no CSV: unexpected end of data"),
        (HEADER + b"1,s,t,u,\n2,s,t,\xff,\n", "line 3: is not UTF-8 text"),
        (HEADER + b'1,s,t,u,"a"b\n', "line 2: is no CSV"),
    ],
)
def test_rows_that_are_no_events(data, told):
    with pytest.raises(Invalid) as refused:
        read(data, "csv")
    assert refused.value.message.startswith(told)


def test_a_row_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(reading, "ROW_BYTES_MAX", 1_000)
    for format, start in (("csv", HEADER + b'"'), ("jsonl", b'{"id":"')):
        with pytest.raises(Invalid, match="is longer than 1000 bytes"):
            read(start + b"x" * 5_000, format, piece=500)


def parquet(**columns: Any) -> bytes:
    given = {name: [name] for name in ("id", "source", "type", "subject")} | columns
    sink = io.BytesIO()
    pq.write_table(pa.table(given), sink)
    return sink.getvalue()


def test_parquet_of_others():
    at = pa.array([to_micros(NOW)], pa.timestamp("us", "UTC"))
    nothing = pa.nulls(1)
    (found,) = read(parquet(time=at.cast(pa.timestamp("ms", "Europe/Berlin")), data=nothing), "parquet")[0]
    assert (found.id, found.time, found.data) == ("id", NOW, "")
    (found,) = read(parquet(time=["2026-03-10T12:00:00Z"], data=[b"{}"]), "parquet")[0]
    assert (found.time, found.data) == (NOW, "{}")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"PAR1", "row 1: the file is no Parquet"),
        (parquet(id=[1]), "row 1: id must hold texts, not int64"),
        (parquet(more=["x"]), "row 1: unknown column 'more'"),
        (
            parquet(time=pa.array([0], pa.timestamp("us"))),
            "row 1: time must hold a timestamp with a time zone",
        ),
        (parquet(time=pa.array([1], pa.timestamp("ns", "UTC"))), "row 1: time Casting from timestamp"),
        (parquet(id=[None]), "row 1: id is required"),
    ],
)
def test_parquet_that_holds_no_events(data, told):
    with pytest.raises(Invalid) as refused:
        read(data, "parquet")
    assert refused.value.message.startswith(told)


def test_system_events_need_a_right():
    with pytest.raises(Invalid, match="customers:write"):
        read(lines({"origin": "system"}), "jsonl", may_bring_system_events=False)


def test_a_store_that_fails_on_the_way_is_told_with_what_is_stored(monkeypatch):
    monkeypatch.setattr("meterhouse.usage.transfer.imports.BLOCK_ROWS", 2)
    with pytest.raises(DependencyFailed) as failed:
        read(lines(*({"id": str(number)} for number in range(5))), "jsonl", store=Store(fails_after=2))
    assert "The 4 rows before are stored" in failed.value.message
    assert failed.value.retryable


def test_equal_texts_do_not_fill_the_memory(monkeypatch):
    """A Parquet file may hold one large text many times; parts are cut before they are spelt out."""
    monkeypatch.setattr("meterhouse.usage.transfer.parquet.BATCH_BYTES_MAX", 100_000)
    large = json.dumps({"a": "x" * 50_000})
    rows = {name: [str(number) for number in range(50)] for name in ("id", "source", "type", "subject")}
    found, counts = read(parquet(**rows, data=[large] * 50), "parquet")
    assert (counts.rows, {stored.data for stored in found}) == (50, {large})
