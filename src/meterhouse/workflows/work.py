"""One page of a node: fetched and extracted without the database, then written if nobody did so before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import MeterhouseError
from meterhouse.monitoring import service as monitoring
from meterhouse.workflows.model import Item, WorkStatus
from meterhouse.workflows.tables import workflow_work

log = structlog.get_logger(__name__)

ERROR_LENGTH_MAX = 2_000


@dataclass(frozen=True)
class InHand:
    """A page to work on, with all that this needs to know."""

    work_id: UUID
    url: str
    parameters: Mapping[str, object]
    strategy: extraction.StoredStrategy


@dataclass(frozen=True)
class Outcome:
    """What came of a page: items, or an error, and what it cost."""

    error: str | None = None
    error_code: str | None = None
    items: tuple[Item, ...] = ()
    content_hash: str | None = None
    repaired: extraction.Repair | None = None
    page_url: str | None = None
    page_bytes: int = 0
    pages: int = 0
    duration_ms: int = 0


async def perform(sources: extraction.Sources, work: InHand) -> Outcome:
    """Fetch the page and extract the items. Whatever the site does ends in an outcome, never in an error."""
    started = time.monotonic()
    tally = extraction.Tally()
    error: str | None = None
    code: str | None = None
    content_hash: str | None = None
    items: tuple[Item, ...] = ()
    repaired: extraction.Repair | None = None
    try:
        errand = extraction.Errand(work.url, work.parameters)
        extracted = await extraction.run_at(sources, work.strategy, errand, tally)
        items, repaired = tuple(extracted.items), extracted.repaired
        content_hash = await asyncio.to_thread(monitoring.content_hash, items)
    except MeterhouseError as fault:
        error, code = fault.message, getattr(fault, "reason", "") or fault.code
    except Exception as fault:
        log.exception("work.fault", work_id=str(work.work_id), url=work.url, error=type(fault).__name__)
        error, code = (
            f"{work.url} could not be processed because of a fault in this server.",
            "internal_error",
        )
    return Outcome(
        error=error[:ERROR_LENGTH_MAX] if error is not None else None,
        error_code=code,
        items=items,
        content_hash=content_hash,
        repaired=repaired,
        page_url=work.url if tally.pages else None,
        page_bytes=tally.bytes,
        pages=tally.pages,
        duration_ms=round(1000 * (time.monotonic() - started)),
    )


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
