"""Watching a page in one call, and the small documented extras."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from meter_sdk import MeterError
from tests.wire.clocked import ASK, Watched


class TestWatch:
    def test_a_strategy_and_a_schedule(self, world: Watched) -> None:
        url = world.site.url("/phones")
        made = world.client.watch(
            url, ASK, interval_seconds=600, webhook_url="https://app.example/hook", name="Phones"
        )
        assert made["webhook_secret"].startswith("whsec_")
        assert len(made["preview_data"]) == 3
        assert world.client.get_strategy(made["strategy_id"])["name"] == "Phones"
        schedule = world.schedule(made["schedule_id"])
        assert (schedule["strategy_id"], schedule["url"]) == (made["strategy_id"], url)
        assert schedule["interval_seconds"] == 600

    def test_the_first_run_is_the_baseline_at_once(self, world: Watched) -> None:
        made = world.client.watch(world.site.url("/phones"), ASK)
        world.move(seconds=1)
        (baseline,) = world.jobs(made["schedule_id"])
        assert (baseline["status"], baseline["has_changes"]) == ("completed", False)
        following = datetime.fromisoformat(world.schedule(made["schedule_id"])["next_run_at"])
        assert following == datetime.fromisoformat(made["next_run_at"]) + timedelta(hours=1)
        assert "127.0.0.1" in world.client.get_strategy(made["strategy_id"])["name"]

    def test_a_filter(self, world: Watched) -> None:
        url = world.site.url("/phones")
        item = world.client.watch(url, ASK)["preview_data"][2]
        name, value = next(iter(item.items()))
        made = world.client.watch(
            url, ASK, filter_config={"field": name, "operator": "equals", "value": value}
        )
        assert made["preview_data"] == [item]

    def test_cron_several_urls_and_a_schema(self, world: Watched) -> None:
        urls = [world.site.url("/phones"), world.site.url("/more")]
        made = world.raw.post(
            "/api/watch",
            json={
                "url": urls[0],
                "urls": urls,
                "description": ASK,
                "interval_seconds": 3600,
                "cron_expression": "0 9 * * *",
                "timezone": "Asia/Tokyo",
                "output_schema": {"title": "string", "price": "number"},
            },
        ).json()
        assert made["preview_data"][0] == {"title": "Phone A", "price": 199}
        schedule = world.schedule(made["schedule_id"])
        assert (schedule["urls"], schedule["schedule_type"], schedule["timezone"]) == (
            urls,
            "cron",
            "Asia/Tokyo",
        )

    def test_all_or_nothing(self, world: Watched) -> None:
        before = world.client.list_strategies(limit=1000)
        asked = len(world.site.requests)
        url = world.site.url("/phones")
        for match, given in (
            ("interval_seconds", {"interval_seconds": 30}),
            ("webhook_url", {"webhook_url": "nowhere"}),
            ("description", {"description": ""}),
        ):
            with pytest.raises(MeterError, match=match):
                world.client.watch(**{"url": url, "description": ASK, **given})
        assert len(world.site.requests) == asked, "refused before the page is fetched"
        with pytest.raises(MeterError, match="404 Not Found"):
            world.client.watch(world.site.url("/gone"), ASK)
        assert world.client.list_strategies(limit=1000) == before
        assert world.client.list_schedules() == []


class TestExtras:
    def test_quota(self, world: Watched) -> None:
        before = world.raw.get("/api/account/quota").json()["strategy_quota"]
        strategy = world.strategy()
        world.client.delete_strategy(strategy)
        after = world.raw.get("/api/account/quota").json()["strategy_quota"]
        assert after == {"used": before["used"] + 1, "limit": -1, "tier": "enterprise"}

    def test_audit(self, world: Watched) -> None:
        strategy = world.strategy(name="Audited")
        world.client.delete_strategy(strategy)
        deleted, created = world.raw.get("/api/strategies/audit", params={"limit": 2}).json()
        assert {created["action"], deleted["action"]} == {"create", "delete"}
        assert {created["strategy_id"], deleted["strategy_id"]} == {strategy}
        assert created["strategy_name"] == "Audited"

    @pytest.mark.parametrize("names", [("job_id", "other_job_id"), ("job_id_1", "job_id_2"), None])
    def test_the_documented_form_of_compare(self, world: Watched, names: tuple[str, str] | None) -> None:
        strategy, url = world.strategy(), world.site.url("/phones")
        old = world.client.execute_job(strategy, url)["job_id"]
        world.price(199, 239, 299)
        new = world.client.execute_job(strategy, url)["job_id"]
        body = {"job_ids": [new, old]} if names is None else {names[0]: new, names[1]: old}
        answer = world.raw.post("/api/jobs/compare", json=body)
        assert answer.json() == world.client.compare_jobs(new, old)
        assert world.raw.post("/api/jobs/compare", json={}).status_code == 400
        unknown = {"job_ids": [new, str(uuid.uuid4())]}
        assert world.raw.post("/api/jobs/compare", json=unknown).status_code == 404
