"""What the worker runs for workflows: the queue task that drives a run, and the scan that finds lost runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from meterhouse.extraction.service import Extractor, Sources
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Browser, Database, Fetcher, NoBrowser, Queue
from meterhouse.workflows import drive, work
from meterhouse.workflows.model import RunStatus
from meterhouse.workflows.plan import Drive
from meterhouse.workflows.schedules_due import run_due_schedules
from meterhouse.workflows.service import DRIVE_RUN, LOST_AFTER, ask_for_drive
from meterhouse.workflows.tables import workflow_runs
from meterhouse.workflows.work import InHand

FOUND_AT_ONCE_MAX = 500
# How many pages of one run are in hand at a time; fewer than half of it, and more are taken.
HANDS = 16
# After this long a run goes back to the queue's end, so that others get their turn.
SLICE_S = 5.0


@dataclass(frozen=True)
class WorkflowTasks:
    """The tasks and scans, with all they work on. `tasks` and `scans` are what a worker registers."""

    database: Database
    queue: Queue
    fetcher: Fetcher
    extractor: Extractor
    clock: Clock
    browser: Browser = field(default_factory=NoBrowser)
    slice_s: float = SLICE_S

    @property
    def tasks(self) -> Mapping[str, Callable[..., Awaitable[None]]]:
        return {DRIVE_RUN: self.drive_run}

    @property
    def scans(self) -> Mapping[str, Callable[[datetime], Awaitable[int]]]:
        return {
            "workflows.due_schedules": self.run_due_schedules,
            "workflows.lost_runs": self.find_lost_runs,
        }

    async def drive_run(self, run_id: str) -> None:
        """Drive a run to its end, or for a while. At least once: the stored state says what is left to do.

        Raises only when the database fails; the queue then tries again.
        """
        async with self.database.begin() as connection:
            taken = await drive.take(connection, run_id=UUID(run_id), driver=new_id(), now=self.clock.now())
        if taken is None:
            return
        in_hand: set[asyncio.Task[None]] = set()
        try:
            is_over = await self._drive(taken, in_hand)
        finally:
            await _drop(in_hand)
        if not is_over:
            async with self.database.begin() as connection:
                await ask_for_drive(connection, self.queue, taken.run_id)

    async def run_due_schedules(self, now: datetime) -> int:
        """Start the runs that are due."""
        return await run_due_schedules(self.database, self.queue, now)

    async def find_lost_runs(self, now: datetime) -> int:
        """Hand runs to the queue again that nobody drives any more; a lost queue loses no run."""
        async with self.database.begin() as connection:
            found = await connection.scalars(
                select(workflow_runs.c.id)
                .where(
                    workflow_runs.c.status.in_([RunStatus.PENDING, RunStatus.RUNNING]),
                    workflow_runs.c.next_at <= now,
                )
                .order_by(workflow_runs.c.next_at)
                .limit(FOUND_AT_ONCE_MAX)
                .with_for_update(skip_locked=True, key_share=True)
            )
            lost = list(found)
            for run_id in lost:
                await ask_for_drive(connection, self.queue, run_id)
            if lost:
                await connection.execute(
                    update(workflow_runs).where(workflow_runs.c.id.in_(lost)).values(next_at=now + LOST_AFTER)
                )
        return len(lost)

    async def _drive(self, taken: Drive, in_hand: set[asyncio.Task[None]]) -> bool:
        """Step and work until the run is over or the slice is; tells which."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.slice_s
        while True:
            if loop.time() < deadline and len(in_hand) <= HANDS // 2:
                async with self.database.begin() as connection:
                    progress = await drive.advance(
                        connection,
                        self.queue,
                        taken,
                        wanted=HANDS - len(in_hand),
                        now=self.clock.now(),
                    )
                if progress.is_over:
                    return True
                in_hand |= {asyncio.create_task(self._work(taken, one)) for one in progress.work}
                if progress.is_more:
                    continue
            if not in_hand:
                return False
            done, _ = await asyncio.wait(in_hand, return_when=asyncio.FIRST_COMPLETED)
            in_hand -= done
            for one in done:
                one.result()

    async def _work(self, taken: Drive, one: InHand) -> None:
        outcome = await work.perform(Sources(self.fetcher, self.browser, self.extractor), one)
        async with self.database.begin() as connection:
            await work.finish(
                connection,
                organisation_id=taken.organisation_id,
                work=one,
                outcome=outcome,
                now=self.clock.now(),
            )


async def _drop(in_hand: set[asyncio.Task[None]]) -> None:
    for one in in_hand:
        one.cancel()
    await asyncio.gather(*in_hand, return_exceptions=True)
