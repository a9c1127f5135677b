"""What customers consumed since their resets, as the engine and as plain Python count it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.integration.usage.test_engine_equals_evaluator import (
    POLAR_FUNCTIONS,
    SLOW,
    many_events,
    settle,
    trees,
)
from tests.thoroughness import examples
from tests.usage_factory import NOW, event, polar

from meterhouse.usage.engine import consumption
from meterhouse.usage.engine.consumption import (
    Consumer,
    Consumption,
    compile_consumption,
    compile_few_events,
    compile_presence,
    decode_consumption,
    decode_few_events,
    decode_presence,
    evaluate_consumption,
)
from meterhouse.usage.engine.decode import named_rows
from meterhouse.usage.engine.evaluate import evaluate_parts
from meterhouse.usage.engine.explain import explain
from meterhouse.usage.engine.matching import is_owned, matches
from meterhouse.usage.model import Identities

FEW = settings(SLOW, max_examples=examples(10))
RESETS = st.none() | st.integers(0, 6).map(lambda hours: NOW + timedelta(hours=hours))


def consumers(first, second):
    return [Consumer("c1", ("s1", "it's"), first), Consumer("c2", ("s2",), second), Consumer("c3", ("none",))]


def owned_by(consumer, events):
    identities = Identities((consumer.customer_id,), consumer.subjects)
    return [event for event in events if is_owned(event, identities)]


def consumed(meter, consumer, events):
    counted = [
        event
        for event in owned_by(consumer, events)
        if event.origin == "user"
        and (consumer.since is None or event.ingested_at >= consumer.since)
        and matches(meter.filter, event)
    ]
    parts = evaluate_parts(meter, counted)
    if not parts.count:
        return Consumption()
    last = max(event.ingested_at for event in counted if explain(event, meter).is_counted)
    return Consumption(parts.result(meter.aggregation), last)


@FEW
@given(
    events=many_events(),
    delays=st.lists(st.integers(0, 6), min_size=12, max_size=12),
    asked=st.lists(
        st.tuples(
            st.sampled_from(POLAR_FUNCTIONS),
            st.sampled_from(["a", "a.x", "name", "timestamp"]),
            trees(),
            RESETS,
            RESETS,
        ),
        min_size=1,
        max_size=4,
    ),
    per_query=st.integers(1, 4),
)
def test_consumption(store, events, delays, asked, per_query):
    late = [replace(e, ingested_at=NOW + timedelta(hours=d)) for e, d in zip(events, delays, strict=False)]
    organisation, owned = settle(store, late)
    meters = [
        (polar(function, value, organisation_id=organisation, filter=tree), consumers(*resets))
        for function, value, tree, *resets in asked
    ]
    found = {}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(consumption, "METERS_PER_QUERY", per_query)
        queries = compile_consumption(meters)
    assert len(queries) == -(-len(meters) // per_query)
    for compiled in queries:
        rows = named_rows(compiled, asyncio.run(store.query(compiled.sql, compiled.parameters)).rows)
        found |= decode_consumption(meters, rows)
    few = compile_few_events(organisation, consumers(None, None), limit=len(owned), data_bytes_max=10**6)
    rows = asyncio.run(store.query(few.sql, few.parameters)).rows
    users = decode_few_events(rows, limit=len(owned))
    assert evaluate_consumption(meters, users) == found
    for meter, owners in meters:
        for consumer in owners:
            told = found.get((consumer.customer_id, meter.id), Consumption())
            assert told == consumed(meter, consumer, owned)


def test_few_events_are_all_or_none(store):
    events = [event('{"a":1}'), event('{"a":2}'), event(f'{{"a":"{"x" * 99}"}}', subject="other")]
    organisation, _ = settle(store, events)
    first, second = Consumer("c1", (events[0].subject,)), Consumer("c2", ("other",))

    def found(consumer, limit, data_bytes_max=50):
        few = compile_few_events(organisation, [consumer], limit=limit, data_bytes_max=data_bytes_max)
        answer = asyncio.run(store.query(few.sql, few.parameters))
        return decode_few_events(answer.rows, limit=limit)

    assert sorted(one.data for one in found(first, 2)) == ['{"a":1}', '{"a":2}']
    assert found(first, 1) is None
    assert found(second, 9) is None
    assert len(found(second, 9, 200)) == 1


@FEW
@given(events=many_events(), delays=st.lists(st.integers(0, 6), min_size=12, max_size=12))
def test_presence(store, events, delays):
    late = [replace(e, ingested_at=NOW + timedelta(hours=d)) for e, d in zip(events, delays, strict=False)]
    organisation, owned = settle(store, late)
    asked = consumers(None, None)
    compiled = compile_presence(organisation, asked)
    rows = named_rows(compiled, asyncio.run(store.query(compiled.sql, compiled.parameters)).rows)
    found = decode_presence(asked, rows)
    for consumer in asked:
        known, own = found.get(consumer.customer_id), owned_by(consumer, owned)
        assert (known is None) == (not own)
        if known is not None:
            assert known.first_at == min(event.ingested_at for event in own)
            assert known.types == {event.type for event in own}
