"""Calendar cadences: counted from the anchor, in both directions, without walking."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meterhouse.kernel.errors import Invalid
from meterhouse.kernel.periods import (
    FIRST_INSTANT,
    LAST_INSTANT,
    Cadence,
    Interval,
    Period,
    minute_ceil,
    minute_floor,
)

PATIENT = settings(deadline=None)
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
TEXTS = [
    "DAY",
    "WEEK",
    "MONTH",
    "YEAR",
    "PT1H",
    "P1M",
    "P3M",
    "P1M15D",
    "P1Y2M3DT4H5M6S",
    "P2W",
    "PT36H",
    "P1YT1S",
]
INTERVALS = st.sampled_from(TEXTS).map(Interval.parse)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _slow_boundary(cadence: Cadence, number: int) -> datetime:
    """Month by month over the calendar, then the seconds."""
    year, month, step = cadence.anchor.year, cadence.anchor.month, 1 if number >= 0 else -1
    for _ in range(abs(number) * cadence.interval.months):
        month += step
        if month in (0, 13):
            year, month = year + step, 12 if month == 0 else 1
    day = min(cadence.anchor.day, monthrange(year, month)[1])
    moved = cadence.anchor.replace(year=year, month=month, day=day)
    return moved + timedelta(seconds=cadence.interval.seconds * number)


@PATIENT
@given(INTERVALS, INSTANTS, st.integers(-40, 40))
def test_a_boundary_is_counted_from_the_anchor(interval: Interval, anchor: datetime, number: int) -> None:
    cadence = Cadence(interval, anchor)
    assert cadence.boundary(number) == _slow_boundary(cadence, number)
    assert cadence.number_at(cadence.boundary(number)) == number


@PATIENT
@given(INTERVALS, INSTANTS, INSTANTS)
def test_every_instant_lies_in_one_period(interval: Interval, anchor: datetime, at: datetime) -> None:
    cadence = Cadence(interval, anchor)
    start, end = cadence.period_at(at)
    assert start <= at < end
    assert cadence.at_or_before(at) == start
    assert cadence.after(at) == end
    assert cadence.at_or_after(at) == (start if start == at else end)
    assert cadence.at_or_before(end - timedelta(microseconds=1)) == start


@PATIENT
@given(INTERVALS, INSTANTS, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=60)))
def test_boundaries_of_a_range(
    interval: Interval, anchor: datetime, start: datetime, length: timedelta
) -> None:
    cadence = Cadence(interval, anchor)
    found = list(cadence.between(start, start + length))
    walked, number = [], cadence.number_at(start - timedelta(microseconds=1)) + 1
    while (boundary := _slow_boundary(cadence, number)) < start + length:
        walked.append(boundary)
        number += 1
    assert found == walked
    assert all(earlier < later for earlier, later in pairwise(found))


def test_months_from_the_end_of_a_month() -> None:
    cadence = Cadence(Interval.parse("MONTH"), _at("2027-01-31T10:30"))
    days = [cadence.boundary(number).strftime("%Y-%m-%d") for number in (-2, -1, 0, 1, 2, 3, 13)]
    assert days == [
        "2026-11-30",
        "2026-12-31",
        "2027-01-31",
        "2027-02-28",
        "2027-03-31",
        "2027-04-30",
        "2028-02-29",
    ]
    assert cadence.period_at(_at("2027-02-28T10:29")) == Period(
        _at("2027-01-31T10:30"), _at("2027-02-28T10:30")
    )


def test_a_leap_day_recurs_every_year() -> None:
    cadence = Cadence(Interval.parse("P1Y"), _at("2024-02-29"))
    assert [cadence.boundary(number).day for number in range(5)] == [29, 28, 28, 28, 29]


@pytest.mark.parametrize("text", TEXTS)
def test_the_ends_of_the_calendar_stop_nothing(text: str) -> None:
    first = Cadence(Interval.parse(text), FIRST_INSTANT)
    last = Cadence(Interval.parse(text), LAST_INSTANT)
    assert first.boundary(10**9) == LAST_INSTANT
    assert last.boundary(-(10**9)) == FIRST_INSTANT
    assert first.at_or_before(FIRST_INSTANT) == FIRST_INSTANT
    assert last.after(LAST_INSTANT) == LAST_INSTANT
    assert first.period_at(_at("2026-05-05")).end > _at("2026-05-05")
    assert last.period_at(_at("2026-05-05")).start <= _at("2026-05-05")
    assert list(last.between(LAST_INSTANT, LAST_INSTANT)) == []


@pytest.mark.parametrize(
    ("text", "name", "iso"),
    [
        ("DAY", "DAY", "P1D"),
        ("P7D", "WEEK", "P7D"),
        ("P12M", "YEAR", "P12M"),
        ("PT60M", "HOUR", "PT60M"),
        ("P5W", None, "P5W"),
    ],
)
def test_an_interval_keeps_its_text_and_knows_its_name(text: str, name: str | None, iso: str) -> None:
    interval = Interval.parse(text)
    assert (interval.name, interval.iso) == (name, iso)


def test_an_interval_of_many() -> None:
    assert Interval.named("MONTH", 3) == Interval.parse("P3M")
    assert Interval.named("HOUR", 12) == Interval.parse("PT12H")
    assert not Interval.parse("PT1H").is_below_an_hour
    assert Interval.parse("PT59M59S").is_below_an_hour


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1",
        "1M",
        "P1DT",
        "P0D",
        "PT0S",
        "-P1D",
        "P-1D",
        "P1.5D",
        "p1d",
        "month",
        "P1S",
        "PT1D",
        "P1D ",
        "P999999999Y",
        "P1001Y",
        "P9999999D",
        "P1D1M",
        "P" + "1" * 80 + "D",
        "P١D",
    ],
)
def test_a_wrong_interval_is_refused_by_field(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        Interval.parse(text, field=("usagePeriod", "interval"))
    assert refused.value.issues[0].path == ("usagePeriod", "interval")


@PATIENT
@given(INSTANTS)
def test_minutes(at: datetime) -> None:
    floor, ceil = minute_floor(at), minute_ceil(at)
    assert floor <= at <= ceil
    assert ceil - floor == (timedelta(0) if at == floor else timedelta(minutes=1))
    assert (floor.second, floor.microsecond) == (0, 0)
