"""The generator of the conformance page."""

from __future__ import annotations

from tests.unit.apis.contracts import meter_facade
from tests.wire.conformance import grouped, render, rows_of, unproven
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
    total = len(facade.contract.operations)
    assert f"| [Meter](#meter) | {total} | 3 | {total - 3} |" in page
    assert "| GET | `/api/jobs/{job_id}` | `get_job` | works | meter-sdk 0.8.0 |" in page
    assert "| GET | `/api/schedules` | `list_schedules` | 501 |  |" in page


def test_releases_of_a_client_stand_together_in_order() -> None:
    seen = ["polar-sdk 0.16.11", "polar-sdk 1.0.3a5", "HTTP test", "polar-sdk 0.16.1", "polar-sdk 1.0.2"]
    assert grouped(seen) == ["HTTP test", "polar-sdk 0.16.1 0.16.11 1.0.2 1.0.3a5"]
