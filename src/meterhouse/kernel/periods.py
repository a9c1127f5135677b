"""Calendar intervals counted from an anchor: usage periods, recurrences of grants, lifetimes of grants.

Everything is computed in UTC. The n-th boundary is `anchor + n * interval`, counted from the anchor itself
in either direction and never from its neighbour, so a monthly cadence anchored on January 31 has its
boundaries on February 28 (or 29), March 31 and April 30 (openmeter 4.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from meterhouse.kernel.errors import Invalid, Issue

FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
LAST_INSTANT = datetime.max.replace(tzinfo=UTC)
"""Where the calendar ends. A boundary beyond it falls on it."""

HOUR_S = 3600
DAY_S = 24 * HOUR_S
INTERVAL_MONTHS_MAX = 12 * 1000
INTERVAL_SECONDS_MAX = 366 * 1000 * DAY_S
INTERVAL_TEXT_MAX = 60

_MEAN_YEAR_S = 31_556_952  # of the Gregorian calendar, from which a real date is never off by more than days
_MINUTE = timedelta(minutes=1)
_ISO = re.compile(
    r"P(?=.)(?:(?P<years>\d{1,9})Y)?(?:(?P<months>\d{1,9})M)?"
    r"(?:(?P<weeks>\d{1,9})W)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9})S)?)?",
    re.ASCII,
)
_NAMED = {
    "HOUR": (0, HOUR_S, "PT1H"),
    "DAY": (0, DAY_S, "P1D"),
    "WEEK": (0, 7 * DAY_S, "P1W"),
    "MONTH": (1, 0, "P1M"),
    "YEAR": (12, 0, "P1Y"),
}


class Period(NamedTuple):
    """Half-open: `[start, end)`."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Interval:
    """A calendar duration: whole months, then whole seconds. `iso` is its ISO-8601 text as it was given."""

    months: int
    seconds: int
    iso: str

    @classmethod
    def parse(cls, text: str, *, field: tuple[str | int, ...] = ("interval",)) -> Interval:
        """Read HOUR, DAY, WEEK, MONTH, YEAR or an ISO-8601 duration of whole numbers (`P1M`, `PT12H`).

        Raises `Invalid` naming `field` for anything else, for nothing, and for more than 1,000 years.
        """
        if text in _NAMED:
            return cls(*_NAMED[text])
        found = _ISO.fullmatch(text) if len(text) <= INTERVAL_TEXT_MAX else None
        if found is None:
            raise _refused(
                field,
                f"{text[:60]!r} is not DAY, WEEK, MONTH, YEAR or an ISO-8601 duration such as P1M or PT12H",
            )
        count = {name: int(digits or 0) for name, digits in found.groupdict().items()}
        months = 12 * count["years"] + count["months"]
        seconds = (7 * count["weeks"] + count["days"]) * DAY_S
        seconds += count["hours"] * HOUR_S + count["minutes"] * 60 + count["seconds"]
        if not (months or seconds) or months > INTERVAL_MONTHS_MAX or seconds > INTERVAL_SECONDS_MAX:
            raise _refused(field, f"{text} must be longer than nothing and at most 1,000 years")
        return cls(months, seconds, text)

    @classmethod
    def named(cls, name: str, count: int = 1) -> Interval:
        """So many hours, days, weeks, months or years: `named("MONTH", 3)` is a quarter."""
        months, seconds, iso = _NAMED[name]
        return cls(months * count, seconds * count, iso.replace("1", str(count)))

    @property
    def name(self) -> str | None:
        """HOUR, DAY, WEEK, MONTH or YEAR when it is exactly as long as one of these."""
        for name, (months, seconds, _) in _NAMED.items():
            if (months, seconds) == (self.months, self.seconds):
                return name
        return None

    @property
    def is_below_an_hour(self) -> bool:
        return self.months == 0 and self.seconds < HOUR_S

    def after(self, at: datetime, times: int = 1) -> datetime:
        """`at + times * interval`: months first, onto the last day of a shorter month, then seconds."""
        moved = _add_months(at, self.months * times) if self.months else at
        try:
            return moved + timedelta(seconds=self.seconds * times)
        except OverflowError:
            return LAST_INSTANT if times > 0 else FIRST_INSTANT


@dataclass(frozen=True)
class Cadence:
    """What recurs every `interval`, at `anchor` among other times, without beginning or end."""

    interval: Interval
    anchor: datetime

    def boundary(self, number: int) -> datetime:
        """`anchor + number * interval`; beyond the calendar, its end."""
        return self.interval.after(self.anchor, number)

    def number_at(self, at: datetime) -> int:
        """The number of the last boundary at or before `at`."""
        if not self.interval.months:
            return (at - self.anchor) // timedelta(seconds=self.interval.seconds)
        mean_s = self.interval.months * _MEAN_YEAR_S // 12 + self.interval.seconds
        number = (at - self.anchor) // timedelta(seconds=mean_s)
        while self.boundary(number) > at and self.boundary(number) != FIRST_INSTANT:
            number -= 1
        while (following := self.boundary(number + 1)) <= at and following != LAST_INSTANT:
            number += 1
        return number

    def at_or_before(self, at: datetime) -> datetime:
        """The last boundary at or before `at`."""
        return self.boundary(self.number_at(at))

    def after(self, at: datetime) -> datetime:
        """The first boundary after `at`."""
        return self.boundary(self.number_at(at) + 1)

    def at_or_after(self, at: datetime) -> datetime:
        """The first boundary at or after `at`."""
        last = self.at_or_before(at)
        return last if last == at else self.after(at)

    def period_at(self, at: datetime) -> Period:
        """The period that holds `at`."""
        number = self.number_at(at)
        return Period(self.boundary(number), self.boundary(number + 1))

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The boundaries in `[start, end)`, ascending."""
        number = self.number_at(start)
        if self.boundary(number) < start:
            number += 1
        while (found := self.boundary(number)) < end and found != LAST_INSTANT:
            yield found
            number += 1


def minute_floor(at: datetime) -> datetime:
    """The full minute at or before an instant."""
    return at.replace(second=0, microsecond=0)


def minute_ceil(at: datetime) -> datetime:
    """The full minute at or after an instant."""
    floor = minute_floor(at)
    return floor if floor == at else floor + _MINUTE


def _add_months(at: datetime, months: int) -> datetime:
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return LAST_INSTANT if months > 0 else FIRST_INSTANT
    try:
        return at.replace(year=year, month=month + 1)
    except (
        ValueError
    ):  # the month is too short, so it is not December: step back from the next one's first day
        return at.replace(year=year, month=month + 2, day=1) - timedelta(days=1)


def _refused(field: tuple[str | int, ...], message: str) -> Invalid:
    path = ".".join(str(part) for part in field)
    return Invalid(f"{path}: {message}", issues=(Issue(field, message, "invalid_interval"),))
