"""Which cells of a rollup answer a question, and which times must be read from raw events."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from meterhouse.usage.engine.rollups import HOURS, MINUTES, OWNED_HOURS, Stretch, plan_stretches, step_for
from meterhouse.usage.engine.zones import ZoneTable, zone_table
from meterhouse.usage.model import Window

HOUR_US = 3600 * 1_000_000
MINUTE_US = 60 * 1_000_000


def plan(
    from_us: int | None, to_us: int | None, *, step_s: int | None = 3600, by_owner: bool = False
) -> list[Stretch]:
    return plan_stretches(step_s, from_us, to_us, by_owner=by_owner, has_minutes=True)


def test_whole_hours_need_nothing_finer() -> None:
    assert plan(HOUR_US, 3 * HOUR_US) == [Stretch(HOURS, 3600, 10800)]
    assert plan(HOUR_US, 3 * HOUR_US, by_owner=True) == [Stretch(OWNED_HOURS, 3600, 10800)]
    assert plan(None, None) == [Stretch(HOURS, None, None)]


def test_minutes_fill_up_to_the_next_hour() -> None:
    assert plan(HOUR_US - 5 * MINUTE_US + 1, 3 * HOUR_US + MINUTE_US) == [
        Stretch(MINUTES, 3360, 3600),
        Stretch(HOURS, 3600, 10800),
        Stretch(MINUTES, 10800, 10860),
    ]
    assert plan(MINUTE_US, 3 * MINUTE_US) == [Stretch(MINUTES, 60, 180)]
    assert plan(-HOUR_US - 1, None) == [Stretch(MINUTES, -3600, -3600), Stretch(HOURS, -3600, None)][1:]


def test_owners_have_whole_hours_only() -> None:
    assert plan(1, 3 * HOUR_US - 1, by_owner=True) == [Stretch(OWNED_HOURS, 3600, 7200)]
    assert plan(1, 2 * HOUR_US - 1, by_owner=True) == []
    assert plan(None, None, step_s=60, by_owner=True) == []


def test_less_than_a_minute_has_no_cells() -> None:
    assert plan(1, MINUTE_US) == []
    assert plan(None, None, step_s=None) == []


def between(zone: str, year: int) -> ZoneTable:
    bounds = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) for y in (year, year + 1))
    return zone_table(zone).between(*bounds)


@pytest.mark.parametrize(
    ("zone", "window", "step_s"),
    [
        ("UTC", Window.DAY, 3600),
        ("Europe/Berlin", Window.HOUR, 3600),
        ("America/New_York", Window.MINUTE, 60),
        ("Asia/Kathmandu", Window.MONTH, 60),
        ("Australia/Lord_Howe", Window.YEAR, 60),
        ("Asia/Kathmandu", None, 3600),
    ],
)
def test_the_zone_says_how_fine_cells_must_be(zone: str, window: Window | None, step_s: int) -> None:
    assert step_for(window, between(zone, 2026)) == step_s


def test_a_zone_with_odd_seconds_has_no_cells() -> None:
    assert step_for(Window.DAY, ZoneTable((0,), (-2670,))) is None
