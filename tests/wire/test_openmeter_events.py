"""OpenMeter's events over plain HTTP: what is taken, what is refused, and how it is listed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.openmeter_client import BATCH, Desk, cloud_event, fresh, problem

SINGLE = "application/cloudevents+json"
JSON = "application/json"
ANY_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture
def desk(http: httpx.Client) -> Desk:
    return Desk(http)


@pytest.mark.parametrize("content_type", [SINGLE, JSON, f"{JSON}; charset=utf-8", f"{SINGLE};charset=UTF-8"])
def test_one_event_is_there_at_once(desk: Desk, content_type: str) -> None:
    meter = desk.meter()
    for total in (1, 2, 3):
        answer = desk.post_events(cloud_event(meter, {"value": 1}), content_type)
        assert (answer.status_code, answer.content) == (204, b"")
        assert desk.values(meter) == [total]


@pytest.mark.parametrize("content_type", [BATCH, JSON])
def test_a_batch_is_there_at_once(desk: Desk, content_type: str) -> None:
    meter = desk.meter()
    desk.post_events([cloud_event(meter, {"value": n}) for n in range(100)], content_type)
    assert desk.values(meter) == [4950]


def test_one_identity_sent_a_thousand_times_counts_once(desk: Desk) -> None:
    """The example of openmeter 1.2: whatever else differs, source and id say that it is a repeat."""
    meter = desk.meter("COUNT")
    for number in range(10):
        times = (f"2026-0{1 + other % 9}-{1 + number:02d}T00:00:{other % 60:02d}Z" for other in range(100))
        desk.send(*(cloud_event(meter, {"n": time}, id="same", time=time, subject=time) for time in times))
    assert desk.values(meter) == [1]


BAD_EVENTS = [
    {"id": ""},
    {"id": None},
    {"source": ""},
    {"source": None},
    {"type": ""},
    {"subject": None},
    {"subject": ""},
    {"specversion": None},
    {"id": 5},
    {"time": "yesterday"},
    {"time": "2026-13-01T00:00:00Z"},
    {"time": 1_700_000_000},
    {"time": "9999-12-31T23:59:59Z"},
    {"data": "text"},
    {"data": 5},
    {"data": [1]},
    {"data": True},
    {"datacontenttype": "application/xml"},
]


@pytest.mark.parametrize("fault", BAD_EVENTS, ids=json.dumps)
def test_one_bad_event_refuses_the_whole_batch(desk: Desk, fault: dict[str, Any]) -> None:
    meter = desk.meter("COUNT")
    good = cloud_event(meter)
    bad = good | fault
    for name in [name for name, value in fault.items() if value is None]:
        del bad[name]
    problem(desk.post_events([cloud_event(meter), bad, cloud_event(meter)]), 400)
    problem(desk.post_events(bad, SINGLE), 400)
    problem(desk.post_events(bad, JSON), 400)
    assert desk.values(meter) == [0]
    desk.send(good)  # a refused id is not remembered
    assert desk.values(meter) == [1]


@pytest.mark.parametrize("body", ["", "{", "null", "5", "[]", "[[]]", '"x"', "\x00", b"\xff\xfe", "[null]"])
@pytest.mark.parametrize("content_type", [SINGLE, BATCH, JSON])
def test_what_is_no_event_is_refused(desk: Desk, body: str | bytes, content_type: str) -> None:
    problem(desk.post_events(body, content_type), 400)


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/x-ndjson", "nonsense", ""]
)
def test_other_content_types_are_refused(desk: Desk, content_type: str) -> None:
    problem(desk.post_events(cloud_event("x"), content_type), 400, "invalid content type")


def test_a_thousand_repeats_count_once(desk: Desk) -> None:
    meter = desk.meter("COUNT", groupBy={"n": "$.n"})
    repeated = cloud_event(meter, {"n": "first"})
    desk.send(repeated)
    desk.send(*[repeated | {"subject": f"s{n}", "data": {"n": str(n)}} for n in range(999)])
    assert desk.query(meter, groupBy=["n", "subject"])["data"][0]["groupBy"] == {"n": "first"}
    assert desk.values(meter) == [1]
    desk.send(repeated | {"source": "elsewhere"})
    assert desk.values(meter) == [2]


def test_times(desk: Desk) -> None:
    meter = desk.meter("COUNT")
    dropped = ("1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z")
    kept = ("1970-01-01T00:00:01Z", "2026-03-01T23:30:00+09:30", "2299-12-31T00:00:00.999Z")
    desk.send(*[cloud_event(meter, time=time) for time in (*dropped, *kept)])
    assert [item["event"]["time"] for item in desk.listed(meter)] == [
        "2299-12-31T00:00:00Z",
        "2026-03-01T14:00:00Z",
        "1970-01-01T00:00:01Z",
    ]
    assert desk.values(meter) == [3]


def test_a_time_that_is_not_given_is_now(desk: Desk) -> None:
    name = fresh()
    desk.send(cloud_event(name), cloud_event(name, time=None), cloud_event(name, time="0001-01-01T00:00:00Z"))
    assert all(item["event"]["time"] == item["ingestedAt"] for item in desk.listed(name))


REASONS = [
    (None, "invalid event: null and missing value property"),
    ("{}", 'invalid event: missing value property: "$.value"'),
    ('{"value": null}', "invalid event: value cannot be null"),
    ('{"value": "NaN"}', "invalid event: value cannot be NaN"),
    ('{"value": "Inf"}', "invalid event: value cannot be infinity"),
    ('{"value": "abc"}', "invalid event: value cannot be parsed as float64: abc"),
    ('{"value": true}', "invalid event: unsupported value property type: boolean"),
    ('{"value": {}}', "invalid event: unsupported value property type: object"),
    ('{"value": [1]}', "invalid event: unsupported value property type: array"),
]


def test_events_say_why_they_do_not_count(desk: Desk) -> None:
    meter, subject = desk.meter(), fresh("s")
    for number, (data, _) in enumerate(REASONS):
        desk.send(cloud_event(meter, json.loads(data) if data else None, id=str(number), subject=subject))
    first = desk.http.get("/api/v1/events", params={"subject": subject}).json()
    for listed in (first, desk.listed(meter)):
        told = {item["event"]["id"]: item["validationError"] for item in listed}
        for number, (_, reason) in enumerate(REASONS):
            remark = f"no customer found for event subject: {subject}"
            assert told[str(number)].split("\n") == [reason, remark]
    assert desk.query(meter)["data"] == []
    desk.send(cloud_event(meter, {"value": "100"}))
    assert desk.values(meter) == [100]
    unknown = fresh()
    desk.send(cloud_event(unknown))
    assert f"no meter found for event type: {unknown}" in desk.listed(unknown)[0]["validationError"]


def test_the_first_list(desk: Desk) -> None:
    now, subject = desk.now(), fresh()

    def at(**ago: float) -> str:
        return (now - timedelta(**ago)).isoformat()

    ids = [f"a%_{number}{subject}" for number in range(4)]
    times = [at(days=31.9), at(days=40), at(hours=1), at(hours=2)]
    desk.send(
        *[
            cloud_event(
                "x", {"n": 1}, id=id, subject=subject, time=time, dataschema="https://x.test/s", extra=1
            )
            for id, time in zip(ids, times, strict=True)
        ]
    )

    def listed(**params: object) -> list[int]:
        answer = desk.http.get("/api/v1/events", params={"subject": subject, **params})
        assert answer.status_code == 200, answer.text
        return [ids.index(item["event"]["id"]) for item in answer.json()]

    assert listed() == [2, 3, 0]
    assert listed(limit=1) == [2]
    assert listed(**{"from": times[3]}) == [2, 3]
    assert listed(**{"from": times[3], "to": times[2]}) == [3]
    assert listed(**{"from": times[2], "to": times[2]}) == []
    assert listed(id="%_2") == [2]
    assert listed(id="nobody") == []
    assert listed(ingestedAtFrom=at(minutes=10)) == [2, 3, 0]
    assert listed(ingestedAtTo=at(minutes=10)) == []
    assert listed(clientId="progress") == [2, 3, 0]
    row = desk.http.get("/api/v1/events", params={"subject": subject}).json()[0]
    assert row["event"] == {
        "id": ids[2],
        "source": "tests/x",
        "specversion": "1.0",
        "type": "x",
        "subject": subject,
        "time": (now - timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": {"n": 1},
    }
    assert row["storedAt"] >= row["ingestedAt"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"from": "1971-01-01T00:00:00Z"}, "from must not be older than 32 days"),
        ({"ingestedAtFrom": "1971-01-01T00:00:00Z"}, "ingestedAtFrom"),
        ({"from": "9999-01-01T00:00:00Z", "to": "9998-01-01T00:00:00Z"}, "from"),
        ({"ingestedAtFrom": "9999-01-01T00:00:00Z", "ingestedAtTo": "9998-01-01T00:00:00Z"}, "ingestedAt"),
        ({"to": "1971-01-01T00:00:00Z"}, "from"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"from": "today"}, "from"),
        ({"customerId": ANY_ID}, "customers not found"),
        ({"customerId": "nobody"}, "customerId"),
        ({"clientId": ""}, "clientId"),
        ({"clientId": "x" * 37}, "clientId"),
    ],
    ids=str,
)
def test_wrong_questions_to_the_first_list(desk: Desk, params: dict[str, str], words: str) -> None:
    problem(desk.http.get("/api/v1/events", params=params), 400, words)


def test_the_second_list_pages(desk: Desk) -> None:
    name = fresh()
    desk.send(*[cloud_event(name, id=str(n), time=f"2026-03-01T00:00:0{n // 3}Z") for n in range(10)])
    query = {"filter": json.dumps({"type": {"$eq": name}}), "limit": 5}
    seen, sizes = [], []
    for _ in range(3):
        page = desk.http.get("/api/v2/events", params=query).json()
        seen += [item["event"]["id"] for item in page["items"]]
        sizes.append(len(page["items"]))
        if "nextCursor" not in page:
            break
        query["cursor"] = page["nextCursor"]
    assert sizes == [5, 5, 0]
    assert sorted(seen) == [str(n) for n in range(10)]
    assert [int(id) // 3 for id in seen] == sorted((n // 3 for n in range(10)), reverse=True)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "abc"),
        ({"id": {"$eq": "a"}}, "a"),
        ({"id": {"$ne": "a"}}, "bc"),
        ({"id": {"$in": ["a", "c", "'; DROP TABLE events"]}}, "ac"),
        ({"id": {"$in": []}}, ""),
        ({"id": {"$nin": ["a"]}}, "bc"),
        ({"subject": {"$like": "s-_"}}, "abc"),
        ({"subject": {"$nlike": "s-1%"}}, "bc"),
        ({"subject": {"$ilike": "S-%"}}, "abc"),
        ({"subject": {"$nilike": "S-2"}}, "ac"),
        ({"id": {"$gt": "a"}}, "bc"),
        ({"id": {"$gte": "b"}}, "bc"),
        ({"id": {"$lt": "b"}}, "a"),
        ({"id": {"$lte": "b"}}, "ab"),
        ({"id": {"$or": [{"$eq": "a"}, {"$eq": "c"}]}}, "ac"),
        ({"id": {"$and": [{"$gt": "a"}, {"$lt": "c"}]}}, "b"),
        ({"id": {"$eq": None}}, "abc"),
        ({"source": {"$like": "tests/%"}, "id": {"$eq": "b"}}, "b"),
        ({"time": {"$gte": "2026-03-02T00:00:00Z"}}, "bc"),
        ({"time": {"$and": [{"$gt": "2026-03-01T00:00:00Z"}, {"$lt": "2026-03-03T00:00:00Z"}]}}, "b"),
        ({"time": {"$or": [{"$lt": "2026-03-02T00:00:00Z"}, {"$gt": "9999-01-01T00:00:00Z"}]}}, "a"),
        ({"ingestedAt": {"$lte": "1999-01-01T00:00:00Z"}}, ""),
        ({"customerId": {"$in": []}}, ""),
        ({"customerId": {}}, "abc"),
        ({"id": {"$eq": "x" * 5000}}, ""),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_filters_of_the_second_list(desk: Desk, wanted: dict[str, Any], found: str) -> None:
    name = fresh()
    desk.send(
        *[
            cloud_event(name, id=id, subject=f"s-{n}", time=f"2026-03-0{n}T00:00:00Z")
            for n, id in enumerate("abc", 1)
        ]
    )
    items = desk.listed(name, filter=json.dumps({"type": {"$eq": name}} | wanted))
    assert sorted(item["event"]["id"] for item in items) == list(found)


@pytest.mark.parametrize(
    "wanted",
    [
        "{",
        "5",
        "[]",
        '"x"',
        "null",
        {"id": 5},
        {"id": {"$eq": 5}},
        {"id": {"$eq": ""}},
        {"id": {"$like": ""}},
        {"id": {"$like": "\\"}},
        {"id": {"$eq": "a", "$ne": "b"}},
        {"id": {"$regex": "a"}},
        {"id": {"$eq": "\ud800"}},
        {"id": {"$eq": "\x00"}},
        '{"id":' * 900 + "1" + "}" * 900,
        {"id": {"$and": [{"$or": [{"$eq": "a"}]}]}},
        {"id": {"$or": [{"$eq": "x"}] * 1000}},
        {"nobody": {"$eq": "a"}},
        {"time": {"$eq": "2026-03-01T00:00:00Z"}},
        {"time": {"$gt": "yesterday"}},
        {"time": {"$gt": "0001-01-01T00:00:00+14:00"}},
        {"customerId": {"$in": [ANY_ID]}},
        {"customerId": {"$in": ["nobody"]}},
        {"customerId": {"$ne": ANY_ID}},
    ],
    ids=lambda value: str(value)[:60],
)
def test_broken_filters(desk: Desk, wanted: object) -> None:
    text = wanted if isinstance(wanted, str) else json.dumps(wanted)
    problem(desk.http.get("/api/v2/events", params={"filter": text}), 400)


@pytest.mark.parametrize(
    "cursor",
    ["x", "!!!", "AAAA", "MjAyNi0wMy0wMVQwMDowMDowMFo=", "MDAwMS0wMS0wMVQwMDowMDowMCsxNDowMCxY", "x" * 5000],
)
def test_broken_cursors(desk: Desk, cursor: str) -> None:
    problem(desk.http.get("/api/v2/events", params={"cursor": cursor}), 400, "cursor")


@pytest.mark.parametrize(
    "text", ["'", '"', "\\", "'; DROP TABLE events; --", "{x:String}", "\x00", "ü\u2028", "x" * 4000]
)
def test_hostile_texts_come_back_as_sent(desk: Desk, text: str) -> None:
    meter, id = desk.meter(groupBy={"g": "$.g"}), text + str(uuid4())[: 4096 - len(text)]
    desk.send(cloud_event(meter, {"value": 7, "g": text}, id=id, source=text, subject=text))
    (item,) = desk.listed(meter)
    event = item["event"]
    assert (event["id"], event["source"], event["subject"], event["data"]["g"]) == (id, text, text, text)
    question = {"subject": [text], "filterGroupBy": {"g": [text]}, "groupBy": ["g"]}
    if text == "\x00":  # bodies with it are refused, as no id or name may hold it
        desk.ask(meter, question, status=400)
        question = {"groupBy": ["subject", "g"]}
    (row,) = desk.ask(meter, question)["data"]
    assert (row["value"], row["subject"], row["groupBy"]) == (7, text, {"g": text})


def test_odd_data_come_back_as_sent(desk: Desk) -> None:
    meter = desk.meter()
    template = json.dumps(cloud_event(meter)).rstrip("}") + ', "data": %s}'
    big = 2**70
    desk.post_events(template.replace('"id": "', '"id": "1') % f'{{"value": {big}, "value": "x"}}', JSON)
    desk.post_events(template.replace('"id": "', '"id": "2') % f'{{"n": {"9" * 5000}, "f": 1.10}}', JSON)
    wide = {f"k{number}": number for number in range(10_000)}
    deep: Any = 1
    for _ in range(60):
        deep = {"a": deep}
    desk.send(cloud_event(meter, wide | {"value": 1}), cloud_event(meter, {"value": 2, "deep": deep}))
    answer = desk.http.get("/api/v2/events", params={"filter": json.dumps({"type": {"$eq": meter}})})
    assert f'{{"value": {big}, "value": "x"}}' in answer.text
    assert {"n": None, "f": 1.1} in [item["event"]["data"] for item in answer.json()["items"]]
    assert desk.values(meter) == [float(big + 3)]


def test_keys_open_what_their_scopes_name(desk: Desk, stranger: httpx.Client) -> None:
    for method, path in (("POST", "/api/v1/events"), ("GET", "/api/v1/events"), ("GET", "/api/v2/events")):
        problem(stranger.request(method, path), 401)
        problem(stranger.request(method, path, headers={"authorization": "Basic eDp5"}), 401)
    problem(desk.http.delete("/api/v1/events"), 405)
    problem(desk.http.post("/api/v2/events", json={}), 405)
    problem(desk.http.get("/api/v1/eventz"), 404)


def test_a_body_beyond_the_bound_is_refused(desk: Desk) -> None:
    problem(desk.post_events("x" * (33 * 1024 * 1024)), 413)
