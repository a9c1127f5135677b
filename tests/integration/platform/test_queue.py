"""The queue: part of the transaction, at least once, rescued after a crash."""

from __future__ import annotations

import asyncio

import pytest
from procrastinate.exceptions import ConnectorException

from meterhouse.platform import queue as queue_module
from meterhouse.platform.queue import TaskQueue


@pytest.fixture
async def queue(postgres_url: str):
    opened = TaskQueue(postgres_url)
    await opened.open()
    yield opened
    await opened.close()


async def test_a_task_runs_only_if_its_transaction_commits(database, queue):
    seen: list[str] = []

    async def note(word: str) -> None:
        seen.append(word)

    queue.register("note", note)
    async with database.begin() as connection:
        await queue.enqueue(connection, "note", word="kept")
    with pytest.raises(RuntimeError):
        async with database.begin() as connection:
            await queue.enqueue(connection, "note", word="dropped")
            raise RuntimeError
    async with queue.working(concurrency=2):
        await queue.drain(timeout_s=20)
    assert seen == ["kept"]


async def test_tasks_of_one_key_run_one_after_another(database, queue):
    running, most = 0, 0

    async def step(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1

    queue.register("step", step)
    async with database.begin() as connection:
        for number in range(4):
            await queue.enqueue(connection, "step", key="same", number=number)
    async with queue.working(concurrency=4):
        await queue.drain(timeout_s=20)
    assert most == 1


async def test_a_failing_task_is_tried_again(database, queue):
    tries: list[int] = []

    async def flaky() -> None:
        tries.append(1)
        if len(tries) < 2:
            raise ConnectionError("the first time fails")

    queue.register("flaky", flaky)
    async with database.begin() as connection:
        await queue.enqueue(connection, "flaky")
    async with queue.working(concurrency=1), asyncio.timeout(30):
        while len(tries) < 2:
            await asyncio.sleep(0.1)


async def test_a_task_of_a_dead_worker_is_rescued(database, queue):
    done = asyncio.Event()

    async def orphan() -> None:
        done.set()

    queue.register("orphan", orphan)
    async with database.begin() as connection:
        await queue.enqueue(connection, "orphan")
    worker_id = await queue.app.job_manager.register_worker()
    job = await queue.app.job_manager.fetch_job(queues=None, worker_id=worker_id)
    assert job is not None  # taken by a worker that now never comes back
    assert await queue.rescue() == 0  # its heartbeat is fresh
    assert await queue.rescue(all_running=True) == 1
    async with queue.working(concurrency=1):
        await asyncio.wait_for(done.wait(), 20)


@pytest.mark.parametrize("call", ["register_worker", "fetch_job", "finish_job", "unregister_worker"])
async def test_the_queue_goes_on_after_a_database_that_failed_it(database, queue, monkeypatch, call):
    """A task taken but not begun, one done but not marked, a worker that ended: all are taken up again."""
    monkeypatch.setattr(queue_module, "RESTART_S", 0.01)
    monkeypatch.setattr(queue_module, "LOOK_S", 0.05)
    manager, runs, failures = queue.app.job_manager, [], []
    real = getattr(manager, call)

    async def failing(*arguments: object, **named: object) -> object:
        answer = await real(*arguments, **named) if call == "fetch_job" else None
        if failures or (call == "fetch_job" and answer is None):
            return answer if call == "fetch_job" else await real(*arguments, **named)
        failures.append(call)
        raise ConnectorException("the database is away")

    async def work() -> None:
        runs.append(call)
        if call == "unregister_worker":
            queue._worker.stop()

    queue.register("work", work)
    monkeypatch.setattr(manager, call, failing)
    async with database.begin() as connection:
        await queue.enqueue(connection, "work")
    async with queue.working(concurrency=1):
        await queue.drain(timeout_s=20)
        async with database.begin() as connection:
            await queue.enqueue(connection, "work")
        await queue.drain(timeout_s=20)
    assert (failures, len(runs)) == ([call], 3 if call == "finish_job" else 2)
