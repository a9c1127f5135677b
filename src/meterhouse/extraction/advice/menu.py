"""What a model may choose from: the lists and values mined from a page, numbered, each with a few samples."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from meterhouse.extraction.engine.column import Column
from meterhouse.extraction.engine.columns import columns_of
from meterhouse.extraction.engine.data_lists import SOURCES, lists_in
from meterhouse.extraction.engine.detail_columns import evidence_of
from meterhouse.extraction.engine.document import Document
from meterhouse.extraction.engine.reading import run_from
from meterhouse.extraction.engine.record_fields import leaves
from meterhouse.extraction.engine.records import Record
from meterhouse.extraction.engine.segments import Census, Segment, segments
from meterhouse.extraction.engine.tables import headers_of
from meterhouse.extraction.model import Container, Field

LISTS_MAX = 8
DATA_LISTS_MAX = 4
OPTIONS_MAX = 24
PAGE_OPTIONS_MAX = 40
RECORDS_SAMPLE = 8
SAMPLES = 3
SAMPLE_CHARS = 60
LABEL_CHARS = 40


@dataclass(frozen=True)
class Option:
    """One value that the records have: how it is labelled, samples of it, and the way to it."""

    label: str
    samples: tuple[str, ...]
    field: Field
    fill: float = 1.0


@dataclass(frozen=True)
class Group:
    """Records that belong together; `container` is `None` for those of an answer."""

    title: str
    options: tuple[Option, ...]
    container: Container | None = None


@dataclass(frozen=True)
class Menu:
    groups: tuple[Group, ...]

    def text(self) -> str:
        """The menu as lines: a number for each list, a number for each value in it."""
        lines: list[str] = []
        for at, group in enumerate(self.groups, start=1):
            lines.append(f"LIST {at}: {group.title}")
            for place, option in enumerate(group.options, start=1):
                label = f" {_quoted(option.label[:LABEL_CHARS])}" if option.label else ""
                samples = " | ".join(map(_quoted, option.samples))
                lines.append(f"  {place}{label}: {samples}")
        return "\n".join(lines)


def menu_of_page(document: Document, *, many: bool | None = None) -> Menu:
    """The candidates of a page: its lists, best first, then those in its data, and the page as one record."""
    census = Census(document.root)
    groups: list[Group] = []
    if many is not False:
        for segment in segments(census):
            group = _list_group(segment, document)
            if group is not None and len(groups) < LISTS_MAX:
                groups.append(group)
        groups += _data_groups(document)
    if many is not True:
        options = _options(evidence_of(document, census, ()).single, PAGE_OPTIONS_MAX)
        if options:
            groups.append(Group("the page as a single record", options, Container("", "page")))
    return Menu(tuple(groups))


def menu_of_records(records: Sequence[Record]) -> Menu:
    """The candidates of an answer whose records are known already."""
    options = _leaf_options(records, PAGE_OPTIONS_MAX)
    return Menu((Group(f"{len(records)} records", options),) if options else ())


def _data_groups(document: Document) -> list[Group]:
    """Lists that stand in embedded state or JSON-LD, those that say most first."""
    found = []
    for source in SOURCES:
        for path, records in lists_in(document, source).items():
            options = _leaf_options(records, OPTIONS_MAX)
            if options:
                title = f"{len(records)} records in the data of the page, {_quoted(path[-SAMPLE_CHARS:])}"
                weight = len(records) * sum(len(text) for one in options for text in one.samples[:1])
                found.append((weight, Group(title, options, Container(path, "each", source=source))))
    found.sort(key=lambda one: -one[0])
    return [group for _, group in found[:DATA_LISTS_MAX]]


def _leaf_options(records: Sequence[Record], most: int) -> tuple[Option, ...]:
    options = (
        Option(
            leaf.path[:LABEL_CHARS],
            _samples(leaf.present),
            Field(source="json", selector=leaf.path, many=leaf.repeats > 1),
            leaf.fill,
        )
        for leaf in leaves(records)
        if leaf.present
    )
    return tuple(itertools.islice(options, most))


def _list_group(segment: Segment, document: Document) -> Group | None:
    members = segment.members
    step = max(1, len(members) // RECORDS_SAMPLE)
    known = set(members)
    heads = members[::step][:RECORDS_SAMPLE]
    records: list[list[HtmlElement]] = [
        [head] if segment.mode == "each" else run_from(head, known) for head in heads
    ]
    options = _options(columns_of(records, document, headers_of(members[0])), OPTIONS_MAX)
    if not options:
        return None
    container = Container(segment.selector, segment.mode, header=segment.header)
    return Group(f"{len(members)} records", options, container)


def _options(columns: Sequence[Column], most: int) -> tuple[Option, ...]:
    """The plainest columns first; whole texts before parts of them."""
    ordered = sorted(columns, key=lambda one: (one.derived, one.depth > 4, -one.fill))
    options = [
        Option(
            label=(one.said[0] if one.said else " ".join(sorted(one.own)[:3])),
            samples=_samples(one.present),
            field=one.field,
            fill=one.fill,
        )
        for one in ordered
        if one.present
    ]
    return tuple(options[:most])


def _quoted(text: str) -> str:
    """A text of the page on one line, in quotes: it cannot pass for a line of the menu."""
    return json.dumps(text, ensure_ascii=False)


def _samples(values: Sequence[str]) -> tuple[str, ...]:
    distinct = list(dict.fromkeys(values))[:SAMPLES]
    return tuple(one if len(one) <= SAMPLE_CHARS else f"{one[: SAMPLE_CHARS - 1]}…" for one in distinct)
