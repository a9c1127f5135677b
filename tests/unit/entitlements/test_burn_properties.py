"""Laws of the burn-down, over random histories of half a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from meterhouse.entitlements.engine import Outcome, Rules
from meterhouse.entitlements.engine.timeline import instant, minute, next_change, plan_rules
from meterhouse.entitlements.model import Grant, Reset
from meterhouse.kernel.exact import exact_sum
from meterhouse.usage.model import Aggregation
from tests.thoroughness import examples
from tests.unit.entitlements.oracle import Oracle
from tests.unit.entitlements.story import MINUTE, T0, Story, entitlement, grant, reset

PATIENT = settings(deadline=None, max_examples=examples(25))
SPAN = 12 * 60
AFTER = st.integers(0, SPAN // 20).map(lambda number: number * 20 * MINUTE)
"""Times on a coarse grid, so that changes meet: that is where rules get hard."""
LATER = st.integers(1, SPAN // 20).map(lambda number: number * 20 * MINUTE)
MOMENT = st.one_of(AFTER, st.integers(0, SPAN * 60).map(lambda seconds: timedelta(seconds=seconds)))
EVERY = st.sampled_from(["PT1H", "PT2H40M", "PT5H"])
AMOUNT = st.decimals(0, 60, places=1).map(lambda amount: amount + 1)
BURNABLE = st.sampled_from(
    [Aggregation.SUM, Aggregation.COUNT, Aggregation.UNIQUE, Aggregation.MAX, Aggregation.LATEST]
)


@st.composite
def grants(draw: st.DrawFn, number: int) -> Grant:
    effective = draw(st.one_of(st.just(timedelta(0)), AFTER)) - draw(st.sampled_from([0, 60])) * MINUTE
    made = grant(
        number,
        0,
        effective=effective,
        priority=draw(st.integers(0, 2)),
        expires=draw(st.none() | LATER.map(lambda lifetime: effective + lifetime)),
        every=draw(st.none() | EVERY),
        anchored=draw(AFTER),
        voided=draw(st.none() | AFTER),
    )
    least = draw(st.sampled_from([Decimal(0), Decimal(5)]))
    most = least + draw(st.sampled_from([Decimal(0), Decimal("7.5")]))
    return replace(made, amount=draw(AMOUNT), min_rollover=least, max_rollover=most)


@st.composite
def manual_resets(draw: st.DrawFn) -> list[Reset]:
    after = draw(st.lists(LATER, unique=True, max_size=2))
    made, anchor = [], T0
    for at in sorted(after):
        anchor = draw(st.sampled_from([anchor, T0 + at]))
        made.append(reset(at, preserve_overage=draw(st.booleans()), anchor=anchor))
    return made


@st.composite
def stories(draw: st.DrawFn, aggregations: st.SearchStrategy[Aggregation] = BURNABLE) -> Story:
    usage = draw(st.lists(st.tuples(MOMENT, st.decimals(0, 40, places=1)), max_size=8))
    return Story(
        grants=[draw(grants(number)) for number in range(1, draw(st.integers(0, 4)) + 1)],
        usage=sorted(usage, key=lambda pair: pair[0]),
        resets=draw(manual_resets()),
        aggregation=draw(aggregations),
        entitlement=entitlement(
            interval=draw(st.sampled_from(["PT3H", "PT4H20M", "DAY"])),
            anchor=T0 - draw(AFTER),
            preserve_overage=draw(st.booleans()),
        ),
    )


@PATIENT
@given(stories(), AFTER)
def test_the_engine_agrees_with_a_walk_through_every_minute(story: Story, after: timedelta) -> None:
    told, walked = story.at(after).balance, Oracle(story).until(after)
    assert told.balance == walked.left(T0 + after)
    assert (told.usage, told.overage) == (walked.usage, walked.overage)
    assert dict(told.grant_usages) == {key: burnt for key, burnt in walked.burnt.items() if burnt}
    assert told.total_available == told.balance + exact_sum(told.grant_usages.values())
    assert told.balance == exact_sum(told.grant_balances.values())


def _is_balanced(outcome: Outcome) -> bool:
    ledger, left = outcome.ledger, outcome.balance.balance
    return ledger.given == ledger.used + left + ledger.expired + ledger.voided + ledger.lapsed


@PATIENT
@given(stories(), AFTER)
def test_nothing_is_made_and_nothing_is_lost(story: Story, after: timedelta) -> None:
    outcome = story.at(after)
    if story.aggregation is not Aggregation.LATEST:  # whose grants are given anew in every phase
        assert _is_balanced(outcome)
    used = exact_sum(segment.usage for segment in outcome.segments)
    assert used == outcome.ledger.used + outcome.ledger.forgiven + outcome.balance.overage


@PATIENT
@given(stories(), AFTER, AFTER)
def test_a_snapshot_never_changes_an_answer(story: Story, first: timedelta, second: timedelta) -> None:
    earlier, later = sorted((first, second))
    kept = story.at(earlier).state
    assert story.at(later, start=kept).balance == story.at(later).balance
    assert story.at(later, start=kept).state == story.at(later).state


@PATIENT
@given(stories(), AFTER, st.randoms(use_true_random=False))
def test_the_order_of_what_is_told_does_not_matter(story: Story, after: timedelta, random: object) -> None:
    assert hasattr(random, "sample")
    mixed = replace(
        story,
        grants=random.sample(story.grants, len(story.grants)),
        resets=random.sample(story.resets, len(story.resets)),
    )
    assert mixed.at(after) == story.at(after)


@PATIENT
@given(stories(), st.tuples(MOMENT, st.decimals(1, 40, places=1)), AFTER)
def test_a_late_event_leaves_alone_what_was_before_it(
    story: Story, late: tuple[timedelta, Decimal], after: timedelta
) -> None:
    changed = replace(story, usage=sorted([*story.usage, late], key=lambda pair: pair[0]))
    if after <= late[0]:
        assert changed.at(after) == story.at(after)
    elif story.aggregation in (Aggregation.SUM, Aggregation.COUNT):
        period = story.at(after).balance.period
        added = changed.at(after).balance.usage - story.at(after).balance.usage
        expected = changed.value(period) - story.value(period)
        assert added == (expected if late[0] >= period.start - T0 else 0)


@PATIENT
@given(stories(), AFTER, st.lists(AFTER, max_size=5))
def test_a_look_on_the_way_sees_what_was_left_then(
    story: Story, after: timedelta, looks: list[timedelta]
) -> None:
    seen = [look for look in looks if look <= after]
    outcome = story.at(after, looks=seen)
    assert outcome.balance == story.at(after).balance
    assert {at: look.balance for at, look in outcome.looks.items()} == {
        T0 + look: story.at(look).balance.balance for look in seen
    }


@PATIENT
@given(stories(), AFTER)
def test_nothing_happens_before_the_next_change(story: Story, after: timedelta) -> None:
    rules = Rules(story.entitlement, story.aggregation, tuple(story.grants), tuple(story.resets))
    state = story.at(after).state
    since = minute(state.at)
    following = next_change(rules, since)
    changes = plan_rules(rules, instant(following), start=state).changes
    assert sorted(at for at in changes if at > since) == [following]


SIGNED = st.tuples(MOMENT, st.decimals(-40, 40, places=1))


@PATIENT
@given(stories(st.just(Aggregation.SUM)), st.lists(SIGNED, max_size=8), AFTER)
def test_refunds_keep_the_books_balanced(
    story: Story, usage: list[tuple[timedelta, Decimal]], after: timedelta
) -> None:
    story = replace(story, usage=usage)
    outcome = story.at(after)
    assert _is_balanced(outcome)
    for granted in story.grants:
        assert (
            0
            <= outcome.balance.grant_balances.get(granted.id, Decimal(0))
            <= max(granted.amount, granted.max_rollover)
        )
    earlier = story.at(after / 2 if (after / 2) % MINUTE == timedelta(0) else timedelta(0)).state
    assert story.at(after, start=earlier).balance == outcome.balance
