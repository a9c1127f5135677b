"""Use cases of jobs: create one or many, wait for one, compare two."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import Invalid, Issue, LimitExceeded, NotFound, PreconditionFailed
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring import engine, queries
from meterhouse.monitoring.model import Comparison, CreatedBatch, Job, JobStatus
from meterhouse.monitoring.signals import JobSignals
from meterhouse.monitoring.tables import job_batches, jobs
from meterhouse.platform.ports import Database, Queue

RUN_JOB = "run_job"
# A job that has not ended this long after it was created or begun is handed to the queue again.
LOST_AFTER = timedelta(minutes=10)
BATCH_URLS_MAX = 10_000
EXECUTE_TIMEOUT_S = 3600.0
POLL_FIRST_S = 0.25
POLL_MAX_S = 2.0
PARAMETERS_REFUSED = extraction.PARAMETERS_REFUSED


async def create_job(
    connection: AsyncConnection,
    queue: Queue,
    *,
    organisation_id: UUID,
    strategy_id: UUID,
    url: str,
    parameters: Mapping[str, object] | None = None,
    max_pages: int | None = None,
    now: datetime,
) -> Job:
    """Create a job and ask for its run, both on commit. Raises `NotFound` or `Invalid` (reference, 8.1)."""
    checked = extraction.check_url(url)
    errand = extraction.Errand(checked, parameters, max_pages)
    await _check_strategy(connection, organisation_id, strategy_id, errand)
    (job_id,) = await _store(
        connection,
        queue,
        organisation_id=organisation_id,
        strategy_id=strategy_id,
        urls=[checked],
        errand=errand,
        now=now,
    )
    return await queries.get_job(connection, organisation_id=organisation_id, job_id=job_id)


async def create_batch(
    connection: AsyncConnection,
    queue: Queue,
    *,
    organisation_id: UUID,
    strategy_id: UUID,
    urls: Sequence[str],
    parameters: Mapping[str, object] | None = None,
    max_pages: int | None = None,
    now: datetime,
) -> CreatedBatch:
    """Create one job per address, repeated ones included. Raises `NotFound`, `Invalid`, `LimitExceeded`."""
    if not urls:
        raise Invalid("urls is empty; give at least one address.", issues=(Issue(("urls",), "is empty"),))
    if len(urls) > BATCH_URLS_MAX:
        raise LimitExceeded(f"A batch has at most {BATCH_URLS_MAX} addresses, and these are {len(urls)}.")
    checked = [extraction.check_url(url, name=f"urls[{at}]") for at, url in enumerate(urls)]
    errand = extraction.Errand(checked[0], parameters, max_pages)
    await _check_strategy(connection, organisation_id, strategy_id, errand)
    batch_id = new_id()
    await connection.execute(
        insert(job_batches).values(
            id=batch_id, organisation_id=organisation_id, strategy_id=strategy_id, created_at=now
        )
    )
    job_ids = await _store(
        connection,
        queue,
        organisation_id=organisation_id,
        strategy_id=strategy_id,
        urls=checked,
        errand=errand,
        now=now,
        batch_id=batch_id,
    )
    return CreatedBatch(batch_id, strategy_id, tuple(job_ids), now)


async def wait_for_job(
    database: Database,
    signals: JobSignals,
    *,
    organisation_id: UUID,
    job_id: UUID,
    timeout_s: float = EXECUTE_TIMEOUT_S,
) -> Job:
    """The job once it has ended, or as it is when the time is over. Raises `NotFound` when it is deleted."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout_s
    pause_s = POLL_FIRST_S
    with signals.listening(job_id) as ended:
        while True:
            ended.clear()
            async with database.begin() as connection:
                status = await queries.get_status(connection, job_id=job_id)
                if status is None:
                    raise NotFound(
                        "Job not found: it was deleted, with its strategy, while it was waited for."
                    )
                if status.is_final or loop.time() >= deadline:
                    return await queries.get_job(connection, organisation_id=organisation_id, job_id=job_id)
            try:
                await asyncio.wait_for(ended.wait(), min(pause_s, max(0.0, deadline - loop.time())))
            except TimeoutError:
                pause_s = min(2 * pause_s, POLL_MAX_S)


async def compare_jobs(
    database: Database, *, organisation_id: UUID, job_id: UUID, other_job_id: UUID
) -> Comparison:
    """What happened from the second job to the first; they may be of different strategies (reference, 8.5).

    Raises `NotFound`, or `PreconditionFailed` when one of them has no results.
    """
    async with database.begin() as connection:
        new = await queries.get_job(connection, organisation_id=organisation_id, job_id=job_id)
        old = await queries.get_job(connection, organisation_id=organisation_id, job_id=other_job_id)
    return await asyncio.to_thread(engine.compare, _results(new), _results(old))


def target_of(url: str, parameters: Mapping[str, object] | None, max_pages: int | None = None) -> bytes:
    """What is compared with what: the same address with the same parameters and as many pages."""
    pages = [] if max_pages is None else [max_pages]
    text = json.dumps([url, parameters or {}, *pages], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def _results(job: Job) -> Sequence[Mapping[str, object]]:
    if job.status is not JobStatus.COMPLETED or job.results is None:
        raise PreconditionFailed(f"The job {job.id} is {job.status}; only completed jobs can be compared.")
    return job.results


async def _check_strategy(
    connection: AsyncConnection, organisation_id: UUID, strategy_id: UUID, errand: extraction.Errand
) -> None:
    strategy = await extraction.get_strategy(
        connection, organisation_id=organisation_id, strategy_id=strategy_id, lock="exist"
    )
    extraction.check_errand(strategy, errand)


async def _store(
    connection: AsyncConnection,
    queue: Queue,
    *,
    organisation_id: UUID,
    strategy_id: UUID,
    urls: Sequence[str],
    errand: extraction.Errand,
    now: datetime,
    batch_id: UUID | None = None,
) -> list[UUID]:
    ids = [new_id() for _ in urls]
    rows = [
        {
            "id": job_id,
            "organisation_id": organisation_id,
            "strategy_id": strategy_id,
            "batch_id": batch_id,
            "url": url,
            "parameters": dict(errand.parameters) if errand.parameters else None,
            "max_pages": errand.max_pages,
            "target": target_of(url, errand.parameters, errand.max_pages),
            "status": JobStatus.PENDING,
            "next_at": now + LOST_AFTER,
            "created_at": now,
        }
        for job_id, url in zip(ids, urls, strict=True)
    ]
    await connection.execute(insert(jobs), rows)
    for job_id in ids:
        await ask_for_run(connection, queue, job_id)
    return ids


async def ask_for_run(connection: AsyncConnection, queue: Queue, job_id: UUID) -> None:
    """Enqueue the run of a job. Asking twice is harmless: the second run finds the job ended."""
    await queue.enqueue(connection, RUN_JOB, key=f"job:{job_id}", job_id=str(job_id))
