"""Which events a filter matches, event by event: the plain reading of the filter language."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from meterhouse.usage.engine.documents import MISSING, Missing, at, is_number, parse_document, text_of
from meterhouse.usage.engine.filters import needle
from meterhouse.usage.engine.jsonpath import Path, parse_dotted, strip_metadata
from meterhouse.usage.engine.windows import to_second
from meterhouse.usage.model import Clause, Event, Filter, Identities, StringFilter

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def matches(tree: Filter, event: Event, document: object = None) -> bool:
    """Whether an event matches a Polar filter (polar 5); `document` is its data if they were read before."""
    if not tree.clauses:
        return True
    found = (
        matches(node, event, document) if isinstance(node, Filter) else clause_matches(node, event, document)
        for node in tree.clauses
    )
    return all(found) if tree.conjunction == "and" else any(found)


def clause_matches(clause: Clause, event: Event, document: object = None) -> bool:
    """Whether an event meets one condition."""
    match strip_metadata(clause.property):
        case "name":
            return isinstance(clause.value, str) and _text_matches(event.type, clause)
        case "source":
            return isinstance(clause.value, str) and _text_matches(event.origin, clause)
        case "timestamp":
            second = to_second(event.time)
            if not is_number(clause.value):
                return False
            if clause.operator in ("like", "not_like"):
                return _text_matches(str(second), clause)
            return _COMPARE[clause.operator](second, clause.value)
        case _:
            read = parse_document(event.data) if document is None else document
            return _value_matches(at(read, parse_dotted(clause.property)), clause)


def _value_matches(value: object, clause: Clause) -> bool:
    wanted, is_flag = clause.value, isinstance(clause.value, bool)
    if value is None or isinstance(value, Missing):
        return False
    if clause.operator in ("like", "not_like"):
        return _text_matches(text_of(value), clause)
    if is_flag and clause.operator not in ("eq", "ne"):
        return False
    if isinstance(value, str):
        return _text_matches(value, clause)
    if isinstance(value, bool):
        return is_flag and _COMPARE[clause.operator](value, wanted)
    if is_number(value):
        return not isinstance(wanted, str) and _COMPARE[clause.operator](value, int(wanted))
    return False


def _text_matches(text: str, clause: Clause) -> bool:
    wanted = needle(clause.value)
    if clause.operator in ("like", "not_like"):
        return (wanted in text) == (clause.operator == "like")
    return _COMPARE[clause.operator](text.encode(), wanted.encode())


def has_metadata(event: Event, metadata: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether each literal top-level key holds a scalar with one of the texts (polar 3)."""
    document = parse_document(event.data)
    for key, wanted in metadata.items():
        value = at(document, Path((key,)))
        if value is None or value is MISSING or isinstance(value, (dict, list)):
            return False
        if text_of(value) not in wanted:
            return False
    return True


def is_owned(event: Event, identities: Identities) -> bool:
    """Whether an event belongs to any of the customers (polar 7.5)."""
    if event.customer_id:
        return event.customer_id in identities.customer_ids
    return event.subject in identities.external_ids


def text_passes(text: str, wanted: StringFilter) -> bool:
    """Whether a text passes an OpenMeter string filter."""
    match wanted.operator, wanted.value:
        case ("and" | "or") as conjunction, tuple(parts):
            found = [text_passes(text, part) for part in parts if isinstance(part, StringFilter)]
            return not found or (all(found) if conjunction == "and" else any(found))
        case ("in" | "nin") as chosen, tuple(members):
            return (text in members) == (chosen == "in")
        case ("like" | "nlike" | "ilike" | "nilike") as chosen, str(pattern):
            flags = re.DOTALL | (re.IGNORECASE if "ilike" in chosen else 0)
            found_like = re.fullmatch(_like_to_regex(pattern), text, flags) is not None
            return found_like == (not chosen.startswith("n"))
        case chosen, str(value):
            return _COMPARE[chosen](text.encode(), value.encode())
    return False


def _like_to_regex(pattern: str) -> str:
    parts = re.findall(r"\\[%_\\]|.", pattern, re.DOTALL)
    special = {"%": ".*", "_": "."}
    return "".join(special.get(part) or re.escape(part[-1]) for part in parts)
