"""Making a strategy: from the page as fetched where that is enough, else from the page as a browser draws it.

The order is that of cost: the document, the calls of its scripts, the document that they draw.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from meterhouse.extraction import paging
from meterhouse.extraction.advice.ask import Question, ask
from meterhouse.extraction.capture import paging as api_paging
from meterhouse.extraction.capture.choose import Choice, Visible, choose, choose_unseen
from meterhouse.extraction.capture.requests import Visits
from meterhouse.extraction.capture.strategy import further_calls, generated_from, same_items, strategy_of
from meterhouse.extraction.engine.document import decode, parse, text_of
from meterhouse.extraction.engine.records import at, read_json, records_of
from meterhouse.extraction.engine.request import Wish, wish_of
from meterhouse.extraction.model import ExtractionFailed, Generated, Page, Strategy
from meterhouse.extraction.pages import FetchedPage, draw_page, fetch_page
from meterhouse.extraction.plan import ApiRequest
from meterhouse.extraction.replay import Conversation, Tally
from meterhouse.extraction.stored import PageNotFetched, StrategyRequest
from meterhouse.extraction.visit import Sources
from meterhouse.kernel.errors import MeterhouseError
from meterhouse.platform.ports import BrowserMissing, Presses, RecordedRequest, Rendered

SHELL_CHARS_MAX = 600
HOLE_CHARS_MAX = 2_500
_SCRIPT = re.compile(r"<script\b(?![^>]*application/(?:ld\+)?json)", re.I)
_HOLE = re.compile(
    r"<(div|main|section|ul|ol|tbody|table)\b[^>]*\b(?:id|class)\s*=\s*[^>]*>\s*(?:<!--.{0,200}?-->\s*)?</\1>",
    re.I | re.S,
)


@dataclass(frozen=True)
class Made:
    """A strategy with what it showed, and the page (or the answer) that it was made from."""

    generated: Generated
    page: FetchedPage
    attempts: int = 1


@dataclass
class _Work:
    """One strategy in the making."""

    sources: Sources
    request: StrategyRequest
    fetched: FetchedPage
    wish: Wish
    attempts: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def schema(self) -> Mapping[str, object] | None:
        return self.request.output_schema


async def make(sources: Sources, request: StrategyRequest) -> Made:
    """Make a strategy for a checked request.

    Raises `PageNotFetched`, `ExtractionFailed`, `LimitExceeded`, and `BrowserMissing` where only a browser
    would have helped.
    """
    fetched = await fetch_page(sources.fetcher, request.url)
    work = _Work(sources, request, fetched, wish_of(request.description, request.output_schema))
    if request.kind in (None, "api") and _is_answer(fetched.page):
        return await _from_answer(work)
    plain = await _from_page(work, fetched.page)
    if not _wants_api(request) and not isinstance(plain, MeterhouseError):
        lacking = await sources.extractor.think(lambda: _lacks(work, plain), request.url)
        if not lacking:
            return await _finished(work, plain, fetched)
    elif not _wants_api(request) and not _SCRIPT.search(_text(fetched.page)):
        return await _finished(work, plain, fetched)
    try:
        # What pressing "more" asks for shows how the API is asked for its next page.
        drawn, rendered = await draw_page(sources.browser, request.url, Presses(paging.MORE_LABELS))
    except (BrowserMissing, PageNotFetched) as error:
        return await _without_browser(work, plain, error)
    return await _from_browser(work, plain, drawn, rendered)


def _is_answer(page: Page) -> bool:
    """True for the address of an API in place of a page's."""
    start = _text(page)[:2_000].lstrip()
    return start.startswith(("{", "[")) and "<html" not in start


async def _from_answer(work: _Work) -> Made:
    """A strategy from the answer at the address itself, with the ways on to its next pages."""
    page = work.fetched.page
    call = RecordedRequest("GET", page.url, {"accept": "application/json"}, None, 200, _text(page))
    work.attempts += 1

    def look() -> Generated:
        for choice in choose_unseen(call, work.wish, page.url):
            strategy = strategy_of(choice, Visits(page, page), output_schema=work.schema)
            if strategy is not None:
                return generated_from(strategy, page, work.wish)
        raise ExtractionFailed(
            "Nothing in the answer is what was asked for.",
            reason="nothing_found",
            evidence={"url": page.url, "wanted": [one.name for one in work.wish.fields]},
        )

    made = await work.sources.extractor.think(look, page.url)
    assert made.strategy.api is not None
    conversation = await Conversation.begin(work.sources.fetcher, made.strategy.api, page.url, Tally())
    return await _finished(work, await _with_paging(work, made, conversation, work.fetched, []), work.fetched)


async def _from_page(work: _Work, page: Page) -> Generated | MeterhouseError:
    """What the markup alone gives, or why it gives nothing."""
    kind = "content" if work.request.kind == "content" else "css"
    work.attempts += 1
    try:
        return await work.sources.extractor.generate(
            page,
            work.request.description,
            output_schema=work.schema,
            kind="content" if kind == "content" else None,
        )
    except ExtractionFailed as error:
        return error


def _wants_api(request: StrategyRequest) -> bool:
    return request.kind == "api" or (request.force_api and request.kind is None)


def _lacks(work: _Work, plain: Generated) -> bool:
    """True when scripts will probably bring what was asked for and the markup does not have it."""
    text = _text(work.fetched.page)
    if not _SCRIPT.search(text):
        return False
    if work.request.kind == "content":
        return False
    if _missing(work, plain):
        return True
    shown = len(text_of(parse(work.fetched.page).root))
    return shown < SHELL_CHARS_MAX or (shown < HOLE_CHARS_MAX and _HOLE.search(text) is not None)


def _missing(work: _Work, generated: Generated) -> int:
    """How many of the wanted fields no item has."""
    names = [one.name for one in work.wish.fields]
    return sum(1 for name in names if not generated.strategy.contract.fill.get(name))


async def _without_browser(
    work: _Work, plain: Generated | MeterhouseError, error: BrowserMissing | PageNotFetched
) -> Made:
    """Serve from the markup where that is possible, and say what was missed."""
    if work.request.kind == "api" or isinstance(plain, MeterhouseError):
        if isinstance(plain, MeterhouseError) and work.request.kind != "api":
            error.message = f"{plain.message} The page may be drawn by scripts. {error.message}"
        raise error
    work.notes.append(
        f"The page was not loaded in a browser, so its own API was not looked for: {error.message}"
    )
    return await _finished(work, plain, work.fetched)


async def _from_browser(
    work: _Work, plain: Generated | MeterhouseError, drawn: FetchedPage, rendered: Rendered
) -> Made:
    request, extractor = work.request, work.sources.extractor
    shown = await _from_page(work, drawn.page)
    if request.kind not in ("css", "content"):
        items = [] if isinstance(shown, MeterhouseError) else shown.items

        def look() -> list[Choice]:
            visible = Visible.of(parse(drawn.page))
            return choose(rendered.requests, visible, work.wish, _flat(items, shown), drawn.page.url)

        for choice in await extractor.think(look, request.url):
            made = await _try_api(work, choice, drawn, rendered)
            if made is not None:
                return made
        work.notes.append(
            "No call of the page brought the wanted records in a form that can be asked for again."
        )
    if request.kind == "api":
        raise ExtractionFailed(
            "No API was found behind the page.",
            reason="nothing_found",
            evidence={"url": request.url, "calls": len(rendered.requests)},
        )
    return await _better(work, plain, shown, drawn)


def _flat(items: list[dict[str, object]], shown: Generated | MeterhouseError) -> list[dict[str, object]]:
    """Items as the engine named their values: not nested, and without the schema's wrapper."""
    schema = None if isinstance(shown, MeterhouseError) else shown.strategy.output_schema
    inner = items
    if schema is not None and len(items) == 1:
        lists = [value for value in items[0].values() if isinstance(value, list)]
        inner = [one for one in lists[0] if isinstance(one, dict)] if len(lists) == 1 else items
    return [_flattened(item, "") for item in inner]


def _flattened(item: Mapping[str, object], prefix: str) -> dict[str, object]:
    flat: dict[str, object] = {}
    for key, value in item.items():
        if isinstance(value, dict):
            flat |= _flattened(value, f"{prefix}{key}_")
        elif value is not None:
            flat[f"{prefix}{key}"] = value
    return flat


async def _try_api(work: _Work, choice: Choice, drawn: FetchedPage, rendered: Rendered) -> Made | None:
    """Make the call again, at first without cookies; keep the strategy if it gives what the page got."""
    address = rendered.url
    visits = Visits(drawn.page, work.fetched.page, work.fetched.cookies)
    strategy = strategy_of(choice, visits, output_schema=work.schema)
    if strategy is None or strategy.api is None:
        return None
    ways = [strategy]
    if work.fetched.cookies:
        ways.append(replace(strategy, api=replace(strategy.api, cookies=True)))
    captured = Page(address, choice.call.response)
    for way in ways:
        work.attempts += 1
        assert way.api is not None
        try:
            before = await _read(work, way, captured)
            conversation = await Conversation.begin(work.sources.fetcher, way.api, address, Tally())
            answer = await conversation.ask({})
            after = await _read(work, way, answer.page)
        except MeterhouseError:
            continue
        if same_items(before.items, after.items):
            others = further_calls(choice, rendered.requests, visits)
            paged = await _with_paging(work, after, conversation, answer, others)
            return await _finished(work, paged, answer)
    return None


async def _read(work: _Work, strategy: Strategy, page: Page) -> Generated:
    return await work.sources.extractor.think(lambda: generated_from(strategy, page, work.wish), page.url)


async def _with_paging(
    work: _Work,
    made: Generated,
    conversation: Conversation,
    answer: FetchedPage,
    others: Sequence[ApiRequest],
) -> Generated:
    """Add the way to the next page. A guessed one is tried first."""
    request = conversation.request
    data = read_json(answer.page.html)
    records = len(records_of(at(data, request.items)))
    found = api_paging.detect(request, data, records, others)
    if found is None:
        return made
    strategy = replace(made.strategy, api=found.request, paging=found.paging)
    if found.is_guess:
        changes = api_paging.following(found.paging, found.request, data, {}, conversation.address)
        conversation.request = found.request
        try:
            second = await conversation.ask(changes[0] if changes else {})
            more = await work.sources.extractor.run(strategy, second.page, keep=None)
        except MeterhouseError:
            return made
        if changes is None or same_items(made.items, list(more.items)):
            return made
    return replace(made, strategy=strategy)


async def _better(
    work: _Work, plain: Generated | MeterhouseError, shown: Generated | MeterhouseError, drawn: FetchedPage
) -> Made:
    """Of the two documents the one that answers better; of equals the one that needs no browser."""
    if isinstance(shown, MeterhouseError):
        source = drawn if isinstance(plain, MeterhouseError) else work.fetched
        return await _finished(work, plain, source, render=source is drawn)
    if not isinstance(plain, MeterhouseError):
        fewer = _missing(work, plain) - _missing(work, shown)
        more = len(shown.items) - len(plain.items)
        if fewer < 0 or (fewer == 0 and more <= 0):
            return await _finished(work, plain, work.fetched)
    return await _finished(work, shown, drawn, render=True)


async def _finished(
    work: _Work, found: Generated | MeterhouseError, page: FetchedPage, *, render: bool = False
) -> Made:
    """Let the model choose where there is one; without its choice that of the engine stands.

    Raises what the engine failed with when neither has found anything.
    """
    model, request = work.sources.model, work.request
    if model is not None and request.kind != "content":
        engine_choice = None if isinstance(found, MeterhouseError) else found.strategy
        question = Question(page.page, request.description, request.output_schema, engine_choice)
        advice = await ask(model, work.sources.extractor, question)
        # A choice of the model takes the place of the engine's, which then does not count as a try.
        work.attempts += advice.attempts - (1 if advice.generated is not None else 0)
        work.notes += [advice.note] if advice.note else []
        found = advice.generated or found
    if isinstance(found, MeterhouseError):
        raise found
    return _made(work, replace(found, strategy=replace(found.strategy, render=render)), page)


def _made(work: _Work, generated: Generated, page: FetchedPage) -> Made:
    strategy = generated.strategy
    if strategy.kind == "css" and strategy.container.mode != "page":
        document = parse(page.page)
        found = paging.detect(document) or (paging.growing(document) if strategy.render else None)
        strategy = replace(strategy, paging=found)
    strategy = _bounded(strategy, work.request.max_pages)
    notes = (*generated.notes, *work.notes)
    return Made(replace(generated, strategy=strategy, notes=notes), page, max(1, work.attempts))


def _bounded(strategy: Strategy, max_pages: int | None) -> Strategy:
    if strategy.paging is None or max_pages is None:
        return strategy
    return replace(strategy, paging=replace(strategy.paging, max_pages=max_pages))


def _text(page: Page) -> str:
    return decode(page.html)
