"""Ending and removing jobs by hand. A cancelled job is a failed one that says so: there is no fifth state."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.kernel.errors import Conflict, NotFound
from meterhouse.monitoring import queries
from meterhouse.monitoring.finish import finish
from meterhouse.monitoring.model import BatchProgress, Job
from meterhouse.monitoring.run import Outcome
from meterhouse.monitoring.service import tell_runners
from meterhouse.monitoring.tables import jobs

CANCELLED_AT_ONCE = 500
CANCELLED = Outcome(error="The job was cancelled.", error_code="cancelled")


async def cancel_job(
    connection: AsyncConnection, *, organisation_id: UUID, job_id: UUID, now: datetime
) -> Job:
    """End a job that waits or runs; whoever runs it lets go of it. Raises `NotFound`, `Conflict` if ended."""
    job = await queries.get_job(connection, organisation_id=organisation_id, job_id=job_id)
    finished = await finish(connection, {job.id: CANCELLED}, now=now)
    if job_id not in finished.ended:
        raise Conflict(f"The job {job_id} has already ended; there is nothing to cancel.")
    await tell_runners(connection)
    return await queries.get_job(connection, organisation_id=organisation_id, job_id=job_id)


async def cancel_batch(
    connection: AsyncConnection, *, organisation_id: UUID, batch_id: UUID, now: datetime
) -> BatchProgress:
    """End what of a batch waits or runs; the rest stays as it is. Raises `NotFound`."""
    progress = await queries.get_batch_progress(
        connection, organisation_id=organisation_id, batch_id=batch_id
    )
    for at in range(0, len(progress.job_ids), CANCELLED_AT_ONCE):
        ids = progress.job_ids[at : at + CANCELLED_AT_ONCE]
        await finish(connection, dict.fromkeys(ids, CANCELLED), now=now)
    await tell_runners(connection)
    return await queries.get_batch_progress(connection, organisation_id=organisation_id, batch_id=batch_id)


async def delete_job(connection: AsyncConnection, *, organisation_id: UUID, job_id: UUID) -> None:
    """Remove a job with its results; if it runs, nothing comes of that. Raises `NotFound`.

    Later jobs are then compared with the one before it.
    """
    deleted = await connection.execute(
        delete(jobs).where(jobs.c.organisation_id == organisation_id, jobs.c.id == job_id)
    )
    if not deleted.rowcount:
        raise NotFound("Job not found")
    await tell_runners(connection)
