"""Reading a page by a container and fields: the records, their values, their types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lxml.html import HtmlElement

from meterhouse.extraction.engine import structured
from meterhouse.extraction.engine.data_lists import records_at
from meterhouse.extraction.engine.document import Document
from meterhouse.extraction.engine.record_reading import read_records
from meterhouse.extraction.engine.selectors import select
from meterhouse.extraction.engine.tables import HeaderFilter, header_row
from meterhouse.extraction.engine.values import Record, read_field
from meterhouse.extraction.model import Container, Field, Item, Strategy
from meterhouse.extraction.schema import OutputSchema, coerce

RECORDS_MAX = 20_000
RUN_SIBLINGS_MAX = 60


def extract(container: Container, fields: Mapping[str, Field], document: Document) -> list[Item]:
    """The flat items as the fields read them; records without any required value are left out."""
    if container.source != "css":
        return _from_data(container, fields, document)
    sources = {one.source for one in fields.values()}.intersection(structured.SOURCES)
    data = structured.read(document, sources) if sources else None
    items: list[Item] = []
    for roots in records_of(container, document):
        item = item_of(container, fields, Record(roots, document, data))
        if item is not None:
            items.append(item)
    return items


def _from_data(container: Container, fields: Mapping[str, Field], document: Document) -> list[Item]:
    records = records_at(document, container.source, container.selector) if container.selector else []
    items = read_records(fields, records, document.base)
    needed = container.require or tuple(fields)
    return [item for item in items if any(item.get(name) for name in needed)]


def item_of(container: Container, fields: Mapping[str, Field], record: Record) -> Item | None:
    """The values of one record, or `None` where it lacks all that it would be known by."""
    item: Item = {name: read_field(one, record) for name, one in fields.items()}
    needed = container.require or tuple(fields)
    return item if any(item.get(name) for name in needed) else None


def cut_note(items: Sequence[Item]) -> tuple[str, ...]:
    """A remark where there may be more records than one run takes."""
    if len(items) < RECORDS_MAX:
        return ()
    return (f"Only the first {RECORDS_MAX} records of the page were read.",)


def shape(items: list[Item], strategy: Strategy) -> list[Item]:
    """Coerce to the output schema, or leave out the fields that a record lacks."""
    if strategy.output_schema is not None:
        return OutputSchema.parse(strategy.output_schema).apply(items)
    types = {name: one.type for name, one in strategy.fields.items() if one.type is not None}
    return [
        {
            name: coerce(value, types[name]) if name in types else value
            for name, value in item.items()
            if value is not None
        }
        for item in items
    ]


def records_of(container: Container, document: Document) -> Iterator[list[HtmlElement]]:
    """The elements of each record; none for records that stand in data."""
    if container.source != "css":
        return
    if container.mode == "page":
        yield [document.root]
        return
    heads = select(container.selector, [document.root])[:RECORDS_MAX]
    if container.mode == "each":
        rows = HeaderFilter(container.header)
        for head in heads:
            if not header_row(head) and rows.passes(head):
                yield [head]
        return
    known = set(heads)
    for head in heads:
        yield run_from(head, known)


def run_from(head: HtmlElement, heads: set[HtmlElement]) -> list[HtmlElement]:
    """A head and the siblings after it, up to the next head."""
    roots = [head]
    for follower in head.itersiblings():
        if follower in heads or len(roots) >= RUN_SIBLINGS_MAX:
            break
        if isinstance(follower.tag, str):
            roots.append(follower)
    return roots
