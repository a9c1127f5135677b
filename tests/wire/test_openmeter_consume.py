"""Our own operations on entitlements over HTTP: consume, check many, explain."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.openmeter_client import fresh
from tests.wire.entitled import now


class Buyer:
    """A customer with a metered entitlement of ten credits."""

    def __init__(self, http: httpx.Client, aggregation: str = "SUM") -> None:
        self.http = http
        self.key, self.feature, self.kind = fresh("c"), fresh("f"), fresh()
        meter = {"slug": self.kind, "eventType": self.kind, "aggregation": aggregation}
        self.post("/api/v1/meters", {**meter, "valueProperty": "$.value"})
        self.post("/api/v1/customers", {"key": self.key, "name": "Ada"})
        self.post("/api/v1/features", {"key": self.feature, "name": "Credit", "meterSlug": self.kind})
        body = {"type": "metered", "featureKey": self.feature, "usagePeriod": {"interval": "MONTH"}}
        self.entitlement = self.post(f"/api/v2/customers/{self.key}/entitlements", body)
        self.path = f"/api/v2/customers/{self.key}/entitlements/{self.feature}"
        self.post(f"{self.path}/grants", {"amount": 10, "effectiveAt": now().isoformat(), "priority": 1})

    def post(self, path: str, body: dict[str, object]) -> Any:
        made = self.http.post(path, json=body)
        assert made.status_code == 201, made.text
        return made.json()

    def consume(self, **body: object) -> httpx.Response:
        return self.http.post(f"{self.path}/consume", json=body)


@pytest.fixture
def buyer(http: httpx.Client) -> Buyer:
    return Buyer(http)


def test_consume_until_nothing_is_left(buyer: Buyer) -> None:
    first = buyer.consume(amount=2.5, idempotencyKey="order-1", metadata={"order": "17"})
    assert first.status_code == 200, first.text
    told = first.json()
    assert told["allowed"] is True
    assert {key: told["value"][key] for key in ("hasAccess", "balance", "usage", "overage")} == {
        "hasAccess": True,
        "balance": 7.5,
        "usage": 2.5,
        "overage": 0,
    }
    assert buyer.consume(amount=8).json()["allowed"] is False
    assert buyer.consume(amount=7.5).json() | {"value": None} == {"allowed": True, "value": None}
    assert buyer.consume(amount=2.5, idempotencyKey="order-1", metadata={"order": "17"}).json() == told
    assert buyer.http.get(f"{buyer.path}/value").json()["hasAccess"] is False
    events = buyer.http.get("/api/v1/events", params={"subject": buyer.key}).json()
    assert sorted(event["event"]["data"]["value"] for event in events) == [2.5, 7.5]


def test_wishes_that_are_refused(buyer: Buyer, http: httpx.Client) -> None:
    buyer.consume(amount=1, idempotencyKey="order")
    reused = buyer.consume(amount=2, idempotencyKey="order")
    assert (reused.status_code, reused.json()["extensions"]["code"]) == (409, "idempotency_key_reused")
    for body in (
        {"amount": 0},
        {"amount": -3},
        {"amount": 1e300},
        {"amount": "1"},
        {},
        {"amount": 1, "x": 1},
    ):
        assert buyer.consume(**body).status_code == 400, body
    assert buyer.consume(amount=1, idempotencyKey="a\x00b").status_code == 400
    gauge = Buyer(http, aggregation="LATEST").consume(amount=1)
    assert (gauge.status_code, gauge.json()["extensions"]["code"]) == (412, "meter_not_consumable")
    missing = http.post(f"/api/v2/customers/{buyer.key}/entitlements/nothing/consume", json={"amount": 1})
    assert (missing.status_code, missing.json()["extensions"]["code"]) == (404, "entitlement_not_found")


def test_many_checks_at_once(buyer: Buyer) -> None:
    buyer.consume(amount=4)
    checks = [
        {"customer": buyer.key, "feature": buyer.feature},
        {"customer": "nobody", "feature": buyer.feature},
        {"customer": buyer.key, "feature": "nothing"},
        {"customer": buyer.key, "feature": buyer.entitlement["id"]},
    ]
    answer = buyer.http.post("/api/v2/entitlements/check", json={"checks": checks})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    assert [{key: item[key] for key in ("customer", "feature")} for item in items] == checks
    assert [item["value"]["hasAccess"] for item in items] == [True, False, False, True]
    assert items[0]["value"]["balance"] == items[3]["value"]["balance"] == 6
    too_many = {"checks": checks[:1] * 1001}
    assert buyer.http.post("/api/v2/entitlements/check", json=too_many).status_code == 400


def test_a_balance_explained(buyer: Buyer) -> None:
    buyer.post(f"{buyer.path}/grants", {"amount": 5, "effectiveAt": now().isoformat(), "priority": 2})
    buyer.consume(amount=12, metadata={"order": "18"})
    value = buyer.http.get(f"{buyer.path}/value", params={"explain": "true"})
    assert value.status_code == 200, value.text
    told = value.json()["explanation"]
    assert value.json()["balance"] == 3
    assert [(grant["place"], grant["balance"], grant["usedInPeriod"]) for grant in told["grants"]] == [
        (1, 0, 10),
        (2, 3, 2),
    ]
    assert [event["countsFor"] for event in told["events"]] == [12]
    assert told["books"] == {
        "given": 15,
        "used": 12,
        "expired": 0,
        "voided": 0,
        "lapsed": 0,
        "overageForgiven": 0,
    }
    assert [segment["usage"] for segment in told["segments"]] == [12]
    assert any("There is access while the balance is above 0." in text for text in told["sentences"])
    assert "explanation" not in buyer.http.get(f"{buyer.path}/value").json()
