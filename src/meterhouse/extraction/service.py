"""Use cases of strategies: generate, list, get, change the filter, delete, and run on a page.

Pages are fetched and the engine runs outside any transaction; only their outcome is written in one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import queries
from meterhouse.extraction.extractor import Extractor, finish
from meterhouse.extraction.filters import Filter
from meterhouse.extraction.model import ExtractionFailed, Page, Strategy
from meterhouse.extraction.pages import FetchedPage, check_url, fetch_page, pack
from meterhouse.extraction.schema import OutputSchema
from meterhouse.extraction.storable import storable_items, storable_text
from meterhouse.extraction.stored import Extracted, PageNotFetched, StoredStrategy, StrategyRequest
from meterhouse.extraction.tables import strategies, strategy_log, strategy_pages
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Database, Fetcher

PREVIEW_ITEMS_MAX = 10
NAME_LENGTH_MAX = 500
DESCRIPTION_LENGTH_MAX = 10_000

# How contexts above this one keep a strategy that they use from being deleted.
DeletionCheck = Callable[[AsyncConnection, StoredStrategy], Awaitable[None]]

# What other contexts need of this one, under one roof.
__all__ = [
    "DeletionCheck",
    "Extracted",
    "Extractor",
    "FetchedPage",
    "PageNotFetched",
    "StoredStrategy",
    "StrategyRequest",
    "check_url",
    "count_quota_use",
    "delete_strategy",
    "execute",
    "fetch_page",
    "generate_strategy",
    "get_strategy",
    "keep_strategies",
    "list_names",
    "list_strategies",
    "parse_filter",
    "update_filter",
]

count_quota_use = queries.count_quota_use
get_strategy = queries.get_strategy
keep_strategies = queries.keep_strategies
list_names = queries.list_names
list_strategies = queries.list_strategies


async def generate_strategy(
    database: Database,
    fetcher: Fetcher,
    extractor: Extractor,
    *,
    organisation_id: UUID,
    request: StrategyRequest,
    clock: Clock,
) -> StoredStrategy:
    """Make a strategy from the page at `request.url` and store it together with the page.

    Raises `Invalid` for a bad input before anything is fetched, `PageNotFetched` when there is no page,
    `ExtractionFailed` when nothing on it answers the request, `LimitExceeded` when analysing takes too
    long. Nothing is stored then (reference, 4.1).
    """
    checked = _check_request(request)
    keep = parse_filter(checked.filter_config)
    fetched = await fetch_page(fetcher, checked.url)
    try:
        generated = await extractor.generate(
            fetched.page, checked.description, output_schema=checked.output_schema, kind=checked.kind
        )
    except ExtractionFailed as error:
        raise _explained(error, checked.url) from error
    sample = finish(generated, checked.output_schema, keep)
    stored = _stored(organisation_id, checked, generated.strategy, sample, clock.now())
    async with database.begin() as connection:
        await _insert(connection, stored, fetched)
    return stored


async def update_filter(
    database: Database,
    extractor: Extractor,
    *,
    organisation_id: UUID,
    strategy_id: UUID,
    filter_config: Mapping[str, object] | None,
    clock: Clock,
) -> StoredStrategy:
    """Replace the filter (`None` clears it) and show what is left of the page the strategy was made from.

    The strategy becomes a new version: results of the old filter are no baseline for the new one.
    Raises `NotFound`, or `Invalid` for a filter that cannot be used (reference, 4.4 and 6).
    """
    keep = parse_filter(filter_config)
    async with database.begin() as connection:
        before = await get_strategy(connection, organisation_id=organisation_id, strategy_id=strategy_id)
        page = await queries.find_page(connection, strategy_id=before.id)
    preview = await _preview(extractor, before, page, keep)
    async with database.begin() as connection:
        now = await get_strategy(
            connection, organisation_id=organisation_id, strategy_id=strategy_id, lock="change"
        )
        after = replace(
            now, filter_config=filter_config, preview=preview, version=now.version + 1, updated_at=clock.now()
        )
        await connection.execute(
            update(strategies)
            .where(strategies.c.id == after.id)
            .values(
                filter_config=after.filter_config,
                preview=list(after.preview),
                version=after.version,
                updated_at=after.updated_at,
            )
        )
    return after


async def delete_strategy(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    strategy_id: UUID,
    now: datetime,
    check: DeletionCheck | None = None,
) -> None:
    """Remove a strategy and, through their foreign keys, its page, jobs and batches. Raises `NotFound`.

    `check` may object by raising: it sees the strategy locked, so that nobody begins to use it meanwhile.
    """
    found = await get_strategy(
        connection, organisation_id=organisation_id, strategy_id=strategy_id, lock="change"
    )
    if check is not None:
        await check(connection, found)
    await connection.execute(delete(strategies).where(strategies.c.id == found.id))
    await _log(connection, found, "delete", now)


async def execute(extractor: Extractor, strategy: StoredStrategy, page: Page) -> Extracted:
    """Run a strategy on a page: extract, coerce, filter.

    Raises `ExtractionFailed` naming the page when it gives no trustworthy items, `LimitExceeded` past the
    time limit.
    """
    keep = parse_filter(strategy.filter_config)
    try:
        return await extractor.run(Strategy.from_document(strategy.document), page, keep=keep)
    except ExtractionFailed as error:
        raise _explained(error, page.url) from error


def parse_filter(filter_config: Mapping[str, object] | None) -> Filter | None:
    """Read a filter; nothing, and a group without conditions, keep every item. Raises `Invalid`."""
    return None if filter_config is None else Filter.parse(filter_config)


def _check_request(request: StrategyRequest) -> StrategyRequest:
    url, name = check_url(request.url), request.name.strip()
    description = request.description.strip()
    if not name or len(name) > NAME_LENGTH_MAX:
        raise _refused("name", f"A strategy's name needs 1 to {NAME_LENGTH_MAX} characters.")
    if len(description) > DESCRIPTION_LENGTH_MAX:
        raise _refused("description", f"A description has at most {DESCRIPTION_LENGTH_MAX} characters.")
    if not description and request.kind != "content":
        raise _refused("description", "The description is empty; say in plain words what to extract.")
    if request.output_schema is not None:
        if request.kind == "content":
            raise _refused(
                "output_schema",
                "Content strategies give heading, level and content; leave output_schema out.",
            )
        OutputSchema.parse(request.output_schema)
    return replace(request, url=url, name=name, description=description)


def _refused(field: str, message: str) -> Invalid:
    return Invalid(message, issues=(Issue((field,), message),))


def _explained(error: ExtractionFailed, url: str) -> ExtractionFailed:
    """The same failure, saying on which page and what to do about it."""
    advice = {
        "nothing_found": "Describe it in other words, or check that the page shows it without JavaScript.",
        "structure_changed": "The page was rebuilt or is not the kind of page the strategy was made for; "
        "make a new strategy from it.",
        "empty": "The page may need JavaScript or a login to show its content.",
        "unreadable": "Choose an address that answers with HTML.",
        "too_large": "Choose a page with less on it.",
    }[error.reason]
    return ExtractionFailed(
        f"{url}: {error.message} {advice}",
        details={**error.details, "url": url, "reason": error.reason},
        reason=error.reason,
        evidence=error.evidence,
    )


def _stored(
    organisation_id: UUID, request: StrategyRequest, strategy: Strategy, sample: Extracted, now: datetime
) -> StoredStrategy:
    # The docs count the sections of a page by its preview, so it has all of them (reference, 4.1).
    count = None if strategy.kind == "content" else PREVIEW_ITEMS_MAX
    (document,) = storable_items([strategy.to_document()])
    return StoredStrategy(
        id=new_id(),
        organisation_id=organisation_id,
        name=request.name,
        description=request.description,
        url=request.url,
        kind=strategy.kind,
        document=document,
        version=1,
        output_schema=request.output_schema,
        filter_config=request.filter_config,
        preview=sample.items[:count],
        attempts=1,
        created_at=now,
        updated_at=now,
    )


async def _preview(
    extractor: Extractor, strategy: StoredStrategy, page: Page | None, keep: Filter | None
) -> list[dict[str, object]]:
    if page is None:
        return [dict(item) for item in strategy.preview]
    sample = await extractor.run(Strategy.from_document(strategy.document), page, keep=keep)
    return [dict(item) for item in sample.items[: None if strategy.kind == "content" else PREVIEW_ITEMS_MAX]]


async def _insert(connection: AsyncConnection, stored: StoredStrategy, fetched: FetchedPage) -> None:
    await connection.execute(
        insert(strategies).values(
            id=stored.id,
            organisation_id=stored.organisation_id,
            name=stored.name,
            description=stored.description,
            url=stored.url,
            kind=stored.kind,
            document=stored.document,
            version=stored.version,
            output_schema=stored.output_schema,
            filter_config=stored.filter_config,
            preview=list(stored.preview),
            attempts=stored.attempts,
            created_at=stored.created_at,
            updated_at=stored.updated_at,
        )
    )
    await connection.execute(
        insert(strategy_pages).values(
            strategy_id=stored.id,
            url=storable_text(fetched.page.url),
            page=pack(fetched.page),
            fetched_at=stored.created_at,
        )
    )
    await _log(connection, stored, "create", stored.created_at)


async def _log(connection: AsyncConnection, strategy: StoredStrategy, action: str, now: datetime) -> None:
    await connection.execute(
        insert(strategy_log).values(
            id=new_id(),
            organisation_id=strategy.organisation_id,
            strategy_id=strategy.id,
            name=strategy.name,
            action=action,
            at=now,
        )
    )
