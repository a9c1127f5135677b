"""Running a strategy on a page: records, their fields, types, and the contract that the outcome must keep."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lxml.html import HtmlElement

from meterhouse.extraction.engine import structured
from meterhouse.extraction.engine.content import sections
from meterhouse.extraction.engine.document import Document, parse
from meterhouse.extraction.engine.selectors import select
from meterhouse.extraction.engine.tables import HeaderFilter, header_row
from meterhouse.extraction.engine.values import Record, read_field
from meterhouse.extraction.model import Container, ExtractionFailed, Field, Item, Page, RunResult, Strategy
from meterhouse.extraction.schema import OutputSchema, coerce

RECORDS_MAX = 20_000
RUN_SIBLINGS_MAX = 60
FILL_KEPT_MIN = 0.3
_STRUCTURED = frozenset({"jsonld", "microdata", "meta", "state"})


def run(strategy: Strategy, page: Page) -> RunResult:
    """Extract the items; raises `ExtractionFailed` when none are found or the contract is broken."""
    document = parse(page)
    if strategy.kind == "content":
        items = sections(document)
        if not items:
            raise ExtractionFailed(
                "The page has no readable text.", reason="empty", evidence={"url": page.url}
            )
        return RunResult(items)
    found = extract(strategy.container, strategy.fields, document)
    if not found:
        raise _nothing(strategy, page)
    fill = fill_of(found, strategy.fields)
    _keep_contract(strategy, fill, len(found))
    return RunResult(shape(found, strategy), fill)


def extract(container: Container, fields: Mapping[str, Field], document: Document) -> list[Item]:
    """The flat items as the fields read them; records without any required value are left out."""
    needs_data = any(_structured(one) for one in fields.values())
    data = structured.read(document) if needs_data else None
    items: list[Item] = []
    for roots in records_of(container, document):
        record = Record(roots, document, data)
        item: Item = {name: read_field(one, record) for name, one in fields.items()}
        needed = container.require or tuple(fields)
        if any(item.get(name) for name in needed):
            items.append(item)
    return items


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


def fill_of(items: Sequence[Item], names: Iterable[str]) -> dict[str, float]:
    """The share of items that have a value, per field."""
    total = max(1, len(items))
    return {name: round(sum(1 for item in items if item.get(name)) / total, 3) for name in names}


def records_of(container: Container, document: Document) -> Iterator[list[HtmlElement]]:
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


def _structured(one: Field) -> bool:
    return one.source in _STRUCTURED or any(other.source in _STRUCTURED for other in one.alternates)


def _nothing(strategy: Strategy, page: Page) -> ExtractionFailed:
    made = strategy.contract.records > 0
    return ExtractionFailed(
        "No records were found on the page"
        + (" where the strategy once found some: its structure has changed." if made else "."),
        reason="structure_changed" if made else "nothing_found",
        evidence={"url": page.url, "records": 0, "records_before": strategy.contract.records},
    )


def _keep_contract(strategy: Strategy, fill: dict[str, float], records: int) -> None:
    """Most of the well-filled fields must still be filled; one lost field alone is reported by `fill`."""
    before = {name: share for name, share in strategy.contract.fill.items() if share >= 0.5}
    lost = [name for name, share in before.items() if fill.get(name, 0.0) < share * FILL_KEPT_MIN]
    if before and len(lost) * 2 > len(before):
        raise ExtractionFailed(
            f"Fields that used to have values are empty now: {', '.join(sorted(lost))}.",
            reason="structure_changed",
            evidence={"records": records, "fill": fill, "fill_before": dict(strategy.contract.fill)},
        )
