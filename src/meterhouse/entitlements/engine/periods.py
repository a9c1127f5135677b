"""Which usage period an entitlement is in, and when it is reset (openmeter 4.2, 4.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from meterhouse.entitlements.model import Entitlement, Reset
from meterhouse.kernel.errors import InvariantBroken
from meterhouse.kernel.periods import LAST_INSTANT, Cadence, Period, minute_floor

_MINUTE = timedelta(minutes=1)


class ResetTime(NamedTuple):
    """When usage starts from nothing, and whether overage outlives it."""

    at: datetime
    preserve_overage: bool


def cadence_at(entitlement: Entitlement, resets: Sequence[Reset], at: datetime) -> Cadence:
    """The usage period's cadence in force at `at`: a reset that moves the anchor is part of it already."""
    cadence = _first_cadence(entitlement)
    for reset in sorted(resets, key=lambda reset: reset.at):
        if reset.at > at:
            break
        cadence = Cadence(cadence.interval, reset.anchor)
    return cadence


def last_reset_at(entitlement: Entitlement, resets: Sequence[Reset], at: datetime) -> datetime:
    """The last reset at or before `at`, by hand or at a period's end; without any, where measuring starts."""
    start = _measured_from(entitlement)
    manual = max((reset.at for reset in resets if reset.at <= at), default=start)
    boundary = minute_floor(cadence_at(entitlement, resets, at).at_or_before(at))
    return max(start, manual, boundary)


def usage_period_at(entitlement: Entitlement, resets: Sequence[Reset], at: datetime) -> Period:
    """The usage period that holds `at`: from the last reset (first: from where measuring starts) to the next.

    Before measuring starts it is the period of the calendar.
    """
    cadence = cadence_at(entitlement, resets, at)
    end = minute_floor(cadence.after(at))
    if end <= at:  # a boundary within the minute counts from the start of that minute
        end = minute_floor(cadence.after(at + _MINUTE))
    later = min((reset.at for reset in resets if reset.at > at), default=end)
    if at < _measured_from(entitlement):
        return Period(cadence.at_or_before(at), end)
    return Period(last_reset_at(entitlement, resets, at), min(end, later))


def reset_times(
    entitlement: Entitlement, resets: Sequence[Reset], start: datetime, end: datetime
) -> Iterator[ResetTime]:
    """All resets in `[start, end]`, ascending: those asked for, and the ends of periods between them.

    Only what lies after the start of measuring. At the end of a period by the calendar in force, a reset by
    hand at the same minute takes the place of the one that would have come.
    """
    manual = sorted(resets, key=lambda reset: reset.at)
    first = max(start, _measured_from(entitlement) + _MINUTE)
    cadence = _first_cadence(entitlement)
    after = first
    for number in range(len(manual) + 1):
        until = manual[number].at if number < len(manual) else LAST_INSTANT
        stop = min(until, end + _MINUTE)
        if after < stop:
            for boundary in cadence.between(after, stop):
                at = minute_floor(boundary)
                if after <= at:
                    yield ResetTime(at, entitlement.preserve_overage_at_reset)
        if number == len(manual) or until > end:
            return
        if until >= first:
            yield ResetTime(until, manual[number].preserve_overage)
        after = max(after, until + _MINUTE)
        cadence = Cadence(cadence.interval, manual[number].anchor)


def _first_cadence(entitlement: Entitlement) -> Cadence:
    if entitlement.usage_period is None:
        raise InvariantBroken(f"entitlement {entitlement.id} has no usage period")
    return entitlement.usage_period


def _measured_from(entitlement: Entitlement) -> datetime:
    if entitlement.measure_usage_from is None:
        raise InvariantBroken(f"entitlement {entitlement.id} measures no usage")
    return entitlement.measure_usage_from
