"""API keys on a real database: made, shown once, remembered, rotated, ended at once."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from meterhouse.identity import queries, service
from meterhouse.identity.authenticate import Authenticator
from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.errors import Forbidden, Invalid, NotFound, Unauthenticated
from meterhouse.platform.postgres import PostgresDatabase, listen


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def organisation_id(database: PostgresDatabase, clock: TestClock):
    async with database.begin() as connection:
        return await service.ensure_organisation(connection, now=clock.now())


async def _create(database, organisation_id, clock, *scopes: str) -> service.CreatedKey:
    async with database.begin() as connection:
        return await service.create_key(
            connection, organisation_id=organisation_id, name="test", scopes=scopes or ("*",), now=clock.now()
        )


async def test_the_organisation_is_made_once(database, organisation_id, clock):
    async with database.begin() as connection:
        assert await service.ensure_organisation(connection, now=clock.now()) == organisation_id


async def test_a_key_opens_what_its_scopes_name(database, organisation_id, clock):
    created = await _create(database, organisation_id, clock, "meters:read")
    principal = await Authenticator(database, clock).authenticate(created.secret)
    assert principal.organisation_id == organisation_id
    principal.require_any(("meters:write", "meters:read"))
    with pytest.raises(Forbidden, match="meters:write"):
        principal.require_any(("meters:write",))


async def test_the_secret_is_nowhere_in_the_database(database, organisation_id, clock):
    created = await _create(database, organisation_id, clock)
    async with database.begin() as connection:
        rows = (await connection.execute(text("SELECT k::text FROM api_keys k"))).scalars().all()
    assert rows
    assert not [row for row in rows if created.secret in row]
    assert created.key.prefix.startswith("sk_live_")
    assert len(created.key.prefix) < 16


@pytest.mark.parametrize("token", [None, "", "sk_live_nonsense", "x" * 5000, "\x00", "ключ"])
async def test_unknown_keys_are_refused(database, clock, token):
    with pytest.raises(Unauthenticated):
        await Authenticator(database, clock).authenticate(token)


async def test_a_revoked_key_fails_at_once_in_a_process_that_remembers_it(
    database, postgres_url, organisation_id, clock
):
    created = await _create(database, organisation_id, clock)
    authenticator = Authenticator(database, clock)
    listener = asyncio.create_task(
        listen(
            postgres_url,
            service.KEYS_CHANGED,
            on_message=authenticator.forget,
            on_up=authenticator.resume,
            on_down=authenticator.pause,
        )
    )
    try:
        await asyncio.sleep(0.3)
        await authenticator.authenticate(created.secret)
        assert authenticator._known
        async with database.begin() as connection:
            await service.revoke_key(
                connection, organisation_id=organisation_id, key=str(created.key.id), now=clock.now()
            )
        await asyncio.sleep(0.3)
        with pytest.raises(Unauthenticated):
            await authenticator.authenticate(created.secret)
    finally:
        listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener


async def test_without_a_listener_nothing_is_remembered(database, organisation_id, clock):
    created = await _create(database, organisation_id, clock)
    authenticator = Authenticator(database, clock)
    await authenticator.authenticate(created.secret)
    assert not authenticator._known


async def test_rotation_leaves_a_day_to_change_over(database, organisation_id, clock):
    old = await _create(database, organisation_id, clock, "events:write")
    async with database.begin() as connection:
        new = await service.rotate_key(
            connection, organisation_id=organisation_id, key=old.key.prefix, now=clock.now()
        )
    authenticator = Authenticator(database, clock)
    assert (await authenticator.authenticate(new.secret)).scopes == frozenset({"events:write"})
    await authenticator.authenticate(old.secret)
    clock.move_to(clock.now() + timedelta(hours=25))
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate(old.secret)
    await authenticator.authenticate(new.secret)


async def test_first_key_is_given_or_generated_once(database, clock):
    async with database.begin() as connection:
        organisation_id = await service.ensure_organisation(connection, now=clock.now())
        given = f"sk_live_{uuid4().hex}"
        made = await service.ensure_first_key(
            connection, organisation_id=organisation_id, given=given, now=clock.now()
        )
        again = await service.ensure_first_key(
            connection, organisation_id=organisation_id, given=given, now=clock.now()
        )
        generated = await service.ensure_first_key(
            connection, organisation_id=organisation_id, given="", now=clock.now()
        )
    assert made is not None
    assert made.secret == given
    assert again is None
    assert generated is None


async def test_last_use_is_written_down(database, organisation_id, clock):
    created = await _create(database, organisation_id, clock)
    authenticator = Authenticator(database, clock)
    await authenticator.authenticate(created.secret)
    await authenticator.flush_last_used(clock.now())
    async with database.begin() as connection:
        key = await queries.get_key(connection, organisation_id=organisation_id, key=str(created.key.id))
    assert key.last_used_at is not None


async def test_bad_input_names_the_way_out(database, organisation_id, clock):
    with pytest.raises(Invalid, match="no scope meters:fly"):
        await _create(database, organisation_id, clock, "meters:fly")
    async with database.begin() as connection:
        with pytest.raises(NotFound, match="keys list"):
            await queries.get_key(connection, organisation_id=organisation_id, key="sk_live_none")
        with pytest.raises(Invalid, match="16 to 200"):
            await service.ensure_first_key(
                connection, organisation_id=organisation_id, given="short", now=clock.now()
            )
