"""The compiled queries give every worked example of the Polar reference on the real engine."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from tests.polar_examples import EXAMPLES

from meterhouse.usage.queries import quantities


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
async def test_example(store, example):
    organisation = uuid4()
    await store.store([replace(event, organisation_id=organisation) for event in example.events])
    meter = replace(example.meter, organisation_id=organisation)
    answer = await quantities(store, meter, example.query)
    assert [item.value for item in answer.items] == example.quantities
    assert answer.total == example.total
