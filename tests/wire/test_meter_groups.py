"""Strategy groups through the published client: members, schedules, schema, webhook test."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from meter_sdk import MeterError
from tests.receiver import Receiver
from tests.wire.clocked import Watched

HOOK = "https://app.example/hook"


@pytest.fixture
def group(world: Watched) -> dict[str, Any]:
    made: dict[str, Any] = world.client.create_strategy_group("Shops", "Prices")
    return made


def member(world: Watched, group: dict[str, Any]) -> str:
    strategy = world.strategy()
    world.client.add_strategies_to_group(group["id"], [strategy])
    return strategy


class TestGroups:
    def test_create_list_update_delete(self, world: Watched, group: dict[str, Any]) -> None:
        assert (group["name"], group["description"], group["strategy_count"]) == ("Shops", "Prices", 0)
        assert world.client.list_strategy_groups(limit=1) == [group]
        changed = world.client.update_strategy_group(group["id"], name="Stores")
        assert (changed["name"], changed["description"]) == ("Stores", "Prices")
        strategy = member(world, group)
        assert world.client.get_strategy(strategy)["strategy_group_id"] == group["id"]
        assert "deleted" in world.client.delete_strategy_group(group["id"])["message"]
        assert world.client.get_strategy(strategy)["strategy_group_id"] is None
        with pytest.raises(MeterError, match="Strategy group not found"):
            world.client.get_strategy_group(group["id"])

    def test_members(self, world: Watched, group: dict[str, Any]) -> None:
        one, two = world.strategy(), world.strategy(strategy_group_id=group["id"])
        world.client.add_strategies_to_group(group["id"], [one, two])
        detail = world.client.get_strategy_group(group["id"])
        assert {found["strategy_id"] for found in detail["strategies"]} == {one, two}
        other = world.client.create_strategy_group("Other")
        world.client.add_strategies_to_group(other["id"], [one])
        assert world.client.get_strategy_group(group["id"])["strategy_count"] == 1
        with pytest.raises(MeterError, match="not found"):
            world.client.add_strategies_to_group(group["id"], [one, str(uuid.uuid4())])
        assert world.client.get_strategy_group(group["id"])["strategy_count"] == 1, "nothing was added"
        world.client.remove_strategy_from_group(group["id"], two)
        with pytest.raises(MeterError, match="not found in this group"):
            world.client.remove_strategy_from_group(group["id"], two)

    def test_unknown(self, world: Watched) -> None:
        unknown = str(uuid.uuid4())
        for calling in (
            lambda: world.client.get_strategy_group(unknown),
            lambda: world.client.update_strategy_group(unknown, name="x"),
            lambda: world.client.apply_group_schedule(unknown, interval_seconds=60),
            lambda: world.client.delete_group_schedules(unknown),
            lambda: world.client.get_schema_progress(unknown),
            lambda: world.client.test_group_webhook(unknown, HOOK),
        ):
            with pytest.raises(MeterError, match="Strategy group not found"):
                calling()


class TestSchedules:
    def test_apply_twice(self, world: Watched, group: dict[str, Any]) -> None:
        empty = world.client.apply_group_schedule(group["id"], interval_seconds=60)
        assert (empty["created"], empty["updated"]) == (0, 0)
        first = member(world, group)
        by_hand = world.client.create_schedule(first, url=world.site.url("/x"), interval_seconds=600)
        made = world.client.apply_group_schedule(group["id"], interval_seconds=3600, webhook_url=HOOK)
        assert (made["created"], made["updated"]) == (1, 0)
        assert made["webhook_secret"].startswith("whsec_")
        member(world, group)
        again = world.client.apply_group_schedule(group["id"], cron_expression="0 9 * * *")
        assert (again["created"], again["updated"]) == (1, 1)
        found = world.client.list_schedules()
        assert sorted(one["schedule_type"] for one in found) == ["cron", "cron", "interval"]
        assert world.schedule(by_hand["id"])["interval_seconds"] == 600
        assert all(one["webhook_url"] is None for one in found)
        with pytest.raises(MeterError, match="interval_seconds"):
            world.client.apply_group_schedule(group["id"], interval_seconds=5)

    def test_parameters_that_a_member_does_not_know(self, world: Watched, group: dict[str, Any]) -> None:
        member(world, group)
        path = f"/api/strategy-groups/{group['id']}/schedule"
        for _ in range(2):  # where the schedule is made, and where it is changed
            refused = world.raw.post(path, json={"interval_seconds": 3600, "parameters": {"page": 1}})
            assert "takes no parameters" in refused.json()["detail"]
            world.client.apply_group_schedule(group["id"], interval_seconds=60)
        wrong = world.raw.post(path, json={"interval_seconds": 3600, "parameters": "x"})
        assert (wrong.status_code, wrong.json()["detail"]) == (400, "parameters: must be an object")

    def test_toggle_and_delete(self, world: Watched, group: dict[str, Any]) -> None:
        member(world, group)
        world.client.apply_group_schedule(group["id"], interval_seconds=60)
        assert world.client.toggle_group_schedules(group["id"], False)["message"] == "Disabled 1 schedule"
        (off,) = world.client.list_schedules()
        assert (off["enabled"], off["next_run_at"]) == (False, None)
        world.client.toggle_group_schedules(group["id"], True)
        world.move(seconds=61)
        assert len(world.jobs(off["id"])) == 1
        assert world.client.delete_group_schedules(group["id"])["message"] == "Deleted 1 schedule"
        assert world.client.list_schedules() == []


class TestSchema:
    def test_members_get_new_plans_and_keep_old_ones_that_fail(
        self, world: Watched, group: dict[str, Any]
    ) -> None:
        assert world.client.get_schema_progress(group["id"])["status"] == "idle"
        world.price(199, 249, 299)
        world.site.pages["/other"] = world.site.pages["/phones"]
        good, bad = world.strategy(), world.strategy("/other")
        world.client.add_strategies_to_group(group["id"], [good, bad])
        before = world.client.get_strategy(bad)
        world.site.pages["/other"] = 404
        schema = {"title": "string"}
        started = world.client.apply_group_schema(group["id"], schema)
        assert started["strategy_count"] == 2
        deadline = time.monotonic() + 30
        while (progress := world.client.get_schema_progress(group["id"]))["progress_percent"] < 100:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert (progress["status"], progress["total"], progress["failed"]) == ("completed", 2, 1)
        (error,) = progress["errors"]
        assert (error["strategy_id"], "404" in error["error"]) == (bad, True)
        after = world.client.get_strategy(good)
        assert (after["strategy_id"], after["output_schema"]) == (good, schema)
        assert after["preview_data"][0] == {"title": "Phone A"}
        assert world.client.get_strategy(bad) == before
        with pytest.raises(MeterError, match=r"output_schema\.title"):
            world.client.apply_group_schema(group["id"], {"title": "text"})

    def test_one_at_a_time(self, world: Watched, group: dict[str, Any]) -> None:
        member(world, group)
        world.site.delay_s = 1.0
        world.client.apply_group_schema(group["id"], {"title": "string"})
        answer = world.raw.patch(
            f"/api/strategy-groups/{group['id']}/schema", json={"output_schema": {"title": "string"}}
        )
        assert answer.status_code == 409
        world.site.delay_s = 0.0


def test_the_webhook_test(world: Watched, group: dict[str, Any]) -> None:
    receiver = Receiver()
    found = world.client.test_group_webhook(
        group["id"], receiver.url(), webhook_secret="mine", webhook_metadata={"a": 1}
    )
    assert (found["success"], found["status_code"]) == (True, 200)
    (got,) = receiver.received
    assert got.headers["x-webhook-secret"] == "mine"
    assert (got.json["metadata"], got.json["test"]) == ({"a": 1}, True)
    receiver.close()
