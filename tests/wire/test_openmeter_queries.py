"""Questions to OpenMeter's meters over plain HTTP: filters, windows, CSV, and everything that is refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from tests.openmeter_client import HOSTILE, Desk, cloud_event, problem, quoted

T = "2026-03-01T00:00:00Z"
ANY_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture
def desk(http: httpx.Client) -> Desk:
    return Desk(http)


@pytest.mark.parametrize("key", HOSTILE)
def test_group_by_names_that_are_not_there(desk: Desk, key: str) -> None:
    meter = desk.meter()
    problem(desk.http.get(f"/api/v1/meters/{meter}/group-by/{quoted(key)}/values"), 404, "not found")
    for name in ("groupBy", f"filterGroupBy[{key}]"):
        value = key if name == "groupBy" else "x"
        problem(desk.http.get(f"/api/v1/meters/{meter}/query", params={name: value}), 400)
    for body in (
        {"groupBy": [key]},
        {"filterGroupBy": {key: ["x"]}},
        {"advancedMeterGroupByFilters": {key: {"$eq": "x"}}},
    ):
        desk.ask(meter, body, status=400)


WRONG_QUESTIONS: list[tuple[dict[str, Any], int, str]] = [
    ({"from": T, "to": T}, 400, "to must be after from"),
    ({"from": T, "to": "2026-02-01T00:00:00Z"}, 400, "to must be after from"),
    ({"from": "2026-03-01T00:00:00.1Z", "to": "2026-03-01T00:00:00.9Z"}, 400, "to must be after from"),
    ({"from": "2026-03-01"}, 400, "from"),
    ({"from": "0001-01-01T00:00:00+14:00"}, 400, "from"),
    ({"windowSize": "WEEK"}, 400, "windowSize"),
    ({"windowSize": "day"}, 400, "windowSize"),
    ({"windowTimeZone": "Mars/Base"}, 400, "time zone"),
    ({"windowTimeZone": "../etc/passwd", "windowSize": "DAY"}, 400, "time zone"),
    ({"groupBy": ["nobody"]}, 400, "invalid group by: nobody"),
    ({"groupBy": ["customer_id"]}, 400, "filterCustomerId"),
    ({"filterCustomerId": [ANY_ID]}, 404, "not found"),
    ({"filterCustomerId": ["nobody"], "groupBy": ["customer_id"]}, 404, "not found"),
    ({"clientId": ""}, 400, "clientId"),
    ({"clientId": "x" * 37}, 400, "clientId"),
]


@pytest.mark.parametrize(("question", "status", "words"), WRONG_QUESTIONS, ids=lambda value: str(value)[:50])
def test_wrong_questions(desk: Desk, question: dict[str, Any], status: int, words: str) -> None:
    meter = desk.meter(groupBy={"g": "$.g"})
    path = f"/api/v1/meters/{meter}/query"
    problem(desk.http.get(path, params=question), status, words)
    problem(desk.http.get(path, params=question, headers={"accept": "text/csv"}), status, words)
    problem(desk.http.post(path, json=question), status, words)


@pytest.mark.parametrize(
    "question",
    [
        {"advancedMeterGroupByFilters": {"g": {"$eq": "x"}}, "filterGroupBy": {"g": ["x"]}},
        {"advancedMeterGroupByFilters": {"nobody": {}}},
        {"advancedMeterGroupByFilters": {"g": {"$eq": "x", "$ne": "y"}}},
        {"advancedMeterGroupByFilters": {"g": {"$eq": ""}}},
        {"advancedMeterGroupByFilters": {"g": {"$like": "\\"}}},
        {"advancedMeterGroupByFilters": {"g": {"$starts": "a"}}},
        {"advancedMeterGroupByFilters": {"g": "x"}},
        {"advancedMeterGroupByFilters": []},
        {"filterGroupBy": {"nobody": ["x"]}},
        {"filterGroupBy": {"g": "x"}},
        {"filterGroupBy": []},
        {"subject": "x"},
        {"subject": ["x"] * 101},
        {"groupBy": ["g"] * 101},
        {"filterCustomerId": ["x"] * 101},
        {"from": 5},
        [],
        5,
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_wrong_bodies(desk: Desk, question: Any) -> None:
    desk.ask(desk.meter(groupBy={"g": "$.g"}), question, status=400)


def test_wrong_filters_in_the_query(desk: Desk) -> None:
    meter = desk.meter(groupBy={"g": "$.g"})
    for text in (
        "5",
        "[]",
        "{",
        '"x"',
        "null",
        '{"g": 5}',
        '{"g": {"$eq": "\\ud800"}}',
        '{"\\ud800": {"$eq": "x"}}',
    ):
        desk.query(meter, advancedMeterGroupByFilters=text, status=400)
    for text in ("5", "x", "{'g': 5}", "{'g': ['x']}", "{'nobody': 'x'}", "{1: 2}", "__import__('os')"):
        desk.query(meter, filterGroupBy=text, status=400)
    both = {"advancedMeterGroupByFilters": '{"g": {"$eq": "x"}}', "filterGroupBy[g]": "x"}
    desk.query(meter, **both, status=400)


def test_filters_by_group(desk: Desk) -> None:
    meter = desk.meter(groupBy={"g": "$.g", "h": "$.h"})
    groups = ["a", "b", "it's", '"', "", None]
    desk.send(*[cloud_event(meter, {"value": 2**n, "g": g, "h": "h"}) for n, g in enumerate(groups)])
    assert desk.values(meter, **{"filterGroupBy[g]": "a", "filterGroupBy[h]": "h"}) == [1]
    assert desk.values(meter, **{"filterGroupBy[g]": ""}) == [48]
    assert desk.values(meter, filterGroupBy=str({"g": "it's"})) == [4]
    assert desk.values(meter, filterGroupBy="{}") == [63]
    for wanted, value in (
        ({"g": {"$in": ["a", '"']}}, [9]),
        ({"g": {"$ne": "a"}, "h": {"$eq": "h"}}, [62]),
        ({"g": {"$or": [{"$and": [{"$gt": "a"}, {"$lt": "c"}]}, {"$like": "it_s"}]}}, [6]),
        ({"g": {}}, [63]),
        ({}, [63]),
    ):
        assert desk.values(meter, advancedMeterGroupByFilters=json.dumps(wanted)) == value
        (row,) = desk.ask(meter, {"advancedMeterGroupByFilters": wanted})["data"]
        assert [row["value"]] == value
    assert desk.ask(meter, {"filterGroupBy": {"g": []}})["data"] == []
    rows = desk.ask(meter, {"groupBy": ["g", "g"], "from": T})["data"]
    assert {row["groupBy"]["g"]: row["value"] for row in rows} == {"a": 1, "b": 2, "it's": 4, '"': 8, "": 48}


def test_questions_about_nothing(desk: Desk) -> None:
    for aggregation in ("COUNT", "UNIQUE_COUNT"):
        meter = desk.meter(aggregation, groupBy={"g": "$.g"})
        assert desk.values(meter) == [0]
        assert desk.values(meter, **{"from": "9999-12-31T23:59:59Z"}) == [0]
        assert desk.values(meter, to="0001-01-01T00:00:00Z") == [0]
        for rest in ({"windowSize": "DAY"}, {"groupBy": "g"}, {"subject": "x"}):
            assert desk.values(meter, **rest) == []
    for aggregation in ("SUM", "AVG", "MIN", "MAX", "LATEST"):
        assert desk.values(desk.meter(aggregation)) == []


def test_the_widest_range_holds_everything(desk: Desk) -> None:
    meter = desk.meter(eventFrom="1980-01-01T00:00:00Z")
    times = ("1979-12-31T23:59:59Z", "1980-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2299-12-31T23:59:59Z")
    desk.send(*[cloud_event(meter, {"value": 10**n}, time=time) for n, time in enumerate(times)])
    widest = {"from": "0001-01-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}
    assert desk.values(meter) == desk.values(meter, **widest) == [1110]
    for window, zone in (("MONTH", "UTC"), ("DAY", "America/New_York"), ("MINUTE", "Asia/Kolkata")):
        assert desk.values(meter, windowSize=window, windowTimeZone=zone, **widest) == [10, 100, 1000]


def test_a_sum_beyond_doubles_is_the_largest_double(desk: Desk) -> None:
    for value, expected in ((1e308, 1.7976931348623157e308), (-1e308, -1.7976931348623157e308)):
        meter = desk.meter()
        desk.send(*[cloud_event(meter, {"value": value}) for _ in range(20)])
        assert desk.values(meter) == [expected]
        csv = desk.http.get(f"/api/v1/meters/{meter}/query", headers={"accept": "text/csv"})
        assert float(csv.text.splitlines()[1].split(",")[-1]) == expected


def test_edges_may_be_partial(desk: Desk) -> None:
    meter = desk.meter("COUNT")
    desk.send(*[cloud_event(meter, time=f"2026-03-01T00:{n:02}:30Z") for n in range(60)])
    inside = {"from": "2026-03-01T00:10:30.999Z", "to": "2026-03-01T00:20:30Z"}
    answer = desk.query(meter, **inside)
    assert (answer["from"], answer["to"]) == ("2026-03-01T00:10:30Z", "2026-03-01T00:20:30Z")
    assert [row["value"] for row in answer["data"]] == [10]
    (row,) = desk.query(meter, **inside, windowSize="HOUR")["data"]
    assert (row["value"], row["windowStart"], row["windowEnd"]) == (10, T, "2026-03-01T01:00:00Z")


def test_csv(desk: Desk) -> None:
    meter = desk.meter(groupBy={"g": "$.g", "h": "$.h"})
    odd = 'a,"b"\r\nc'
    desk.send(cloud_event(meter, {"value": 0.1234567, "g": odd, "h": "ü"}, subject="s,1", time=T))
    path, csv = f"/api/v1/meters/{meter}/query", {"accept": "text/csv"}
    question = {"groupBy": ["h", "subject", "g"], "windowSize": "DAY"}
    expected = (
        "window_start,window_end,subject,h,g,value\n"
        '2026-03-01T00:00:00Z,2026-03-02T00:00:00Z,"s,1",ü,"a,""b""\r\nc",0.123457\n'
    )
    for answer in (
        desk.http.get(path, params=question, headers=csv),
        desk.http.post(path, json=question, headers=csv),
    ):
        assert (answer.status_code, answer.text) == (200, expected)
        assert answer.headers["content-type"] == "text/csv"
        assert answer.headers["content-disposition"] == f"attachment; filename={meter}.csv"
    assert desk.http.post(path, headers=csv).text.splitlines()[0] == "window_start,window_end,value"
    problem(desk.http.post(path), 400, "body")


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "nonsense", "application/xml;q=x", "text/csvx"])
def test_any_other_accept_means_json(desk: Desk, accept: str) -> None:
    path = f"/api/v1/meters/{desk.meter('COUNT')}/query"
    answer = desk.http.get(path, headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


def test_very_long_texts(desk: Desk) -> None:
    meter, long = desk.meter(groupBy={"g": "$.g"}), "x'" * 500_000
    desk.send(cloud_event(meter, {"value": 1, "g": long}))
    assert desk.ask(meter, {"filterGroupBy": {"g": [long]}})["data"][0]["value"] == 1
    assert desk.ask(meter, {"subject": [long]})["data"] == []
    filters = {"g": {"$or": [{"$eq": long}, {"$like": "%" + long}]}}
    assert desk.ask(meter, {"advancedMeterGroupByFilters": filters})["data"][0]["value"] == 1
    desk.ask(meter, {"groupBy": [long]}, status=400)
    desk.ask(meter, {"windowTimeZone": long}, status=400)


def test_subjects_and_values_by_range(desk: Desk) -> None:
    meter = desk.meter("COUNT", groupBy={"g": "$.g"})
    path = f"/api/v1/meters/{meter}"
    for day in (1, 2, 3):
        desk.send(cloud_event(meter, {"g": f"g{day}"}, subject=f"s{day}", time=f"2026-03-0{day}T00:00:00Z"))
    span = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
    assert desk.http.get(f"{path}/subjects").json() == ["s1", "s2", "s3"]
    assert desk.http.get(f"{path}/subjects", params=span).json() == ["s2"]
    assert desk.http.get(f"{path}/group-by/g/values", params=span).json() == ["g2"]
    assert desk.http.get(f"{path}/group-by/g/values", params={"to": span["from"]}).json() == ["g1"]
    assert desk.http.get(f"{path}/group-by/g/values").json() == []  # none of the last 24 hours
    desk.send(cloud_event(meter, {"g": "now"}))
    assert desk.http.get(f"{path}/group-by/g/values").json() == ["now"]
    for rest in ("subjects", "group-by/g/values"):
        problem(desk.http.get(f"{path}/{rest}", params={"from": "x"}), 400, "from")
        problem(desk.http.get(f"{path}/{rest}", params={"from": "0001-01-01T00:00:00+14:00"}), 400, "from")
