"""Features between OpenMeter's words and ours."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from meterhouse.apis.openmeter.filters import At, refused, string_filter_from_wire
from meterhouse.catalog.convert import string_filter_to_json
from meterhouse.catalog.model import Feature, FeatureDraft, LlmUnitCost, ManualUnitCost, UnitCost
from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.ids import to_ulid
from meterhouse.usage.model import StringFilter

_AMOUNT_LENGTH_MAX = 100
_ADVANCED = "advancedMeterGroupByFilters"
_SIMPLE = "meterGroupByFilters"
_LLM = {
    "provider": "provider",
    "providerProperty": "provider_property",
    "model": "model",
    "modelProperty": "model_property",
    "tokenType": "token_type",
    "tokenTypeProperty": "token_type_property",
}


def feature_from_wire(body: Mapping[str, Any]) -> FeatureDraft:
    """Read the body of a feature's creation. Both filter forms may be sent as long as they agree."""
    return FeatureDraft(
        key=body["key"],
        name=body["name"],
        meter_slug=body.get("meterSlug"),
        filters=_filters_from_wire(body),
        unit_cost=_unit_cost_from_wire(body.get("unitCost")),
        metadata=body.get("metadata") or {},
    )


def filters_field(body: Mapping[str, Any]) -> str:
    """The form in which a body brings its filters."""
    return _ADVANCED if body.get(_ADVANCED) else _SIMPLE


def _filters_from_wire(body: Mapping[str, Any]) -> dict[str, StringFilter]:
    at: At = ("body", _ADVANCED)
    simple = {key: StringFilter("eq", value) for key, value in (body.get(_SIMPLE) or {}).items()}
    advanced = {
        key: string_filter_from_wire(wanted, (*at, key))
        for key, wanted in (body.get(_ADVANCED) or {}).items()
    }
    # What a read returns may be sent again: the simple form leaves out what it has no words for.
    if advanced and any(advanced.get(key) != wanted for key, wanted in simple.items()):
        raise refused(at, f"says something else than {_SIMPLE}; send one of them", "conflicting_filters")
    return advanced or simple


def _unit_cost_from_wire(wire: Mapping[str, Any] | None) -> UnitCost | None:
    if wire is None:
        return None
    if wire["type"] == "llm":
        return LlmUnitCost(**{ours: wire[theirs] for theirs, ours in _LLM.items() if wire.get(theirs)})
    if len(wire["amount"]) > _AMOUNT_LENGTH_MAX:
        text = f"must have at most {_AMOUNT_LENGTH_MAX} characters"
        raise refused(("body", "unitCost", "amount"), text, "maxLength")
    return ManualUnitCost(Decimal(wire["amount"]))


def feature_to_wire(feature: Feature) -> dict[str, object]:
    """Write a feature; what is empty is left out."""
    simple = {key: wanted.value for key, wanted in feature.filters.items() if wanted.operator == "eq"}
    advanced = {key: string_filter_to_json(wanted) for key, wanted in feature.filters.items()}
    wire: dict[str, object | None] = {
        "id": to_ulid(feature.id),
        "key": feature.key,
        "name": feature.name,
        "meterSlug": feature.meter_slug,
        _SIMPLE: simple or None,
        _ADVANCED: advanced or None,
        "unitCost": _unit_cost_to_wire(feature.unit_cost),
        "metadata": dict(feature.metadata) or None,
        "createdAt": format_instant(feature.created_at),
        "updatedAt": format_instant(feature.modified_at),
        "archivedAt": format_instant(feature.archived_at) if feature.archived_at else None,
    }
    return {key: value for key, value in wire.items() if value is not None}


def _unit_cost_to_wire(cost: UnitCost | None) -> dict[str, object] | None:
    match cost:
        case None:
            return None
        case ManualUnitCost(amount):
            return {"type": "manual", "amount": f"{amount:f}"}
        case LlmUnitCost():
            given = {theirs: getattr(cost, ours) for theirs, ours in _LLM.items()}
            return {"type": "llm"} | {key: value for key, value in given.items() if value is not None}
