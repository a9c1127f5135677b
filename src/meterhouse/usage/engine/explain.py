"""Why a meter counts an event or not, and with which value: the evaluator's reading, told in words.

An event is counted exactly when leaving it out could change what the meter's aggregate rests on. So a
`unique` meter does not count an event without a value to compare, although its filter matches.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from meterhouse.kernel.clock import format_instant
from meterhouse.usage.engine.compile import NUMERIC, value_path
from meterhouse.usage.engine.documents import (
    MISSING,
    Missing,
    at,
    chosen_of,
    number_of,
    parse_document,
    spell,
    text_of,
)
from meterhouse.usage.engine.jsonpath import parse_dotted, strip_metadata
from meterhouse.usage.engine.matching import clause_matches, matches
from meterhouse.usage.engine.windows import to_second
from meterhouse.usage.model import Aggregation, Clause, Event, Filter, Meter

RejectionCode = Literal[
    "filter_not_met",
    "before_event_from",
    "no_data",
    "value_missing",
    "value_null",
    "value_nan",
    "value_infinite",
    "value_unparsable",
    "value_type",
]

_INFINITIES = ("inf", "infinity")
_TEXT_MAX = 200
_SHOWN_MAX = 100


@dataclass(frozen=True)
class Rejection:
    """Why an event is not counted: a stable code and a sentence."""

    code: RejectionCode
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What one meter makes of one event: counted with a value, or rejected.

    `value` is what the event contributes: 1 to a count, an exact number, or the text that `unique` compares
    (JSON text in Polar's reading).
    """

    value: Fraction | str | None = None
    rejection: Rejection | None = None

    @property
    def is_counted(self) -> bool:
        return self.rejection is None


def explain(event: Event, meter: Meter, document: object = None) -> Verdict:
    """What `meter` makes of `event`, both of one organisation; `document` is its data if read before."""
    document = parse_document(event.data) if document is None else document
    if not matches(meter.filter, event, document):
        return _rejected("filter_not_met", f"filter not met: {_unmet(meter.filter, event, document)}")
    if meter.event_from is not None and event.time < meter.event_from:
        start = format_instant(meter.event_from)
        return _rejected("before_event_from", f"the event lies before the meter's start, {start}")
    if (rejection := value_rejection(event, meter, document)) is not None:
        return Verdict(rejection=rejection)
    return Verdict(_value(event, meter, document))


def value_rejection(event: Event, meter: Meter, document: object) -> Rejection | None:
    """Why a meter does not count an event that its filter matches; `None` when it does."""
    if meter.aggregation is Aggregation.COUNT:
        return None
    path = value_path(meter)
    if path is None:  # an event property of Polar: the timestamp always counts, name and source never
        own = strip_metadata(meter.value_path or "")
        return None if own == "timestamp" else _invalid("value_type", f"{own} is not a number")
    value = at(document, path)
    if meter.aggregation is Aggregation.UNIQUE:
        return _incomparable(value, meter)
    if not isinstance(document, dict):
        return _invalid("no_data", "null and missing value property")
    return _not_a_number(value, meter)


def _incomparable(value: object, meter: Meter) -> Rejection | None:
    """A missing value is a value in OpenMeter's reading, and nothing in Polar's (openmeter 2.2, polar 6)."""
    if value is None:
        return _invalid("value_null", "value cannot be null")
    if meter.dialect == "polar" and isinstance(value, Missing):
        return _missing(meter)
    return None


def _not_a_number(value: object, meter: Meter) -> Rejection | None:
    if value is MISSING or isinstance(value, Missing):
        return _missing(meter)
    if value is None:
        return _invalid("value_null", "value cannot be null")
    if number_of(value, reads_texts=meter.dialect == "openmeter") is not None:
        return None
    if not isinstance(value, str) or meter.dialect != "openmeter":
        return _invalid("value_type", f"unsupported value property type: {_type_name(value)}")
    bare = value.lower().lstrip("+-")
    if bare == "nan":
        return _invalid("value_nan", "value cannot be NaN")
    if bare in _INFINITIES or _is_infinite(value):
        return _invalid("value_infinite", "value cannot be infinity")
    return _invalid("value_unparsable", f"value cannot be parsed as float64: {value[:_TEXT_MAX]}")


def _missing(meter: Meter) -> Rejection:
    return _invalid("value_missing", f'missing value property: "{meter.value_path}"')


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


def _invalid(code: RejectionCode, reason: str) -> Rejection:
    return Rejection(code, f"invalid event: {reason}")


def _rejected(code: RejectionCode, reason: str) -> Verdict:
    return Verdict(rejection=Rejection(code, reason))


def _value(event: Event, meter: Meter, document: object) -> Fraction | str:
    if meter.aggregation is Aggregation.COUNT:
        return Fraction(1)
    path = value_path(meter)
    if path is None:
        return Fraction(to_second(event.time))
    value = at(document, path)
    if meter.aggregation is Aggregation.UNIQUE:
        return spell(value) if meter.dialect == "polar" else text_of(value)
    assert meter.aggregation in NUMERIC
    reads_texts = meter.dialect == "openmeter"
    if meter.aggregation in (Aggregation.SUM, Aggregation.AVG):
        number = number_of(value, reads_texts=reads_texts)
        return number[1] if number is not None else Fraction(0)
    return chosen_of(value, reads_texts=reads_texts) or Fraction(0)


def _unmet(tree: Filter, event: Event, document: object) -> str:
    """Name the first condition that fails; of alternatives, how many there are and the first of them."""
    for node in tree.clauses:
        if isinstance(node, Filter):
            if matches(node, event, document):
                continue
            told = _unmet(node, event, document)
        elif clause_matches(node, event, document):
            continue
        else:
            told = _told(node, event, document)
        return told if tree.conjunction == "and" else f"none of {len(tree.clauses)} alternatives: {told}"
    raise AssertionError("a filter without a failing condition is met")


def _told(clause: Clause, event: Event, document: object) -> str:
    name = strip_metadata(clause.property)
    match name:
        case "name":
            found: object = event.type
        case "source":
            found = event.origin
        case "timestamp":
            found = to_second(event.time)
        case _:
            found = at(document, parse_dotted(clause.property))
    has = "it is missing" if isinstance(found, Missing) else f"it is {_shown(spell(found))}"
    wanted = json.dumps(clause.value, ensure_ascii=False)
    return f"{_shown(name)} must be {_WORDS[clause.operator]} {_shown(wanted)}, but {has}"


_WORDS = {
    "eq": "equal to",
    "ne": "other than",
    "gt": "greater than",
    "gte": "at least",
    "lt": "less than",
    "lte": "at most",
    "like": "a text that contains",
    "not_like": "a text that does not contain",
}


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
