"""When a page no longer keeps the contract: other ways to the same values, then a new look at the page.

A repair is accepted only when its items keep the contract and, where items of the last good run are at
hand, share values with them; a page of other records must at least look the same field by field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from meterhouse.extraction.engine.contract import breaches, field_breach, fill_of
from meterhouse.extraction.engine.document import Document
from meterhouse.extraction.engine.generate import generate, texts_of, with_reading
from meterhouse.extraction.engine.obstacles import obstacle_of
from meterhouse.extraction.engine.reading import extract, shape
from meterhouse.extraction.model import (
    Breach,
    Container,
    ExtractionFailed,
    Field,
    Item,
    Page,
    Repair,
    RepairKind,
    RunResult,
    Strategy,
)

OVERLAP_MIN = 0.3
RECORDS_FACTOR = 4
ALTERNATES_KEPT = 4


def repair(
    strategy: Strategy,
    page: Page,
    document: Document,
    broken: Sequence[Breach],
    known: Sequence[Item] | None,
) -> RunResult | None:
    """The items of the first repair that keeps the contract, with the strategy that found them."""
    mended = _by_alternates(strategy, document)
    if mended is not None:
        found = extract(mended.container, mended.fields, document)
        if found and not breaches(strategy.contract, found, mended.fields):
            return _result(with_reading(mended, page, found), found, "alternates", broken)
    if strategy.request and strategy.contract.records and not _kept_out(document):
        return _by_mining(strategy, page, document, broken, known)
    return None


def _kept_out(document: Document) -> bool:
    obstacle = obstacle_of(document)
    return obstacle is not None and obstacle.reason in {"blocked", "login_required", "consent_wall"}


def grave(strategy: Strategy, broken: Sequence[Breach]) -> bool:
    """Too much is broken to trust the rest: the records themselves, their key, or most of the fields."""
    fields = [one.field for one in broken if one.field]
    keys = set(strategy.container.require)
    counted = [name for name, share in strategy.contract.fill.items() if share >= 0.5]
    records = any(one.field is None for one in broken)
    return records or bool(keys.intersection(fields)) or 2 * len(fields) > len(counted)


def refuse(
    strategy: Strategy, document: Document, found: Sequence[Item], broken: Sequence[Breach]
) -> ExtractionFailed:
    """Why there are no items, in one word and with what was seen."""
    evidence: dict[str, object] = {
        "url": document.url,
        "records": len(found),
        "records_before": strategy.contract.records,
        "broken": [one.sentence() for one in broken],
    }
    obstacle = obstacle_of(document) if not found else None
    if obstacle is not None:
        return ExtractionFailed(
            f"{obstacle.sentence}.", reason=obstacle.reason, evidence={**evidence, **obstacle.evidence}
        )
    if not strategy.contract.records:
        return ExtractionFailed(
            "No records were found on the page.", reason="nothing_found", evidence=evidence
        )
    return ExtractionFailed(
        f"The page's structure has changed: {'; '.join(one.sentence() for one in broken)}.",
        reason="structure_changed",
        evidence=evidence,
    )


def _by_alternates(strategy: Strategy, document: Document) -> Strategy | None:
    """The container and fields that keep the contract best, each tried for all records at once."""
    best: tuple[int, Strategy] | None = None
    for container in _containers(strategy.container):
        fields = {
            name: _kept_field(strategy, container, name, document, one)
            for name, one in strategy.fields.items()
        }
        found = extract(container, fields, document)
        if not found:
            continue
        count = len(breaches(strategy.contract, found, fields))
        if best is None or count < best[0]:
            best = (count, replace(strategy, container=container, fields=fields))
        if count == 0:
            break
    return best[1] if best else None


def _containers(container: Container) -> Iterator[Container]:
    selectors = (container.selector, *container.alternates)
    for at, selector in enumerate(selectors):
        others = selectors[:at] + selectors[at + 1 :]
        yield replace(container, selector=selector, alternates=others)


def _kept_field(strategy: Strategy, container: Container, name: str, document: Document, one: Field) -> Field:
    """The field, or the first of its alternates that keeps its part of the contract."""
    bare = replace(container, require=())
    ways = (one, *one.alternates)
    for at, way in enumerate(ways):
        found = extract(bare, {name: way}, document)
        if found and field_breach(strategy.contract, name, found) is None:
            others = (*ways[:at], *ways[at + 1 :])
            return replace(
                way, alternates=tuple(replace(other, alternates=()) for other in others)[:ALTERNATES_KEPT]
            )
    return one


def _by_mining(
    strategy: Strategy,
    page: Page,
    document: Document,
    broken: Sequence[Breach],
    known: Sequence[Item] | None,
) -> RunResult | None:
    try:
        made = generate(page, strategy.request, output_schema=strategy.output_schema, known=known)
    except ExtractionFailed:
        return None
    fresh = _as_before(made.strategy, strategy)
    if (fresh.container.mode == "page") != (strategy.container.mode == "page"):
        return None
    found = extract(fresh.container, fresh.fields, document)
    again = breaches(strategy.contract, found, strategy.fields)
    if not found or again or not _plausible(strategy, page, found, shape(found, fresh), known):
        return None
    return _result(with_reading(fresh, page, found), found, "mined", broken)


def _as_before(fresh: Strategy, strategy: Strategy) -> Strategy:
    """The mined strategy with what was settled apart from mining: cleaning, types, paging, drawing."""
    fields = {
        name: replace(one, trim=old.trim, type=old.type) if (old := strategy.fields.get(name)) else one
        for name, one in fresh.fields.items()
    }
    return replace(fresh, fields=fields, paging=strategy.paging, render=strategy.render)


def _plausible(
    strategy: Strategy, page: Page, found: Sequence[Item], items: Sequence[Item], known: Sequence[Item] | None
) -> bool:
    """True when the mined items are those of before, or others of exactly their make on the same site."""
    before = strategy.contract.records
    if not before / RECORDS_FACTOR <= len(found) <= before * RECORDS_FACTOR:
        return False
    if known:
        shares = overlap(items, known)
        if max(shares.values(), default=0.0) >= OVERLAP_MIN:
            return all(shares.get(name, 1.0) >= OVERLAP_MIN for name in _steady(strategy))
    exact = [name for name, one in strategy.contract.shapes.items() if one.kind not in {None, "url"}]
    counted = [name for name, share in strategy.contract.fill.items() if share >= 0.5]
    fill = fill_of(found, counted)
    alike = bool(exact) and len(counted) > 1 and all(fill[name] >= 0.5 for name in counted)
    return alike and urlsplit(page.url).hostname == urlsplit(strategy.url).hostname


def _steady(strategy: Strategy) -> list[str]:
    """Fields of plain text that nearly every record had: of the same records they must be the same."""
    contract = strategy.contract
    return [
        name
        for name, one in contract.shapes.items()
        if one.kind is None and one.distinct >= 0.5 and contract.fill.get(name, 0.0) >= 0.5
    ]


def overlap(items: Sequence[Item], known: Sequence[Item]) -> dict[str, float]:
    """The share of values that both sets of items hold, per field."""
    now, before = texts_of(items), texts_of(known)
    return {
        name: len(now[name] & before[name]) / min(len(now[name]), len(before[name]))
        for name in now.keys() & before.keys()
    }


def _result(strategy: Strategy, found: list[Item], how: RepairKind, broken: Sequence[Breach]) -> RunResult:
    after = {"container": strategy.container.selector}
    after |= {
        name: f"{one.source}: {one.selector or 'the record itself'}" for name, one in strategy.fields.items()
    }
    words = {"alternates": "other ways to the same values", "mined": "a new look at the page"}[how]
    note = f"The page has changed and the strategy was repaired by {words}."
    fill = fill_of(found, strategy.fields)
    return RunResult(
        shape(found, strategy), fill, (note,), repaired=Repair(how, strategy, tuple(broken), after)
    )
