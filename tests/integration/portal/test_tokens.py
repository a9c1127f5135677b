"""Portal tokens on a real database (openmeter 9.1)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.errors import Invalid, NotFound, Unauthenticated
from meterhouse.kernel.ids import new_id
from meterhouse.platform.postgres import PostgresDatabase
from meterhouse.portal import engine, queries, service
from meterhouse.portal.model import PortalToken
from meterhouse.portal.tables import portal_secrets, portal_tokens
from meterhouse.usage.model import Aggregation
from meterhouse.usage.service import MeterDraft, create_meter, event_type_filter


@pytest.fixture
def clock() -> TestClock:
    return TestClock(datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC))


@pytest.fixture
def organisation_id() -> UUID:
    return new_id()


async def create(database, organisation_id, clock, subject="s", slugs=None, expires_at=None):
    async with database.begin() as connection:
        return await service.create_token(
            connection,
            organisation_id=organisation_id,
            subject=subject,
            allowed_meter_slugs=slugs,
            expires_at=expires_at,
            clock=clock,
        )


async def authenticate(database: PostgresDatabase, text: str, clock: TestClock) -> PortalToken:
    async with database.begin() as connection:
        return await queries.authenticate(connection, text=text, now=clock.now())


async def test_nobody_has_a_token_before_the_first_one(database, clock):
    forged = engine.sign(PortalToken(new_id(), new_id(), "s", (), clock.now(), clock.now()), b"")
    with pytest.raises(Unauthenticated, match="wrong signature"):
        await authenticate(database, forged, clock)


async def test_the_secret_is_made_once(database, clock, organisation_id):
    made = await asyncio.gather(*(create(database, organisation_id, clock) for _ in range(6)))
    for one in made:
        assert await authenticate(database, one.text, clock) == one.token
    async with database.begin() as connection:
        (secret,) = (await connection.execute(select(portal_secrets.c.secret))).scalars()
    assert len(secret) == engine.SECRET_BYTES


async def test_a_token_ends(database, clock, organisation_id):
    made = await create(database, organisation_id, clock)
    assert made.token.expires_at == datetime(2026, 3, 1, 13, tzinfo=UTC)
    clock.move_to(made.token.expires_at - timedelta(microseconds=1))
    await authenticate(database, made.text, clock)
    clock.move_to(made.token.expires_at)
    with pytest.raises(Unauthenticated, match="expired"):
        await authenticate(database, made.text, clock)
    async with database.begin() as connection:
        listed = await queries.list_tokens(connection, organisation_id=organisation_id)
    assert [token.is_expired(clock.now()) for token in listed] == [True]
    for end in (clock.now(), clock.now() - timedelta(days=1)):
        with pytest.raises(Invalid, match="future"):
            await create(database, organisation_id, clock, expires_at=end)


async def test_what_is_kept_opens_nothing(database, clock, organisation_id):
    made = await create(database, organisation_id, clock)
    async with database.begin() as connection:
        secret = (await connection.execute(select(portal_secrets.c.secret))).scalar_one()
        query = select(portal_tokens).where(portal_tokens.c.id == made.token.id)
        row = (await connection.execute(query)).one()
    assert made.text.encode() not in b"".join(str(value).encode() for value in row)
    # Whoever has the secret, too, opens only what was once made: not another subject, not a longer time.
    for changed in (
        replace(made.token, subject="other"),
        replace(made.token, id=new_id()),
        replace(made.token, organisation_id=new_id()),
        replace(made.token, expires_at=made.token.expires_at + timedelta(days=1)),
    ):
        with pytest.raises(Unauthenticated, match="unknown"):
            await authenticate(database, engine.sign(changed, secret), clock)


async def test_tokens_are_invalidated_in_their_organisation(database, clock, organisation_id):
    mine, other = await create(database, organisation_id, clock), await create(database, new_id(), clock)
    async with database.begin() as connection:
        for ids in ({"subject": "s"}, {"token_id": str(other.token.id)}, {"token_id": "nobody"}):
            await service.invalidate_tokens(connection, organisation_id=organisation_id, clock=clock, **ids)
        with pytest.raises(Invalid):
            await service.invalidate_tokens(connection, organisation_id=organisation_id, clock=clock)
    await authenticate(database, other.text, clock)
    with pytest.raises(Unauthenticated, match="invalidated"):
        await authenticate(database, mine.text, clock)


async def test_allowed_meters_must_exist(database, clock, organisation_id):
    draft = MeterDraft("openmeter", event_type_filter("t"), Aggregation.COUNT, slug="calls")
    async with database.begin() as connection:
        meter = await create_meter(connection, organisation_id=organisation_id, draft=draft, clock=clock)
    made = await create(database, organisation_id, clock, slugs=["calls", "calls"])
    assert made.token.allowed_meter_slugs == ("calls",)
    for unknown in ("other", str(meter.id), "'", "x" * 1_000):
        with pytest.raises(NotFound):
            await create(database, organisation_id, clock, slugs=["calls", unknown])
    for slugs in ([], [f"m{n}" for n in range(101)]):
        with pytest.raises(Invalid):
            await create(database, organisation_id, clock, slugs=slugs)
    with pytest.raises(Invalid):
        await create(database, organisation_id, clock, subject="")
