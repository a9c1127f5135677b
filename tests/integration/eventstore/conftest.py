"""The event store in both forms: the engine in this process, and the engine behind HTTP in another."""

from __future__ import annotations

import itertools
import urllib.request
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.integration.eventstore.http_engine import PASSWORD, USER, serve_engine

from meterhouse.platform.clickhouse_migrate import migrate
from meterhouse.platform.events import ClickHouseEventStore, open_event_store
from meterhouse.platform.journaled import JournaledEventStore, open_journaled
from meterhouse.usage.block import KEY, TABLE
from meterhouse.usage.ingest import find_stored

AnyStore = ClickHouseEventStore | JournaledEventStore

_numbers = itertools.count()


@pytest.fixture(scope="session")
def engine_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve_engine(tmp_path_factory.mktemp("server") / "events") as (address, _):
        yield address


def post(address: str, sql: str, query: str = "") -> bytes:
    """Run a statement on the server past the event store."""
    token = b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(
        f"http://{address}/?{query}", sql.encode(), {"Authorization": f"Basic {token}"}
    )
    with urllib.request.urlopen(request) as answer:
        body: bytes = answer.read()
        return body


@pytest.fixture(params=["embedded", "server"])
def events_url(request: pytest.FixtureRequest, engine_folder: Path) -> str:
    """A fresh, empty database in one of the two forms."""
    name = f"test_{next(_numbers)}"
    if request.param == "embedded":
        return f"chdb://{quote(str(engine_folder))}?database={name}"
    address = request.getfixturevalue("engine_server")
    post(address, f"CREATE DATABASE {name} ENGINE = Atomic")
    return f"clickhouse://{USER}:{quote(PASSWORD, safe='')}@{address}/{name}"


@pytest.fixture
async def store(events_url: str) -> AsyncIterator[AnyStore]:
    """An open and migrated store, alone on its database, as the server opens it."""
    async with opened_alone(events_url) as opened:
        yield opened


@asynccontextmanager
async def opened_alone(events_url: str) -> AsyncIterator[AnyStore]:
    async with opened_shared(events_url) as engine:
        if not engine.is_embedded:
            yield engine
            return
        journaled = await open_journaled(engine, table=TABLE, key=KEY, find_stored=find_stored)
        try:
            yield journaled
        finally:
            await journaled.close()


@asynccontextmanager
async def opened_shared(events_url: str) -> AsyncIterator[ClickHouseEventStore]:
    """The database as one of several processes opens it."""
    opened = await open_event_store(events_url, readers=2)
    try:
        await migrate(opened)
        yield opened
    finally:
        await opened.close()
