"""Events explain themselves through both interfaces, for meters made through either."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from tests.openmeter_client import Desk, cloud_event, fresh


@pytest.fixture
def desk(http: httpx.Client) -> Desk:
    return Desk(http)


def polar_meter(http: httpx.Client, name: str, model: str) -> str:
    clauses = [
        {"property": "name", "operator": "eq", "value": name},
        {"property": "model", "operator": "eq", "value": model},
    ]
    body = {
        "name": f"Polar {name}",
        "filter": {"conjunction": "and", "clauses": clauses},
        "aggregation": {"func": "sum", "property": "value"},
    }
    answer = http.post("/v1/meters/", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def told(desk: Desk, type: str, *meters: str, **params: Any) -> list[dict[str, Any]]:
    query = {"filter": json.dumps({"type": {"$eq": type}}), "meter": list(meters)} | params
    answer = desk.http.get("/api/v2/events/explanations", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_each_meter_says_what_it_makes_of_each_event(desk: Desk) -> None:
    adds = desk.meter()
    late = fresh()
    body = {"slug": late, "eventType": adds, "aggregation": "COUNT", "eventFrom": "2026-03-03T00:00:00Z"}
    assert desk.http.post("/api/v1/meters", json=body).status_code == 201
    other = desk.meter()
    lite = polar_meter(desk.http, adds, "lite")
    datas = [{"value": "0.1", "model": "lite"}, {"value": 2, "model": "lite"}, {"value": 3}, None]
    desk.send(
        *(
            cloud_event(adds, data, id=str(number), time=f"2026-03-02T0{number}:00:00Z")
            for number, data in enumerate(datas)
        )
    )
    asked = (adds, late, other, lite)
    items = {item["event"]["id"]: {m["slug"]: m for m in item["meters"]} for item in told(desk, adds, *asked)}
    assert [items[str(n)][adds].get("value") for n in range(4)] == [0.1, 2, 3, None]
    assert items["3"][adds]["reason"] == {
        "code": "no_data",
        "message": "invalid event: null and missing value property",
    }
    assert {event[late]["reason"]["code"] for event in items.values()} == {"before_event_from"}
    assert {event[other]["reason"]["code"] for event in items.values()} == {"filter_not_met"}
    by_polar = [next(m for m in items[str(n)].values() if m["madeThrough"] == "polar") for n in range(4)]
    assert [verdict["isCounted"] for verdict in by_polar] == [False, True, False, False]
    assert by_polar[0]["reason"]["code"] == "value_type"
    assert by_polar[2]["reason"]["message"] == (
        'filter not met: model must be equal to "lite", but it is missing'
    )


def test_explanations_are_paged_and_name_all_meters(desk: Desk) -> None:
    meter = desk.meter("COUNT")
    desk.send(*(cloud_event(meter, id=str(number)) for number in range(3)))
    params: dict[str, Any] = {"filter": json.dumps({"type": {"$eq": meter}}), "limit": 2}
    first = desk.http.get("/api/v2/events/explanations", params=params).json()
    second = desk.http.get(
        "/api/v2/events/explanations", params=params | {"cursor": first["nextCursor"]}
    ).json()
    items = first["items"] + second["items"]
    assert sorted(item["event"]["id"] for item in items) == ["0", "1", "2"]
    assert all(item["meters"][0]["slug"] == meter for item in items)
    assert all(item["meters"][0]["value"] == 1 for item in items)


def test_an_unknown_meter_is_not_found(desk: Desk) -> None:
    answer = desk.http.get("/api/v2/events/explanations", params={"meter": "no_such_meter"})
    assert answer.status_code == 404
    assert "no_such_meter" in answer.json()["detail"]


def test_an_event_explains_itself_through_polar(http: httpx.Client) -> None:
    name = fresh("e")
    meter, other = polar_meter(http, name, "lite"), polar_meter(http, name, "pro")
    event = {"name": name, "external_customer_id": "u", "metadata": {"model": "lite", "value": 2.5}}
    assert http.post("/v1/events/ingest", json={"events": [event]}).json()["inserted"] == 1
    assert http.patch(f"/v1/meters/{meter}", json={"is_archived": True}).status_code == 200
    (listed,) = http.get("/v1/events/", params={"name": name}).json()["items"]
    answer = http.get(f"/v1/events/{listed['id']}/explanation").json()
    assert answer["event_id"] == listed["id"]
    verdicts = {verdict["meter_id"]: verdict for verdict in answer["meters"]}
    assert (verdicts[meter]["is_counted"], verdicts[meter]["value"]) == (True, 2.5)
    assert verdicts[meter]["is_archived"] is True
    assert (verdicts[other]["value"], verdicts[other]["reason"]["code"]) == (None, "filter_not_met")
    assert http.get("/v1/events/00000000-0000-4000-8000-000000000000/explanation").status_code == 404
