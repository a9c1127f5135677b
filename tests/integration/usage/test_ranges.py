"""Usage of one customer in many ranges: the query, the reading of single rows and the evaluator agree."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.integration.usage.test_engine_equals_evaluator import (
    FOCUSED,
    OWNERS,
    PATHS,
    documents,
    settle,
    string_filters,
)
from tests.thoroughness import examples
from tests.usage_factory import event, openmeter, polar

from meterhouse.usage.block import rows_from_events
from meterhouse.usage.engine import ranges as module
from meterhouse.usage.engine.documents import at, parse_document, text_of
from meterhouse.usage.engine.evaluate import evaluate_parts
from meterhouse.usage.engine.jsonpath import parse_jsonpath
from meterhouse.usage.engine.matching import is_owned, matches, text_passes
from meterhouse.usage.engine.ranges import Usage
from meterhouse.usage.engine.reading import RowReader
from meterhouse.usage.engine.sharing import Wish
from meterhouse.usage.model import Aggregation, Clause, Identities
from meterhouse.usage.queries import has_usage_before, recent_usages, usage_by_minute, values_in_ranges

START = datetime(2026, 3, 1, tzinfo=UTC)
HOURS = st.integers(0, 12).map(lambda hours: START + timedelta(hours=hours))
MOMENTS = HOURS | st.integers(0, 12 * 3600 * 10**6).map(lambda us: START + timedelta(microseconds=us))
CUSTOMER = Identities(("c1",), ("s1", "it's"))
COUNTS = (Aggregation.COUNT, Aggregation.UNIQUE)
PLAIN = ["$.a", "$.b", "$.a.x", *PATHS]


@st.composite
def some_events(draw):
    made = []
    for _ in range(draw(st.integers(0, 10))):
        subject, customer = draw(OWNERS)
        data = draw(
            st.integers(0, 3).map(lambda value: json.dumps({"a": value, "b": str(value)})) | documents()
        )
        kind = draw(st.sampled_from(["ai", "ai", "web"]))
        made.append(event(data, time=draw(MOMENTS), type=kind, subject=subject, customer_id=customer))
    return made


@st.composite
def meters(draw, organisation_id):
    aggregation = draw(st.sampled_from(list(Aggregation)))
    rest = {"group_by": {"g": draw(st.sampled_from(PLAIN))}, "organisation_id": organisation_id}
    rest["event_from"] = draw(st.none() | MOMENTS)
    if draw(st.booleans()) and aggregation is not Aggregation.LATEST:
        return polar(
            aggregation, draw(st.sampled_from(["a", "b", "timestamp"])), Clause("a", "ne", 3), **rest
        )
    return openmeter(aggregation, draw(st.sampled_from(PLAIN)), **rest)


def _counts(usage, item):
    meter = usage.meter
    if meter.event_from is not None and item.time < meter.event_from:
        return False
    document = parse_document(item.data)
    return (
        matches(meter.filter, item)
        and is_owned(item, usage.customer)
        and all(
            text_passes(text_of(at(document, parse_jsonpath(meter.group_by[key]))), wanted)
            for key, wanted in usage.group_filters.items()
        )
    )


def _plainly(usage, events, start, end):
    found = [item for item in events if start <= item.time < end and _counts(usage, item)]
    parts = evaluate_parts(usage.meter, found)
    if parts.count == 0 and usage.meter.aggregation not in COUNTS:
        return None
    return parts.result(usage.meter.aggregation)


@FOCUSED
@given(
    events=some_events(),
    data=st.data(),
    bounds=st.lists(st.tuples(HOURS, HOURS), max_size=6),
    group_filters=st.just({}) | st.dictionaries(st.just("g"), string_filters()),
)
def test_ranges(store, events, data, bounds, group_filters):
    organisation, owned = settle(store, events)
    usage = Usage(data.draw(meters(organisation)), CUSTOMER, group_filters)
    ranges = [(min(pair), max(pair)) for pair in bounds]
    found = asyncio.run(
        values_in_ranges(store, usage.meter, customer=CUSTOMER, ranges=ranges, group_filters=group_filters)
    )
    assert found == [_plainly(usage, owned, *range_) for range_ in ranges]


@settings(FOCUSED, max_examples=examples(10))
@given(
    events=some_events(),
    data=st.data(),
    start=HOURS,
    group_filters=st.just({}) | st.dictionaries(st.just("g"), string_filters()),
)
def test_minutes_and_single_rows(store, events, data, start, group_filters):
    organisation, owned = settle(store, events)
    usage = Usage(data.draw(meters(organisation)), CUSTOMER, group_filters)
    minutes = asyncio.run(usage_by_minute(store, usage, from_at=start))
    reader = RowReader(usage)
    for micros, held in minutes.items():
        begin = datetime.fromtimestamp(micros // 10**6, UTC)
        assert begin.second == 0
        expected = _plainly(usage, owned, max(begin, start), begin + timedelta(minutes=1))
        assert held.parts.result(usage.meter.aggregation) == (expected or 0)
    for item, row in zip(owned, rows_from_events(owned), strict=True):
        added = reader.read(row)
        alone = evaluate_parts(usage.meter, [item]) if _counts(usage, item) else None
        if alone is None or alone.count == 0:
            assert added is None
        else:
            assert added is not None
            assert added.parts == alone
    assert asyncio.run(has_usage_before(store, usage, to_at=start)) or not any(
        _counts(usage, item) for item in owned if item.time < start
    )


@settings(FOCUSED, max_examples=examples(10))
@given(
    events=some_events(),
    data=st.data(),
    asked=st.lists(
        st.tuples(
            st.just({}) | st.dictionaries(st.just("g"), string_filters()),
            st.lists(st.tuples(HOURS, HOURS), max_size=4),
        ),
        min_size=1,
        max_size=3,
    ),
    start=HOURS,
)
def test_ranges_and_the_minutes_after_them(store, events, data, asked, start):
    """Of one usage, and of several that are read together."""
    organisation, owned = settle(store, events)
    meter = data.draw(meters(organisation))
    if meter.aggregation is Aggregation.UNIQUE:
        return
    wishes = [
        Wish(Usage(meter, CUSTOMER, filters), [(min(*pair, start), min(max(pair), start)) for pair in bounds])
        for filters, bounds in asked
    ]
    answers = asyncio.run(recent_usages(store, wishes, from_at=start))
    for wish, (found, minutes) in zip(wishes, answers, strict=True):
        assert found == [_plainly(wish.usage, owned, *range_) for range_ in wish.ranges]
        alone = asyncio.run(usage_by_minute(store, wish.usage, from_at=start))
        kept = {at: held for at, held in minutes.items() if held.parts.count}
        assert kept == {at: held for at, held in alone.items() if held.parts.count}


def test_only_events_up_to_a_number_count(store):
    organisation, _ = settle(store, [event({"value": 1}, time=START, subject="s1") for _ in range(3)])
    meter = openmeter(organisation_id=organisation)
    numbers = asyncio.run(
        store.query(
            "SELECT min(seq), max(seq) FROM events WHERE organisation_id = {o:UUID}", {"o": str(organisation)}
        )
    ).rows[0]
    ranges = [(START, START + timedelta(minutes=1))]

    def value(upto):
        return asyncio.run(values_in_ranges(store, meter, customer=CUSTOMER, ranges=ranges, upto=upto))

    assert value(None) == [3]
    assert value(numbers[0]) == [1]
    assert value(numbers[0] - 1) == [None]
    newer = Usage(meter, CUSTOMER, after=numbers[0])
    held = asyncio.run(usage_by_minute(store, newer))
    assert [minute.parts.amount for minute in held.values()] == [2]
    assert asyncio.run(has_usage_before(store, newer, to_at=START + timedelta(seconds=1)))
    assert not asyncio.run(has_usage_before(store, newer, to_at=START))


def test_many_ranges_take_several_queries(store, monkeypatch):
    monkeypatch.setattr(module, "EDGES_MAX", 20)
    hours = [START + timedelta(hours=hour) for hour in range(40)]
    events = [event({"value": hour}, time=moment, subject="s1") for hour, moment in enumerate(hours)]
    organisation, _ = settle(store, events)
    meter = openmeter(organisation_id=organisation)
    ranges = [(moment, moment + timedelta(hours=1)) for moment in hours]
    assert len(module.split_ranges(Usage(meter, CUSTOMER), ranges)) == 4
    assert asyncio.run(values_in_ranges(store, meter, customer=CUSTOMER, ranges=ranges)) == list(range(40))
