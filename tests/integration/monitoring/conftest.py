"""A worker's parts on the module's database, with a table of pages in place of the network."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from tests.pages import SHOP, FakeFetcher, shop_page

from meterhouse.extraction import service as extraction
from meterhouse.extraction.stored import StoredStrategy, StrategyRequest
from meterhouse.identity.service import ensure_organisation
from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.errors import DependencyFailed
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring import queries, service
from meterhouse.monitoring.claim import Room, claim
from meterhouse.monitoring.model import Job, JobStatus
from meterhouse.monitoring.runner import JobRunner
from meterhouse.monitoring.signals import JobSignals
from meterhouse.monitoring.tasks import MonitoringTasks
from meterhouse.platform.ports import NoBrowser
from meterhouse.platform.postgres import PostgresDatabase
from meterhouse.usage.model import Event


@dataclass
class FakeSink:
    """An ingestor that keeps events by identity, and can be away."""

    stored: dict[str, Event] = field(default_factory=dict)
    submitted: int = 0
    is_away: bool = False

    async def submit(self, events: Sequence[Event]) -> list[bool]:
        if self.is_away:
            raise DependencyFailed("The event store is away.")
        self.submitted += len(events)
        return [self.stored.setdefault(event.id, event) is event for event in events]


@dataclass
class Bench:
    """Everything a job needs, and short ways to make and run one."""

    database: PostgresDatabase
    fetcher: FakeFetcher
    sink: FakeSink
    clock: TestClock
    runner: JobRunner
    tasks: MonitoringTasks
    organisation_id: UUID

    async def generate(self, **changes: Any) -> StoredStrategy:
        given = {"url": SHOP, "description": "phone titles and prices", "name": "Phones", **changes}
        return await extraction.generate_strategy(
            self.database,
            self.fetcher,
            self.runner.sources.extractor,
            organisation_id=self.organisation_id,
            request=StrategyRequest(**given),
            clock=self.clock,
        )

    async def create(self, strategy: StoredStrategy, url: str = SHOP, **given: Any) -> Job:
        async with self.database.begin() as connection:
            return await service.create_job(
                connection,
                organisation_id=self.organisation_id,
                strategy_id=strategy.id,
                url=url,
                now=self.clock.now(),
                **given,
            )

    async def get(self, job: Job) -> Job:
        async with self.database.begin() as connection:
            return await queries.get_job(connection, organisation_id=self.organisation_id, job_id=job.id)

    async def run(self, strategy: StoredStrategy, url: str = SHOP, **given: Any) -> Job:
        """Create a job and run it here and now, with all others that may run."""
        job = await self.create(strategy, url, **given)
        await self.work()
        return await self.get(job)

    def another_runner(self, **given: Any) -> JobRunner:
        """A runner as another process has it."""
        runner = self.runner
        return JobRunner(runner.database, runner.sources, runner.usage, runner.clock, runner.signals, **given)

    async def work(self) -> None:
        """Run what may run."""
        async with self.runner.running(drain_timeout_s=5):
            await self.runner.drain(timeout_s=20)

    async def begin(self, runner_id: UUID | None = None) -> None:
        """Take what waits in hand, and do nothing more."""
        room = Room(jobs=10, per_host=10, in_hand={})
        async with self.database.begin() as connection:
            claimed = await claim(
                connection, runner_id=runner_id or new_id(), room=room, now=self.clock.now()
            )
        assert claimed.begun

    async def reaches(self, job: Job, status: JobStatus) -> Job:
        """The job once it has this status, whoever brings it there."""
        async with asyncio.timeout(20):
            while (found := await self.get(job)).status is not status:
                self.runner.wake()
                await asyncio.sleep(0.01)
        return found

    @contextlib.asynccontextmanager
    async def present(self, living: JobRunner) -> AsyncIterator[None]:
        """Hold the lock of a runner, as its process does."""
        async with await psycopg.AsyncConnection.connect(self.database.url, autocommit=True) as connection:
            await connection.execute("SELECT pg_advisory_lock(%s)", [living.presence])
            yield

    def wait(self, **by: float) -> None:
        """Let time pass on the clock."""
        self.clock.move_to(self.clock.now() + timedelta(**by))


@pytest.fixture
async def bench(database: PostgresDatabase) -> AsyncIterator[Bench]:
    clock, fetcher, sink = TestClock(), FakeFetcher({SHOP: shop_page(199, 249, 299)}), FakeSink()
    async with database.begin() as connection:
        organisation_id = await ensure_organisation(connection, now=clock.now())
        # What an earlier test left waiting or running is none of the next one's business.
        await connection.execute(text("DELETE FROM jobs WHERE status IN ('pending', 'running')"))
        await connection.execute(text("DELETE FROM quiet_hosts"))
    sources = extraction.Sources(fetcher, NoBrowser(), extraction.Extractor())
    runner = JobRunner(database, sources, sink, clock, JobSignals())
    tasks = MonitoringTasks(database, runner, sink, clock)
    yield Bench(database, fetcher, sink, clock, runner, tasks, organisation_id)
    sources.extractor.close()
