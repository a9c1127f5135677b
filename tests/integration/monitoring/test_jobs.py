"""Jobs: outcomes, the verdict on changes, faults at every step, usage, and waiting."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from structlog.testing import capture_logs
from tests.integration.monitoring.conftest import Bench
from tests.pages import SHOP, shop_page, unreachable

from meterhouse.kernel.errors import DependencyFailed, Invalid, LimitExceeded, NotFound, PreconditionFailed
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring import queries, run, runner, service
from meterhouse.monitoring.claim import INTERRUPTIONS_MAX
from meterhouse.monitoring.finish import finish
from meterhouse.monitoring.model import JobFilter, JobStatus
from meterhouse.monitoring.run import Begun
from meterhouse.monitoring.tables import job_usage, jobs

SECOND = "https://shop.example/tablets"


class TestOutcome:
    async def test_completed(self, bench: Bench) -> None:
        job = await bench.run(await bench.generate())
        assert job.status is JobStatus.COMPLETED
        assert job.results is not None
        assert (job.item_count, len(job.results), job.error, job.has_changes) == (3, 3, None, False)
        assert job.content_hash is not None
        assert job.structural_signature is not None
        assert job.created_at <= job.started_at <= job.completed_at  # type: ignore[operator]

    @pytest.mark.parametrize(
        ("page", "code", "words"),
        [
            (404, "status", "404 Not Found"),
            (unreachable(SHOP), "connect", "could not be fetched"),
            ("", "empty", "empty"),
            ("<html><body><p>Sold out</p></body></html>", "structure_changed", "structure"),
        ],
    )
    async def test_a_page_that_gives_nothing_is_a_failure_and_never_a_change(
        self, bench: Bench, page: str | int | Exception, code: str, words: str
    ) -> None:
        strategy = await bench.generate()
        await bench.run(strategy)
        bench.fetcher.pages[SHOP] = page
        failed = await bench.run(strategy)
        assert (failed.status, failed.error_code, failed.results) == (JobStatus.FAILED, code, None)
        assert failed.error is not None
        assert words in failed.error
        assert SHOP in failed.error
        bench.fetcher.pages[SHOP] = shop_page(199, 249, 299)
        assert (await bench.run(strategy)).has_changes is False, "compared with the last completed job"

    async def test_a_fault_of_ours_ends_the_job_readably(self, bench: Bench) -> None:
        strategy = await bench.generate()
        bench.fetcher.pages[SHOP] = ZeroDivisionError("boom")
        job = await bench.run(strategy)
        assert (job.status, job.error_code) == (JobStatus.FAILED, "internal_error")
        assert str(job.id) in str(job.error)

    async def test_characters_that_no_store_keeps(self, bench: Bench) -> None:
        strategy = await bench.generate()
        bench.fetcher.pages[SHOP] = shop_page(199, 249).replace("Phone A", "Ph&#0;one A &#xD800; \x00")
        assert (await bench.run(strategy)).status is JobStatus.COMPLETED


class TestChanges:
    async def test_of_the_same_strategy_and_address(self, bench: Bench) -> None:
        strategy = await bench.generate()
        bench.fetcher.pages[SECOND] = shop_page(10, 20)
        first, elsewhere = await bench.run(strategy), await bench.run(strategy, SECOND)
        bench.fetcher.pages[SHOP] = shop_page(199, 249, 279)
        changed, same = await bench.run(strategy), await bench.run(strategy)
        assert [job.has_changes for job in (first, elsewhere, changed, same)] == [False, False, True, False]
        assert (changed.previous_job_id, same.previous_job_id) == (first.id, changed.id)

    async def test_order_and_noise_are_none(self, bench: Bench) -> None:
        strategy = await bench.generate()
        first = await bench.run(strategy)
        bench.fetcher.pages[SHOP] = shop_page(299, 249, 199, names="CBA").replace("Phone ", "Phone\n ")
        second = await bench.run(strategy)
        assert (second.has_changes, second.content_hash) == (False, first.content_hash)

    async def test_a_new_version_is_a_new_baseline(self, bench: Bench) -> None:
        strategy = await bench.generate()
        await bench.run(strategy)
        bench.fetcher.pages[SHOP] = shop_page(1, 2, 3, 4)
        async with bench.database.begin() as connection:
            await connection.execute(text("UPDATE strategies SET version = 2"))
        job = await bench.run(strategy)
        assert (job.has_changes, job.previous_job_id, job.strategy_version) == (False, None, 2)

    async def test_two_jobs_that_end_at_once_report_a_change_once(self, bench: Bench) -> None:
        strategy = await bench.generate()
        await bench.run(strategy)
        bench.fetcher.pages[SHOP] = shop_page(1, 2, 3)
        created = [await bench.create(strategy) for _ in range(6)]
        await bench.work()
        verdicts = [(await bench.get(job)).has_changes for job in created]
        assert sorted(verdicts, key=bool) == [False] * 5 + [True]

    async def test_compare(self, bench: Bench) -> None:
        strategy = await bench.generate(output_schema={"title": "string", "price": "number"})
        first = await bench.run(strategy)
        bench.fetcher.pages[SHOP] = shop_page(199, 249, 299, 349)
        second = await bench.run(strategy)
        found = await service.compare_jobs(
            bench.database, organisation_id=bench.organisation_id, job_id=second.id, other_job_id=first.id
        )
        assert (found.content_hash_match, found.structural_match, found.item_count_diff) == (False, True, 1)
        assert found.changes == ("1 item added",)
        waiting = await bench.create(strategy)
        with pytest.raises(PreconditionFailed, match="is pending"):
            await service.compare_jobs(
                bench.database,
                organisation_id=bench.organisation_id,
                job_id=first.id,
                other_job_id=waiting.id,
            )


class TestFaults:
    async def test_a_job_that_has_ended_is_not_run_again(self, bench: Bench) -> None:
        job = await bench.run(await bench.generate())
        fetched = len(bench.fetcher.calls)
        await bench.work()
        assert await bench.get(job) == job
        assert len(bench.fetcher.calls) == fetched
        assert bench.sink.submitted == 1

    async def test_two_runners_share_the_work(self, bench: Bench) -> None:
        strategy = await bench.generate()
        created = [await bench.create(strategy) for _ in range(20)]
        bench.fetcher.calls.clear()
        other = bench.another_runner()
        async with bench.present(bench.runner), bench.present(other), other.running():
            await bench.work()
        assert {(await bench.get(job)).status for job in created} == {JobStatus.COMPLETED}
        assert len(bench.fetcher.calls) == 20

    async def test_a_job_whose_process_died_runs_again(self, bench: Bench) -> None:
        job = await bench.create(await bench.generate())
        await bench.begin()
        assert (await bench.get(job)).status is JobStatus.RUNNING
        await bench.work()
        assert (await bench.get(job)).status is JobStatus.COMPLETED

    async def test_a_job_of_a_living_process_is_left_to_it(self, bench: Bench) -> None:
        job = await bench.create(await bench.generate())
        await bench.begin(runner_id=(living := bench.another_runner()).id)
        async with bench.present(living), bench.runner.running():
            other = await bench.create(await bench.generate())
            await bench.reaches(other, JobStatus.COMPLETED)
            assert (await bench.get(job)).status is JobStatus.RUNNING
        await bench.work()
        assert (await bench.get(job)).status is JobStatus.COMPLETED

    async def test_a_job_that_keeps_dying_is_given_up(self, bench: Bench) -> None:
        job = await bench.create(await bench.generate())
        for _ in range(INTERRUPTIONS_MAX):
            await bench.begin()
            async with bench.database.begin() as connection:
                await connection.execute(update(jobs).where(jobs.c.id == job.id).values(status="pending"))
        await bench.work()
        ended = await bench.get(job)
        assert (ended.status, ended.error_code) == (JobStatus.FAILED, "interrupted")
        assert str(ended.error).startswith("The job was begun 5 times")
        assert str(job.id) in bench.sink.stored

    async def test_what_a_stopped_runner_had_in_hand_waits_again(self, bench: Bench) -> None:
        job = await bench.create(await bench.generate())
        bench.fetcher.hold = asyncio.Event()
        async with bench.runner.running(drain_timeout_s=0.01):
            await bench.reaches(job, JobStatus.RUNNING)
        assert (await bench.get(job)).status is JobStatus.PENDING
        async with bench.database.begin() as connection:
            assert await connection.scalar(select(jobs.c.attempts).where(jobs.c.id == job.id)) == 0

    async def test_of_two_runs_only_the_first_writes(self, bench: Bench) -> None:
        job = await bench.create(await bench.generate())
        held, bench.fetcher.hold = asyncio.Event(), None
        bench.fetcher.hold = held
        other = bench.another_runner()
        async with bench.runner.running():
            await bench.reaches(job, JobStatus.RUNNING)
            bench.fetcher.hold = None
            async with other.running():  # nobody holds the first one's lock: it is taken for dead
                ended = await bench.reaches(job, JobStatus.COMPLETED)
            held.set()
            await bench.runner.drain(timeout_s=10)
        assert await bench.get(job) == ended
        assert list(bench.sink.stored) == [str(job.id)]

    async def test_a_strategy_deleted_during_the_run_ends_quietly(self, bench: Bench) -> None:
        job = await bench.create(await bench.generate())
        bench.fetcher.hold = asyncio.Event()
        async with bench.runner.running():
            await bench.reaches(job, JobStatus.RUNNING)
            async with bench.database.begin() as connection:
                await connection.execute(
                    text("DELETE FROM strategies WHERE id = :id"), {"id": job.strategy_id}
                )
            bench.fetcher.hold.set()
            await bench.runner.drain(timeout_s=10)
        with pytest.raises(NotFound):
            await bench.get(job)

    async def test_an_outcome_that_cannot_be_stored_fails_its_job_alone(self, bench: Bench) -> None:
        good, bad = await bench.generate(), await bench.generate()
        jobs_made = [await bench.create(good), await bench.create(bad)]
        performed = run.perform

        async def perform(sources: Any, begun: Begun, *, now: Any) -> run.Outcome:
            outcome = await performed(sources, begun, now=now)
            return replace(outcome, results="{no JSON") if begun.strategy.id == bad.id else outcome

        with pytest.MonkeyPatch.context() as patch, capture_logs() as logs:
            patch.setattr(run, "perform", perform)
            await bench.work()
        assert [one["event"] for one in logs] == ["jobs.group_failed", "job.fault"]
        stored = [await bench.get(job) for job in jobs_made]
        assert [one.status for one in stored] == [JobStatus.COMPLETED, JobStatus.FAILED]
        assert stored[1].error_code == "internal_error"

    async def test_the_database_gone_for_a_moment_loses_nothing(self, bench: Bench) -> None:
        job = await bench.create(await bench.generate())
        begin_transaction, failures = bench.database.begin, [1, 1, 1]

        def failing() -> Any:
            if failures:
                failures.pop()
                raise DependencyFailed("The database does not answer right now.")
            return begin_transaction()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(runner, "POLL_S", 0.01)
            patch.setattr(bench.database, "begin", failing)
            async with bench.runner.running():
                while failures:
                    await asyncio.sleep(0.01)
                await bench.runner.drain(timeout_s=10)
        assert (await bench.get(job)).status is JobStatus.COMPLETED

    async def test_nothing_is_stored_when_the_transaction_fails(self, bench: Bench) -> None:
        strategy = await bench.generate()
        with pytest.raises(RuntimeError):
            async with bench.database.begin() as connection:
                made = await service.create_job(
                    connection,
                    organisation_id=bench.organisation_id,
                    strategy_id=strategy.id,
                    url=SHOP,
                    now=bench.clock.now(),
                )
                raise RuntimeError
        with pytest.raises(NotFound):
            await bench.get(made)


class TestUsage:
    async def test_each_ended_job_leaves_one_event(self, bench: Bench) -> None:
        strategy = await bench.generate()
        done = await bench.run(strategy)
        bench.fetcher.pages[SHOP] = 500
        failed = await bench.run(strategy)
        event = bench.sink.stored[str(done.id)]
        assert (event.type, event.source, event.subject) == ("meterhouse.job", "meterhouse", str(strategy.id))
        assert event.time == done.completed_at
        data = json.loads(event.data)
        assert data["bytes"] == len(shop_page(199, 249, 299))
        assert (data["pages"], data["items"], data["status"]) == (1, 3, "completed")
        assert (data["job_id"], data["strategy_id"]) == (str(done.id), str(strategy.id))
        assert data["duration_ms"] >= 0
        assert json.loads(bench.sink.stored[str(failed.id)].data)["status"] == "failed"

    async def test_an_event_not_sent_is_sent_by_the_scan(self, bench: Bench) -> None:
        bench.sink.is_away = True
        job = await bench.run(await bench.generate())
        assert job.status is JobStatus.COMPLETED
        assert bench.sink.stored == {}
        bench.sink.is_away = False
        assert await bench.tasks.emit_waiting_usage(bench.clock.now()) == 1
        assert await bench.tasks.emit_waiting_usage(bench.clock.now()) == 0
        assert list(bench.sink.stored) == [str(job.id)]

    async def test_usage_outlives_its_strategy(self, bench: Bench) -> None:
        bench.sink.is_away = True
        job = await bench.run(await bench.generate())
        async with bench.database.begin() as connection:
            await connection.execute(text("DELETE FROM strategies WHERE id = :id"), {"id": job.strategy_id})
        bench.sink.is_away = False
        await bench.tasks.emit_waiting_usage(bench.clock.now())
        assert list(bench.sink.stored) == [str(job.id)]
        async with bench.database.begin() as connection:
            assert await connection.scalar(select(func.count()).select_from(job_usage)) == 0


class TestQueueAndWait:
    async def test_a_batch_through_the_worker(self, bench: Bench) -> None:
        strategy = await bench.generate()
        async with bench.database.begin() as connection:
            batch = await service.create_batch(
                connection,
                organisation_id=bench.organisation_id,
                strategy_id=strategy.id,
                urls=[SHOP, SHOP, SECOND],
                now=bench.clock.now(),
            )
            before = await queries.get_batch_progress(
                connection, organisation_id=bench.organisation_id, batch_id=batch.id
            )
        assert (before.total, before.pending, before.percent) == (3, 3, 0.0)
        assert before.job_ids == batch.job_ids
        await bench.work()
        async with bench.database.begin() as connection:
            after = await queries.get_batch_progress(
                connection, organisation_id=bench.organisation_id, batch_id=batch.id
            )
            found = await queries.list_jobs(
                connection,
                organisation_id=bench.organisation_id,
                wanted=JobFilter(batch_id=batch.id, status=JobStatus.FAILED),
                limit=10,
                offset=0,
            )
        assert (after.completed, after.failed, after.percent) == (2, 1, 100.0)
        assert [job.url for job in found] == [SECOND]

    async def test_waiting_is_woken_by_the_end(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(service, "POLL_FIRST_S", 30.0)
        job = await bench.create(await bench.generate())
        waiting = asyncio.create_task(self.wait(bench, job.id))
        await asyncio.sleep(0.1)
        await bench.work()
        assert (await asyncio.wait_for(waiting, 5)).status is JobStatus.COMPLETED

    async def test_waiting_finds_what_another_process_did(self, bench: Bench) -> None:
        job = await bench.create(await bench.generate())
        waiting = asyncio.create_task(self.wait(bench, job.id))
        await asyncio.sleep(0.1)
        async with bench.database.begin() as connection:
            outcome = run.Outcome(error="gone", error_code="status")
            await finish(connection, {job.id: outcome}, now=bench.clock.now())
        assert (await asyncio.wait_for(waiting, 5)).status is JobStatus.FAILED

    async def test_waiting_ends(self, bench: Bench) -> None:
        job = await bench.create(await bench.generate())
        assert (await self.wait(bench, job.id, 0.3)).status is JobStatus.PENDING
        with pytest.raises(NotFound):
            await self.wait(bench, new_id(), 0.3)

    @staticmethod
    async def wait(bench: Bench, job_id: object, timeout_s: float = 20.0) -> object:
        return await service.wait_for_job(
            bench.database,
            bench.runner.signals,
            organisation_id=bench.organisation_id,
            job_id=job_id,  # type: ignore[arg-type]
            timeout_s=timeout_s,
        )


class TestInput:
    async def test_create_refuses(self, bench: Bench) -> None:
        strategy = await bench.generate()

        async def create(**changes: object) -> object:
            given = {"strategy_id": strategy.id, "url": SHOP, **changes}
            async with bench.database.begin() as connection:
                return await service.create_job(
                    connection,
                    organisation_id=bench.organisation_id,
                    now=bench.clock.now(),
                    **given,  # type: ignore[arg-type]
                )

        with pytest.raises(NotFound, match="Strategy not found"):
            await create(strategy_id=new_id())
        with pytest.raises(Invalid, match="Invalid URL format"):
            await create(url="nowhere")
        with pytest.raises(Invalid, match="takes no parameters"):
            await create(parameters={"page": 1})
        assert (await create(parameters={})).parameters is None  # type: ignore[attr-defined]

    async def test_a_batch_refuses_as_a_whole(self, bench: Bench) -> None:
        strategy = await bench.generate()

        async def create(urls: list[str]) -> object:
            async with bench.database.begin() as connection:
                return await service.create_batch(
                    connection,
                    organisation_id=bench.organisation_id,
                    strategy_id=strategy.id,
                    urls=urls,
                    now=bench.clock.now(),
                )

        with pytest.raises(Invalid, match=r"urls\[1\]"):
            await create([SHOP, "nowhere"])
        with pytest.raises(Invalid, match="empty"):
            await create([])
        with pytest.raises(LimitExceeded, match="10000"):
            await create([SHOP] * 10_001)


class TestLists:
    async def test_filters_and_order(self, bench: Bench) -> None:
        strategy = await bench.generate()
        made = []
        for _ in range(3):
            made.append(await bench.run(strategy))
            bench.clock.move_to(bench.clock.now() + timedelta(hours=1))
        wanted = JobFilter(strategy_id=strategy.id, since=bench.clock.now() - timedelta(hours=2))
        async with bench.database.begin() as connection:
            found = await queries.list_jobs(
                connection,
                organisation_id=bench.organisation_id,
                wanted=wanted,
                limit=10,
                offset=0,
                with_results=False,
            )
            entries = await queries.list_history(
                connection, organisation_id=bench.organisation_id, strategy_id=strategy.id
            )
        assert [job.id for job in found] == [made[2].id, made[1].id]
        assert all(job.results is None and job.item_count == 3 for job in found)
        assert [entry.job_id for entry in entries] == [job.id for job in reversed(made)]
