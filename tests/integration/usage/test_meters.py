"""Meters in PostgreSQL: the rules of openmeter 2.1 and polar 4.2 to 4.4."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from tests.usage_factory import NOW, event, polar

from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.errors import Conflict, Invalid, NotFound
from meterhouse.kernel.ids import to_ulid
from meterhouse.usage.definition import check_definition
from meterhouse.usage.model import Aggregation, Clause, Filter
from meterhouse.usage.queries import MeterCriteria, get_meter, has_match, list_meters
from meterhouse.usage.service import (
    MeterDraft,
    create_meter,
    delete_meter,
    event_type_filter,
    freeze_meter,
    replace_meter,
    update_meter,
)

SUM = MeterDraft(
    dialect="openmeter",
    filter=event_type_filter("request"),
    aggregation=Aggregation.SUM,
    slug="requests_total",
    value_path="$.duration_ms",
    group_by={"path": "$.path"},
)
COUNT = MeterDraft(
    dialect="polar",
    filter=Filter("and", (Clause("metadata.model", "eq", "lite"),)),
    aggregation=Aggregation.COUNT,
    name="Lite calls",
    value_path="dropped",
)


class Desk:
    """The service with its usual arguments filled in."""

    def __init__(self, connection) -> None:
        self.connection = connection
        self.organisation_id: UUID = uuid4()
        self.clock = TestClock(NOW)

    async def create(self, draft, **changes):
        return await create_meter(
            self.connection,
            organisation_id=self.organisation_id,
            draft=replace(draft, **changes),
            clock=self.clock,
        )

    async def get(self, id_or_slug):
        return await get_meter(self.connection, organisation_id=self.organisation_id, id_or_slug=id_or_slug)

    async def call(self, function, id_or_slug, **rest):
        return await function(
            self.connection,
            organisation_id=self.organisation_id,
            id_or_slug=id_or_slug,
            clock=self.clock,
            **rest,
        )

    async def list(self, **rest):
        return await list_meters(self.connection, organisation_id=self.organisation_id, **rest)


@pytest.fixture
def desk(connection):
    return Desk(connection)


async def test_a_meter_comes_back_as_it_was_made(desk):
    made = await desk.create(SUM, metadata={"a": "1"}, event_from=NOW)
    assert made.name == "requests_total"
    for spelling in (str(made.id), made.id.hex, to_ulid(made.id), "requests_total"):
        assert await desk.get(spelling) == made


async def test_a_polar_meter_gets_a_slug_and_loses_what_does_not_count(desk):
    made = await desk.create(COUNT)
    assert made.filter.clauses == (Clause("model", "eq", "lite"),)
    assert made.value_path is None
    assert await desk.get(made.slug) == made


async def test_slugs_are_unique_among_live_meters(desk):
    first = await desk.create(SUM)
    with pytest.raises(Conflict, match="meter with the same slug already exists"):
        await desk.create(SUM)
    await desk.call(delete_meter, "requests_total")
    second = await desk.create(SUM)
    assert (await desk.get("requests_total")).id == second.id
    assert (await desk.get(str(first.id))).deleted_at == NOW


async def test_other_organisations_do_not_see_a_meter(desk, connection):
    made = await desk.create(SUM)
    stranger = Desk(connection)
    for key in (str(made.id), made.slug):
        with pytest.raises(NotFound):
            await stranger.get(key)
    assert (await stranger.list())[1] == 0
    assert (await stranger.create(SUM)).slug == made.slug


@pytest.mark.parametrize(
    "key", ["nope", "a\x00b", "", "x" * 10_000, str(uuid4()), "'; DROP TABLE meters; --"]
)
async def test_unknown_keys(desk, key):
    with pytest.raises(NotFound):
        await desk.get(key)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"slug": "Bad"}, ("slug",)),
        ({"slug": "a__b"}, ("slug",)),
        ({"slug": "a" * 65}, ("slug",)),
        ({"slug": "a\n"}, ("slug",)),
        ({"filter": event_type_filter("")}, ("eventType",)),
        ({"value_path": None}, ("valueProperty",)),
        ({"value_path": "duration"}, ("valueProperty",)),
        ({"aggregation": Aggregation.COUNT}, ("valueProperty",)),
        ({"group_by": {"1a": "$.x"}}, ("groupBy", "1a")),
        ({"group_by": {"a": "x"}}, ("groupBy", "a")),
        ({"group_by": {"a": "$.duration_ms"}}, ("groupBy", "a")),
        ({"description": ""}, ("description",)),
        ({"name": "a\x00"}, ("name",)),
        ({"metadata": {"k": "\ud800"}}, ("metadata",)),
    ],
)
async def test_bad_openmeter_meters(desk, changes, path):
    with pytest.raises(Invalid) as caught:
        await desk.create(SUM, **changes)
    assert path in [issue.path for issue in caught.value.issues]
    assert (await desk.list())[1] == 0


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": "ab"}, ("name",)),
        ({"aggregation": Aggregation.SUM, "value_path": None}, ("aggregation", "sum", "property")),
        ({"unit": "custom"}, ()),
        ({"custom_label": "x"}, ()),
        ({"custom_multiplier": 0}, ("custom_multiplier",)),
        ({"filter": Filter("and", (Clause("a", "eq", 2**31),))}, ("filter", "clauses", 0, "value")),
        ({"filter": Filter("and", (Clause("a", "eq", "x" * 1001),))}, ("filter", "clauses", 0, "value")),
        ({"filter": Filter("and", (Clause("", "eq", 1),))}, ("filter", "clauses", 0, "property")),
        ({"filter": Filter("and", (Clause("a", "eq", 1),) * 600)}, ("filter",)),
    ],
)
async def test_bad_polar_meters(desk, changes, path):
    with pytest.raises(Invalid) as caught:
        await desk.create(COUNT, **changes)
    assert path in [issue.path for issue in caught.value.issues]


async def test_replacing_resets_what_is_left_out(desk):
    await desk.create(SUM, name="Requests", description="text", metadata={"a": "1"})
    blank = {"name": None, "description": None, "metadata": {}, "group_by": {}}
    changed = await desk.call(replace_meter, "requests_total", **blank)
    assert (changed.name, changed.description, changed.metadata, changed.group_by) == (
        "requests_total",
        None,
        {},
        {},
    )
    assert changed.modified_at == NOW
    assert changed == await desk.get("requests_total")


async def test_deleting_twice(desk):
    made = await desk.create(SUM)
    await desk.call(delete_meter, made.slug)
    await desk.call(delete_meter, str(made.id))
    with pytest.raises(NotFound):
        await desk.call(delete_meter, made.slug)
    with pytest.raises(NotFound):
        await desk.call(update_meter, str(made.id), name="changed")


async def test_a_partial_update_keeps_the_rest(desk):
    made = await desk.create(COUNT, metadata={"a": 1})
    assert await desk.call(update_meter, made.slug) == made
    changed = await desk.call(
        update_meter, made.slug, aggregation=(Aggregation.SUM, "metadata.tokens"), name="Tokens"
    )
    assert (changed.aggregation, changed.value_path, changed.metadata) == (
        Aggregation.SUM,
        "tokens",
        {"a": 1},
    )


async def test_a_frozen_definition_is_refused_even_as_null(desk):
    made = await desk.create(COUNT)
    await desk.call(freeze_meter, made.slug)
    with pytest.raises(Invalid) as caught:
        await desk.call(update_meter, made.slug, filter=None, aggregation=None)
    assert [(issue.path, issue.code) for issue in caught.value.issues] == [
        (("filter",), "forbidden"),
        (("aggregation",), "forbidden"),
    ]
    assert (await desk.call(update_meter, made.slug, name="Renamed")).name == "Renamed"


async def test_archiving(desk):
    made = await desk.create(COUNT)
    assert (await desk.call(update_meter, made.slug, is_archived=True)).archived_at == NOW
    desk.clock.move_to(NOW + timedelta(hours=1))
    assert (await desk.call(update_meter, made.slug, is_archived=True)).archived_at == NOW + timedelta(
        hours=1
    )
    assert (await desk.call(update_meter, made.slug, is_archived=False)).archived_at is None


async def test_listing(desk):
    await desk.create(SUM)
    lite = await desk.create(COUNT, metadata={"team": "a", "n": 1})
    latest = await desk.create(SUM, slug="latest", aggregation=Aggregation.LATEST)
    await desk.call(update_meter, lite.slug, is_archived=True)

    async def slugs(criteria, **rest):
        return [meter.slug for meter in (await desk.list(criteria=criteria, **rest))[0]]

    assert await slugs(None) == sorted([lite.slug, "latest", "requests_total"])
    assert await slugs(MeterCriteria(name_contains="LITE")) == [lite.slug]
    assert await slugs(MeterCriteria(name_contains="%")) == []
    assert await slugs(MeterCriteria(is_archived=True)) == [lite.slug]
    assert await slugs(MeterCriteria(metadata={"team": ("a", "b"), "n": ("1",)})) == [lite.slug]
    assert await slugs(MeterCriteria(expressible_as="openmeter")) == ["latest", "requests_total"]
    assert latest.slug not in await slugs(MeterCriteria(expressible_as="polar"))
    assert await slugs(None, sort=(("name", True),), limit=1) == ["requests_total"]
    page, total = await desk.list(limit=1, offset=2)
    assert (len(page), total) == (1, 3)


@pytest.mark.parametrize(("width", "depth"), [(105, 46), (198, 0)])
async def test_the_largest_allowed_filters_run(store, width, depth):
    clauses = tuple(Clause(f"a{index}." + "b." * 20 + "c", "ne", True) for index in range(width))
    tree = Filter("or", clauses)
    for _ in range(depth):
        tree = Filter("and", (tree, Filter("or")))
    meter = polar(filter=tree, organisation_id=uuid4())
    check_definition(meter)
    await store.store([event({"a0": 1}, organisation_id=meter.organisation_id)])
    assert not await has_match(store, meter)
