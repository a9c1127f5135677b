"""Use cases of organisations and API keys. One call belongs to one transaction of the caller."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.identity import engine, queries
from meterhouse.identity.model import ALL_SCOPES, ApiKey
from meterhouse.identity.tables import api_keys, organisations
from meterhouse.kernel.errors import Invalid
from meterhouse.kernel.ids import new_id

# Every server process listens here and forgets what it remembered of keys.
KEYS_CHANGED = "meterhouse_keys_changed"
FIRST_KEY_NAME = "first key"
ROTATION_GRACE = timedelta(hours=24)


@dataclass(frozen=True)
class CreatedKey:
    """A fresh key together with its secret, which exists nowhere else."""

    key: ApiKey
    secret: str


async def ensure_organisation(connection: AsyncConnection, *, now: datetime) -> UUID:
    """Return the default organisation, made on first use."""
    found = (
        await connection.execute(select(organisations.c.id).order_by(organisations.c.id).limit(1))
    ).scalar()
    if found is not None:
        return UUID(str(found))
    organisation_id = new_id()
    await connection.execute(insert(organisations).values(id=organisation_id, name="Default", created_at=now))
    return organisation_id


async def ensure_first_key(
    connection: AsyncConnection, *, organisation_id: UUID, given: str, now: datetime
) -> CreatedKey | None:
    """See to it that somebody can get in. Returns a key only when this call made it.

    With `given` (METERHOUSE_API_KEY) that key exists afterwards, unless it was revoked: then it stays
    so. Without it a key is generated if the organisation never had one.
    """
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('meterhouse_first_key'))"))
    if given:
        secret = engine.check_given_secret(given)
        known = await queries.find_by_hash(connection, engine.hash_secret(secret))
        if known is not None:
            return None
    elif await queries.list_keys(connection, organisation_id=organisation_id):
        return None
    else:
        secret = engine.new_secret()
    return await _store(connection, organisation_id, FIRST_KEY_NAME, secret, frozenset({ALL_SCOPES}), now=now)


async def create_key(
    connection: AsyncConnection, *, organisation_id: UUID, name: str, scopes: Iterable[str], now: datetime
) -> CreatedKey:
    """Make a key. Raises `Invalid` for an unknown scope or an empty name."""
    checked = engine.check_scopes(scopes)
    return await _store(
        connection, organisation_id, engine.check_name(name), engine.new_secret(), checked, now=now
    )


async def rotate_key(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    key: str,
    now: datetime,
    grace: timedelta = ROTATION_GRACE,
) -> CreatedKey:
    """Make a successor with the same name and scopes; the old key works until the grace time is over."""
    old = await queries.get_key(connection, organisation_id=organisation_id, key=key)
    if old.revoked_at is not None:
        raise Invalid(f"The key {old.prefix} is revoked and cannot be rotated; create a new one.")
    await connection.execute(update(api_keys).where(api_keys.c.id == old.id).values(expires_at=now + grace))
    created = await _store(connection, organisation_id, old.name, engine.new_secret(), old.scopes, now=now)
    await _announce(connection)
    return created


async def revoke_key(
    connection: AsyncConnection, *, organisation_id: UUID, key: str, now: datetime
) -> ApiKey:
    """End a key at once, in every process, on commit. Revoking twice changes nothing."""
    found = await queries.get_key(connection, organisation_id=organisation_id, key=key)
    if found.revoked_at is None:
        await connection.execute(update(api_keys).where(api_keys.c.id == found.id).values(revoked_at=now))
        await _announce(connection)
    return await queries.get_key(connection, organisation_id=organisation_id, key=str(found.id))


async def record_use(connection: AsyncConnection, *, key_ids: set[UUID], at: datetime) -> None:
    """Remember when keys were last used."""
    await connection.execute(update(api_keys).where(api_keys.c.id.in_(key_ids)).values(last_used_at=at))


async def _announce(connection: AsyncConnection) -> None:
    await connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": KEYS_CHANGED})


async def _store(
    connection: AsyncConnection,
    organisation_id: UUID,
    name: str,
    secret: str,
    scopes: frozenset[str],
    *,
    now: datetime,
) -> CreatedKey:
    key = ApiKey(
        id=new_id(),
        organisation_id=organisation_id,
        name=name,
        prefix=engine.shown_prefix(secret),
        scopes=scopes,
        created_at=now,
        expires_at=None,
        last_used_at=None,
        revoked_at=None,
    )
    await connection.execute(
        insert(api_keys).values(
            id=key.id,
            organisation_id=organisation_id,
            name=name,
            prefix=key.prefix,
            secret_hash=engine.hash_secret(secret),
            scopes=sorted(scopes),
            created_at=now,
        )
    )
    return CreatedKey(key, secret)
