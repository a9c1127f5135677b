"""Anything a client can send to the metering operations of OpenMeter gets an answer below 500."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.openmeter_client import Desk
from tests.thoroughness import examples

EXAMPLES = settings(
    max_examples=examples(25),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

ODD = st.sampled_from(
    [
        "",
        "'",
        '"',
        "\\",
        "%",
        "_",
        "\x00",
        "\ud800",
        "$",
        "$.a",
        "g",
        "subject",
        "customer_id",
        "COUNT",
        "DAY",
        "UTC",
    ]
)
TIMES = st.sampled_from(
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1899-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z",
        "2026-03-29T01:30:00.999999999+02:00",
        "2300-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        "2026-02-30T00:00:00Z",
    ]
)
TEXTS = ODD | TIMES | st.text(max_size=8)
SCALARS = TEXTS | st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
OPERATORS = st.sampled_from(
    ["$eq", "$ne", "$in", "$nin", "$like", "$ilike", "$gt", "$lte", "$and", "$or", "$x"]
)
FILTERS = st.recursive(
    st.dictionaries(OPERATORS, TEXTS | st.lists(TEXTS, max_size=2) | VALUES, max_size=2),
    lambda inner: st.dictionaries(OPERATORS, st.lists(inner, max_size=2), max_size=1),
)


def objects(fields: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects that have some of the fields, each mostly of its own kind."""
    return st.fixed_dictionaries({}, optional={name: kind | VALUES for name, kind in fields.items()})


EVENTS = objects(
    {
        **dict.fromkeys(
            ("id", "source", "specversion", "type", "subject", "datacontenttype", "dataschema"), TEXTS
        ),
        "time": TIMES,
        "data": st.dictionaries(TEXTS, VALUES, max_size=3),
    }
)
DEFINITIONS = objects(
    {
        "slug": st.from_regex(r"[a-z]{1,3}_[a-z0-9]{4,8}", fullmatch=True),
        "aggregation": st.sampled_from(["SUM", "COUNT", "UNIQUE_COUNT", "LATEST"]),
        "eventType": TEXTS,
        "eventFrom": TIMES,
        "valueProperty": st.sampled_from(["$.a", '$["a"]', "$.a[0]", "$.a[*].b", "$"]),
        "groupBy": st.dictionaries(
            st.sampled_from(["g", "subject", "customer_id"]), st.just("$.g"), max_size=2
        ),
        **dict.fromkeys(("name", "description"), TEXTS),
        "metadata": st.dictionaries(TEXTS, TEXTS, max_size=2),
    }
)
QUESTIONS = objects(
    {
        "from": TIMES,
        "to": TIMES,
        "windowSize": st.sampled_from(["MINUTE", "HOUR", "DAY", "MONTH"]),
        "windowTimeZone": st.sampled_from(
            ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Etc/GMT+12", "posixrules"]
        ),
        "subject": st.lists(TEXTS, max_size=3),
        "groupBy": st.lists(st.just("g") | TEXTS, max_size=3),
        "filterGroupBy": st.dictionaries(st.just("g") | TEXTS, st.lists(TEXTS, max_size=2), max_size=2),
        "advancedMeterGroupByFilters": st.dictionaries(st.just("g") | TEXTS, FILTERS, max_size=2),
        "clientId": TEXTS,
    }
)
EVENT_FILTERS = objects(
    {
        **dict.fromkeys(("id", "source", "subject", "type", "customerId"), FILTERS),
        **dict.fromkeys(("time", "ingestedAt"), st.dictionaries(OPERATORS, TIMES, max_size=1)),
    }
)


@pytest.fixture(scope="module")
def meters(recorder: Any, server: Any) -> list[str]:
    """One meter of each kind, with events of odd data."""
    headers = {"authorization": f"Bearer {server.api_key}"}
    with httpx.Client(base_url=server.base_url, headers=headers, timeout=60) as client:
        desk = Desk(client)
        made = [
            desk.meter(kind, groupBy={"g": "$.g"})
            for kind in ("SUM", "COUNT", "UNIQUE_COUNT", "AVG", "MIN", "MAX", "LATEST")
        ]
        data = [
            {"value": 2**70, "g": 5},
            {"value": "1e300"},
            {"value": -1e308, "g": [1]},
            {"value": None},
            None,
        ]
        for meter in made:
            desk.send(*[{**_event(meter, n), "data": item} for n, item in enumerate(data)])
    return made


def _event(meter: str, number: int) -> dict[str, Any]:
    years = ("1970", "1999", "2026", "2100", "2299")
    time = f"{years[number]}-06-01T00:00:01Z"
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": meter,
        "type": meter,
        "subject": "u",
        "time": time,
    }


def check(answer: httpx.Response) -> httpx.Response:
    assert answer.status_code < 500, answer.text
    return answer


def spelt(value: Any) -> Any:
    """A value as a query parameter."""
    if isinstance(value, list):
        return [spelt(item) for item in value]
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")


@EXAMPLES
@given(body=st.lists(EVENTS, max_size=3) | EVENTS | VALUES)
def test_ingest(http: httpx.Client, body: Any) -> None:
    for content_type in (
        "application/json",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    ):
        check(http.post("/api/v1/events", content=json.dumps(body), headers={"content-type": content_type}))


@EXAMPLES
@given(body=DEFINITIONS | VALUES)
def test_definitions(http: httpx.Client, body: Any) -> None:
    headers = {"content-type": "application/json"}
    made = check(http.post("/api/v1/meters", content=json.dumps(body), headers=headers))
    if made.status_code == 201:
        path = f"/api/v1/meters/{made.json()['id']}"
        check(http.get(f"{path}/query"))
        check(http.put(path, content=json.dumps(body), headers=headers))
        check(http.delete(path))


@EXAMPLES
@given(index=st.integers(0, 6), question=QUESTIONS | VALUES)
def test_questions(http: httpx.Client, meters: list[str], index: int, question: Any) -> None:
    path = f"/api/v1/meters/{meters[index]}/query"
    for accept in ("application/json", "text/csv"):
        headers = {"accept": accept, "content-type": "application/json"}
        check(http.post(path, content=json.dumps(question), headers=headers))
        if isinstance(question, dict):
            params = [(name, item) for name, value in question.items() for item in _items(spelt(value))]
            check(http.get(path, params=httpx.QueryParams(_texts(params)), headers=headers))


@EXAMPLES
@given(filter=EVENT_FILTERS | VALUES, cursor=st.none() | TEXTS, limit=st.none() | TEXTS)
def test_lists(http: httpx.Client, filter: Any, cursor: str | None, limit: str | None) -> None:
    given = [("filter", json.dumps(filter)), ("cursor", cursor), ("limit", limit)]
    params = [(name, spelt(value)) for name, value in given if value is not None]
    check(http.get("/api/v2/events", params=httpx.QueryParams(_texts(params))))
    if isinstance(filter, dict):
        first = [(name, spelt(value)) for name, value in filter.items()]
        check(http.get("/api/v1/events", params=httpx.QueryParams(_texts(first))))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(pairs: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Pairs that `httpx` can percent-encode; bytes that are no UTF-8 go as replacement characters."""
    return [
        (name.encode("utf-8", "replace").decode(), value.decode("utf-8", "replace"))
        for name, value in pairs
        if isinstance(value, bytes)
    ]
