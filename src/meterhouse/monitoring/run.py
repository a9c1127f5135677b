"""One run of one job: begin, fetch and extract, finish. Only the first and the last touch the database.

A run may be cut off at any point and started again: `begin` takes up a job that was left running, and
`finish` writes the outcome only if nobody did so before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import MeterhouseError
from meterhouse.monitoring import engine
from meterhouse.monitoring.model import Item, JobStatus, Signature
from meterhouse.monitoring.service import LOST_AFTER
from meterhouse.monitoring.tables import job_usage, jobs
from meterhouse.monitoring.usage import usage_data

log = structlog.get_logger(__name__)

# A job that takes the process down with it must not do so for ever.
ATTEMPTS_MAX = 5
ERROR_LENGTH_MAX = 2_000


@dataclass(frozen=True)
class Begun:
    """A job in hand, with all that its run needs to know."""

    job_id: UUID
    url: str
    strategy: extraction.StoredStrategy
    parameters: Mapping[str, object] | None = None
    max_pages: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run came to: items with their hash and signature, or an error."""

    error: str | None = None
    error_code: str | None = None
    items: tuple[Item, ...] = ()
    wrapper: str | None = None
    content_hash: str | None = None
    signature: Signature | None = None
    http_status: int | None = None
    page_bytes: int = 0
    pages: int = 0
    duration_ms: int = 0

    @property
    def status(self) -> JobStatus:
        return JobStatus.COMPLETED if self.error is None else JobStatus.FAILED


async def begin(connection: AsyncConnection, *, job_id: UUID, now: datetime) -> Begun | None:
    """Take a job in hand; `None` when there is nothing to do: it has ended, or was deleted."""
    row = await _locked(connection, job_id)
    if row is None:
        return None
    if row.attempts >= ATTEMPTS_MAX:
        error = f"The job was begun {row.attempts} times and interrupted each time; it is given up."
        await _write(connection, row, Outcome(error=error, error_code="interrupted"), now=now)
        return None
    strategy = await extraction.get_strategy(
        connection, organisation_id=row.organisation_id, strategy_id=row.strategy_id
    )
    await connection.execute(
        update(jobs)
        .where(jobs.c.id == job_id)
        .values(
            status=JobStatus.RUNNING,
            attempts=row.attempts + 1,
            started_at=now,
            next_at=now + LOST_AFTER,
            strategy_version=strategy.version,
        )
    )
    return Begun(job_id, row.url, strategy, row.parameters, row.max_pages)


async def perform(sources: extraction.Sources, begun: Begun) -> Outcome:
    """Fetch the pages and extract the items. Whatever the site does ends in an outcome, never in an error."""
    started = time.monotonic()
    tally = extraction.Tally()
    errand = extraction.Errand(begun.url, begun.parameters, begun.max_pages)
    try:
        extracted = await extraction.run_at(sources, begun.strategy, errand, tally)
        found = await asyncio.to_thread(_completed, extracted)
    except MeterhouseError as error:
        found = _failed(error)
    except Exception as error:
        # A fault of ours on this page would only repeat itself; the job ends, and the log has the rest.
        log.exception("job.fault", job_id=str(begun.job_id), url=begun.url, error=type(error).__name__)
        found = {
            "error": f"{begun.url} could not be processed because of a fault in this server. "
            f"Its log has the details under job {begun.job_id}.",
            "error_code": "internal_error",
        }
    measured = {"duration_ms": round(1000 * (time.monotonic() - started))}
    if tally.pages:
        measured |= {"page_bytes": tally.bytes, "pages": tally.pages}
        measured |= {} if found.get("http_status") else {"http_status": tally.status or 0}
    return Outcome(**{**found, **measured})


async def finish(connection: AsyncConnection, *, job_id: UUID, outcome: Outcome, now: datetime) -> bool:
    """Write the outcome, the verdict on changes and the usage; `False` when the job has ended or is gone."""
    row = await _locked(connection, job_id)
    if row is None:
        return False
    await _write(connection, row, outcome, now=now)
    return True


def _completed(extracted: extraction.Extracted) -> dict[str, Any]:
    items = tuple(extracted.items)
    return {
        "items": items,
        "wrapper": extracted.wrapper,
        "content_hash": engine.content_hash(items),
        "signature": engine.structural_signature(items),
    }


def _failed(error: MeterhouseError) -> dict[str, Any]:
    code = getattr(error, "reason", "") or error.code
    status = getattr(error, "status", None)
    text = error.message or "The job failed without a message."
    return {"error": text[:ERROR_LENGTH_MAX], "error_code": code, "http_status": status}


async def _locked(connection: AsyncConnection, job_id: UUID) -> Row[Any] | None:
    """The job, if it has not ended, so that nobody else works on it before this transaction ends."""
    row = (await connection.execute(select(jobs).where(jobs.c.id == job_id).with_for_update())).first()
    return row if row is not None and not JobStatus(row.status).is_final else None


async def _write(connection: AsyncConnection, row: Row[Any], outcome: Outcome, *, now: datetime) -> None:
    values: dict[str, object] = {
        "status": outcome.status,
        "completed_at": now,
        "error": outcome.error,
        "error_code": outcome.error_code,
        "http_status": outcome.http_status,
        "page_bytes": outcome.page_bytes,
        "duration_ms": outcome.duration_ms,
    }
    if outcome.content_hash is not None:
        values |= await _verdict(connection, row, outcome.content_hash)
        values |= {
            "results": list(outcome.items),
            "wrapper": outcome.wrapper,
            "item_count": len(outcome.items),
            "content_hash": outcome.content_hash,
            "structural_signature": outcome.signature,
        }
    await connection.execute(update(jobs).where(jobs.c.id == row.id).values(**values))
    await connection.execute(
        insert(job_usage).values(
            job_id=row.id,
            organisation_id=row.organisation_id,
            strategy_id=row.strategy_id,
            data=usage_data(
                job_id=row.id,
                strategy_id=row.strategy_id,
                schedule_id=row.schedule_id,
                status=outcome.status,
                pages=outcome.pages,
                items=len(outcome.items),
                page_bytes=outcome.page_bytes,
                duration_ms=outcome.duration_ms,
            ),
            at=now,
        )
    )


async def _verdict(connection: AsyncConnection, row: Row[Any], content_hash: str) -> Mapping[str, object]:
    """Compare with the previous completed job of the same strategy, strategy version, address and parameters.

    A scheduled job is compared within its schedule (reference, 8.6 and 9). Jobs of one target that end at
    the same moment take turns, so that each change is seen by exactly one of them.
    """
    await connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(row.target[:8], signed=True))))
    previous = (
        await connection.execute(
            select(jobs.c.id, jobs.c.content_hash)
            .where(
                jobs.c.strategy_id == row.strategy_id,
                jobs.c.target == row.target,
                jobs.c.status == JobStatus.COMPLETED,
                jobs.c.strategy_version == row.strategy_version,
                *([jobs.c.schedule_id == row.schedule_id] if row.schedule_id is not None else []),
            )
            .order_by(jobs.c.completed_at.desc(), jobs.c.id.desc())
            .limit(1)
        )
    ).first()
    return {
        "has_changes": engine.has_changes(content_hash, previous.content_hash if previous else None),
        "previous_job_id": previous.id if previous else None,
    }
