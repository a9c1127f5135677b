"""Features in PostgreSQL: what holds when requests race, and what a meter owes its features."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from tests.usage_factory import NOW

from meterhouse.catalog.model import FeatureDraft
from meterhouse.catalog.queries import find_features, get_feature, list_features
from meterhouse.catalog.service import archive_feature, create_feature, guard_meter
from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.errors import Conflict, Invalid, NotFound
from meterhouse.usage.model import Aggregation, Clause, Filter, StringFilter
from meterhouse.usage.queries import get_meter
from meterhouse.usage.service import (
    MeterDraft,
    create_meter,
    delete_meter,
    event_type_filter,
    replace_meter,
    update_meter,
)

METER = MeterDraft(
    dialect="openmeter",
    filter=event_type_filter("request"),
    aggregation=Aggregation.COUNT,
    slug="requests",
    group_by={"path": "$.path"},
)
FEATURE = FeatureDraft("calls", "Calls", meter_slug="requests", filters={"path": StringFilter("eq", "/a")})


class Desk:
    """An organisation of its own; each call is one committed transaction."""

    def __init__(self, database) -> None:
        self.database = database
        self.organisation_id: UUID = uuid4()
        self.clock = TestClock(NOW)

    async def call(self, function, **given):
        async with self.database.begin() as connection:
            return await function(connection, organisation_id=self.organisation_id, clock=self.clock, **given)

    async def read(self, function, **given):
        async with self.database.begin() as connection:
            return await function(connection, organisation_id=self.organisation_id, **given)


@pytest.fixture
def desk(database):
    return Desk(database)


async def test_of_two_creates_with_one_key_one_wins(desk):
    outcomes = await asyncio.gather(
        *(desk.call(create_feature, draft=FeatureDraft("calls", "Calls")) for _ in range(5)),
        return_exceptions=True,
    )
    made = [outcome for outcome in outcomes if not isinstance(outcome, Exception)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert (len(made), len(refused)) == (1, 4)
    assert {conflict.details["conflicting_entity_id"] for conflict in refused} == {made[0].id}
    assert (await desk.read(list_features))[1] == 1


async def test_a_meter_is_deleted_or_gets_its_feature_never_both(desk):
    for _ in range(5):
        await desk.call(create_meter, draft=METER)
        deleted, made = await asyncio.gather(
            desk.call(delete_meter, id_or_slug="requests", guards=[guard_meter]),
            desk.call(create_feature, draft=FEATURE),
            return_exceptions=True,
        )
        if isinstance(deleted, Conflict):
            await desk.call(archive_feature, id_or_key=str(made.id))
            await desk.call(delete_meter, id_or_slug="requests", guards=[guard_meter])
        else:
            assert deleted is None
            assert isinstance(made, NotFound)


async def test_a_group_by_is_removed_or_filtered_by_never_both(desk):
    await desk.call(create_meter, draft=METER)
    rest = {"id_or_slug": "requests", "name": None, "description": None, "metadata": {}, "group_by": {}}
    replaced, made = await asyncio.gather(
        desk.call(replace_meter, guards=[guard_meter], **rest),
        desk.call(create_feature, draft=FEATURE),
        return_exceptions=True,
    )
    assert isinstance(replaced, Conflict) != isinstance(made, Invalid)


async def test_a_polar_meter_keeps_its_definition_once_a_feature_uses_it(desk):
    tree = Filter("and", (Clause("metadata.model", "eq", "lite"),))
    draft = MeterDraft(dialect="polar", filter=tree, aggregation=Aggregation.COUNT, name="Lite calls")
    meter = await desk.call(create_meter, draft=draft)
    made = await desk.call(create_feature, draft=replace(FEATURE, meter_slug=meter.slug, filters={}))
    assert (made.meter_id, made.meter_slug) == (meter.id, meter.slug)
    with pytest.raises(Invalid, match="already aggregating"):
        await desk.call(update_meter, id_or_slug=meter.slug, aggregation=(Aggregation.AVG, "value"))
    assert (await desk.read(get_meter, id_or_slug=meter.slug)).is_frozen


async def test_a_feature_belongs_to_one_organisation(desk, database):
    made = await desk.call(create_feature, draft=FeatureDraft("calls", "Calls"))
    stranger = Desk(database)
    for given in (made.key, str(made.id)):
        with pytest.raises(NotFound):
            await stranger.read(get_feature, id_or_key=given)
        with pytest.raises(NotFound):
            await stranger.call(archive_feature, id_or_key=given)
    assert await stranger.read(find_features, ids=[made.id]) == {}
    assert await stranger.read(list_features) == ([], 0)
    assert await desk.read(find_features, ids=[made.id, uuid4()]) == {made.id: made}
