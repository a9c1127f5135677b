"""One record per page: structured data first, then labels, then the markup of the main part."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lxml.html import HtmlElement

from meterhouse.extraction.engine import structured
from meterhouse.extraction.engine.column import Column
from meterhouse.extraction.engine.columns import columns_of
from meterhouse.extraction.engine.content import boilerplate
from meterhouse.extraction.engine.document import Document, text_of
from meterhouse.extraction.engine.kinds import kinds_of
from meterhouse.extraction.engine.labels import label_pairs
from meterhouse.extraction.engine.lexicon import BY_NAME, fold, tokens_of
from meterhouse.extraction.engine.match import Match, assign, lexical, rate
from meterhouse.extraction.engine.request import Wanted, Wish
from meterhouse.extraction.engine.segments import Census, segments
from meterhouse.extraction.engine.survey import name_words
from meterhouse.extraction.engine.words import words_of
from meterhouse.extraction.model import Field

DEFAULT_ROLES = ("title", "price", "date", "author", "description", "image")
_SIDE_TYPES = frozenset(
    words_of(
        "breadcrumblist itemlist website organization sitenavigationelement searchaction"
        " imageobject wpheader wpfooter newsmediaorganization corporation"
    )
)
_TRUST = {"jsonld": 0.75, "microdata": 0.7, "meta": 0.35, "state": -0.3}


@dataclass(frozen=True)
class Detail:
    fields: Mapping[str, Field]
    score: float
    structured: float


def best_detail(document: Document, wish: Wish) -> Detail | None:
    """Choose a source for each wanted field of the page's one record."""
    fields = wish.fields or tuple(Wanted(name, (name,), BY_NAME[name]) for name in DEFAULT_ROLES)
    data = structured.read(document)
    census = Census(document.root)
    single = [*_structured(data), *_labels(document), *_markup(document, census)]
    lists = [*_lists(document, census), *single]
    titles = _page_titles(data)
    chosen: dict[str, Field] = {}
    total = trusted = 0.0
    for one in fields:
        best = _best(one, lists if one.many else single, titles)
        if best is None or best.score < 0.9:
            continue
        alternates = best.column.alternates[:2]
        if one.role is BY_NAME["description"]:
            best = _untruncated(best, single)
        many = one.many and best.column.repeats > 1
        chosen[one.name] = replace(
            best.column.field, many=many or best.column.field.many, alternates=alternates, type=one.type
        )
        total += min(best.score, 2.6)
        trusted += best.column.field.source in {"jsonld", "microdata"}
    if not chosen:
        return None
    return Detail(chosen, total / (2.0 * len(fields)), trusted / len(fields))


def _page_titles(data: structured.Data) -> tuple[str, ...]:
    meta = data.leaves.get("meta", {})
    found = [value for name in ("og:title", "twitter:title", "title") for value in meta.get(name, [])]
    return tuple(fold(value) for value in found)


def _untruncated(match: Match, columns: Sequence[Column]) -> Match:
    """Machine-readable descriptions are often cut short: take the text that begins alike and goes on."""
    column = match.column
    if column.field.source not in {"meta", "jsonld", "microdata"}:
        return match
    start = column.present[0][:40]
    longer = [
        other
        for other in columns
        if other.field.source == "css"
        and not other.field.attr
        and other.present[0].startswith(start)
        and len(other.present[0]) > len(column.present[0]) + 3
    ]
    best = min(longer, key=lambda other: len(other.present[0]), default=None)
    return match if best is None else replace(match, column=best)


def _best(wanted: Wanted, columns: Sequence[Column], titles: Sequence[str] = ()) -> Match | None:
    if wanted.role is BY_NAME["link"]:
        found = assign([wanted], columns)
        return found[0] if found else None
    rated = [Match(wanted, column, _rate(wanted, column, titles)) for column in columns]
    return max(rated, key=lambda one: one.score, default=None)


def _rate(wanted: Wanted, column: Column, titles: Sequence[str]) -> float:
    score = rate(wanted, column) + _TRUST.get(column.field.source, 0.0)
    if column.field.source in _TRUST and lexical(wanted, column) < 0.3:
        score -= 0.8
    if column.field.source in _TRUST:
        score -= 0.15 * max(0, column.depth - 1)
    node = column.nodes[0] if column.nodes else None
    if node is not None and wanted.role is BY_NAME["title"]:
        score += 0.7 if node.tag == "h1" else 0.3 if node.get("itemprop") else -0.2
    if wanted.role is BY_NAME["title"]:
        score += _in_titles(column, titles)
    if wanted.role is BY_NAME["price"] and not any(char in "123456789" for char in column.present[0]):
        score -= 1.0
    if wanted.many:
        plural = wanted.role is not None and wanted.role.name in {"tags", "ingredients"}
        score += (0.4 if plural else 0.1) if column.repeats > 1 else 0.0
    parts = column.field.selector.split(".")
    if column.field.source in {"jsonld", "microdata"}:
        score -= 0.9 if parts[0].lower() in _SIDE_TYPES else 0.0
    if column.place < 0:
        score -= 0.8
    return score


def _in_titles(column: Column, titles: Sequence[str]) -> float:
    """The title of a page's one record is, as a rule, the greater part of the page's own title."""
    value = fold(column.present[0])
    shares = [len(value) / len(title) for title in titles if len(value) > 2 and value in title]
    if column.field.source == "meta":
        return 0.3 if shares else 0.0
    return 0.2 + 0.9 * max(shares) if shares else 0.0


def _structured(data: structured.Data) -> Iterator[Column]:
    for source, leaves in data.leaves.items():
        for path, values in leaves.items():
            parts = re.split(r"[.:]", path)
            own = frozenset(tokens_of(parts[-1])) - frozenset(tokens_of(parts[0]) if len(parts) > 1 else ())
            if parts[-1] == "name" and len(parts) > 2:
                own |= frozenset(tokens_of(parts[-2]))
            yield Column(
                field=Field(source=source, selector=path),  # type: ignore[arg-type]
                values=(values[0],),
                nodes=(None,),
                own=own,
                near=frozenset(tokens_of(" ".join(parts[:-1]))),
                depth=len(parts) - 1,
                repeats=len(values),
                kinds=_counter(values[0]),
            )


def _counter(value: str) -> Counter[str]:
    return Counter(kinds_of(value))


def _labels(document: Document) -> Iterator[Column]:
    seen: set[str] = set()
    for label, value, element in label_pairs([document.root], 600):
        if label in seen or len(label.split()) > 7:
            continue
        seen.add(label)
        yield Column(
            field=Field(source="label", selector=label),
            values=(value,),
            nodes=(element,),
            said=(label,),
            kinds=_counter(value),
            place=-1.0 if any(boilerplate(a) for a in element.iterancestors()) else 0.0,
        )


def _markup(document: Document, census: Census) -> Iterator[Column]:
    """Elements of the main part as columns of one record that is the whole page."""
    for column in columns_of([[census.body]], document.base):
        node = column.nodes[0]
        if node is None or column.field.selector.startswith(":scope") or column.field.source != "css":
            continue
        place = -1.0 if node in census.boiler else 0.0
        near = frozenset().union(*(name_words(a) for a in list(node.iterancestors())[:2]))
        yield replace(column, place=place, near=near)


def _lists(document: Document, census: Census) -> Iterator[Column]:
    """Repeated short texts, with the words of the heading before them, as one value each."""
    for segment in segments(census):
        if segment.mode != "each":
            continue
        values = [text_of(member) for member in segment.members]
        first = segment.members[0]
        heading = _heading_before(first)
        near = frozenset().union(*(name_words(a) for a in [first, *list(first.iterancestors())[:3]]))
        yield Column(
            field=Field(selector=segment.selector, many=True),
            values=(values[0],),
            nodes=(first,),
            own=frozenset(name_words(first)),
            near=near,
            said=(heading,) if heading else (),
            repeats=len(values),
            kinds=_counter(values[0]),
            place=-1.0 if segment.boiler > 0.5 else 0.0,
        )


def _heading_before(element: HtmlElement) -> str | None:
    node: HtmlElement | None = element
    for _ in range(4):
        if node is None:
            return None
        for before in node.itersiblings(preceding=True):
            if (
                before.tag in {"h1", "h2", "h3", "h4", "h5", "h6", "strong", "b", "p"}
                and len(text_of(before)) < 60
            ):
                return text_of(before) or None
        node = node.getparent()
    return None
