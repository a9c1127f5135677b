"""Why a balance is what it is, in words and figures that whoever pays for it understands.

Nothing here is remembered for the purpose: the run of the engine is repeated from stored rules and events,
and what it did is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from meterhouse.entitlements.engine import Outcome
from meterhouse.entitlements.engine.burn import Ledger
from meterhouse.entitlements.model import ZERO, Balance, Grant, Segment
from meterhouse.entitlements.terms import Terms
from meterhouse.kernel.clock import format_instant
from meterhouse.usage.model import Aggregation, StoredEvent

GrantStatus = Literal["active", "future", "expired", "voided"]

_COUNTED: dict[Aggregation, str] = {
    Aggregation.SUM: "adds up {path} of events of type {type}",
    Aggregation.COUNT: "counts events of type {type}",
    Aggregation.UNIQUE: "counts different values of {path} in events of type {type}, each once per period",
    Aggregation.MAX: "takes the highest {path} among events of type {type} in the period",
    Aggregation.LATEST: "takes the latest {path} of events of type {type}; grants are limits, not used up",
}


@dataclass(frozen=True)
class GrantStanding:
    """One grant at the moment explained: its place among those burnt, and what became of it."""

    grant: Grant
    status: GrantStatus
    place: int | None
    balance: Decimal
    used_in_period: Decimal
    sentence: str


@dataclass(frozen=True)
class CountedEvent:
    """An event behind the usage of the period, and what it counts for."""

    event: StoredEvent
    counts_for: Decimal


@dataclass(frozen=True)
class Explanation:
    """What led to a balance. `segments` are those of the usage period, `ledger` covers all time measured."""

    balance: Balance
    sentences: tuple[str, ...]
    grants: tuple[GrantStanding, ...]
    segments: tuple[Segment, ...]
    events: tuple[CountedEvent, ...]
    ledger: Ledger


def explain(terms: Terms, outcome: Outcome, events: tuple[CountedEvent, ...]) -> Explanation:
    """Put an outcome into words. `events` are the newest that count in the period."""
    balance = outcome.balance
    period = balance.period
    segments = tuple(segment for segment in outcome.segments if segment.period.end > period.start)
    return Explanation(
        balance=balance,
        sentences=tuple(_sentences(terms, balance)),
        grants=tuple(_standings(terms, balance)),
        segments=segments,
        events=events,
        ledger=outcome.ledger,
    )


def _sentences(terms: Terms, balance: Balance) -> list[str]:
    entitlement, rules, usage = terms.entitlement, terms.rules, terms.usage
    assert rules is not None
    assert usage is not None
    meter = usage.meter
    counted = _COUNTED[meter.aggregation].format(
        path=meter.value_path or "nothing", type=meter.event_type or "any"
    )
    told = [
        f"The meter {meter.slug} {counted}.",
        f"Usage is that of the customer {terms.customer.display_name}: "
        f"{_listed(usage.customer.external_ids) or 'events that name the customer by its id'}.",
        f"This usage period began at {_at(balance.period.start)} and ends at {_at(balance.period.end)}; "
        f"{_number(balance.usage)} was used in it so far.",
    ]
    if usage.group_filters:
        told.insert(1, f"Only events count whose {_listed(sorted(usage.group_filters))} match the feature.")
    told.append(
        f"Grants gave {_number(balance.total_available)} for this period, of which "
        f"{_number(balance.balance)} is left. They are used in the order of priority, then of expiry."
    )
    if balance.overage > 0:
        kept = "stays" if entitlement.preserve_overage_at_reset else "is forgiven"
        told.append(
            f"{_number(balance.overage)} was used beyond all grants. It is paid first when new credit comes, "
            f"and {kept} when the period ends."
        )
    if entitlement.is_soft_limit:
        told.append("The limit is soft: access does not depend on the balance.")
    else:
        told.append("There is access while the balance is above 0.")
    return told


def _standings(terms: Terms, balance: Balance) -> list[GrantStanding]:
    assert terms.rules is not None
    found, place = [], 0
    for grant in terms.rules.ranked:
        status = _status(grant, balance.at)
        if status == "active":
            place += 1
        left = balance.grant_balances.get(grant.id, ZERO)
        used = balance.grant_usages.get(grant.id, ZERO)
        sentence = _about(grant, status, left, used)
        found.append(
            GrantStanding(grant, status, place if status == "active" else None, left, used, sentence)
        )
    return found


def _status(grant: Grant, at: datetime) -> GrantStatus:
    if grant.is_active(at):
        return "active"
    if grant.effective_at > at:
        return "future"
    return "expired" if grant.ends_at == grant.expires_at else "voided"


def _about(grant: Grant, status: GrantStatus, left: Decimal, used: Decimal) -> str:
    amount = _number(grant.amount)
    if status == "future":
        return f"{amount}, from {_at(grant.effective_at)} on."
    if status != "active":
        assert grant.ends_at is not None
        return f"{amount}, {status} at {_at(grant.ends_at)}; {_number(used)} of it was used in this period."
    told = f"{amount} since {_at(grant.effective_at)}; {_number(left)} is left"
    told += f", {_number(used)} was used in this period" if used else ""
    if grant.recurrence is not None:
        told += f"; it is full again every {grant.recurrence.interval.iso}"
    if grant.max_rollover:
        told += f"; up to {_number(grant.max_rollover)} is carried into the next period"
    if grant.expires_at is not None:
        told += f"; it expires at {_at(grant.expires_at)}"
    return told + "."


def _at(instant: datetime) -> str:
    return format_instant(instant)


def _number(amount: Decimal) -> str:
    return f"{amount:f}".rstrip("0").rstrip(".") if "." in f"{amount:f}" else f"{amount:f}"


def _listed(texts: tuple[str, ...] | list[str]) -> str:
    shown = list(texts[:10])
    more = len(texts) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
