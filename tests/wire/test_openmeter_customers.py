"""Customers and subjects with the published `openmeter` client and by plain HTTP (openmeter 3.1, 3.2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from typing import Any

import httpx
import openmeter
import openmeter.aio
import pytest
import pytest_asyncio
from corehttp.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from openmeter.models import (
    Address,
    CustomerCreate,
    CustomerReplaceUpdate,
    CustomerUsageAttribution,
    SubjectUpsert,
)
from tests.openmeter_client import HOSTILE, fresh, problem, quoted
from tests.server import ServerProcess
from tests.wire.recorder import Recorder

CLIENT = f"openmeter {version('openmeter')}"
ADDRESS = {
    "country": "DE",
    "postalCode": "50667",
    "state": "NRW",
    "city": "Köln",
    "line1": "Domkloster 4",
    "line2": "c/o Dom",
    "phoneNumber": "+49 221",
}


@pytest.fixture
def client(recorder: Recorder, server: ServerProcess) -> Iterator[Any]:
    with openmeter.Client(endpoint=recorder.url_for(CLIENT), token=server.api_key) as opened:
        yield opened


@pytest_asyncio.fixture
async def async_client(recorder: Recorder, server: ServerProcess) -> AsyncIterator[Any]:
    endpoint = recorder.url_for(f"{CLIENT}, asynchronous")
    async with openmeter.aio.Client(endpoint=endpoint, token=server.api_key) as opened:
        yield opened


def test_a_customer_lives_and_dies(client: Any) -> None:
    key, subject = fresh("acme"), fresh("s")
    made = client.customers.create(
        {
            "key": key,
            "name": "Acme",
            "description": "Anvils",
            "usageAttribution": {"subjectKeys": [subject]},
            "primaryEmail": "ops@acme.example",
            "currency": "EUR",
            "billingAddress": ADDRESS,
            "metadata": {"tier": "gold"},
            "id": "01G65Z755AFWAKHE12NY0CQ9FH",
            "createdAt": "2001-01-01T00:00:00Z",
        }
    )
    assert (made.key, made.name, made.description, made.currency) == (key, "Acme", "Anvils", "EUR")
    assert made.usage_attribution.subject_keys == [subject]
    assert dict(made.billing_address) == ADDRESS
    assert dict(made.metadata) == {"tier": "gold"}
    assert made.id != "01G65Z755AFWAKHE12NY0CQ9FH"
    assert len(made.id) == 26
    assert (made.subscriptions, made.current_subscription_id) == (None, None)
    shown = client.customers.get(key)
    assert shown.subscriptions == []
    assert client.customers.get(made.id, expand=["subscriptions"]) == shown
    assert client.subjects.get(subject).key == subject
    after = client.customers.update(made.id, {"name": "New", "key": key})
    assert (after.name, after.primary_email, after.currency) == ("New", "ops@acme.example", "EUR")
    assert (after.description, after.billing_address, after.metadata) == (None, None, None)
    assert after.usage_attribution.subject_keys == []
    assert after.updated_at > after.created_at == made.created_at
    assert client.customers.list_customer_subscriptions(key).total_count == 0
    client.customers.delete(key)
    assert client.customers.get(made.id).deleted_at is not None
    for gone in (client.customers.get, client.customers.delete):
        with pytest.raises(ResourceNotFoundError):
            gone(key)
    for action in (
        client.customers.delete,
        lambda id: client.customers.update(id, {"name": "x", "key": key}),
    ):
        with pytest.raises(HttpResponseError) as refused:
            action(made.id)
        assert refused.value.status_code == 412
    assert client.customers.create({"key": key, "name": "Heir"}).id != made.id


def test_the_models_of_the_client(client: Any) -> None:
    key = fresh("c")
    body = CustomerCreate(
        name="N",
        key=key,
        usage_attribution=CustomerUsageAttribution(subject_keys=[f"{key}-s"]),
        billing_address=Address(country="FR", postal_code="75001"),
        metadata={"a": "b"},
    )
    made = client.customers.create(body)
    assert made.usage_attribution.subject_keys == [f"{key}-s"]
    assert (made.billing_address.country, made.billing_address.postal_code) == ("FR", "75001")
    changed = client.customers.update(key, CustomerReplaceUpdate(name="M", key=key, currency="CHF"))
    assert (changed.name, changed.currency, changed.metadata) == ("M", "CHF", None)
    (subject,) = client.subjects.upsert([SubjectUpsert(key=f"{key}-s", display_name="S")])
    assert subject.display_name == "S"


async def test_the_asynchronous_client(async_client: Any) -> None:
    key, customers, subjects = fresh("c"), async_client.customers, async_client.subjects
    made = await customers.create({"key": key, "name": "N", "usageAttribution": {"subjectKeys": [key + "s"]}})
    assert (await customers.get(key)).id == made.id
    assert (await customers.list(key=key)).total_count == 1
    assert (await customers.update(key, {"name": "M", "key": key})).name == "M"
    assert (await customers.list_customer_subscriptions(key)).total_count == 0
    await customers.delete(key)
    ((subject,),) = [await subjects.upsert([{"key": key + "s", "displayName": "S"}])]
    assert await subjects.get(subject.id) == subject
    assert subject in await subjects.list()
    await subjects.delete(subject.key)
    with pytest.raises(ResourceNotFoundError):
        await subjects.get(subject.key)


def test_identifiers_are_unique(client: Any) -> None:
    key, subject = fresh("k"), fresh("s")
    made = client.customers.create(
        {"key": key, "name": "First", "usageAttribution": {"subjectKeys": [subject]}}
    )
    for taken in (
        {"key": key},
        {"key": subject},
        {"key": made.id},
        {"key": fresh(), "usageAttribution": {"subjectKeys": [fresh(), subject]}},
    ):
        with pytest.raises(ResourceExistsError) as refused:
            client.customers.create({"name": "Second"} | taken)
        assert refused.value.response.json()["detail"].startswith("conflict error: ")
    with pytest.raises(HttpResponseError) as nameless:
        client.customers.create({"name": "x"})
    assert nameless.value.status_code == 400


def test_lists(client: Any) -> None:
    mark = fresh("list")
    made = [
        client.customers.create(
            {
                "key": f"{mark}-{number}",
                "name": f"{mark} {name}",
                "primaryEmail": f"{mark}.{number}@X.example",
                "usageAttribution": {"subjectKeys": [f"{mark}_S{number}"]},
            }
        )
        for number, name in enumerate(("b", "c", "a"))
    ]

    def listed(**filters: Any) -> list[str]:
        return [customer.name[-1] for customer in client.customers.list(**filters).items_property]

    assert listed(key=mark) == ["a", "b", "c"]
    assert listed(name=mark.upper(), order="DESC") == ["c", "b", "a"]
    assert listed(primary_email=f"{mark}.1@x") == ["c"]
    assert listed(subject=f"{mark}_s2") == ["a"]
    assert listed(key=mark, order_by="createdAt") == ["b", "c", "a"]
    assert listed(key=mark, order_by="id", order="DESC") == ["a", "c", "b"]
    assert listed(key=mark, plan_key="pro") == []
    page = client.customers.list(key=mark, page=2, page_size=2)
    assert (page.total_count, page.page, page.page_size) == (3, 2, 2)
    assert [customer.id for customer in page.items_property] == [made[1].id]
    assert page.items_property[0].subscriptions == []
    client.customers.delete(made[0].id)
    assert listed(key=mark) == ["a", "c"]
    assert listed(key=mark, include_deleted=True) == ["a", "b", "c"]
    for hostile in set(HOSTILE) - {"\x00"}:
        assert listed(key=mark + hostile) == []
    with pytest.raises(HttpResponseError, match="cannot be stored"):
        listed(key="\x00")


def test_subjects(client: Any, http: httpx.Client) -> None:
    key = fresh("s")
    (made,) = client.subjects.upsert(
        [{"key": key, "displayName": "S", "metadata": {"a": [1]}, "stripeCustomerId": "cus_1"}]
    )
    assert (made.key, made.display_name, made.metadata, made.stripe_customer_id) == (
        key,
        "S",
        {"a": [1]},
        "cus_1",
    )
    ((kept, other),) = [client.subjects.upsert([{"key": key, "displayName": None}, {"key": key + "2"}])]
    assert (kept.display_name, kept.metadata, kept.id) == (None, {"a": [1]}, made.id)
    assert client.subjects.get(key) == client.subjects.get(made.id) == kept
    assert [s.key for s in client.subjects.list() if s.key.startswith(key)] == [key, key + "2"]
    client.subjects.delete(other.id)
    client.subjects.delete(other.id)
    assert client.subjects.get(other.id).deleted_at is not None
    with pytest.raises(ResourceNotFoundError):
        client.subjects.delete(other.key)
    with pytest.raises(HttpResponseError, match="stripeCustomerId: must start with cus_"):
        client.subjects.upsert([{"key": key, "stripeCustomerId": "sub_1"}])
    for body in ([{"key": ""}], [{"key": "x" * 600}], [{}], {"key": "x"}, [{"key": "x", "metadata": []}]):
        problem(http.post("/api/v1/subjects", json=body), 400)
    assert client.subjects.get(key) == kept
    dated = {
        "key": key,
        "currentPeriodStart": "2026-01-01T00:00:00Z",
        "currentPeriodEnd": "2026-02-01T00:00:00Z",
    }
    assert client.subjects.upsert([dated]) == [kept]


def test_a_deleted_subject_leaves_its_customer(client: Any) -> None:
    key, subject = fresh("c"), fresh("s")
    client.customers.create({"key": key, "name": "N", "usageAttribution": {"subjectKeys": [subject, key]}})
    client.subjects.delete(subject)
    assert client.customers.get(key).usage_attribution.subject_keys == [key]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "$.name"),
        ({"name": "x" * 257}, "$.name"),
        ({"key": ""}, "$.key"),
        ({"key": "x" * 1_000_000}, "$.key"),
        ({"usageAttribution": {"subjectKeys": [""]}}, "$.usageAttribution.subjectKeys[0]"),
        ({"usageAttribution": {"subjectKeys": ["x" * 1_000_000]}}, "$.usageAttribution.subjectKeys[0]"),
        ({"usageAttribution": {}}, "$.usageAttribution.subjectKeys"),
        ({"primaryEmail": "x" * 1_000_000}, "$.primaryEmail"),
        ({"currency": "XAU"}, "$.currency"),
        ({"currency": "usd"}, "$.currency"),
        ({"billingAddress": {"country": "Germany"}}, "$.billingAddress.country"),
        ({"billingAddress": {"postalCode": "x" * 20_000}}, "$.billingAddress.postalCode"),
        ({"metadata": {"k": 1}}, "$.metadata.k"),
        ({"metadata": {"k": "x" * 1_000_000}}, "$.metadata.k"),
        ({"description": "x" * 1_000_000}, "$.description"),
        ({"name": "a\x00b"}, "$.name"),
    ],
)
def test_faults_name_their_field(http: httpx.Client, wrong: dict[str, Any], field: str) -> None:
    body = {"name": "N", "key": fresh()} | wrong
    told = problem(http.post("/api/v1/customers", json=body), 400)
    assert field in [issue["field"] for issue in told["extensions"]["validationErrors"]]
    key = fresh()
    http.post("/api/v1/customers", json={"name": "N", "key": key})
    problem(http.put(f"/api/v1/customers/{key}", json={"name": "N", "key": key} | wrong), 400)


def test_hostile_keys_are_only_texts(http: httpx.Client) -> None:
    for text in HOSTILE:
        if "\x00" in text or len(text) > 100:
            continue
        key = text + fresh()
        made = http.post("/api/v1/customers", json={"name": text, "key": key})
        assert made.status_code == 201, made.text
        assert http.get(f"/api/v1/customers/{quoted(key)}").json()["id"] == made.json()["id"]
        assert (
            http.put(f"/api/v1/customers/{quoted(key)}", json={"name": text, "key": key}).status_code == 200
        )
        assert http.get("/api/v1/customers", params={"key": key}).json()["totalCount"] == 1
        assert http.delete(f"/api/v1/customers/{quoted(key)}").status_code == 204
    for text in HOSTILE:
        for path in ("customers", "subjects"):
            assert http.get(f"/api/v1/{path}/{quoted(text)}").status_code == 404
            assert http.delete(f"/api/v1/{path}/{quoted(text)}").status_code == 404


def test_pages_out_of_range(http: httpx.Client) -> None:
    for params in ({"page": 0}, {"pageSize": 0}, {"pageSize": 1001}, {"orderBy": "email"}, {"expand": "x"}):
        problem(http.get("/api/v1/customers", params=params), 400)
    far = http.get("/api/v1/customers", params={"page": 2**62})
    assert (far.status_code, far.json()["items"]) == (200, [])


async def test_of_many_creations_at_once_one_wins(server: ServerProcess, recorder: Recorder) -> None:
    key = fresh("race")
    async with httpx.AsyncClient(base_url=recorder.url_for("HTTP test"), headers=server.headers) as http:
        body = {"name": "N", "key": key, "usageAttribution": {"subjectKeys": [key + "s"]}}
        answers = await asyncio.gather(*(http.post("/api/v1/customers", json=body) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
        twice = await asyncio.gather(*(http.delete(f"/api/v1/customers/{key}") for _ in range(4)))
        assert sorted(answer.status_code for answer in twice) == [204, 404, 404, 404]
