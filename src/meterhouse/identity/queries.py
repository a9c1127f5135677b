"""Reads of the identity context."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.identity.model import ApiKey
from meterhouse.identity.tables import api_keys
from meterhouse.kernel.errors import Invalid, NotFound
from meterhouse.kernel.ids import parse_id


async def list_keys(connection: AsyncConnection, *, organisation_id: UUID) -> list[ApiKey]:
    """All keys, revoked ones included, newest first."""
    rows = await connection.execute(
        select(api_keys)
        .where(api_keys.c.organisation_id == organisation_id)
        .order_by(api_keys.c.created_at.desc(), api_keys.c.id.desc())
    )
    return [_from_row(row) for row in rows]


async def get_key(connection: AsyncConnection, *, organisation_id: UUID, key: str) -> ApiKey:
    """Find a key by id, or by the beginning of its shown prefix. Raises `NotFound` or `Invalid`."""
    keys = await list_keys(connection, organisation_id=organisation_id)
    key_id = parse_id(key)
    start = key.rstrip("…")
    found = [k for k in keys if k.id == key_id or (key_id is None and start and k.prefix.startswith(start))]
    if not found:
        raise NotFound(f"There is no API key {key}. `meterhouse keys list` shows them all.")
    if len(found) > 1:
        raise Invalid(f"{key} fits {len(found)} keys; give the id that `meterhouse keys list` shows.")
    return found[0]


async def find_by_hash(connection: AsyncConnection, secret_hash: bytes) -> ApiKey | None:
    """The key behind a presented secret, revoked and expired ones included."""
    row = (await connection.execute(select(api_keys).where(api_keys.c.secret_hash == secret_hash))).first()
    return _from_row(row) if row else None


async def find_key(connection: AsyncConnection, *, key_id: UUID) -> ApiKey | None:
    """A key by its id, revoked and expired ones included.

    Of any organisation: for callers who proved before that they hold the key, and ask whether it still opens.
    """
    row = (await connection.execute(select(api_keys).where(api_keys.c.id == key_id))).first()
    return _from_row(row) if row else None


def _from_row(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        organisation_id=row.organisation_id,
        name=row.name,
        prefix=row.prefix,
        scopes=frozenset(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
