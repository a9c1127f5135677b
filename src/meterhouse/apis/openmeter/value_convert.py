"""What an entitlement allows, and how that came about, in OpenMeter's words (openmeter 4.4, 4.6)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from meterhouse.apis.openmeter.numbers import number_to_wire
from meterhouse.entitlements.model import History, Segment, UsageWindow, Value
from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.ids import to_ulid
from meterhouse.kernel.periods import Period

NO_ACCESS: dict[str, object] = {"hasAccess": False}


def value_to_wire(value: Value) -> dict[str, object]:
    """Write a value as the first version shows it."""
    wire: dict[str, object] = {"hasAccess": value.has_access}
    if value.config is not None:
        wire["config"] = value.config
    if value.balance is not None:
        wire |= {
            "balance": number_to_wire(value.balance.balance),
            "usage": number_to_wire(value.balance.usage),
            "overage": number_to_wire(value.balance.overage),
            "totalAvailableGrantAmount": number_to_wire(value.balance.total_available),
        }
    return wire


def value_to_wire_v2(value: Value) -> dict[str, object]:
    """Write a value as the second version shows it: with what each active grant still holds."""
    wire = value_to_wire(value)
    if value.balance is not None:
        wire["grantBalances"] = _amounts(value.balance.grant_balances)
    return wire


def history_to_wire(history: History) -> dict[str, object]:
    return {
        "windowedHistory": [_window(window) for window in history.windows],
        "burndownHistory": [_segment(segment) for segment in history.segments],
    }


def _window(window: UsageWindow) -> dict[str, object]:
    return {
        "period": period_to_wire(window.period),
        "usage": number_to_wire(window.usage),
        "balanceAtStart": number_to_wire(window.balance_at_start),
    }


def _segment(segment: Segment) -> dict[str, object]:
    return {
        "period": period_to_wire(segment.period),
        "usage": number_to_wire(segment.usage),
        "overage": number_to_wire(segment.overage),
        "balanceAtStart": number_to_wire(segment.balance_at_start),
        "grantBalancesAtStart": _amounts(segment.grant_balances_at_start),
        "balanceAtEnd": number_to_wire(segment.balance_at_end),
        "grantBalancesAtEnd": _amounts(segment.grant_balances_at_end),
        "grantUsages": [
            {"grantId": to_ulid(grant_id), "usage": number_to_wire(usage)}
            for grant_id, usage in segment.grant_usages.items()
        ],
    }


def period_to_wire(period: Period) -> dict[str, object]:
    """Write `[start, end)`."""
    return {"from": format_instant(period.start), "to": format_instant(period.end)}


def _amounts(amounts: Mapping[UUID, Decimal]) -> dict[str, object]:
    return {to_ulid(grant_id): number_to_wire(amount) for grant_id, amount in amounts.items()}
