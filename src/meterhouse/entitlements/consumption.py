"""The event that stands for having consumed an amount: what a meter counts as exactly that amount."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from meterhouse.entitlements.terms import Terms
from meterhouse.kernel.errors import PreconditionFailed
from meterhouse.kernel.exact import decimal_from
from meterhouse.kernel.ids import new_id
from meterhouse.usage.block import rows_from_events
from meterhouse.usage.engine.compile import value_path
from meterhouse.usage.engine.jsonpath import Path, parse_jsonpath
from meterhouse.usage.engine.reading import RowReader
from meterhouse.usage.model import Aggregation, Event, StringFilter

SOURCE = "meterhouse:consume"
METADATA = "metadata"


def event_of(
    terms: Terms, amount: Decimal, *, id: str, metadata: Mapping[str, str] | None, now: datetime
) -> Event:
    """An event of the customer that adds `amount` to the usage behind an entitlement, and nothing else.

    Raises `PreconditionFailed` (`meter_not_consumable`) where no amount can be told by one event.
    """
    usage = terms.usage
    assert usage is not None
    meter = usage.meter
    if meter.aggregation not in (Aggregation.SUM, Aggregation.COUNT) or meter.event_type is None:
        raise _not_consumable(
            terms,
            f"its meter {meter.slug} takes {meter.aggregation.value} values; an amount can be consumed of a "
            "meter that adds up or counts events of one type",
        )
    if meter.aggregation is Aggregation.COUNT and amount != 1:
        raise _not_consumable(terms, f"its meter {meter.slug} counts events, so the amount must be 1")
    data: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    for key, wanted in usage.group_filters.items():
        text = _fitting(wanted)
        if text is None or not _put(data, parse_jsonpath(meter.group_by[key]), text):
            raise _not_consumable(terms, f"nothing says which {key} the consumed amount has")
    path = value_path(meter)
    if path is not None and not _put(data, path, _number(amount)):
        raise _not_consumable(terms, f"its meter {meter.slug} reads its value from a list")
    # Whoever is known by a key or a subject is named by it, so that the event is also found by subject.
    subject = usage.customer.external_ids[0] if usage.customer.external_ids else ""
    event = Event(
        organisation_id=meter.organisation_id,
        type=meter.event_type,
        source=SOURCE,
        id=id,
        subject=subject,
        time=now,
        ingested_at=now,
        uid=new_id(),
        data=json.dumps(data) if data else "",
        customer_id="" if subject else str(terms.customer.id),
    )
    _check_counts(terms, event, amount)
    return event


def _check_counts(terms: Terms, event: Event, amount: Decimal) -> None:
    """The event must count as exactly the amount, whatever the meter's definition is."""
    assert terms.usage is not None
    added = RowReader(terms.usage).read(rows_from_events([event])[0])
    counted = Decimal(0)
    if added is not None:
        is_count = terms.usage.meter.aggregation is Aggregation.COUNT
        counted = Decimal(added.parts.count) if is_count else decimal_from(added.parts.amount)
    if counted != amount:
        text = f"an event of {amount} would count as {counted} in its meter {terms.usage.meter.slug}"
        raise _not_consumable(terms, text)


def _number(amount: Decimal) -> int | float | str:
    """A number where JSON keeps all its digits, else the text that does."""
    if amount == amount.to_integral_value():
        return int(amount)
    return float(amount) if Decimal(repr(float(amount))) == amount else format(amount, "f")


def _fitting(wanted: StringFilter) -> str | None:
    """A text that surely passes a filter, when the filter names one."""
    match wanted.operator, wanted.value:
        case "eq", str(text):
            return text
        case "in", (str(first), *_):
            return first
        case "and", (StringFilter() as only,):
            return _fitting(only)
    return None


def _put(data: dict[str, Any], path: Path, value: object) -> bool:
    """Put a value where a path leads; no when the path is not made of names or its place is taken."""
    names = path.steps
    for step in names[:-1]:
        if not isinstance(step, str):
            return False
        data = data.setdefault(step, {})
        if not isinstance(data, dict):
            return False
    if not names or not isinstance(names[-1], str) or data.get(names[-1], value) != value:
        return False
    data[names[-1]] = value
    return True


def _not_consumable(terms: Terms, why: str) -> PreconditionFailed:
    key = terms.entitlement.feature_key
    return PreconditionFailed(
        f"nothing can be consumed of the feature {key}: {why}. Send a usage event instead.",
        code="meter_not_consumable",
    )


def id_of(entitlement_id: UUID, key: str | None) -> str:
    """The same for the same key, so that a repeat can never be a second event."""
    return str(new_id()) if key is None else f"{entitlement_id}:{key}"
