"""Random events and random meters: the compiled query and the plain evaluator agree to the last digit."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from tests.thoroughness import examples
from tests.usage_factory import NOW, event, openmeter, polar

from meterhouse.usage.all_owners import ASKED_MIN, AllOwners
from meterhouse.usage.block import rows_from_events
from meterhouse.usage.corrections import Corrected
from meterhouse.usage.engine.decode import decode_meter_query
from meterhouse.usage.engine.evaluate import evaluate_meter_query, evaluate_quantities
from meterhouse.usage.engine.hours import Hours, hourly, quantities_as_meter_query, quantities_from
from meterhouse.usage.engine.matching import matches
from meterhouse.usage.engine.quantities import decode_quantities
from meterhouse.usage.engine.rolled import stands
from meterhouse.usage.engine.rollups import definition_of
from meterhouse.usage.engine.tail import ADDED, MeterReading, QuantityReading, add_events
from meterhouse.usage.model import (
    Aggregation,
    Clause,
    EventSearch,
    Filter,
    Identities,
    MeterQuery,
    QuantityQuery,
    StringFilter,
    Window,
)
from meterhouse.usage.queries import quantities, query_meter, search_events
from meterhouse.usage.rollups import Rollups
from meterhouse.usage.view import EventView

SLOW = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FOCUSED = settings(SLOW, max_examples=examples(10))

ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/Sao_Paulo",
        "America/Vancouver",
        "America/St_Johns",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Africa/Casablanca",
    ]
)

HOSTILE = [
    "",
    "'",
    '"',
    "\\",
    "a\\",
    "x'; DROP TABLE events; --",
    "{p0:String}",
    "%",
    "_",
    "a%b",
    "t",
    "f",
    "é",
    "\U0001f600",
    "null",
    "true",
    "\n",
    "\t",
    "\x00",
]
NUMBERS_IN_TEXT = [
    "0.4567890123456789",
    "1",
    "1.0",
    "+5",
    ".5",
    "5.",
    "1e5",
    "1E-7",
    "-0",
    "NaN",
    "Inf",
    "-inf",
    "0x10",
    "1_0",
    " 1",
    "1e400",
    "1e-400",
    "0.1",
    "99999999999999999999.99",
    "0." + "1" * 70,
    "1" * 70,
    "1" * 25,
    "0e99999",
]
RAW_NUMBERS = [
    "0",
    "1",
    "1.0",
    "-1",
    "5",
    "5.5",
    "0.1",
    "0.2",
    "0.30000000000000004",
    "1e3",
    "1e-7",
    "1e21",
    "1e300",
    "-1e300",
    "5e-324",
    "1e-25",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "-0.0",
    "123.456",
]


def quoted(text: str) -> str:
    return json.dumps(text)


def scalars() -> st.SearchStrategy[str]:
    texts = st.sampled_from(HOSTILE + NUMBERS_IN_TEXT + ["a", "b", "ab"]).map(quoted)
    numbers = st.sampled_from(RAW_NUMBERS) | st.integers(-(10**6), 10**6).map(str)
    doubles = st.floats(allow_nan=False, allow_infinity=False).map(repr)
    return st.one_of(texts, numbers, doubles, st.sampled_from(["true", "false", "null"]))


def objects(names: list[str], members: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(st.sampled_from(names), members), max_size=4)
    return pairs.map(lambda given: "{" + ",".join(f"{quoted(k)}:{v}" for k, v in given) + "}")


def documents() -> st.SearchStrategy[str]:
    lists = st.lists(scalars(), max_size=3).map(lambda given: "[" + ", ".join(given) + "]")
    nested = objects(["x", "y"], scalars() | lists)
    names = ["a", "b", "c d", "a.x", "name", "timestamp", "it's"]
    rows = st.lists(nested, max_size=3).map(lambda given: "[" + ",".join(given) + "]")
    return st.just("") | objects(names, scalars() | nested | lists | rows)


TIMES = st.one_of(
    st.integers(1_000_000_000, 2_000_000_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
    st.integers(0, 8 * 86_400 * 10**6).map(
        lambda us: datetime(2026, 10, 29, tzinfo=UTC) + timedelta(microseconds=us)
    ),
    st.integers(0, 4 * 86_400).map(lambda s: datetime(2011, 12, 28, tzinfo=UTC) + timedelta(seconds=s)),
    st.integers(0, 4 * 86_400).map(lambda s: datetime(2025, 10, 3, tzinfo=UTC) + timedelta(seconds=s)),
)

FIRST_DAY, LAST_DAY = datetime(2011, 12, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC)

OWNERS = st.sampled_from([("s1", ""), ("s2", ""), ("it's", ""), ("", "c1"), ("", "c2"), ("", "")])


@st.composite
def many_events(draw):
    count = draw(st.integers(0, 12))
    made = []
    for _ in range(count):
        subject, customer = draw(OWNERS)
        made.append(
            event(
                draw(documents()),
                time=draw(TIMES),
                type=draw(st.sampled_from(["ai", "ai", "web"])),
                subject=subject,
                customer_id=customer,
                origin=draw(st.sampled_from(["user", "user", "system"])),
            )
        )
    return made


PATHS = [
    "$.a",
    "$.b",
    "$.a.x",
    "$.a[0]",
    "$.a[1].x",
    "$.a[*]",
    "$.a[*].x",
    "$.a.x[*]",
    '$["c d"]',
    '$["a.x"]',
    "$['it\\'s']",
    "$.none",
]


def string_filters() -> st.SearchStrategy[StringFilter]:
    texts = st.sampled_from([*HOSTILE, "a", "1", "5", "ab"])
    patterns = st.sampled_from(["%", "a%", "_", "%b", "\\%", "a\\_b", "", "\\\\", "%'%", "A%"])
    leaves = st.one_of(
        st.builds(StringFilter, st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]), texts),
        st.builds(StringFilter, st.sampled_from(["like", "nlike", "ilike", "nilike"]), patterns),
        st.builds(StringFilter, st.sampled_from(["in", "nin"]), st.lists(texts, max_size=3).map(tuple)),
    )
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            StringFilter, st.sampled_from(["and", "or"]), st.lists(inner, max_size=3).map(tuple)
        ),
        max_leaves=4,
    )


@st.composite
def meter_queries(draw):
    start, end = draw(st.none() | TIMES), draw(st.none() | TIMES)
    if start is not None and end is not None and end <= start:
        start = None
    customers = draw(
        st.none() | st.just({"c1": ("s1",), "c2": ("s2", "it's")}) | st.just({"c2": ("s1", "s2")})
    )
    group_by = draw(st.lists(st.sampled_from(["g1", "g2", "subject"]), max_size=3).map(tuple))
    return MeterQuery(
        from_at=start,
        to_at=end,
        window=draw(st.none() | st.sampled_from(list(Window))),
        zone=draw(ZONES),
        subjects=draw(st.none() | st.lists(st.sampled_from(["s1", "it's", "none"]), max_size=2).map(tuple)),
        customers=customers,
        group_by=group_by,
        group_filters=draw(st.dictionaries(st.sampled_from(["g1", "g2"]), string_filters(), max_size=2)),
    )


def clauses() -> st.SearchStrategy[Clause]:
    properties = ["a", "metadata.b", "a.x", "c d", "name", "source", "timestamp", "metadata.name", "it's"]
    values = st.one_of(
        st.sampled_from([*HOSTILE, "ai", "user", "5", "1", "a"]),
        st.sampled_from([0, 1, 5, 10, -1, 2**31 - 1, -(2**31)]),
        st.booleans(),
    )
    operators = ["eq", "ne", "gt", "gte", "lt", "lte", "like", "not_like"]
    return st.builds(Clause, st.sampled_from(properties), st.sampled_from(operators), values)


def trees() -> st.SearchStrategy[Filter]:
    leaf = st.builds(Filter, st.sampled_from(["and", "or"]), st.lists(clauses(), max_size=3).map(tuple))
    return st.recursive(
        leaf,
        lambda inner: st.builds(
            Filter, st.sampled_from(["and", "or"]), st.lists(inner | clauses(), max_size=3).map(tuple)
        ),
        max_leaves=5,
    )


@st.composite
def quantity_queries(draw):
    interval = draw(st.sampled_from(["hour", "day", "week", "month", "year"]))
    days = {"hour": 4, "day": 20, "week": 60, "month": 400, "year": 3000}[interval]
    end = draw(TIMES)
    start = end - timedelta(days=draw(st.integers(0, days)), seconds=draw(st.integers(0, 7200)))
    identities = st.builds(
        Identities,
        st.lists(st.sampled_from(["c1", "c2", "c3"]), max_size=2).map(tuple),
        st.lists(st.sampled_from(["s1", "s2", ""]), max_size=2).map(tuple),
    )
    texts = st.lists(st.sampled_from(["1", "a", "true", "", "'"]), min_size=1, max_size=2).map(tuple)
    functions = ["count", "sum", "max", "min", "avg", "unique"]
    return QuantityQuery(
        start,
        end,
        interval,
        draw(ZONES),
        identities=draw(st.none() | identities),
        customer_function=draw(st.none() | st.sampled_from(functions)),
        metadata=draw(st.just({}) | st.dictionaries(st.sampled_from(["a", "c d"]), texts, max_size=1)),
    )


POLAR_FUNCTIONS = [function for function in Aggregation if function is not Aggregation.LATEST]


def settle(store, events):
    organisation = uuid4()
    owned = [replace(item, organisation_id=organisation) for item in events]
    asyncio.run(store.store(owned))
    return organisation, owned


class NothingCorrected:
    async def now(self):
        return Corrected(0)


async def rolled_view(store, meter, events, cut):
    """A view with a rollup that lacks the last events: those after the first `cut`."""
    organisation = meter.organisation_id
    stored = await store.query(
        "SELECT max(seq) FROM events WHERE organisation_id = {o:UUID}", {"o": str(organisation)}
    )
    newest = stored.rows[0][0]
    rollups = Rollups(store, lambda: max(newest - len(events) + cut, 1))
    await rollups.carry_on(meter)
    rollups._reached = lambda: newest
    return EventView(store, NothingCorrected(), rollups)


@SLOW
@given(
    events=many_events(),
    aggregation=st.sampled_from(list(Aggregation)),
    value=st.sampled_from(PATHS),
    groups=st.tuples(st.sampled_from(PATHS), st.sampled_from(PATHS)),
    query=meter_queries(),
    event_from=st.none() | TIMES,
    cut=st.integers(0, 12),
)
def test_meter_queries(store, events, aggregation, value, groups, query, event_from, cut):
    organisation, owned = settle(store, events)
    meter = openmeter(
        aggregation,
        value,
        organisation_id=organisation,
        group_by={"g1": groups[0], "g2": groups[1]},
        event_from=event_from,
    )
    wanted = evaluate_meter_query(meter, query, owned, now=NOW)
    assert asyncio.run(query_meter(store, meter, query, now=NOW)) == wanted

    async def rolled():
        view = await rolled_view(store, meter, owned, min(cut, len(owned)))
        return [
            await query_meter(view, meter, replace(query, from_at=a, to_at=b), now=NOW)
            for a, b in ((query.from_at, query.to_at), (None, None), (FIRST_DAY, LAST_DAY))
        ]

    exact = [
        evaluate_meter_query(meter, replace(query, from_at=a, to_at=b), owned, now=NOW)
        for a, b in ((query.from_at, query.to_at), (None, None), (FIRST_DAY, LAST_DAY))
    ]
    assert asyncio.run(rolled()) == exact


def about_named_owners() -> st.SearchStrategy[MeterQuery]:
    """Questions about one or several subjects or customers."""
    subjects = st.lists(st.sampled_from(["s1", "it's", "", "none"]), min_size=1, max_size=2).map(tuple)
    customers = st.sampled_from([{"c1": ("s1",), "c2": ("s2", "it's")}, {"c2": ("s1", "s2")}, {"c1": ()}])
    asked = meter_queries()
    by_subject = st.builds(lambda query, named: replace(query, subjects=named), asked, subjects)
    by_customer = st.builds(lambda query, named: replace(query, customers=named), asked, customers)
    return by_subject | by_customer


GIVEN_ABOUT_OWNERS = given(
    events=many_events(),
    aggregation=st.sampled_from(sorted(ADDED)),
    value=st.sampled_from(PATHS[:4]),
    groups=st.tuples(st.sampled_from(PATHS), st.sampled_from(PATHS)),
    query=about_named_owners(),
    cut=st.integers(0, 12),
)


@settings(SLOW, max_examples=examples(60))
@GIVEN_ABOUT_OWNERS
def test_events_that_are_added_one_by_one(events, aggregation, value, groups, query, cut):
    """To nothing, and to an answer that holds some already."""
    meter = openmeter(aggregation, value, group_by={"g1": groups[0], "g2": groups[1]})
    rows = rows_from_events(events)
    reading = MeterReading(meter, query)
    found = add_events(meter, reading, add_events(meter, reading, [], rows[:cut]), rows[cut:])
    standing = [row for row in found if stands(meter, row)]
    assert decode_meter_query(meter, query, standing, now=NOW) == evaluate_meter_query(
        meter, query, events, now=NOW
    )


@settings(SLOW, max_examples=examples(60))
@GIVEN_ABOUT_OWNERS
def test_hours_in_memory(events, aggregation, value, groups, query, cut):
    """Some events come in cells and the others one by one."""
    meter = openmeter(aggregation, value, group_by={"g1": groups[0], "g2": groups[1]})
    rows = rows_from_events(events)
    asked = hourly(query)
    hours = Hours(meter, asked)
    cells = add_events(meter, MeterReading(meter, asked), [], rows[:cut])
    assume(hours.take(cells) and hours.add(rows[cut:]))
    whole = replace(query, window=Window.DAY, zone="Europe/Berlin", from_at=FIRST_DAY, to_at=LAST_DAY)
    totals = replace(whole, window=None)
    answered = (asked, whole, totals)
    for one in (*answered, query, replace(query, from_at=None), replace(query, to_at=None)):
        found = hours.answer(one)
        assert found is not None or one not in answered
        if found is not None:
            standing = [row for row in found if stands(meter, row)]
            wanted = evaluate_meter_query(meter, one, events, now=NOW)
            assert decode_meter_query(meter, one, standing, now=NOW) == wanted


async def hours_of_all(store, meter, asked, events, cut):
    """Loaded from a rollup that holds the first `cut` events, if not more; with those that it lacks."""
    rollups = (await rolled_view(store, meter, events, cut)).rollups
    first = rollups._reached() - len(events) + 1
    owners = rollups.owners = AllOwners(store)
    for _ in range(ASKED_MIN):
        assert owners.find(definition_of(meter), meter, asked) is None
    await rollups.carry_on(meter)
    runs = owners.find(definition_of(meter), meter, asked)
    found = runs.find(asked)
    assume(found is not None)
    hours, upto = found
    assume(hours.add(rows_from_events([one for seq, one in enumerate(events, first) if seq > upto])))
    return hours


@settings(SLOW, max_examples=examples(30))
@GIVEN_ABOUT_OWNERS
def test_hours_of_all_owners(store, events, aggregation, value, groups, query, cut):
    organisation, owned = settle(store, events)
    meter = openmeter(
        aggregation, value, organisation_id=organisation, group_by={"g1": groups[0], "g2": groups[1]}
    )
    asked = hourly(replace(query, group_filters={}))
    hours = asyncio.run(hours_of_all(store, meter, asked, owned, min(cut, len(owned))))
    for one in (
        asked,
        replace(asked, window=Window.MONTH, zone="Europe/Berlin"),
        replace(asked, window=None),
    ):
        standing = [row for row in hours.answer(one) if stands(meter, row)]
        wanted = evaluate_meter_query(meter, one, owned, now=NOW)
        assert decode_meter_query(meter, one, standing, now=NOW) == wanted


@settings(SLOW, max_examples=examples(200))
@given(
    minutes=st.lists(st.integers(0, 179), min_size=2, max_size=8),
    start=st.none() | st.integers(0, 179),
    end=st.none() | st.integers(180, 240) | st.integers(1, 179),
    window=st.none() | st.sampled_from(list(Window)),
    aggregation=st.sampled_from([Aggregation.MIN, Aggregation.MAX, Aggregation.COUNT]),
)
def test_bounds_that_cut_hours_in_memory(minutes, start, end, window, aggregation):
    """An hour is used whole, left out whole, or not used at all; one without usable values says nothing."""
    assume(start is None or end is None or start < end)
    day = datetime(2026, 10, 30, tzinfo=UTC)
    values = {0: "null", 1: "-3", 2: "3"}
    events = [
        event(f'{{"a":{values[at // 60]}}}', time=day + timedelta(minutes=at), subject="s1") for at in minutes
    ]
    bounds = [None if at is None else day + timedelta(minutes=at) for at in (start, end)]
    asked = MeterQuery(*bounds, window=window, subjects=("s1",))
    meter = openmeter(aggregation, "$.a")
    hours = Hours(meter, hourly(asked))
    assert hours.add(rows_from_events(events))
    by_hour = defaultdict(list)
    for one in events:
        by_hour[one.time.hour].append(one.time)
    is_cut = any(min(times) < bound <= max(times) for times in by_hour.values() for bound in bounds if bound)
    found = hours.answer(asked)
    assert (found is None) == (window is Window.MINUTE or is_cut)
    if found is not None:
        standing = [row for row in found if stands(meter, row)]
        wanted = evaluate_meter_query(meter, asked, events, now=NOW)
        assert decode_meter_query(meter, asked, standing, now=NOW) == wanted


@settings(SLOW, max_examples=examples(60))
@given(
    events=many_events(),
    aggregation=st.sampled_from(sorted(ADDED)),
    value=st.sampled_from(["a", "a.x", "timestamp"]),
    tree=trees(),
    query=quantity_queries(),
    cut=st.integers(0, 12),
)
def test_quantities_that_are_added_one_by_one(events, aggregation, value, tree, query, cut):
    identities = query.identities or Identities(("c1", "c2"), ("s1",))
    asked = replace(query, identities=identities, metadata={})
    meter = polar(aggregation, value, filter=tree)
    reading, rows = QuantityReading(meter, asked), rows_from_events(events)
    found = add_events(meter, reading, add_events(meter, reading, [], rows[:cut]), rows[cut:])
    standing = [row for row in found if stands(meter, row)]
    assert decode_quantities(meter, asked, standing) == evaluate_quantities(meter, asked, events)


@settings(SLOW, max_examples=examples(60))
@given(
    events=many_events(),
    aggregation=st.sampled_from(sorted(ADDED)),
    value=st.sampled_from(["a", "a.x", "timestamp"]),
    tree=trees(),
    query=quantity_queries(),
)
def test_quantities_from_hours_in_memory(events, aggregation, value, tree, query):
    identities = query.identities or Identities(("c1", "c2"), ("s1",))
    query = replace(query, identities=identities, metadata={}, customer_function=None)
    meter = polar(aggregation, value, filter=tree)
    asked = quantities_as_meter_query(query)
    externals = identities.external_ids
    assert (asked is None) == (not identities.customer_ids and (not externals or "" in externals))
    assume(asked is not None)
    hours = Hours(meter, hourly(asked))
    assume(hours.add(rows_from_events(events)))
    found = hours.answer(asked)
    assert found is not None or query.zone != "UTC"
    if found is not None:
        rows = quantities_from(aggregation, query, found)
        assert decode_quantities(meter, query, rows) == evaluate_quantities(meter, query, events)


@SLOW
@given(
    datas=st.lists(scalars().map(lambda value: f'{{"a":{value},"b":"1"}}'), min_size=3, max_size=12),
    aggregation=st.sampled_from(list(Aggregation)),
    query=about_named_owners(),
    start=st.none() | st.integers(0, 86_400 * 10**6).map(lambda us: timedelta(microseconds=us)),
    cut=st.integers(0, 12),
)
def test_named_owners(store, datas, aggregation, query, start, cut):
    """Cells and the events that they lack, of a day in which each owner has some of either."""
    day = datetime(2026, 10, 30, tzinfo=UTC)
    owners = [("s1", ""), ("", "c1"), ("it's", ""), ("", "c2"), ("", "")]
    events = [
        event(data, time=day + number * timedelta(hours=2, minutes=7), subject=subject, customer_id=customer)
        for number, data in enumerate(datas)
        for subject, customer in owners
    ]
    organisation, owned = settle(store, events)
    meter = openmeter(aggregation, "$.a", organisation_id=organisation, group_by={"g1": "$.a", "g2": "$.b"})
    asked = replace(query, from_at=None if start is None else day + start, to_at=None, group_filters={})

    async def rolled():
        view = await rolled_view(store, meter, owned, len(owners) * min(cut, len(datas)))
        ended = replace(asked, to_at=day + timedelta(days=2, minutes=1))
        return [await query_meter(view, meter, one, now=NOW) for one in (asked, ended)]

    wanted = evaluate_meter_query(meter, asked, owned, now=NOW)
    ended = replace(asked, to_at=day + timedelta(days=2, minutes=1))
    assert asyncio.run(rolled()) == [wanted, evaluate_meter_query(meter, ended, owned, now=NOW)]


@SLOW
@given(
    events=many_events(),
    aggregation=st.sampled_from(POLAR_FUNCTIONS),
    value=st.sampled_from(["a", "metadata.b", "a.x", "c d", "name", "timestamp", "none"]),
    tree=trees(),
    query=quantity_queries(),
    cut=st.integers(0, 12),
)
def test_quantities(store, events, aggregation, value, tree, query, cut):
    organisation, owned = settle(store, events)
    meter = polar(aggregation, value, organisation_id=organisation, filter=tree)
    wanted = evaluate_quantities(meter, query, owned)
    assert asyncio.run(quantities(store, meter, query)) == wanted

    async def rolled():
        view = await rolled_view(store, meter, owned, min(cut, len(owned)))
        return await quantities(view, meter, query)

    assert asyncio.run(rolled()) == wanted


@SLOW
@given(events=many_events(), tree=trees())
def test_search_finds_what_the_filter_matches(store, events, tree):
    organisation, owned = settle(store, events)
    page = asyncio.run(
        search_events(store, organisation_id=organisation, search=EventSearch(filter=tree), limit=100)
    )
    wanted = sorted(
        (item for item in owned if matches(tree, item)), key=lambda e: (e.time, str(e.uid)), reverse=True
    )
    assert [item.uid for item in page.items] == [item.uid for item in wanted]
    assert [item.data for item in page.items] == [item.data for item in wanted]
    assert page.total_count == len(wanted)


def one_value_each() -> st.SearchStrategy[list[str]]:
    """Documents that nearly all hold something at `a`: every pair of values meets sooner or later."""
    lists = st.lists(scalars(), max_size=3).map(lambda given: "[" + ",".join(given) + "]")
    held = scalars() | st.sampled_from(RAW_NUMBERS) | lists | objects(["x"], scalars())
    return st.lists(held.map(lambda value: f'{{"a":{value}}}') | st.sampled_from(["", "{}"]), max_size=12)


TWINS = [
    f'{{"a":{value}}}'
    for value in [
        *RAW_NUMBERS,
        '"18446744073709551616"',
        '"0"',
        '"-0"',
        "0.0",
        "null",
        "true",
        '"true"',
        '""',
    ]
]


@FOCUSED
@example(datas=[*TWINS, "{}", ""], path="$.a")
@given(datas=one_value_each(), path=st.sampled_from(["$.a", "$.a", "$.a[*]", "$.a[0]", "$.a.x"]))
def test_values_of_openmeter(store, datas, path):
    organisation, owned = settle(store, [event(data) for data in datas])
    for aggregation in Aggregation:
        meter = openmeter(aggregation, path, organisation_id=organisation, group_by={"g": "$.a"})
        for query in (MeterQuery(), MeterQuery(group_by=("g",))):
            fast = asyncio.run(query_meter(store, meter, query, now=NOW))
            assert fast == evaluate_meter_query(meter, query, owned, now=NOW)


@FOCUSED
@example(datas=[*TWINS, "{}", ""], tree=[Clause("a", "eq", 0), Clause("a", "gt", "0")], key="")
@example(datas=['{"a":0}', '{"a":-0.0}'], tree=[], key="")
@given(datas=one_value_each(), tree=st.lists(clauses(), min_size=1, max_size=6), key=st.sampled_from(HOSTILE))
def test_values_of_polar(store, datas, tree, key):
    organisation, owned = settle(store, [event(data) for data in datas])
    day = owned[0].time if owned else NOW
    query = QuantityQuery(day, day, "day")
    for function in POLAR_FUNCTIONS:
        meter = polar(function, "a", organisation_id=organisation)
        assert asyncio.run(quantities(store, meter, query)) == evaluate_quantities(meter, query, owned)
    for clause in tree:
        meter = polar(Aggregation.COUNT, None, replace(clause, property="a"), organisation_id=organisation)
        assert asyncio.run(quantities(store, meter, query)) == evaluate_quantities(meter, query, owned)
    query = replace(query, metadata={"a": (key, "1", "0.1", "true")})
    meter = polar(Aggregation.COUNT, organisation_id=organisation)
    assert asyncio.run(quantities(store, meter, query)) == evaluate_quantities(meter, query, owned)


@SLOW
@given(
    values=st.lists(st.sampled_from(RAW_NUMBERS + [quoted(t) for t in NUMBERS_IN_TEXT]), max_size=30),
    order=st.randoms(use_true_random=False),
)
def test_sums_do_not_depend_on_row_order(store, values, order):
    answers = []
    for _ in range(2):
        organisation, _ = settle(store, [event(f'{{"value":{value}}}') for value in values])
        meter = openmeter(organisation_id=organisation)
        answers.append([row.exact for row in asyncio.run(query_meter(store, meter, MeterQuery(), now=NOW))])
        order.shuffle(values)
    assert answers[0] == answers[1]
