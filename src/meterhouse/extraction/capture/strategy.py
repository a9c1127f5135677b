"""A strategy of kind api from a chosen call, and the test whether making the call again gives the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from meterhouse.extraction.capture.choose import Choice
from meterhouse.extraction.capture.requests import Visits, template_of
from meterhouse.extraction.capture.run import items_of, run
from meterhouse.extraction.engine.contract import contract_of
from meterhouse.extraction.engine.request import Wish
from meterhouse.extraction.model import Generated, Item, Page, Strategy
from meterhouse.extraction.plan import ApiRequest
from meterhouse.platform.ports import RecordedRequest

SAME_SHARE_MIN = 0.5


def strategy_of(
    choice: Choice, visits: Visits, *, output_schema: Mapping[str, object] | None
) -> Strategy | None:
    """The strategy that makes the chosen call; `None` when it cannot be made again."""
    request = template_of(choice.call, visits)
    if request is None:
        return None
    request = replace(request, items=choice.items, single=choice.single)
    return Strategy(kind="api", api=request, fields=choice.fields, output_schema=output_schema)


def generated_from(strategy: Strategy, page: Page, wish: Wish) -> Generated:
    """The strategy with its contract and the items it finds in an answer. Raises `ExtractionFailed`."""
    result = run(strategy, page)
    contract = contract_of(items_of(strategy, page), strategy.fields)
    missing = [one.name for one in wish.fields if not result.fill.get(one.name)]
    notes = tuple(f"Nothing in the answer is the wanted field {name!r}." for name in missing)
    return Generated(replace(strategy, contract=contract), result.items, notes)


def same_items(before: Sequence[Item], after: Sequence[Item]) -> bool:
    """True when the call made again gives what the page got; live data may have moved on a little."""
    known = {json.dumps(item, sort_keys=True, default=str) for item in after}
    hits = sum(1 for item in before if json.dumps(item, sort_keys=True, default=str) in known)
    if hits >= SAME_SHARE_MIN * len(before):
        return True
    # Clocks and counters in a field change every item: most of the values must still be there.
    values = {str(value) for item in after for value in item.values()}
    wanted = [str(value) for item in before for value in item.values()]
    return bool(wanted) and sum(1 for value in wanted if value in values) >= SAME_SHARE_MIN * len(wanted)


def further_calls(choice: Choice, calls: Sequence[RecordedRequest], visits: Visits) -> list[ApiRequest]:
    """The page's other calls to the same place, for what they differ in."""
    others = [
        call
        for call in calls
        if call is not choice.call
        and call.method == choice.call.method
        and call.url.partition("?")[0] == choice.call.url.partition("?")[0]
    ]
    templates = [template_of(call, visits) for call in others[:5]]
    return [one for one in templates if one is not None]
