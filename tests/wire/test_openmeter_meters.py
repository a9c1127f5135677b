"""OpenMeter's meters over plain HTTP: definitions, changes, lists, and everything that is refused."""

from __future__ import annotations

import httpx
import pytest
from tests.openmeter_client import HOSTILE, Desk, cloud_event, fresh, problem, quoted

T = "2026-03-01T00:00:00Z"
ANY_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


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
    path = f"/api/v1/meters/{quoted(slug)}"
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
