"""`meterhouse keys`: works on the database itself, so it needs no key and works while no server runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.identity import queries, service
from meterhouse.identity.model import ApiKey
from meterhouse.kernel.clock import SystemClock, format_instant
from meterhouse.kernel.errors import Conflict
from meterhouse.platform.embedded import DataFolder, EmbeddedPostgres
from meterhouse.platform.migrate import migrate_postgres
from meterhouse.platform.postgres import PostgresDatabase
from meterhouse.settings import Settings


async def create(settings: Settings, *, name: str, scopes: list[str], as_json: bool) -> None:
    async with _transaction(settings) as (connection, organisation_id, now):
        created = await service.create_key(
            connection, organisation_id=organisation_id, name=name, scopes=scopes, now=now
        )
    _print_secret(created, as_json=as_json)


async def rotate(settings: Settings, *, key: str, as_json: bool) -> None:
    async with _transaction(settings) as (connection, organisation_id, now):
        created = await service.rotate_key(connection, organisation_id=organisation_id, key=key, now=now)
    _print_secret(created, as_json=as_json)


async def revoke(settings: Settings, *, key: str, as_json: bool) -> None:
    async with _transaction(settings) as (connection, organisation_id, now):
        revoked = await service.revoke_key(connection, organisation_id=organisation_id, key=key, now=now)
    print(json.dumps(_document(revoked)) if as_json else f"{revoked.prefix} ({revoked.name}) is revoked.")


async def show(settings: Settings, *, as_json: bool) -> None:
    async with _transaction(settings) as (connection, organisation_id, _):
        found = await queries.list_keys(connection, organisation_id=organisation_id)
    if as_json:
        print(json.dumps([_document(key) for key in found]))
        return
    table = Table("id", "key", "name", "scopes", "created", "last used", "state", box=None, pad_edge=False)
    now = SystemClock().now()
    for key in found:
        table.add_row(
            str(key.id),
            key.prefix,
            key.name,
            " ".join(sorted(key.scopes)),
            format_instant(key.created_at.replace(microsecond=0)),
            format_instant(key.last_used_at.replace(microsecond=0)) if key.last_used_at else "never",
            _state(key, now),
        )
    console = Console()
    console.print(table, soft_wrap=not console.is_terminal)


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if not key.is_usable(now):
        return "expired"
    return (
        "active"
        if key.expires_at is None
        else f"until {format_instant(key.expires_at.replace(microsecond=0))}"
    )


def _document(key: ApiKey) -> dict[str, object]:
    def instant(at: datetime | None) -> str | None:
        return format_instant(at) if at else None

    return {
        "id": str(key.id),
        "prefix": key.prefix,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "created_at": instant(key.created_at),
        "expires_at": instant(key.expires_at),
        "last_used_at": instant(key.last_used_at),
        "revoked_at": instant(key.revoked_at),
    }


def _print_secret(created: service.CreatedKey, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**_document(created.key), "key": created.secret}))
    else:
        print(f"{created.secret}\nThis is the only time the key is shown. Its id is {created.key.id}.")


@contextlib.asynccontextmanager
async def _transaction(settings: Settings) -> AsyncIterator[tuple[AsyncConnection, UUID, datetime]]:
    with _database_url(settings) as url:
        await asyncio.to_thread(migrate_postgres, url)
        database = PostgresDatabase(url, pool_size=1)
        now = SystemClock().now()
        try:
            async with database.begin() as connection:
                yield connection, await service.ensure_organisation(connection, now=now), now
        finally:
            await database.close()


@contextlib.contextmanager
def _database_url(settings: Settings):  # type: ignore[no-untyped-def]
    """The configured server, or the embedded engine: joined when a server runs, else started for a moment."""
    if settings.database_url:
        yield settings.database_url
        return
    folder = DataFolder(settings.data_dir)
    try:
        folder.open()
        is_ours = True
    except Conflict:
        is_ours = False
    postgres = EmbeddedPostgres(folder.postgres_path)
    try:
        yield postgres.start()
    finally:
        if is_ours:
            postgres.stop()
        folder.close()
