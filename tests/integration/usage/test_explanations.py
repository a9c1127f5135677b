"""Random events and random meters: what an explanation says is what the evaluator and the engine do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.integration.usage.test_engine_equals_evaluator import (
    PATHS,
    POLAR_FUNCTIONS,
    SLOW,
    TIMES,
    many_events,
    settle,
    trees,
)
from tests.thoroughness import examples
from tests.usage_factory import NOW, openmeter, polar

from meterhouse.usage.engine.evaluate import evaluate_meter_query
from meterhouse.usage.engine.explain import explain
from meterhouse.usage.model import Aggregation, EventSearch, MeterQuery
from meterhouse.usage.queries import search_events

FEW = settings(SLOW, max_examples=examples(10))
ALWAYS = MeterQuery(from_at=NOW.replace(year=1971), to_at=NOW.replace(year=2200))


def answer(meter, events):
    """What the meter's aggregate is, or nothing when it rests on nothing."""
    return [row.exact for row in evaluate_meter_query(meter, ALWAYS, events, now=NOW)]


@st.composite
def meters(draw):
    if draw(st.booleans()):
        return openmeter(
            draw(st.sampled_from(list(Aggregation))),
            draw(st.sampled_from(PATHS)),
            event_from=draw(st.none() | TIMES),
        )
    value = draw(st.sampled_from(["a", "metadata.b", "a.x", "c d", "name", "timestamp", "none"]))
    return polar(draw(st.sampled_from(POLAR_FUNCTIONS)), value, filter=draw(trees()))


@FEW
@given(events=many_events(), meter=meters())
def test_counted_is_what_makes_a_difference(events, meter):
    whole = answer(meter, events)
    for index, event in enumerate(events):
        verdict = explain(event, meter)
        if verdict.is_counted:
            assert answer(meter, [event]) != answer(meter, [])
        else:
            assert verdict.rejection.reason
            assert answer(meter, [event]) == answer(meter, [])
            assert answer(meter, events[:index] + events[index + 1 :]) == whole


@FEW
@given(events=many_events(), meter=meters())
def test_counted_values_add_up_to_the_answer(events, meter):
    values = [verdict.value for event in events if (verdict := explain(event, meter)).is_counted]
    match meter.aggregation:
        case Aggregation.COUNT | Aggregation.SUM:
            expected = [sum(values, Fraction(0))] if values or meter.aggregation is Aggregation.COUNT else []
        case Aggregation.UNIQUE:
            polar_values = ["0" if value == "-0" else value for value in values]
            expected = [len(set(polar_values if meter.dialect == "polar" else values))]
        case Aggregation.AVG:
            expected = [sum(values, Fraction(0)) / len(values)] if values else []
        case Aggregation.MAX:
            expected = [max(values)] if values else []
        case Aggregation.MIN:
            expected = [min(values)] if values else []
        case _:
            assert set(answer(meter, events)) <= set(values)
            return
    assert answer(meter, events) == expected


@FEW
@given(events=many_events(), meter=meters())
def test_the_engine_lists_the_events_that_count(store, events, meter):
    """For `unique` the list also holds events without a value: they qualify, and add nothing (polar 6)."""
    organisation, owned = settle(store, events)
    meter = replace(meter, organisation_id=organisation)
    search = EventSearch(meter=meter)
    page = asyncio.run(search_events(store, organisation_id=organisation, search=search, limit=100))
    counted = {event.uid for event in owned if explain(event, meter).is_counted}
    listed = {event.uid for event in page.items}
    assert listed >= counted if meter.aggregation is Aggregation.UNIQUE else listed == counted
