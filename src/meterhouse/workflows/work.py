"""One page of a node: fetched and extracted without the database, then written if nobody did so before."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import Text, cast, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import MeterhouseError
from meterhouse.monitoring import service as monitoring
from meterhouse.monitoring.rules import ChangeRules
from meterhouse.workflows.model import Item, RunStatus, WorkStatus
from meterhouse.workflows.tables import workflow_node_runs, workflow_runs, workflow_work

log = structlog.get_logger(__name__)

ERROR_LENGTH_MAX = 2_000
# A page that failed in as many runs on end is read as if for the first time.
RUNS_LOOKED_BACK = 20


@dataclass(frozen=True)
class Before:
    """What the same execution gave in the last run in which it was good. `results` are its items as JSON."""

    content_hash: str
    results: str
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class InHand:
    """A page to work on, with all that this needs to know."""

    work_id: UUID
    url: str
    parameters: Mapping[str, object]
    strategy: extraction.StoredStrategy
    before: Before | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of a page: items, or an error, and what it cost.

    `same_as` is the hash of earlier content that differs in nothing but fields that either page `lost`.
    """

    error: str | None = None
    error_code: str | None = None
    items: tuple[Item, ...] = ()
    content_hash: str | None = None
    lost: tuple[str, ...] = ()
    same_as: str | None = None
    repaired: extraction.Repair | None = None
    page_url: str | None = None
    page_bytes: int = 0
    pages: int = 0
    duration_ms: int = 0


async def perform(sources: extraction.Sources, work: InHand) -> Outcome:
    """Fetch the page and extract the items. Whatever the site does ends in an outcome, never in an error."""
    started = time.monotonic()
    tally = extraction.Tally()
    try:
        found = await _extract(sources, work, tally)
    except MeterhouseError as fault:
        code = getattr(fault, "reason", "") or fault.code
        found = Outcome(error=fault.message[:ERROR_LENGTH_MAX], error_code=code)
    except Exception as fault:
        log.exception("work.fault", work_id=str(work.work_id), url=work.url, error=type(fault).__name__)
        error = f"{work.url} could not be processed because of a fault in this server."
        found = Outcome(error=error[:ERROR_LENGTH_MAX], error_code="internal_error")
    return replace(
        found,
        page_url=work.url if tally.pages else None,
        page_bytes=tally.bytes,
        pages=tally.pages,
        duration_ms=round(1000 * (time.monotonic() - started)),
    )


async def _extract(sources: extraction.Sources, work: InHand, tally: extraction.Tally) -> Outcome:
    before = work.before
    known = await asyncio.to_thread(json.loads, before.results) if before is not None else ()
    errand = extraction.Errand(work.url, work.parameters, known=known)
    extracted = await extraction.run_at(sources, work.strategy, errand, tally)
    items, lost = tuple(extracted.items), extracted.lost
    rules = ChangeRules.parse(work.strategy.change_rules)

    def measure() -> tuple[str, str | None]:
        ignored = {*lost, *(before.lost if before is not None else ())}
        is_same = (
            bool(ignored)
            and before is not None
            and _content(items, ignored, rules) == _content(known, ignored, rules)
        )
        return monitoring.content_hash(items, rules), before.content_hash if before and is_same else None

    content_hash, same_as = await asyncio.to_thread(measure)
    return Outcome(
        items=items, content_hash=content_hash, lost=lost, same_as=same_as, repaired=extracted.repaired
    )


def _content(items: Sequence[Item], lost: Collection[str], rules: ChangeRules) -> str:
    return monitoring.content_hash(extraction.without_fields([dict(item) for item in items], lost), rules)


async def find_before(
    connection: AsyncConnection, *, node_id: UUID, keys: Collection[bytes], strategy_version: int
) -> dict[bytes, Before]:
    """What these executions of a node gave last, by their keys; those of another version do not count."""
    runs = (
        select(workflow_node_runs.c.id)
        .join(workflow_runs, workflow_runs.c.id == workflow_node_runs.c.run_id)
        .where(workflow_node_runs.c.node_id == node_id, workflow_runs.c.status == RunStatus.COMPLETED)
        .order_by(workflow_runs.c.completed_at.desc(), workflow_runs.c.id.desc())
        .limit(RUNS_LOOKED_BACK)
    )
    last = (
        select(workflow_work.c.id)
        .ext(distinct_on(workflow_work.c.key))
        .where(
            workflow_work.c.node_run_id.in_(runs),
            workflow_work.c.key.in_(keys),
            workflow_work.c.status == WorkStatus.COMPLETED,
            workflow_work.c.strategy_version == strategy_version,
        )
        .order_by(workflow_work.c.key, workflow_work.c.completed_at.desc())
    )
    rows = await connection.execute(
        select(
            workflow_work.c.key,
            workflow_work.c.content_hash,
            cast(workflow_work.c.results, Text).label("results"),
            workflow_work.c.lost_fields,
        ).where(workflow_work.c.id.in_(last))
    )
    return {
        bytes(row.key): Before(row.content_hash, row.results, tuple(row.lost_fields or ())) for row in rows
    }


async def finish(
    connection: AsyncConnection, *, organisation_id: UUID, work: InHand, outcome: Outcome, now: datetime
) -> bool:
    """Write the outcome, a repaired plan and the usage; `False` when the page is no longer in hand."""
    is_failed = outcome.error is not None
    if outcome.repaired is not None:  # first, because strategies are locked before all that hangs on them
        await extraction.store_repair(connection, work.strategy, outcome.repaired, now=now)
    written = await connection.execute(
        update(workflow_work)
        .where(workflow_work.c.id == work.work_id, workflow_work.c.status == WorkStatus.RUNNING)
        .values(
            status=WorkStatus.FAILED if is_failed else WorkStatus.COMPLETED,
            results=None if is_failed else list(outcome.items),
            item_count=None if is_failed else len(outcome.items),
            content_hash=outcome.content_hash,
            lost_fields=list(outcome.lost) or None,
            same_as=outcome.same_as,
            page_url=outcome.page_url,
            error=outcome.error,
            error_code=outcome.error_code,
            completed_at=now,
        )
        .returning(workflow_work.c.id)
    )
    if written.first() is None:
        return False
    await monitoring.record_usage(
        connection,
        organisation_id=organisation_id,
        job_id=work.work_id,
        strategy_id=work.strategy.id,
        is_failed=is_failed,
        pages=outcome.pages,
        items=len(outcome.items),
        page_bytes=outcome.page_bytes,
        duration_ms=outcome.duration_ms,
        now=now,
    )
    return True
