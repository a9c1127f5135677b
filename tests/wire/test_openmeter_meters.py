"""OpenMeter's meters over plain HTTP: definitions, questions, CSV, and everything that is refused."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from tests.openmeter_client import Desk, cloud_event, fresh, problem

T = "2026-03-01T00:00:00Z"
ANY_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
HOSTILE = ["'", '"', "\\", "a'; DROP TABLE meters; --", "{x:String}", "%00", "é", "x" * 200, "../x", " "]


@pytest.fixture
def desk(http: httpx.Client) -> Desk:
    return Desk(http)


def definition(**rest: object) -> dict[str, object]:
    name = fresh()
    return {"slug": name, "eventType": name, "aggregation": "SUM", "valueProperty": "$.value"} | rest


def test_a_meter_as_it_is_written(desk: Desk) -> None:
    given = definition(
        name="Tokens",
        description="Spent",
        eventFrom="2026-01-01T01:00:00+01:00",
        groupBy={"model": "$.model", "_A1": '$["a b"][0].c[*]'},
        metadata={"team": "ai"},
    )
    read_only = {"id": ANY_ID, "createdAt": "x", "updatedAt": 5, "deletedAt": T, "annotations": {}}
    answer = desk.http.post("/api/v1/meters", json=given | read_only | {"unknown": 1})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made["createdAt"] == made["updatedAt"] != "x"
    assert made["id"] != ANY_ID
    rest = {key: value for key, value in made.items() if key not in ("id", "createdAt", "updatedAt")}
    assert rest == given | {"eventFrom": "2026-01-01T00:00:00Z"}
    for path in (made["slug"], made["id"], made["id"].lower()):
        assert desk.http.get(f"/api/v1/meters/{path}").json() == made


def test_the_least_meter_leaves_out_what_is_empty(desk: Desk) -> None:
    given = definition(aggregation="COUNT", metadata=None, groupBy={})
    del given["valueProperty"], given["metadata"], given["groupBy"]
    made = desk.http.post("/api/v1/meters", json=given | {"metadata": None, "groupBy": {}}).json()
    assert made.keys() == {"id", "slug", "name", "eventType", "aggregation", "createdAt", "updatedAt"}
    assert made["name"] == given["slug"]


BAD_DEFINITIONS: list[tuple[dict[str, object], str]] = [
    ({"slug": ""}, "slug"),
    ({"slug": "Upper"}, "slug"),
    ({"slug": "with-dash"}, "slug"),
    ({"slug": "_x"}, "slug"),
    ({"slug": "x" * 65}, "slug"),
    ({"slug": "a\n"}, "slug"),
    ({"slug": "a'; DROP TABLE meters"}, "slug"),
    ({"slug": None}, "slug"),
    ({"name": ""}, "name"),
    ({"name": "x" * 257}, "name"),
    ({"description": ""}, "description"),
    ({"description": "x" * 1025}, "description"),
    ({"eventType": ""}, "eventType"),
    ({"eventType": "a\x00"}, "characters"),
    ({"aggregation": "MEDIAN"}, "aggregation"),
    ({"aggregation": "sum"}, "aggregation"),
    ({"aggregation": "COUNT"}, "value property is not allowed"),
    ({"valueProperty": None}, "valueProperty"),
    ({"valueProperty": ""}, "valueProperty"),
    ({"valueProperty": "value"}, "must start with $"),
    ({"valueProperty": "$.a["}, "JSONPath"),
    ({"valueProperty": "$..a"}, "JSONPath"),
    ({"valueProperty": "$.a'; DROP TABLE events"}, "JSONPath"),
    ({"valueProperty": '$["\\ud800"]'}, "JSONPath"),
    ({"valueProperty": "$" + ".a" * 5000}, "path"),
    ({"valueProperty": "$.a[99999999999]"}, "JSONPath"),
    ({"groupBy": {"a-b": "$.a"}}, "group by key"),
    ({"groupBy": {"1a": "$.a"}}, "group by key"),
    ({"groupBy": {"": "$.a"}}, "group by key"),
    ({"groupBy": {"a'": "$.a"}}, "group by key"),
    ({"groupBy": {"a": "a"}}, "must start with $"),
    ({"groupBy": {"a": "$.value"}}, "must not be the value property"),
    ({"groupBy": {"a": 5}}, "groupBy"),
    ({"groupBy": {f"k{n}": "$.a" for n in range(1000)}}, "group-bys"),
    ({"metadata": {"a": 5}}, "metadata"),
    ({"eventFrom": "yesterday"}, "eventFrom"),
    ({"eventFrom": "0001-01-01T00:00:00+14:00"}, "eventFrom"),
]


@pytest.mark.parametrize(("fault", "words"), BAD_DEFINITIONS, ids=lambda value: str(value)[:60])
def test_wrong_definitions(desk: Desk, fault: dict[str, object], words: str) -> None:
    body = problem(desk.http.post("/api/v1/meters", json=definition() | fault), 400, words)
    assert body["extensions"]["validationErrors"]


def test_several_faults_are_told_at_once(desk: Desk) -> None:
    given = definition(aggregation="COUNT", description="", groupBy={"a-b": "$.a"})
    told = problem(desk.http.post("/api/v1/meters", json=given), 400)["extensions"]["validationErrors"]
    assert [item["field"] for item in told] == ["$.description", "$.valueProperty", "$.groupBy.a-b"]


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "5", "null", '{"slug": "\\ud800"}', '{"a":' * 100 + "1" + "}" * 100]
)
def test_what_is_no_definition(desk: Desk, body: str) -> None:
    json_type = {"content-type": "application/json"}
    problem(desk.http.post("/api/v1/meters", content=body, headers=json_type), 400)
    problem(desk.http.put(f"/api/v1/meters/{fresh()}", content=body, headers=json_type), 400)
    problem(desk.http.post("/api/v1/meters", content="<a/>", headers={"content-type": "text/xml"}), 400)


def test_update_replaces_what_may_change(desk: Desk) -> None:
    meter = desk.meter(name="N", description="D", metadata={"a": "b"}, groupBy={"g": "$.g"})
    desk.send(cloud_event(meter, {"value": 1, "h": "x"}))
    path = f"/api/v1/meters/{meter}"
    ignored = {"slug": "other", "eventType": "other", "aggregation": "COUNT", "valueProperty": "$.o"}
    changed = desk.http.put(path, json={"groupBy": {"h": "$.h"}} | ignored).json()
    assert (changed["name"], changed["groupBy"], changed["valueProperty"]) == (meter, {"h": "$.h"}, "$.value")
    assert not {"description", "metadata"} & changed.keys()
    assert desk.query(meter, groupBy="h")["data"][0]["groupBy"] == {"h": "x"}  # also for earlier events
    desk.query(meter, groupBy="g", status=400)
    problem(desk.http.put(path, json={"description": ""}), 400, "description")
    problem(desk.http.put(path, json={"groupBy": {"g": "$.value"}}), 400, "value property")
    problem(desk.http.put(path, json={"name": ""}), 400, "name")
    assert desk.http.put(path, json={}).json().keys().isdisjoint({"groupBy", "description", "metadata"})


def test_lists(desk: Desk) -> None:
    mine = sorted(desk.meter(name=f"n{9 - number}") for number in range(3))
    desk.http.put(f"/api/v1/meters/{mine[0]}", json={})

    def listed(**params: str | int) -> list[str]:
        answer = desk.http.get("/api/v1/meters", params=params)
        assert answer.status_code == 200, answer.text
        return [meter["slug"] for meter in answer.json() if meter["slug"] in mine]

    assert listed() == listed(page=7, pageSize=1) == listed(orderBy="key", order="ASC") == mine
    assert listed(order="DESC") == mine[::-1]
    for key in ("name", "aggregation", "createdAt", "updatedAt"):
        assert sorted(listed(orderBy=key)) == mine
        assert sorted(listed(orderBy=key, order="DESC")) == mine
    assert listed(orderBy="updatedAt")[-1] == mine[0]
    assert listed(orderBy="updatedAt", order="DESC")[0] == mine[0]
    desk.http.delete(f"/api/v1/meters/{mine[1]}")
    assert listed() == [mine[0], mine[2]]
    assert listed(includeDeleted="true") == mine
    deleted = [m for m in desk.http.get("/api/v1/meters?includeDeleted=true").json() if m["slug"] == mine[1]]
    assert deleted[0]["deletedAt"] >= deleted[0]["createdAt"]
    for wrong in (
        {"order": "up"},
        {"orderBy": "slug"},
        {"page": 0},
        {"pageSize": 1001},
        {"includeDeleted": "x"},
    ):
        problem(desk.http.get("/api/v1/meters", params=wrong), 400, next(iter(wrong)))


@pytest.mark.parametrize("slug", [*HOSTILE, ANY_ID, "00000000-0000-7000-8000-000000000000"])
def test_meters_that_are_not_there(desk: Desk, slug: str) -> None:
    path = httpx.URL(f"http://x/api/v1/meters/{slug}" if slug == "%00" else "http://x").raw_path.decode()
    path = path if slug == "%00" else f"/api/v1/meters/{quoted(slug)}"
    for method, rest, body in (
        ("GET", "", None),
        ("PUT", "", {}),
        ("DELETE", "", None),
        ("GET", "/query", None),
        ("POST", "/query", {}),
        ("GET", "/subjects", None),
        ("GET", "/group-by/x/values", None),
    ):
        problem(desk.http.request(method, path + rest, json=body), 404, "not found")


def quoted(text: str) -> str:
    """One path segment, every byte percent-encoded."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize("key", HOSTILE)
def test_group_by_names_that_are_not_there(desk: Desk, key: str) -> None:
    meter = desk.meter()
    text = "\x00" if key == "%00" else key
    problem(desk.http.get(f"/api/v1/meters/{meter}/group-by/{quoted(text)}/values"), 404, "not found")
    for name in ("groupBy", f"filterGroupBy[{text}]"):
        value = text if name == "groupBy" else "x"
        problem(desk.http.get(f"/api/v1/meters/{meter}/query", params={name: value}), 400)
    for body in (
        {"groupBy": [text]},
        {"filterGroupBy": {text: ["x"]}},
        {"advancedMeterGroupByFilters": {text: {"$eq": "x"}}},
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


def test_who_may_ask(desk: Desk, stranger: httpx.Client) -> None:
    meter = desk.meter()
    for method, path in (
        ("GET", "/api/v1/meters"),
        ("POST", "/api/v1/meters"),
        ("GET", f"/api/v1/meters/{meter}"),
        ("PUT", f"/api/v1/meters/{meter}"),
        ("DELETE", f"/api/v1/meters/{meter}"),
        ("GET", f"/api/v1/meters/{meter}/query"),
        ("POST", f"/api/v1/meters/{meter}/query"),
    ):
        problem(stranger.request(method, path), 401)
    problem(desk.http.patch(f"/api/v1/meters/{meter}", json={}), 405)
    problem(desk.http.delete("/api/v1/meters"), 405)
    problem(desk.http.get(f"/api/v1/meters/{meter}/nothing"), 404)
