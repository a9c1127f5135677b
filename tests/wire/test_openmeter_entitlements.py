"""Entitlements with the published client: the second version, and the lists of both (openmeter 4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import openmeter
import openmeter.aio
import pytest
from corehttp.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from tests.openmeter_client import HOSTILE, cloud_event, fresh, problem, quoted
from tests.server import ServerProcess
from tests.wire.entitled import CLIENT, Shop, now, opened_shop, refusal
from tests.wire.recorder import Recorder

ANY_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.fixture
def shop(recorder: Recorder, server: ServerProcess) -> Iterator[Shop]:
    with openmeter.Client(endpoint=recorder.url_for(CLIENT), token=server.api_key) as client:
        yield opened_shop(client)


def test_a_metered_entitlement(shop: Shop) -> None:
    began = now()
    made = shop.create(
        isSoftLimit=True,
        preserveOverageAtReset=True,
        issue={"amount": 12.5, "priority": 3},
        measureUsageFrom="CURRENT_PERIOD_START",
        metadata={"team": "ai"},
    )
    assert {
        "type": "metered",
        "featureId": shop.feature.id,
        "featureKey": shop.feature.key,
        "customerId": shop.customer.id,
        "customerKey": shop.key,
        "isSoftLimit": True,
        "preserveOverageAtReset": True,
        "issue": {"amount": 12.5, "priority": 3},
        "issueAfterReset": 12.5,
        "issueAfterResetPriority": 3,
        "metadata": {"team": "ai"},
    }.items() <= dict(made).items()
    anchor = datetime.fromisoformat(made["usagePeriod"]["anchor"])
    assert anchor in (began.replace(second=0, microsecond=0), now().replace(second=0, microsecond=0))
    assert made["usagePeriod"] == {"interval": "MONTH", "intervalISO": "P1M", "anchor": made["lastReset"]}
    assert made["currentUsagePeriod"]["from"] == made["lastReset"] == made["measureUsageFrom"]
    assert made["createdAt"] == made["updatedAt"] == made["activeFrom"]
    assert "activeTo" not in made
    for read in (
        shop.get(made["id"]),
        shop.get(shop.feature.key),
        shop.client.entitlements_v2.get(made["id"]),
    ):
        assert read == made
    (grant,) = shop.grants()["items"]
    assert (grant["amount"], grant["priority"]) == (12.5, 3)
    assert (grant["minRolloverAmount"], grant["maxRolloverAmount"]) == (12.5, 12.5)
    assert grant["annotations"] == {"issueAfterReset": True}
    assert "expiration" not in grant
    assert "expiresAt" not in grant


def test_static_and_boolean_entitlements(shop: Shop) -> None:
    config = '{"models": ["a", "b"], "limit": 1.50}'
    static = shop.post({"type": "static", "featureId": shop.feature.id, "config": config})
    assert static["config"] == config
    assert "usagePeriod" not in static
    flag = shop.a_feature()
    body = {"type": "boolean", "featureKey": flag.key, "usagePeriod": {"interval": "P7D"}}
    boolean = shop.post(body)
    assert (boolean["usagePeriod"]["interval"], boolean["usagePeriod"]["intervalISO"]) == ("WEEK", "P7D")
    assert boolean["currentUsagePeriod"]["from"] == boolean["usagePeriod"]["anchor"]
    assert shop.get(flag.key) == boolean
    listed = shop.client.customer_entitlements_v2.list(shop.key)
    assert [item["id"] for item in listed["items"]] == [static["id"], boolean["id"]]


def test_deleting_and_overriding(shop: Shop) -> None:
    first = shop.create()
    with pytest.raises(HttpResponseError) as refused:
        shop.create()
    extensions = refusal(refused, 409, "entitlement_conflict")
    assert extensions["conflictingEntityId"] == first["id"]
    operations = shop.client.customer_entitlements_v2
    second = operations.override(shop.key, shop.feature.key, shop.metered(isSoftLimit=True))
    assert second["id"] != first["id"]
    assert second["activeFrom"] == shop.get(first["id"])["activeTo"]
    with pytest.raises(HttpResponseError) as refused:
        operations.override(shop.key, first["id"], shop.metered())
    refusal(refused, 412, "entitlement_not_active")
    other = shop.a_feature()
    with pytest.raises(HttpResponseError) as refused:
        operations.override(shop.key, second["id"], {"type": "boolean", "featureKey": other.key})
    refusal(refused, 400, "feature_mismatch")
    with pytest.raises(ResourceExistsError):
        shop.client.customers.delete(shop.key)
    with pytest.raises(ResourceExistsError):
        shop.client.meters.delete(shop.feature.meter_slug)
    operations.delete(shop.key, shop.feature.key)
    with pytest.raises(ResourceNotFoundError):
        shop.get(shop.feature.key)
    with pytest.raises(HttpResponseError) as refused:
        operations.delete(shop.key, second["id"])
    refusal(refused, 412, "entitlement_not_active")
    assert shop.get(second["id"])["deletedAt"]
    everything = operations.list(shop.key, include_deleted=True)
    assert [item["id"] for item in everything["items"]] == [first["id"], second["id"]]
    assert operations.list(shop.key)["items"] == []
    shop.client.customers.delete(shop.key)
    with pytest.raises(HttpResponseError) as refused:
        shop.client.customer_entitlements_v2.list(shop.customer.id)
    refusal(refused, 412, "customer_deleted")


def test_an_archived_feature_keeps_its_entitlements_and_its_meter(shop: Shop) -> None:
    made = shop.create()
    shop.client.features.delete(shop.feature.id)
    assert shop.get(shop.feature.key) == made
    with pytest.raises(HttpResponseError) as refused:
        shop.client.meters.delete(shop.feature.meter_slug)
    refusal(refused, 409, "meter_in_use")
    shop.client.customer_entitlements_v2.delete(shop.key, made["id"])
    with pytest.raises(HttpResponseError) as refused:
        shop.create()
    refusal(refused, 404, "feature_not_found")
    shop.client.meters.delete(shop.feature.meter_slug)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"type": "boolean"}, "invalid_value"),
        ({"type": "static"}, "missing"),
        ({"type": "static", "config": "{", "usagePeriod": None}, "invalid_json"),
        ({"type": "gold"}, "enum"),
        ({"usagePeriod": {"interval": "PT30M"}}, "invalid_interval"),
        ({"usagePeriod": {"interval": "FORTNIGHT"}}, "pattern"),
        ({"usagePeriod": None}, "missing"),
        ({"featureKey": None}, "missing"),
        ({"config": "{}"}, "invalid_value"),
        ({"issueAfterResetPriority": 5}, "amount_required"),
        ({"issue": {"amount": 1}, "grants": [{"amount": 1, "effectiveAt": "2099-01-01T00:00:00Z"}]},
         "conflicting_grants"),
        ({"issueAfterReset": 1, "grants": [{"amount": 1, "effectiveAt": "2099-01-01T00:00:00Z"}]},
         "conflicting_grants"),
        ({"grants": [{"amount": 0, "effectiveAt": "2099-01-01T00:00:00Z"}]}, "grant_amount_must_be_positive"),
        ({"grants": [{"amount": 1, "effectiveAt": "2001-01-01T00:00:00Z"}]}, "before_current_period"),
        ({"issue": {"amount": -1}}, "minimum"),
        ({"issue": {"amount": 1, "priority": 256}}, "maximum"),
        ({"measureUsageFrom": "2099-01-01T00:00:00Z"}, "time_range"),
    ],
)  # fmt: skip
def test_what_is_refused(shop: Shop, given: dict[str, Any], code: str) -> None:
    body = shop.metered(isSoftLimit=True) | given
    with pytest.raises(HttpResponseError) as refused:
        shop.post({name: value for name, value in body.items() if value is not None})
    refusal(refused, 400, code)


def test_a_metered_entitlement_needs_a_meter_and_a_feature_that_exists(shop: Shop) -> None:
    flag = shop.a_feature()
    with pytest.raises(HttpResponseError) as refused:
        shop.create(featureKey=flag.key)
    refusal(refused, 400, "feature_without_meter")
    for unknown in ({"featureKey": fresh("f")}, {"featureId": ANY_ID}):
        with pytest.raises(HttpResponseError) as refused:
            shop.create(**unknown)
        refusal(refused, 404, "feature_not_found")
    with pytest.raises(HttpResponseError) as refused:
        shop.client.customer_entitlements_v2.post(fresh("c"), shop.metered())
    refusal(refused, 404, "customer_not_found")
    with pytest.raises(ResourceNotFoundError):
        shop.client.entitlements_v2.get(ANY_ID)


def test_grants(shop: Shop) -> None:
    made = shop.create()
    began = now().replace(microsecond=0)
    full = shop.grant(
        0.1,
        effectiveAt=(began + timedelta(days=40)).isoformat(),
        priority=7,
        expiration={"duration": "MONTH", "count": 2},
        recurrence={"interval": "P1W"},
        minRolloverAmount=0.05,
        maxRolloverAmount=5,
        metadata={"a": "b"},
        annotations={"deal": {"id": 7}},
    )
    assert (full.amount, full.priority, full.entitlement_id) == (0.1, 7, made["id"])
    assert full.effective_at == (began + timedelta(days=40)).replace(second=0)
    assert full["recurrence"] == {
        "interval": "WEEK",
        "intervalISO": "P1W",
        "anchor": full["effectiveAt"],
    }
    assert full["nextRecurrence"] == full["effectiveAt"]
    assert (full.min_rollover_amount, full.max_rollover_amount) == (0.05, 5)
    assert full["annotations"] == {"deal": {"id": 7}}
    plain = shop.grant(100)
    assert (plain.min_rollover_amount, plain.max_rollover_amount) == (0, 100)
    assert plain.priority is None
    listed = shop.grants()
    assert [grant["id"] for grant in listed["items"]] == [full.id, plain.id]
    assert (listed["page"], listed["pageSize"], listed["totalCount"]) == (1, 100, 2)
    shop.client.grants.delete(plain.id)
    with pytest.raises(HttpResponseError) as refused:
        shop.client.grants.delete(plain.id)
    refusal(refused, 400, "grant_voided")
    assert [grant["id"] for grant in shop.grants()["items"]] == [full.id]
    voided = shop.grants(include_deleted=True, order_by="id", order="DESC")["items"][0]
    assert (voided["id"], voided["voidedAt"]) == (plain.id, plain["effectiveAt"])


def test_grants_that_are_refused(shop: Shop) -> None:
    with pytest.raises(HttpResponseError) as refused:
        shop.grant(1)
    refusal(refused, 404, "entitlement_not_found")
    shop.create()
    for given, code in (
        ({"amount": 0}, "grant_amount_must_be_positive"),
        ({"amount": -1}, "minimum"),
        ({"amount": 1e300}, "out_of_range"),
        ({"priority": 0}, "minimum"),
        ({"effectiveAt": "2001-01-01T00:00:00Z"}, "before_current_period"),
        ({"expiration": {"duration": "MONTH", "count": 1001}}, "maximum"),
        ({"expiration": {"duration": "MONTH"}}, "missing"),
        ({"recurrence": {"interval": "PT5M"}}, "invalid_interval"),
    ):
        body = {"amount": 1} | given
        with pytest.raises(HttpResponseError) as refused:
            shop.grant(**body)
        refusal(refused, 400, code)
    assert shop.grants()["items"] == []
    grant = shop.grant(1)
    for at, code in (
        (now() + timedelta(hours=1), "in_future"),
        (now() - timedelta(90), "before_current_period"),
    ):
        with pytest.raises(HttpResponseError) as refused:
            shop.client.grants.delete(grant.id, at=at)
        (issue,) = refusal(refused, 400, code)["validationErrors"]
        assert (issue["in"], issue["field"]) == ("query", "$.at")
    for unknown in (ANY_ID, "nothing"):
        with pytest.raises(ResourceNotFoundError):
            shop.client.grants.delete(unknown)


def test_resets_that_are_refused(shop: Shop) -> None:
    with pytest.raises(HttpResponseError) as refused:
        shop.reset()
    refusal(refused, 404, "entitlement_not_found")
    shop.create()
    for at, code in (
        (now() + timedelta(hours=1), "in_future"),
        (now() - timedelta(hours=1), "before_last_reset"),
    ):
        with pytest.raises(HttpResponseError) as refused:
            shop.reset(effectiveAt=at.isoformat())
        refusal(refused, 400, code)
    flag = shop.a_feature()
    shop.post({"type": "boolean", "featureKey": flag.key})
    with pytest.raises(HttpResponseError) as refused:
        shop.reset(flag.key)
    refusal(refused, 400, "entitlement_not_metered")


def test_a_reset_within_the_period(shop: Shop) -> None:
    start = now().replace(microsecond=0) - timedelta(hours=3)
    anchor = start - timedelta(days=1)
    shop.create(
        usagePeriod={"interval": "MONTH", "anchor": anchor.isoformat()}, measureUsageFrom=start.isoformat()
    )
    at = start.replace(second=0) + timedelta(hours=1)
    shop.reset(effectiveAt=at.isoformat(), retainAnchor=True)
    read = shop.get(shop.feature.key)
    assert (
        read.get("lastReset") == read["currentUsagePeriod"]["from"] == at.isoformat().replace("+00:00", "Z")
    )
    assert datetime.fromisoformat(read["usagePeriod"]["anchor"]) == anchor.replace(second=0)
    later = at + timedelta(hours=1)
    shop.reset(effectiveAt=later.isoformat())
    read = shop.get(shop.feature.key)
    assert read["usagePeriod"]["anchor"] == read["lastReset"] == later.isoformat().replace("+00:00", "Z")


def test_lists_of_everyones(shop: Shop) -> None:
    flag = shop.a_feature()
    metered, boolean = shop.create(), shop.post({"type": "boolean", "featureKey": flag.key})
    shop.client.customer_entitlements_v2.override(
        shop.key, flag.key, {"type": "boolean", "featureKey": flag.key}
    )
    static = {"type": "static", "featureKey": flag.key, "config": "1"}
    latest = shop.client.customer_entitlements_v2.override(shop.key, flag.key, static)
    shop.grant(5), shop.grant(6)
    both = [shop.feature.key, flag.id]

    def ids(**params: Any) -> list[str]:
        return [item["id"] for item in shop.client.entitlements_v2.list(**params)["items"]]

    assert len(ids(feature=both)) == 4
    assert ids(feature=both, exclude_inactive=True) == [metered["id"], latest["id"]]
    assert ids(customer_ids=[shop.customer.id], entitlement_type=["metered", "static"]) == [
        metered["id"],
        latest["id"],
    ]
    assert ids(customer_keys=[shop.key], limit=1, offset=1) == [boolean["id"]]
    assert ids(customer_keys=[shop.key], page=4, page_size=1, order="DESC") == [metered["id"]]
    assert ids(customer_keys=[shop.key], order_by="updatedAt", order="DESC")[0] == metered["id"]
    assert ids(customer_keys=[fresh("c")]) == ids(customer_ids=[ANY_ID]) == []
    paged = shop.client.entitlements_v2.list(customer_keys=[shop.key], limit=1)
    assert (paged["page"], paged["pageSize"], paged["totalCount"]) == (0, 0, 4)
    paged = shop.client.entitlements_v2.list(customer_keys=[shop.key], page_size=3, limit=1)
    assert (paged["page"], paged["pageSize"], len(paged["items"])) == (1, 3, 3)
    listed = shop.client.grants_v2.list(feature=both, customer=[shop.key])
    assert [grant["amount"] for grant in listed["items"]] == [5, 6]
    assert shop.client.grants_v2.list(customer=[shop.customer.id], offset=1)["items"] == listed["items"][1:]
    assert shop.client.grants_v2.list(feature=[flag.key])["items"] == []


def test_lists_of_the_first_version(shop: Shop) -> None:
    metered = shop.create()
    first, second = shop.grant(5), shop.grant(6, effectiveAt=(now() + timedelta(days=1)).isoformat())
    (listed,) = shop.client.entitlements.list(subject=[f"{shop.key}_b"])
    assert (listed["id"], listed["subjectKey"]) == (metered["id"], f"{shop.key}_a")
    assert listed["isUnlimited"] is False
    assert "customerId" not in listed
    assert shop.client.entitlements.get(metered["id"]) == listed
    page = shop.client.entitlements.list(feature=[shop.feature.key], page=1)
    assert (page["items"], page["pageSize"], page["totalCount"]) == ([listed], 100, 1)
    grants = shop.client.grants.list(feature=[shop.feature.id], order="DESC")
    assert [grant["id"] for grant in grants] == [second.id, first.id]
    assert grants[1]["expiration"] == {"duration": "YEAR", "count": 100}
    assert grants[1]["expiresAt"][:4] == str(first.effective_at.year + 100)
    page = shop.client.grants.list(subject=[shop.key], page_size=1)
    assert ([grant["id"] for grant in page["items"]], page["totalCount"]) == ([first.id], 2)
    assert shop.client.grants.list(subject=[fresh("s")]) == []


def test_values_and_access(shop: Shop) -> None:
    flag, plan = shop.a_feature(), shop.a_feature()
    shop.create()
    shop.post({"type": "boolean", "featureKey": flag.key})
    shop.post({"type": "static", "featureKey": plan.key, "config": '{"seats": 5}'})
    assert dict(shop.value()) == {
        "hasAccess": False,
        "balance": 0,
        "usage": 0,
        "overage": 0,
        "totalAvailableGrantAmount": 0,
        "grantBalances": {},
    }
    grant = shop.grant(0.3)
    metered = {"hasAccess": True, "balance": 0.3, "usage": 0, "overage": 0, "totalAvailableGrantAmount": 0.3}
    assert dict(shop.value()) == metered | {"grantBalances": {grant.id: 0.3}}
    event = cloud_event(shop.feature.meter_slug, {"value": 0.1}, subject=f"{shop.key}_b")
    shop.client.events.ingest_event(event)
    metered |= {"balance": 0.2, "usage": 0.1}
    assert dict(shop.value(shop.get(shop.feature.key)["id"])) == metered | {"grantBalances": {grant.id: 0.2}}
    assert dict(shop.value(flag.key)) == {"hasAccess": True}
    static = {"hasAccess": True, "config": '{"seats": 5}'}
    assert dict(shop.value(plan.key)) == static
    access = shop.client.customer.get_customer_access(shop.customer.id)
    expected = {shop.feature.key: metered, flag.key: {"hasAccess": True}, plan.key: static}
    assert {key: dict(value) for key, value in access["entitlements"].items()} == expected
    one = shop.client.customer_entitlement.get_customer_entitlement_value
    assert dict(one(shop.key, shop.feature.key)) == metered
    assert dict(one(shop.key, fresh("f"))) == {"hasAccess": False}
    assert dict(one(shop.key, shop.feature.key, time=now() - timedelta(days=1))) == {"hasAccess": False}


def test_values_that_are_refused(shop: Shop) -> None:
    unknown = fresh("c")
    operations = shop.client.customer_entitlement_v2
    one = shop.client.customer_entitlement.get_customer_entitlement_value
    with pytest.raises(ResourceNotFoundError):
        shop.value()
    for call in (
        lambda: one(unknown, shop.feature.key),
        lambda: shop.client.customer.get_customer_access(unknown),
        lambda: operations.get_customer_entitlement_value(unknown, shop.feature.key),
        lambda: operations.get_customer_entitlement_history(unknown, "x", window_size="HOUR"),
    ):
        with pytest.raises(ResourceNotFoundError):
            call()
    shop.create()
    with pytest.raises(HttpResponseError) as refused:
        shop.value(time="9999-01-01T00:00:00Z")
    refusal(refused, 400, "invalid_time")
    shop.client.customer_entitlements_v2.delete(shop.key, shop.feature.key)
    shop.client.customers.delete(shop.key)
    for call in (
        lambda: one(shop.customer.id, shop.feature.key),
        lambda: shop.client.customer.get_customer_access(shop.customer.id),
    ):
        with pytest.raises(HttpResponseError) as refused:
            call()
        refusal(refused, 412, "customer_deleted")


def test_histories_that_are_refused(shop: Shop) -> None:
    shop.create()

    def history(**given: Any) -> Any:
        operation = shop.client.customer_entitlement_v2.get_customer_entitlement_history
        return operation(shop.key, shop.feature.key, **({"window_size": "HOUR"} | given))

    for given, code in (
        ({"from_parameter": now() - timedelta(hours=1)}, "invalid_time"),
        ({"to": now() - timedelta(hours=1)}, "invalid_time"),
        ({"window_size": "FORTNIGHT"}, "enum"),
        ({"window_time_zone": "Mars/Base"}, "TimeZoneName"),
    ):
        with pytest.raises(HttpResponseError) as refused:
            history(**given)
        refusal(refused, 400, code)
    assert history(window_size="DAY", window_time_zone="Asia/Kathmandu")["burndownHistory"]
    flag = shop.a_feature()
    shop.post({"type": "boolean", "featureKey": flag.key})
    with pytest.raises(HttpResponseError) as refused:
        shop.client.customer_entitlement_v2.get_customer_entitlement_history(
            shop.key, flag.key, window_size="HOUR"
        )
    refusal(refused, 400, "not_metered")


def test_nonsense_is_told_as_such(shop: Shop, http: httpx.Client) -> None:
    shop.create()
    base = f"/api/v2/customers/{shop.key}/entitlements"
    for text in HOSTILE:
        for path in (f"{base}/{quoted(text)}", f"/api/v2/customers/{quoted(text)}/entitlements"):
            assert http.get(path).status_code in (400, 404), path
        assert http.delete(f"/api/v1/grants/{quoted(text)}").status_code in (400, 404)
        assert http.get("/api/v2/grants", params={"customer": text, "feature": text}).status_code in (
            200,
            400,
        )
    problem(http.get("/api/v2/entitlements", params={"page": 0}), 400, "page")
    problem(http.get("/api/v2/entitlements", params={"pageSize": 1001}), 400, "pageSize")
    problem(http.get("/api/v2/grants", params={"orderBy": "amount"}), 400, "orderBy")
    many = [("customer", f"c{number}") for number in range(101)]
    problem(http.get("/api/v2/grants", params=many), 400, "customer")
    endless = {
        "amount": 1,
        "effectiveAt": "9999-12-31T23:59:59Z",
        "expiration": {"duration": "YEAR", "count": 1000},
    }
    answer = http.post(f"{base}/{shop.feature.key}/grants", json=endless)
    assert answer.status_code == 201, answer.text
    answer = http.post(
        f"{base}/{shop.feature.key}/grants",
        content='{"amount": 1e999, "effectiveAt": "2099-01-01T00:00:00Z"}',
        headers={"content-type": "application/json"},
    )
    problem(answer, 400, "amount")


async def test_asynchronously(recorder: Recorder, server: ServerProcess, shop: Shop) -> None:
    endpoint = recorder.url_for(f"{CLIENT}, asynchronous")
    async with openmeter.aio.Client(endpoint=endpoint, token=server.api_key) as client:
        key, feature = shop.key, shop.feature.key
        made = await client.customer_entitlements_v2.post(key, shop.metered())
        with pytest.raises(HttpResponseError) as refused:
            await client.customer_entitlements_v2.post(key, shop.metered())
        assert refusal(refused, 409, "entitlement_conflict")["conflictingEntityId"] == made["id"]
        assert await client.customer_entitlements_v2.get(key, feature) == made
        one = client.customer_entitlement_v2
        with pytest.raises(HttpResponseError) as refused:
            await one.create_customer_entitlement_grant(
                key, feature, {"amount": 0, "effectiveAt": now().isoformat()}
            )
        refusal(refused, 400, "grant_amount_must_be_positive")
        grant = await one.create_customer_entitlement_grant(
            key, feature, {"amount": 5, "effectiveAt": now().isoformat()}
        )
        assert [item["id"] for item in (await one.get_grants(key, feature))["items"]] == [grant.id]
        with pytest.raises(HttpResponseError) as refused:
            await one.reset_customer_entitlement(key, feature, {})
        refusal(refused, 400, "before_last_reset")
        assert (await one.get_customer_entitlement_value(key, feature))["balance"] == 5
        access = await client.customer.get_customer_access(key)
        assert access["entitlements"][feature]["balance"] == 5
        history = await one.get_customer_entitlement_history(key, feature, window_size="DAY")
        assert [segment["balanceAtEnd"] for segment in history["burndownHistory"]] == [5]
        await client.grants.delete(grant.id)
        listed = await client.entitlements_v2.list(customer_keys=[key])
        assert [item["id"] for item in listed["items"]] == [made["id"]]
        await client.customer_entitlements_v2.delete(key, made["id"])
        with pytest.raises(ResourceNotFoundError):
            await client.customer_entitlements_v2.get(key, feature)
