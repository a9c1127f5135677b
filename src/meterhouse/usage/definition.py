"""What a legal meter is, per dialect, and how far one facade's meter can be said in the other's words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace

from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.usage.engine.filters import check_filter
from meterhouse.usage.engine.jsonpath import is_unicode, parse_dotted, parse_jsonpath, strip_metadata
from meterhouse.usage.model import Aggregation, Clause, Dialect, Filter, Meter

SLUG = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
SLUG_LENGTH_MAX = 64
GROUP_KEY = re.compile(r"[a-zA-Z_][0-9a-zA-Z_]*")
GROUP_BYS_MAX = 100
CLAUSE_TEXT_MAX = 1000
CLAUSE_INTEGERS = range(-(2**31), 2**31)
_EVENT_PROPERTIES = ("name", "source", "timestamp")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Faults = list[Issue]


def check_definition(meter: Meter) -> None:
    """Raise `Invalid` with all faults of a new meter's definition (openmeter 2.1, polar 4.2)."""
    faults: Faults = []
    check = _check_openmeter if meter.dialect == "openmeter" else _check_polar
    check(meter, faults)
    faults += text_faults(meter)
    refuse(faults)


def text_faults(meter: Meter) -> Faults:
    """Texts that the database cannot hold: U+0000 and halves of surrogate pairs, at any depth."""
    text = "This value contains invalid characters"
    given: dict[str, object] = {
        "name": meter.name,
        "description": meter.description,
        "metadata": meter.metadata,
        "group_by": meter.group_by,
        "custom_label": meter.custom_label,
        "external_id": meter.external_id,
        "filter": [clause.value for clause in _all_clauses(meter.filter)],
    }
    return [Issue((key,), text, "value_error") for key, value in given.items() if not _is_storable(value)]


def _all_clauses(tree: Filter) -> list[Clause]:
    found: list[Clause] = []
    for node in tree.clauses:
        found += _all_clauses(node) if isinstance(node, Filter) else [node]
    return found


def _is_storable(value: object) -> bool:
    match value:
        case str():
            return "\x00" not in value and is_unicode(value)
        case Mapping():
            return all(_is_storable(key) and _is_storable(member) for key, member in value.items())
        case list() | tuple():
            return all(_is_storable(member) for member in value)
        case _:
            return True


def refuse(faults: Faults) -> None:
    """Raise `Invalid` when there are faults."""
    if faults:
        raise Invalid("; ".join(fault.message for fault in faults), issues=tuple(faults))


def _check_openmeter(meter: Meter, faults: Faults) -> None:
    if not SLUG.fullmatch(meter.slug) or len(meter.slug) > SLUG_LENGTH_MAX:
        text = "slug must be 1 to 64 lower case letters, digits and single underscores between them"
        faults.append(Issue(("slug",), text, "invalid_slug", meter.slug))
    if not meter.event_type:
        faults.append(Issue(("eventType",), "meter event type is required", "missing"))
    if meter.description == "":
        faults.append(Issue(("description",), "description must not be empty", "too_short"))
    if meter.aggregation is Aggregation.COUNT:
        if meter.value_path is not None:
            text = "meter value property is not allowed when the aggregation is count"
            faults.append(Issue(("valueProperty",), text, "forbidden", meter.value_path))
    elif not meter.value_path:
        text = "meter value property is required when the aggregation is not count"
        faults.append(Issue(("valueProperty",), text, "missing"))
    else:
        _try(faults, lambda: parse_jsonpath(meter.value_path or "", field=("valueProperty",)))
    check_group_by(meter.group_by, meter.value_path, faults)


def check_group_by(group_by: Mapping[str, str], value_path: str | None, faults: Faults) -> None:
    """Collect the faults of an OpenMeter meter's group-bys."""
    if len(group_by) > GROUP_BYS_MAX:
        faults.append(Issue(("groupBy",), f"a meter has at most {GROUP_BYS_MAX} group-bys", "too_long"))
    for key, path in group_by.items():
        if not GROUP_KEY.fullmatch(key):
            text = f"group by key {key[:64]!r} must be letters, digits and underscores, no digit first"
            faults.append(Issue(("groupBy", key), text, "invalid_key", key))
        if value_path is not None and path == value_path:
            text = f"group by value {key} must not be the value property"
            faults.append(Issue(("groupBy", key), text, "invalid_path", path))
        _try(faults, lambda at=("groupBy", key), path=path: parse_jsonpath(path, field=at))


def _check_polar(meter: Meter, faults: Faults) -> None:
    if len(meter.name) < 3:
        text = "String should have at least 3 characters"
        faults.append(Issue(("name",), text, "string_too_short", meter.name))
    faults += filter_faults(meter.filter)
    faults += aggregation_faults(meter.aggregation, meter.value_path)
    if meter.unit == "custom" and meter.custom_label is None:
        text = "Value error, custom_label is required when unit is 'custom'."
        faults.append(Issue((), text, "value_error"))
    if meter.unit != "custom" and meter.custom_label is not None:
        text = "Value error, custom_label and custom_multiplier are only allowed when unit is 'custom'."
        faults.append(Issue((), text, "value_error"))
    if meter.custom_multiplier is not None and meter.custom_multiplier <= 0:
        text = "Input should be greater than 0"
        faults.append(Issue(("custom_multiplier",), text, "greater_than", meter.custom_multiplier))


def filter_faults(tree: Filter) -> Faults:
    """Faults of a Polar filter: size, properties, and the range of clause values (polar 4.2)."""
    faults: Faults = []
    _try(faults, lambda: check_filter(tree, field=("filter",)))
    if not faults:
        faults += _clause_faults(tree, ("filter",))
    return faults


def _clause_faults(tree: Filter, at: tuple[str | int, ...]) -> Faults:
    faults: Faults = []
    for index, node in enumerate(tree.clauses):
        here = (*at, "clauses", index)
        if isinstance(node, Filter):
            faults += _clause_faults(node, here)
        elif isinstance(node.value, str) and len(node.value) > CLAUSE_TEXT_MAX:
            text = f"String should have at most {CLAUSE_TEXT_MAX} characters"
            faults.append(Issue((*here, "value"), text, "string_too_long"))
        elif not isinstance(node.value, str) and int(node.value) not in CLAUSE_INTEGERS:
            text = "Input should be a 32-bit integer"
            faults.append(Issue((*here, "value"), text, "int_out_of_range", node.value))
    return faults


def aggregation_faults(aggregation: Aggregation, value_path: str | None) -> Faults:
    """Faults of a Polar aggregation."""
    at = ("aggregation", aggregation.value, "property")
    faults: Faults = []
    if aggregation is Aggregation.LATEST:
        faults.append(Issue(("aggregation",), "latest is not a Polar aggregation", "union_tag_invalid"))
    elif aggregation is not Aggregation.COUNT:
        if value_path is None:
            faults.append(Issue(at, "Field required", "missing"))
        else:
            _try(faults, lambda: parse_dotted(value_path, field=at))
    return faults


def normalised(meter: Meter) -> Meter:
    """A Polar meter as it is stored: one `metadata.` dropped per property, no property on `count`."""
    if meter.dialect != "polar":
        return meter
    path = None if meter.aggregation is Aggregation.COUNT else meter.value_path
    return replace(
        meter,
        filter=stripped(meter.filter),
        value_path=strip_metadata(path) if path is not None else None,
    )


def stripped(tree: Filter) -> Filter:
    """A filter whose properties have lost one leading `metadata.` each."""
    clauses: list[Clause | Filter] = []
    for node in tree.clauses:
        if isinstance(node, Filter):
            clauses.append(stripped(node))
        else:
            clauses.append(replace(node, property=strip_metadata(node.property)))
    return replace(tree, clauses=tuple(clauses))


def is_expressible_as(meter: Meter, dialect: Dialect) -> bool:
    """Whether the other facade has words for this meter.

    Polar has neither `latest` nor paths with indexes; OpenMeter filters by exactly one event type and
    cannot aggregate an event's own properties. Group-bys never change a quantity and are just left out.
    """
    if dialect == meter.dialect:
        return True
    if dialect == "polar":
        return meter.aggregation is not Aggregation.LATEST and (
            meter.aggregation is Aggregation.COUNT or polar_property(meter) is not None
        )
    return bool(meter.event_type) and (
        meter.aggregation is Aggregation.COUNT or value_jsonpath(meter) is not None
    )


def polar_property(meter: Meter) -> str | None:
    """The value path in Polar's dotted words; `None` when there is none or Polar cannot say it."""
    if meter.value_path is None or meter.dialect == "polar":
        return meter.value_path
    steps = parse_jsonpath(meter.value_path).steps
    names = [step for step in steps if isinstance(step, str) and step and "." not in step]
    if not names or len(names) != len(steps):
        return None
    dotted = ".".join(names)
    return None if dotted in _EVENT_PROPERTIES or dotted.startswith("metadata.") else dotted


def value_jsonpath(meter: Meter) -> str | None:
    """The value path as JSONPath; `None` when there is none or OpenMeter cannot say it."""
    if meter.value_path is None or meter.dialect == "openmeter":
        return meter.value_path
    if meter.value_path in _EVENT_PROPERTIES and meter.aggregation is not Aggregation.UNIQUE:
        return None
    path = "$"
    for step in parse_dotted(meter.value_path).steps:
        name = str(step)
        path += f".{name}" if _PLAIN_NAME.fullmatch(name) else f"[{json.dumps(name, ensure_ascii=False)}]"
    return path


def _try(faults: Faults, check: object) -> None:
    assert callable(check)
    try:
        check()
    except Invalid as fault:
        faults += fault.issues
