"""Running a strategy on a page: its items if they keep the contract, a repair if one does, else a reason."""

from __future__ import annotations

from collections.abc import Sequence

from meterhouse.extraction.engine import fast
from meterhouse.extraction.engine.content import sections
from meterhouse.extraction.engine.contract import breaches, fill_of
from meterhouse.extraction.engine.document import Document, parse
from meterhouse.extraction.engine.reading import cut_note, extract, shape
from meterhouse.extraction.engine.repair import grave, refuse, repair
from meterhouse.extraction.model import Breach, ExtractionFailed, Item, Page, RunResult, Strategy


def run(strategy: Strategy, page: Page, *, known: Sequence[Item] | None = None) -> RunResult:
    """Extract the items. `known` are the items of the last good run, by which a repair is judged.

    Raises `ExtractionFailed` when there are none, or when the contract is broken and nothing mends it.
    """
    if (
        strategy.reading == "fast"
        and fast.readable(strategy)
        and (quick := _quick(strategy, page)) is not None
    ):
        return quick
    document = parse(page)
    if strategy.kind == "content":
        return _content(document)
    found = extract(strategy.container, strategy.fields, document)
    broken = breaches(strategy.contract, found, strategy.fields)
    if found and not broken:
        return RunResult(shape(found, strategy), fill_of(found, strategy.fields), cut_note(found))
    mended = repair(strategy, page, document, broken, known)
    if mended is not None:
        return mended
    if not found or grave(strategy, broken):
        raise refuse(strategy, document, found, broken)
    return _with_losses(strategy, found, broken)


def _quick(strategy: Strategy, page: Page) -> RunResult | None:
    """The items of the fast reading if it keeps the contract; all else is for the full one."""
    try:
        found = fast.extract(strategy, page)
    except fast.Unreadable:
        return None
    if not found or breaches(strategy.contract, found, strategy.fields):
        return None
    return RunResult(shape(found, strategy), fill_of(found, strategy.fields), cut_note(found))


def _content(document: Document) -> RunResult:
    items = sections(document)
    if not items:
        raise ExtractionFailed(
            "The page has no readable text.", reason="empty", evidence={"url": document.url}
        )
    return RunResult(items)


def _with_losses(strategy: Strategy, found: list[Item], broken: Sequence[Breach]) -> RunResult:
    """The items without the few fields that cannot be trusted any more, which are named."""
    lost = tuple(one.field for one in broken if one.field)
    kept: list[Item] = [{**item, **dict.fromkeys(lost)} for item in found]
    notes = tuple(f"Left out, as the page has changed: {one.sentence()}." for one in broken)
    return RunResult(shape(kept, strategy), fill_of(kept, strategy.fields), notes, lost)
