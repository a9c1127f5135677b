"""Crossing thresholds (openmeter 8.3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from meterhouse.entitlements.engine.thresholds import Standing, Threshold, ThresholdType, is_news, standing
from meterhouse.entitlements.model import Balance
from meterhouse.kernel.periods import Period
from tests.unit.entitlements.story import T0


def _balance(usage: int, total: int, left: int | None = None) -> Balance:
    balance = Decimal(max(total - usage, 0) if left is None else left)
    overage = Decimal(max(usage - total, 0))
    period = Period(T0, T0 + timedelta(days=1))
    return Balance(T0, period, balance, Decimal(usage), overage, Decimal(total), {}, {})


def _percent(value: int) -> Threshold:
    return Threshold(ThresholdType.USAGE_PERCENTAGE, Decimal(value))


def _usage(value: int) -> Threshold:
    return Threshold(ThresholdType.USAGE_VALUE, Decimal(value))


def _left(value: int) -> Threshold:
    return Threshold(ThresholdType.BALANCE_VALUE, Decimal(value))


def _told(thresholds: list[Threshold], snapshots: list[tuple[int, int]]) -> list[Threshold | None]:
    """What each snapshot (usage, total) of one usage period tells of usage."""
    last, told = None, []
    for usage, total in snapshots:
        now = standing(thresholds, _balance(usage, total)).of("usage")
        told.append(now if is_news(last, now) else None)
        last = told[-1] or last
    return told


def test_percentages_are_passed_strictly() -> None:
    snapshots = [(40, 100), (50, 100), (51, 100), (70, 100), (101, 100)]
    assert _told([_percent(50), _percent(100)], snapshots) == [None, None, _percent(50), None, _percent(100)]


def test_the_highest_passed_value_counts() -> None:
    assert standing([_usage(20), _usage(30)], _balance(30, 100)).usage == _usage(20)


def test_grants_move_a_percentage() -> None:
    both = [_percent(95), _usage(1000)]
    snapshots = [(50, 150), (96, 100), (97, 100), (97, 2100), (1097, 2100), (2097, 2100), (2097, 3100)]
    assert _told(both, snapshots) == [
        None, _percent(95), None, None, _usage(1000), _percent(95), _usage(1000)
    ]  # fmt: skip
    assert _told(both, [(0, 100), (99, 100)]) == [None, _percent(95)]


def test_on_a_tie_the_percentage_counts() -> None:
    for thresholds in ([_usage(15), _percent(50)], [_percent(50), _usage(15)]):
        assert standing(thresholds, _balance(16, 30)).usage == _percent(50)


@pytest.mark.parametrize(
    ("left", "expected"),
    [(20, None), (19, _left(20)), (10, _left(20)), (9, _left(10)), (0, _left(0))],
)
def test_the_lowest_balance_counts(left: int, expected: Threshold | None) -> None:
    marks = [_left(20), _left(10), _left(0)]
    assert standing(marks, _balance(100 - left, 100, left)).balance == expected


def test_nothing_is_crossed_while_nothing_is_available() -> None:
    assert standing([_usage(1), _percent(1), _left(5)], _balance(10, 0)) == Standing()
