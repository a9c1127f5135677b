"""One run of one job without the database: fetch, extract, and say what came of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import MeterhouseError
from meterhouse.kernel.hosts import wait_asked_for
from meterhouse.monitoring import engine
from meterhouse.monitoring.model import Item, JobStatus, Signature
from meterhouse.monitoring.retries import PASSING_STATUSES, quiet_for
from meterhouse.monitoring.rules import STANDARD, ChangeRules
from meterhouse.monitoring.visit import JobVisit, NotModified, Validators

log = structlog.get_logger(__name__)

ERROR_LENGTH_MAX = 2_000
# However long a list of pages is; a caller of `execute` waits as long.
RUN_TIMEOUT_S = 3_600.0
# A site that says "not modified" is not believed for longer than this: then the page is read again.
BELIEVED_FOR = timedelta(hours=24)
NOT_MODIFIED = 304
SMALL_TEXT = 50_000


@dataclass(frozen=True)
class Previous:
    """The last completed job of the same target: what the run may know, and what it is compared with."""

    id: UUID
    content_hash: str
    results: str
    wrapper: str | None
    signature: Signature | None
    lost: tuple[str, ...]
    validators: Validators
    read_at: datetime | None


@dataclass(frozen=True)
class Begun:
    """A job in hand, with all that its run needs to know."""

    job_id: UUID
    url: str
    host: str
    target: bytes
    strategy: extraction.StoredStrategy
    parameters: Mapping[str, object] | None = None
    max_pages: int | None = None
    previous: Previous | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run came to: items with their hash and signature under the rules, or an error.

    `results` are the items as JSON. `is_passing` marks an error that may be over soon. `quiet` is a host that
    asked to be left alone, and for how long.
    """

    error: str | None = None
    error_code: str | None = None
    is_passing: bool = False
    items: tuple[Item, ...] = ()
    results: str | None = None
    wrapper: str | None = None
    content_hash: str | None = None
    signature: Signature | None = None
    rules: ChangeRules = STANDARD
    lost: tuple[str, ...] = ()
    evidence: Mapping[str, object] | None = None
    repair: tuple[extraction.StoredStrategy, extraction.Repair] | None = None
    strategy_version: int | None = None
    validators: Validators = field(default_factory=Validators)
    read_at: datetime | None = None
    http_status: int | None = None
    page_bytes: int = 0
    pages: int = 0
    duration_ms: int = 0
    quiet: tuple[str, timedelta] | None = None

    @property
    def status(self) -> JobStatus:
        return JobStatus.COMPLETED if self.error is None else JobStatus.FAILED


async def perform(sources: extraction.Sources, begun: Begun, *, now: datetime) -> Outcome:
    """Fetch the pages and extract the items. Whatever the site does ends in an outcome, never in an error."""
    started = time.monotonic()
    tally = extraction.Tally()
    visit = JobVisit(sources.fetcher, begun.url, _believed(begun, now))
    try:
        async with asyncio.timeout(RUN_TIMEOUT_S):
            found = await _extract(replace(sources, fetcher=visit), begun, visit, tally, now)
    except NotModified:
        assert begun.previous is not None
        found = _as_before(begun.previous)
    except MeterhouseError as error:
        found = _failed(error)
    except TimeoutError:
        found = Outcome(
            error=f"{begun.url} was not done within {RUN_TIMEOUT_S:g} seconds. Ask for fewer pages.",
            error_code="timeout",
        )
    except Exception as error:
        # A fault of ours on this page would only repeat itself; the job ends, and the log has the rest.
        log.exception("job.fault", job_id=str(begun.job_id), url=begun.url, error=type(error).__name__)
        found = Outcome(
            error=f"{begun.url} could not be processed because of a fault in this server. "
            f"Its log has the details under job {begun.job_id}.",
            error_code="internal_error",
        )
    return replace(
        found,
        strategy_version=begun.strategy.version,
        http_status=found.http_status or tally.status,
        page_bytes=tally.bytes,
        pages=tally.pages,
        duration_ms=round(1000 * (time.monotonic() - started)),
        quiet=_quiet(visit, now),
    )


def _believed(begun: Begun, now: datetime) -> Validators | None:
    """What may be asked instead of reading the page: only about a run that reads one document and no more."""
    previous = begun.previous
    if previous is None or not previous.validators.headers or previous.read_at is None:
        return None
    if now - previous.read_at >= BELIEVED_FOR or not extraction.reads_one_document(
        begun.strategy, begun.max_pages
    ):
        return None
    return previous.validators


async def _extract(
    sources: extraction.Sources, begun: Begun, visit: JobVisit, tally: extraction.Tally, now: datetime
) -> Outcome:
    known = await _known(begun.previous)
    errand = extraction.Errand(begun.url, begun.parameters, begun.max_pages, known)
    extracted = await extraction.run_at(sources, begun.strategy, errand, tally)
    rules = ChangeRules.parse(begun.strategy.change_rules)
    found = await asyncio.to_thread(_completed, extracted, rules)
    repaired = extracted.repaired
    return replace(
        found,
        repair=(begun.strategy, repaired) if repaired is not None else None,
        validators=visit.seen or Validators(),
        read_at=now,
    )


async def _known(previous: Previous | None) -> list[dict[str, object]]:
    if previous is None:
        return []
    text = previous.results
    found: list[dict[str, object]] = (
        json.loads(text) if len(text) < SMALL_TEXT else await asyncio.to_thread(json.loads, text)
    )
    return found


def _completed(extracted: extraction.Extracted, rules: ChangeRules) -> Outcome:
    items = tuple(extracted.items)
    content_hash, signature = engine.measure(items, rules)
    evidence: dict[str, object] = {}
    if extracted.lost:
        evidence["lost"] = list(extracted.lost)
    if extracted.repaired is not None:
        evidence["repair"] = extracted.repaired.to_document()
    return Outcome(
        items=items,
        results=json.dumps(items),
        wrapper=extracted.wrapper,
        content_hash=content_hash,
        signature=signature,
        rules=rules,
        lost=extracted.lost,
        evidence=evidence or None,
    )


def _as_before(previous: Previous) -> Outcome:
    items = tuple(json.loads(previous.results))
    return Outcome(
        items=items,
        results=previous.results,
        wrapper=previous.wrapper,
        content_hash=previous.content_hash,
        signature=previous.signature,
        lost=previous.lost,
        validators=previous.validators,
        read_at=previous.read_at,
        http_status=NOT_MODIFIED,
    )


def _failed(error: MeterhouseError) -> Outcome:
    text = error.message or "The job failed without a message."
    status = getattr(error, "status", None)
    evidence: dict[str, Any] = dict(getattr(error, "evidence", None) or error.details)
    return Outcome(
        error=text[:ERROR_LENGTH_MAX],
        error_code=getattr(error, "reason", "") or error.code,
        is_passing=error.retryable and (status is None or status in PASSING_STATUSES),
        evidence=_storable(evidence),
        http_status=status,
    )


def _storable(evidence: Mapping[str, object]) -> Mapping[str, object] | None:
    """Evidence as JSON can hold it."""
    if not evidence:
        return None
    (kept,) = extraction.storable_items([dict(evidence)])
    return kept


def _quiet(visit: JobVisit, now: datetime) -> tuple[str, timedelta] | None:
    if visit.retry_after is None:
        return None
    host, header = visit.retry_after
    asked = wait_asked_for(header, now)
    return (host, quiet_for(asked)) if asked else None
