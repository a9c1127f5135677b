"""A desk over the module's database, and a counter that takes in events over the real event engine."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.integration.entitlements.counter import Counter
from tests.integration.entitlements.desk import Desk

from meterhouse.platform.clickhouse_migrate import migrate
from meterhouse.platform.events import ClickHouseEventStore, open_event_store
from meterhouse.platform.postgres import PostgresDatabase

_numbers = itertools.count()


@pytest.fixture
async def desk(database: PostgresDatabase) -> Desk:
    return await Desk(database).open()


@pytest.fixture(scope="module")
async def store(engine_folder: Path) -> AsyncIterator[ClickHouseEventStore]:
    name = f"balances_{next(_numbers)}"
    opened = await open_event_store(f"chdb://{quote(str(engine_folder))}?database={name}", readers=2)
    try:
        await migrate(opened)
        yield opened
    finally:
        await opened.close()


@pytest.fixture(params=["alone", "shared"])
async def counter(
    request: pytest.FixtureRequest, desk: Desk, store: ClickHouseEventStore
) -> AsyncIterator[Counter]:
    opened = await Counter(desk, store, is_shared=request.param == "shared").open()
    yield opened
    await opened.close()
