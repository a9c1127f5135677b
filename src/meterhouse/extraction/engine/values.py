"""Reading one field of one record: from markup, a label, a section title, or structured data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from lxml.html import HtmlElement

from meterhouse.extraction.engine import structured
from meterhouse.extraction.engine.document import Document, absolute, pieces_of, squeeze, text_of
from meterhouse.extraction.engine.kinds import cut
from meterhouse.extraction.engine.labels import label_items, label_value
from meterhouse.extraction.engine.selectors import select
from meterhouse.extraction.model import Field

URL_ATTRIBUTES = frozenset({"href", "src", "data-src", "data-href", "action", "poster", "data-original"})
REGEX_INPUT_CHARS_MAX = 2_000
VALUES_MAX = 500
SIBLINGS_MAX = 400


@dataclass(frozen=True)
class Record:
    """One record: the sibling elements that hold it, and the page they are on."""

    roots: Sequence[HtmlElement]
    document: Document
    data: structured.Data | None = field(default=None, compare=False)


def read_field(one: Field, record: Record) -> str | list[str] | None:
    """The value of a field, or `None`; a missing value is never taken from a neighbour."""
    values = [value for raw in _raw(one, record) if (value := _cut(one, raw))]
    if not values:
        return None
    return values[:VALUES_MAX] if one.many else values[0]


def _raw(one: Field, record: Record) -> list[str]:
    if one.source == "css":
        found = select(one.selector, record.roots)
        if not one.many:
            found = found[:1]
        return [value for element in found if (value := read_element(element, one, record.document.base))]
    if one.source == "label":
        if one.many:
            return label_items(record.roots, one.selector)
        value = label_value(record.roots, one.selector)
        return [value] if value else []
    if one.source == "section":
        title = section_title(one.selector, record.roots[0])
        return [title] if title else []
    if record.data is None:
        return []
    values = record.data.values(one.source, one.selector)
    return values if one.many else values[:1]


def read_element(element: HtmlElement, one: Field, base: str) -> str | None:
    if one.attr is not None:
        value = squeeze(element.get(one.attr))
        if one.attr in URL_ATTRIBUTES:
            return absolute(value, base) if value else None
        return value or None
    if one.piece is not None:
        pieces = pieces_of(element)
        return pieces[one.piece] if -len(pieces) <= one.piece < len(pieces) else None
    return text_of(element) or None


def section_title(selector: str, element: HtmlElement) -> str | None:
    """The text of the nearest element before the record that matches the selector."""
    node: HtmlElement | None = element
    for _ in range(12):
        if node is None:
            return None
        for before in islice(node.itersiblings(preceding=True), SIBLINGS_MAX):
            found = select(selector, [before])
            if found:
                return text_of(found[-1]) or None
        node = node.getparent()
    return None


def _cut(one: Field, value: str) -> str | None:
    for pattern in (one.regex, one.trim):
        if pattern is not None and value:
            value = squeeze(cut(pattern, value[:REGEX_INPUT_CHARS_MAX]))
    return value or None
