"""Events deleted and replaced over HTTP: counted at once on every path, on record, and safe to repeat."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.openmeter_client import Desk, cloud_event, fresh
from tests.server import ServerProcess
from tests.wire.releases import credited_customer

from meterhouse.kernel.ids import to_ulid


@pytest.fixture
def desk(http: httpx.Client) -> Desk:
    return Desk(http)


def delete(desk: Desk, **params: str) -> httpx.Response:
    return desk.http.delete("/api/v1/events", params=params)


def put(desk: Desk, event: object, **params: str) -> httpx.Response:
    return desk.http.put("/api/v1/events", json=event, params=params)


def trail(desk: Desk, **params: Any) -> dict[str, Any]:
    answer = desk.http.get("/api/v1/events/corrections", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def values(desk: Desk, meter: str, **params: Any) -> list[float]:
    answer = desk.http.get(f"/api/v1/meters/{meter}/query", params=params)
    assert answer.status_code == 200, answer.text
    return [row["value"] for row in answer.json()["data"]]


def test_a_deleted_event_counts_no_more_and_stays_known(desk: Desk) -> None:
    meter = desk.meter()
    first, second = (cloud_event(meter, {"value": n}, source=meter, id=f"{n}") for n in (1, 2))
    desk.send(first, second)
    assert values(desk, meter) == [3]
    assert delete(desk, source=meter, id="2", reason="test data").status_code == 204
    assert values(desk, meter) == [1]
    listed = desk.http.get("/api/v2/events", params={"filter": f'{{"type":{{"$eq":"{meter}"}}}}'}).json()
    assert [item["event"]["id"] for item in listed["items"]] == ["1"]
    desk.send(second)
    assert delete(desk, source=meter, id="2").status_code == 204
    assert values(desk, meter) == [1]
    (entry,) = trail(desk, source=meter)["items"]
    assert (entry["action"], entry["eventId"], entry["reason"]) == ("delete", "2", "test data")
    assert entry["before"]["event"]["data"] == {"value": 2}


def test_a_replacement_counts_where_it_says(desk: Desk) -> None:
    meter = desk.meter()
    desk.send(cloud_event(meter, {"value": 1}, source=meter, id="1", time="2026-03-02T00:00:00Z"))
    other = cloud_event(meter, {"value": "2.50"}, source=meter, id="1", subject="someone else")
    other.pop("time", None)
    for _ in range(2):
        answer = put(desk, other)
        assert answer.status_code == 200, answer.text
        assert answer.json()["event"]["time"] == "2026-03-02T00:00:00Z"
    later = other | {"time": "2026-03-05T00:00:00Z"}
    assert put(desk, later).status_code == 200
    assert values(desk, meter, subject="someone else") == [2.5]
    assert values(desk, meter, to="2026-03-05T00:00:00Z") == []
    assert delete(desk, source=meter, id="1").status_code == 204
    assert values(desk, meter) == []
    assert put(desk, later, reason="deleted by mistake").status_code == 200
    assert values(desk, meter) == [2.5]
    first = trail(desk, source=meter, limit=3)
    assert [entry["action"] for entry in first["items"]] == ["replace", "delete", "replace"]
    rest = trail(desk, source=meter, limit=3, cursor=first["nextCursor"])
    assert [entry["after"]["event"]["subject"] for entry in rest["items"]] == ["someone else"]
    assert "nextCursor" not in rest


def test_what_cannot_be_corrected_is_told(desk: Desk) -> None:
    unknown = cloud_event("t", source=fresh(), id="1")
    assert delete(desk, source=fresh(), id="1").status_code == 404
    answer = put(desk, unknown)
    assert answer.status_code == 404
    assert "POST /api/v1/events" in answer.json()["detail"]
    assert delete(desk, source="s").status_code == 400
    assert delete(desk, source="s", id="1", reason="x" * 1001).status_code == 400
    assert put(desk, [unknown]).status_code == 400
    assert put(desk, {"id": "1"}).status_code == 400
    assert put(desk, unknown | {"time": "1969-01-01T00:00:00Z"}).status_code == 400
    assert put(desk, unknown | {"time": "9999-01-01T00:00:00Z"}).status_code == 400
    answer = desk.http.get("/api/v1/events/corrections", params={"cursor": "nonsense"})
    assert answer.status_code == 400


def test_entries_of_accounts_are_not_corrected(desk: Desk, server: ServerProcess) -> None:
    customer_id = credited_customer(server, fresh("credited"))
    found = desk.http.get("/api/v2/events", params={"filter": '{"type":{"$eq":"meter.credited"}}'}).json()
    entry = next(
        item["event"] for item in found["items"] if item["event"]["subject"] == to_ulid(UUID(customer_id))
    )
    for answer in (
        delete(desk, source=entry["source"], id=entry["id"]),
        put(desk, cloud_event("other", source=entry["source"], id=entry["id"])),
    ):
        assert answer.status_code == 409
        assert "reverse the credit" in answer.json()["detail"]
