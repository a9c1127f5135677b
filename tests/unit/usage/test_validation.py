"""The texts by which an event says why a meter does not count it (openmeter 1.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from tests.usage_factory import event, openmeter, polar

from meterhouse.usage.model import Aggregation, Clause, Filter
from meterhouse.usage.validation import explanations, validation_error

SUM = openmeter(value="$.duration_ms")


def counted_by(event, meters):
    return [item.meter for item in explanations(event, meters) if item.verdict.is_counted]


def reason(event, meter):
    (item,) = explanations(event, [meter])
    return item.verdict.rejection.code, item.verdict.rejection.reason


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (None, "invalid event: null and missing value property"),
        ("null", "invalid event: null and missing value property"),
        ({}, 'invalid event: missing value property: "$.duration_ms"'),
        ({"duration_ms": None}, "invalid event: value cannot be null"),
        ({"duration_ms": "NaN"}, "invalid event: value cannot be NaN"),
        ({"duration_ms": "Inf"}, "invalid event: value cannot be infinity"),
        ({"duration_ms": "-infinity"}, "invalid event: value cannot be infinity"),
        ({"duration_ms": "1e999"}, "invalid event: value cannot be infinity"),
        ({"duration_ms": "abc"}, "invalid event: value cannot be parsed as float64: abc"),
        ({"duration_ms": True}, "invalid event: unsupported value property type: boolean"),
        ({"duration_ms": {}}, "invalid event: unsupported value property type: object"),
        ({"duration_ms": []}, "invalid event: unsupported value property type: array"),
        ({"duration_ms": "100"}, None),
        ({"duration_ms": 100}, None),
    ],
)
def test_reasons(data, text):
    assert validation_error(event(data), [SUM]) == text
    assert counted_by(event(data), [SUM]) == ([] if text else [SUM])


def test_remarks_are_joined_by_newlines():
    text = validation_error(event({}, type="other", subject="s"), [SUM], has_customer=False)
    assert text == "no meter found for event type: other\nno customer found for event subject: s"


def test_every_meter_of_the_type_speaks():
    other = replace(openmeter(value="$.b"), slug="b")
    assert validation_error(event({}), [SUM, other]).count("\n") == 1


@pytest.mark.parametrize("aggregation", [Aggregation.COUNT, Aggregation.UNIQUE])
def test_counts_take_any_event(aggregation):
    assert validation_error(event(None), [openmeter(aggregation)]) is None


def test_polar_counts_numbers_only():
    meter = polar(Aggregation.SUM, "v")
    assert counted_by(event({"v": "1"}), [meter]) == []
    assert counted_by(event({"v": 1}), [meter]) == [meter]


def test_an_explanation_names_the_condition_that_fails():
    tree = Filter("or", (Clause("model", "eq", "lite"), Clause("tokens", "gte", 100)))
    meter = polar(Aggregation.COUNT, None, Clause("name", "eq", "ai"), tree)
    assert reason(event({}, type="web"), meter) == (
        "filter_not_met",
        'filter not met: name must be equal to "ai", but it is "web"',
    )
    told = 'filter not met: none of 2 alternatives: model must be equal to "lite", but it is "pro"'
    assert reason(event({"model": "pro", "tokens": 1}), meter) == ("filter_not_met", told)
    told = 'filter not met: none of 2 alternatives: model must be equal to "lite", but it is missing'
    assert reason(event({}), meter) == ("filter_not_met", told)
    assert counted_by(event({"tokens": 100}), [meter]) == [meter]


def test_an_explanation_says_when_a_meter_starts():
    late = openmeter(Aggregation.COUNT, event_from=datetime(2026, 3, 3, tzinfo=UTC))
    told = "the event lies before the meter's start, 2026-03-03T00:00:00Z"
    assert reason(event({}), late) == ("before_event_from", told)


@pytest.mark.parametrize(
    ("meter", "data", "value"),
    [
        (openmeter(Aggregation.COUNT), None, Fraction(1)),
        (openmeter(value="$.v"), {"v": "0.1"}, Fraction(1, 10)),
        (openmeter(Aggregation.MAX, "$.v"), {"v": 0.1}, Fraction(1, 10)),
        (openmeter(Aggregation.UNIQUE, "$.v"), {"v": "a"}, "a"),
        (openmeter(Aggregation.UNIQUE, "$.v"), {}, ""),
        (polar(Aggregation.UNIQUE, "v"), {"v": "a"}, '"a"'),
        (polar(Aggregation.SUM, "timestamp"), {}, Fraction(1772452800)),
    ],
)
def test_an_explanation_has_the_value(meter, data, value):
    (item,) = explanations(event(data), [meter])
    assert item.verdict.value == value


@pytest.mark.parametrize(
    ("meter", "data", "code"),
    [
        (SUM, None, "no_data"),
        (SUM, {}, "value_missing"),
        (SUM, {"duration_ms": None}, "value_null"),
        (SUM, {"duration_ms": "nan"}, "value_nan"),
        (SUM, {"duration_ms": "Inf"}, "value_infinite"),
        (SUM, {"duration_ms": "x"}, "value_unparsable"),
        (SUM, {"duration_ms": []}, "value_type"),
        (openmeter(Aggregation.UNIQUE, "$.v"), {"v": None}, "value_null"),
        (polar(Aggregation.UNIQUE, "v"), {"v": None}, "value_null"),
        (polar(Aggregation.UNIQUE, "v"), {}, "value_missing"),
        (polar(Aggregation.SUM, "name"), {}, "value_type"),
        (polar(Aggregation.SUM, "v"), {"v": "1"}, "value_type"),
    ],
)
def test_rejections_have_codes(meter, data, code):
    assert reason(event(data), meter)[0] == code
