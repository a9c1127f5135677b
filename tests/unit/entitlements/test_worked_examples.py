"""The worked examples of openmeter 4.8, by number. Examples in one period keep clear of its end."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from meterhouse.entitlements.engine import Outcome
from meterhouse.usage.model import Aggregation
from tests.unit.entitlements.story import DAY, HOUR, MINUTE, NOW, T0, Story, entitlement, grant, reset

SECOND = timedelta(seconds=1)


def _facts(outcome: Outcome) -> tuple[Decimal, Decimal, Decimal]:
    balance = outcome.balance
    return balance.usage, balance.balance, balance.overage


def test_01_usage_without_grants_is_overage() -> None:
    story = Story(usage=[(HOUR + MINUTE, 600)], resets=[reset(HOUR)])
    assert _facts(story.at(2 * HOUR)) == (600, 0, 600)


def test_02_a_later_grant_gives_nothing_yet() -> None:
    story = Story([grant(1, 1000), grant(2, 1000, effective=2 * HOUR)], [(MINUTE, 100), (61 * MINUTE, 100)])
    assert _facts(story.at(HOUR)) == (100, 900, 0)


def test_03_equal_grants_are_both_burnt() -> None:
    story = Story([grant(1, 100), grant(2, 100)], [(HOUR, 200)])
    assert story.left(DAY) == [0, 0]
    assert _facts(story.at(DAY)) == (200, 0, 0)


def test_04_what_expires_first_is_burnt_first() -> None:
    grants = [grant(number, 100, expires=9 * DAY if number == 4 else 10 * DAY) for number in range(1, 7)]
    assert Story(grants, [(HOUR, 99)]).left(DAY) == [100, 100, 100, 1, 100, 100]


def test_05_a_voided_grant_keeps_what_it_paid() -> None:
    story = Story([grant(1, 100, voided=HOUR)], [(MINUTE, 50), (HOUR + MINUTE, 50)])
    outcome = story.at(5 * DAY)
    assert _facts(outcome) == (100, 0, 50)
    assert [segment.usage for segment in outcome.segments] == [50, 50]


def test_06_overage_is_burnt_from_what_recurs() -> None:
    story = Story([grant(1, 100, every="DAY")], [(HOUR, 120)])
    assert _facts(story.at(DAY - MINUTE)) == (120, 0, 20)
    assert _facts(story.at(DAY + HOUR)) == (120, 80, 0)


def _example_7() -> Story:
    grants = [grant(1, 80, priority=3), grant(2, 100, effective=DAY, every="WEEK", anchored=3 * DAY)]
    return Story(grants, [(HOUR, 20), (DAY - SECOND, 20), (DAY, 20)])


def test_07_a_recurrence_at_the_end_of_the_run() -> None:
    assert _example_7().left(10 * DAY) == [40, 100]


def test_08_usage_after_a_recurrence() -> None:
    told = _example_7()
    assert Story(told.grants, [*told.usage, (3 * DAY, 20)]).left(10 * DAY - HOUR) == [40, 80]


def test_09_a_recurrence_is_not_applied_twice() -> None:
    grants = [
        grant(1, 100, every="DAY", anchored=DAY),
        grant(2, 100, effective=25 * HOUR, priority=2),
    ]
    story = Story(grants, [(24 * HOUR + 30 * MINUTE, 30), (25 * HOUR + 30 * MINUTE, 20)])
    assert story.left(26 * HOUR) == [50, 100]
    segments = story.at(26 * HOUR).segments
    assert [segment.grant_balances_at_start[grants[0].id] for segment in segments] == [100, 100, 70]


def test_10_a_reset_rolls_over_up_to_a_maximum() -> None:
    grants = [
        grant(1, 1000, effective=2 * HOUR, rollover=(0, 1000)),
        grant(2, 1000, effective=2 * HOUR, priority=3, rollover=(0, 100)),
    ]
    story = Story(grants, [(MINUTE, 600)], [reset(5 * HOUR)])
    assert story.left(5 * HOUR) == [400, 100]
    assert _facts(story.at(5 * HOUR)) == (0, 500, 0)


def test_11_preserved_overage_is_burnt_from_what_rolls_over() -> None:
    grants = [grant(1, 1000, rollover=(0, 1000)), grant(2, 1000, rollover=(500, 500))]
    story = Story(grants, [(HOUR, 2100)], [reset(5 * HOUR, preserve_overage=True)])
    assert story.left(5 * HOUR) == [0, 400]
    assert _facts(story.at(5 * HOUR)) == (0, 400, 0)
    assert story.at(5 * HOUR).balance.total_available == 500


def test_12_more_preserved_overage_than_rolls_over() -> None:
    grants = [grant(1, 1000, rollover=(0, 1000)), grant(2, 1000, rollover=(500, 500))]
    story = Story(grants, [(HOUR, 2600)], [reset(5 * HOUR, preserve_overage=True)])
    assert _facts(story.at(5 * HOUR)) == (0, 0, 100)


def test_13_a_grant_that_takes_effect_at_the_reset() -> None:
    before = Story([grant(1, 1000)], [(HOUR, 10)], [reset(5 * HOUR)])
    assert _facts(before.at(5 * HOUR)) == (0, 0, 0)
    after = Story([*before.grants, grant(2, 1000, effective=5 * HOUR)], before.usage, before.resets)
    assert _facts(after.at(5 * HOUR)) == (0, 1000, 0)
    assert _facts(after.at(5 * HOUR + MINUTE)) == (0, 1000, 0)


def test_14_a_grant_that_expires_at_the_reset() -> None:
    story = Story([grant(1, 1000, rollover=(0, 1000), expires=5 * HOUR)], [], [reset(5 * HOUR)])
    assert _facts(story.at(5 * HOUR)) == (0, 0, 0)


def test_15_what_was_available_counts_every_recurrence() -> None:
    story = Story([grant(1, 100, every="DAY")], [(HOUR, 100), (25 * HOUR, 90), (49 * HOUR, 80)])
    balance = story.at(3 * DAY).balance
    assert balance.grant_usages[story.grants[0].id] == 270
    assert (balance.balance, balance.total_available) == (100, 370)


def test_16_a_latest_meter_is_limited_not_used_up() -> None:
    grants = [
        grant(1, 50, expires=HOUR),
        grant(2, 100),
        grant(3, 75, effective=HOUR),
        grant(4, 200, effective=4 * HOUR),
    ]
    usage = [(NOW, 15), (HOUR, 30), (2 * HOUR, 10), (3 * HOUR, 20)]
    outcome = Story(grants, usage, aggregation=Aggregation.LATEST).at(3 * HOUR)
    told = [(s.balance_at_start, s.usage, s.balance_at_end) for s in outcome.segments]
    assert told == [(150, 15, 135), (175, 10, 165)]
    assert _facts(outcome) == (25, 165, 0)
    assert outcome.balance.total_available == 190


def test_18_an_expired_grant_pays_nothing() -> None:
    story = Story([grant(1, 100, effective=-2 * DAY, expires=-DAY)], [(HOUR, 50)])
    assert _facts(story.at(DAY)) == (50, 0, 50)


def test_19_overage_is_burnt_from_a_new_grant_first() -> None:
    grants = [grant(1, 500, every="MONTH"), grant(2, 8000, effective=2 * HOUR)]
    told = entitlement(interval="MONTH")
    story = Story(grants, [(HOUR, 1000), (3 * HOUR, 1000)], entitlement=told)
    assert _facts(story.at(DAY)) == (2000, 6500, 0)


def test_20_nothing_is_left_after_two_periods() -> None:
    grants = [grant(1, 10), grant(2, 20, rollover=(0, 20), expires=DAY)]
    told = entitlement(interval="DAY", anchor=T0 + 13 * MINUTE)
    assert _facts(Story(grants, entitlement=told).at(12 * MINUTE)) == (0, 30, 0)
    assert _facts(Story(grants, entitlement=told).at(2 * DAY)) == (0, 0, 0)
