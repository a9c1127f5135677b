"""Credits of a customer on a meter: running sums, the current period, rollover (polar 10.3 to 10.5). Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Literal
from uuid import UUID

from meterhouse.usage.model import Event

CREDITED = "meter.credited"
RESET = "meter.reset"
REVERSIBLE_FOR = timedelta(days=7)

Reason = Literal["benefit", "manual"]


@dataclass(frozen=True)
class Credit:
    """Units given, or taken back when negative; `reverses` names the credit that this one undoes."""

    uid: UUID
    at: datetime
    ingested_at: datetime
    units: int
    is_rollover: bool = False
    reason: Reason = "benefit"
    reverses: str = ""


@dataclass(frozen=True)
class Period:
    """What has been credited since the last reset; `reset_at` is `None` before the first one."""

    reset_at: datetime | None = None
    credits: tuple[Credit, ...] = ()
    changed_at: datetime | None = None

    @property
    def credited(self) -> int:
        """The units that count, in the order in which they were credited."""
        return running_sum(credit.units for credit in self.credits)


@dataclass(frozen=True)
class MeterReset:
    """The end of a period."""

    at: datetime
    ingested_at: datetime


def read_system_event(event: Event) -> tuple[UUID, Credit | MeterReset] | None:
    """The meter that a system event is about, and what it says; `None` for one that says nothing of ours."""
    try:
        data = json.loads(event.data)
        meter_id = UUID(data["meter_id"])
        if event.type == RESET:
            return meter_id, MeterReset(event.time, event.ingested_at)
        units, is_rollover, reason = data["units"], data["rollover"], data.get("reason", "benefit")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    is_credit = event.type == CREDITED and type(units) is int and type(is_rollover) is bool
    if not is_credit or reason not in ("benefit", "manual"):
        return None
    return meter_id, Credit(
        event.uid, event.time, event.ingested_at, units, is_rollover, reason, event.parent_id
    )


def running_sum(units: Iterable[int]) -> int:
    """Add up units, never below zero: a large negative one does not push later ones below."""
    total = 0
    for amount in units:
        total = max(0, total + amount)
    return total


def current_period(entries: Iterable[Credit | MeterReset]) -> Period:
    """What one customer's events on one meter say. A credit at the very time of a reset comes after it."""
    known = list(entries)
    reset_at = max((entry.at for entry in known if isinstance(entry, MeterReset)), default=None)
    credits = [entry for entry in known if isinstance(entry, Credit)]
    since = [credit for credit in credits if reset_at is None or credit.at >= reset_at]
    ordered = sorted(since, key=lambda credit: (credit.at, credit.ingested_at, str(credit.uid)))
    return Period(reset_at, tuple(ordered), max((entry.ingested_at for entry in known), default=None))


def rolled_over(*, granted: Iterable[int], rollover: Iterable[int], used: Fraction) -> int:
    """How many units go over into the next period (polar 10.4).

    `granted` are the ended period's credits in order, those that had rolled over into it aside, which are
    `rollover`; `used` is its usage.
    """
    carried = running_sum(rollover)
    return max(0, min(int(running_sum(granted) + carried - used), carried))


def reversible_units(credit: Credit, period: Period, *, consumed: Fraction, now: datetime) -> int:
    """How many units of a credit can be taken back now: the unused ones, none when it is not reversible."""
    is_current = any(other.uid == credit.uid for other in period.credits)
    is_reversed = any(other.reverses == str(credit.uid) for other in period.credits)
    is_eligible = credit.reason == "manual" and not credit.reverses and now - credit.at <= REVERSIBLE_FOR
    if not is_current or is_reversed or not is_eligible:
        return 0
    unused = math.floor(period.credited - consumed)
    return max(0, min(credit.units, unused))
