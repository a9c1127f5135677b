"""Meters and events made through the OpenMeter facade, as Polar's programs see them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

DAY = {
    "start_timestamp": "2026-03-02T00:00:00Z",
    "end_timestamp": "2026-03-02T00:00:00Z",
    "interval": "day",
}


@pytest.fixture
def slug() -> str:
    return f"m{uuid4().hex[:12]}"


def make(http: httpx.Client, slug: str, aggregation: str = "SUM", **rest: Any) -> dict[str, Any]:
    value = {} if aggregation == "COUNT" else {"valueProperty": "$.usage.tokens"}
    body = {"slug": slug, "name": slug, "eventType": slug, "aggregation": aggregation} | value | rest
    answer = http.post("/api/v1/meters", json=body)
    assert answer.status_code in (200, 201), answer.text
    made: dict[str, Any] = answer.json()
    return made


def send(http: httpx.Client, slug: str, data: dict[str, Any]) -> None:
    event = {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "test",
        "type": slug,
        "subject": "u",
        "time": "2026-03-02T12:00:00Z",
        "data": data,
    }
    kind = {"content-type": "application/cloudevents+json"}
    assert http.post("/api/v1/events", json=event, headers=kind).status_code == 204


def test_a_meter_is_told_and_asked_in_polars_words(http: httpx.Client, slug: str) -> None:
    make(http, slug)
    send(http, slug, {"usage": {"tokens": "40"}})
    send(http, slug, {"usage": {"tokens": 2}})
    (meter,) = http.get("/v1/meters/", params={"query": slug}).json()["items"]
    assert meter["aggregation"] == {"func": "sum", "property": "usage.tokens"}
    assert meter["filter"]["clauses"] == [{"property": "name", "operator": "eq", "value": slug}]
    # The meter keeps its own way of reading values, so both facades give one quantity.
    assert http.get(f"/v1/meters/{meter['id']}/quantities", params=DAY).json()["total"] == 42
    assert http.get(f"/v1/meters/{meter['id']}/events").json()["pagination"]["total_count"] == 2
    refused = http.patch(f"/v1/meters/{meter['id']}", json={"aggregation": {"func": "count"}})
    assert refused.json()["detail"][0]["type"] == "forbidden"
    assert http.patch(f"/v1/meters/{meter['id']}", json={"name": "Renamed"}).json()["name"] == "Renamed"


def test_a_meter_that_polar_has_no_words_for_is_not_there(http: httpx.Client, slug: str) -> None:
    make(http, slug, "LATEST")
    assert http.get("/v1/meters/", params={"query": slug}).json()["items"] == []


def test_a_deleted_meter_is_not_there(http: httpx.Client, slug: str) -> None:
    make(http, slug, "COUNT")
    (meter,) = http.get("/v1/meters/", params={"query": slug}).json()["items"]
    assert http.delete(f"/api/v1/meters/{slug}").status_code == 204
    for path in ("", "/quantities", "/events"):
        assert http.get(f"/v1/meters/{meter['id']}{path}", params=DAY).status_code == 404
    assert http.patch(f"/v1/meters/{meter['id']}", json={}).status_code == 404


def test_an_event_with_any_data_has_metadata_that_clients_read(http: httpx.Client, slug: str) -> None:
    send(http, slug, {"a": {"b": [1, None]}, "n": None, "t": "x", "_cost": "much"})
    (event,) = http.get("/v1/events/", params={"name": slug}).json()["items"]
    assert event["metadata"] == {"a": '{"b":[1,null]}', "t": "x"}
    assert event["external_customer_id"] == "u"


def test_an_event_is_the_parent_of_another_by_its_row_id_only(http: httpx.Client, slug: str) -> None:
    send(http, slug, {})
    (parent,) = http.get("/v1/events/", params={"name": slug}).json()["items"]
    child = {"name": slug, "external_customer_id": "u", "parent_id": parent["id"]}
    http.post("/v1/events/ingest", json={"events": [child]})
    assert http.get(f"/v1/events/{parent['id']}").json()["child_count"] == 1
