"""Requests that race leave one winner each and a history without gaps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import insert

from meterhouse.catalog.service import archive_feature
from meterhouse.catalog.service import guard_meter as guard_feature_meter
from meterhouse.customers.service import delete_customer
from meterhouse.entitlements.convert import entitlement_to_row
from meterhouse.entitlements.model import Entitlement, EntitlementType
from meterhouse.entitlements.queries import (
    EntitlementCriteria,
    grants_of,
    list_entitlements,
    resets_of,
)
from meterhouse.entitlements.service import guard_customer, guard_meter
from meterhouse.entitlements.tables import entitlements
from meterhouse.kernel.clock import SystemClock
from meterhouse.kernel.errors import Conflict, Invalid, PreconditionFailed
from meterhouse.kernel.ids import new_id
from meterhouse.usage.service import delete_meter

MANY = 5


async def racing(*calls):
    """What each gave, or why it was refused."""
    return await asyncio.gather(*calls, return_exceptions=True)


def sorted_out(outcomes):
    made = [outcome for outcome in outcomes if isinstance(outcome, Entitlement)]
    return made, [outcome for outcome in outcomes if not isinstance(outcome, Entitlement)]


async def history(desk) -> list[Entitlement]:
    """Every entitlement of the customer, by when it began."""
    found, _ = await desk.read(
        list_entitlements,
        organisation_id=desk.organisation_id,
        criteria=EntitlementCriteria(customer_ids=(desk.customer.id,), include_deleted=True),
    )
    return sorted(found, key=lambda each: each.active_from)


async def test_of_many_creates_one_wins(desk):
    made, refused = sorted_out(await racing(*(desk.create() for _ in range(MANY))))
    assert len(made) == 1
    assert all(isinstance(each, Conflict) for each in refused)
    assert {each.details["conflicting_entity_id"] for each in refused} == {made[0].id}
    assert await history(desk) == made


async def test_of_many_overrides_of_one_entitlement_one_wins(desk):
    first = await desk.create()
    desk.clock = SystemClock()
    outcomes = await racing(*(desk.override(str(first.id)) for _ in range(MANY)))
    made, refused = sorted_out(outcomes)
    assert len(made) == 1
    assert all(isinstance(each, Conflict | PreconditionFailed) for each in refused)
    old, new = await history(desk)
    assert (old.id, old.active_to, new.id, new.active_to) == (first.id, new.active_from, made[0].id, None)


async def test_overrides_by_feature_leave_no_gap_and_one_that_is_active(desk):
    await desk.create()
    desk.clock = SystemClock()
    made, refused = sorted_out(await racing(*(desk.override() for _ in range(MANY))))
    assert len(made) >= 1
    assert all(isinstance(each, Conflict) for each in refused)
    chain = await history(desk)
    assert len(chain) == len(made) + 1
    assert [each.active_to for each in chain[:-1]] == [each.active_from for each in chain[1:]]
    assert chain[-1].active_to is None


async def test_an_override_and_a_deletion_leave_what_came_last(desk):
    for _ in range(MANY):
        first = await desk.create()
        desk.move(seconds=1)
        overridden, deleted = await racing(desk.override(str(first.id)), desk.delete(str(first.id)))
        assert isinstance(overridden, Entitlement) != isinstance(deleted, Entitlement)
        if isinstance(overridden, Entitlement):
            await desk.delete()
        desk.move(seconds=1)


async def test_of_many_resets_in_one_minute_one_wins(desk):
    made = await desk.create()
    desk.move(hours=1)
    outcomes = await racing(*(desk.reset() for _ in range(MANY)))
    refused = [outcome for outcome in outcomes if isinstance(outcome, Invalid)]
    assert len(refused) == MANY - 1
    assert len((await desk.read(resets_of, entitlement_ids=[made.id]))[made.id]) == 1


async def test_a_grant_is_voided_once(desk):
    made = await desk.create()
    grant = await desk.grant()
    outcomes = await racing(*(desk.void(grant) for _ in range(MANY)))
    assert sum(isinstance(outcome, Invalid) for outcome in outcomes) == MANY - 1
    (stored,) = (await desk.read(grants_of, entitlement_ids=[made.id]))[made.id]
    assert stored.voided_at == grant.effective_at


async def test_a_reset_while_the_entitlement_is_overridden_waits_its_turn(desk):
    first = await desk.create()
    desk.move(hours=1)
    new, reset = await racing(desk.override(), desk.reset())
    assert isinstance(new, Entitlement)
    resets = await desk.read(resets_of, entitlement_ids=[first.id, new.id])
    if isinstance(reset, Exception):  # it came second, and the new one was measured from this very minute
        assert isinstance(reset, Invalid)
        assert resets == {first.id: (), new.id: ()}
    else:
        assert resets == {first.id: (reset,), new.id: ()}


async def test_a_customer_is_deleted_or_entitled_never_both(desk):
    async def guard(connection, **given):
        await guard_customer(connection, clock=desk.clock, **given)

    for number in range(MANY):
        desk.customer = await desk.a_customer(f"grace{number}")
        deletion = desk.call(delete_customer, id_or_key=desk.customer.key, guards=[guard])
        made, deleted = await racing(desk.create(), deletion)
        if isinstance(made, Entitlement):
            assert isinstance(deleted, Conflict)
        else:
            assert isinstance(made, PreconditionFailed)
            assert deleted is None


async def test_a_meter_stays_while_an_entitlement_rests_on_it_even_by_an_archived_feature(desk):
    async def guard(connection, **given):
        await guard_meter(connection, clock=desk.clock, **given)

    async def delete():
        guards = [guard_feature_meter, guard]
        await desk.call(delete_meter, id_or_slug="tokens", guards=guards)

    made, archived, deleted = await racing(
        desk.create(), desk.call(archive_feature, id_or_key="chat"), delete()
    )
    assert archived is None
    if isinstance(made, Entitlement):
        assert isinstance(deleted, Conflict)
        with pytest.raises(Conflict, match="entitlement to chat"):
            await delete()
        await desk.delete()
    if deleted is not None:
        await delete()


async def test_the_database_itself_holds_one_endless_entitlement(desk):
    made = await desk.create()
    twin = replace(made, id=new_id(), active_from=made.active_from + timedelta(days=1))
    with pytest.raises(Exception, match="uq_entitlements_customer_id_feature_key_endless"):
        async with desk.database.begin() as connection:
            await connection.execute(insert(entitlements).values(**entitlement_to_row(twin)))


async def test_an_entitlement_planned_for_later_is_in_the_way_of_an_endless_one(desk):
    made = await desk.create(type=EntitlementType.BOOLEAN)
    async with desk.database.begin() as connection:
        later = replace(made, id=new_id(), feature_key="later", active_from=made.active_from + timedelta(1))
        await connection.execute(
            insert(entitlements).values(
                **entitlement_to_row(replace(later, active_to=later.active_from + timedelta(1)))
            )
        )
    await desk.a_feature("later")
    with pytest.raises(Conflict) as refused:
        await desk.create(type=EntitlementType.BOOLEAN, feature_key="later")
    assert refused.value.details["conflicting_entity_id"] == later.id
