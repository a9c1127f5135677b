"""Crossings of thresholds: found after events, grants, resets and corrections, and told once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.entitlements.counter import Counter

from meterhouse.entitlements import crossings
from meterhouse.entitlements.drafts import CadenceDraft
from meterhouse.entitlements.tasks import EntitlementTasks

DAY = CadenceDraft("DAY")


async def look(counter: Counter, tasks: EntitlementTasks | None = None) -> None:
    """Run the scans until they find nothing more."""
    tasks, now = tasks or counter.tasks(), counter.desk.clock.now()
    while await tasks.mark_used(now) + await tasks.check(now):
        pass


async def told(counter: Counter) -> list[tuple[str, int, int, str]]:
    """Type and value of the thresholds crossed, oldest first, with the usage and the day of the period."""
    desk = counter.desk
    async with desk.database.begin() as connection:
        terms = await counter.balances.terms(
            organisation_id=desk.organisation_id, customer=str(desk.customer.id), feature="chat"
        )
        found, total = await crossings.list_crossings(connection, entitlement=terms.entitlement)
    assert total == len(found)
    return [
        (
            one.threshold.type.value,
            int(one.threshold.value),
            int(one.value.balance.usage),
            f"{one.value.balance.period.start:%d}",
        )
        for one in sorted(found, key=lambda one: one.id)
        if one.value.balance is not None
    ]


EIGHTY, HUNDRED, NOTHING = ("usage_percentage", 80), ("usage_percentage", 100), ("balance_value", 0)


async def test_each_crossing_is_told_once(counter: Counter) -> None:
    desk = counter.desk
    await desk.create(usage_period=DAY)
    await desk.grant(10, max_rollover=Decimal(10))
    await look(counter)
    assert await told(counter) == []
    await counter.use(*(counter.event() for _ in range(9)))
    same = counter.tasks()
    await look(counter, same)
    await look(counter, same)
    await look(counter)
    assert await told(counter) == [(*EIGHTY, 9, "10")]
    late = counter.event(after=-timedelta(seconds=20))
    await counter.use(late, counter.event(type="other"), counter.event(subject="nobody"))
    await look(counter, same)
    assert await told(counter) == [(*EIGHTY, 9, "10"), (*NOTHING, 10, "10")]
    await counter.use(counter.event())
    await look(counter, same)
    assert (await told(counter))[2:] == [(*HUNDRED, 11, "10")]
    # More credit moves the percentage back below the mark; using it up is news again.
    await desk.grant(2, max_rollover=Decimal(2))
    await look(counter, same)
    assert (await told(counter))[3:] == [(*EIGHTY, 11, "10")]
    await counter.corrections.delete(
        organisation_id=late.organisation_id, source=late.source, id=late.id, by="tests"
    )
    await look(counter, same)
    assert len(await told(counter)) == 4
    # A new usage period begins anew, also when somebody resets.
    desk.move(minutes=5)
    await desk.reset()
    await counter.use(*(counter.event() for _ in range(20)))
    await look(counter, same)
    assert [(kind, value) for kind, value, *_ in (await told(counter))[4:]] == [HUNDRED, NOTHING]


async def test_a_period_that_ends_before_anybody_looks(counter: Counter) -> None:
    """Also in its last minute, of which the balance is already that of the next period."""
    desk = counter.desk
    await desk.create(usage_period=DAY)
    await desk.grant(10, max_rollover=Decimal(10))
    desk.move(hours=23, minutes=59)
    assert (await counter.balance()).usage == 0
    await counter.use(*(counter.event() for _ in range(9)))
    if counter.is_shared:  # nobody looks until days later
        desk.move(days=2)
    await look(counter)
    assert await told(counter) == [(*EIGHTY, 9, "10")]


async def test_what_a_process_leaves_half_done_is_done_by_the_next(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = counter.desk
    await desk.create(usage_period=DAY)
    await desk.grant(10)
    await look(counter)
    await counter.use(*(counter.event() for _ in range(9)))

    async def ends(*_args: Any) -> None:
        raise SystemError

    for step in ("mark", "record"):
        with monkeypatch.context() as broken:
            broken.setattr(crossings, step, ends)
            with pytest.raises(SystemError):
                await look(counter)
    assert await told(counter) == []
    both = [counter.tasks(), counter.tasks()]
    await asyncio.gather(*(look(counter, tasks) for tasks in both))
    assert await told(counter) == [(*EIGHTY, 9, "10")]
    # What was computed before a change is dropped.
    await counter.use(counter.event())
    now = desk.clock.now()
    await both[0].mark_used(now)
    async with desk.database.begin() as connection:
        checks = await crossings.next_checks(connection, now=now, limit=10)
    await desk.grant(100)
    async with desk.database.begin() as connection:
        assert await crossings.take_checks(connection, checks, now=now) == set()


async def test_an_event_of_a_time_ahead_is_found_when_it_counts(counter: Counter) -> None:
    """Also one of this very instant, at a full minute: a balance is of all before the minute's end."""
    desk = counter.desk
    await desk.create(usage_period=DAY)
    await desk.grant(10)
    desk.move(seconds=30)
    await counter.use(*(counter.event() for _ in range(9)))
    await look(counter)
    assert await told(counter) == []
    desk.move(seconds=30)
    await look(counter)
    assert await told(counter) == [(*EIGHTY, 9, "10")]
    hour, later = timedelta(hours=1), timedelta(hours=5)
    await counter.use(counter.event(after=hour), counter.event(after=later), counter.event(after=20 * later))
    await look(counter)
    desk.move(minutes=59)
    await look(counter)
    assert len(await told(counter)) == 1
    desk.move(minutes=2)
    await look(counter)
    assert (await told(counter))[1:] == [(*NOTHING, 10, "10")]
    desk.move(hours=200)
    await look(counter)
    assert (await told(counter))[2:] == [(*HUNDRED, 11, "10")]
    async with desk.database.begin() as connection:
        due = await crossings.next_checks(connection, now=desk.clock.now() + timedelta(days=9999), limit=10)
    assert due == []
