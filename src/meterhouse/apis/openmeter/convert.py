"""Meters, questions, answers and events between OpenMeter's words and ours."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from meterhouse.apis.openmeter.filters import (
    EVENT_NESTING_MAX,
    At,
    object_from_wire,
    refused,
    second_from_wire,
    string_filter_from_wire,
    time_filter_from_wire,
)
from meterhouse.customers.model import Customer
from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.ids import parse_id, to_ulid
from meterhouse.usage.corrections import TrailEntry
from meterhouse.usage.definition import value_jsonpath
from meterhouse.usage.engine.cursors import parse_cursor
from meterhouse.usage.model import (
    Aggregation,
    EventCriteria,
    Meter,
    MeterQuery,
    QueryRow,
    StoredEvent,
    StringFilter,
    TimeFilter,
    Window,
    to_double,
)
from meterhouse.usage.service import MeterDraft, event_type_filter
from meterhouse.usage.validation import Explanation

# Readers refuse longer integers (Python's do), and one such event must not hide the others of its page.
_DIGITS_MAX = 4300
_ENDLESS = re.compile(rf"\d{{{_DIGITS_MAX}}}")
_TEXT_FIELDS = ("id", "source", "subject", "type")
_TIME_FIELDS = {"time": "time", "ingestedAt": "ingested_at"}


def meter_from_wire(body: Mapping[str, Any]) -> MeterDraft:
    """Read the body of a meter's creation."""
    return MeterDraft(
        dialect="openmeter",
        filter=event_type_filter(body["eventType"]),
        aggregation=aggregation_from_wire(body["aggregation"]),
        slug=body["slug"],
        name=body.get("name"),
        description=body.get("description"),
        value_path=body.get("valueProperty"),
        group_by=body.get("groupBy") or {},
        event_from=second_from_wire(body.get("eventFrom"), ("body", "eventFrom")),
        metadata=body.get("metadata") or {},
    )


def aggregation_from_wire(text: str) -> Aggregation:
    return Aggregation.UNIQUE if text == "UNIQUE_COUNT" else Aggregation(text.lower())


def aggregation_to_wire(aggregation: Aggregation) -> str:
    return "UNIQUE_COUNT" if aggregation is Aggregation.UNIQUE else aggregation.value.upper()


def meter_to_wire(meter: Meter) -> dict[str, object]:
    """Write a meter that OpenMeter has words for; what is empty is left out."""
    wire: dict[str, object | None] = {
        "id": to_ulid(meter.id),
        "slug": meter.slug,
        "name": meter.name,
        "description": meter.description,
        "aggregation": aggregation_to_wire(meter.aggregation),
        "eventType": meter.event_type,
        "eventFrom": _instant(meter.event_from),
        "valueProperty": None if meter.aggregation is Aggregation.COUNT else value_jsonpath(meter),
        "groupBy": dict(meter.group_by) or None,
        "metadata": {key: text_of(value) for key, value in meter.metadata.items()} or None,
        "createdAt": _instant(meter.created_at),
        "updatedAt": _instant(meter.modified_at or meter.created_at),
        "deletedAt": _instant(meter.deleted_at),
    }
    return {key: value for key, value in wire.items() if value is not None}


def text_of(value: object) -> str:
    """OpenMeter's metadata are texts; Polar's may be numbers and booleans too."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)


# The same few days are written again and again.
_bound = lru_cache(maxsize=10_000)(format_instant)


def question_from_wire(
    wire: Mapping[str, Any], location: str, *, customers: Mapping[str, tuple[str, ...]] | None
) -> MeterQuery:
    """Read a question from a query string or a body, `location` naming which for errors.

    `customers` are those named by `filterCustomerId`, with their subjects. Empty lists ask for nothing.
    """
    window = wire.get("windowSize")
    return MeterQuery(
        from_at=second_from_wire(wire.get("from"), (location, "from")),
        to_at=second_from_wire(wire.get("to"), (location, "to")),
        window=Window(window.lower()) if window else None,
        zone=wire.get("windowTimeZone", "UTC"),
        subjects=tuple(dict.fromkeys(wire.get("subject") or ())) or None,
        customers=customers,
        group_by=tuple(dict.fromkeys(wire.get("groupBy") or ())),
        group_filters=_group_filters_from_wire(wire, location),
    )


def _group_filters_from_wire(wire: Mapping[str, Any], location: str) -> dict[str, StringFilter]:
    plain, advanced = wire.get("filterGroupBy"), wire.get("advancedMeterGroupByFilters")
    if plain and advanced:
        text = "cannot be used together with filterGroupBy"
        raise refused((location, "advancedMeterGroupByFilters"), text, "conflicting_filters")
    if "advancedMeterGroupByFilters" in wire:
        at: At = (location, "advancedMeterGroupByFilters")
        members = object_from_wire(advanced, at).items()
        return {key: string_filter_from_wire(member, (*at, key)) for key, member in members}
    return {key: _plain_filter(value) for key, value in (plain or {}).items()}


def _plain_filter(value: str | list[str]) -> StringFilter:
    return StringFilter("eq", value) if isinstance(value, str) else StringFilter("in", tuple(value))


def answer_to_wire(question: MeterQuery, rows: Sequence[QueryRow]) -> dict[str, object]:
    """Write an answer; the question's bounds and window are repeated as far as it had them."""
    echoed = {
        "from": _instant(question.from_at),
        "to": _instant(question.to_at),
        "windowSize": question.window.value.upper() if question.window else None,
    }
    given: dict[str, object] = {key: value for key, value in echoed.items() if value is not None}
    return given | {"data": [row_to_wire(row) for row in rows]}


def row_to_wire(row: QueryRow) -> dict[str, object]:
    """Write one row of an answer."""
    wire: dict[str, object] = {
        "value": row.value,
        "windowStart": _bound(row.window_start),
        "windowEnd": _bound(row.window_end),
        "subject": row.subject,
        "groupBy": dict(row.group_by),
    }
    return wire if row.customer_id is None else wire | {"customerId": to_ulid(UUID(row.customer_id))}


def recent_criteria_from_wire(
    query: Mapping[str, Any], *, customers: Mapping[str, tuple[str, ...]] | None
) -> EventCriteria:
    """Read the query of the first version's event list."""
    return EventCriteria(
        from_at=second_from_wire(query.get("from"), ("query", "from")),
        to_at=second_from_wire(query.get("to"), ("query", "to")),
        ingested_from_at=second_from_wire(query.get("ingestedAtFrom"), ("query", "ingestedAtFrom")),
        ingested_to_at=second_from_wire(query.get("ingestedAtTo"), ("query", "ingestedAtTo")),
        id_contains=query.get("id"),
        subject=query.get("subject"),
        customers=customers,
    )


def criteria_from_wire(
    query: Mapping[str, Any], *, customers: Mapping[str, tuple[str, ...]] | None
) -> EventCriteria:
    """Read the query of the second version's event list: a cursor and a filter object."""
    at: At = ("query", "filter")
    filters = object_from_wire(query.get("filter", {}), at)
    unknown = filters.keys() - {*_TEXT_FIELDS, *_TIME_FIELDS, "customerId"}
    if unknown:
        raise refused(at, f"has the unknown field {min(unknown)[:32]}")
    texts: dict[str, StringFilter] = {
        name: string_filter_from_wire(filters[name], (*at, name), nesting_max=EVENT_NESTING_MAX)
        for name in _TEXT_FIELDS
        if name in filters
    }
    times: dict[str, TimeFilter] = {
        name: time_filter_from_wire(filters[wire], (*at, wire))
        for wire, name in _TIME_FIELDS.items()
        if wire in filters
    }
    cursor = query.get("cursor")
    after = parse_cursor(cursor) if cursor else None
    return EventCriteria(customers=customers, texts=texts, times=times, after=after)


def event_to_wire(
    event: StoredEvent, *, customer: Customer | None = None, validation_error: str | None = None
) -> dict[str, object]:
    """Write a stored event. Its data are passed on as the JSON text that was sent, to the last digit."""
    inner: dict[str, object] = {
        "id": event.id,
        "source": event.source,
        "specversion": "1.0",
        "type": event.type,
        "subject": shown_subject(event.subject, event.customer_id),
        "time": _second(event.time),
    }
    if event.data:
        data = _readable(event.data).encode()
        inner |= {"datacontenttype": "application/json", "data": msgspec.Raw(data)}
    wire: dict[str, object] = {
        "event": inner,
        "ingestedAt": _second(event.ingested_at),
        "storedAt": _second(event.stored_at),
    }
    if customer is not None:
        wire["customerId"] = to_ulid(customer.id)
    return wire if validation_error is None else wire | {"validationError": validation_error}


def explanation_to_wire(item: Explanation) -> dict[str, object]:
    """Write what a meter makes of an event."""
    meter, verdict = item.meter, item.verdict
    wire: dict[str, object] = {
        "meterId": to_ulid(meter.id),
        "slug": meter.slug,
        "name": meter.name,
        "madeThrough": meter.dialect,
        "aggregation": aggregation_to_wire(meter.aggregation),
        "isArchived": meter.archived_at is not None,
        "isCounted": verdict.is_counted,
    }
    if verdict.rejection is not None:
        return wire | {"reason": {"code": verdict.rejection.code, "message": verdict.rejection.reason}}
    value = verdict.value
    return wire | {"value": to_double(value) if isinstance(value, Fraction) else value}


def correction_to_wire(entry: TrailEntry) -> dict[str, object]:
    """Write one line of the audit trail."""
    made = entry.correction
    wire: dict[str, object] = {
        "id": to_ulid(made.id),
        "action": "delete" if made.after is None else "replace",
        "source": made.before.source,
        "eventId": made.before.id,
        "correctedAt": format_instant(made.at),
        "correctedBy": to_ulid(UUID(entry.by)),
        "before": event_to_wire(made.before),
    }
    if entry.reason:
        wire["reason"] = entry.reason
    if made.after is not None:
        wire["after"] = event_to_wire(made.after)
    return wire


def _readable(data: str) -> str:
    """The data as sent, but for numbers that no reader takes: these become null."""
    if not _ENDLESS.search(data):
        return data
    value = json.loads(data, parse_int=_readable_integer, parse_float=_readable_float)
    return json.dumps(value, ensure_ascii=False)


def _readable_integer(digits: str) -> int | None:
    return int(digits) if len(digits) < _DIGITS_MAX else None


def _readable_float(text: str) -> float | None:
    return number if math.isfinite(number := float(text)) else None


def shown_subject(subject: str, customer_id: str) -> str:
    """The subject; an event that names its customer by our id has none of its own."""
    if subject or not customer_id:
        return subject
    parsed = parse_id(customer_id)
    return customer_id if parsed is None else to_ulid(parsed)


def _second(instant: datetime) -> str:
    return format_instant(instant.replace(microsecond=0))
