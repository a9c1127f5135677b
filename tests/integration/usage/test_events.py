"""Lists of events: openmeter 1.4 and 1.5, polar 9.2, subjects and group-by values."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from tests.usage_factory import NOW, event, openmeter, polar

from meterhouse.kernel.errors import Invalid, NotFound
from meterhouse.usage.engine.cursors import format_cursor, parse_cursor
from meterhouse.usage.model import (
    Aggregation,
    Clause,
    Cursor,
    EventCriteria,
    EventSearch,
    Filter,
    Identities,
    StringFilter,
    TimeFilter,
)
from meterhouse.usage.queries import (
    find_event,
    group_by_values,
    has_match,
    list_events,
    list_subjects,
    recent,
    search_events,
)

T = NOW - timedelta(days=1)


@pytest.fixture(scope="module")
async def shelf(store):
    """Five events of one organisation, oldest first, and one of a stranger."""
    organisation = uuid4()
    rows = [
        ({"model": "a", "v": 1}, {"id": "one", "subject": "s1", "type": "ai"}),
        ({"model": "b", "v": "2"}, {"id": "two", "subject": "s2", "type": "ai"}),
        ({"model": "a"}, {"id": "two%", "subject": "s1", "type": "web", "source": "x'y"}),
        ({}, {"id": "four", "subject": "", "customer_id": "c1", "type": "ai"}),
        (None, {"id": "five", "subject": "s2", "type": "meter.reset", "origin": "system"}),
    ]
    events = [
        event(data, time=T + timedelta(minutes=index), organisation_id=organisation, **rest)
        for index, (data, rest) in enumerate(rows)
    ]
    await store.store([*events, event({"model": "z"}, time=T, organisation_id=uuid4(), subject="s1")])
    return organisation, events


async def ids(store, shelf, **criteria):
    found = await list_events(store, organisation_id=shelf[0], criteria=EventCriteria(**criteria))
    return [item.id for item in found]


async def test_an_event_comes_back_as_it_was_stored(store, shelf):
    organisation, events = shelf
    for made in events:
        read = await find_event(store, organisation_id=organisation, uid=made.uid)
        assert read is not None
        assert {key: value for key, value in vars(read).items() if key != "stored_at"} == vars(made)
    assert await find_event(store, organisation_id=uuid4(), uid=events[0].uid) is None


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({}, ["five", "four", "two%", "two", "one"]),
        ({"from_at": T + timedelta(minutes=1), "to_at": T + timedelta(minutes=3)}, ["two%", "two"]),
        ({"ingested_to_at": NOW}, []),
        ({"id_contains": "two%"}, ["two%"]),
        ({"subject": "s1"}, ["two%", "one"]),
        ({"customers": {"c1": ("s2",)}}, ["five", "four", "two"]),
        ({"customers": {}}, []),
        ({"texts": {"type": StringFilter("in", ("web", "x"))}}, ["two%"]),
        ({"texts": {"source": StringFilter("eq", "x'y")}}, ["two%"]),
        ({"texts": {"id": StringFilter("like", "%o%")}}, ["four", "two%", "two", "one"]),
        ({"times": {"time": TimeFilter("lte", T)}}, ["one"]),
        ({"texts": {"subject": StringFilter("or", (StringFilter("eq", "s1"),))}}, ["two%", "one"]),
    ],
)
async def test_criteria(store, shelf, criteria, expected):
    assert await ids(store, shelf, **criteria) == expected


async def test_cursors_walk_through_all_events(store, shelf):
    seen, cursor = [], None
    for _ in range(6):
        found = await list_events(
            store, organisation_id=shelf[0], criteria=EventCriteria(after=cursor), limit=2
        )
        seen += [item.id for item in found]
        if len(found) < 2:
            break
        cursor = parse_cursor(format_cursor(Cursor(found[-1].time, found[-1].uid)))
    assert seen == ["five", "four", "two%", "two", "one"]


@pytest.mark.parametrize("text", ["", "x", "!!", "MjAyNg==", "MjAyNi0wMS0wMSwx", "a" * 300, "é"])
def test_bad_cursors(text):
    with pytest.raises(Invalid):
        parse_cursor(text)


def test_the_range_of_the_first_list():
    assert recent(EventCriteria(), now=NOW).from_at == NOW - timedelta(days=32) + timedelta(seconds=1)
    for bad in (
        EventCriteria(from_at=NOW - timedelta(days=33)),
        EventCriteria(ingested_from_at=NOW - timedelta(days=33)),
        EventCriteria(from_at=NOW, to_at=NOW - timedelta(seconds=1)),
    ):
        with pytest.raises(Invalid):
            recent(bad, now=NOW)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ({}, ["five", "four", "two%", "two", "one"]),
        ({"is_ascending": True}, ["one", "two", "two%", "four", "five"]),
        ({"start_at": T, "end_at": T + timedelta(minutes=2)}, ["two"]),
        ({"names": ("web",)}, ["two%"]),
        ({"origins": ("system",)}, ["five"]),
        ({"identities": Identities(("c1",), ("s1",))}, ["four", "two%", "one"]),
        ({"identities": Identities()}, []),
        ({"metadata": {"model": ("a",)}}, ["two%", "one"]),
        ({"filter": Filter("and", (Clause("model", "eq", "a"),))}, ["two%", "one"]),
        ({"meter": polar(Aggregation.SUM, "v")}, ["one"]),
        ({"meter": openmeter(value="$.v")}, ["two", "one"]),
        ({"meter": polar(Aggregation.COUNT)}, ["five", "four", "two%", "two", "one"]),
        ({"text": "RESET"}, ["five"]),
        ({"text": '"model": "B"'}, ["two"]),
        ({"text": "RESET", "text_identities": Identities(("c1",))}, ["five", "four"]),
    ],
)
async def test_search(store, shelf, search, expected):
    page = await search_events(store, organisation_id=shelf[0], search=EventSearch(**search), limit=10)
    assert [item.id for item in page.items] == expected
    assert page.total_count == len(expected)


async def test_search_pages(store, shelf):
    page = await search_events(store, organisation_id=shelf[0], search=EventSearch(), limit=2, offset=4)
    assert ([item.id for item in page.items], page.total_count) == (["one"], 5)


async def test_subjects_and_values(store, shelf):
    meter = openmeter(
        Aggregation.COUNT, organisation_id=shelf[0], group_by={"model": "$.model"}, event_type="ai"
    )
    assert await list_subjects(store, meter) == ["s1", "s2"]
    assert await list_subjects(store, meter, from_at=T + timedelta(seconds=1)) == ["s2"]
    assert await group_by_values(store, meter, key="model", now=NOW) == ["a", "b"]
    assert await group_by_values(store, meter, key="model", now=NOW + timedelta(days=9)) == []
    with pytest.raises(NotFound):
        await group_by_values(store, meter, key="nope", now=NOW)


async def test_has_match(store, shelf):
    meter = polar(Aggregation.SUM, "none", Clause("name", "eq", "web"), organisation_id=shelf[0])
    assert await has_match(store, meter)
    assert not await has_match(store, polar(organisation_id=uuid4()))
