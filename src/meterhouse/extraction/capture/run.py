"""Reading the items out of an answer, as a strategy of kind api says."""

from __future__ import annotations

from collections.abc import Sequence

from meterhouse.extraction.engine.contract import breaches, fill_of
from meterhouse.extraction.engine.reading import shape
from meterhouse.extraction.engine.record_reading import read_records
from meterhouse.extraction.engine.records import (
    MISSING,
    Record,
    at,
    read_json,
    records_of,
)
from meterhouse.extraction.model import Breach, ExtractionFailed, Item, Page, RunResult, Strategy
from meterhouse.extraction.plan import ApiRequest

RECORDS_MAX = 20_000
FILL_COUNTED_MIN = 0.5
REGEX_INPUT_CHARS_MAX = 2_000


def run(strategy: Strategy, page: Page) -> RunResult:
    """Extract the items of an answer. Raises `ExtractionFailed` when there are none, or not those of old."""
    assert strategy.api is not None
    records = _records(strategy.api, page)
    items = read_records(strategy.fields, records, page.url)
    if not items:
        raise ExtractionFailed(
            "The answer holds no records." if not records else "The records of the answer hold no values.",
            reason="structure_changed" if records else "empty",
            evidence={"url": page.url, "records": len(records)},
        )
    broken = breaches(strategy.contract, items, strategy.fields)
    counted = [share for share in strategy.contract.fill.values() if share >= FILL_COUNTED_MIN]
    fields = [one.field for one in broken if one.field]
    if 2 * len(fields) > len(counted) or len(broken) > len(fields):
        raise _changed(strategy, page, items, broken)
    kept: list[Item] = [{**item, **dict.fromkeys(fields)} for item in items]
    notes = tuple(f"Left out, as the answer has changed: {one.sentence()}." for one in broken)
    return RunResult(shape(kept, strategy), fill_of(kept, strategy.fields), notes, tuple(fields))


def items_of(strategy: Strategy, page: Page) -> list[Item]:
    """The flat items of an answer, neither measured nor coerced."""
    assert strategy.api is not None
    return read_records(strategy.fields, _records(strategy.api, page), page.url)


def _records(request: ApiRequest, page: Page) -> list[Record]:
    value = at(read_json(page.html), request.items)
    records = records_of(value, single=request.single)[:RECORDS_MAX]
    if value is MISSING or (not records and not isinstance(value, list | dict)):
        where = ".".join(str(key) for key in request.items) or "its top"
        raise ExtractionFailed(
            f"The answer no longer holds a list at {where}.",
            reason="structure_changed",
            evidence={"url": page.url, "items": list(request.items)},
        )
    return records


def _changed(strategy: Strategy, page: Page, items: list[Item], broken: Sequence[Breach]) -> ExtractionFailed:
    sentences = [one.sentence() for one in broken]
    return ExtractionFailed(
        f"The answer's structure has changed: {'; '.join(sentences)}.",
        reason="structure_changed",
        evidence={
            "url": page.url,
            "records": len(items),
            "records_before": strategy.contract.records,
            "broken": sentences,
        },
    )
