"""Schedules of workflows through the published `meter_sdk`; only the clock of the server runs time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from meter_sdk import MeterClient, MeterError, Workflow
from tests.server import ServerProcess
from tests.wire.clocked import Watched, watched
from tests.wire.conftest import HTTP_TEST
from tests.wire.recorder import Recorder


@pytest.fixture(scope="module")
def clocked_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("clocked") / "data")
    try:
        yield process.start()
    finally:
        process.close()


@pytest.fixture
def on(clocked_server: ServerProcess, recorder_of: Callable[[str], Recorder]) -> Iterator[Watched]:
    recorder = recorder_of(clocked_server.base_url)
    yield from watched(clocked_server, recorder.url_for("meter-sdk 0.8.0"), recorder.url_for(HTTP_TEST))


@pytest.fixture
def workflow_id(on: Watched) -> Iterator[str]:
    workflow = Workflow("Phones")
    workflow.start("phones", on.strategy(), urls=[on.site.url("/phones")])
    made = on.client.create_workflow(workflow)
    on.move(seconds=1)  # from here on the clock stands still
    yield made["id"]
    on.client.delete_workflow(made["id"])


def runs(client: MeterClient, workflow_id: str) -> list[dict[str, Any]]:
    return list(client.list_workflow_runs(workflow_id, limit=100))


class TestRuns:
    def test_by_interval(self, on: Watched, workflow_id: str) -> None:
        made = on.client.schedule_workflow(workflow_id, interval_seconds=3600)
        assert made["id"] == made["schedule_id"]
        assert (made["schedule_type"], made["enabled"], made["workflow_id"]) == (
            "interval",
            True,
            workflow_id,
        )
        assert runs(on.client, workflow_id) == []
        for count in (1, 2):
            on.move(hours=1)
            found = runs(on.client, workflow_id)
            assert [run["status"] for run in found] == ["completed"] * count
        assert {run["schedule_id"] for run in found} == {made["id"]}
        assert {run["force"] for run in found} == {False}
        on.move(hours=50)
        assert len(runs(on.client, workflow_id)) == 3, "what was missed is made up for once"
        (listed,) = on.client.list_workflow_schedules(workflow_id)
        assert listed["last_run_at"] is not None
        assert listed["last_run_id"] == runs(on.client, workflow_id)[0]["id"]

    def test_by_cron_in_a_time_zone(self, on: Watched, workflow_id: str) -> None:
        body = {"cron_expression": "0 9 * * *", "timezone": "Asia/Tokyo"}
        made = on.raw.post(f"/api/workflows/{workflow_id}/schedules", json=body).json()
        assert (made["schedule_type"], made["next_run_at"][11:]) == ("cron", "00:00:00Z")
        on.move(hours=25)
        assert len(runs(on.client, workflow_id)) == 1

    def test_has_changes(self, on: Watched, workflow_id: str) -> None:
        on.client.schedule_workflow(workflow_id, interval_seconds=60)
        seen: list[object] = []
        pages: list[Any] = [(199, 249), (199, 249), 503, (199, 249), (199, 229)]
        for page in pages:
            if isinstance(page, int):
                on.site.pages["/phones"] = page
            else:
                on.price(*page)
            on.move(minutes=1)
            latest = runs(on.client, workflow_id)[0]
            seen.append((latest["status"], latest["has_changes"]))
        assert seen == [
            ("completed", False),
            ("completed", False),
            ("failed", None),
            ("completed", False),
            ("completed", True),
        ]

    def test_disabled_workflows_and_schedules_do_not_run(self, on: Watched, workflow_id: str) -> None:
        made = on.client.schedule_workflow(workflow_id, interval_seconds=60)
        on.client.update_workflow(workflow_id, enabled=False)
        on.move(minutes=2)
        assert runs(on.client, workflow_id) == []
        assert on.client.list_workflow_schedules(workflow_id)[0]["last_skipped_at"] is not None
        on.client.update_workflow(workflow_id, enabled=True)
        off = on.client.update_workflow_schedule(workflow_id, made["id"], enabled=False)
        assert (off["enabled"], off["next_run_at"]) == (False, None)
        on.move(minutes=2)
        assert runs(on.client, workflow_id) == []
        on.client.update_workflow_schedule(workflow_id, made["id"], enabled=True)
        on.move(minutes=2)
        assert len(runs(on.client, workflow_id)) == 1


class TestChanges:
    def test_timing_and_deletion(self, on: Watched, workflow_id: str) -> None:
        made = on.client.schedule_workflow(workflow_id, interval_seconds=3600)
        changed = on.client.update_workflow_schedule(workflow_id, made["id"], cron_expression="*/5 * * * *")
        assert (changed["schedule_type"], changed["interval_seconds"]) == ("cron", None)
        same = on.client.update_workflow_schedule(workflow_id, made["id"])
        assert same["next_run_at"] == changed["next_run_at"]
        assert on.client.delete_workflow_schedule(workflow_id, made["id"])["message"]
        assert on.client.list_workflow_schedules(workflow_id) == []

    def test_the_webhook_and_its_secret(self, on: Watched, workflow_id: str) -> None:
        made = on.client.schedule_workflow(
            workflow_id,
            interval_seconds=3600,
            webhook_url="https://receiver.example/hook",
            webhook_metadata={"team": "a"},
        )
        assert (made["webhook_type"], made["webhook_metadata"]) == ("standard", {"team": "a"})
        assert made["webhook_secret"]
        (listed,) = on.client.list_workflow_schedules(workflow_id)
        assert "webhook_secret" not in listed
        renewed = on.raw.patch(
            f"/api/workflows/{workflow_id}/schedules/{made['id']}", json={"webhook_secret": ""}
        ).json()
        assert renewed["webhook_secret"] != made["webhook_secret"]
        cleared = on.raw.patch(
            f"/api/workflows/{workflow_id}/schedules/{made['id']}", json={"webhook_url": None}
        ).json()
        assert (cleared["webhook_url"], cleared["webhook_type"]) == (None, None)


class TestWrongInput:
    def test_what_is_refused(self, on: Watched, workflow_id: str) -> None:
        nobody, path = str(uuid.uuid4()), f"/api/workflows/{workflow_id}/schedules"
        for body in ({}, {"interval_seconds": 60, "cron_expression": "* * * * *"}, {"interval_seconds": 59}):
            assert on.raw.post(path, json=body).status_code in (400, 422), body
        with pytest.raises(MeterError, match="five fields"):
            on.client.schedule_workflow(workflow_id, cron_expression="daily")
        with pytest.raises(MeterError, match="Workflow not found"):
            on.client.schedule_workflow(nobody, interval_seconds=60)
        with pytest.raises(MeterError, match="Workflow not found"):
            on.client.list_workflow_schedules(nobody)
        for schedule_id in (nobody, "no-id"):
            with pytest.raises(MeterError, match="chedule not found"):
                on.client.update_workflow_schedule(workflow_id, schedule_id, enabled=False)
            with pytest.raises(MeterError, match="chedule not found"):
                on.client.delete_workflow_schedule(workflow_id, schedule_id)
