"""Entitlements, grants, resets and values to and from their rows. Instants come back in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from meterhouse.entitlements.model import (
    Balance,
    Entitlement,
    EntitlementType,
    Expiration,
    Grant,
    Reset,
    Value,
)
from meterhouse.kernel.periods import Cadence, Interval, Period

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


def value_to_row(value: Value) -> dict[str, Any]:
    """A value as JSON; amounts are texts, which keep every digit."""
    balance = value.balance
    row: dict[str, Any] = {"at": value.at.isoformat(), "has_access": value.has_access}
    if balance is not None:
        row["balance"] = {
            "at": balance.at.isoformat(),
            "period": [edge.isoformat() for edge in balance.period],
            "amounts": [
                str(amount)
                for amount in (balance.balance, balance.usage, balance.overage, balance.total_available)
            ],
            "grants": {str(grant_id): str(left) for grant_id, left in balance.grant_balances.items()},
            "burnt": {str(grant_id): str(used) for grant_id, used in balance.grant_usages.items()},
        }
    return row


def value_from_row(row: Mapping[str, Any], entitlement: Entitlement) -> Value:
    balance, at = None, datetime.fromisoformat(row["at"])
    if (kept := row.get("balance")) is not None:
        left, used, overage, total = (Decimal(text) for text in kept["amounts"])
        start, end = (datetime.fromisoformat(text) for text in kept["period"])
        balance = Balance(
            at=datetime.fromisoformat(kept["at"]),
            period=Period(start, end),
            balance=left,
            usage=used,
            overage=overage,
            total_available=total,
            grant_balances={UUID(key): Decimal(text) for key, text in kept["grants"].items()},
            grant_usages={UUID(key): Decimal(text) for key, text in kept["burnt"].items()},
        )
    return Value(entitlement, at, row["has_access"], balance=balance)


def _cadence(interval: str | None, anchor: datetime | None) -> Cadence | None:
    if interval is None or anchor is None:
        return None
    return Cadence(Interval.parse(interval), anchor.astimezone(UTC))


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
