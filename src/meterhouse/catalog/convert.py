"""Features to and from their rows; text filters to and from the JSON form that the API also uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from meterhouse.catalog.model import Feature, LlmUnitCost, ManualUnitCost, UnitCost
from meterhouse.usage.model import StringFilter, StringOperator


def string_filter_to_json(wanted: StringFilter) -> dict[str, object]:
    """Write a filter as `{"$eq": "gpt-4"}`."""
    value: object = wanted.value
    if isinstance(wanted.value, tuple):
        value = [
            string_filter_to_json(part) if isinstance(part, StringFilter) else part for part in wanted.value
        ]
    return {f"${wanted.operator}": value}


def string_filter_from_json(stored: Mapping[str, Any]) -> StringFilter:
    """Read a filter as `string_filter_to_json` wrote it."""
    ((name, value),) = stored.items()
    operator = cast(StringOperator, name.removeprefix("$"))
    if name in ("$and", "$or"):
        return StringFilter(operator, tuple(string_filter_from_json(part) for part in value))
    return StringFilter(operator, tuple(value) if isinstance(value, list) else value)


def feature_to_row(feature: Feature) -> dict[str, object]:
    """All columns of a feature's row."""
    row: dict[str, object] = dict(vars(feature))
    row |= {
        "filters": {key: string_filter_to_json(wanted) for key, wanted in feature.filters.items()},
        "unit_cost": _unit_cost_to_json(feature.unit_cost),
        "metadata": dict(feature.metadata),
    }
    return row


def feature_from_row(row: Mapping[str, Any]) -> Feature:
    """A feature from its row; instants come back in UTC."""
    values: dict[str, Any] = {
        key: value.astimezone(UTC) if isinstance(value, datetime) else value for key, value in row.items()
    }
    values["filters"] = {key: string_filter_from_json(part) for key, part in values["filters"].items()}
    values["unit_cost"] = _unit_cost_from_json(values["unit_cost"])
    return Feature(**values)


def _unit_cost_to_json(cost: UnitCost | None) -> dict[str, str] | None:
    match cost:
        case None:
            return None
        case ManualUnitCost(amount):
            return {"type": "manual", "amount": f"{amount:f}"}
        case LlmUnitCost():
            return {"type": "llm"} | {key: value for key, value in asdict(cost).items() if value is not None}


def _unit_cost_from_json(stored: Mapping[str, str] | None) -> UnitCost | None:
    if stored is None:
        return None
    given = {key: value for key, value in stored.items() if key != "type"}
    return ManualUnitCost(Decimal(given["amount"])) if stored["type"] == "manual" else LlmUnitCost(**given)
