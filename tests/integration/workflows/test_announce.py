"""What a scheduled run tells others: one message per run, worded from what is stored."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.integration.workflows.conftest import Bench
from tests.pages import SHOP, shop_page

from meterhouse.kernel.ids import new_id
from meterhouse.kernel.recurrence import Recurrence
from meterhouse.monitoring.schedules_model import WebhookRequest
from meterhouse.webhooks import service as webhooks
from meterhouse.webhooks.model import DeliveryFilter, Notice, Subject
from meterhouse.workflows import announce, schedules
from meterhouse.workflows.announce import SOURCE, RunNotices
from meterhouse.workflows.model import Workflow
from meterhouse.workflows.schedules import WorkflowSchedule
from meterhouse.workflows.tables import workflow_runs


async def scheduled(bench: Bench, workflow: Workflow, url: str) -> WorkflowSchedule:
    async with bench.database.begin() as connection:
        saved = await schedules.create_schedule(
            connection,
            organisation_id=bench.organisation_id,
            workflow_id=workflow.id,
            recurrence=Recurrence(interval_s=60),
            webhook=WebhookRequest(url),
            now=bench.clock.now(),
        )
    return saved.schedule


async def fire(bench: Bench, workflow: Workflow) -> None:
    """Let the schedule come due, and drive what it started."""
    bench.clock.move_to(bench.clock.now() + timedelta(minutes=1))
    await bench.tasks.run_due_schedules(bench.clock.now())
    async with bench.database.begin() as connection:
        open_runs = select(workflow_runs.c.id).where(
            workflow_runs.c.workflow_id == workflow.id, workflow_runs.c.completed_at.is_(None)
        )
        waiting = list(await connection.scalars(open_runs))
    for run_id in waiting:
        await bench.tasks.drive_run(run_id=str(run_id))


async def notices(bench: Bench, schedule: WorkflowSchedule) -> list[Notice]:
    async with bench.database.begin() as connection:
        found = await webhooks.list_deliveries(
            connection,
            organisation_id=bench.organisation_id,
            wanted=DeliveryFilter(owner_id=schedule.id),
            limit=100,
            offset=0,
        )
    assert {one.source for one in found} <= {SOURCE}
    worded = await RunNotices(bench.database)(
        [Subject(one.subject_id, {"team": "a"}) for one in reversed(found)]
    )
    return [one for one in worded if one is not None]


async def test_programs_are_told_of_every_run(bench: Bench) -> None:
    workflow = await bench.shop()
    schedule = await scheduled(bench, workflow, "https://receiver.example/hook")
    await fire(bench, workflow)
    bench.fetcher.pages[SHOP] = shop_page(199, 249)
    await fire(bench, workflow)
    bench.fetcher.pages[SHOP] = 503
    await fire(bench, workflow)
    first, second, third = [dict(one.payload) for one in await notices(bench, schedule)]
    assert (first["status"], first["has_changes"], first["item_count"]) == ("completed", False, 3)
    assert first["workflow_id"] == workflow.id
    assert first["schedule_id"] == schedule.id
    assert first["metadata"] == {"team": "a"}
    assert (second["has_changes"], second["item_count"]) == (True, 2)
    assert third["status"] == "failed"
    assert "503" in str(third["error"])


async def test_a_message_holds_the_documented_fields_and_a_bounded_number_of_items(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = await bench.shop()
    schedule = await scheduled(bench, workflow, "https://receiver.example/hook")
    await fire(bench, workflow)
    (whole,) = await notices(bench, schedule)
    documented = {"workflow_id", "run_id", "schedule_id", "status", "has_changes", "item_count"}
    assert whole.payload.keys() == documented | {"final_results", "completed_at", "metadata", "warnings"}
    monkeypatch.setattr(announce, "ITEMS_TOLD_MAX", 2)
    (cut,) = await notices(bench, schedule)
    assert cut.payload["final_results"] == list(whole.payload["final_results"])[:2]  # type: ignore[call-overload]
    assert (cut.payload["item_count"], cut.payload["is_truncated"]) == (3, True)


@pytest.mark.parametrize("url", ["https://hooks.slack.com/services/T/B/x"])
async def test_people_are_told_of_changes_and_failures(bench: Bench, url: str) -> None:
    workflow = await bench.shop()
    schedule = await scheduled(bench, workflow, url)
    await fire(bench, workflow)
    await fire(bench, workflow)
    assert await notices(bench, schedule) == []
    bench.fetcher.pages[SHOP] = shop_page(199, 249)
    await fire(bench, workflow)
    (notice,) = await notices(bench, schedule)
    assert notice.title == "Phones changed"


async def test_a_run_that_is_gone_has_no_notice(bench: Bench) -> None:
    assert await RunNotices(bench.database)([Subject(new_id())]) == [None]
