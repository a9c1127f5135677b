"""What was mined from a page, as numbered data that a person or a model may choose from.

A choice is a list's number and, for each wanted field, a column's number. The selectors, and every value,
come from the page by the engine's own hand: whoever chooses writes neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from meterhouse.extraction.engine.column import Column
from meterhouse.extraction.engine.detail import options
from meterhouse.extraction.engine.detail_columns import Evidence, evidence_of
from meterhouse.extraction.engine.document import Document, parse
from meterhouse.extraction.engine.generate import tried, wish_of
from meterhouse.extraction.engine.listing import columns_for, ranked
from meterhouse.extraction.engine.request import Wanted, Wish
from meterhouse.extraction.engine.segments import Census, Segment
from meterhouse.extraction.model import Container, Field, Generated, Page, Strategy
from meterhouse.kernel.errors import Invalid, Issue

LISTS_MAX = 6
COLUMNS_MAX = 40
SAMPLES = 3
SAMPLE_CHARS_MAX = 80
ALTERNATES_MAX = 4
PAGE_NUMBER = 0


@dataclass(frozen=True)
class CandidateColumn:
    """One way to a value: its number, the words near it, samples, and the share of records that have it."""

    number: int
    names: tuple[str, ...]
    samples: tuple[str, ...]
    fill: float
    field: Field

    def to_document(self) -> dict[str, object]:
        return {
            "number": self.number,
            "names": list(self.names),
            "samples": list(self.samples),
            "fill": self.fill,
        }


@dataclass(frozen=True)
class CandidateList:
    """Records that may be the wanted ones; number 0 is the page itself as one record."""

    number: int
    records: int
    score: float
    container: Container
    columns: tuple[CandidateColumn, ...]

    def to_document(self) -> dict[str, object]:
        columns = [one.to_document() for one in self.columns]
        return {"number": self.number, "records": self.records, "columns": columns}


@dataclass(frozen=True)
class Candidates:
    """All there is to choose from, and the names of the fields that were asked for."""

    wanted: tuple[str, ...]
    lists: tuple[CandidateList, ...]

    def to_document(self) -> dict[str, object]:
        """Compact and free of selectors: what a model is shown."""
        return {"wanted": list(self.wanted), "lists": [one.to_document() for one in self.lists]}


def candidates(page: Page, request: str, *, output_schema: Mapping[str, object] | None = None) -> Candidates:
    """Mine a page without deciding; raises `ExtractionFailed` for pages that cannot be read."""
    document = parse(page)
    wish = wish_of(request, output_schema)
    census = Census(document.root)
    found = [_page(document, census, wish)]
    for number, ((score, _), segment) in enumerate(ranked(document, wish.fields, census)[:LISTS_MAX], 1):
        found.append(_list(number, score, segment, document))
    return Candidates(tuple(one.name for one in wish.fields), tuple(found))


def choose(
    page: Page,
    offered: Candidates,
    number: int,
    columns: Mapping[str, int],
    *,
    request: str,
    output_schema: Mapping[str, object] | None = None,
) -> Generated:
    """Make the strategy of a choice; raises `Invalid` for numbers that were not offered."""
    chosen = next((one for one in offered.lists if one.number == number), None)
    if chosen is None:
        raise _refused("list", number)
    wish = wish_of(request, output_schema)
    wanted = {one.name: one for one in wish.fields}
    fields: dict[str, Field] = {}
    for name, at in columns.items():
        column = next((one for one in chosen.columns if one.number == at), None)
        if column is None:
            raise _refused(name, at)
        kind = wanted[name].type if name in wanted else None
        fields[name] = replace(column.field, type=kind)
    container = chosen.container
    if container.mode != "page":
        container = replace(container, require=tuple(list(fields)[:1]))
    strategy = Strategy(container=container, fields=fields, output_schema=output_schema, request=request)
    return tried(strategy, page, parse(page), wish)


def _refused(what: str, number: int) -> Invalid:
    message = f"{number} is none of the numbers offered"
    return Invalid(f"{what}: {message}.", issues=(Issue((what,), message),))


def _list(number: int, score: float, segment: Segment, document: Document) -> CandidateList:
    container = Container(segment.selector, segment.mode, (), segment.header, segment.alternates)
    columns = _numbered(columns_for(segment, document))
    return CandidateList(number, len(segment.members), round(score, 3), container, columns)


def _page(document: Document, census: Census, wish: Wish) -> CandidateList:
    evidence = evidence_of(document, census, [one for one in wish.fields if one.many])
    columns: dict[int, Column] = {}
    for wanted in wish.fields:
        for column in _likely(wanted, evidence):
            columns.setdefault(id(column), column)
    return CandidateList(PAGE_NUMBER, 1, 0.0, Container("", "page"), _numbered(list(columns.values())))


def _likely(wanted: Wanted, evidence: Evidence) -> Sequence[Column]:
    return [match.column for match in options(wanted, evidence)]


def _numbered(columns: Sequence[Column]) -> tuple[CandidateColumn, ...]:
    """The fullest and most direct first, as those are the likelier answers."""
    best = sorted(columns, key=lambda one: (one.derived, -round(one.fill, 1)))[:COLUMNS_MAX]
    return tuple(_offered(number, one) for number, one in enumerate(best, 1))


def _offered(number: int, column: Column) -> CandidateColumn:
    names = tuple(dict.fromkeys((*column.said, *sorted(column.own))))[:6]
    samples = tuple(value[:SAMPLE_CHARS_MAX] for value in dict.fromkeys(column.present))[:SAMPLES]
    way = replace(column.field, alternates=column.alternates[:ALTERNATES_MAX])
    return CandidateColumn(number, names, samples, round(column.fill, 2), way)
