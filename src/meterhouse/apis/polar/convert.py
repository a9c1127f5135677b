"""Meters, events and quantities to and from Polar's bodies: one set of bodies for all releases."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from meterhouse.apis.polar.customer_convert import customer_to_wire
from meterhouse.apis.polar.schemas import events as event_schemas
from meterhouse.apis.polar.schemas import meters as meter_schemas
from meterhouse.apis.polar.schemas.common import ListQuery
from meterhouse.customers.model import Customer
from meterhouse.usage.convert import filter_to_json
from meterhouse.usage.customer_meters import CustomerMeter
from meterhouse.usage.definition import polar_property
from meterhouse.usage.drafts import EventDraft
from meterhouse.usage.engine.credits import CREDITED, RESET
from meterhouse.usage.lineage import Lineage
from meterhouse.usage.model import (
    Aggregation,
    Clause,
    Filter,
    Identities,
    Meter,
    Quantities,
    QuantityQuery,
    StoredEvent,
    to_double,
)
from meterhouse.usage.names import EventName
from meterhouse.usage.service import MeterDraft
from meterhouse.usage.validation import Explanation

Wire = dict[str, object]

SYSTEM_LABELS = {CREDITED: "Meter Credited", RESET: "Meter Reset"}

_LLM_TEXTS = ("vendor", "model")
_INTEGER_DIGITS_MAX = 4_000  # longer ones are refused by Python's own reader
_LLM_COUNTS = ("input_tokens", "output_tokens", "total_tokens")


def page_to_wire(items: Sequence[object], total_count: int, query: ListQuery) -> Wire:
    """The envelope of every list."""
    pages = math.ceil(total_count / query.size)
    return {"items": items, "pagination": {"total_count": total_count, "max_page": pages}}


def filter_from_wire(sent: meter_schemas.Filter) -> Filter:
    """Read a filter; its properties stay as sent."""
    clauses = tuple(
        filter_from_wire(node)
        if isinstance(node, meter_schemas.Filter)
        else Clause(node.property, node.operator.value, node.value)
        for node in sent.clauses
    )
    return Filter(sent.conjunction.value, clauses)


def aggregation_from_wire(sent: meter_schemas.Aggregation) -> tuple[Aggregation, str | None]:
    """Read an aggregation as function and property."""
    if isinstance(sent, meter_schemas.CountAggregation):
        return Aggregation.COUNT, None
    return Aggregation(sent.func), sent.property


def meter_from_wire(sent: meter_schemas.MeterCreate) -> MeterDraft:
    """Read a meter to be."""
    aggregation, value_path = aggregation_from_wire(sent.aggregation)
    return MeterDraft(
        dialect="polar",
        name=sent.name,
        filter=filter_from_wire(sent.filter),
        aggregation=aggregation,
        value_path=value_path,
        metadata=sent.metadata,
        unit=sent.unit.value,
        custom_label=sent.custom_label,
        custom_multiplier=sent.custom_multiplier,
        external_id=sent.external_id,
    )


def changes_from_wire(sent: meter_schemas.MeterUpdate) -> dict[str, Any]:
    """The arguments of `update_meter`: exactly the fields that were sent, a null unit or mark aside."""
    given = {name: getattr(sent, name) for name in sent.model_fields_set}
    for name in ("unit", "is_archived"):
        if name in given and given[name] is None:
            del given[name]
    if "unit" in given:
        given["unit"] = given["unit"].value
    if given.get("filter") is not None:
        given["filter"] = filter_from_wire(given["filter"])
    if given.get("aggregation") is not None:
        given["aggregation"] = aggregation_from_wire(given["aggregation"])
    return given


def meter_to_wire(meter: Meter) -> Wire:
    """Write a meter that Polar has words for, whichever facade it was made through."""
    aggregation: Wire = {"func": meter.aggregation.value}
    if meter.aggregation is not Aggregation.COUNT:
        aggregation["property"] = polar_property(meter)
    return {
        "id": meter.id,
        "created_at": meter.created_at,
        "modified_at": meter.modified_at,
        "name": meter.name,
        "unit": meter.unit,
        "custom_label": meter.custom_label,
        "custom_multiplier": meter.custom_multiplier,
        "filter": filter_to_json(meter.filter),
        "aggregation": aggregation,
        "organization_id": meter.organisation_id,
        "archived_at": meter.archived_at,
        "external_id": meter.external_id,
        "metadata": meter.metadata,
    }


def texts_from_wire(metadata: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The metadata filter: texts that each key may have."""
    return {key: tuple(values) for key, values in metadata.items()}


def quantity_query_from_wire(
    query: meter_schemas.QuantitiesQuery, *, identities: Identities | None
) -> QuantityQuery:
    """Read a question for quantities; `identities` are the customers that it names."""
    function = query.customer_aggregation_function
    return QuantityQuery(
        start_at=query.start_timestamp,
        end_at=query.end_timestamp,
        interval=query.interval.value,
        zone=query.timezone,
        identities=identities,
        customer_function=function.value if function is not None else None,
        metadata=texts_from_wire(query.metadata),
    )


def quantities_to_wire(quantities: Quantities) -> Wire:
    """Write quantities."""
    items = [{"timestamp": item.timestamp, "quantity": item.value} for item in quantities.items]
    return {"quantities": items, "total": quantities.total}


def event_from_wire(sent: event_schemas.EventCreate) -> EventDraft:
    """Read an event to be."""
    customer_id = member_id = external_customer_id = external_member_id = None
    if isinstance(sent, event_schemas.EventCreateCustomer):
        customer_id, member_id = sent.customer_id, sent.member_id
    else:
        external_customer_id, external_member_id = sent.external_customer_id, sent.external_member_id
    return EventDraft(
        name=sent.name,
        time=sent.timestamp,
        external_id=sent.external_id,
        parent=sent.parent_id,
        customer_id=customer_id,
        external_customer_id=external_customer_id,
        member_id=member_id,
        external_member_id=external_member_id,
        data=metadata_to_text(sent.metadata),
    )


def metadata_to_text(metadata: event_schemas.EventMetadata) -> str:
    """Write an event's metadata as the JSON object that is stored; an amount keeps all its digits."""
    plain = metadata.__pydantic_extra__ or {}
    if metadata.cost is None and metadata.llm is None:
        return _json(plain)
    parts = {key: _json(value) for key, value in plain.items()}
    if metadata.cost is not None:
        amount, currency = _decimal_text(metadata.cost.amount), _json(metadata.cost.currency)
        parts["_cost"] = f'{{"amount":{amount},"currency":{currency}}}'
    if metadata.llm is not None:
        llm = metadata.llm.model_dump()
        if metadata.llm.cached_input_tokens is None:
            del llm["cached_input_tokens"]
        parts["_llm"] = _json(llm)
    return "{" + ",".join(f"{_json(key)}:{text}" for key, text in parts.items()) + "}"


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _decimal_text(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def event_to_wire(event: StoredEvent, lineage: Lineage, customer: Customer | None) -> Wire:
    """Write an event, its identifiers as they came, and the live customer that it is found to be of."""
    return {
        "id": event.uid,
        "timestamp": event.time,
        "organization_id": event.organisation_id,
        "customer_id": event.customer_id or None,
        "external_customer_id": None if event.customer_id else event.subject,
        "customer": None if customer is None else customer_to_wire(customer),
        "member_id": event.member_id or None,
        "external_member_id": event.external_member_id or None,
        "child_count": lineage.descendants,
        "parent_id": lineage.parent,
        "label": SYSTEM_LABELS.get(event.type, event.type) if event.origin == "system" else event.type,
        "name": event.type,
        "source": event.origin,
        "metadata": metadata_to_wire(event.data),
    }


def metadata_to_wire(data: str) -> Wire:
    """Write stored data as metadata that every client can read.

    Data that came in through another interface may hold what metadata cannot: a list or an object
    appears as its JSON text, a null not at all. `_cost` and `_llm` are left out unless complete, because
    clients insist on their parts.
    """
    stored = json.loads(data, parse_float=_number, parse_int=_integer) if data else {}
    metadata: Wire = {}
    for key, value in stored.items() if isinstance(stored, dict) else ():
        shown = _cost(value) if key == "_cost" else _llm(value) if key == "_llm" else _plain(value)
        if shown is not None:
            metadata[key] = shown
    return metadata


def _number(text: str) -> float | Decimal:
    """An amount of money must keep its digits; other numbers may be too extreme for decimals."""
    number = float(text)
    return Decimal(text) if 1e-13 < abs(number) < 1e6 else number


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= _INTEGER_DIGITS_MAX else float(text)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=float)
    return value


def _cost(value: object) -> Wire | None:
    if not isinstance(value, dict):
        return None
    amount, currency = value.get("amount"), value.get("currency")
    if not isinstance(currency, str) or "usd" not in currency:
        return None
    if isinstance(amount, bool) or not isinstance(amount, int | float | Decimal):
        return None
    if isinstance(amount, float) and amount != 0:  # `_number` left it as too extreme
        return None
    exact = Decimal(amount)
    return {"amount": _decimal_text(round(exact, 12)), "currency": currency} if abs(exact) < 10**5 else None


def _llm(value: object) -> Wire | None:
    if not isinstance(value, dict):
        return None
    is_complete = all(isinstance(value.get(key), str) for key in _LLM_TEXTS) and all(
        _is_count(value.get(key)) for key in _LLM_COUNTS
    )
    if not is_complete or not all(isinstance(value.get(k), str | None) for k in ("prompt", "response")):
        return None
    shown: Wire = {key: value.get(key) for key in (*_LLM_TEXTS, "prompt", "response", *_LLM_COUNTS)}
    if _is_count(value.get("cached_input_tokens")):
        shown["cached_input_tokens"] = value["cached_input_tokens"]
    return shown


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def customer_meter_to_wire(row: CustomerMeter, customer: Wire) -> Wire:
    """Write a customer's account on a meter, with both of them."""
    both = {"customer": customer, "meter": meter_to_wire(row.meter)}
    return account_to_wire(row) | {"customer_id": row.customer.id} | both


def account_to_wire(row: CustomerMeter) -> Wire:
    """Write a customer's account as the customer's state shows it."""
    return {
        "id": row.id,
        "created_at": row.created_at,
        "modified_at": row.modified_at,
        "meter_id": row.meter.id,
        "consumed_units": _amount(row.consumed),
        "credited_units": row.credited,
        "balance": _amount(row.balance),
    }


def _amount(exact: Fraction) -> int | float:
    """Whole numbers as such, to the last digit; others as the nearest double."""
    return exact.numerator if exact.denominator == 1 else to_double(exact)


def explanation_to_wire(item: Explanation) -> Wire:
    """Write what a meter makes of an event."""
    value, rejection = item.verdict.value, item.verdict.rejection
    return {
        "meter_id": item.meter.id,
        "name": item.meter.name,
        "aggregation": item.meter.aggregation.value,
        "is_archived": item.meter.archived_at is not None,
        "is_counted": item.verdict.is_counted,
        "value": to_double(value) if isinstance(value, Fraction) else value,
        "reason": {"code": rejection.code, "message": rejection.reason} if rejection is not None else None,
    }


def name_to_wire(name: EventName) -> Wire:
    """Write what is known about a name of events."""
    return {
        "name": name.name,
        "label": SYSTEM_LABELS.get(name.name, name.name) if name.origin == "system" else name.name,
        "source": name.origin,
        "occurrences": name.occurrences,
        "first_seen": name.first_seen_at,
        "last_seen": name.last_seen_at,
    }


def key_and_direction(sorting: str) -> tuple[str, bool]:
    """Split a sorting key into its name and whether it descends."""
    return sorting.removeprefix("-"), sorting.startswith("-")
