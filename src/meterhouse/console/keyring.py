"""What a session rests on: the server's signing secret and the API keys themselves."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from meterhouse.console.tables import console_secrets
from meterhouse.identity import queries as identity
from meterhouse.identity.model import ApiKey
from meterhouse.platform.ports import Database

SECRET_BYTES = 32


class KeyRing(Protocol):
    """Nothing here is remembered between requests, so that a revocation counts at once everywhere."""

    async def ensure_secret(self, now: datetime) -> bytes:
        """The secret that signs sessions, made on first use and the same for all processes."""
        ...

    async def find_secret(self) -> bytes | None:
        """The secret, if nobody signed in yet `None`."""
        ...

    async def find_key(self, key_id: UUID) -> ApiKey | None:
        """A key by its id, ended ones included."""
        ...


class PostgresKeyRing:
    """`KeyRing` on the database. Raises `DependencyFailed` while that does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure_secret(self, now: datetime) -> bytes:
        async with self._database.begin() as connection:
            # Two processes may come here at once; the second waits for the first and keeps its row.
            await connection.execute(
                insert(console_secrets)
                .values(id=1, secret=secrets.token_bytes(SECRET_BYTES), created_at=now)
                .on_conflict_do_nothing(index_elements=["id"])
            )
            return bytes((await connection.execute(select(console_secrets.c.secret))).scalar_one())

    async def find_secret(self) -> bytes | None:
        async with self._database.begin() as connection:
            found = (await connection.execute(select(console_secrets.c.secret))).scalar()
        return bytes(found) if found is not None else None

    async def find_key(self, key_id: UUID) -> ApiKey | None:
        async with self._database.begin() as connection:
            return await identity.find_key(connection, key_id=key_id)
