"""Due schedules: claimed once, skipped while busy, many at once, and safe beside deletions."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from tests.integration.monitoring.conftest import Bench
from tests.pages import SHOP

from meterhouse.monitoring import schedules as service
from meterhouse.monitoring.schedules_model import Schedule, ScheduleRequest
from meterhouse.monitoring.tables import jobs, schedules


@pytest.fixture(autouse=True)
async def nothing_scheduled(bench: Bench) -> None:
    async with bench.database.begin() as connection:
        await connection.execute(text("DELETE FROM schedules"))


async def create(bench: Bench, **given: Any) -> Schedule:
    strategy = given.pop("strategy", None) or await bench.generate()
    async with bench.database.begin() as connection:
        saved = await service.create_schedule(
            connection,
            organisation_id=bench.organisation_id,
            request=ScheduleRequest(strategy.id, **{"url": SHOP, "interval_s": 3600, **given}),
            now=bench.clock.now(),
        )
    return saved.schedule


async def read(bench: Bench, schedule: Schedule) -> Schedule:
    async with bench.database.begin() as connection:
        return await service.get_schedule(
            connection, organisation_id=bench.organisation_id, schedule_id=schedule.id
        )


async def count_jobs(bench: Bench, *given: Schedule) -> int:
    async with bench.database.begin() as connection:
        statement = select(func.count()).select_from(jobs)
        wanted = [schedule.id for schedule in given]
        return int(await connection.scalar(statement.where(jobs.c.schedule_id.in_(wanted))) or 0)


async def move(bench: Bench, **by: float) -> int:
    bench.clock.move_to(bench.clock.now() + timedelta(**by))
    return await bench.tasks.run_due_schedules(bench.clock.now())


async def test_a_run_is_left_out_while_the_one_before_runs(bench: Bench) -> None:
    schedule = await create(bench)
    assert await move(bench, hours=1) == 1
    assert await move(bench, hours=1) == 1
    skipped = await read(bench, schedule)
    assert await count_jobs(bench, schedule) == 1
    assert skipped.last_skipped_at == schedule.created_at + timedelta(hours=2)
    assert skipped.next_at == schedule.created_at + timedelta(hours=3)
    async with bench.database.begin() as connection:
        await connection.execute(
            update(jobs).where(jobs.c.schedule_id == schedule.id).values(status="failed", error="x")
        )
    assert await move(bench, hours=1) == 1
    assert await count_jobs(bench, schedule) == 2


async def test_scans_at_the_same_time_run_each_schedule_once(bench: Bench) -> None:
    strategy = await bench.generate()
    made = [await create(bench, strategy=strategy) for _ in range(20)]
    bench.clock.move_to(bench.clock.now() + timedelta(hours=1))
    counts = await asyncio.gather(*(bench.tasks.run_due_schedules(bench.clock.now()) for _ in range(4)))
    assert sum(counts) == 20
    assert await count_jobs(bench, *made) == 20
    assert await bench.tasks.run_due_schedules(bench.clock.now()) == 0


async def test_a_thousand_at_once(bench: Bench) -> None:
    made = await create(bench)
    async with bench.database.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO schedules SELECT (jsonb_populate_record(s, jsonb_build_object('id',"
                " gen_random_uuid()))).* FROM schedules s, generate_series(1, 1500) WHERE s.id = :id"
            ),
            {"id": made.id},
        )
    started = asyncio.get_running_loop().time()
    dealt_with = await move(bench, hours=1)
    while found := await bench.tasks.run_due_schedules(bench.clock.now()):
        dealt_with += found
    assert dealt_with == 1501
    assert asyncio.get_running_loop().time() - started < 10
    async with bench.database.begin() as connection:
        assert (
            await connection.scalar(
                select(func.count()).select_from(schedules).where(schedules.c.next_at <= bench.clock.now())
            )
            == 0
        )


async def test_a_strategy_being_deleted_holds_nobody_up(bench: Bench) -> None:
    held, free = await create(bench), await create(bench)
    async with bench.database.begin() as connection:
        await connection.execute(
            text("SELECT 1 FROM strategies WHERE id = :id FOR UPDATE"), {"id": held.strategy_id}
        )
        assert await asyncio.wait_for(move(bench, hours=1), 5) == 1
    assert (await count_jobs(bench, held), await count_jobs(bench, free)) == (0, 1)
    assert await bench.tasks.run_due_schedules(bench.clock.now()) == 1


async def test_one_transaction_does_not_grow_without_bound(bench: Bench) -> None:
    strategy = await bench.generate()
    urls = [f"{SHOP}/{number}" for number in range(1000)]
    made = [await create(bench, strategy=strategy, url=None, urls=urls) for _ in range(6)]
    assert await move(bench, hours=1) == 5
    assert await bench.tasks.run_due_schedules(bench.clock.now()) == 1
    assert await count_jobs(bench, *made) == 6000
