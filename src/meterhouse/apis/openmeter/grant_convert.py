"""Grants between OpenMeter's words (both versions) and ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from meterhouse.apis.openmeter.filters import At, instant_from_wire
from meterhouse.apis.openmeter.numbers import amount_from_wire, number_to_wire
from meterhouse.entitlements.drafts import CadenceDraft, GrantDraft
from meterhouse.entitlements.model import ZERO, Expiration, Grant
from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.ids import to_ulid
from meterhouse.kernel.periods import Cadence

# The first version has no words for a grant that never expires, and its shape insists on some.
NEVER = Expiration("YEAR", 100)


def grant_from_wire(body: Mapping[str, Any]) -> GrantDraft:
    """Read the first version's grant: nothing rolls over unless it says so."""
    return _grant_from_wire(body, ("body",), version=1)


def grant_from_wire_v2(body: Mapping[str, Any], at: At = ("body",)) -> GrantDraft:
    """Read the second version's grant: all of it rolls over unless it says otherwise."""
    return _grant_from_wire(body, at, version=2)


def _grant_from_wire(body: Mapping[str, Any], at: At, *, version: int) -> GrantDraft:
    max_rollover, expiration = body.get("maxRolloverAmount"), body.get("expiration")
    recurrence = body.get("recurrence")
    none_given = ZERO if version == 1 else None
    return GrantDraft(
        amount=amount_from_wire(body["amount"]),
        effective_at=instant_from_wire(body["effectiveAt"], (*at, "effectiveAt")),
        priority=body.get("priority"),
        expiration=Expiration(expiration["duration"], expiration["count"]) if expiration else None,
        recurrence=cadence_from_wire(recurrence, (*at, "recurrence")) if recurrence else None,
        min_rollover=amount_from_wire(body.get("minRolloverAmount") or 0),
        max_rollover=none_given if max_rollover is None else amount_from_wire(max_rollover),
        metadata=body.get("metadata"),
        annotations=body.get("annotations") if version == 2 else None,
    )


def cadence_from_wire(wire: Mapping[str, Any], at: At) -> CadenceDraft:
    """Read an interval and its anchor."""
    anchor = wire.get("anchor")
    return CadenceDraft(
        wire["interval"], instant_from_wire(anchor, (*at, "anchor")) if anchor is not None else None
    )


def cadence_to_wire(cadence: Cadence) -> dict[str, object]:
    """Write an interval, by its name where it has one, and its anchor."""
    name = cadence.interval.name
    return {
        "interval": cadence.interval.iso if name in (None, "HOUR") else name,
        "intervalISO": cadence.interval.iso,
        "anchor": format_instant(cadence.anchor),
    }


def grant_to_wire(grant: Grant, now: datetime) -> dict[str, object]:
    """Write a grant as the first version shows it: one without end seems to have one, far away."""
    wire = grant_to_wire_v2(grant, now)
    if grant.expiration is None:
        wire["expiration"] = _expiration_to_wire(NEVER)
        wire["expiresAt"] = format_instant(NEVER.after(grant.effective_at))
    return wire


def grant_to_wire_v2(grant: Grant, now: datetime) -> dict[str, object]:
    """Write a grant as the second version shows it; what is empty is left out."""
    recurrence = grant.recurrence
    following = _next_recurrence(grant, now)
    wire: dict[str, object | None] = {
        "id": to_ulid(grant.id),
        "entitlementId": to_ulid(grant.entitlement_id),
        "amount": number_to_wire(grant.amount),
        "priority": grant.priority or None,  # none was given: the contract has no number for it
        "effectiveAt": format_instant(grant.effective_at),
        "expiration": _expiration_to_wire(grant.expiration) if grant.expiration else None,
        "expiresAt": _instant(grant.expires_at),
        "recurrence": cadence_to_wire(recurrence) if recurrence else None,
        "nextRecurrence": _instant(following),
        "minRolloverAmount": number_to_wire(grant.min_rollover),
        "maxRolloverAmount": number_to_wire(grant.max_rollover),
        "voidedAt": _instant(grant.voided_at),
        "metadata": dict(grant.metadata) if grant.metadata else None,
        "annotations": dict(grant.annotations) if grant.annotations else None,
        "createdAt": format_instant(grant.created_at),
        "updatedAt": format_instant(grant.modified_at or grant.created_at),
        "deletedAt": _instant(grant.deleted_at),
    }
    return {key: value for key, value in wire.items() if value is not None}


def _next_recurrence(grant: Grant, now: datetime) -> datetime | None:
    """When the grant next recurs, from now on; not at all once it has ended."""
    if grant.recurrence is None:
        return None
    following = grant.recurrence.at_or_after(max(now, grant.effective_at))
    return following if grant.ends_at is None or following < grant.ends_at else None


def _expiration_to_wire(expiration: Expiration) -> dict[str, object]:
    return {"duration": expiration.duration, "count": expiration.count}


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)
