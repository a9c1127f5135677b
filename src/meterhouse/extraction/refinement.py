"""Changing a stored strategy by plain sentences, on the page that it was made from."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import update

from meterhouse.extraction import queries
from meterhouse.extraction.extractor import Extractor, finish
from meterhouse.extraction.filters import Filter
from meterhouse.extraction.handwritten import fetch_source
from meterhouse.extraction.model import ExtractionFailed, Strategy
from meterhouse.extraction.refine.refine import Refined, refine
from meterhouse.extraction.storable import storable_items
from meterhouse.extraction.stored import StoredStrategy, explained, preview_of
from meterhouse.extraction.tables import strategies
from meterhouse.extraction.visit import Sources
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Conflict, Invalid, Issue
from meterhouse.platform.ports import Browser, Database, Fetcher, NoBrowser

REFINE_REFUSED = "refine_refused"


async def refine_strategy(
    database: Database,
    fetcher: Fetcher,
    extractor: Extractor,
    *,
    organisation_id: UUID,
    strategy_id: UUID,
    feedback: str,
    clock: Clock,
    browser: Browser | None = None,
) -> StoredStrategy:
    """Change a strategy in place as the feedback says; the page is fetched only if it was lost.

    The strategy becomes a new version, so its next job is a new baseline. Raises `NotFound`, `Invalid` for
    feedback that is not understood or speaks of what is not there (code `refine_refused` for a kind that
    cannot be refined), `ExtractionFailed` when nothing would be left, and `Conflict` when somebody else
    changed the strategy meanwhile. Nothing is changed then (reference, 4.3).
    """
    if not feedback.strip():
        raise Invalid("The feedback is empty; say in plain words what to change.")
    async with database.begin() as connection:
        before = await queries.get_strategy(
            connection, organisation_id=organisation_id, strategy_id=strategy_id
        )
        page = await queries.find_page(connection, strategy_id=before.id)
    if before.kind == "content":
        raise Invalid(
            f"The strategy {before.name!r} is of type content, which has no fields to refine.",
            code=REFINE_REFUSED,
            issues=(Issue(("strategy_id",), "not for this type of strategy"),),
        )
    strategy = Strategy.from_document(before.document)
    if page is None:
        sources = Sources(fetcher, browser or NoBrowser(), extractor)
        page = (await fetch_source(sources, strategy, before.url)).page
    source = page

    def work() -> Refined:
        return refine(
            strategy,
            source,
            feedback,
            description=before.description,
            filter_config=before.filter_config,
        )

    try:
        refined = await extractor.think(work, before.url)
    except ExtractionFailed as error:
        raise explained(error, before.url) from error
    return await _save(database, before, refined, clock)


async def _save(database: Database, before: StoredStrategy, refined: Refined, clock: Clock) -> StoredStrategy:
    made = refined.generated
    keep = None if refined.filter_config is None else Filter.parse(refined.filter_config)
    sample = finish(made, made.strategy.output_schema, keep)
    (document,) = storable_items([made.strategy.to_document()])
    async with database.begin() as connection:
        now = await queries.get_strategy(
            connection, organisation_id=before.organisation_id, strategy_id=before.id, lock="change"
        )
        if now.version != before.version:
            raise Conflict("The strategy was changed by somebody else meanwhile. Look at it and try again.")
        after = replace(
            now,
            document=document,
            output_schema=made.strategy.output_schema,
            filter_config=refined.filter_config,
            preview=preview_of(now.kind, sample.items),
            version=now.version + 1,
            attempts=1,
            updated_at=clock.now(),
            notes=made.notes,
        )
        await connection.execute(
            update(strategies)
            .where(strategies.c.id == after.id)
            .values(
                document=after.document,
                output_schema=after.output_schema,
                filter_config=after.filter_config,
                preview=list(after.preview),
                version=after.version,
                attempts=after.attempts,
                updated_at=after.updated_at,
            )
        )
    return after
