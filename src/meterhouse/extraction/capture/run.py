"""Reading the items out of an answer, as a strategy of kind api says."""

from __future__ import annotations

from meterhouse.extraction import patterns
from meterhouse.extraction.capture.answers import (
    MISSING,
    Record,
    as_text,
    at,
    plain,
    read_json,
    records_of,
    values_at,
)
from meterhouse.extraction.engine.document import absolute, squeeze
from meterhouse.extraction.engine.run import fill_of, shape
from meterhouse.extraction.model import ExtractionFailed, Field, Item, Page, RunResult, Strategy
from meterhouse.extraction.plan import ApiRequest
from meterhouse.extraction.schema import is_url_field

RECORDS_MAX = 20_000
FILL_KEPT_MIN = 0.3
REGEX_INPUT_CHARS_MAX = 2_000


def run(strategy: Strategy, page: Page) -> RunResult:
    """Extract the items of an answer. Raises `ExtractionFailed` when there are none, or not those of old."""
    assert strategy.request is not None
    records = _records(strategy.request, page)
    items = extract(strategy, records, page.url)
    if not items:
        raise ExtractionFailed(
            "The answer holds no records." if not records else "The records of the answer hold no values.",
            reason="structure_changed" if records else "empty",
            evidence={"url": page.url, "records": len(records)},
        )
    fill = fill_of(items, strategy.fields)
    _keep_contract(strategy, fill, len(items))
    return RunResult(shape(items, strategy), fill)


def extract(strategy: Strategy, records: list[Record], base: str) -> list[Item]:
    """The flat items; records without any value are left out."""
    items: list[Item] = []
    for record in records:
        item: Item = {name: read_field(name, one, record, base) for name, one in strategy.fields.items()}
        if any(value is not None and value != "" for value in item.values()):
            items.append(item)
    return items


def read_field(name: str, one: Field, record: Record, base: str) -> object:
    """The value of a field, or `None`; addresses are absolute."""
    for candidate in (one, *one.alternates):
        values = [_finished(name, candidate, value, base) for value in values_at(record, candidate.selector)]
        kept = [value for value in values if value is not None and value != ""]
        if kept:
            return kept if one.many else kept[0]
    return None


def _finished(name: str, one: Field, value: object, base: str) -> object:
    scalar = plain(value)  # type: ignore[arg-type]
    for pattern in (one.regex, one.trim):
        if pattern is not None:
            scalar = squeeze(patterns.search(pattern, as_text(scalar)[:REGEX_INPUT_CHARS_MAX])) or None
    if one.template is not None:
        return absolute(one.template.replace("{}", as_text(scalar)), base) if scalar is not None else None
    if isinstance(scalar, str) and (is_url_field(name) or scalar.startswith(("/", "./"))):
        looks_like_address = scalar.startswith(("http://", "https://", "/", "./")) and " " not in scalar
        return absolute(scalar, base) if looks_like_address else scalar
    return scalar


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


def _keep_contract(strategy: Strategy, fill: dict[str, float], records: int) -> None:
    """Most of the well-filled fields must still be filled."""
    before = {name: share for name, share in strategy.contract.fill.items() if share >= 0.5}
    lost = [name for name, share in before.items() if fill.get(name, 0.0) < share * FILL_KEPT_MIN]
    if before and len(lost) * 2 > len(before):
        raise ExtractionFailed(
            f"Fields that used to have values are empty now: {', '.join(sorted(lost))}.",
            reason="structure_changed",
            evidence={"records": records, "fill": fill, "fill_before": dict(strategy.contract.fill)},
        )
