"""The worked examples of the OpenMeter reference on the real engine, to the last digit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tests.usage_factory import NOW, event, openmeter

from meterhouse.usage.model import Aggregation, MeterQuery, Window
from meterhouse.usage.queries import query_meter

T = datetime(2026, 3, 1, tzinfo=UTC)

MIXED = [
    (Aggregation.SUM, "$.value", 123.45678901234568),
    (Aggregation.COUNT, None, 3),
    (Aggregation.AVG, "$.value", 61.72839450617284),
    (Aggregation.MIN, "$.value", 0.4567890123456789),
    (Aggregation.MAX, "$.value", 123),
    (Aggregation.UNIQUE, "$.name", 2),
    (Aggregation.LATEST, "$.value", 0.4567890123456789),
]


@pytest.mark.parametrize(("aggregation", "path", "expected"), MIXED)
async def test_mixed_values(store, aggregation, path, expected):
    organisation = uuid4()
    data = [
        {"value": 123, "name": 1},
        {"value": "0.4567890123456789", "name": "a"},
        {"value": None, "name": None},
    ]
    await store.store(
        [
            event(values, time=T + timedelta(minutes=index), organisation_id=organisation)
            for index, values in enumerate(data)
        ]
    )
    meter = openmeter(aggregation, path, organisation_id=organisation)
    rows = await query_meter(store, meter, MeterQuery(), now=NOW)
    assert [row.value for row in rows] == [expected]


@pytest.fixture(scope="module")
async def five_subjects(store):
    organisation = uuid4()
    offsets = [timedelta(0), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)]
    await store.store(
        [
            event({"value": 100}, time=T + offset, subject=f"c{n}", organisation_id=organisation)
            for n in range(1, 6)
            for offset in offsets
        ]
    )
    return openmeter(organisation_id=organisation)


@pytest.mark.parametrize(
    ("window", "values"),
    [
        (None, [2000]),
        (Window.MINUTE, [500] * 4),
        (Window.HOUR, [1000, 500, 500]),
        (Window.DAY, [1500, 500]),
        (Window.MONTH, [2000]),
    ],
)
async def test_windows(store, five_subjects, window, values):
    rows = await query_meter(store, five_subjects, MeterQuery(window=window), now=NOW)
    assert [row.value for row in rows] == values


async def test_total_is_bounded_by_the_minutes_of_the_first_and_last_event(store, five_subjects):
    (row,) = await query_meter(store, five_subjects, MeterQuery(), now=NOW)
    assert (row.window_start, row.window_end) == (T, T + timedelta(days=1, minutes=1))


async def test_subjects_filter_and_group(store, five_subjects):
    rows = await query_meter(store, five_subjects, MeterQuery(subjects=("c1", "c2")), now=NOW)
    assert [(row.subject, row.value) for row in rows] == [("c1", 400), ("c2", 400)]


@pytest.mark.parametrize("aggregation", Aggregation)
async def test_nothing_counted(store, aggregation):
    meter = openmeter(aggregation, organisation_id=uuid4())
    rows = await query_meter(store, meter, MeterQuery(from_at=T), now=NOW)
    counts = aggregation in (Aggregation.COUNT, Aggregation.UNIQUE)
    assert [row.value for row in rows] == ([0] if counts else [])
    assert await query_meter(store, meter, MeterQuery(window=Window.DAY), now=NOW) == []
