"""Balances over stored data: current, exact, and the same with and without what is remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from tests.integration.entitlements.counter import Counter
from tests.integration.entitlements.desk import Desk
from tests.thoroughness import examples

from meterhouse.customers.service import CustomerDraft, delete_customer, replace_customer
from meterhouse.entitlements.drafts import CadenceDraft
from meterhouse.entitlements.model import EntitlementType
from meterhouse.kernel.errors import DependencyFailed, Invalid, NotFound, PreconditionFailed
from meterhouse.platform.events import ClickHouseEventStore
from meterhouse.platform.ports import EventStore
from meterhouse.usage.engine.sharing import Wish
from meterhouse.usage.model import Aggregation, StringFilter, Window
from meterhouse.usage.queries import recent_usages
from meterhouse.usage.service import MeterDraft, create_meter, event_type_filter

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def _meter(counter: Counter, aggregation: Aggregation) -> None:
    """A feature `metered` over the values of the same events, by another aggregation."""
    slug = f"by_{aggregation.value}"
    path = None if aggregation is Aggregation.COUNT else "$.value"
    draft = MeterDraft("openmeter", event_type_filter("tokens"), aggregation, slug=slug, value_path=path)
    await counter.desk.call(create_meter, draft=draft)
    await counter.desk.a_feature("metered", meter_slug=slug)


async def test_an_acknowledged_event_is_in_the_next_balance(counter: Counter) -> None:
    await counter.desk.create()
    await counter.desk.grant(100)
    for used in range(1, 6):
        await counter.use(counter.event())
        balance = await counter.balance()
        assert (balance.usage, balance.balance) == (used, 100 - used)
    await counter.use(counter.event(subject="somebody else"), counter.event(type="other"))
    assert (await counter.balance()).usage == 5
    await counter.use(counter.event(subject="", customer_id=str(counter.desk.customer.id)))
    assert (await counter.balance()).usage == 6


async def test_a_change_of_grants_is_in_the_next_balance(counter: Counter) -> None:
    await counter.desk.create()
    assert (await counter.value()).has_access is False
    first = await counter.desk.grant(100)
    await counter.use(counter.event(), counter.event())
    assert (await counter.balance()).balance == 98
    counter.desk.move(minutes=10)
    await counter.desk.grant(50)
    assert (await counter.balance()).balance == 148
    await counter.desk.void(first)
    assert (await counter.balance()).balance == 50
    await counter.desk.reset()
    assert (await counter.balance()).usage == 0


async def test_a_late_event_changes_the_past_and_what_follows(counter: Counter) -> None:
    await counter.desk.create(usage_period=CadenceDraft("DAY"))
    await counter.desk.grant(100, max_rollover=Decimal(100))
    start = counter.desk.clock.now()
    counter.desk.move(days=3)
    assert (await counter.balance()).balance == 100
    await counter.use(counter.event(at=start + HOUR))
    assert (await counter.balance()).balance == 99
    assert (await counter.balance(at=start + 2 * HOUR)).balance == 99
    assert (await counter.balance(at=start + HOUR - timedelta(minutes=1))).balance == 100
    assert (await counter.balance()).usage == 0


async def test_a_corrected_event_counts_as_corrected(counter: Counter) -> None:
    await counter.desk.create()
    await counter.desk.grant(100)
    wrong = counter.event()
    await counter.use(wrong, counter.event())
    assert (await counter.balance()).usage == 2
    await counter.corrections.delete(
        organisation_id=wrong.organisation_id, source=wrong.source, id=wrong.id, by="tests"
    )
    assert (await counter.balance()).usage == 1
    await counter.use(counter.event())
    assert (await counter.balance()).usage == 2
    assert await counter.balance() == await counter.recomputed()


async def test_subjects_that_a_customer_gains_bring_their_usage(counter: Counter) -> None:
    await counter.desk.create()
    await counter.use(counter.event(subject="laptop"))
    assert (await counter.balance()).usage == 0
    draft = CustomerDraft("openmeter", key="ada", name="ada", subject_keys=("laptop",))
    await counter.desk.call(replace_customer, id_or_key=str(counter.desk.customer.id), draft=draft)
    assert (await counter.balance()).usage == 1


async def test_a_subject_that_is_the_key_of_another_customer_is_used_by_that_one(counter: Counter) -> None:
    await counter.desk.a_customer("laptop")
    draft = CustomerDraft("openmeter", key="ada", name="ada", subject_keys=("laptop", "phone"))
    await counter.desk.call(replace_customer, id_or_key=str(counter.desk.customer.id), draft=draft)
    await counter.desk.create()
    await counter.use(counter.event(subject="laptop"), counter.event(subject="phone"))
    assert (await counter.balance()).usage == 1
    await counter.desk.call(delete_customer, id_or_key="laptop", guards=())
    assert (await counter.balance()).usage == 2


@pytest.mark.parametrize(
    "aggregation",
    [Aggregation.SUM, Aggregation.COUNT, Aggregation.MAX, Aggregation.LATEST, Aggregation.UNIQUE],
)
async def test_what_is_remembered_never_changes_an_answer(counter: Counter, aggregation: Aggregation) -> None:
    """A day and a half of random usage, early and late, with resets and recurrences on the way."""
    random = Random(f"{aggregation} {counter.is_shared}")
    await _meter(counter, aggregation)
    await counter.desk.create(feature_key="metered", usage_period=CadenceDraft("PT7H"))
    await counter.desk.grant(40, "metered", recurrence=CadenceDraft("PT2H"))
    await counter.desk.grant(500, "metered", max_rollover=Decimal(70), priority=5)
    sent = []
    for _ in range(examples(4 if counter.is_shared else 8)):
        match random.randrange(10):
            case 0 | 1:
                counter.desk.move(minutes=random.choice([1, 20, 90]))
            case 2:
                await counter.desk.grant(random.randrange(1, 90), "metered")
            case 3 if random.random() < 0.5:
                counter.desk.move(minutes=1)
                with suppress(Invalid):  # the period may have ended at this very minute
                    await counter.desk.reset("metered", preserve_overage=random.random() < 0.5)
            case 4 if sent:
                event = random.choice(sent)
                await counter.corrections.delete(
                    organisation_id=event.organisation_id, source=event.source, id=event.id, by="tests"
                )
            case _:
                after = timedelta(minutes=random.choice([0, 0, 0, -1, -30, -300, 2, 200]))
                events = [
                    counter.event(random.choice([1, 2.5, "3", 7, 0.1]), after=after)
                    for _ in range(random.randrange(1, 4))
                ]
                await counter.use(*events)
                sent += events
        assert await counter.balance("metered") == await counter.recomputed("metered")


async def test_features_of_one_meter_share_its_events(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hears of what its filters let pass, however many listen."""
    desk = counter.desk
    draft = MeterDraft(
        "openmeter",
        event_type_filter("tokens"),
        Aggregation.SUM,
        slug="by_model",
        value_path="$.value",
        group_by={"model": "$.model", "region": "$.region"},
    )
    await desk.call(create_meter, draft=draft)
    wanted: dict[str, dict[str, StringFilter]] = {
        "all": {},
        "large": {"model": StringFilter("eq", "large")},
        "small": {"model": StringFilter("eq", "small")},
        "large_here": {"model": StringFilter("eq", "large"), "region": StringFilter("ne", "there")},
        "not_large": {"model": StringFilter("ne", "large")},
        "either": {"region": StringFilter("in", ("here", "there"))},
    }
    for key, filters in wanted.items():
        await desk.a_feature(key, meter_slug="by_model", filters=filters)
        await desk.create(feature_key=key)
        assert (await counter.balance(key)).usage == 0
    await counter.use(
        counter.event(1, model="large", region="here"),
        counter.event(2, model="large", region="there"),
        counter.event(4, model="small"),
        counter.event(8, model="\u00e9", region="here"),
        counter.event(16),
    )
    used = {key: int((await counter.balance(key)).usage) for key in wanted}
    assert used == {"all": 31, "large": 3, "small": 4, "large_here": 1, "not_large": 28, "either": 11}
    assert [await counter.balance(key) for key in wanted] == [await counter.recomputed(key) for key in wanted]
    # Whoever remembers nothing reads the events once for all features.
    queries = 0
    plain = counter.store.query

    async def counted(sql: str, *args: Any, **rest: Any) -> Any:
        nonlocal queries
        queries += "JSONExtract" in sql
        return await plain(sql, *args, **rest)

    monkeypatch.setattr(counter.store, "query", counted)
    await counter.use(counter.event(32, model="large", region="here"))
    access = await counter.new_balances().access(
        organisation_id=desk.organisation_id, customer=desk.customer.key or ""
    )
    assert queries == 1
    assert access == {key: await counter.value(key) for key in wanted}


async def test_many_at_once_while_events_arrive(counter: Counter) -> None:
    await counter.desk.create()
    await counter.desk.grant(1000)
    counter.desk.move(minutes=10)
    acknowledged = 0

    async def use_and_look(number: int) -> None:
        nonlocal acknowledged
        await counter.use(counter.event(after=-timedelta(minutes=number % 3)))
        acknowledged += 1
        expected = acknowledged
        assert (await counter.balance()).usage >= expected

    await asyncio.gather(*(use_and_look(number) for number in range(20)))
    assert (await counter.balance()).usage == 20
    assert await counter.balance() == await counter.recomputed()


async def test_a_block_with_an_unknown_outcome(desk: Desk, store: ClickHouseEventStore) -> None:
    counter = await Counter(desk, store).open()
    await desk.create()
    await desk.grant(100)
    await counter.use(counter.event())
    assert (await counter.balance()).usage == 1
    insert = store.insert_arrow

    async def stored_but_not_known(*args: object, **named: object) -> None:
        await insert(*args, **named)  # type: ignore[arg-type]
        raise DependencyFailed("The line broke.")

    store.insert_arrow = stored_but_not_known  # type: ignore[method-assign]
    lost = counter.event()
    try:
        with pytest.raises(DependencyFailed):
            await counter.use(lost)
    finally:
        store.insert_arrow = insert  # type: ignore[method-assign]
    assert (await counter.balance()).usage == 2
    await counter.use(lost)
    assert (await counter.balance()).usage == 2
    await counter.use(counter.event())
    assert (await counter.balance()).usage == 3
    assert (await counter.balance()).usage == 3
    await counter.close()


async def test_values_of_all_types(counter: Counter) -> None:
    desk = counter.desk
    await desk.a_feature("plan")
    await desk.a_feature("beta")
    await desk.create(is_soft_limit=True)
    await desk.create(type=EntitlementType.STATIC, feature_key="plan", config='{"a": 1}')
    await desk.create(type=EntitlementType.BOOLEAN, feature_key="beta")
    organisation_id, customer = desk.organisation_id, str(desk.customer.id)
    values = await counter.balances.access(organisation_id=organisation_id, customer=customer)
    assert {key: value.has_access for key, value in values.items()} == {
        "beta": True,
        "chat": True,
        "plan": True,
    }
    assert values["plan"].config == '{"a": 1}'
    assert (await counter.value(at=desk.clock.now() - DAY)).has_access is False
    with pytest.raises(NotFound, match="entitlement not found: nothing"):
        await counter.value("nothing")
    with pytest.raises(NotFound, match="customer not found"):
        await counter.balances.value(organisation_id=organisation_id, customer="nobody", feature="chat")
    with pytest.raises(Invalid):
        await counter.value(at=desk.clock.now() + timedelta(days=365 * 400))


async def test_a_history_of_stored_usage(counter: Counter) -> None:
    desk = counter.desk
    await desk.create()
    await desk.grant(100)
    start = desk.clock.now()
    await counter.use(counter.event(), counter.event(after=90 * timedelta(minutes=1)))
    desk.move(hours=3)
    terms = await counter.balances.terms(
        organisation_id=desk.organisation_id, customer=desk.customer.key or "", feature="chat"
    )
    told = await counter.balances.history(terms, window=Window.HOUR)
    assert [(int(w.usage), int(w.balance_at_start)) for w in told.windows] == [
        (1, 100),
        (1, 99),
        (0, 98),
        (0, 98),
    ]
    assert [segment.usage for segment in told.segments] == [2]
    for wrong in (
        {"from_at": start - DAY},
        {"from_at": start + HOUR, "to_at": start},
        {"zone": "Mars/Base"},
        {"to_at": start + timedelta(days=3650)},
    ):
        with pytest.raises(Invalid):
            await counter.balances.history(terms, window=Window.HOUR, **wrong)  # type: ignore[arg-type]


async def test_a_deleted_customer_has_no_values(counter: Counter) -> None:
    desk = counter.desk
    await desk.call(delete_customer, id_or_key=str(desk.customer.id), guards=())
    with pytest.raises(PreconditionFailed):
        await counter.balances.access(organisation_id=desk.organisation_id, customer=str(desk.customer.id))


async def test_a_snapshot_is_used_while_it_is_true_and_passed_over_after(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = counter.desk
    await desk.create(usage_period=CadenceDraft("DAY"))
    await desk.grant(100, max_rollover=Decimal(100))
    start = desk.clock.now()
    await counter.use(counter.event(), counter.event(after=5 * HOUR))
    desk.move(days=5)
    assert (await counter.balance()).balance == 98
    await counter.balances.settled()

    async def ranges_of_somebody_new() -> int:
        """How many ranges are read by somebody who remembers nothing; the balance is right in any case."""
        fresh, read = counter.new_balances(), 0

        async def counted(store: EventStore, wishes: Sequence[Wish], **rest: Any) -> Any:
            nonlocal read
            read += sum(len(wish.ranges) for wish in wishes)
            return await recent_usages(store, wishes, **rest)

        with monkeypatch.context() as patched:
            patched.setattr("meterhouse.entitlements.standings.recent_usages", counted)
            found = await fresh.value(
                organisation_id=desk.organisation_id, customer=desk.customer.key or "", feature="chat"
            )
        await fresh.settled()
        assert found.balance == await counter.recomputed()
        return read

    assert await ranges_of_somebody_new() <= 2
    await desk.grant(10)
    assert await ranges_of_somebody_new() <= 2
    await counter.use(counter.event(at=start + HOUR))
    assert await ranges_of_somebody_new() >= 5
    assert await ranges_of_somebody_new() <= 2
    late = counter.event(at=start + 2 * HOUR)
    await counter.use(late)
    await counter.corrections.delete(
        organisation_id=late.organisation_id, source=late.source, id=late.id, by="tests"
    )
    assert await ranges_of_somebody_new() >= 5
    assert (await counter.balance()).balance == 107
