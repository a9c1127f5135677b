"""Entitlements of the first version, by subject, over plain HTTP: the client has no methods for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.openmeter_client import Desk, cloud_event, fresh, problem

MONTHLY = {"interval": "MONTH"}
YEAR = {"duration": "YEAR", "count": 1}


@dataclass
class Shop:
    """A subject of a customer's, and a feature on a meter."""

    http: httpx.Client
    subject: str
    customer: str
    feature: dict[str, Any]

    @property
    def base(self) -> str:
        return f"/api/v1/subjects/{self.subject}/entitlements"

    def ok(self, answer: httpx.Response, status: int = 200) -> Any:
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def create(self, **rest: object) -> Any:
        body = {"type": "metered", "featureKey": self.feature["key"], "usagePeriod": MONTHLY} | rest
        return self.ok(self.http.post(self.base, json=body), 201)

    def post_grant(self, named: str, **rest: object) -> httpx.Response:
        body = {"amount": 5, "effectiveAt": now(), "expiration": YEAR} | rest
        given = {name: value for name, value in body.items() if value is not None}
        return self.http.post(f"{self.base}/{named}/grants", json=given)


def now(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


@pytest.fixture
def desk(http: httpx.Client) -> Desk:
    return Desk(http)


@pytest.fixture
def shop(http: httpx.Client, desk: Desk) -> Shop:
    meter = desk.meter()
    key = fresh("s")
    made = http.post("/api/v1/features", json={"key": fresh("f"), "name": "Tokens", "meterSlug": meter})
    customer = {"name": "Ada", "usageAttribution": {"subjectKeys": [key]}}
    answer = http.post("/api/v1/customers", json=customer)
    assert (made.status_code, answer.status_code) == (201, 201), (made.text, answer.text)
    return Shop(http, key, answer.json()["id"], made.json())


def test_an_entitlement_from_its_creation_to_its_end(shop: Shop) -> None:
    made = shop.create(issueAfterReset=7, isSoftLimit=True)
    assert (made["subjectKey"], made["isUnlimited"], made["isSoftLimit"]) == (shop.subject, False, True)
    assert (made["issueAfterReset"], made["issueAfterResetPriority"]) == (7, 1)
    assert "issue" not in made
    assert "customerId" not in made
    by_subject_id = shop.ok(shop.http.get(f"/api/v1/subjects/{shop.subject}"))["id"]
    for path in (
        f"{shop.base}/{made['id']}",
        f"/api/v1/subjects/{by_subject_id}/entitlements/{made['id']}",
        f"/api/v1/entitlements/{made['id']}",
    ):
        assert shop.ok(shop.http.get(path)) == made
    assert shop.ok(shop.http.get(shop.base)) == [made]
    second = shop.ok(shop.http.get(f"/api/v2/customers/{shop.customer}/entitlements/{made['id']}"))
    assert second["customerId"] == shop.customer
    assert "customerKey" not in second
    conflict = problem(
        shop.http.post(shop.base, json={"type": "boolean", "featureKey": shop.feature["key"]}), 409
    )
    assert conflict["extensions"]["conflictingEntityId"] == made["id"]
    body = {"type": "static", "featureKey": shop.feature["key"], "config": '"x"'}
    after = shop.ok(shop.http.put(f"{shop.base}/{shop.feature['key']}/override", json=body), 201)
    assert (after["type"], after["config"], after["subjectKey"]) == ("static", '"x"', shop.subject)
    assert shop.ok(shop.http.get(shop.base)) == [after]
    shop.ok(shop.http.delete(f"{shop.base}/{after['id']}"), 204)
    assert shop.ok(shop.http.get(shop.base)) == []
    everything = shop.ok(shop.http.get(shop.base, params={"includeDeleted": True}))
    assert [item["id"] for item in everything] == [made["id"], after["id"]]
    problem(shop.http.delete(f"{shop.base}/{after['id']}"), 412)
    problem(shop.http.put(f"{shop.base}/{made['id']}/override", json=body), 412)


def test_grants_expire_and_roll_over_nothing_unless_told(shop: Shop) -> None:
    made = shop.create()
    grant = shop.ok(shop.post_grant(shop.feature["key"], recurrence={"interval": "DAY"}), 201)
    assert (grant["expiration"], grant["maxRolloverAmount"], grant["minRolloverAmount"]) == (YEAR, 0, 0)
    effective_at = datetime.fromisoformat(grant["effectiveAt"])
    assert datetime.fromisoformat(grant["expiresAt"]) == effective_at.replace(year=effective_at.year + 1)
    assert grant["nextRecurrence"] > now()
    problem(shop.post_grant(made["id"], expiration=None), 400, "expiration")
    path = f"{shop.base}/{made['id']}/grants"
    assert shop.ok(shop.http.get(path)) == [grant]
    shop.ok(shop.http.delete(f"/api/v1/grants/{grant['id']}"), 204)
    assert shop.ok(shop.http.get(path)) == []
    (voided,) = shop.ok(shop.http.get(path, params={"includeDeleted": True, "orderBy": "createdAt"}))
    assert voided["voidedAt"]
    answer = shop.http.post(f"{shop.base}/{made['id']}/reset", json={"effectiveAt": now(hours=1)})
    problem(answer, 400, "effectiveAt", "future")


def test_a_subject_may_be_the_customers_own_key(shop: Shop) -> None:
    key = fresh("c")
    shop.ok(shop.http.post("/api/v1/customers", json={"name": "Grace", "key": key}), 201)
    shop.subject = key
    made = shop.create()
    assert made["id"] in [item["id"] for item in shop.ok(shop.http.get(shop.base))]


def test_a_subject_without_a_customer_has_no_entitlements(shop: Shop) -> None:
    unknown = f"/api/v1/subjects/{fresh('s')}/entitlements"
    problem(shop.http.get(unknown), 404, "subject not found")
    alone = fresh("s")
    shop.ok(shop.http.post("/api/v1/subjects", json=[{"key": alone}]))
    problem(shop.http.get(f"/api/v1/subjects/{alone}/entitlements"), 404, "no customer found for subject")


def test_a_reset_reaches_the_entitlement_of_either_version(shop: Shop) -> None:
    made = shop.create(
        measureUsageFrom=now(hours=-2), usagePeriod={"interval": "DAY", "anchor": now(hours=-2)}
    )
    at = now(hours=-1)
    shop.ok(shop.http.post(f"{shop.base}/{made['id']}/reset", json={"effectiveAt": at}), 204)
    base = f"/api/v2/customers/{shop.customer}/entitlements"
    read = shop.ok(shop.http.get(f"{base}/{shop.feature['key']}"))
    assert datetime.fromisoformat(read["lastReset"]) == datetime.fromisoformat(at).replace(
        second=0, microsecond=0
    )
    assert read["updatedAt"] > made["updatedAt"]


def test_values_and_histories(shop: Shop, desk: Desk) -> None:
    made = shop.create(issueAfterReset=10)
    desk.send(cloud_event(shop.feature["meterSlug"], {"value": 4}, subject=shop.subject))
    expected = {"hasAccess": True, "balance": 6, "usage": 4, "overage": 0, "totalAvailableGrantAmount": 10}
    for named in (made["id"], shop.feature["key"]):
        assert shop.ok(shop.http.get(f"{shop.base}/{named}/value")) == expected
        history = shop.ok(shop.http.get(f"{shop.base}/{named}/history", params={"windowSize": "HOUR"}))
        (segment,) = history["burndownHistory"]
        assert (segment["balanceAtStart"], segment["usage"], segment["balanceAtEnd"]) == (10, 4, 6)
    problem(shop.http.get(f"{shop.base}/{fresh('f')}/value"), 404, "entitlement not found")
    problem(shop.http.get(f"{shop.base}/{made['id']}/history"), 400, "windowSize")
    problem(shop.http.get(f"/api/v1/subjects/{fresh('s')}/entitlements/x/value"), 404, "subject not found")
