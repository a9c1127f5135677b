"""The OpenMeter ingest body: what is accepted, what is refused, and how faults are named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.apis.faults import MalformedBody, UnsupportedMediaType
from meterhouse.apis.openmeter.ingest import ATTRIBUTE_CHARS_MAX, BATCH, EITHER, SINGLE, rows_from_wire
from meterhouse.kernel.errors import Invalid
from meterhouse.usage.block import Identity

ORGANISATION = UUID("01900000-0000-7000-8000-000000000001")
NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
KEY, ORG, TYPE, SUBJECT, TIME, SOURCE, ID, UID, ORIGIN = range(9)
INGESTED_AT, DATA = 13, 14


def cloud_event(**attributes: Any) -> dict[str, Any]:
    event = {"id": "1", "source": "s", "specversion": "1.0", "type": "t", "subject": "u", **attributes}
    return {name: value for name, value in event.items() if value is not ...}


def read(body: Any, content_type: str | None = EITHER) -> list[Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return list(rows_from_wire(content_type, raw, ORGANISATION, NOW))


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def test_every_kept_attribute_arrives() -> None:
    [row] = read(
        cloud_event(
            time="2024-05-06T07:08:09.987654+02:00",
            data={"a": [1, None]},
            datacontenttype="application/json",
            dataschema="https://example.com/schema",
            traceparent="an extension",
        )
    )

    assert row[KEY] == Identity(ORGANISATION).key("s", "1")
    assert row[ORG] == ORGANISATION.bytes
    assert (row[TYPE], row[SUBJECT], row[SOURCE], row[ID], row[ORIGIN]) == ("t", "u", "s", "1", "user")
    assert row[TIME] == micros("2024-05-06T05:08:09+00:00")
    assert row[INGESTED_AT] == micros("2026-01-02T03:04:05+00:00") + 678901
    assert row[DATA] == b'{"a": [1, null]}'
    assert UUID(bytes=row[UID]).version == 7


@pytest.mark.parametrize(
    ("content_type", "body", "count"),
    [
        (SINGLE, cloud_event(), 1),
        (f"{SINGLE}; charset=utf-8", cloud_event(), 1),
        ("Application/CloudEvents+JSON", cloud_event(), 1),
        (BATCH, [cloud_event(), cloud_event(id="2")], 2),
        (f"{BATCH};charset=UTF-8", [cloud_event()], 1),
        (EITHER, cloud_event(), 1),
        (EITHER, [cloud_event()] * 3, 3),
        ("application/json ; charset=utf-8", b" \r\n\t[" + json.dumps(cloud_event()).encode() + b"] ", 1),
    ],
)
def test_content_types(content_type: str, body: Any, count: int) -> None:
    assert len(read(body, content_type)) == count


@pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/jsonl", "application/*"])
def test_other_content_types_are_refused(content_type: str | None) -> None:
    with pytest.raises(UnsupportedMediaType, match="invalid content type"):
        read(cloud_event(), content_type)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (SINGLE, [cloud_event()]),
        (BATCH, cloud_event()),
        (EITHER, 1),
        (EITHER, None),
        (EITHER, "x"),
        (BATCH, [1]),
    ],
)
def test_the_wrong_shape_is_refused(content_type: str, body: Any) -> None:
    with pytest.raises(Invalid):
        read(body, content_type)


@pytest.mark.parametrize(("content_type", "body"), [(EITHER, []), (BATCH, [])])
def test_no_events_is_an_error(content_type: str, body: Any) -> None:
    with pytest.raises(Invalid) as caught:
        read(body, content_type)
    assert caught.value.code == "no_events"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[",
        b"nonsense",
        b"\xef\xbb\xbf{}",
        b'{"id": "1",}',
        json.dumps(cloud_event()).encode() + b"x",
        json.dumps(cloud_event(data={"a": 1})).encode().replace(b"1}", b"NaN}"),
        json.dumps(cloud_event(data={"a": "b"})).encode().replace(b'"b"', b'"\xff"'),
        json.dumps(cloud_event(id="x")).encode().replace(b'"x"', b'"\\ud800"'),
        json.dumps(cloud_event(data={"a": 7})).encode().replace(b"7", b"[" * 100_000),
        b'{"id": 1, oops',
        b'[{"id": 1}, oops',
        b'[{"id": 1}, ' + b"[" * 100_000,
    ],
    ids=range(14),
)
def test_what_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read(body)


@pytest.mark.parametrize("name", ["id", "source", "specversion", "type", "subject"])
@pytest.mark.parametrize("value", [..., "", None, 1, ["x"], "x" * (ATTRIBUTE_CHARS_MAX + 1)])
def test_required_attributes(name: str, value: Any) -> None:
    with pytest.raises(Invalid) as single:
        read(cloud_event(**{name: value}))
    with pytest.raises(Invalid) as batch:
        read([cloud_event(), cloud_event(id="2"), cloud_event(**{name: value})])

    assert [issue.path for issue in single.value.issues] == [(name,)]
    assert [issue.path for issue in batch.value.issues] == [(2, name)]
    assert batch.value.issues[0].code == ("missing" if value is ... else "value_error")
    assert batch.value.message.startswith(f"[2].{name}: ")


def test_every_bad_event_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        read([cloud_event(id=""), cloud_event(), 7, cloud_event(time="yesterday"), cloud_event(data=...)])

    assert [issue.path for issue in caught.value.issues] == [(0, "id"), (2,), (3, "time")]


@pytest.mark.parametrize("data", ["text", 1, 1.5, True, False, [], [{}], "{}"])
def test_data_must_be_an_object(data: Any) -> None:
    with pytest.raises(Invalid) as caught:
        read([cloud_event(), cloud_event(data=data)])
    assert [issue.path for issue in caught.value.issues] == [(1, "data")]


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        (b"null", b""),
        (b"{}", b"{}"),
        (b'  { "b" : 1.50, "a":1e400,"a":2 } ', b'{ "b" : 1.50, "a":1e400,"a":2 }'),
        (b'{"nul": "\\u0000", "n": 123456789012345678901234567890}',) * 2,
    ],
)
def test_data_is_kept_as_it_was_sent(raw: bytes, kept: bytes) -> None:
    body = json.dumps(cloud_event(data=0)).encode().replace(b'"data": 0', b'"data":' + raw)
    assert read(body)[0][DATA] == kept


def test_data_may_be_left_out() -> None:
    assert read(cloud_event())[0][DATA] == b""


def test_data_may_nest_64_levels_and_have_10000_properties() -> None:
    deep: Any = 1
    for _ in range(64):
        deep = {"a": deep}
    wide = {f"property {n}": n for n in range(10_000)}

    rows = read([cloud_event(data=deep), cloud_event(data=wide)])

    assert [json.loads(row[DATA]) for row in rows] == [deep, wide]


@pytest.mark.parametrize("value", ["application/xml", "application/json; charset=utf-8", "", 1])
def test_only_json_data_is_taken(value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        read(cloud_event(datacontenttype=value))
    assert caught.value.issues[0].path == ("datacontenttype",)
    assert read(cloud_event(datacontenttype=None))


@pytest.mark.parametrize(
    ("time", "kept"),
    [
        (..., "2026-01-02T03:04:05+00:00"),
        (None, "2026-01-02T03:04:05+00:00"),
        ("0001-01-01T00:00:00Z", "2026-01-02T03:04:05+00:00"),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00+00:00"),
        ("2024-01-01T23:59:59.999Z", "2024-01-01T23:59:59+00:00"),
        ("2024-01-01T23:59:59.9999999999Z", "2024-01-01T23:59:59+00:00"),
        ("2024-01-01T23:59:59.9999999999-07:30", "2024-01-02T07:29:59+00:00"),
        ("1970-01-01T00:00:01Z", "1970-01-01T00:00:01+00:00"),
        ("2299-12-31T23:59:59Z", "2299-12-31T23:59:59+00:00"),
        ("2299-12-31T23:59:59-00:00", "2299-12-31T23:59:59+00:00"),
        ("2299-12-31T23:59:59.5Z", "2299-12-31T23:59:59+00:00"),
    ],
)
def test_times_are_kept_in_whole_seconds(time: Any, kept: str) -> None:
    assert read(cloud_event(time=time))[0][TIME] == micros(kept)
    assert read([cloud_event(), cloud_event(id="2", time=time)])[1][TIME] == micros(kept)


@pytest.mark.parametrize(
    "time",
    ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.9Z", "1969-12-31T23:59:59Z", "1850-01-01T00:00:00Z",
     "0001-01-01T00:00:01Z", "1970-01-01T01:00:00+01:00"],
)  # fmt: skip
def test_events_up_to_the_epoch_are_dropped_silently(time: str) -> None:
    assert read(cloud_event(time=time)) == []
    dropped = cloud_event(time=time, data="of no interest")
    rows = read([cloud_event(id="1"), dropped, cloud_event(id="2", data={"n": 2})])
    assert [(row[ID], row[DATA]) for row in rows] == [("1", b""), ("2", b'{"n": 2}')]


@pytest.mark.parametrize(
    "time",
    ["", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01T25:00:00Z", "2024-02-30T00:00:00Z", "now", 0,
     1704067200, True, "2300-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2299-12-31T23:59:59-01:00",
     "10000-01-01T00:00:00Z"],
)  # fmt: skip
def test_other_times_are_refused_and_named(time: Any) -> None:
    with pytest.raises(Invalid) as caught:
        read([cloud_event(data={}), cloud_event(time=time, data={})])
    assert [issue.path for issue in caught.value.issues] == [(1, "time")]


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=50), st.booleans())
def test_any_text_survives(text: str, escaped: bool) -> None:
    body = json.dumps(cloud_event(id=text, source=text, type=text, subject=text), ensure_ascii=escaped)

    [row] = read(body.encode())

    assert (row[ID], row[SOURCE], row[TYPE], row[SUBJECT]) == (text, text, text, text)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        read(body)
        read(b'{"id":"1","source":"s","specversion":"1.0","type":"t","subject":"u","data":' + body + b"}")
    except Invalid:
        pass


def test_ids_of_rows_are_new_and_in_order() -> None:
    rows = read([cloud_event(id=str(n)) for n in range(500)])
    uids = [row[UID] for row in rows]
    assert uids == sorted(set(uids))
