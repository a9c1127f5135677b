"""The console on a real database: one secret for all processes, ended keys, the own organisation's rows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, func, insert, select
from starlette.applications import Starlette
from tests.integration.monitoring.conftest import Bench, bench  # noqa: F401 - a fixture
from tests.usage_factory import openmeter

from meterhouse.apis.services import Services
from meterhouse.console.keyring import PostgresKeyRing
from meterhouse.console.routes import console_routes
from meterhouse.console.sources import ContextSource
from meterhouse.console.tables import console_secrets
from meterhouse.identity import service as identity
from meterhouse.identity.authenticate import Authenticator
from meterhouse.identity.tables import organisations
from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import EventStore, Rows
from meterhouse.platform.postgres import PostgresDatabase
from meterhouse.usage.convert import meter_to_row
from meterhouse.usage.tables import meters
from meterhouse.webhooks import service as webhooks
from meterhouse.webhooks.model import Endpoint, Notice, Subject, WebhookType
from meterhouse.webhooks.send import Carriers
from meterhouse.webhooks.sender import WebhookSender

ORIGIN = "http://meterhouse.test"


@dataclass
class AskedStore:
    """An event store without events that remembers what it was asked."""

    asked: list[Mapping[str, object]] = field(default_factory=list)

    async def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> Rows:
        self.asked.append(parameters or {})
        return Rows(())


def services_of(database: PostgresDatabase, clock: TestClock, store: AskedStore | None = None) -> Services:
    nothing = cast(Any, None)
    events = cast(EventStore, store or AskedStore())
    return Services(
        database, events, nothing, nothing, clock, nothing, Authenticator(database, clock), nothing, nothing
    )


def process(services: Services) -> httpx.AsyncClient:
    """A browser in front of a server process of its own."""
    app = Starlette(routes=console_routes(services, {}))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN)


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def created(database: PostgresDatabase, clock: TestClock) -> identity.CreatedKey:
    async with database.begin() as connection:
        organisation_id = await identity.ensure_organisation(connection, now=clock.now())
        return await identity.create_key(
            connection, organisation_id=organisation_id, name="console", scopes=("*",), now=clock.now()
        )


async def sign_in(browser: httpx.AsyncClient, secret: str) -> None:
    answer = await browser.post("/console/sign-in", data={"key": secret}, headers={"Origin": ORIGIN})
    assert answer.status_code == 303


async def is_signed_in(browser: httpx.AsyncClient) -> bool:
    return "Sign out" in (await browser.get("/")).text


async def test_the_secret_is_made_once(database: PostgresDatabase, clock: TestClock):
    async with database.begin() as connection:
        await connection.execute(delete(console_secrets))
    ring = PostgresKeyRing(database)
    assert await ring.find_secret() is None
    made = await asyncio.gather(*(ring.ensure_secret(clock.now()) for _ in range(8)))
    assert len(set(made)) == 1
    assert len(made[0]) == 32
    assert await ring.find_secret() == made[0]
    async with database.begin() as connection:
        assert await connection.scalar(select(func.count()).select_from(console_secrets)) == 1


async def test_a_session_holds_in_every_process(
    database: PostgresDatabase, clock: TestClock, created: identity.CreatedKey
):
    async with process(services_of(database, clock)) as first, process(services_of(database, clock)) as other:
        await sign_in(first, created.secret)
        other.cookies.update(first.cookies)
        assert await is_signed_in(other)
        async with database.begin() as connection:
            await identity.revoke_key(
                connection,
                organisation_id=created.key.organisation_id,
                key=str(created.key.id),
                now=clock.now(),
            )
        assert not await is_signed_in(first)
        assert not await is_signed_in(other)


async def test_a_new_secret_signs_everybody_out(
    database: PostgresDatabase, clock: TestClock, created: identity.CreatedKey
):
    async with process(services_of(database, clock)) as browser:
        await sign_in(browser, created.secret)
        async with database.begin() as connection:
            await connection.execute(delete(console_secrets))
        assert not await is_signed_in(browser)
        await sign_in(browser, created.secret)
        assert await is_signed_in(browser)


async def _other_organisation(database: PostgresDatabase, clock: TestClock) -> UUID:
    other = new_id()
    async with database.begin() as connection:
        await connection.execute(insert(organisations).values(id=other, name="Other", created_at=clock.now()))
    return other


async def test_jobs_and_strategies_are_those_of_the_organisation(bench: Bench):  # noqa: F811
    source = ContextSource(services_of(bench.database, bench.clock))
    strategy = await bench.generate(name="Phones & more")
    done = await bench.run(strategy)
    waiting = await bench.create(strategy)
    shown = await source.strategies(bench.organisation_id, 10)
    assert [(row.id, row.name, row.kind) for row in shown.rows] == [(strategy.id, "Phones & more", "css")]
    jobs = await source.jobs(bench.organisation_id, 10)
    assert [(row.id, row.strategy, row.status, row.item_count) for row in jobs.rows] == [
        (waiting.id, "Phones & more", "pending", None),
        (done.id, "Phones & more", "completed", 3),
    ]
    assert (await source.jobs(bench.organisation_id, 1)).has_more
    other = await _other_organisation(bench.database, bench.clock)
    assert (await source.strategies(other, 10)).rows == []
    assert (await source.jobs(other, 10)).rows == []


async def test_meters_are_those_of_the_organisation(database: PostgresDatabase, clock: TestClock):
    ours, theirs = [await _other_organisation(database, clock) for _ in range(2)]
    async with database.begin() as connection:
        for owner, slug in ((ours, "ours"), (theirs, "theirs")):
            meter = openmeter(organisation_id=owner, event_type="prompt", slug=slug)
            await connection.execute(insert(meters).values(**meter_to_row(meter)))
    listing = await ContextSource(services_of(database, clock)).meters(ours, 10)
    assert [(row.slug, row.aggregation, row.counts) for row in listing.rows] == [
        ("ours", "sum", "$.value of events of type prompt")
    ]


async def test_events_are_asked_for_one_organisation(database: PostgresDatabase, clock: TestClock):
    store = AskedStore()
    organisation_id = new_id()
    listing = await ContextSource(services_of(database, clock, store)).events(organisation_id, 10)
    assert listing.rows == []
    assert organisation_id in store.asked[0].values() or str(organisation_id) in store.asked[0].values()


async def test_the_outbox_is_that_of_the_organisation(database: PostgresDatabase, clock: TestClock):
    ours, theirs = [await _other_organisation(database, clock) for _ in range(2)]
    async with database.begin() as connection:
        for owner in (ours, theirs):
            await webhooks.announce(
                connection,
                organisation_id=owner,
                source="test",
                subject_id=new_id(),
                owner_id=new_id(),
                endpoint=Endpoint("team@example.com", WebhookType.EMAIL),
                now=clock.now(),
            )
    sender = WebhookSender(database, Carriers(cast(Any, None)), clock, {"test": _word})
    await sender.find_due(clock.now())
    await sender.drain()
    shown = await ContextSource(services_of(database, clock)).outbox(ours, 10)
    assert [(row.to, row.subject) for row in shown.rows] == [
        ("team@example.com", "Phones changed: 1 new item")
    ]
    assert "https://shop.example/phones" in shown.rows[0].text


async def _word(subjects: Sequence[Subject]) -> list[Notice]:
    return [Notice({}, "Phones changed", "https://shop.example/phones", "1 new item") for _ in subjects]
