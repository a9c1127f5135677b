"""Customers through Polar's interface: newest client, plain HTTP, beside OpenMeter (polar 7.5, 8.2, 11)."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.openmeter_client import HOSTILE, fresh, quoted
from tests.server import ServerProcess
from tests.wire.recorder import Recorder

polar = pytest.importorskip("polar")

DAY = {"start_timestamp": "2026-03-02T00:00:00Z", "end_timestamp": "2026-03-02T23:59:59Z", "interval": "day"}
NOON = "2026-03-02T12:00:00Z"


@pytest.fixture(params=["v2026_04", "v2026_10", "v2027_01"])
def client(request: pytest.FixtureRequest, recorder: Recorder, server: ServerProcess) -> Iterator[Any]:
    module = importlib.import_module(f"polar.{request.param}")
    url = recorder.url_for(f"polar-sdk {version('polar-sdk')}")
    with module.Polar(server.api_key, base_url=url, timeout=30) as opened:
        yield opened


def errors_of(client: Any) -> Any:
    return importlib.import_module(type(client).__module__.replace(".client", ".errors"))


def email(word: str = "a") -> str:
    return f"{word}.{uuid4().hex[:12]}@polar.example"


def create(http: httpx.Client, **body: Any) -> dict[str, Any]:
    answer = http.post("/v1/customers/", json={"email": email()} | body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def refused(answer: httpx.Response) -> list[tuple[str, list[str | int], str]]:
    assert answer.status_code == 422, answer.text
    return [(item["type"], item["loc"], item["msg"]) for item in answer.json()["detail"]]


def ingest(http: httpx.Client, name: str, *identifiers: dict[str, str], **rest: Any) -> None:
    events = [{"name": name, "timestamp": NOON, **identifier, **rest} for identifier in identifiers]
    answer = http.post("/v1/events/ingest", json={"events": events})
    assert answer.status_code == 200, answer.text


def counted(http: httpx.Client, meter_id: str, *pairs: tuple[str, str]) -> int:
    answer = http.get(f"/v1/meters/{meter_id}/quantities", params=[*DAY.items(), *pairs])
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total"])


def meter_of(http: httpx.Client, name: str) -> str:
    clauses = [{"property": "name", "operator": "eq", "value": name}]
    body = {
        "name": name,
        "filter": {"conjunction": "and", "clauses": clauses},
        "aggregation": {"func": "count"},
    }
    return str(http.post("/v1/meters/", json=body).json()["id"])


def test_a_customer_lives_and_dies(client: Any) -> None:
    address, key = email("Ada"), fresh("ext")
    made = client.customers.create(
        email=address,
        external_id=f"  {key} ",
        name="Ada",
        billing_address={"country": "FR", "city": "Paris", "postal_code": "75001"},
        metadata={"tier": "gold", "seats": 3, "rate": 0.5, "is_new": True},
        locale="fr",
        tax_id="FR61954506077",
    )
    assert (made.email, made.external_id, made.name, made.billing_name) == (address, key, "Ada", "Ada")
    assert (made.billing_address.country, made.billing_address.city) == ("FR", "Paris")
    assert made.metadata == {"tier": "gold", "seats": 3, "rate": 0.5, "is_new": True}
    assert (made.email_verified, made.deleted_at, made.first_user_event_at) == (False, None, None)
    digest = hashlib.sha256(address.lower().encode()).hexdigest()
    assert made.avatar_url == f"https://www.gravatar.com/avatar/{digest}?d=404"
    assert client.customers.get(made.id) == client.customers.get_external(key) == made
    client.events.ingest(events=[{"name": "ai", "customer_id": made.id}])
    assert client.customers.get(made.id).first_user_event_at is not None
    renamed = client.customers.update(made.id, name="Lovelace", metadata={})
    assert (renamed.name, renamed.billing_name, renamed.metadata) == ("Lovelace", "Lovelace", {})
    assert renamed.email == address
    assert renamed.modified_at is not None
    assert client.customers.update_external(key, name=None, email=email("b")).name is None
    client.customers.delete(made.id)
    for missing in (
        lambda: client.customers.get(made.id),
        lambda: client.customers.get_external(key),
        lambda: client.customers.update(made.id, name="x"),
        lambda: client.customers.delete(made.id),
    ):
        with pytest.raises(errors_of(client).ResourceNotFound):
            missing()
    heir = client.customers.create(email=address.upper(), external_id=key)
    client.customers.delete_external(key, anonymize=True)
    with pytest.raises(errors_of(client).ResourceNotFound):
        client.customers.get(heir.id)


def test_lists(client: Any) -> None:
    mark = fresh("list")
    for name, word in (("Beta", "z"), ("alpha", "y"), (None, "x")):
        client.customers.create(
            email=f"{word}.{mark}@polar.example",
            external_id=f"{mark}-{word}",
            name=name and f"{name} {mark}",
            metadata={"mark": mark, "word": word},
        )

    def listed(**query: Any) -> list[str]:
        return [item.external_id[-1] for item in client.customers.iter_list(limit=2, **query)]

    assert listed(query=mark) == ["x", "y", "z"]
    assert listed(query=mark, sorting=["email"]) == ["x", "y", "z"]
    assert listed(query=mark, sorting=["-created_at"]) == ["x", "y", "z"]
    assert listed(query=mark, sorting=["created_at"]) == ["z", "y", "x"]
    assert listed(query=f"ALPHA {mark}") == ["y"]
    assert listed(query=f"{mark}-z") == ["z"]
    assert listed(email=f"Y.{mark}@POLAR.example") == ["y"]
    assert listed(email=mark) == []
    assert listed(metadata={"mark": mark, "word": ["x", "z"]}, sorting=["email"]) == ["x", "z"]
    assert listed(query=mark, active=False) == ["x", "y", "z"]
    assert listed(query=mark, active=True) == []
    assert listed(query=mark, organization_id=str(uuid4())) == []
    page = client.customers.list(query=mark, limit=2, page=2)
    assert (page.pagination.total_count, page.pagination.max_page, len(page.items)) == (3, 2, 1)


def test_taken_identifiers_are_told_together(http: httpx.Client) -> None:
    taken = create(http, external_id=fresh("ext"))
    both = {"email": taken["email"].upper(), "external_id": taken["external_id"]}
    expected = [
        ("value_error", ["body", "email"], "A customer with this email address already exists."),
        ("value_error", ["body", "external_id"], "A customer with this external ID already exists."),
    ]
    assert refused(http.post("/v1/customers/", json=both)) == expected
    other = create(http)
    assert refused(http.patch(f"/v1/customers/{other['id']}", json=both)) == expected
    assert http.get(f"/v1/customers/{other['id']}").json() == other


def test_what_is_fixed_once_it_is_set(http: httpx.Client) -> None:
    made = create(http, external_id="  ")
    assert made["external_id"] is None
    path = f"/v1/customers/{made['id']}"
    key = fresh("ext")
    first = {"external_id": key, "billing_address": {"country": "US", "state": "NY"}, "type": "individual"}
    changed = http.patch(path, json=first).json()
    assert changed["external_id"] == key
    assert changed["billing_address"]["state"] == "NY"
    assert http.patch(path, json={"external_id": key, "email": None}).json() == changed
    for value in ("other", None):
        assert refused(http.patch(path, json={"external_id": value})) == [
            ("value_error", ["body", "external_id"], "Customer external ID cannot be updated.")
        ]
    assert refused(http.patch(path, json={"billing_address": None})) == [
        (
            "value_error",
            ["body", "billing_address"],
            "Customer billing address cannot be reset to null once set.",
        )
    ]
    ignored = {"external_id": "other", "type": "team"}
    assert http.patch(f"/v1/customers/external/{key}", json=ignored).json() == changed


@pytest.mark.parametrize(
    ("wrong", "kind", "loc"),
    [
        ({"email": None}, "string_type", ["email"]),
        ({"email": "nobody"}, "value_error", ["email"]),
        ({"email": "a@b"}, "value_error", ["email"]),
        ({"email": "x" * 1_000_000 + "@b.example"}, "value_error", ["email"]),
        ({"email": "a\x00@b.example"}, "value_error", ["email"]),
        ({"name": "x" * 257}, "string_too_long", ["name"]),
        ({"name": "\x00"}, "value_error", ["name"]),
        ({"external_id": "x" * 1_000_000}, "string_too_long", ["external_id"]),
        ({"external_id": 5}, "string_type", ["external_id"]),
        ({"billing_address": {}}, "missing", ["billing_address", "country"]),
        ({"billing_address": {"country": "XX"}}, "literal_error", ["billing_address", "country"]),
        (
            {"billing_address": {"country": "DE", "city": "x" * 20_000}},
            "string_too_long",
            ["billing_address", "city"],
        ),
        ({"metadata": {"k": None}}, "string_type", ["metadata", "k"]),
        ({"metadata": {"k": ""}}, "string_too_short", ["metadata", "k"]),
        ({"metadata": {"k": "x" * 501}}, "string_too_long", ["metadata", "k"]),
        ({"metadata": {"x" * 41: 1}}, "string_too_long", ["metadata", "x" * 41]),
        ({"metadata": {str(n): n for n in range(51)}}, "too_long", ["metadata"]),
        ({"type": "robot"}, "enum", ["type"]),
        ({"organization_id": str(uuid4())}, "organization_token", ["organization_id"]),
    ],
)
def test_faults_name_their_field(
    http: httpx.Client, wrong: dict[str, Any], kind: str, loc: list[str]
) -> None:
    answer = http.post("/v1/customers/", json={"email": email()} | wrong)
    found = [(code, at[1 : 1 + len(loc)]) for code, at, _ in refused(answer)]
    assert (kind, loc) in found


def test_wrong_ids_and_queries(http: httpx.Client) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        body = {"json": {}} if method == "PATCH" else {}
        assert http.request(method, "/v1/customers/nothing", **body).status_code == 422
        assert http.request(method, f"/v1/customers/{uuid4()}", **body).status_code == 404
        for text in HOSTILE:
            assert http.request(method, f"/v1/customers/external/{quoted(text)}", **body).status_code == 404
    for params in (
        {"sorting": "age"},
        {"page": 0},
        {"active": "maybe"},
        {"organization_id": "x"},
        {"query": "\x00"},
    ):
        assert http.get("/v1/customers/", params=params).status_code == 422
    assert http.delete(f"/v1/customers/{uuid4()}", params={"anonymize": "perhaps"}).status_code == 422


def test_hostile_texts_are_only_texts(http: httpx.Client) -> None:
    for text in HOSTILE:
        if "\x00" in text:
            continue
        key = f"{text}{fresh()}"
        made = create(http, external_id=key, name=text, metadata={text[:40]: text})
        assert http.get(f"/v1/customers/external/{quoted(key.strip())}").json() == made
        assert [
            c["id"] for c in http.get("/v1/customers/", params={"query": key.strip()}).json()["items"]
        ] == [made["id"]]
    assert create(http, metadata={"n": 10**30, "f": 1e300})["metadata"] == {"n": 10**30, "f": 1e300}


def test_e33_identifiers(http: httpx.Client) -> None:
    name, word = fresh("ai"), uuid4().hex[:8]
    one = create(http, external_id=f"ext-1-{word}")["id"]
    meter = meter_of(http, name)
    ghost, other, external = f"ghost-{word}", f"other-{word}", f"ext-1-{word}"
    ingest(
        http, name, {"customer_id": one}, *({"external_customer_id": key} for key in (external, ghost, other))
    )
    by_id, by_key = ("customer_id", one), ("external_customer_id", external)
    assert counted(http, meter, by_id) == 2
    assert counted(http, meter, by_key) == 2
    assert counted(http, meter, ("external_customer_id", ghost)) == 1
    assert counted(http, meter, by_id, ("external_customer_id", ghost)) == 3
    assert counted(http, meter, ("customer_id", str(uuid4()))) == 0
    assert counted(http, meter) == 4
    for path, filters in (("/v1/events/", {"name": name}), ("/v1/events/names", {"query": name})):
        for pair in (by_id, by_key):
            answer = http.get(path, params=[*filters.items(), pair]).json()
            assert answer["items"][0].get("occurrences", len(answer["items"])) == 2


def test_e34_a_late_customer(http: httpx.Client) -> None:
    name, key = fresh("ai"), fresh("late")
    ingest(http, name, {"external_customer_id": key}, {"external_customer_id": key})

    def events(**query: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = http.get("/v1/events/", params={"name": name, **query}).json()["items"]
        return items

    assert [item["customer"] for item in events()] == [None, None]
    made = create(http, external_id=key)
    assert made["first_user_event_at"] is not None
    found = events(customer_id=made["id"])
    assert [(item["customer"], item["customer_id"]) for item in found] == [(made, None)] * 2
    assert http.get(f"/v1/events/{found[0]['id']}").json()["customer"] == made
    meter = meter_of(http, name)
    assert http.get(f"/v1/meters/{meter}/events").json()["items"][0]["customer"] == made
    assert http.delete(f"/v1/customers/{made['id']}").status_code == 204
    assert [item["customer"] for item in events(external_customer_id=key)] == [None, None]
    assert events(customer_id=made["id"]) == []


def test_e37_events_that_name_customers(http: httpx.Client) -> None:
    made, gone = create(http), create(http)
    http.delete(f"/v1/customers/{gone['id']}")
    name = fresh("ai")
    batch = [
        {"name": name, "customer_id": made["id"]},
        {"name": name, "customer_id": str(uuid4())},
        {"name": name, "customer_id": gone["id"]},
        {"name": name, "customer_id": made["id"], "member_id": str(uuid4())},
        {"name": name, "external_customer_id": "u", "external_member_id": "anyone"},
    ]
    assert refused(http.post("/v1/events/ingest", json={"events": batch})) == [
        ("customer_id", ["body", "events", 1, "customer_id"], "Customer not found."),
        ("customer_id", ["body", "events", 2, "customer_id"], "Customer not found."),
        ("member_id", ["body", "events", 3, "member_id"], "Member not found."),
    ]
    assert http.get("/v1/events/", params={"name": name}).json()["items"] == []
    both = {"name": name, "customer_id": made["id"], "external_customer_id": "u"}
    assert http.post("/v1/events/ingest", json={"events": [both]}).json() == {"inserted": 1, "duplicates": 0}
    (stored,) = http.get("/v1/events/", params={"name": name}).json()["items"]
    assert (stored["customer_id"], stored["external_customer_id"]) == (made["id"], None)
    assert stored["customer"]["id"] == made["id"]


@pytest.mark.parametrize(
    ("function", "expected"),
    [("count", 2), ("sum", 30), ("max", 20), ("min", 10), ("avg", 15), ("unique", 2)],
)
def test_e31_combining_customers_of_ours(http: httpx.Client, function: str, expected: float) -> None:
    name = fresh("ai")
    one, two = create(http)["id"], create(http)["id"]
    for customer_id, tokens in ((one, 20), (one, 10), (two, 10), (two, 0)):
        ingest(http, name, {"customer_id": customer_id}, metadata={"tokens": tokens, "model": "lite"})
    ingest(http, name, {"customer_id": two}, metadata={"tokens": 100, "model": "pro"})
    clauses = [
        {"property": "name", "operator": "eq", "value": name},
        {"property": "model", "operator": "eq", "value": "lite"},
    ]
    body = {
        "name": name,
        "filter": {"conjunction": "and", "clauses": clauses},
        "aggregation": {"func": "max", "property": "tokens"},
    }
    meter = http.post("/v1/meters/", json=body).json()["id"]
    asked = {**DAY, "customer_aggregation_function": function}
    answer = http.get(f"/v1/meters/{meter}/quantities", params=asked).json()
    assert [item["quantity"] for item in answer["quantities"]] == [expected]
    assert answer["total"] == expected


def test_a_text_finds_events_of_the_customers_that_it_means(http: httpx.Client) -> None:
    name, word = fresh("ai"), uuid4().hex[:8]
    made = create(http, external_id=f"key-{word}", name=f"Zoë {word}")
    ingest(
        http,
        name,
        {"customer_id": made["id"]},
        {"external_customer_id": f"key-{word}"},
        {"external_customer_id": "u"},
    )
    for text in (f"ZOË {word}", f"EY-{word}", made["email"][:20]):
        assert len(http.get("/v1/events/", params={"name": name, "query": text}).json()["items"]) == 2
    assert http.get("/v1/events/", params={"name": name, "query": "nothing such"}).json()["items"] == []


def test_one_customer_behind_both_interfaces(http: httpx.Client) -> None:
    key, subject = fresh("both"), fresh("s")
    body = {
        "name": "Both",
        "key": key,
        "usageAttribution": {"subjectKeys": [subject]},
        "billingAddress": {"country": "DE", "phoneNumber": "+49"},
        "metadata": {"a": "b"},
    }
    there = http.post("/api/v1/customers", json=body).json()
    here = http.get(f"/v1/customers/external/{key}").json()
    assert http.get(f"/v1/customers/{there['id']}").json() == here
    assert (here["name"], here["metadata"], here["billing_address"]["country"]) == ("Both", {"a": "b"}, "DE")
    assert here["email"] == f"{here['id']}@no-email.example"
    path = f"/v1/customers/{here['id']}"
    unchanged = http.patch(path, json={"email": here["email"], "name": "Both"}).json()
    assert unchanged == here
    assert "primaryEmail" not in http.get(f"/api/v1/customers/{key}").json()
    address = email()
    changes = {
        "email": address,
        "billing_address": {"country": "FR"},
        "metadata": {"n": 1, "f": 0.5, "b": True},
    }
    http.patch(path, json=changes)
    there = http.get(f"/api/v1/customers/{key}").json()
    assert (there["primaryEmail"], there["metadata"]) == (address, {"n": "1", "f": "0.5", "b": "true"})
    assert there["billingAddress"] == {"country": "FR", "phoneNumber": "+49"}
    assert there["usageAttribution"] == {"subjectKeys": [subject]}
    name = fresh("ai")
    ingest(http, name, {"external_customer_id": subject}, {"external_customer_id": key})
    found = http.get("/v1/events/", params={"name": name, "customer_id": here["id"]}).json()["items"]
    assert {item["customer"]["id"] for item in found} == {here["id"]}
    assert len(found) == 2
    ingest(http, name, {"customer_id": here["id"]})
    query = {"filter": json.dumps({"type": {"$eq": name}})}
    listed = http.get("/api/v2/events", params=query).json()["items"]
    assert [item["customerId"] for item in listed] == [there["id"]] * 3
    assert not any("no customer found" in item["validationError"] for item in listed)
    nameless = create(http, external_id=fresh("ext"))
    shown = http.get(f"/api/v1/customers/{nameless['external_id']}").json()
    assert shown["name"] == nameless["email"]
    assert refused(http.post("/v1/customers/", json={"email": email(), "external_id": subject})) == [
        ("value_error", ["body", "external_id"], "A customer with this external ID already exists.")
    ]


async def test_of_many_creations_at_once_one_wins(server: ServerProcess, recorder: Recorder) -> None:
    async with httpx.AsyncClient(base_url=recorder.url_for("HTTP test"), headers=server.headers) as http:
        body = {"email": email(), "external_id": fresh("race")}
        answers = await asyncio.gather(*(http.post("/v1/customers/", json=body) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [201] + [422] * 7
        made = next(answer.json() for answer in answers if answer.status_code == 201)
        path = f"/v1/customers/{made['id']}"
        mixed = [http.delete(path) for _ in range(3)] + [
            http.patch(path, json={"name": "x"}) for _ in range(3)
        ]
        answers = await asyncio.gather(*mixed)
        assert sorted(answer.status_code for answer in answers[:3]) == [204, 404, 404]
        assert {answer.status_code for answer in answers[3:]} <= {200, 404}
