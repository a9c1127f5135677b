"""The clock: real time, and one that only moves forward."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from meterhouse.kernel.clock import SystemClock, TestClock, format_instant
from meterhouse.kernel.errors import Conflict


def test_system_clock_is_aware_and_utc():
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_test_clock_runs_until_it_is_moved_and_then_stands():
    clock = TestClock()
    assert clock.now() <= clock.now()
    there = datetime.now(UTC) + timedelta(days=3)
    clock.move_to(there)
    assert clock.now() == clock.now() == there
    clock.move_to(there)
    assert clock.now() == there


def test_a_test_clock_never_moves_back():
    clock = TestClock(datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(Conflict, match="only moves forward"):
        clock.move_to(datetime(2029, 12, 31, 23, 59, tzinfo=UTC))
    assert clock.now() == datetime(2030, 1, 1, tzinfo=UTC)


def test_instants_are_written_in_utc():
    zone = timezone(timedelta(hours=2))
    assert format_instant(datetime(2026, 1, 1, 2, tzinfo=zone)) == "2026-01-01T00:00:00Z"
    assert format_instant(datetime(2026, 1, 1, 2, 0, 0, 5, zone)) == "2026-01-01T00:00:00.000005Z"
