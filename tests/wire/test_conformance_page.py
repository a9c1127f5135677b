"""The generator of the conformance page."""

from __future__ import annotations

from tests.unit.apis.contracts import meter_facade
from tests.wire.conformance import render, rows_of, unproven
from tests.wire.recorder import Exercise

from meterhouse.apis.call import Call


async def handler(call: Call) -> None: ...


def test_a_claim_needs_a_success() -> None:
    facade = meter_facade()
    for operation in ("get_job", "list_jobs", "watch"):
        facade.operation(operation)(handler)
    exercises = [
        Exercise("meter", "get_job", 200, "meter-sdk 0.8.0"),
        Exercise("meter", "get_job", 404, "HTTP test"),
        Exercise("meter", "list_jobs", 404, "HTTP test"),
        Exercise("polar", "watch", 200, "HTTP test"),
        Exercise("meter", "list_schedules", 501, "HTTP test"),
    ]
    assert unproven(rows_of(facade, exercises)) == ["watch", "list_jobs"]
    page = render([facade], exercises)
    assert "| [Meter](#meter) | 56 | 3 | 53 |" in page
    assert "| GET | `/api/jobs/{job_id}` | `get_job` | works | meter-sdk 0.8.0 |" in page
    assert "| GET | `/api/schedules` | `list_schedules` | 501 |  |" in page
