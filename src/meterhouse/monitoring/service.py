"""Use cases of jobs: create one or many, wait for one, compare two."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.errors import (
    Invalid,
    Issue,
    LimitExceeded,
    NotFound,
    PreconditionFailed,
    RateLimited,
)
from meterhouse.kernel.hosts import host_of
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring import engine, queries
from meterhouse.monitoring.model import Comparison, CreatedBatch, Job, JobStatus, NewJob
from meterhouse.monitoring.retries import RETRIES_DEFAULT, check_retries
from meterhouse.monitoring.rules import STANDARD
from meterhouse.monitoring.signals import JobSignals
from meterhouse.monitoring.tables import job_batches, job_usage, jobs, quiet_hosts
from meterhouse.monitoring.usage import usage_row
from meterhouse.platform.ports import Database

# The channel on which runners hear of new and cancelled jobs.
JOBS_CHANGED = "meterhouse_jobs"
BATCH_URLS_MAX = 10_000
STORED_AT_ONCE = 100
# Somebody who waits for a job waits this long for a site that wants a rest.
WAITED_FOR_QUIET = timedelta(seconds=60)
EXECUTE_TIMEOUT_S = 3600.0
POLL_FIRST_S = 0.25
POLL_MAX_S = 2.0
PARAMETERS_REFUSED = extraction.PARAMETERS_REFUSED

# What workflows need beside the use cases: what counts as the same content.
content_hash = engine.content_hash


async def create_job(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    strategy_id: UUID,
    url: str,
    parameters: Mapping[str, object] | None = None,
    max_pages: int | None = None,
    max_retries: int | None = None,
    now: datetime,
) -> Job:
    """Create a job for somebody who waits for it: it goes first, and is not tried again unless asked for.

    Raises `NotFound` or `Invalid` (reference, 8.1), and `RateLimited` when its site asked to be left alone
    for longer than somebody would wait.
    """
    checked = extraction.check_url(url)
    errand = extraction.Errand(checked, parameters, max_pages)
    await check_strategy(connection, organisation_id, strategy_id, errand)
    retries_max = check_retries(max_retries) or 0
    if not retries_max:
        await _check_not_quiet(connection, checked, now)
    wanted = NewJob(
        organisation_id=organisation_id,
        strategy_id=strategy_id,
        url=checked,
        parameters=parameters,
        max_pages=max_pages,
        retries_max=retries_max,
        is_urgent=True,
    )
    (job_id,) = await store_jobs(connection, [wanted], now=now)
    return await queries.get_job(connection, organisation_id=organisation_id, job_id=job_id)


async def create_batch(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    strategy_id: UUID,
    urls: Sequence[str],
    parameters: Mapping[str, object] | None = None,
    max_pages: int | None = None,
    max_retries: int | None = None,
    now: datetime,
) -> CreatedBatch:
    """Create one job per address, repeated ones included. Raises `NotFound`, `Invalid`, `LimitExceeded`."""
    if not urls:
        raise Invalid("urls is empty; give at least one address.", issues=(Issue(("urls",), "is empty"),))
    if len(urls) > BATCH_URLS_MAX:
        raise LimitExceeded(f"A batch has at most {BATCH_URLS_MAX} addresses, and these are {len(urls)}.")
    checked = await asyncio.to_thread(_checked, urls)
    errand = extraction.Errand(checked[0], parameters, max_pages)
    await check_strategy(connection, organisation_id, strategy_id, errand)
    given = check_retries(max_retries)
    batch_id = new_id()
    await connection.execute(
        insert(job_batches).values(
            id=batch_id, organisation_id=organisation_id, strategy_id=strategy_id, created_at=now
        )
    )
    wanted = [
        NewJob(
            organisation_id=organisation_id,
            strategy_id=strategy_id,
            url=url,
            parameters=parameters,
            batch_id=batch_id,
            max_pages=max_pages,
            retries_max=RETRIES_DEFAULT if given is None else given,
        )
        for url in checked
    ]
    return CreatedBatch(batch_id, strategy_id, tuple(await store_jobs(connection, wanted, now=now)), now)


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
    """What happened from the second job to the first; they may be of different strategies (reference, 8.5),
    and then no strategy's rules apply.

    Raises `NotFound`, or `PreconditionFailed` when one of them has no results.
    """
    async with database.begin() as connection:
        new = await queries.get_job(connection, organisation_id=organisation_id, job_id=job_id)
        old = await queries.get_job(connection, organisation_id=organisation_id, job_id=other_job_id)
        rules = STANDARD
        if new.strategy_id == old.strategy_id:
            rules = await queries.get_rules(connection, strategy_id=new.strategy_id)
    return await asyncio.to_thread(engine.compare, _results(new), _results(old), rules)


async def record_usage(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    job_id: UUID,
    strategy_id: UUID,
    is_failed: bool,
    pages: int,
    items: int,
    page_bytes: int,
    duration_ms: int,
    now: datetime,
) -> None:
    """Write the usage event of a page that another context had executed; it is sent after the commit."""
    row = usage_row(
        organisation_id=organisation_id,
        job_id=job_id,
        strategy_id=strategy_id,
        schedule_id=None,
        status=JobStatus.FAILED if is_failed else JobStatus.COMPLETED,
        pages=pages,
        items=items,
        page_bytes=page_bytes,
        duration_ms=duration_ms,
        now=now,
    )
    await connection.execute(insert(job_usage).values(row))


def target_of(url: str, parameters: Mapping[str, object] | None, max_pages: int | None = None) -> bytes:
    """What is compared with what: the same address with the same parameters and as many pages."""
    pages = [] if max_pages is None else [max_pages]
    named = json.dumps([url, parameters or {}, *pages], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(named.encode()).digest()


def _results(job: Job) -> Sequence[Mapping[str, object]]:
    if job.status is not JobStatus.COMPLETED or job.results is None:
        raise PreconditionFailed(f"The job {job.id} is {job.status}; only completed jobs can be compared.")
    return job.results


async def check_strategy(
    connection: AsyncConnection, organisation_id: UUID, strategy_id: UUID, errand: extraction.Errand
) -> extraction.StoredStrategy:
    """The strategy, kept from being deleted meanwhile. Raises `NotFound`, or `Invalid` for its parameters."""
    strategy = await extraction.get_strategy(
        connection, organisation_id=organisation_id, strategy_id=strategy_id, lock="exist"
    )
    extraction.check_errand(strategy, errand)
    return strategy


async def store_jobs(connection: AsyncConnection, wanted: Sequence[NewJob], *, now: datetime) -> list[UUID]:
    """Store pending jobs that are checked already, which is to ask for their runs.

    Some at a time: one statement with thousands of rows would keep the event loop from everybody else.
    """
    ids = [new_id() for _ in wanted]
    rows = await asyncio.to_thread(lambda: [_new_row(*one, now) for one in zip(ids, wanted, strict=True)])
    for at in range(0, len(rows), STORED_AT_ONCE):
        await connection.execute(insert(jobs), rows[at : at + STORED_AT_ONCE])
    await tell_runners(connection)
    return ids


async def _check_not_quiet(connection: AsyncConnection, url: str, now: datetime) -> None:
    host = host_of(url)
    until = await connection.scalar(select(quiet_hosts.c.until).where(quiet_hosts.c.host == host))
    if until is not None and until - now > WAITED_FOR_QUIET:
        raise RateLimited(
            f"The site {host} asked to be left alone until {format_instant(until)}. Ask again then, or let "
            "the job wait for it with max_retries.",
            retry_after_s=ceil((until - now).total_seconds()),
        )


def _new_row(job_id: UUID, one: NewJob, now: datetime) -> dict[str, object]:
    return {
        "id": job_id,
        "organisation_id": one.organisation_id,
        "strategy_id": one.strategy_id,
        "batch_id": one.batch_id,
        "schedule_id": one.schedule_id,
        "url": one.url,
        "host": host_of(one.url),
        "parameters": dict(one.parameters) if one.parameters else None,
        "max_pages": one.max_pages,
        "target": target_of(one.url, one.parameters, one.max_pages),
        "status": JobStatus.PENDING,
        "is_urgent": one.is_urgent,
        "retries_max": one.retries_max,
        "next_at": now,
        "created_at": now,
    }


def _checked(urls: Sequence[str]) -> list[str]:
    return [extraction.check_url(url, name=f"urls[{at}]") for at, url in enumerate(urls)]


async def tell_runners(connection: AsyncConnection) -> None:
    """Make runners, in whatever process, look at the jobs when this transaction commits."""
    await connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": JOBS_CHANGED})
