"""Histories: windows and segments (openmeter 4.6, example 17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given

from meterhouse.entitlements.engine import Rules
from meterhouse.entitlements.engine.history import plan_history, tell_history
from meterhouse.entitlements.model import History
from meterhouse.kernel.exact import exact_sum
from meterhouse.kernel.periods import Period
from meterhouse.usage.model import Aggregation
from tests.unit.entitlements.story import HOUR, MINUTE, T0, Story, entitlement, grant, reset
from tests.unit.entitlements.test_burn_properties import AFTER, PATIENT, stories

SECOND = timedelta(seconds=1)


def _tell(story: Story, start: timedelta, end: timedelta) -> History:
    hours = range(start // HOUR, -(-end // HOUR))
    windows = [Period(T0 + hour * HOUR, T0 + (hour + 1) * HOUR) for hour in hours]
    rules = Rules(story.entitlement, story.aggregation, tuple(story.grants), tuple(story.resets))
    planned = plan_history(rules, T0 + start, T0 + end, windows)
    return tell_history(planned, [story.value(range_) for range_ in planned.ranges])


def _example_17() -> Story:
    return Story(
        grants=[
            grant(1, 10000),
            grant(2, 10000, effective=3 * HOUR),
            grant(3, 10000, effective=5 * HOUR + 30 * MINUTE),
        ],
        usage=[
            (MINUTE, 100),
            (2 * HOUR + MINUTE, 100),
            (3 * HOUR + MINUTE, 100),
            (5 * HOUR + MINUTE, 100),
            (8 * HOUR + MINUTE, 1100),
            (12 * HOUR - SECOND, 100),
        ],
    )


def test_17_windows_and_segments() -> None:
    history = _tell(_example_17(), timedelta(0), 12 * HOUR)
    assert [window.period.start - T0 for window in history.windows] == [hour * HOUR for hour in range(12)]
    starts = [int(window.balance_at_start) for window in history.windows]
    assert starts == [
        10000, 9900, 9900, 19800, 19700, 19700, 29600, 29600, 29600, 28500, 28500, 28500
    ]  # fmt: skip
    assert [int(window.usage) for window in history.windows] == [
        100, 0, 100, 100, 0, 100, 0, 0, 1100, 0, 0, 100
    ]  # fmt: skip
    assert [segment.period.start - T0 for segment in history.segments] == [
        timedelta(0),
        3 * HOUR,
        5 * HOUR + 30 * MINUTE,
    ]
    assert [segment.balance_at_end for segment in history.segments] == [9800, 19600, 28400]


def test_a_history_starts_where_it_is_asked_to() -> None:
    history = _tell(_example_17(), 4 * HOUR, 9 * HOUR)
    first = history.segments[0]
    assert (first.period.start - T0, first.usage, first.balance_at_start) == (4 * HOUR, 100, 19700)
    assert len(history.segments) == 2


def test_a_reset_is_a_segment_of_no_length() -> None:
    story = Story(
        [grant(1, 100, rollover=(0, 50))],
        [(MINUTE, 130)],
        [reset(2 * HOUR, preserve_overage=True)],
        entitlement=entitlement(interval="DAY"),
    )
    history = _tell(replace(story, grants=[grant(1, 100, rollover=(50, 50))]), timedelta(0), 3 * HOUR)
    told = [(s.period.start - T0, s.period.end - T0, s.is_reset) for s in history.segments]
    assert told == [
        (timedelta(0), 2 * HOUR, False),
        (2 * HOUR, 2 * HOUR, True),
        (2 * HOUR, 3 * HOUR, False),
    ]
    at_reset = history.segments[1]
    assert (at_reset.balance_at_start, at_reset.balance_at_end, at_reset.overage) == (0, 20, 0)
    assert list(at_reset.grant_usages.values()) == [30]


def test_windows_before_measuring_are_left_out() -> None:
    story = Story(
        [grant(1, 100)], [(90 * MINUTE, 7)], entitlement=entitlement(measured_from=T0 + 30 * MINUTE)
    )
    history = _tell(story, 30 * MINUTE, 3 * HOUR)
    assert [(window.period.start - T0, window.usage) for window in history.windows] == [
        (HOUR, 7),
        (2 * HOUR, 0),
    ]


def test_windows_of_a_gauge_hold_its_latest_value() -> None:
    story = Story([grant(1, 100)], [(MINUTE, 30), (61 * MINUTE, 20)], aggregation=Aggregation.LATEST)
    history = _tell(story, timedelta(0), 3 * HOUR)
    told = [(window.usage, window.balance_at_start) for window in history.windows]
    assert told == [(30, 100), (20, 70), (0, 80)]


@PATIENT
@given(stories(), AFTER, AFTER)
def test_a_history_agrees_with_balances(story: Story, first: timedelta, second: timedelta) -> None:
    start, end = sorted((first, second))
    history = _tell(story, start, end)
    for window in history.windows:
        assert window.balance_at_start == story.at(window.period.start - T0).balance.balance
    for earlier, later in pairwise(history.segments):
        assert earlier.period.end == later.period.start
    if history.segments:
        assert history.segments[0].period.start == T0 + start
    if story.aggregation is not Aggregation.LATEST:
        used = exact_sum(window.usage for window in history.windows)
        before = exact_sum(segment.usage for segment in _tell(story, (start // HOUR) * HOUR, start).segments)
        assert used == before + exact_sum(segment.usage for segment in history.segments)


def test_nothing_happens_in_no_time() -> None:
    history = _tell(_example_17(), HOUR, HOUR)
    assert history == History((), ())
    assert Decimal(0) == exact_sum(segment.usage for segment in history.segments)
