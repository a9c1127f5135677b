"""Running a strategy at an address: one page, or as many as are asked for, until only known items come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from meterhouse.extraction import paging
from meterhouse.extraction.capture import paging as api_paging
from meterhouse.extraction.capture.requests import check_parameters, parameter_values
from meterhouse.extraction.engine.document import parse
from meterhouse.extraction.engine.records import read_json
from meterhouse.extraction.extractor import Extractor
from meterhouse.extraction.model import Contract, ExtractionFailed, Item, Page, Strategy
from meterhouse.extraction.pages import FetchedPage, draw_page, fetch_page
from meterhouse.extraction.plan import PAGES_MAX, Paging, Scalar
from meterhouse.extraction.replay import Conversation, Tally
from meterhouse.extraction.stored import Extracted, PageNotFetched
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.platform.ports import Browser, Fetcher, Model, Presses

ITEMS_MAX = 50_000
# Behind the last page there is often nothing, and sites say so in these ways.
# So few records may all lack what others have.
FEW = 5
_IN_THE_WAY = frozenset({"blocked", "login_required", "consent_wall", "too_large", "unreadable"})
_PAST_THE_END = frozenset({404, 410})


@dataclass(frozen=True)
class Sources:
    """Where pages come from, what reads them, and who may be asked what to read."""

    fetcher: Fetcher
    browser: Browser
    extractor: Extractor
    model: Model | None = None


@dataclass(frozen=True)
class Errand:
    """One run: where, with which values, and how many pages at most (`None`: as the strategy says).

    `known` are the items of the last good run of this strategy here, as they were stored; a repair must
    share values with them.
    """

    url: str
    parameters: Mapping[str, object] | None = None
    max_pages: int | None = None
    known: Sequence[Item] = ()


def check_max_pages(value: object) -> int | None:
    """A number of pages as given by a user. Raises `Invalid`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= PAGES_MAX:
        message = f"max_pages must be a whole number from 1 to {PAGES_MAX}."
        raise Invalid(message, issues=(Issue(("max_pages",), message, input=value),))
    return value


async def visit(sources: Sources, strategy: Strategy, errand: Errand, tally: Tally) -> Extracted:
    """Fetch, extract and coerce, page after page; nothing is filtered yet.

    Raises `PageNotFetched`, `BrowserMissing`, `ExtractionFailed`, `LimitExceeded`, and `Invalid` for
    parameters. A page after the first that cannot be fetched fails the run: a part of a list would read as a
    change.
    """
    most = errand.max_pages or (strategy.paging.max_pages if strategy.paging is not None else 1)
    if strategy.kind == "api":
        walk: _Walk = await _ApiWalk.begin(sources, strategy, errand, tally)
    else:
        walk = _PageWalk(sources, strategy, errand.url, tally, most)
    found = await sources.extractor.run(strategy, await walk.first(), keep=None, known=errand.known)
    mended = strategy if found.repaired is None else found.repaired.strategy
    items, known, further, lost = list(found.items), _Known(), _for_further_pages(mended), set(found.lost)
    known.add(found.items)
    while walk.count < most and len(items) < ITEMS_MAX:
        page = await walk.next()
        more = None if page is None else await _run_further(sources.extractor, further, page)
        new = [] if more is None else known.add(more.items)
        if not new:
            break
        items += new
        lost.update(more.lost if more is not None else ())
    return replace(found, items=items[:ITEMS_MAX], lost=tuple(sorted(lost)))


def _for_further_pages(strategy: Strategy) -> Strategy:
    """The strategy without what holds for the first page only: the last may have a single record, and one
    without any is the end of the list and no reason to look for other records."""
    contract = replace(strategy.contract, records=min(1, strategy.contract.records))
    return replace(strategy, request="", contract=contract)


async def _run_further(extractor: Extractor, strategy: Strategy, page: Page) -> Extracted | None:
    """A later page with no records is the end of the list, not a fault; one that shows why it has none, or
    records that do not look like those before, is one.

    The last page may have a few records only, of which shares say nothing.
    """
    try:
        return await extractor.run(strategy, page, keep=None)
    except ExtractionFailed as failure:
        records = failure.evidence.get("records", 0)
        if failure.reason in _IN_THE_WAY or (isinstance(records, int) and records >= FEW):
            raise
        if not records:
            return None
    return await extractor.run(replace(strategy, contract=Contract()), page, keep=None)


class _Known:
    """The items seen so far. Within one page repeated items count; from page to page they do not."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def add(self, items: Sequence[Item]) -> list[Item]:
        """Those that no earlier page had."""
        texts = [json.dumps(item, sort_keys=True, default=str) for item in items]
        new = [item for item, text in zip(items, texts, strict=True) if text not in self._seen]
        self._seen.update(texts)
        return new


class _Walk:
    """A way through the pages of one list."""

    count = 0

    async def first(self) -> Page:
        raise NotImplementedError

    async def next(self) -> Page | None:
        raise NotImplementedError


class _PageWalk(_Walk):
    """From document to document by links."""

    def __init__(self, sources: Sources, strategy: Strategy, url: str, tally: Tally, most: int) -> None:
        self._sources, self._strategy, self._tally = sources, strategy, tally
        grows = strategy.render and strategy.paging is not None and strategy.paging.kind == "button"
        self._presses = Presses(paging.MORE_LABELS, most - 1) if grows and most > 1 else None
        self._url = url
        self._visited: set[str] = set()
        self._page: Page | None = None

    async def first(self) -> Page:
        return await self._open(self._url)

    async def next(self) -> Page | None:
        assert self._page is not None
        page, plan = self._page, self._strategy.paging or Paging("link")
        if plan.kind == "button":
            return None  # the list has grown within its page

        def look() -> str | None:
            return paging.next_address(parse(page), plan)

        target = await self._sources.extractor.think(look, page.url)
        if target is None or target in self._visited:
            return None
        try:
            return await self._open(target)
        except PageNotFetched as error:
            if error.status in _PAST_THE_END:
                return None
            raise

    async def _open(self, url: str) -> Page:
        if self._strategy.render:
            fetched, _ = await draw_page(self._sources.browser, url, self._presses)
        else:
            fetched = await fetch_page(self._sources.fetcher, url)
        self._tally.add(fetched)
        self._visited |= {url, fetched.page.url}
        self._page, self.count = fetched.page, self.count + 1
        return fetched.page


class _ApiWalk(_Walk):
    """From answer to answer by values of the request."""

    def __init__(self, conversation: Conversation, strategy: Strategy, given: dict[str, Scalar]) -> None:
        self._conversation, self._strategy, self._given = conversation, strategy, given
        self._answer: FetchedPage | None = None

    @classmethod
    async def begin(cls, sources: Sources, strategy: Strategy, errand: Errand, tally: Tally) -> _ApiWalk:
        assert strategy.api is not None
        given = check_parameters(strategy.api, errand.parameters)
        conversation = await Conversation.begin(sources.fetcher, strategy.api, errand.url, tally)
        return cls(conversation, strategy, given)

    async def first(self) -> Page:
        self._answer = await self._conversation.ask(self._given)
        self.count = 1
        return self._answer.page

    async def next(self) -> Page | None:
        plan, request = self._strategy.paging, self._conversation.request
        if plan is None or self._answer is None:
            return None
        sent = {**parameter_values(request, self._conversation.url, self._conversation.tokens), **self._given}
        changes = api_paging.following(
            plan, request, read_json(self._answer.page.html), sent, self._conversation.address
        )
        if changes is None:
            return None
        self._given |= changes[0]
        try:
            self._answer = await self._conversation.ask(self._given, address=changes[1])
        except PageNotFetched as error:
            if error.status in _PAST_THE_END:
                return None
            raise
        self.count += 1
        return self._answer.page
