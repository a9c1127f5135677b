"""What the worker runs for monitoring: the queue task of a job, and the scans that find what was lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select, update

from meterhouse.extraction.service import Extractor, Sources
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import MeterhouseError
from meterhouse.monitoring import run
from meterhouse.monitoring.model import JobStatus, UsageSink
from meterhouse.monitoring.service import LOST_AFTER, RUN_JOB, ask_for_run
from meterhouse.monitoring.signals import JobSignals
from meterhouse.monitoring.tables import jobs
from meterhouse.monitoring.usage import emit_usage
from meterhouse.platform.ports import Browser, Database, Fetcher, NoBrowser, Queue

log = structlog.get_logger(__name__)

FOUND_AT_ONCE_MAX = 500


@dataclass(frozen=True)
class MonitoringTasks:
    """The tasks and scans, with all they work on. `tasks` and `scans` are what a worker registers."""

    database: Database
    queue: Queue
    fetcher: Fetcher
    extractor: Extractor
    usage: UsageSink
    clock: Clock
    signals: JobSignals
    browser: Browser = field(default_factory=NoBrowser)

    @property
    def tasks(self) -> Mapping[str, Callable[..., Awaitable[None]]]:
        return {RUN_JOB: self.run_job}

    @property
    def scans(self) -> Mapping[str, Callable[[datetime], Awaitable[int]]]:
        return {"monitoring.lost_jobs": self.find_lost_jobs, "monitoring.usage": self.emit_waiting_usage}

    async def run_job(self, job_id: str) -> None:
        """Run a job to its end. At least once: a job that has ended already is left as it is.

        Raises only when the database fails; the queue then tries again.
        """
        wanted = UUID(job_id)
        async with self.database.begin() as connection:
            begun = await run.begin(connection, job_id=wanted, now=self.clock.now())
        if begun is not None:
            outcome = await run.perform(Sources(self.fetcher, self.browser, self.extractor), begun)
            async with self.database.begin() as connection:
                await run.finish(connection, job_id=wanted, outcome=outcome, now=self.clock.now())
        self.signals.ended(wanted)
        await self._emit(wanted)

    async def find_lost_jobs(self, now: datetime) -> int:
        """Hand jobs to the queue again that should have ended long ago; a lost queue loses no job."""
        async with self.database.begin() as connection:
            found = await connection.scalars(
                select(jobs.c.id)
                .where(jobs.c.status.in_([JobStatus.PENDING, JobStatus.RUNNING]), jobs.c.next_at <= now)
                .order_by(jobs.c.next_at)
                .limit(FOUND_AT_ONCE_MAX)
                .with_for_update(skip_locked=True)
            )
            lost = list(found)
            for job_id in lost:
                await ask_for_run(connection, self.queue, job_id)
            if lost:
                await connection.execute(
                    update(jobs).where(jobs.c.id.in_(lost)).values(next_at=now + LOST_AFTER)
                )
        return len(lost)

    async def emit_waiting_usage(self, now: datetime) -> int:
        """Send usage events written but not sent, because the process died or the store was away."""
        return await emit_usage(self.database, self.usage, self.clock)

    async def _emit(self, job_id: UUID) -> None:
        try:
            await emit_usage(self.database, self.usage, self.clock, job_ids=[job_id])
        except MeterhouseError as error:
            # The job is done and its event is written down; the scan sends it when the store is back.
            log.warning("job.usage_delayed", job_id=str(job_id), error=error.message)
