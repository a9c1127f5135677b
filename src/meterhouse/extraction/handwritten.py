"""Plans that people write or change by hand: checked key by key, then tried on their page.

What a plan found there becomes its contract, whatever contract it brings along: later runs are measured
against the page as it is now.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from meterhouse.extraction import patterns
from meterhouse.extraction.engine import kinds, selectors
from meterhouse.extraction.making import Made
from meterhouse.extraction.model import Contract, ExtractionFailed, Field, Strategy
from meterhouse.extraction.pages import FetchedPage, check_url, draw_page, fetch_page
from meterhouse.extraction.plan import ApiRequest, Keys
from meterhouse.extraction.reader import refused
from meterhouse.extraction.refine.refine import measured
from meterhouse.extraction.replay import Conversation, Tally
from meterhouse.extraction.schema import TYPES, OutputSchema
from meterhouse.extraction.visit import Sources
from meterhouse.kernel.errors import Invalid

DOCUMENT_BYTES_MAX = 256 * 1024
DEPTH_MAX = 16
FIELDS_MAX = 200
FIELD_NAME_CHARS_MAX = 200
ALTERNATES_MAX = 20
HEADERS_MAX = 50
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]{0,8000}")
# What says how a request is carried is for whoever carries it.
_CARRIED = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"}
)


async def try_plan(sources: Sources, url: str, strategy: Strategy) -> Made:
    """Run a plan on the page at an address and give it the contract of what it found.

    Raises what a run raises, and `ExtractionFailed` that says what to look at for a plan that finds nothing.
    """
    page = await fetch_source(sources, strategy, url)
    # Without a request nothing is mined in place of what the plan does not find.
    plain = replace(strategy, contract=Contract(), reading="full", url=page.page.url, request="")
    try:
        found = await sources.extractor.think(lambda: measured(plain, page.page), url)
    except ExtractionFailed as failure:
        if failure.reason != "nothing_found":
            raise
        raise _finds_nothing(strategy, url) from failure
    if not found.items:
        raise _finds_nothing(strategy, url)
    kept = replace(found.strategy, request=strategy.request)
    return Made(replace(found, strategy=kept), page)


def _finds_nothing(strategy: Strategy, url: str) -> ExtractionFailed:
    looked_for = {
        "css": f"Check the container's selector ({strategy.container.selector[:200] or 'none'}) and those of "
        "the fields against the page as it is fetched, without scripts unless render is set.",
        "content": "It has no text to split at headings.",
        "api": "Check api.items and the fields' paths against the answer.",
    }[strategy.kind]
    return ExtractionFailed(
        f"The plan finds nothing at {url}. {looked_for}",
        details={"url": url, "reason": "nothing_found"},
        reason="nothing_found",
        evidence={"url": url, "container": strategy.container.selector, "fields": [*strategy.fields]},
    )


async def fetch_source(sources: Sources, strategy: Strategy, url: str) -> FetchedPage:
    """What a strategy reads at an address: the page, the page as drawn, or the answer of its API."""
    if strategy.api is not None:
        conversation = await Conversation.begin(sources.fetcher, strategy.api, url, Tally())
        return await conversation.ask({})
    if strategy.render:
        return (await draw_page(sources.browser, url))[0]
    return await fetch_page(sources.fetcher, url)


def read_plan(document: object) -> Strategy:
    """A plan that can be run. Raises `Invalid` with the path of the first fault."""
    _check_size(document)
    strategy = Strategy.from_document(document)
    if strategy.output_schema is not None:
        OutputSchema.parse(strategy.output_schema)
    if strategy.kind != "content":
        _check_fields(strategy.fields)
    if strategy.kind == "css":
        _check_container(strategy)
    if strategy.api is not None:
        _check_request(strategy.api)
    if strategy.paging is not None:
        _check_selector(strategy.paging.selector, ("paging", "selector"))
    return strategy


def _check_size(document: object) -> None:
    level: list[object] = [document]
    for _ in range(DEPTH_MAX):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            break
    else:
        raise refused((), f"it is nested more than {DEPTH_MAX} levels deep")
    if len(json.dumps(document)) > DOCUMENT_BYTES_MAX:
        raise refused((), f"it has more than {DOCUMENT_BYTES_MAX // 1024} KiB")


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _check_fields(fields: Mapping[str, Field]) -> None:
    if not 1 <= len(fields) <= FIELDS_MAX:
        raise refused(("fields",), f"1 to {FIELDS_MAX} fields are needed")
    for name, one in fields.items():
        if not name.strip() or len(name) > FIELD_NAME_CHARS_MAX:
            raise refused(("fields",), f"names of 1 to {FIELD_NAME_CHARS_MAX} characters are needed")
        _check_field(one, ("fields", name))


def _check_field(one: Field, path: Keys) -> None:
    if one.source == "css":
        _check_selector(one.selector, (*path, "selector"))
    if one.type is not None and one.type not in TYPES:
        raise refused((*path, "type"), f"one of {', '.join(TYPES)} is needed")
    for key, pattern in (("regex", one.regex), ("trim", one.trim)):
        if pattern is not None and not (pattern[:1] == "{" and pattern[1:-1] in kinds.PATTERNS):
            _checked(partial(patterns.check, pattern), (*path, key))
    if len(one.alternates) > ALTERNATES_MAX:
        raise refused((*path, "alternates"), f"at most {ALTERNATES_MAX} are tried")
    for at, alternate in enumerate(one.alternates):
        _check_field(alternate, (*path, "alternates", at))


def _check_container(strategy: Strategy) -> None:
    container = strategy.container
    if container.mode != "page" and not container.selector:
        raise refused(("container", "selector"), "a selector of the records is needed, or the mode page")
    if container.source == "css":
        _check_selector(container.selector, ("container", "selector"))
        for at, selector in enumerate(container.alternates):
            _check_selector(selector, ("container", "alternates", at))
    for at, name in enumerate(container.require):
        if name not in strategy.fields:
            raise refused(("container", "require", at), f"there is no field {name!r}")


def _check_selector(selector: str, path: Keys) -> None:
    if selector:
        _checked(partial(selectors.compiled, selector), path)


def _check_request(request: ApiRequest) -> None:
    if len(request.headers) > HEADERS_MAX:
        raise refused(("api", "headers"), f"at most {HEADERS_MAX} are sent")
    for name, value in request.headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _CARRIED:
            raise refused(("api", "headers", name), "a request of a strategy cannot have this header")
        if not _HEADER_VALUE.fullmatch(value):
            raise refused(("api", "headers", name), "printable ASCII characters are needed")
    for name, token in request.tokens.items():
        if token.source == "css":
            _check_selector(token.selector, ("api", "tokens", name, "selector"))
    _checked(partial(check_url, request.page), ("api", "page"))


def _checked(check: Callable[[], object], path: Keys) -> None:
    try:
        check()
    except Invalid as fault:
        why = fault.issues[0].message if fault.issues else fault.message
        raise refused(path, why) from fault
