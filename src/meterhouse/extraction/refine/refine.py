"""The whole of a refinement: read the sentences, carry them out, try the outcome on the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from meterhouse.extraction.capture import run as capture
from meterhouse.extraction.engine.contract import contract_of
from meterhouse.extraction.engine.document import parse
from meterhouse.extraction.engine.generate import with_reading
from meterhouse.extraction.engine.reading import extract
from meterhouse.extraction.engine.run import run
from meterhouse.extraction.model import Contract, Generated, Page, Strategy
from meterhouse.extraction.refine.apply import Draft, apply
from meterhouse.extraction.refine.changes import Change
from meterhouse.extraction.refine.sentences import read_feedback


@dataclass(frozen=True)
class Refined:
    """A changed strategy with what it gives on its page, and the filter in step with it."""

    generated: Generated
    filter_config: Mapping[str, object] | None


def refine(
    strategy: Strategy,
    page: Page,
    feedback: str,
    *,
    description: str,
    filter_config: Mapping[str, object] | None,
) -> Refined:
    """Change a strategy as the feedback says. Raises `Invalid` for what is not understood or not there, and
    `ExtractionFailed` when the outcome reads nothing."""
    return carry_out(
        read_feedback(feedback),
        Draft(replace(strategy, contract=Contract(), reading="full"), page, description, filter_config),
    )


def carry_out(changes: list[Change], draft: Draft) -> Refined:
    """Carry out changes in order and run what comes of them."""
    for change in changes:
        draft = apply(change, draft)
    # Without a request nothing is mined in place of what was asked for.
    made = measured(replace(draft.strategy, request=""), draft.page)
    strategy = replace(made.strategy, request=_wording(made.strategy))
    notes = (*draft.notes, *made.notes)
    return Refined(Generated(strategy, made.items, notes), draft.filter_config)


def measured(strategy: Strategy, page: Page) -> Generated:
    """A changed strategy, whose contract is to be empty, with what it gives on its page as its new contract.

    Raises `ExtractionFailed` when it reads nothing there.
    """
    found = capture.run(strategy, page) if strategy.kind == "api" else run(strategy, page)
    if strategy.kind == "content":
        return Generated(replace(strategy, contract=Contract(len(found.items))), found.items)
    if strategy.kind == "api":
        flat = capture.items_of(strategy, page)
    else:
        flat = extract(strategy.container, strategy.fields, parse(page))
    contract = contract_of(flat, strategy.fields)
    strategy = replace(strategy, contract=contract, reading="full")
    if strategy.kind == "css":
        strategy = with_reading(strategy, page, flat)
    empty = [name for name, share in found.fill.items() if not share]
    notes = tuple(f"The field {name!r} is empty on the page." for name in empty)
    return Generated(strategy, found.items, notes)


def _wording(strategy: Strategy) -> str:
    """The request that asks for the fields as they are now, for when the page is mined again."""
    names = ", ".join(name.replace("_", " ") for name in strategy.fields)
    return f"{'the page' if strategy.container.mode == 'page' else 'every record'}: {names}"
