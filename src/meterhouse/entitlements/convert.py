"""Entitlements, grants and resets to and from their rows. Instants come back in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from meterhouse.entitlements.model import Entitlement, EntitlementType, Expiration, Grant, Reset
from meterhouse.kernel.periods import Cadence, Interval

_ENTITLEMENT = tuple(field.name for field in fields(Entitlement) if field.name != "usage_period")
_GRANT = tuple(field.name for field in fields(Grant) if field.name not in ("expiration", "recurrence"))


def entitlement_to_row(entitlement: Entitlement) -> dict[str, object]:
    """All columns of an entitlement's row but its revision."""
    row: dict[str, object] = {name: getattr(entitlement, name) for name in _ENTITLEMENT}
    period = entitlement.usage_period
    return row | {
        "type": entitlement.type.value,
        "usage_interval": period.interval.iso if period else None,
        "usage_anchor": period.anchor if period else None,
        "modified_at": entitlement.modified_at or entitlement.created_at,
    }


def entitlement_from_row(row: Mapping[Any, Any]) -> Entitlement:
    values = {name: _in_utc(row[name]) for name in _ENTITLEMENT}
    values["type"] = EntitlementType(values["type"])
    return Entitlement(**values, usage_period=_cadence(row["usage_interval"], row["usage_anchor"]))


def grant_to_row(grant: Grant, *, organisation_id: UUID) -> dict[str, object]:
    """All columns of a grant's row."""
    row: dict[str, object] = {name: getattr(grant, name) for name in _GRANT}
    expiration, recurrence = grant.expiration, grant.recurrence
    return row | {
        "organisation_id": organisation_id,
        "expiration_duration": expiration.duration if expiration else None,
        "expiration_count": expiration.count if expiration else None,
        "recurrence_interval": recurrence.interval.iso if recurrence else None,
        "recurrence_anchor": recurrence.anchor if recurrence else None,
        "modified_at": grant.modified_at or grant.created_at,
    }


def grant_from_row(row: Mapping[Any, Any]) -> Grant:
    values = {name: _in_utc(row[name]) for name in _GRANT}
    duration, count = row["expiration_duration"], row["expiration_count"]
    return Grant(
        **values,
        expiration=Expiration(duration, count) if duration is not None else None,
        recurrence=_cadence(row["recurrence_interval"], row["recurrence_anchor"]),
    )


def reset_from_row(row: Mapping[Any, Any]) -> Reset:
    return Reset(_in_utc(row["at"]), _in_utc(row["anchor"]), row["preserve_overage"])


def _cadence(interval: str | None, anchor: datetime | None) -> Cadence | None:
    if interval is None or anchor is None:
        return None
    return Cadence(Interval.parse(interval), anchor.astimezone(UTC))


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
