"""Writing what became of jobs: many at a time in one transaction, with verdicts, messages and usage.

Only the first to end a job writes: whoever comes later finds it ended, or in other hands, and leaves it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Row, Text, bindparam, cast, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.monitoring import engine, retries
from meterhouse.monitoring.announce import announce_jobs
from meterhouse.monitoring.model import JobStatus
from meterhouse.monitoring.run import Outcome
from meterhouse.monitoring.tables import job_usage, jobs, quiet_hosts
from meterhouse.monitoring.usage import usage_row

# A host that asked to be left alone is remembered no longer than this beyond its time.
FORGOTTEN_AFTER = timedelta(days=1)

_HELD = [
    jobs.c[name]
    for name in (
        "id",
        "organisation_id",
        "strategy_id",
        "schedule_id",
        "target",
        "host",
        "retries",
        "retries_max",
    )
]
_WRITTEN = (
    "status",
    "completed_at",
    "strategy_version",
    "wrapper",
    "item_count",
    "content_hash",
    "structural_signature",
    "has_changes",
    "previous_job_id",
    "error",
    "error_code",
    "evidence",
    "lost_fields",
    "http_status",
    "page_bytes",
    "duration_ms",
    "etag",
    "last_modified",
    "read_at",
)
# Results arrive as text: writing them out is work for the thread that found them.
_WRITE = (
    update(jobs)
    .where(jobs.c.id == bindparam("row_id"))
    .values(
        {
            **{name: bindparam(f"row_{name}", type_=jobs.c[name].type) for name in _WRITTEN},
            "results": cast(bindparam("row_results", type_=Text), JSON),
            "runner_id": None,
        }
    )
)
_POSTPONE = (
    update(jobs)
    .where(jobs.c.id == bindparam("row_id"))
    .values(
        status=JobStatus.PENDING,
        runner_id=None,
        retries=jobs.c.retries + 1,
        next_at=bindparam("row_next_at"),
        last_error=bindparam("row_last_error"),
        http_status=bindparam("row_http_status"),
    )
)
_PREVIOUS = text(
    """
    SELECT j.id AS job_id, p.id, p.content_hash, p.lost_fields
    FROM unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[])) AS t (job_id, version)
    JOIN jobs j ON j.id = t.job_id
    CROSS JOIN LATERAL (
        SELECT q.id, q.content_hash, q.lost_fields FROM jobs q
        WHERE q.strategy_id = j.strategy_id AND q.target = j.target AND q.status = 'completed'
          AND q.strategy_version = t.version AND (j.schedule_id IS NULL OR q.schedule_id = j.schedule_id)
        ORDER BY q.completed_at DESC, q.id DESC LIMIT 1
    ) p
    """
)


@dataclass(frozen=True)
class Finished:
    """What was written: jobs that ended, jobs that are tried again later, and the usage to send."""

    ended: frozenset[UUID] = frozenset()
    postponed: frozenset[UUID] = frozenset()
    usage: Sequence[Mapping[str, Any]] = ()


async def finish(
    connection: AsyncConnection,
    outcomes: Mapping[UUID, Outcome],
    *,
    now: datetime,
    runner_id: UUID | None = None,
) -> Finished:
    """Write the outcomes of jobs that have not ended, of no target more than one.

    With `runner_id` only of those that this runner has in hand. A failure that may pass leads to another
    attempt while the job has retries left.
    """
    await _store_repairs(connection, outcomes.values(), now)
    rows = await _hold(connection, list(outcomes), runner_id)
    quiet = await _keep_quiet(connection, outcomes.values(), now)
    again = [row for row in rows if outcomes[row.id].is_passing and row.retries < row.retries_max]
    await _postpone(connection, again, outcomes, quiet, now)
    postponed = frozenset(row.id for row in again)
    ended = [row for row in rows if row.id not in postponed]
    if not ended:
        return Finished(postponed=postponed)
    verdicts = await _verdicts(connection, ended, outcomes)
    await connection.execute(
        _WRITE, [_values(row.id, outcomes[row.id], verdicts.get(row.id), now) for row in ended]
    )
    usage = [_usage(row, outcomes[row.id], now) for row in ended]
    await connection.execute(insert(job_usage), usage)
    await announce_jobs(
        connection,
        [(row, outcomes[row.id].status, _has_news(verdicts.get(row.id))) for row in ended],
        now=now,
    )
    return Finished(frozenset(row.id for row in ended), postponed, usage)


async def _store_repairs(connection: AsyncConnection, outcomes: Iterable[Outcome], now: datetime) -> None:
    """Keep repaired plans, of each strategy one. Strategies are locked before jobs, in one order."""
    repairs = {outcome.repair[0].id: outcome.repair for outcome in outcomes if outcome.repair is not None}
    for strategy_id in sorted(repairs):
        await extraction.store_repair(connection, *repairs[strategy_id], now=now)


async def _hold(
    connection: AsyncConnection, job_ids: Sequence[UUID], runner_id: UUID | None
) -> Sequence[Row[Any]]:
    """Those of the jobs that are still to be ended, locked, in one order for everybody."""
    statement = select(*_HELD).where(jobs.c.id.in_(job_ids))
    if runner_id is None:
        statement = statement.where(jobs.c.status.in_([JobStatus.PENDING, JobStatus.RUNNING]))
    else:
        statement = statement.where(jobs.c.status == JobStatus.RUNNING, jobs.c.runner_id == runner_id)
    return (await connection.execute(statement.order_by(jobs.c.id).with_for_update())).all()


async def _keep_quiet(
    connection: AsyncConnection, outcomes: Iterable[Outcome], now: datetime
) -> dict[str, datetime]:
    """Remember which hosts asked to be left alone, and until when."""
    asked: dict[str, datetime] = {}
    for outcome in outcomes:
        if outcome.quiet is not None:
            host, wait = outcome.quiet
            asked[host] = max(now + wait, asked.get(host, now))
    if asked:
        await connection.execute(delete(quiet_hosts).where(quiet_hosts.c.until < now - FORGOTTEN_AFTER))
        statement = upsert(quiet_hosts).values(
            [{"host": host, "until": at} for host, at in sorted(asked.items())]
        )
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["host"],
                set_={"until": func.greatest(quiet_hosts.c.until, statement.excluded.until)},
            )
        )
    return asked


async def _postpone(
    connection: AsyncConnection,
    again: Sequence[Row[Any]],
    outcomes: Mapping[UUID, Outcome],
    quiet: Mapping[str, datetime],
    now: datetime,
) -> None:
    if not again:
        return
    await connection.execute(
        _POSTPONE,
        [
            {
                "row_id": row.id,
                "row_next_at": max(
                    now + retries.delay_before(row.retries + 1, row.id), quiet.get(row.host, now)
                ),
                "row_last_error": outcomes[row.id].error,
                "row_http_status": outcomes[row.id].http_status,
            }
            for row in again
        ],
    )


@dataclass(frozen=True)
class Verdict:
    """Whether a job found a change, against which job, and whether it lost fields that the other had."""

    has_changes: bool
    previous_job_id: UUID | None
    has_lost: bool


async def _verdicts(
    connection: AsyncConnection, ended: Sequence[Row[Any]], outcomes: Mapping[UUID, Outcome]
) -> dict[UUID, Verdict]:
    """Compare completed jobs with the previous one of the same strategy, version, address and parameters.

    A scheduled job is compared within its schedule (reference, 8.6 and 9). Jobs of one target that end at
    the same moment take turns, so that each change is seen by exactly one of them.
    """
    completed = [row for row in ended if outcomes[row.id].status is JobStatus.COMPLETED]
    if not completed:
        return {}
    locks = sorted({int.from_bytes(row.target[:8], signed=True) for row in completed})
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS t (key)"),
        {"keys": locks},
    )
    found = await connection.execute(
        _PREVIOUS,
        {
            "ids": [row.id for row in completed],
            "versions": [outcomes[row.id].strategy_version for row in completed],
        },
    )
    previous = {row.job_id: row for row in found}
    return {row.id: await _verdict(connection, outcomes[row.id], previous.get(row.id)) for row in completed}


async def _verdict(connection: AsyncConnection, outcome: Outcome, previous: Row[Any] | None) -> Verdict:
    """A field that either side lost is left out of the comparison: its absence is no news of the records."""
    if previous is None:
        return Verdict(False, None, bool(outcome.lost))
    before = set(previous.lost_fields or ())
    lost = before | set(outcome.lost)
    has_lost = bool(set(outcome.lost) - before)
    if not lost:
        changed = engine.has_changes(outcome.content_hash or "", previous.content_hash)
        return Verdict(changed, previous.id, has_lost)
    results = await connection.scalar(select(cast(jobs.c.results, Text)).where(jobs.c.id == previous.id))

    def differs() -> bool:
        old = extraction.without_fields(json.loads(results or "[]"), lost)
        new = extraction.without_fields([dict(item) for item in outcome.items], lost)
        return engine.content_hash(old, outcome.rules) != engine.content_hash(new, outcome.rules)

    return Verdict(await asyncio.to_thread(differs), previous.id, has_lost)


def _values(job_id: UUID, outcome: Outcome, verdict: Verdict | None, now: datetime) -> dict[str, object]:
    is_completed = verdict is not None
    values: dict[str, object] = {
        "status": outcome.status,
        "completed_at": now,
        "strategy_version": outcome.strategy_version,
        "wrapper": outcome.wrapper,
        "item_count": len(outcome.items) if is_completed else None,
        "content_hash": outcome.content_hash,
        "structural_signature": outcome.signature,
        "has_changes": verdict.has_changes if verdict is not None else None,
        "previous_job_id": verdict.previous_job_id if verdict is not None else None,
        "error": outcome.error,
        "error_code": outcome.error_code,
        "evidence": outcome.evidence,
        "lost_fields": list(outcome.lost) or None,
        "http_status": outcome.http_status,
        "page_bytes": outcome.page_bytes,
        "duration_ms": outcome.duration_ms,
        "etag": outcome.validators.etag,
        "last_modified": outcome.validators.last_modified,
        "read_at": outcome.read_at,
        "results": outcome.results if is_completed else None,
    }
    return {"row_id": job_id, **{f"row_{name}": value for name, value in values.items()}}


def _has_news(verdict: Verdict | None) -> bool:
    return verdict is not None and (verdict.has_changes or verdict.has_lost)


def _usage(row: Row[Any], outcome: Outcome, now: datetime) -> Mapping[str, Any]:
    return usage_row(
        organisation_id=row.organisation_id,
        job_id=row.id,
        strategy_id=row.strategy_id,
        schedule_id=row.schedule_id,
        status=outcome.status,
        pages=outcome.pages,
        items=len(outcome.items),
        page_bytes=outcome.page_bytes,
        duration_ms=outcome.duration_ms,
        now=now,
    )
