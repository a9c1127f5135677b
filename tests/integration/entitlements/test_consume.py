"""Check and consume: the last credit goes to one, a repeated key to nobody, and nothing else is touched."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from tests.integration.entitlements.counter import Counter

from meterhouse.entitlements.consumption import SOURCE
from meterhouse.entitlements.drafts import CadenceDraft
from meterhouse.entitlements.model import EntitlementType
from meterhouse.kernel.errors import Conflict, DependencyFailed, Invalid, NotFound, PreconditionFailed
from meterhouse.usage.model import Aggregation, EventCriteria, StringFilter
from meterhouse.usage.queries import list_events
from meterhouse.usage.service import MeterDraft, create_meter, event_type_filter


async def _feature(counter: Counter, aggregation: Aggregation, **rest: object) -> None:
    """A feature `credits` on a meter of values, in an entitlement of its own."""
    draft = MeterDraft(
        "openmeter",
        event_type_filter("spent"),
        aggregation,
        slug="spent",
        value_path=None if aggregation is Aggregation.COUNT else "$.how.much",
        group_by={"model": "$.model", "list": "$.all[0]"},
    )
    await counter.desk.call(create_meter, draft=draft)
    await counter.desk.a_feature("credits", meter_slug="spent", **rest)
    await counter.desk.create(feature_key="credits")
    await counter.desk.grant(10, "credits")


async def _events(counter: Counter) -> int:
    texts = {"source": StringFilter("eq", SOURCE)}
    organisation_id, criteria = counter.desk.organisation_id, EventCriteria(texts=texts)
    return len(await list_events(counter.view, organisation_id=organisation_id, criteria=criteria))


async def test_what_is_allowed_is_used_at_once(counter: Counter) -> None:
    await _feature(counter, Aggregation.SUM)
    consumed = await counter.consume("2.5", feature="credits", order="17")
    assert consumed.allowed
    assert consumed.value.balance is not None
    assert consumed.value.balance.balance == Decimal("7.5")
    assert (await counter.balance("credits")).usage == Decimal("2.5")
    refused = await counter.consume(8, feature="credits")
    assert not refused.allowed
    assert refused.value.balance is not None
    assert (refused.value.has_access, refused.value.balance.balance) == (True, Decimal("7.5"))
    assert (await counter.consume("7.5", feature="credits")).allowed
    assert not (await counter.value("credits")).has_access
    assert not (await counter.consume("0.1", feature="credits")).allowed
    assert await _events(counter) == 2


async def test_of_many_at_once_as_many_get_something_as_there_is(counter: Counter) -> None:
    await counter.desk.create()
    await counter.desk.grant(5)
    other = await replace_counter(counter)
    answers = await asyncio.gather(
        *(teller.consume() for _ in range(6) for teller in (counter, other)),
    )
    assert sorted(answer.allowed for answer in answers) == [False] * 7 + [True] * 5
    assert (await counter.balance()).usage == 5
    assert await _events(counter) == 5
    if other is not counter:
        await other.close()


async def replace_counter(counter: Counter) -> Counter:
    """Another process, where there may be one."""
    return await Counter(counter.desk, counter.store, is_shared=True).open() if counter.is_shared else counter


async def test_a_repeated_key_gets_the_first_answer(counter: Counter) -> None:
    await counter.desk.create()
    await counter.desk.grant(2)
    first = await counter.consume(1, "order-1")
    await counter.consume(1)
    again = await counter.consume(1, "order-1")
    assert again == replace(first, is_repeat=True)
    refused = await counter.consume(1, "order-2")
    assert not refused.allowed
    await counter.desk.grant(5)
    assert not (await counter.consume(1, "order-2")).allowed
    assert (await counter.consume(1, "order-3")).allowed
    assert await _events(counter) == 3
    with pytest.raises(Conflict, match="another amount"):
        await counter.consume(1, "order-1", note="other")


async def test_the_same_key_many_times_at_once(counter: Counter) -> None:
    await counter.desk.create()
    await counter.desk.grant(9)
    answers = await asyncio.gather(*(counter.consume(1, "once") for _ in range(6)))
    assert all(answer.allowed for answer in answers)
    assert sum(not answer.is_repeat for answer in answers) == 1
    assert await _events(counter) == 1


async def test_an_event_without_its_answer_is_not_consumed_twice(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ended, or the database went away, after the event was on disk."""
    await counter.desk.create()
    await counter.desk.grant(1)

    async def fail(*args: object) -> None:
        raise DependencyFailed("The line broke.")

    with monkeypatch.context() as broken:
        broken.setattr("meterhouse.entitlements.consume._remember", fail)
        with pytest.raises(DependencyFailed):
            await counter.consume(1, "order")
    assert (await counter.balance()).usage == 1
    again = await counter.consume(1, "order")
    assert again.allowed
    assert again.value.balance is not None
    assert (again.value.balance.usage, await _events(counter)) == (1, 1)


async def test_the_minute_before_a_reset_spends_what_is_left_in_it(counter: Counter) -> None:
    await counter.desk.create(usage_period=CadenceDraft("PT1H"))
    await counter.desk.grant(3, max_rollover=Decimal(3), recurrence=CadenceDraft("PT1H"))
    counter.desk.move(minutes=59)
    assert (await counter.consume(1)).allowed
    answers = [await counter.consume(1) for _ in range(3)]
    assert [answer.allowed for answer in answers] == [True, True, False]
    assert (await counter.balance()).balance == 3
    counter.desk.move(minutes=1)
    assert (await counter.consume(1)).allowed
    assert (await counter.balance()).balance == 2


async def test_a_soft_limit_allows_everything(counter: Counter) -> None:
    await counter.desk.create(is_soft_limit=True)
    consumed = await counter.consume(1)
    assert consumed.allowed
    assert consumed.value.balance is not None
    assert (consumed.value.has_access, consumed.value.balance.overage) == (True, 1)


async def test_what_is_not_metered_takes_no_event(counter: Counter) -> None:
    await counter.desk.a_feature("beta")
    await counter.desk.create(type=EntitlementType.BOOLEAN, feature_key="beta")
    consumed = await counter.consume(3, feature="beta")
    assert consumed.allowed
    assert consumed.value.has_access
    assert await _events(counter) == 0


async def test_the_event_passes_the_filters_of_the_feature(counter: Counter) -> None:
    filters = {"model": StringFilter("in", ("large", "small"))}
    await _feature(counter, Aggregation.SUM, filters=filters)
    assert (await counter.consume(4, feature="credits")).allowed
    assert (await counter.balance("credits")).balance == 6


@pytest.mark.parametrize(
    ("aggregation", "amount", "filters"),
    [
        (Aggregation.COUNT, 2, {}),
        (Aggregation.MAX, 1, {}),
        (Aggregation.LATEST, 1, {}),
        (Aggregation.UNIQUE, 1, {}),
        (Aggregation.SUM, 1, {"model": StringFilter("ne", "large")}),
        (Aggregation.SUM, 1, {"list": StringFilter("eq", "first")}),
    ],
)
async def test_a_meter_that_cannot_be_told_an_amount(
    counter: Counter, aggregation: Aggregation, amount: int, filters: dict[str, StringFilter]
) -> None:
    await _feature(counter, aggregation, filters=filters)
    with pytest.raises(PreconditionFailed) as refused:
        await counter.consume(amount, feature="credits")
    assert refused.value.code == "meter_not_consumable"
    assert await _events(counter) == 0


async def test_wrong_wishes(counter: Counter) -> None:
    await counter.desk.create()
    for amount, key in ((0, None), (-1, None), ("1e30", None), (1, "k" * 201), (1, "a\x00b")):
        with pytest.raises(Invalid):
            await counter.consume(amount, key)
    with pytest.raises(NotFound):
        await counter.consume(1, feature="nothing")


async def test_an_override_meanwhile(counter: Counter) -> None:
    await counter.desk.create()
    await counter.desk.grant(1)

    async def override() -> None:
        await counter.desk.override(is_soft_limit=True)

    answers = await asyncio.gather(*(counter.consume() for _ in range(3)), override())
    assert any(answer is not None and answer.allowed for answer in answers)
    assert (await counter.consume()).allowed


async def test_first_answers_are_forgotten_after_their_time(counter: Counter) -> None:
    """The same key then gets an answer of its own time, and still consumes nothing more."""
    await counter.desk.create()
    await counter.desk.grant(10)
    await counter.consume(1, "order")
    tasks = counter.tasks()
    assert await tasks.delete_keys(counter.desk.move(days=90)) == 0
    assert (await counter.consume(1, "order")).is_repeat
    assert await tasks.delete_keys(counter.desk.move(seconds=1)) >= 1
    again = await counter.consume(1, "order")
    assert (again.allowed, again.is_repeat) == (True, False)
    assert await _events(counter) == 1
