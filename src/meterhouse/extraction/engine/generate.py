"""From a page and a sentence to a strategy: a list is weighed against one record, the better kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from meterhouse.extraction.engine import fast
from meterhouse.extraction.engine.content import sections
from meterhouse.extraction.engine.contract import contract_of
from meterhouse.extraction.engine.data_lists import answered_by, best_data_list
from meterhouse.extraction.engine.detail import Detail, best_detail
from meterhouse.extraction.engine.document import Document, parse
from meterhouse.extraction.engine.listing import Listing, best_listing
from meterhouse.extraction.engine.reading import cut_note, extract, shape
from meterhouse.extraction.engine.request import Wish, wish_of
from meterhouse.extraction.engine.segments import Census
from meterhouse.extraction.model import (
    Container,
    Contract,
    ExtractionFailed,
    Generated,
    Item,
    Page,
    Strategy,
)

# A request for many is answered by one record only when that answers most of it.
DETAIL_INSTEAD_MIN = 0.5
LEAN_SURE = 3
# A page with less text than this shows what its scripts draw.
SHELL_CHARS_MAX = 600
DATA_GAIN_MIN = 0.3


def generate(
    page: Page,
    request: str,
    *,
    output_schema: Mapping[str, object] | None = None,
    kind: Literal["css", "content"] | None = None,
    known: Sequence[Item] | None = None,
) -> Generated:
    """Make a strategy and try it; raises `ExtractionFailed` when the page holds nothing that answers.

    `known` are items found on this or a like page before: where their values stand, their fields are.
    """
    document = parse(page)
    if kind == "content":
        return _content(document)
    wish = wish_of(request, output_schema)
    if known:
        wish = _with_examples(wish, texts_of(known))
    census = Census(document.root)
    strategy = _strategy(document, wish, output_schema, census)
    strategy = _from_data(document, wish, output_schema, strategy, census) or strategy
    if strategy is None:
        raise _nothing(page, wish)
    return tried(replace(strategy, request=request), page, document, wish)


def tried(strategy: Strategy, page: Page, document: Document, wish: Wish) -> Generated:
    """The strategy with the contract that its first run makes; raises `ExtractionFailed` without items."""
    found = extract(strategy.container, strategy.fields, document)
    if not found:
        raise _nothing(page, wish)
    contract = contract_of(found, strategy.fields)
    strategy = with_reading(replace(strategy, contract=contract, url=page.url), page, found)
    return Generated(strategy, shape(found, strategy), (*_notes(wish, found), *cut_note(found)))


def with_reading(strategy: Strategy, page: Page, found: Sequence[Item]) -> Strategy:
    """The strategy marked for the fast reading if that finds the very same items on its page."""
    try:
        same = fast.readable(strategy) and fast.extract(strategy, page) == found
    except fast.Unreadable:
        same = False
    return replace(strategy, reading="fast" if same else "full")


def _with_examples(wish: Wish, texts: Mapping[str, set[str]]) -> Wish:
    fields = tuple(replace(one, examples=frozenset(texts.get(one.name, ()))) for one in wish.fields)
    return replace(wish, fields=fields)


def texts_of(items: Sequence[Item]) -> dict[str, set[str]]:
    """Every value as text, by its field; fields within fields are joined as flat schema names are."""
    texts: dict[str, set[str]] = {}

    def walk(value: object, name: str) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(inner, f"{name}_{key}" if name else str(key))
        elif isinstance(value, list):
            for inner in value:
                walk(inner, name)
        elif value not in (None, ""):
            texts.setdefault(name, set()).add(str(value))

    for item in items:
        walk(item, "")
    return texts


def _content(document: Document) -> Generated:
    items = sections(document)
    if not items:
        raise ExtractionFailed(
            "The page has no readable text.", reason="empty", evidence={"url": document.url}
        )
    return Generated(Strategy(kind="content", contract=Contract(len(items))), items)


def _from_data(
    document: Document,
    wish: Wish,
    schema: Mapping[str, object] | None,
    shown: Strategy | None,
    census: Census,
) -> Strategy | None:
    """A list in the data of the page, where that answers clearly more than what the markup shows."""
    if wish.lean <= -LEAN_SURE or not wish.fields:
        return None
    items = extract(shown.container, shown.fields, document) if shown is not None else []
    is_shell = census.weights[census.body].chars < SHELL_CHARS_MAX
    if shown is not None and shown.container.mode == "page" and not (is_shell and wish.lean > 0):
        return None
    if shown is not None and shown.container.mode == "page":
        items = []  # many records were asked for
    answered = answered_by(items, wish)
    if answered > len(wish.fields) - DATA_GAIN_MIN:
        return None
    found = best_data_list(document, wish, [] if is_shell else items)
    if found is None or answered_by(found.items, wish) < answered + DATA_GAIN_MIN:
        return None
    return Strategy(container=found.container, fields=found.fields, output_schema=schema)


def _strategy(
    document: Document, wish: Wish, schema: Mapping[str, object] | None, census: Census
) -> Strategy | None:
    listing = best_listing(document, wish, census) if wish.lean > -LEAN_SURE else None
    detail = best_detail(document, wish, census) if wish.lean < LEAN_SURE else None
    if listing is not None and (detail is None or _prefer_list(listing, detail, wish)):
        return Strategy(container=listing.container, fields=listing.fields, output_schema=schema)
    if detail is None:
        detail = best_detail(document, wish, census) if listing is None else None
        if detail is not None and detail.score < DETAIL_INSTEAD_MIN:
            detail = None
    if detail is None:
        return None
    return Strategy(container=Container("", "page"), fields=detail.fields, output_schema=schema)


def _prefer_list(listing: Listing, detail: Detail, wish: Wish) -> bool:
    return listing.score + 0.25 * wish.lean > detail.score + 0.3 * detail.structured + 0.15


def _notes(wish: Wish, items: list[Item]) -> tuple[str, ...]:
    missing = [one.name for one in wish.fields if not any(item.get(one.name) for item in items)]
    return tuple(f"Nothing on the page answers the wanted field {name!r}." for name in missing)


def _nothing(page: Page, wish: Wish) -> ExtractionFailed:
    return ExtractionFailed(
        "Nothing on the page answers the request.",
        reason="nothing_found",
        evidence={"url": page.url, "wanted": [one.name for one in wish.fields]},
    )
