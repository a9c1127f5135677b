"""How jobs end otherwise than by items: cancelled, deleted, tried again, put off by their site."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.integration.monitoring.conftest import Bench
from tests.integration.monitoring.test_schedules import count_jobs, create, move
from tests.pages import SHOP, shop_page, unreachable

from meterhouse.kernel.errors import Conflict, Invalid, NotFound, RateLimited
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring import cancel, queries, retention, runner, service
from meterhouse.monitoring.model import Job, JobFilter, JobStatus
from meterhouse.monitoring.retention import JobRetention

OTHER = "https://other.example/phones"
SCHEMA = {"title": "string", "price": "number"}


async def cancelled(bench: Bench, job: Job) -> Job:
    async with bench.database.begin() as connection:
        return await cancel.cancel_job(
            connection, organisation_id=bench.organisation_id, job_id=job.id, now=bench.clock.now()
        )


async def jobs_of(bench: Bench, **wanted: Any) -> list[Job]:
    async with bench.database.begin() as connection:
        return await queries.list_jobs(
            connection,
            organisation_id=bench.organisation_id,
            wanted=JobFilter(**wanted),
            limit=100,
            offset=0,
        )


class TestCancelling:
    async def test_a_waiting_job_never_runs(self, bench: Bench) -> None:
        job = await bench.create(await bench.generate())
        bench.fetcher.calls.clear()
        ended = await cancelled(bench, job)
        assert (ended.status, ended.error_code) == (JobStatus.FAILED, "cancelled")
        await bench.work()
        assert await bench.get(job) == ended
        assert bench.fetcher.calls == []
        assert await bench.tasks.emit_waiting_usage(bench.clock.now()) == 1
        assert json.loads(bench.sink.stored[str(job.id)].data)["pages"] == 0

    async def test_a_running_job_is_let_go(self, bench: Bench) -> None:
        job = await bench.create(await bench.generate())
        bench.fetcher.hold = asyncio.Event()
        async with bench.runner.running():
            await bench.reaches(job, JobStatus.RUNNING)
            ended = await cancelled(bench, job)
            await bench.runner.drain(timeout_s=10)  # though its page is still not there
        assert await bench.get(job) == ended

    async def test_one_that_has_ended(self, bench: Bench) -> None:
        job = await bench.run(await bench.generate())
        with pytest.raises(Conflict, match="already ended"):
            await cancelled(bench, job)
        assert (await bench.get(job)).status is JobStatus.COMPLETED
        with pytest.raises(NotFound):
            await cancelled(bench, Job(new_id(), new_id(), new_id(), SHOP, JobStatus.PENDING, job.created_at))

    async def test_a_batch(self, bench: Bench) -> None:
        strategy = await bench.generate()
        async with bench.database.begin() as connection:
            batch = await service.create_batch(
                connection,
                organisation_id=bench.organisation_id,
                strategy_id=strategy.id,
                urls=[SHOP] * 3,
                now=bench.clock.now(),
            )
            progress = await cancel.cancel_batch(
                connection,
                organisation_id=bench.organisation_id,
                batch_id=batch.id,
                now=bench.clock.now(),
            )
        assert (progress.failed, progress.total) == (3, 3)

    async def test_deleting(self, bench: Bench) -> None:
        strategy = await bench.generate()
        first, job = await bench.run(strategy), await bench.create(strategy)
        bench.fetcher.hold = asyncio.Event()
        async with bench.runner.running():
            await bench.reaches(job, JobStatus.RUNNING)
            for one in (first, job):
                async with bench.database.begin() as connection:
                    await cancel.delete_job(connection, organisation_id=bench.organisation_id, job_id=one.id)
            await bench.runner.drain(timeout_s=10)
        with pytest.raises(NotFound):
            await bench.get(job)
        async with bench.database.begin() as connection:
            with pytest.raises(NotFound):
                await cancel.delete_job(connection, organisation_id=new_id(), job_id=job.id)


class TestRetries:
    async def test_a_passing_failure_is_tried_again_until_it_passes(self, bench: Bench) -> None:
        strategy = await bench.generate()
        bench.wait(seconds=1)
        bench.fetcher.pages[SHOP] = unreachable(SHOP)
        job = await bench.run(strategy, max_retries=2)
        assert (job.status, job.retries, job.error) == (JobStatus.PENDING, 1, None)
        assert "could not be fetched" in str(job.last_error)
        assert job.next_at is not None
        assert timedelta(seconds=4) <= job.next_at - bench.clock.now() <= timedelta(seconds=6)
        await bench.work()
        assert (await bench.get(job)) == job, "not before its time"
        bench.wait(seconds=6)
        bench.fetcher.pages[SHOP] = shop_page(199, 249, 299)
        await bench.work()
        ended = await bench.get(job)
        assert (ended.status, ended.retries, ended.item_count) == (JobStatus.COMPLETED, 1, 3)

    async def test_retries_are_bounded(self, bench: Bench) -> None:
        strategy = await bench.generate()
        bench.wait(seconds=1)
        bench.fetcher.pages[SHOP] = 503
        job = await bench.run(strategy, max_retries=2)
        for _ in range(2):
            bench.wait(minutes=1)
            await bench.work()
        ended = await bench.get(job)
        assert (ended.status, ended.retries, ended.http_status) == (JobStatus.FAILED, 2, 503)
        assert len(bench.sink.stored) == 1

    @pytest.mark.parametrize(("page", "given"), [(404, 2), (500, 2), ("", 2), (503, None)])
    async def test_others_fail_at_once(self, bench: Bench, page: int | str, given: int | None) -> None:
        strategy = await bench.generate()
        bench.fetcher.pages[SHOP] = page
        assert (await bench.run(strategy, max_retries=given)).status is JobStatus.FAILED

    async def test_a_number_out_of_bounds(self, bench: Bench) -> None:
        with pytest.raises(Invalid, match="max_retries must be a whole number from 0 to 10"):
            await bench.create(await bench.generate(), max_retries=11)

    async def test_the_next_planned_run_takes_the_place_of_a_retry(self, bench: Bench) -> None:
        schedule = await create(bench)
        bench.fetcher.pages[SHOP] = unreachable(SHOP)
        await move(bench, hours=1)
        await bench.work()
        (waiting,) = await jobs_of(bench, schedule_id=schedule.id)
        assert (waiting.status, waiting.retries) == (JobStatus.PENDING, 1)
        await move(bench, hours=1)
        assert await count_jobs(bench, schedule) == 2
        given_up = await bench.get(waiting)
        assert (given_up.status, given_up.error) == (JobStatus.FAILED, waiting.last_error)


class TestQuiet:
    async def test_a_host_that_asks_for_it_is_left_alone(self, bench: Bench) -> None:
        strategy = await bench.generate()
        bench.wait(seconds=1)
        bench.fetcher.pages |= {SHOP: 429, OTHER: shop_page(1, 2, 3)}
        bench.fetcher.headers["retry-after"] = "120"
        asked = await bench.run(strategy, max_retries=1)
        assert asked.next_at == bench.clock.now() + timedelta(seconds=120)
        bench.fetcher.pages[SHOP] = shop_page(199, 249, 299)
        same = await bench.create(strategy, f"{SHOP}?2", max_retries=1)
        other = await bench.create(strategy, OTHER)
        bench.fetcher.calls.clear()
        await bench.work()
        assert ((await bench.get(same)).status, (await bench.get(other)).status) == (
            JobStatus.PENDING,
            JobStatus.COMPLETED,
        )
        assert bench.fetcher.calls == [OTHER]
        with pytest.raises(RateLimited, match="left alone until"):
            await bench.create(strategy)
        bench.wait(seconds=120)
        await bench.work()
        assert (await bench.get(asked)).status is JobStatus.COMPLETED
        assert (await bench.get(same)).error_code == "status"

    async def test_few_at_a_time_and_other_hosts_are_not_held_up(self, bench: Bench) -> None:
        strategy = await bench.generate()
        bench.runner.per_host = 2
        bench.fetcher.pages[OTHER] = shop_page(1, 2, 3)
        crowd = [await bench.create(strategy) for _ in range(5)]
        other = await bench.create(strategy, OTHER)
        bench.fetcher.hold = asyncio.Event()
        async with bench.runner.running():
            await bench.reaches(other, JobStatus.RUNNING)
            states = [(await bench.get(job)).status for job in crowd]
            bench.fetcher.hold.set()
            await bench.runner.drain(timeout_s=20)
        assert states.count(JobStatus.RUNNING) == 2
        assert {(await bench.get(job)).status for job in crowd} == {JobStatus.COMPLETED}

    async def test_a_busy_host_is_gone_on_with_as_soon_as_a_job_there_ends(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runner, "POLL_S", 60.0)
        strategy = await bench.generate()
        bench.runner.per_host = 2
        crowd = [await bench.create(strategy, f"{SHOP}?{at}") for at in range(7)]
        async with bench.runner.running(), asyncio.timeout(20):
            while not all([(await bench.get(job)).status.is_final for job in crowd]):
                await asyncio.sleep(0.02)

    async def test_who_waits_goes_first(self, bench: Bench) -> None:
        strategy = await bench.generate()
        bench.runner = bench.another_runner(concurrency=1)
        async with bench.database.begin() as connection:
            await service.create_batch(
                connection,
                organisation_id=bench.organisation_id,
                strategy_id=strategy.id,
                urls=[f"{SHOP}?{at}" for at in range(3)],
                now=bench.clock.now(),
            )
        await bench.create(strategy)
        bench.fetcher.calls.clear()
        await bench.work()
        assert bench.fetcher.calls[0] == SHOP


class TestRetention:
    async def kept(self, bench: Bench, **wanted: Any) -> list[Any]:
        """What is left of a strategy's jobs after the scan, the oldest first: prices for results."""
        scan = JobRetention(bench.database, timedelta(days=30)).scans["monitoring.retention"]
        while await scan(bench.clock.now()):
            pass
        found = sorted(await jobs_of(bench, **wanted), key=lambda job: job.id)
        return [job.results[0]["price"] if job.results else job.error_code for job in found]

    async def test_the_newest_results_stay(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retention, "READ_AT_ONCE", 2)
        strategy = await bench.generate(output_schema=SCHEMA)
        for price in (1, 2, None, 3):
            bench.fetcher.pages[SHOP] = shop_page(price, 9) if price else ""
            await bench.run(strategy)
        await cancelled(bench, await bench.create(strategy))
        bench.clock.move_to(bench.clock.now() + timedelta(days=29))
        assert len(await self.kept(bench, strategy_id=strategy.id)) == 5
        waiting = await bench.create(strategy)
        bench.clock.move_to(bench.clock.now() + timedelta(days=31))
        assert await self.kept(bench, strategy_id=strategy.id) == [3, None]
        bench.fetcher.pages[SHOP] = shop_page(4, 9)
        await bench.work()
        assert (await bench.get(waiting)).has_changes

    async def test_changes_that_nobody_saw_stay(self, bench: Bench) -> None:
        strategy = await bench.generate(output_schema=SCHEMA)
        schedule = await create(bench, strategy=strategy, url=None, urls=[SHOP, OTHER])
        for price in (1, 2, 3, 4):
            bench.fetcher.pages |= {SHOP: shop_page(price, 9), OTHER: shop_page(8, 9)}
            await move(bench, hours=1)
            await bench.work()
        found = await jobs_of(bench, schedule_id=schedule.id)
        last, _, first = (job.id for job in found if job.has_changes)
        async with bench.database.begin() as connection:
            mark = text("UPDATE jobs SET seen_at = :now WHERE id = ANY (:ids)")
            await connection.execute(mark, {"now": bench.clock.now(), "ids": [first, last]})
        bench.clock.move_to(bench.clock.now() + timedelta(days=31))
        assert await self.kept(bench, schedule_id=schedule.id) == [2, 3, 4, 8]
        async with bench.database.begin() as connection:
            assert (
                await connection.scalar(
                    text("SELECT count(*) FROM job_batches WHERE strategy_id = :id"),
                    {"id": schedule.strategy_id},
                )
                == 3
            )
