"""The texts by which an event says why a meter does not count it (openmeter 1.3)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.usage_factory import event, openmeter, polar

from meterhouse.usage.model import Aggregation
from meterhouse.usage.validation import counted_by, validation_error

SUM = openmeter(value="$.duration_ms")


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
