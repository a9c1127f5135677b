"""Bounds of a row without a window, at the ends of time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from meterhouse.usage.engine.decode import total_bounds
from meterhouse.usage.model import MeterQuery

NOW = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)
LAST_SECOND = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "bounds"),
    [
        (MeterQuery(), (datetime(2026, 3, 10, 12, 0, tzinfo=UTC), datetime(2026, 3, 10, 12, 1, tzinfo=UTC))),
        (MeterQuery(from_at=LAST_SECOND), (LAST_SECOND, LAST_SECOND)),
        (MeterQuery(to_at=LAST_SECOND), (LAST_SECOND.replace(second=0), LAST_SECOND)),
    ],
)
def test_bounds_over_no_events(query: MeterQuery, bounds: tuple[datetime, datetime]) -> None:
    assert total_bounds(query, None, None, NOW) == bounds
