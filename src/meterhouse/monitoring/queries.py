"""Reads of the monitoring context."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import NotFound
from meterhouse.monitoring.model import BatchProgress, HistoryEntry, Job, JobFilter, JobStatus
from meterhouse.monitoring.rules import STANDARD, ChangeRules
from meterhouse.monitoring.tables import job_batches, jobs

HISTORY_MAX = 1000
BATCH_IDS_SHOWN_MAX = 10_000

_HEAVY = ("results", "structural_signature")
_INNER = (
    "target",
    "host",
    "is_urgent",
    "attempts",
    "runner_id",
    "etag",
    "last_modified",
    "read_at",
    "page_bytes",
    "duration_ms",
    "seen_at",
)
JOB_COLUMNS = tuple(column for column in jobs.c if column.name not in _INNER)


async def get_job(connection: AsyncConnection, *, organisation_id: UUID, job_id: UUID) -> Job:
    """One job with its results. Raises `NotFound`, also for somebody else's job."""
    row = (
        await connection.execute(
            select(*JOB_COLUMNS).where(jobs.c.organisation_id == organisation_id, jobs.c.id == job_id)
        )
    ).first()
    if row is None:
        raise NotFound(f"Job not found: {job_id}")
    return from_row(row)


async def get_status(connection: AsyncConnection, *, job_id: UUID) -> JobStatus | None:
    """The state of a job; `None` once it is gone."""
    status = await connection.scalar(select(jobs.c.status).where(jobs.c.id == job_id))
    return JobStatus(status) if status is not None else None


async def list_jobs(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    wanted: JobFilter,
    limit: int,
    offset: int,
    with_results: bool = True,
) -> list[Job]:
    """The jobs that meet all conditions of `wanted`, newest first."""
    columns = [column for column in JOB_COLUMNS if with_results or column.name not in _HEAVY]
    rows = await connection.execute(
        select(*columns)
        .where(jobs.c.organisation_id == organisation_id, *_conditions(wanted))
        .order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [from_row(row) for row in rows]


async def list_history(
    connection: AsyncConnection, *, organisation_id: UUID, strategy_id: UUID, limit: int = HISTORY_MAX
) -> list[HistoryEntry]:
    """What became of a strategy's jobs, newest first. A job that is not completed has changed nothing."""
    rows = await connection.execute(
        select(jobs.c.id, jobs.c.status, jobs.c.item_count, jobs.c.has_changes, jobs.c.created_at)
        .where(jobs.c.organisation_id == organisation_id, jobs.c.strategy_id == strategy_id)
        .order_by(jobs.c.created_at.desc(), jobs.c.id.desc())
        .limit(limit)
    )
    return [
        HistoryEntry(row.id, JobStatus(row.status), row.item_count, bool(row.has_changes), row.created_at)
        for row in rows
    ]


async def get_batch_progress(
    connection: AsyncConnection, *, organisation_id: UUID, batch_id: UUID
) -> BatchProgress:
    """How far a batch is, and its jobs in the order of the addresses. Raises `NotFound`."""
    found = await connection.scalar(
        select(job_batches.c.id).where(
            job_batches.c.organisation_id == organisation_id, job_batches.c.id == batch_id
        )
    )
    if found is None:
        raise NotFound("Batch not found")
    counted = await connection.execute(
        select(jobs.c.status, func.count().label("jobs"))
        .where(jobs.c.batch_id == batch_id)
        .group_by(jobs.c.status)
    )
    counts: dict[str, int] = {row.status: row.jobs for row in counted}
    ids = await connection.scalars(
        select(jobs.c.id).where(jobs.c.batch_id == batch_id).order_by(jobs.c.id).limit(BATCH_IDS_SHOWN_MAX)
    )
    return BatchProgress(
        id=batch_id,
        pending=counts.get(JobStatus.PENDING, 0),
        running=counts.get(JobStatus.RUNNING, 0),
        completed=counts.get(JobStatus.COMPLETED, 0),
        failed=counts.get(JobStatus.FAILED, 0),
        job_ids=tuple(ids),
    )


def from_row(row: Row[Any]) -> Job:
    """A job as read; what was not selected is `None`."""
    values = dict(row._mapping)
    return Job(**{**values, "status": JobStatus(values["status"])})


def _conditions(wanted: JobFilter) -> list[ColumnElement[bool]]:
    equal = {
        jobs.c.strategy_id: wanted.strategy_id,
        jobs.c.schedule_id: wanted.schedule_id,
        jobs.c.batch_id: wanted.batch_id,
        jobs.c.status: wanted.status,
    }
    conditions = [column == value for column, value in equal.items() if value is not None]
    return [*conditions, jobs.c.created_at >= wanted.since] if wanted.since is not None else conditions


async def get_rules(connection: AsyncConnection, *, strategy_id: UUID) -> ChangeRules:
    """The rules of a strategy; the standard ones of a deleted one."""
    return (await list_rules(connection, strategy_ids=[strategy_id])).get(strategy_id, STANDARD)


async def list_rules(
    connection: AsyncConnection, *, strategy_ids: Collection[UUID]
) -> dict[UUID, ChangeRules]:
    """The rules of strategies; deleted ones are left out."""
    found = await extraction.list_change_rules(connection, strategy_ids=strategy_ids)
    return {strategy_id: ChangeRules.parse(document) for strategy_id, document in found.items()}
