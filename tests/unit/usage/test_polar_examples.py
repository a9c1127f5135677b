"""The slow evaluator gives every worked example of the Polar reference."""

from __future__ import annotations

import pytest
from tests.polar_examples import EXAMPLES, at

from meterhouse.usage.engine.evaluate import evaluate_quantities


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_example(example):
    answer = evaluate_quantities(example.meter, example.query, example.events)
    assert [item.value for item in answer.items] == example.quantities
    assert answer.total == example.total
    if example.listed is not None:
        assert [item.timestamp for item in answer.items] == [at(text) for text in example.listed]
