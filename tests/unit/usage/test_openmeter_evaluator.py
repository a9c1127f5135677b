"""The evaluator on the OpenMeter reference's worked example and on the corners of exactness."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from tests.usage_factory import NOW, event, openmeter, polar

from meterhouse.kernel.errors import Invalid
from meterhouse.usage.definition import is_expressible_as, polar_property, value_jsonpath
from meterhouse.usage.engine.evaluate import evaluate_meter_query
from meterhouse.usage.model import Aggregation, Clause, MeterQuery, StringFilter

T = datetime(2026, 3, 1, tzinfo=UTC)
MIXED = [
    event({"value": 123, "name": 1}, time=T),
    event({"value": "0.4567890123456789", "name": "a"}, time=T + timedelta(minutes=1)),
    event({"value": None, "name": None}, time=T + timedelta(minutes=2)),
]


@pytest.mark.parametrize(
    ("aggregation", "path", "expected"),
    [
        (Aggregation.SUM, "$.value", 123.45678901234568),
        (Aggregation.COUNT, None, 3),
        (Aggregation.AVG, "$.value", 61.72839450617284),
        (Aggregation.MIN, "$.value", 0.4567890123456789),
        (Aggregation.MAX, "$.value", 123),
        (Aggregation.UNIQUE, "$.name", 2),
        (Aggregation.LATEST, "$.value", 0.4567890123456789),
    ],
)
def test_worked_example(aggregation, path, expected):
    (row,) = evaluate_meter_query(openmeter(aggregation, path), MeterQuery(), MIXED, now=NOW)
    assert row.value == expected


@pytest.mark.parametrize(
    ("values", "exact"),
    [
        (["0.1", "0.2"], Fraction(3, 10)),
        (['"1e300"', "1", '"-1e300"'], Fraction(1)),
        (["5e-324"], Fraction(1, 2**1074)),
        (['"0.' + "0" * 38 + '1"'], Fraction(1e-39)),
        (["9007199254740993"], Fraction(9007199254740993)),
        (["18446744073709551617"], Fraction(18446744073709551617)),
    ],
)
def test_sums_are_exact(values, exact):
    events = [event(f'{{"value":{value}}}') for value in values]
    (row,) = evaluate_meter_query(openmeter(), MeterQuery(), events, now=NOW)
    assert row.exact == exact


def test_questions_a_meter_cannot_answer():
    query = MeterQuery(
        from_at=T, to_at=T, group_by=("nope", "customer_id"), group_filters={"x": StringFilter("eq", "")}
    )
    with pytest.raises(Invalid) as caught:
        evaluate_meter_query(openmeter(), query, [], now=NOW)
    assert [issue.message for issue in caught.value.issues] == [
        "to must be after from",
        "invalid group by: nope",
        "group by customer_id requires filterCustomerId",
        "invalid group by filter: x",
    ]


@pytest.mark.parametrize(
    ("meter", "dialect", "is_expressible"),
    [
        (openmeter(), "polar", True),
        (openmeter(Aggregation.LATEST), "polar", False),
        (openmeter(value="$.a[0]"), "polar", False),
        (openmeter(value='$["a.b"]'), "polar", False),
        (openmeter(value="$.name"), "polar", False),
        (openmeter(Aggregation.COUNT), "polar", True),
        (polar(), "openmeter", False),
        (polar(Aggregation.SUM, "a b", Clause("name", "eq", "ai")), "openmeter", True),
        (polar(Aggregation.SUM, "timestamp", Clause("name", "eq", "ai")), "openmeter", False),
        (polar(Aggregation.UNIQUE, "name", Clause("name", "eq", "ai")), "openmeter", True),
        (polar(Aggregation.COUNT, None, Clause("name", "ne", "ai")), "openmeter", False),
        (polar(), "polar", True),
    ],
)
def test_expressible(meter, dialect, is_expressible):
    assert is_expressible_as(meter, dialect) == is_expressible


def test_paths_translate():
    assert polar_property(openmeter(value='$.a["b c"]')) == "a.b c"
    assert value_jsonpath(polar(Aggregation.SUM, 'a.b c."q')) == '$.a["b c"]["\\"q"]'
