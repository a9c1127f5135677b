"""How many jobs go side by side follows from how late the event loop is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from meterhouse.monitoring.pace import LAG_BAD_S, LAG_GOOD_S, LEAST, START, Pace


def test_hands_grow_one_by_one_while_all_are_busy_and_the_loop_is_not() -> None:
    pace = Pace(most=12)
    assert pace.hands == START
    for _ in range(3):
        pace.observe(LAG_GOOD_S / 2, busy=pace.hands)
    assert pace.hands == START + 3
    pace.observe(LAG_GOOD_S / 2, busy=2)
    assert pace.hands == START + 3, "hands that nobody needs are not added"
    for _ in range(9):
        pace.observe(0.0, busy=pace.hands)
    assert pace.hands == 12


def test_a_late_loop_takes_hands_away_at_once() -> None:
    pace = Pace(most=32)
    pace.observe(2 * LAG_BAD_S, busy=1)
    assert pace.hands == 6
    for _ in range(20):
        pace.observe(1.0, busy=1)
    assert pace.hands == LEAST
    pace.observe((LAG_GOOD_S + LAG_BAD_S) / 2, busy=32)
    assert pace.hands == LEAST


@given(st.integers(1, 64), st.lists(st.tuples(st.floats(0, 5), st.integers(0, 64))))
def test_hands_stay_within_bounds(most: int, seen: list[tuple[float, int]]) -> None:
    pace = Pace(most)
    for lag_s, busy in seen:
        pace.observe(lag_s, busy=busy)
        assert min(LEAST, most) <= pace.hands <= most
