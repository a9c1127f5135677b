"""The due-scan of workflow schedules: starts what is due by the one clock, plans the next time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.platform.ports import Database, Queue
from meterhouse.workflows.model import RunStatus
from meterhouse.workflows.schedules import WorkflowSchedule, from_row
from meterhouse.workflows.service import start_run
from meterhouse.workflows.tables import workflow_runs, workflow_schedules, workflows

SCHEDULES_AT_ONCE_MAX = 100
ROUNDS_MAX = 20


async def run_due_schedules(database: Database, queue: Queue, now: datetime) -> int:
    """Start the runs that are due at `now`; returns how many schedules it dealt with.

    A schedule that is due several times over runs once. One whose previous run has not ended, or whose
    workflow is disabled, is left out until its next planned time.
    """
    dealt_with = 0
    for _ in range(ROUNDS_MAX):
        async with database.begin() as connection:
            rows = await connection.execute(
                select(workflow_schedules)
                .where(workflow_schedules.c.next_at <= now)
                .order_by(workflow_schedules.c.next_at)
                .limit(SCHEDULES_AT_ONCE_MAX)
                .with_for_update(skip_locked=True)
            )
            due = [from_row(row) for row in rows]
            for schedule in due:
                await _run(connection, queue, schedule, now)
        dealt_with += len(due)
        if not due:
            break
    return dealt_with


async def _run(connection: AsyncConnection, queue: Queue, schedule: WorkflowSchedule, now: datetime) -> None:
    planned = schedule.next_at or now
    values: dict[str, object] = {"next_at": schedule.recurrence.following(planned, now)}
    if await _may_run(connection, schedule.workflow_id, schedule.last_run_id):
        run = await start_run(
            connection,
            queue,
            organisation_id=schedule.organisation_id,
            workflow_id=schedule.workflow_id,
            schedule_id=schedule.id,
            force=False,
            now=now,
        )
        values |= {"last_run_at": now, "last_run_id": run.id}
    else:
        values |= {"last_skipped_at": planned}
    await connection.execute(
        update(workflow_schedules).where(workflow_schedules.c.id == schedule.id).values(**values)
    )


async def _may_run(connection: AsyncConnection, workflow_id: UUID, last_run_id: UUID | None) -> bool:
    enabled = await connection.scalar(select(workflows.c.enabled).where(workflows.c.id == workflow_id))
    if not enabled:
        return False
    status = await connection.scalar(select(workflow_runs.c.status).where(workflow_runs.c.id == last_run_id))
    return status is None or RunStatus(status).is_final
