"""Calendar buckets and Polar's listed instants over changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.kernel.errors import Invalid
from meterhouse.usage.engine.windows import (
    bucket_bounds,
    bucket_key,
    check_span,
    from_second,
    listed_instants,
    to_second,
)
from meterhouse.usage.engine.zones import check_zone, zone_table
from meterhouse.usage.model import Window

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # used to skip midnight
    "America/Havana",  # repeats the hour after midnight
    "Australia/Lord_Howe",  # moves by half an hour
    "Asia/Kathmandu",  # three quarters of an hour off
    "Pacific/Apia",  # skipped a whole day in 2011
    "Africa/Casablanca",
    "Asia/Tehran",
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.parametrize(
    ("zone", "window", "moment", "start", "end"),
    [
        ("UTC", "day", "2026-03-02T10:00Z", "2026-03-02T00:00Z", "2026-03-03T00:00Z"),
        ("America/New_York", "day", "2026-03-08T12:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z"),
        ("America/New_York", "day", "2025-11-02T12:00Z", "2025-11-02T04:00Z", "2025-11-03T05:00Z"),
        ("America/New_York", "hour", "2025-11-02T06:30Z", "2025-11-02T06:00Z", "2025-11-02T07:00Z"),
        ("Europe/Berlin", "month", "2026-03-15T00:00Z", "2026-02-28T23:00Z", "2026-03-31T22:00Z"),
        ("UTC", "week", "2026-03-01T23:59:59Z", "2026-02-23T00:00Z", "2026-03-02T00:00Z"),
        ("UTC", "year", "2026-03-01T23:59:59Z", "2026-01-01T00:00Z", "2027-01-01T00:00Z"),
        ("America/Sao_Paulo", "day", "2018-11-04T12:00Z", "2018-11-04T03:00Z", "2018-11-05T02:00Z"),
        ("Asia/Kathmandu", "hour", "2026-03-02T00:20Z", "2026-03-02T00:15Z", "2026-03-02T01:15Z"),
        ("Australia/Lord_Howe", "hour", "2025-10-04T15:40Z", "2025-10-04T15:30Z", "2025-10-04T16:00Z"),
        ("Pacific/Apia", "day", "2011-12-30T09:00Z", "2011-12-29T10:00Z", "2011-12-30T10:00Z"),
        ("UTC", "minute", "2026-03-02T10:00:59Z", "2026-03-02T10:00Z", "2026-03-02T10:01Z"),
    ],
)
def test_bounds(zone, window, moment, start, end):
    table = zone_table(zone)
    key = bucket_key(table, Window(window), to_second(at(moment)))
    assert bucket_bounds(table, Window(window), key) == (at(start), at(end))


@given(st.sampled_from(ZONES), st.sampled_from(list(Window)), st.integers(0, 4_000_000_000))
def test_buckets_hold_their_instants_and_touch(zone, window, second):
    table = zone_table(zone)
    key = bucket_key(table, window, second)
    start, end = bucket_bounds(table, window, key)
    assert start <= from_second(second) < end
    following = bucket_key(table, window, to_second(end))
    assert bucket_bounds(table, window, following)[0] == end
    local = start.astimezone(ZoneInfo(zone))
    if window in (Window.DAY, Window.WEEK, Window.MONTH, Window.YEAR) and from_second(second).year < 2099:
        assert (local - timedelta(seconds=1)).date() < local.date() or local.hour == 0


@given(st.sampled_from(ZONES), st.integers(0, 4_000_000_000))
def test_table_agrees_with_the_zone_database(zone, second):
    wanted = datetime.fromtimestamp(second, ZoneInfo(zone)).utcoffset()
    assert timedelta(seconds=zone_table(zone).offset_at(second)) == wanted


@pytest.mark.parametrize(
    "zone", ["", "Mars/Base", "europe/berlin", "../etc/passwd", "/etc/localtime", "a\x00"]
)
def test_unknown_zones_are_refused(zone):
    with pytest.raises(Invalid):
        check_zone(zone)


@pytest.mark.parametrize(
    ("interval", "start", "end", "is_fine"),
    [
        ("hour", "2026-03-02T00:00Z", "2026-03-09T23:00Z", True),
        ("hour", "2026-03-02T00:00Z", "2026-03-10T00:00Z", False),
        ("day", "2024-01-01T00:00Z", "2025-01-01T00:00Z", True),
        ("day", "2024-01-01T00:00Z", "2025-01-02T00:00Z", False),
        ("day", "2024-01-02T00:00Z", "2024-01-01T00:00Z", False),
        ("day", "2024-01-02T00:00Z", "2024-01-02T00:00Z", True),
    ],
)
def test_span(interval, start, end, is_fine):
    if is_fine:
        check_span(at(start), at(end), interval)
    else:
        with pytest.raises(Invalid):
            check_span(at(start), at(end), interval)


def test_local_clock_time_is_kept_over_a_skipped_hour():
    table = zone_table("America/New_York")
    listed = listed_instants(table, at("2026-03-07T07:30Z"), at("2026-03-10T07:30Z"), "day")
    hours = [(instant.day, instant.hour, instant.minute) for instant in listed]
    assert hours == [(7, 7, 30), (8, 7, 30), (9, 6, 30), (10, 6, 30)]


def test_microseconds_are_kept():
    start = at("2026-03-02T00:00:00.000001Z")
    listed = listed_instants(zone_table("UTC"), start, start + timedelta(days=1), "day")
    assert listed == (start, start + timedelta(days=1))
    assert listed[0].tzinfo is UTC
