"""Credits: clamped sums, periods, what can be reversed, and what rolls over (polar 10.3 to 10.5)."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.usage_factory import NOW, event

from meterhouse.kernel.ids import new_id
from meterhouse.usage.engine.credits import (
    Credit,
    MeterReset,
    current_period,
    read_system_event,
    reversible_units,
    rolled_over,
    running_sum,
)


def credit(units: int, *, hours: int = 0, **rest):
    at = NOW + timedelta(hours=hours)
    return Credit(
        **({"uid": new_id(), "at": at, "ingested_at": at, "units": units, "reason": "manual"} | rest)
    )


def reset(hours: int) -> MeterReset:
    at = NOW + timedelta(hours=hours)
    return MeterReset(at, at)


@pytest.mark.parametrize(
    ("granted", "rollover", "used", "amount"),
    [
        (0, 0, 0, 0),
        (100, 0, 0, 0),
        (0, 100, 0, 100),
        (0, 100, 50, 50),
        (0, 100, 100, 0),
        (0, 100, 150, 0),
        (80, 60, 80, 60),
        (80, 60, 100, 40),
        (80, 60, 150, 0),
    ],
)
def test_rollover(granted, rollover, used, amount):
    assert rolled_over(granted=[granted], rollover=[rollover], used=Fraction(used)) == amount


def test_rollover_counts_whole_units_and_clamps_both_sums():
    assert rolled_over(granted=[], rollover=[100], used=Fraction("0.5")) == 99
    assert rolled_over(granted=[10, -100, 5], rollover=[100, -150, 50], used=Fraction(0)) == 50


@given(
    granted=st.lists(st.integers(-100, 100), max_size=5),
    rollover=st.lists(st.integers(-100, 100), max_size=5),
    used=st.fractions(0, 500),
)
def test_what_rolls_over_never_exceeds_what_had_rolled_over(granted, rollover, used):
    amount = rolled_over(granted=granted, rollover=rollover, used=used)
    assert 0 <= amount <= running_sum(rollover)
    assert amount <= max(0, running_sum(granted) + running_sum(rollover) - used)


@pytest.mark.parametrize(("units", "total"), [([100, -150, 50], 50), ([30, 40, 30], 100), ([], 0), ([-5], 0)])
def test_credits_never_fall_below_zero(units, total):
    entries = [credit(amount, hours=hour) for hour, amount in enumerate(units)]
    assert current_period(entries).credited == total
    assert current_period(reversed(entries)).credited == total


def test_a_period_begins_with_the_last_reset():
    entries = [
        credit(10, hours=0),
        reset(1),
        credit(20, hours=2),
        reset(3),
        credit(30, hours=3),
        credit(5, hours=4),
    ]
    period = current_period(entries)
    assert (period.credited, period.reset_at) == (35, NOW + timedelta(hours=3))
    assert period.changed_at == NOW + timedelta(hours=4)


def test_only_what_is_ours_is_read():
    meter = uuid4()
    data = {"meter_id": str(meter), "units": 5, "rollover": True, "reason": "manual"}
    read = read_system_event(event(data, type="meter.credited", origin="system", parent_id="p"))
    assert read is not None
    assert (read[0], read[1].units, read[1].is_rollover, read[1].reason) == (meter, 5, True, "manual")
    assert read[1].reverses == "p"
    assert read_system_event(event({"meter_id": str(meter)}, type="meter.reset"))[0] == meter
    for change in ({"units": 5.0}, {"units": True}, {"rollover": 1}, {"reason": "why"}, {"meter_id": "x"}):
        assert read_system_event(event(data | change, type="meter.credited")) is None
    for text in ("", "[]", "null", "{", "5"):
        assert read_system_event(event(text, type="meter.reset")) is None
    assert read_system_event(event(data, type="other")) is None


def test_a_credit_is_reversed_as_far_as_it_is_unused():
    given = credit(100)
    later = NOW + timedelta(days=7)

    def units(*others, consumed=0, now=NOW):
        return reversible_units(given, current_period([given, *others]), consumed=Fraction(consumed), now=now)

    assert units() == 100
    assert units(consumed=30) == 70
    assert units(consumed="30.5") == 69
    assert units(consumed=100) == 0
    assert units(credit(50), consumed=60) == 90
    assert units(credit(50), consumed=30) == 100
    assert units(now=later) == 100
    assert units(now=later + timedelta(microseconds=1)) == 0
    assert units(reset(1), now=NOW + timedelta(hours=2)) == 0
    assert units(credit(-70, reverses=str(given.uid))) == 0


@pytest.mark.parametrize("change", [{"reason": "benefit"}, {"reverses": "x"}, {"units": -5}, {"units": 0}])
def test_some_credits_are_never_reversed(change):
    given = credit(**({"units": 10} | change))
    period = current_period([given, credit(50)])
    assert reversible_units(given, period, consumed=Fraction(0), now=NOW) == 0
