"""Entitlements between OpenMeter's words (both versions) and ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from meterhouse.apis.openmeter.filters import instant_from_wire
from meterhouse.apis.openmeter.grant_convert import cadence_from_wire, cadence_to_wire, grant_from_wire_v2
from meterhouse.apis.openmeter.numbers import amount_from_wire, number_to_wire
from meterhouse.apis.openmeter.value_convert import period_to_wire
from meterhouse.customers.model import Customer
from meterhouse.entitlements.drafts import EntitlementDraft, MeasureFrom
from meterhouse.entitlements.engine import cadence_at, last_reset_at, usage_period_at
from meterhouse.entitlements.model import Entitlement, EntitlementType, Reset
from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.ids import to_ulid


def entitlement_from_wire(body: Mapping[str, Any]) -> EntitlementDraft:
    """Read the body of a creation or an override; the versions do not contradict each other."""
    issue = body.get("issue") or {}
    amount = issue.get("amount", body.get("issueAfterReset"))
    grants, period = body.get("grants"), body.get("usagePeriod")
    return EntitlementDraft(
        type=EntitlementType(body["type"]),
        feature_id=body.get("featureId"),
        feature_key=body.get("featureKey"),
        usage_period=None if period is None else cadence_from_wire(period, ("body", "usagePeriod")),
        measure_usage_from=_measure_from_wire(body.get("measureUsageFrom")),
        is_soft_limit=body.get("isSoftLimit"),
        preserve_overage_at_reset=body.get("preserveOverageAtReset"),
        issue_after_reset=None if amount is None else amount_from_wire(amount),
        issue_after_reset_priority=issue.get("priority", body.get("issueAfterResetPriority")),
        grants=None
        if grants is None
        else tuple(
            grant_from_wire_v2(grant, ("body", "grants", index)) for index, grant in enumerate(grants)
        ),
        config=body.get("config"),
        metadata=body.get("metadata"),
    )


def _measure_from_wire(text: str | None) -> MeasureFrom | None:
    match text:
        case None | "CURRENT_PERIOD_START" | "NOW":
            return text
        case _:
            return instant_from_wire(text, ("body", "measureUsageFrom"))


def entitlement_to_wire(
    entitlement: Entitlement, resets: Sequence[Reset], customer: Customer, now: datetime
) -> dict[str, object]:
    """Write an entitlement as the first version shows it, by its customer's first subject key.

    A customer without any shows its own key, which is a subject too: the contract wants some text.
    """
    wire = _shared(entitlement, resets, now)
    wire["subjectKey"] = min(customer.subject_keys, default=customer.key or to_ulid(customer.id).lower())
    if entitlement.type is EntitlementType.METERED:
        wire["isUnlimited"] = False
    return wire


def entitlement_to_wire_v2(
    entitlement: Entitlement, resets: Sequence[Reset], customer: Customer, now: datetime
) -> dict[str, object]:
    """Write an entitlement as the second version shows it, by its customer."""
    wire = _shared(entitlement, resets, now)
    wire["customerId"] = to_ulid(customer.id)
    if customer.key is not None:
        wire["customerKey"] = customer.key
    if entitlement.issue_after_reset is not None:
        wire["issue"] = {"amount": wire["issueAfterReset"], "priority": wire["issueAfterResetPriority"]}
    return wire


def _shared(entitlement: Entitlement, resets: Sequence[Reset], now: datetime) -> dict[str, object]:
    """What both versions show; what is empty is left out."""
    wire: dict[str, object | None] = {
        "id": to_ulid(entitlement.id),
        "type": entitlement.type.value,
        "featureId": to_ulid(entitlement.feature_id),
        "featureKey": entitlement.feature_key,
        "activeFrom": format_instant(entitlement.active_from),
        "activeTo": _instant(entitlement.active_to),
        "config": entitlement.config,
        "metadata": dict(entitlement.metadata) if entitlement.metadata else None,
        "annotations": dict(entitlement.annotations) if entitlement.annotations else None,
        "createdAt": format_instant(entitlement.created_at),
        "updatedAt": format_instant(entitlement.modified_at or entitlement.created_at),
        "deletedAt": _instant(entitlement.deleted_at),
        **_times(entitlement, resets, now),
    }
    if entitlement.type is EntitlementType.METERED:
        wire |= _limits(entitlement)
    return {key: value for key, value in wire.items() if value is not None}


def _limits(entitlement: Entitlement) -> dict[str, object | None]:
    amount = entitlement.issue_after_reset
    return {
        "isSoftLimit": entitlement.is_soft_limit,
        "preserveOverageAtReset": entitlement.preserve_overage_at_reset,
        "issueAfterReset": None if amount is None else number_to_wire(amount),
        "issueAfterResetPriority": entitlement.issue_after_reset_priority,
    }


def _times(entitlement: Entitlement, resets: Sequence[Reset], now: datetime) -> dict[str, object | None]:
    """The usage period as it stands: of an entitlement that has ended, as it stood at its end."""
    if entitlement.usage_period is None:
        return {}
    start = entitlement.measure_usage_from
    ends = [end for end in (entitlement.active_to, entitlement.deleted_at) if end is not None]
    at = max(min([now, *ends]), start or now)
    cadence = cadence_at(entitlement, resets, at)
    if start is None:
        return {
            "usagePeriod": cadence_to_wire(cadence),
            "currentUsagePeriod": period_to_wire(cadence.period_at(at)),
        }
    return {
        "usagePeriod": cadence_to_wire(cadence),
        "currentUsagePeriod": period_to_wire(usage_period_at(entitlement, resets, at)),
        "measureUsageFrom": format_instant(start),
        "lastReset": format_instant(last_reset_at(entitlement, resets, at)),
    }


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)
