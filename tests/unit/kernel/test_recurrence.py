"""When recurring things are due: on the grid, once after a gap, through daylight saving."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.kernel.errors import Invalid
from meterhouse.kernel.recurrence import Recurrence

START = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
CRONS = st.sampled_from(["* * * * *", "0 9 * * 1-5", "30 2 * * *", "*/7 */5 1,15 * *", "0 0 29 2 *"])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"])
RECURRENCES = st.one_of(
    st.integers(60, 10_000_000).map(lambda seconds: Recurrence.checked(interval_s=seconds)),
    st.builds(lambda cron, zone: Recurrence.checked(cron=cron, timezone=zone), CRONS, ZONES),
)


@given(RECURRENCES, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_the_next_time_lies_after_now_and_after_the_planned_one(
    recurrence: Recurrence, planned: datetime, late: timedelta
) -> None:
    now = planned + late
    following = recurrence.following(planned, now)
    assert following > now >= planned
    assert following.tzinfo is UTC


@given(RECURRENCES, INSTANTS, st.timedeltas(timedelta(0), timedelta(days=2)))
def test_being_late_moves_no_later_time(recurrence: Recurrence, planned: datetime, late: timedelta) -> None:
    """Walking the plan step by step arrives where one late step does."""
    now = planned + min(late, timedelta(hours=6))
    walked = planned
    while walked <= now:
        walked = recurrence.following(walked, walked)
    assert recurrence.following(planned, now) == walked


@given(st.integers(60, 100_000), INSTANTS, st.timedeltas(timedelta(0), timedelta(days=9)))
def test_an_interval_stays_on_its_grid(seconds: int, planned: datetime, late: timedelta) -> None:
    following = Recurrence.checked(interval_s=seconds).following(planned, planned + late)
    assert (following - planned) % timedelta(seconds=seconds) == timedelta(0)
    assert following - (planned + late) <= timedelta(seconds=seconds)


def _days(recurrence: Recurrence, start: datetime, count: int) -> list[str]:
    found = []
    for _ in range(count):
        start = recurrence.following(start, start)
        found.append(start.isoformat())
    return found


def test_nine_in_the_morning_stays_nine_in_the_morning() -> None:
    berlin = Recurrence.checked(cron="0 9 * * *", timezone="Europe/Berlin")
    assert _days(berlin, datetime(2026, 3, 28, tzinfo=UTC), 2) == [
        "2026-03-28T08:00:00+00:00",
        "2026-03-29T07:00:00+00:00",
    ]
    for instant in _days(berlin, datetime(2026, 10, 20, tzinfo=UTC), 10):
        assert datetime.fromisoformat(instant).astimezone(ZoneInfo("Europe/Berlin")).hour == 9


def test_a_time_that_the_clock_jumps_over_comes_right_after() -> None:
    berlin = Recurrence.checked(cron="30 2 * * *", timezone="Europe/Berlin")
    assert _days(berlin, datetime(2026, 3, 28, 12, tzinfo=UTC), 2) == [
        "2026-03-29T01:00:00+00:00",
        "2026-03-30T00:30:00+00:00",
    ]


def test_a_time_that_comes_twice_counts_once() -> None:
    berlin = Recurrence.checked(cron="30 2 * * *", timezone="Europe/Berlin")
    assert _days(berlin, datetime(2026, 10, 24, 12, tzinfo=UTC), 2) == [
        "2026-10-25T00:30:00+00:00",
        "2026-10-26T01:30:00+00:00",
    ]


def test_every_hour_means_every_hour_also_on_those_days() -> None:
    berlin = Recurrence.checked(cron="0 * * * *", timezone="Europe/Berlin")
    instants = [
        datetime.fromisoformat(text) for text in _days(berlin, datetime(2026, 10, 24, tzinfo=UTC), 48)
    ]
    assert {later - earlier for earlier, later in itertools.pairwise(instants)} == {timedelta(hours=1)}


@pytest.mark.parametrize(
    ("given_values", "field"),
    [
        ({}, "interval_seconds"),
        ({"interval_s": 60, "cron": "* * * * *"}, "interval_seconds"),
        ({"interval_s": 59}, "interval_seconds"),
        ({"interval_s": 10**9}, "interval_seconds"),
        ({"cron": "* * * *"}, "cron_expression"),
        ({"cron": "* * * * * *"}, "cron_expression"),
        ({"cron": "@daily"}, "cron_expression"),
        ({"cron": "61 * * * *"}, "cron_expression"),
        ({"cron": "0 0 30 2 *"}, "cron_expression"),
        ({"interval_s": 60, "timezone": "Nowhere/At_All"}, "timezone"),
        ({"interval_s": 60, "timezone": "../../etc/passwd"}, "timezone"),
    ],
)
def test_refusals_name_their_field(given_values: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        Recurrence.checked(**given_values)  # type: ignore[arg-type]
    assert refused.value.issues[0].path == (field,)
    assert refused.value.message.startswith(field)


def test_names_of_days_may_be_lower_case() -> None:
    assert Recurrence.checked(cron=" 0  9 * * mon-fri ").cron == "0 9 * * MON-FRI"
    assert Recurrence.checked(interval_s=60).first(START) == START + timedelta(minutes=1)
