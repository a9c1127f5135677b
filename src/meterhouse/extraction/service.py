"""Use cases of strategies: generate, list, get, change the filter, delete, and run on a page.

Pages are fetched and the engine runs outside any transaction; only their outcome is written in one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import groups, queries
from meterhouse.extraction.capture.requests import check_parameters
from meterhouse.extraction.extractor import Extractor, finish
from meterhouse.extraction.filters import Filter
from meterhouse.extraction.handwritten import read_plan, try_plan
from meterhouse.extraction.making import Made, make
from meterhouse.extraction.model import ExtractionFailed, Page, Repair, Strategy
from meterhouse.extraction.pages import FetchedPage, check_url, fetch_page, pack
from meterhouse.extraction.refinement import REFINE_REFUSED, refine_strategy
from meterhouse.extraction.repairs import check_filter, store_repair, without_fields
from meterhouse.extraction.replay import Tally
from meterhouse.extraction.schema import OutputSchema
from meterhouse.extraction.storable import storable_items, storable_text
from meterhouse.extraction.stored import (
    Extracted,
    PageNotFetched,
    StoredStrategy,
    StrategyRequest,
    explained,
    preview_of,
)
from meterhouse.extraction.tables import strategies, strategy_log, strategy_pages
from meterhouse.extraction.visit import Errand, Sources, check_max_pages, visit
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Browser, Database, Fetcher, Model, NoBrowser

NAME_LENGTH_MAX = 500
DESCRIPTION_LENGTH_MAX = 10_000
PARAMETERS_REFUSED = "parameters_refused"

# How contexts above this one keep a strategy that they use from being deleted.
DeletionCheck = Callable[[AsyncConnection, StoredStrategy], Awaitable[None]]

# What other contexts need of this one, under one roof.
__all__ = [
    "PARAMETERS_REFUSED",
    "REFINE_REFUSED",
    "DeletionCheck",
    "Errand",
    "Extracted",
    "Extractor",
    "FetchedPage",
    "PageNotFetched",
    "Prepared",
    "Repair",
    "Sources",
    "StoredStrategy",
    "StrategyRequest",
    "Tally",
    "check_errand",
    "check_max_pages",
    "check_name",
    "check_url",
    "count_quota_use",
    "delete_strategy",
    "execute",
    "fetch_page",
    "find_strategies",
    "generate_strategy",
    "get_group",
    "get_strategy",
    "keep_strategies",
    "list_audit",
    "list_change_rules",
    "list_members",
    "list_names",
    "list_strategies",
    "parse_filter",
    "prepare_plan",
    "prepare_strategy",
    "reads_one_document",
    "refine_strategy",
    "rename_strategy",
    "replace_plan",
    "run_at",
    "set_change_rules",
    "storable_items",
    "store_repair",
    "store_strategy",
    "update_filter",
    "without_fields",
]

count_quota_use = queries.count_quota_use
find_strategies = queries.find_strategies
get_group = groups.get_group
get_strategy = queries.get_strategy
keep_strategies = queries.keep_strategies
list_audit = queries.list_audit
list_change_rules = queries.list_change_rules
list_members = groups.list_members
list_names = queries.list_names
list_strategies = queries.list_strategies


@dataclass(frozen=True)
class Prepared:
    """A strategy that is not stored yet, with the page it was made from."""

    strategy: StoredStrategy
    fetched: FetchedPage


async def generate_strategy(
    database: Database,
    fetcher: Fetcher,
    extractor: Extractor,
    *,
    organisation_id: UUID,
    request: StrategyRequest,
    clock: Clock,
    browser: Browser | None = None,
    model: Model | None = None,
) -> StoredStrategy:
    """Make a strategy from the page at `request.url` and store it together with the page.

    Raises what `prepare_strategy` and `store_strategy` raise; nothing is stored then (reference, 4.1).
    """
    prepared = await prepare_strategy(
        fetcher,
        extractor,
        organisation_id=organisation_id,
        request=request,
        clock=clock,
        browser=browser,
        model=model,
    )
    async with database.begin() as connection:
        await store_strategy(connection, prepared)
    return prepared.strategy


async def prepare_strategy(
    fetcher: Fetcher,
    extractor: Extractor,
    *,
    organisation_id: UUID,
    request: StrategyRequest,
    clock: Clock,
    browser: Browser | None = None,
    model: Model | None = None,
) -> Prepared:
    """Make a strategy from the page at `request.url`, and store nothing yet.

    Raises `Invalid` for a bad input before anything is fetched, `PageNotFetched` when there is no page,
    `ExtractionFailed` when nothing on it answers the request, `LimitExceeded` when analysing takes too
    long, `BrowserMissing` when only a browser would have helped.
    """
    checked = _check_request(request)
    keep = parse_filter(checked.filter_config)
    try:
        made = await make(Sources(fetcher, browser or NoBrowser(), extractor, model), checked)
    except ExtractionFailed as error:
        raise explained(error, checked.url) from error
    return Prepared(_stored(organisation_id, checked, made, keep, clock.now()), made.page)


async def prepare_plan(
    sources: Sources,
    *,
    organisation_id: UUID,
    request: StrategyRequest,
    document: object,
    clock: Clock,
) -> Prepared:
    """Make a strategy of a plan written by hand, tried on the page at `request.url`; store nothing yet.

    The kind and the output schema are those of the plan. Raises `Invalid` with the path of a fault before
    anything is fetched, then like `prepare_strategy`.
    """
    plan = read_plan(document)
    description = request.description.strip() or plan.request
    wanted = replace(request, description=description, kind=plan.kind, output_schema=plan.output_schema)
    checked = _check_request(wanted, needs_description=False)
    keep = parse_filter(checked.filter_config)
    try:
        made = await try_plan(sources, checked.url, plan)
    except ExtractionFailed as error:
        if error.reason == "nothing_found":
            raise  # it says already what to look at in a plan
        raise explained(error, checked.url) from error
    return Prepared(_stored(organisation_id, checked, made, keep, clock.now()), made.page)


async def store_strategy(connection: AsyncConnection, prepared: Prepared) -> None:
    """Store a prepared strategy. Raises `NotFound` when its group is not there."""
    strategy = prepared.strategy
    if strategy.group_id is not None:
        await groups.get_group(
            connection,
            organisation_id=strategy.organisation_id,
            group_id=strategy.group_id,
            lock="exist",
        )
    await _insert(connection, strategy, prepared.fetched)


async def replace_plan(
    connection: AsyncConnection, *, strategy_id: UUID, prepared: Prepared, now: datetime
) -> StoredStrategy:
    """Give a strategy another plan, made from a fresh page; it becomes a new version of itself.

    Raises `NotFound` when it is gone.
    """
    new = prepared.strategy
    before = await get_strategy(
        connection, organisation_id=new.organisation_id, strategy_id=strategy_id, lock="change"
    )
    after = replace(
        before,
        document=new.document,
        kind=new.kind,
        output_schema=new.output_schema,
        preview=new.preview,
        version=before.version + 1,
        attempts=before.attempts + new.attempts,
        updated_at=now,
        notes=new.notes,
    )
    await connection.execute(
        update(strategies)
        .where(strategies.c.id == strategy_id)
        .values(
            document=after.document,
            kind=after.kind,
            output_schema=after.output_schema,
            preview=list(after.preview),
            version=after.version,
            attempts=after.attempts,
            updated_at=now,
        )
    )
    page = prepared.fetched.page
    await connection.execute(
        update(strategy_pages)
        .where(strategy_pages.c.strategy_id == strategy_id)
        .values(url=storable_text(page.url), page=pack(page), fetched_at=now)
    )
    return after


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


async def rename_strategy(
    connection: AsyncConnection, *, organisation_id: UUID, strategy_id: UUID, name: str, now: datetime
) -> StoredStrategy:
    """Give a strategy another name; its plan stays the same version. Raises `NotFound` or `Invalid`."""
    before = await get_strategy(
        connection, organisation_id=organisation_id, strategy_id=strategy_id, lock="change"
    )
    after = replace(before, name=check_name(name), updated_at=now)
    await connection.execute(
        update(strategies).where(strategies.c.id == after.id).values(name=after.name, updated_at=now)
    )
    return after


async def set_change_rules(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    strategy_id: UUID,
    change_rules: Mapping[str, object] | None,
    now: datetime,
) -> StoredStrategy:
    """Replace what says which differences are changes; the strategy becomes a new version. Raises `NotFound`.

    The rules must have been checked: what they mean is for monitoring.
    """
    before = await get_strategy(
        connection, organisation_id=organisation_id, strategy_id=strategy_id, lock="change"
    )
    after = replace(before, change_rules=change_rules, version=before.version + 1, updated_at=now)
    await connection.execute(
        update(strategies)
        .where(strategies.c.id == after.id)
        .values(change_rules=change_rules, version=after.version, updated_at=now)
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
        raise explained(error, page.url) from error


async def run_at(sources: Sources, strategy: StoredStrategy, errand: Errand, tally: Tally) -> Extracted:
    """Run a strategy at an address, following pages: fetch or ask, extract, coerce, filter.

    Raises `PageNotFetched`, `BrowserMissing`, `ExtractionFailed` naming the address, `LimitExceeded`, and
    `Invalid` for parameters that the strategy does not have. `tally` tells what was spent in any case.

    With `errand.known` (the items of the last good run) a rebuilt page can be told from another page. What
    comes back may be `repaired`: then call `store_repair` in the transaction that stores the items. It may
    name `lost` fields: compare it with other runs by `without_fields` on both sides, with what either lost.
    """
    keep = parse_filter(strategy.filter_config)
    try:
        found = await visit(sources, Strategy.from_document(strategy.document), errand, tally)
    except ExtractionFailed as error:
        raise explained(error, errand.url) from error
    if keep is None:
        return found
    check_filter(keep, found.lost, errand.url)
    items = await sources.extractor.think(lambda: keep.apply(list(found.items)), errand.url)
    return replace(found, items=items)


def reads_one_document(strategy: StoredStrategy, max_pages: int | None = None) -> bool:
    """Whether a run fetches the page at its address and nothing else, without a browser."""
    if strategy.kind == "api":
        return False
    plan = Strategy.from_document(strategy.document)
    most = max_pages or (plan.paging.max_pages if plan.paging is not None else 1)
    return most == 1 and not plan.render


def check_errand(strategy: StoredStrategy, errand: Errand) -> None:
    """Refuse a run that cannot be what was meant. Raises `Invalid`, its code `parameters_refused` for a
    strategy that takes no parameters at all (reference, 7)."""
    check_max_pages(errand.max_pages)
    if not errand.parameters:
        return
    request = Strategy.from_document(strategy.document).api
    if request is None:
        raise Invalid(
            f"The strategy {strategy.name!r} is of type {strategy.kind}, which takes no parameters; only api "
            "strategies do. Leave parameters out.",
            code=PARAMETERS_REFUSED,
            issues=(Issue(("parameters",), "not for this type of strategy"),),
        )
    check_parameters(request, errand.parameters)


def parse_filter(filter_config: Mapping[str, object] | None) -> Filter | None:
    """Read a filter; nothing, and a group without conditions, keep every item. Raises `Invalid`."""
    return None if filter_config is None else Filter.parse(filter_config)


def _check_request(request: StrategyRequest, *, needs_description: bool = True) -> StrategyRequest:
    url, name = check_url(request.url), check_name(request.name)
    description = request.description.strip()
    if len(description) > DESCRIPTION_LENGTH_MAX:
        raise _refused("description", f"A description has at most {DESCRIPTION_LENGTH_MAX} characters.")
    if needs_description and not description and request.kind != "content":
        raise _refused("description", "The description is empty; say in plain words what to extract.")
    if request.output_schema is not None:
        if request.kind == "content":
            raise _refused(
                "output_schema",
                "Content strategies give heading, level and content; leave output_schema out.",
            )
        OutputSchema.parse(request.output_schema)
    return replace(request, url=url, name=name, description=description)


def check_name(name: str) -> str:
    """A name for a strategy. Raises `Invalid`."""
    text = storable_text(name.strip())
    if not text or len(text) > NAME_LENGTH_MAX:
        raise _refused("name", f"A strategy's name needs 1 to {NAME_LENGTH_MAX} characters.")
    return text


def _refused(field: str, message: str) -> Invalid:
    return Invalid(message, issues=(Issue((field,), message),))


def _stored(
    organisation_id: UUID, request: StrategyRequest, made: Made, keep: Filter | None, now: datetime
) -> StoredStrategy:
    strategy = made.generated.strategy
    sample = finish(made.generated, request.output_schema, keep)
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
        preview=preview_of(strategy.kind, sample.items),
        attempts=made.attempts,
        created_at=now,
        updated_at=now,
        notes=made.generated.notes,
        group_id=request.group_id,
        change_rules=request.change_rules,
    )


async def _preview(
    extractor: Extractor, strategy: StoredStrategy, page: Page | None, keep: Filter | None
) -> list[dict[str, object]]:
    if page is None:
        return [dict(item) for item in strategy.preview]
    sample = await extractor.run(Strategy.from_document(strategy.document), page, keep=keep)
    return preview_of(strategy.kind, sample.items)


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
            change_rules=stored.change_rules,
            preview=list(stored.preview),
            attempts=stored.attempts,
            group_id=stored.group_id,
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
