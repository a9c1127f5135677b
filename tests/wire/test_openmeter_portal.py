"""Portal access with the published `openmeter` client and by plain HTTP (openmeter 9.1)."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

import httpx
import openmeter
import openmeter.aio
import pytest
import pytest_asyncio
from corehttp.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from tests.openmeter_client import Desk, cloud_event, fresh, problem
from tests.server import ServerProcess
from tests.wire.recorder import Recorder

CLIENT = f"openmeter {version('openmeter')}"
Portal = Callable[[str], Any]


@pytest.fixture
def client(recorder: Recorder, server: ServerProcess) -> Iterator[Any]:
    with openmeter.Client(endpoint=recorder.url_for(CLIENT), token=server.api_key) as opened:
        yield opened


@pytest.fixture
def portal_of(recorder: Recorder) -> Iterator[Portal]:
    """The meters as the holder of a token sees them."""
    opened: list[Any] = []

    def of(token: str) -> Any:
        opened.append(openmeter.Client(endpoint=recorder.url_for(CLIENT), token=token))
        return opened[-1].portal.portal_meters

    yield of
    for one in opened:
        one.close()


@pytest.fixture
def desk(http: httpx.Client) -> Desk:
    return Desk(http)


@pytest.fixture
def counted(desk: Desk) -> str:
    """A meter over the events of two subjects."""
    meter = desk.meter(groupBy={"model": "$.model"})
    desk.send(
        cloud_event(meter, {"value": 1, "model": "a"}, subject=f"{meter}-me", time="2026-03-01T00:00:00Z"),
        cloud_event(meter, {"value": 2, "model": "b"}, subject=f"{meter}-me", time="2026-03-01T01:00:00Z"),
        cloud_event(meter, {"value": 4, "model": "a"}, subject=f"{meter}-you", time="2026-03-01T00:00:00Z"),
    )
    return meter


def token_of(client: Any, meter: str, **rest: Any) -> str:
    return str(client.portal.portal_tokens.create({"subject": f"{meter}-me"} | rest).token)


def test_a_subject_reads_its_own_usage(client: Any, portal_of: Portal, counted: str) -> None:
    mine = portal_of(token_of(client, counted))
    answer = mine.query_json(counted)
    assert [(row.subject, row.value) for row in answer.data] == [(f"{counted}-me", 3)]
    hours = mine.query_json(
        counted,
        from_parameter=datetime.fromisoformat("2026-03-01T00:00:00+00:00"),
        to=datetime.fromisoformat("2026-03-02T00:00:00+00:00"),
        window_size="HOUR",
        window_time_zone="Europe/Berlin",
        group_by=["model"],
    )
    assert [(dict(row.group_by), row.value) for row in hours.data] == [
        ({"model": "a"}, 1),
        ({"model": "b"}, 2),
    ]
    assert [row.value for row in mine.query_json(counted, filter_group_by={"model": "b"}).data] == [2]
    table = mine.query_csv(counted, group_by=["model"]).splitlines()
    assert table[0] == "window_start,window_end,subject,model,value"
    assert [line.split(",")[2:] for line in table[1:]] == [
        [f"{counted}-me", "a", "1.000000"],
        [f"{counted}-me", "b", "2.000000"],
    ]


def test_a_token_as_it_is_made_and_listed(client: Any, counted: str) -> None:
    tokens = client.portal.portal_tokens
    made = tokens.create({"subject": f"{counted}-me", "allowedMeterSlugs": [counted]})
    assert (made.subject, made.allowed_meter_slugs, made.expired) == (f"{counted}-me", [counted], False)
    assert made.expires_at - made.created_at == timedelta(hours=1)
    claims = json.loads(base64.urlsafe_b64decode(made.token.split(".")[1] + "=="))
    assert (claims["iss"], claims["sub"], claims["Id"]) == ("openmeter", f"{counted}-me", made.id)
    assert claims["AllowedMeterSlugs"] == [counted]
    listed = tokens.list(limit=1)
    assert [(token.id, token.token, token.expires_at) for token in listed] == [
        (made.id, None, made.expires_at)
    ]
    assert tokens.create({"subject": "s"}).allowed_meter_slugs == []
    assert len(tokens.list()) <= 25


def test_an_end_of_ones_own(client: Any, http: httpx.Client, desk: Desk, counted: str) -> None:
    end = (desk.now() + timedelta(days=30)).isoformat()
    body = {"subject": f"{counted}-me", "expiresAt": end, "id": "ignored", "token": "ignored"}
    made = http.post("/api/v1/portal/tokens", json=body)
    assert (made.status_code, datetime.fromisoformat(made.json()["expiresAt"])) == (
        200,
        datetime.fromisoformat(end),
    )
    told = problem(http.post("/api/v1/portal/tokens", json=body | {"expiresAt": "2020-01-01T00:00:00Z"}), 400)
    assert told["extensions"]["validationErrors"][0]["field"] == "$.expiresAt"
    problem(http.post("/api/v1/portal/tokens", json=body | {"expiresAt": "soon"}), 400)


def test_tokens_are_refused_where_they_are_wrong(
    client: Any, portal_of: Portal, http: httpx.Client, counted: str
) -> None:
    tokens = client.portal.portal_tokens
    for body in (
        {"subject": ""},
        {"subject": "x" * 1_000_000},
        {"subject": "s", "allowedMeterSlugs": []},
        {"subject": "s", "allowedMeterSlugs": [str(n) for n in range(101)]},
        {"subject": "a\x00b"},
        {"subject": 5},
        {},
    ):
        with pytest.raises(HttpResponseError) as refused:
            tokens.create(body)
        assert refused.value.status_code == 400
    with pytest.raises(ResourceNotFoundError, match="meter not found"):
        tokens.create({"subject": "s", "allowedMeterSlugs": [counted, fresh("unknown")]})
    problem(http.post("/api/v1/portal/tokens/invalidate", json={}), 400)


def test_the_wrong_tokens_one_by_one(
    client: Any, stranger: httpx.Client, server: ServerProcess, desk: Desk, counted: str
) -> None:
    path, token = (
        f"/api/v1/portal/meters/{counted}/query",
        token_of(client, counted, allowedMeterSlugs=[counted]),
    )
    header, claims, signature = token.split(".")
    forged = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for value, words in (
        (None, "a portal token is required"),
        ("", ""),
        (token, ""),
        (f"Basic {token}", ""),
        (f"Bearer {server.api_key}", "no JSON Web Token"),
        ("Bearer a.b.c", "no JSON Web Token"),
        (f"Bearer {forged}.{claims}.", "not signed with HS256"),
        (f"Bearer {header}.{claims}.{signature[::-1]}", "wrong signature"),
    ):
        headers = {} if value is None else {"authorization": value}
        answer = stranger.get(path, headers=headers)
        problem(answer, 401, words)
        assert answer.headers["www-authenticate"] == "Bearer"
    other = desk.meter()
    authorised = {"authorization": f"Bearer {token}"}
    problem(
        stranger.get(f"/api/v1/portal/meters/{other}/query", headers=authorised),
        401,
        "meter slug not allowed",
    )
    everything = {"authorization": f"Bearer {token_of(client, counted)}"}
    problem(stranger.get(f"/api/v1/portal/meters/{fresh()}/query", headers=everything), 404)
    problem(stranger.get(path, headers=authorised, params={"groupBy": "nothing"}), 400, "nothing")
    for management in ("/api/v1/meters", "/api/v1/portal/tokens", "/api/v1/customers"):
        problem(stranger.get(management, headers=everything), 401)


def test_invalidated_tokens(client: Any, portal_of: Portal, counted: str) -> None:
    tokens = client.portal.portal_tokens
    one, two, three = (tokens.create({"subject": f"{counted}-me"}) for _ in range(3))
    stays = tokens.create({"subject": f"{counted}-you"})
    tokens.invalidate(id=one.id)
    tokens.invalidate(id=one.id)
    with pytest.raises(ClientAuthenticationError, match="invalidated"):
        portal_of(one.token).query_json(counted)
    assert portal_of(two.token).query_json(counted).data
    tokens.invalidate({"id": two.id, "subject": f"{counted}-you"})
    assert portal_of(two.token).query_json(counted).data
    tokens.invalidate(subject=f"{counted}-me")
    for gone in (two, three):
        with pytest.raises(ClientAuthenticationError, match="invalidated"):
            portal_of(gone.token).query_json(counted)
    assert portal_of(stays.token).query_json(counted).data
    assert {one.id, two.id, three.id}.isdisjoint(token.id for token in tokens.list(limit=100))
    for hostile in ("'", "nobody", "x" * 10_000):
        tokens.invalidate(id=hostile)
        tokens.invalidate(subject=hostile)


def test_other_customers_stay_hidden(client: Any, portal_of: Portal, counted: str) -> None:
    def customer(subject: str) -> str:
        body = {"name": "N", "usageAttribution": {"subjectKeys": [subject]}}
        return str(client.customers.create(body).id)

    me, you = customer(f"{counted}-me"), customer(f"{counted}-you")
    mine = portal_of(token_of(client, counted))

    def asked(*ids: str) -> list[Any]:
        return [
            (row.customer_id, row.value)
            for row in mine.query_json(counted, filter_customer_id=list(ids)).data
        ]

    assert asked(me) == asked(me, you) == [(me, 3)]
    assert asked(you) == asked("01ARZ3NDEKTSV4RRFFQ69G5FAV") == asked("nobody") == []


def test_pages_of_any_origin_may_ask(client: Any, stranger: httpx.Client, counted: str) -> None:
    path, page = f"/api/v1/portal/meters/{counted}/query", {"origin": "https://shop.example"}
    asking = {"access-control-request-method": "GET", "access-control-request-headers": "authorization"}
    preflight = stranger.options(path, headers=page | asking)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-methods"] == "GET, OPTIONS"
    assert preflight.headers["access-control-allow-headers"] == "authorization"
    answers = [preflight, stranger.get(path, headers=page)]
    answers.append(
        stranger.get(path, headers=page | {"authorization": f"Bearer {token_of(client, counted)}"})
    )
    assert [answer.status_code for answer in answers] == [204, 401, 200]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert answer.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in stranger.get("/api/v1/meters", headers=page).headers


@pytest_asyncio.fixture
async def async_client(recorder: Recorder, server: ServerProcess) -> AsyncIterator[Any]:
    endpoint = recorder.url_for(f"{CLIENT}, asynchronous")
    async with openmeter.aio.Client(endpoint=endpoint, token=server.api_key) as opened:
        yield opened


async def test_the_asynchronous_client(async_client: Any, recorder: Recorder, counted: str) -> None:
    tokens = async_client.portal.portal_tokens
    made = await tokens.create({"subject": f"{counted}-me"})
    assert made.id in [token.id for token in await tokens.list(limit=100)]
    endpoint = recorder.url_for(f"{CLIENT}, asynchronous")
    async with openmeter.aio.Client(endpoint=endpoint, token=made.token) as holder:
        answer = await holder.portal.portal_meters.query_json(counted)
        assert [row.value for row in answer.data] == [3]
        assert "3.000000" in await holder.portal.portal_meters.query_csv(counted)
        await tokens.invalidate(id=made.id)
        with pytest.raises(ClientAuthenticationError):
            await holder.portal.portal_meters.query_json(counted)
