"""Progress of questions, kept in PostgreSQL and read from the engine while they run (openmeter 2.3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.errors import DependencyFailed, NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Rows
from meterhouse.platform.postgres import PostgresDatabase
from meterhouse.usage.engine.compile import SETTINGS
from meterhouse.usage.progress import KEPT, Asker, Progress, get_progress, watched


class Engine:
    """An event store whose queries run until they are let go; it says how many rows it has read."""

    def __init__(self, estimate: int | None = 1_000) -> None:
        self.estimate = estimate
        self.read = 0
        self.asked: list[str] = []
        self.let_go: asyncio.Future[Rows] = asyncio.get_running_loop().create_future()
        self.has_begun = asyncio.Event()

    async def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> Rows:
        if sql.startswith("EXPLAIN ESTIMATE "):
            if self.estimate is None:
                raise DependencyFailed("no estimate")
            return Rows(("rows", "marks"), [(self.estimate, 1)])
        if "system.processes" in sql:
            marks = [text for text in self.asked if str((parameters or {})["mark"]) in text]
            return Rows(("read",), [(self.read if marks else 0,)])
        self.asked.append(sql)
        self.has_begun.set()
        return await self.let_go


@pytest_asyncio.fixture(loop_scope="session")
async def database(postgres_url: str, engine: Any) -> AsyncIterator[PostgresDatabase]:
    opened = PostgresDatabase(postgres_url)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> TestClock:
    return TestClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def asker(database: PostgresDatabase, clock: TestClock) -> Asker:
    return Asker(database, clock, new_id(), "client-1")


async def progress(asker: Asker, store: Any, client_id: str = "client-1") -> Progress:
    return await get_progress(
        asker.database,
        store,
        organisation_id=asker.organisation_id,
        client_id=client_id,
        now=asker.clock.now(),
    )


async def test_a_question_on_its_way(asker: Asker, clock: TestClock) -> None:
    store = Engine()
    with pytest.raises(NotFound):
        await progress(asker, store)
    running = asyncio.create_task(watched(store, asker).query(f"SELECT 1 {SETTINGS}"))
    await store.has_begun.wait()
    assert await progress(asker, store) == Progress(0, 0, 1_000, clock.now())
    store.read = 400
    assert await progress(asker, store) == Progress(400, 0, 1_000, clock.now())
    store.read = 0  # the engine has read all, and forgotten it, but the answer is not here yet
    assert (await progress(asker, store)).success == 400
    store.read = 1_200  # the engine may read a little more than it estimated
    assert (await progress(asker, store)).success == 1_000
    store.let_go.set_result(Rows(("1",), [(1,)]))
    assert (await running).rows == [(1,)]
    assert await progress(asker, store) == Progress(1_000, 0, 1_000, clock.now())
    assert store.asked[0].startswith(f"SELECT 1 {SETTINGS}, log_comment = '")
    with pytest.raises(NotFound):
        await progress(asker, store, "client-2")
    clock.move_to(clock.now() + KEPT)
    with pytest.raises(NotFound):
        await progress(asker, store)


async def test_a_question_that_fails(asker: Asker, clock: TestClock) -> None:
    store = Engine()
    store.let_go.set_exception(DependencyFailed("gone"))
    with pytest.raises(DependencyFailed, match="gone"):
        await watched(store, asker).query("SELECT 1")
    assert await progress(asker, store) == Progress(0, 1_000, 1_000, clock.now())
    assert store.asked[0].startswith("SELECT 1 SETTINGS log_comment = '")


async def test_a_caller_that_leaves(asker: Asker, clock: TestClock) -> None:
    store = Engine()
    running = asyncio.create_task(watched(store, asker).query("SELECT 1"))
    await store.has_begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await progress(asker, store) == Progress(0, 1_000, 1_000, clock.now())


async def test_without_an_estimate_the_answer_comes_all_the_same(asker: Asker, clock: TestClock) -> None:
    store = Engine(estimate=None)
    store.let_go.set_result(Rows((), []))
    await watched(store, asker).query("SELECT 1")
    assert await progress(asker, store) == Progress(0, 0, 0, clock.now())


async def test_a_later_question_under_the_same_id(asker: Asker, clock: TestClock) -> None:
    first, second = Engine(estimate=1), Engine(estimate=2)
    early = asyncio.create_task(watched(first, asker).query("SELECT 1"))
    await first.has_begun.wait()
    late = asyncio.create_task(watched(second, asker).query("SELECT 2"))
    await second.has_begun.wait()
    first.let_go.set_result(Rows((), []))
    await early
    assert await progress(asker, second) == Progress(0, 0, 2, clock.now())  # the earlier end changes nothing
    second.let_go.set_result(Rows((), []))
    await late
    assert await progress(asker, second) == Progress(2, 0, 2, clock.now())


async def test_old_progress_is_cleared_away(asker: Asker, clock: TestClock) -> None:
    store = Engine()
    store.let_go.set_result(Rows((), []))
    await watched(store, asker).query("SELECT 1")
    clock.move_to(clock.now() + timedelta(minutes=20))
    other = Asker(asker.database, clock, new_id(), "other")
    await watched(store, other).query("SELECT 1")
    early = TestClock(clock.now() - timedelta(minutes=20))
    with pytest.raises(NotFound):
        await progress(Asker(asker.database, early, asker.organisation_id, "client-1"), store)
