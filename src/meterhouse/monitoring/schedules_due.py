"""The due-scan of schedules: finds what is due by the one clock, plans the next time, creates the jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import Conflict
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring.finish import finish
from meterhouse.monitoring.model import CreatedBatch, JobStatus, NewJob
from meterhouse.monitoring.retries import RETRIES_DEFAULT
from meterhouse.monitoring.run import Outcome
from meterhouse.monitoring.schedules import get_schedule
from meterhouse.monitoring.schedules_model import Schedule, schedule_from_row
from meterhouse.monitoring.service import store_jobs
from meterhouse.monitoring.tables import job_batches, jobs, schedules
from meterhouse.platform.ports import Database

log = structlog.get_logger(__name__)

# Few at a time: writing many rows keeps the event loop, and so everybody who asks, for milliseconds.
SCHEDULES_AT_ONCE_MAX = 100
JOBS_AT_ONCE_MAX = 1_000
# One visit of the scan leaves the rest to the next, a second later: still many more than can run until then.
ROUNDS_MAX = 5


async def run_due_schedules(database: Database, now: datetime) -> int:
    """Make runs that are due at `now`, the longest waiting first; returns how many schedules it dealt with.

    A schedule that is due several times over runs once. One whose previous run has not ended is left out
    until its next planned time. Several processes may scan at once: each schedule falls to one of them.
    """
    dealt_with = 0
    for _ in range(ROUNDS_MAX):
        async with database.begin() as connection:
            claimed = await _claim(connection, now)
            if claimed:
                await _run(connection, claimed, now)
        dealt_with += len(claimed)
        if not claimed:
            break
    return dealt_with


async def run_now(
    connection: AsyncConnection, *, organisation_id: UUID, schedule_id: UUID, now: datetime
) -> CreatedBatch:
    """Make a run beside the plan, which stays as it is; also of a schedule that is disabled.

    Raises `NotFound`, or `Conflict` while the previous run has not ended.
    """
    found = await get_schedule(connection, organisation_id=organisation_id, schedule_id=schedule_id)
    await extraction.get_strategy(
        connection, organisation_id=organisation_id, strategy_id=found.strategy_id, lock="exist"
    )
    schedule = await get_schedule(
        connection, organisation_id=organisation_id, schedule_id=schedule_id, lock=True
    )
    await _give_up_retries(connection, [schedule], now)
    if await _busy(connection, [schedule]):
        raise Conflict("The schedule's previous run has not ended; wait for it, or cancel it.")
    batch_id = new_id()
    job_ids = await _create_jobs(connection, [schedule], {schedule_id: batch_id}, now)
    await connection.execute(
        update(schedules).where(schedules.c.id == schedule_id).values(last_run_at=now, last_batch_id=batch_id)
    )
    return CreatedBatch(batch_id, schedule.strategy_id, tuple(job_ids), now)


async def _claim(connection: AsyncConnection, now: datetime) -> list[Schedule]:
    """Some due schedules, the longest waiting first, locked; as many as make a transaction of sane size."""
    rows = await connection.execute(
        select(schedules)
        .where(schedules.c.next_at <= now)
        .order_by(schedules.c.next_at)
        .limit(SCHEDULES_AT_ONCE_MAX)
        .with_for_update(skip_locked=True)
    )
    due = [schedule_from_row(row) for row in rows]
    kept = await extraction.keep_strategies(
        connection, strategy_ids={schedule.strategy_id for schedule in due}
    )
    claimed: list[Schedule] = []
    count = 0
    for schedule in (one for one in due if one.strategy_id in kept):
        count += len(schedule.urls)
        if claimed and count > JOBS_AT_ONCE_MAX:
            break
        claimed.append(schedule)
    return claimed


async def _run(connection: AsyncConnection, due: Sequence[Schedule], now: datetime) -> None:
    await _give_up_retries(connection, due, now)
    busy = await _busy(connection, due)
    skipped = [schedule for schedule in due if schedule.last_batch_id in busy]
    batches = {schedule.id: new_id() for schedule in due if schedule.last_batch_id not in busy}
    started = [schedule for schedule in due if schedule.id in batches]
    if started:
        await _create_jobs(connection, started, batches, now)
    for schedule in skipped:
        log.info("schedule.skipped", schedule_id=str(schedule.id), reason="its previous run has not ended")
    await _plan(connection, due, batches, now)


async def _give_up_retries(connection: AsyncConnection, due: Sequence[Schedule], now: datetime) -> None:
    """End what only waits to be tried again: the new run takes its place."""
    previous = [schedule.last_batch_id for schedule in due if schedule.last_batch_id is not None]
    waiting = await connection.execute(
        select(jobs.c.id, jobs.c.last_error)
        .where(jobs.c.batch_id.in_(previous), jobs.c.status == JobStatus.PENDING, jobs.c.retries > 0)
        .with_for_update(skip_locked=True)
    )
    outcomes = {row.id: Outcome(error=row.last_error, error_code="given_up") for row in waiting}
    if outcomes:
        await finish(connection, outcomes, now=now)


async def _busy(connection: AsyncConnection, due: Sequence[Schedule]) -> set[UUID | None]:
    """The previous runs that have not ended."""
    previous = [schedule.last_batch_id for schedule in due if schedule.last_batch_id is not None]
    if not previous:
        return set()
    found = await connection.scalars(
        select(jobs.c.batch_id)
        .where(jobs.c.batch_id.in_(previous), jobs.c.status.in_([JobStatus.PENDING, JobStatus.RUNNING]))
        .distinct()
    )
    return set(found)


async def _create_jobs(
    connection: AsyncConnection,
    started: Sequence[Schedule],
    batches: dict[UUID, UUID],
    now: datetime,
) -> list[UUID]:
    await connection.execute(
        insert(job_batches),
        [
            {
                "id": batches[schedule.id],
                "organisation_id": schedule.organisation_id,
                "strategy_id": schedule.strategy_id,
                "created_at": now,
            }
            for schedule in started
        ],
    )
    wanted = [
        NewJob(
            organisation_id=schedule.organisation_id,
            strategy_id=schedule.strategy_id,
            url=url,
            parameters=schedule.parameters,
            batch_id=batches[schedule.id],
            schedule_id=schedule.id,
            retries_max=RETRIES_DEFAULT,
        )
        for schedule in started
        for url in schedule.urls
    ]
    return await store_jobs(connection, wanted, now=now)


async def _plan(
    connection: AsyncConnection, due: Sequence[Schedule], batches: dict[UUID, UUID], now: datetime
) -> None:
    """Write the next planned times, and what became of this one."""
    rows = []
    for schedule in due:
        planned = schedule.next_at or now
        ran = schedule.id in batches
        rows.append(
            {
                "row_id": schedule.id,
                "row_next_at": schedule.recurrence.following(planned, now),
                "row_last_run_at": now if ran else schedule.last_run_at,
                "row_last_batch_id": batches.get(schedule.id, schedule.last_batch_id),
                "row_last_skipped_at": schedule.last_skipped_at if ran else planned,
            }
        )
    names = ("next_at", "last_run_at", "last_batch_id", "last_skipped_at")
    statement = update(schedules).where(schedules.c.id == bindparam("row_id"))
    await connection.execute(statement.values({name: bindparam(f"row_{name}") for name in names}), rows)
