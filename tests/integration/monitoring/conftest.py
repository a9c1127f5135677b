"""A worker's parts on the module's database, with a table of pages in place of the network."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from tests.pages import SHOP, FakeFetcher, shop_page

from meterhouse.extraction import service as extraction
from meterhouse.extraction.stored import StoredStrategy, StrategyRequest
from meterhouse.identity.service import ensure_organisation
from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.errors import DependencyFailed
from meterhouse.monitoring import queries, service
from meterhouse.monitoring.model import Job
from meterhouse.monitoring.signals import JobSignals
from meterhouse.monitoring.tasks import MonitoringTasks
from meterhouse.platform.postgres import PostgresDatabase
from meterhouse.platform.queue import TaskQueue
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
    queue: TaskQueue
    fetcher: FakeFetcher
    sink: FakeSink
    clock: TestClock
    tasks: MonitoringTasks
    organisation_id: UUID

    async def generate(self, **changes: Any) -> StoredStrategy:
        given = {"url": SHOP, "description": "phone titles and prices", "name": "Phones", **changes}
        return await extraction.generate_strategy(
            self.database,
            self.fetcher,
            self.tasks.extractor,
            organisation_id=self.organisation_id,
            request=StrategyRequest(**given),
            clock=self.clock,
        )

    async def create(self, strategy: StoredStrategy, url: str = SHOP) -> Job:
        async with self.database.begin() as connection:
            return await service.create_job(
                connection,
                self.queue,
                organisation_id=self.organisation_id,
                strategy_id=strategy.id,
                url=url,
                now=self.clock.now(),
            )

    async def get(self, job: Job) -> Job:
        async with self.database.begin() as connection:
            return await queries.get_job(connection, organisation_id=self.organisation_id, job_id=job.id)

    async def run(self, strategy: StoredStrategy, url: str = SHOP) -> Job:
        """Create a job and run it here and now; its queued task later finds it done."""
        job = await self.create(strategy, url)
        await self.tasks.run_job(job_id=str(job.id))
        return await self.get(job)


@pytest.fixture
async def bench(database: PostgresDatabase, postgres_url: str) -> AsyncIterator[Bench]:
    queue = TaskQueue(postgres_url)
    clock, fetcher, sink = TestClock(), FakeFetcher({SHOP: shop_page(199, 249, 299)}), FakeSink()
    async with database.begin() as connection:
        organisation_id = await ensure_organisation(connection, now=clock.now())
    tasks = MonitoringTasks(database, queue, fetcher, extraction.Extractor(), sink, clock, JobSignals())
    for name, task in tasks.tasks.items():
        queue.register(name, task)
    await queue.open()
    yield Bench(database, queue, fetcher, sink, clock, tasks, organisation_id)
    await queue.close()
    tasks.extractor.close()
