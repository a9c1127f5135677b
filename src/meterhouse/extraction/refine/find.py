"""Fields and lists that a refined strategy lacks, looked for on its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lxml.html import HtmlElement, tostring

from meterhouse.extraction.capture.choose import other_lists
from meterhouse.extraction.engine.columns import columns_of
from meterhouse.extraction.engine.data_lists import lists_in, records_at
from meterhouse.extraction.engine.detail import best_detail
from meterhouse.extraction.engine.document import Document, parse
from meterhouse.extraction.engine.generate import generate
from meterhouse.extraction.engine.lexicon import alike, tokens_of
from meterhouse.extraction.engine.match import ACCEPT_MIN, assign
from meterhouse.extraction.engine.reading import records_of as elements_of
from meterhouse.extraction.engine.record_fields import map_fields
from meterhouse.extraction.engine.records import at, read_json, records_of
from meterhouse.extraction.engine.request import Wish, understand, wish_of
from meterhouse.extraction.engine.run import run
from meterhouse.extraction.engine.segments import Census
from meterhouse.extraction.engine.tables import headers_of
from meterhouse.extraction.model import ExtractionFailed, Field, Page, Strategy

SAMPLE = 30
OTHER_SHARE_MAX = 0.5


def find_fields(strategy: Strategy, page: Page, wording: str) -> dict[str, Field]:
    """The fields that a wording asks for, in the records that the strategy reads already."""
    wish = understand(wording)
    if not wish.fields:
        return {}
    if strategy.kind == "api":
        return _in_answer(strategy, page, wish)
    document = parse(page)
    if strategy.container.source != "css":
        records = records_at(document, strategy.container.source, strategy.container.selector)
        return map_fields(records, wish, [], document.base)[0]
    if strategy.container.mode == "page":
        detail = best_detail(document, wish, Census(document.root))
        return dict(detail.fields) if detail is not None else {}
    return _in_records(strategy, document, wish)


def _in_answer(strategy: Strategy, page: Page, wish: Wish) -> dict[str, Field]:
    assert strategy.api is not None
    request = strategy.api
    records = records_of(at(read_json(page.html), request.items), single=request.single)
    fields, _ = map_fields(records, wish, [], page.url)
    return fields


def _in_records(strategy: Strategy, document: Document, wish: Wish) -> dict[str, Field]:
    records: Sequence[Sequence[HtmlElement]] = list(elements_of(strategy.container, document))[:SAMPLE]
    if not records:
        return {}
    used = {_place(one) for one in strategy.fields.values()}
    columns = [
        column
        for column in columns_of(records, document, headers_of(records[0][0]))
        if _place(column.field) not in used
    ]
    return {
        match.wanted.name: replace(
            match.column.field,
            many=match.wanted.many and match.column.repeats > 1.2,
            alternates=match.column.alternates[:2],
        )
        for match in assign(wish.fields, columns)
        if match.score >= ACCEPT_MIN  # not one that is merely left over
    }


def _place(one: Field) -> tuple[object, ...]:
    return (one.source, one.selector, one.attr, one.piece, one.regex)


def find_other_list(strategy: Strategy, page: Page, request: str, hint: str) -> Strategy | None:
    """The list that answers best when the records of now are taken away; `None` when none is left."""
    if strategy.kind == "api":
        return _other_in_answer(strategy, page, request, hint)
    document = parse(page)
    if strategy.container.source != "css":
        return _other_in_data(strategy, document, request, hint)
    for roots in list(elements_of(strategy.container, document)):
        for root in roots:
            parent = root.getparent()
            if parent is not None:
                parent.remove(root)
    rest = Page(page.url, tostring(document.root, encoding="unicode"))
    schema = None if hint and understand(hint).fields else strategy.output_schema
    try:
        made = generate(rest, request, output_schema=schema)
        found = run(made.strategy, page)
    except ExtractionFailed:
        return None
    before = [str(sorted(item.items())) for item in made.items]
    same = sum(1 for item in found.items if str(sorted(item.items())) in before)
    if same < OTHER_SHARE_MAX * len(found.items):
        return None  # read on the whole page, the new way leads back to the old records
    return replace(made.strategy, paging=strategy.paging, render=strategy.render)


def _other_in_data(strategy: Strategy, document: Document, request: str, hint: str) -> Strategy | None:
    """Another list of the page's data; one whose path bears a word of the hint, where there is such a one."""
    container = strategy.container
    wish = wish_of(request, None if hint else strategy.output_schema)
    others = {
        path: records
        for path, records in lists_in(document, container.source).items()
        if path != container.selector
    }
    words = tokens_of(hint)
    named = [path for path in others if any(alike(word, one) for word in words for one in tokens_of(path))]
    best: tuple[float, Strategy] | None = None
    for path in named or others:
        fields, score = map_fields(others[path], wish, [], document.base)
        if fields and (best is None or score > best[0]):
            schema = None if hint and wish.fields else strategy.output_schema
            found = replace(container, selector=path, require=tuple(fields)[:1])
            best = (score, replace(strategy, container=found, fields=fields, output_schema=schema))
    return None if best is None else best[1]


def _other_in_answer(strategy: Strategy, page: Page, request: str, hint: str) -> Strategy | None:
    assert strategy.api is not None
    wish = wish_of(request, None if hint else strategy.output_schema)
    best: tuple[float, Strategy] | None = None
    for keys, records in other_lists(read_json(page.html), strategy.api.items, hint):
        fields, score = map_fields(records, wish, [], page.url)
        if fields and (best is None or score > best[0]):
            found = replace(strategy.api, items=keys, single=False)
            schema = None if hint and wish.fields else strategy.output_schema
            best = (score, replace(strategy, api=found, fields=fields, output_schema=schema))
    return None if best is None else best[1]
