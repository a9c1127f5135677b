"""Mining the fields of records: every way to reach a value that most records share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lxml.html import HtmlElement

from meterhouse.extraction.engine.column import LINK_ATTRS, Column, finish
from meterhouse.extraction.engine.derive import derive
from meterhouse.extraction.engine.document import Document, pieces_of, text_of
from meterhouse.extraction.engine.labels import label_pairs
from meterhouse.extraction.engine.survey import (
    FILL_MIN,
    Found,
    distinct,
    drop_misled,
    name_words,
    shared_classes,
    survey,
    survey_page,
    words_before,
)
from meterhouse.extraction.engine.tables import header_of
from meterhouse.extraction.engine.values import read_element, section_title
from meterhouse.extraction.model import Field

_TEXT_ATTRS = (
    "datetime",
    "content",
    "title",
    "alt",
    "aria-label",
    "value",
    "data-price",
    "data-date",
    "data-id",
)

# Attributes whose names say something of their values; a `title` may be anything.
_NAMING_ATTRS = ("data-", "datetime", "href", "src", "aria-label")

WRAPPER_MAX = 1.6
TITLES_LOOKED_FOR = 8
COMMON_SHARE = 0.65
COMMON_OF_MIN = 6
ALTERNATES_MAX = 6


def columns_of(
    records: Sequence[Sequence[HtmlElement]], document: Document, headers: Sequence[str] = ()
) -> list[Column]:
    """All columns of a sample of records, most direct first; equal ones are merged into alternates."""
    if not records:
        return []
    names = shared_classes(records)
    found: dict[str, Found] = {}
    places: dict[HtmlElement, float] = {}
    if len(records) == 1 and records[0][0].tag == "body":
        survey_page(records[0][0], names, found, places)
    else:
        for at, roots in enumerate(records):
            survey(at, roots, names, found, places)
        drop_misled(records, found)
    columns: list[Column] = []
    for selector, alternates, one in distinct(found, len(records)):
        nodes = tuple(one.at[at][0] if one.at.get(at) else None for at in range(len(records)))
        repeats = sum(len(one.at[at]) for at in one.at) / max(1, len(one.at))
        base_column = _describe(selector, nodes, records, places, headers, document.texts)
        base_column = replace(
            base_column, repeats=repeats, alternates=tuple(Field(selector=s) for s in alternates)
        )
        columns.extend(_sources(base_column, document))
    columns.extend(_labelled(records))
    columns.extend(_sections(records))
    columns = _telling(columns)
    return _unique([*columns, *(d for c in columns for d in derive(c))], len(records) == 1)


def _telling(columns: list[Column]) -> list[Column]:
    """The columns with less weight for words that most of their names have, as all of `review-…` do."""
    named = [column.own for column in columns if column.field.source == "css" and column.own]
    counts = Counter(word for own in {id(own): own for own in named}.values() for word in own)
    common = {word for word, count in counts.items() if count > COMMON_SHARE * len(named)}
    if len(named) < COMMON_OF_MIN or not common:
        return columns
    return [
        replace(column, own=column.own - common, near=column.near | (column.own & common))
        for column in columns
    ]


def _describe(
    selector: str,
    nodes: tuple[HtmlElement | None, ...],
    records: Sequence[Sequence[HtmlElement]],
    places: dict[HtmlElement, float],
    headers: Sequence[str],
    texts: Mapping[HtmlElement, str],
) -> Column:
    at = next(at for at, node in enumerate(nodes) if node is not None)
    node = nodes[at]
    assert node is not None
    near: set[str] = set()
    said: list[str] = []
    depth = 0
    cell: HtmlElement | None = node if node.tag == "td" else None
    parent = node.getparent()
    while node not in records[at] and parent is not None and depth < 8:
        if parent in records[at]:
            break
        near |= name_words(parent)
        cell = parent if parent.tag == "td" and cell is None else cell
        depth += 1
        parent = parent.getparent()
    header = header_of(cell, headers) if cell is not None else ""
    if header:
        said.append(header)
    for name in ("data-label", "data-title"):
        holder = cell if cell is not None else node
        if holder.get(name):
            said.append(str(holder.get(name)))
    if before := words_before(node):
        said.append(before)
    size = max((places.get(node, 0.0), 1.0))
    return Column(
        field=Field(selector="" if selector == ":scope" else selector),
        values=(),
        nodes=nodes,
        own=frozenset(name_words(node) | _wrapper_words(node, records[at], texts)),
        near=frozenset(near),
        said=tuple(words for words in said if words),
        headed=bool(header),
        depth=depth,
        place=size,
    )


def _wrapper_words(
    node: HtmlElement, roots: Sequence[HtmlElement], texts: Mapping[HtmlElement, str]
) -> set[str]:
    """The names of a parent that holds little else, so that `div.title > a` is a title as well."""
    parent = node.getparent()
    if parent is None or node in roots or parent.tag in {"tr", "ul", "ol", "body"}:
        return set()
    return name_words(parent) if len(texts[parent]) <= WRAPPER_MAX * len(texts[node]) else set()


def _sources(column: Column, document: Document) -> Iterator[Column]:
    """The texts and attributes that can be read from a column's elements."""
    nodes = column.nodes
    sample = [node for node in nodes if node is not None]
    tag = sample[0].tag
    texts = tuple(document.texts[node] or None if node is not None else None for node in nodes)
    breadth = sum(document.breadths[node] for node in sample) / len(sample)
    if any(texts):
        yield finish(replace(column, values=texts, breadth=breadth))
    if any(len(node) for node in sample):
        yield from _pieces(column)
    for name in LINK_ATTRS if tag in {"a", "img", "area", "source"} else ():
        yield from _attribute(column, name, document.base)
    for name in _TEXT_ATTRS:
        if any(node.get(name) for node in sample):
            yield from _attribute(column, name, document.base)


def _attribute(column: Column, name: str, base: str) -> Iterator[Column]:
    reader = replace(column.field, attr=name)
    values = tuple(read_element(node, reader, base) if node is not None else None for node in column.nodes)
    if any(values):
        alternates = tuple(replace(one, attr=name) for one in column.alternates)
        yield finish(
            replace(
                column,
                field=reader,
                values=values,
                own=column.own | ({name} if name.startswith(_NAMING_ATTRS) else frozenset()),
                said=(*column.said, *_button(column)) if name == "href" else column.said,
                alternates=alternates,
                breadth=1.0,
            )
        )


def _button(column: Column) -> tuple[str, ...]:
    """The words of links that read the same in every record, as "PDF" or "Box score"."""
    texts = {text_of(node) for node in column.nodes if node is not None}
    return tuple(texts) if len(texts) == 1 and 0 < len(next(iter(texts))) < 40 else ()


def _pieces(column: Column) -> Iterator[Column]:
    runs = [pieces_of(node) if node is not None else [] for node in column.nodes]
    most = max(len(run) for run in runs)
    if most == 0 or most > 12:
        return
    for at in [*range(min(most, 6)), *([-1] if most > 1 else [])]:
        values = tuple(run[at] if -len(run) <= at < len(run) else None for run in runs)
        alternates = tuple(replace(one, piece=at) for one in column.alternates)
        yield finish(
            replace(
                column,
                field=replace(column.field, piece=at),
                values=values,
                breadth=1.0,
                derived=column.derived + 1 + (at == -1),
                alternates=alternates,
            )
        )


def _labelled(records: Sequence[Sequence[HtmlElement]]) -> Iterator[Column]:
    """Values that stand after the same label in several records."""
    rows: dict[str, dict[int, tuple[str, HtmlElement]]] = {}
    for at, roots in enumerate(records):
        for label, value, element in label_pairs(roots, 60):
            rows.setdefault(label, {}).setdefault(at, (value, element))
    least = max(2, FILL_MIN * len(records)) if len(records) > 1 else 1
    for label, cells in rows.items():
        if len(cells) < least or len(label.split()) > 6:
            continue
        yield finish(
            Column(
                field=Field(source="label", selector=label),
                values=tuple(cells[at][0] if at in cells else None for at in range(len(records))),
                nodes=tuple(cells[at][1] if at in cells else None for at in range(len(records))),
                said=(label,),
            )
        )


def _sections(records: Sequence[Sequence[HtmlElement]]) -> Iterator[Column]:
    """Titles of the sections that the records stand in, when there are fewer of them than records."""
    if len(records) < 3:
        return
    for selector in ("h2", "h3", "h4", "caption", "dt"):
        if any(_holds_titles(selector, roots) for roots in records[:TITLES_LOOKED_FOR]):
            continue
        values = tuple(section_title(selector, roots[0]) for roots in records)
        different = {value for value in values if value}
        if len(different) > 1 and len(different) < len(records):
            yield finish(
                Column(
                    field=Field(source="section", selector=selector),
                    values=values,
                    nodes=(None,) * len(records),
                    own=frozenset({"section", "category"}),
                    derived=2,
                )
            )


def _holds_titles(selector: str, roots: Sequence[HtmlElement]) -> bool:
    """True where records have such titles themselves: that of the one before is no section's."""
    return any(element.tag == selector for root in roots for element in root.iter(selector))


def _unique(columns: list[Column], alone: bool) -> list[Column]:
    """Columns of the same values are one; on a page that is one record only those of the same element."""
    kept: dict[tuple[object, ...], Column] = {}
    for column in columns:
        place = id(column.nodes[0]) if alone and column.nodes else 0
        same = (column.values, column.field.attr in LINK_ATTRS, place)
        first = kept.get(same)
        kept[same] = column if first is None else _merged(first, column)
    return list(kept.values())


def _merged(first: Column, column: Column) -> Column:
    """One column of two with the same values: the innermost elements, the most lasting way to them."""
    inner = column.place > first.place and column.field.source == "css" and not column.field.attr
    if column.field.attr == "href" and not any(text_of(one) for one in first.nodes if one is not None):
        first, column, inner = column, first, False
    ways = dict.fromkeys((*first.alternates, column.field, *column.alternates))
    merged = replace(
        first,
        own=first.own | column.own,
        near=first.near | column.near,
        said=tuple(dict.fromkeys((*first.said, *column.said))),
        nodes=column.nodes if inner else first.nodes,
        breadth=min(first.breadth, column.breadth),
        depth=column.depth if inner else first.depth,
        alternates=tuple(ways)[:ALTERNATES_MAX],
    )
    plainer = bool(first.field.attr) and not column.field.attr and not column.field.regex
    better = column.derived < first.derived or (column.field.source == "label" and first.derived) or plainer
    return replace(merged, field=column.field, derived=column.derived) if better else merged
