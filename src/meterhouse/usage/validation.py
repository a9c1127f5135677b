"""Why an event is not counted: events explain themselves when they are listed (openmeter 1.3)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from meterhouse.usage.engine.compile import NUMERIC, value_path
from meterhouse.usage.engine.documents import MISSING, Missing, at, number_of, parse_document
from meterhouse.usage.engine.matching import matches
from meterhouse.usage.model import Event, Meter

_INFINITIES = ("inf", "infinity")
_TEXT_MAX = 200


@dataclass(frozen=True)
class Rejection:
    """One reason why a meter that asks for this event's type does not count it."""

    meter_id: UUID
    reason: str


def rejections(event: Event, meters: Iterable[Meter]) -> list[Rejection]:
    """Reasons per meter, for the meters of `meters` whose event type is the event's."""
    found = []
    for meter in meters:
        if meter.event_type == event.type and (reason := rejection(event, meter)) is not None:
            found.append(Rejection(meter.id, reason))
    return found


def validation_error(event: Event, meters: Iterable[Meter], *, has_customer: bool = True) -> str | None:
    """All that OpenMeter says about a listed event, joined by newlines; `None` when nothing is wrong.

    `meters` are the live meters of the organisation; `has_customer` tells whether a customer owns the
    subject, which is only a remark: the event counts anyway.
    """
    interested = [meter for meter in meters if meter.event_type == event.type]
    reasons = [item.reason for item in rejections(event, interested)]
    if not interested:
        reasons.append(f"no meter found for event type: {event.type}")
    if not has_customer:
        reasons.append(f"no customer found for event subject: {event.subject}")
    return "\n".join(dict.fromkeys(reasons)) or None


def counted_by(event: Event, meters: Iterable[Meter]) -> list[Meter]:
    """The meters that count the event: its filter matches and its value is usable."""
    return [meter for meter in meters if _is_counted(event, meter)]


def _is_counted(event: Event, meter: Meter) -> bool:
    in_time = meter.event_from is None or event.time >= meter.event_from
    return in_time and matches(meter.filter, event) and rejection(event, meter) is None


def rejection(event: Event, meter: Meter) -> str | None:
    """Why a meter does not count an event that its filter matches; `None` when it does.

    `count` takes any event, and for `unique` a missing value is a value (openmeter 2.2).
    """
    if meter.aggregation not in NUMERIC:
        return None
    path = value_path(meter)
    if path is None:  # an event property of Polar: the timestamp always counts, name and source never
        is_timestamp = meter.value_path == "timestamp"
        return None if is_timestamp else _invalid(f"{meter.value_path} is not a number")
    document = parse_document(event.data)
    if not isinstance(document, dict):
        return _invalid("null and missing value property")
    return _value_rejection(at(document, path), meter)


def _value_rejection(value: object, meter: Meter) -> str | None:
    if value is MISSING or isinstance(value, Missing):
        return _invalid(f'missing value property: "{meter.value_path}"')
    if value is None:
        return _invalid("value cannot be null")
    if number_of(value, reads_texts=meter.dialect == "openmeter") is not None:
        return None
    if not isinstance(value, str) or meter.dialect != "openmeter":
        return _invalid(f"unsupported value property type: {_type_name(value)}")
    return _text_rejection(value)


def _text_rejection(text: str) -> str:
    bare = text.lower().lstrip("+-")
    if bare == "nan":
        return _invalid("value cannot be NaN")
    if bare in _INFINITIES or _is_infinite(text):
        return _invalid("value cannot be infinity")
    return _invalid(f"value cannot be parsed as float64: {text[:_TEXT_MAX]}")


def _is_infinite(text: str) -> bool:
    try:
        return math.isinf(float(text))
    except ValueError:
        return False


def _type_name(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _invalid(reason: str) -> str:
    return f"invalid event: {reason}"
