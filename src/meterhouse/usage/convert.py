"""Meters to and from their rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from meterhouse.usage.model import Aggregation, Clause, Filter, Meter


def filter_to_json(tree: Filter) -> dict[str, object]:
    """Write a filter in the form that Polar's API also uses (polar 4.1)."""
    clauses: list[dict[str, object]] = []
    for node in tree.clauses:
        if isinstance(node, Filter):
            clauses.append(filter_to_json(node))
        else:
            clauses.append({"property": node.property, "operator": node.operator, "value": node.value})
    return {"conjunction": tree.conjunction, "clauses": clauses}


def filter_from_json(stored: Mapping[str, Any]) -> Filter:
    """Read a filter as `filter_to_json` wrote it."""
    clauses = tuple(
        filter_from_json(node)
        if "conjunction" in node
        else Clause(node["property"], node["operator"], node["value"])
        for node in stored["clauses"]
    )
    return Filter(stored["conjunction"], clauses)


def meter_to_row(meter: Meter) -> dict[str, object]:
    """All columns of a meter's row."""
    row: dict[str, object] = dict(vars(meter))
    row |= {
        "filter": filter_to_json(meter.filter),
        "aggregation": meter.aggregation.value,
        "group_by": dict(meter.group_by),
        "metadata": dict(meter.metadata),
    }
    return row


def meter_from_row(row: Mapping[str, Any]) -> Meter:
    """A meter from its row; instants come back in UTC."""
    values = {key: _in_utc(value) for key, value in row.items()}
    values["filter"] = filter_from_json(values["filter"])
    values["aggregation"] = Aggregation(values["aggregation"])
    return Meter(**values)


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
