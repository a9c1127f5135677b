"""Schedules through the published client, driven by a clock that the tests move."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from meter_sdk import MeterError
from tests.pages import shop_page
from tests.wire.clocked import Watched

HOOK = "https://app.example/hook"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


class TestCreate:
    def test_an_interval(self, world: Watched) -> None:
        strategy = world.strategy()
        now = world.now()
        made = world.client.create_schedule(strategy, url=world.site.url("/phones"), interval_seconds=3600)
        assert made["id"] == made["schedule_id"]
        assert (made["schedule_type"], made["interval_seconds"], made["cron_expression"]) == (
            "interval",
            3600,
            None,
        )
        assert (made["url"], made["urls"], made["enabled"]) == (world.site.url("/phones"), None, True)
        assert timedelta(0) <= instant(made["next_run_at"]) - now - timedelta(hours=1) < timedelta(minutes=1)
        assert made["last_run_at"] is None
        assert "webhook_secret" not in made
        (listed,) = world.client.list_schedules()
        assert listed == made == world.schedule(made["id"])

    def test_cron_several_urls_and_a_webhook(self, world: Watched) -> None:
        urls = [world.site.url("/phones"), world.site.url("/phones?page=2")]
        made = world.client.create_schedule(
            world.strategy(),
            urls=urls,
            cron_expression="0 9 * * 1-5",
            webhook_url=HOOK,
            webhook_metadata={"project": "p1"},
        )
        assert (made["url"], made["urls"], made["cron_expression"]) == (None, urls, "0 9 * * 1-5")
        assert made["webhook_type"] == "standard"
        assert made["webhook_secret"].startswith("whsec_")
        (listed,) = world.client.list_schedules()
        assert "webhook_secret" not in listed
        assert listed["webhook_metadata"] == {"project": "p1"}

    @pytest.mark.parametrize(
        ("url", "kind"),
        [
            (HOOK, "standard"),
            ("https://hooks.slack.com/services/T/B/x", "slack"),
            ("https://hooks.slack.com/triggers/T/1/x", "slack_workflow"),
            ("https://discord.com/api/webhooks/1/x", "discord"),
            ("mailto:ops@example.com", "email"),
            ("ops@example.com", "email"),
        ],
    )
    def test_the_type_is_told_from_the_address(self, world: Watched, url: str, kind: str) -> None:
        made = world.client.create_schedule(
            world.strategy(), url=world.site.url("/phones"), interval_seconds=60, webhook_url=url
        )
        assert made["webhook_type"] == kind

    def test_a_secret_of_ones_own_is_not_echoed(self, world: Watched) -> None:
        made = world.client.create_schedule(
            world.strategy(),
            url=world.site.url("/phones"),
            interval_seconds=60,
            webhook_url=HOOK,
            webhook_secret="mine",
        )
        assert made.get("webhook_secret") is None

    def test_refusals(self, world: Watched) -> None:
        strategy, url = world.strategy(), world.site.url("/phones")

        def refused(match: str, **given: Any) -> None:
            wanted = {"url": url, "interval_seconds": 3600, **given}
            with pytest.raises(MeterError, match=match):
                world.client.create_schedule(**{"strategy_id": strategy, **wanted})

        refused("interval_seconds", interval_seconds=59)
        refused("one of interval_seconds, cron_expression", cron_expression="* * * * *")
        refused("one of interval_seconds, cron_expression", interval_seconds=None)
        refused("one of url, urls", urls=[url])
        refused("one of url, urls", url=None)
        refused("cron_expression", interval_seconds=None, cron_expression="every day")
        refused("url", url="nowhere")
        refused("webhook_url", webhook_url="nowhere")
        refused("webhook_type", webhook_url=HOOK, webhook_type="fax")
        refused("parameters", parameters={"page": 1})
        refused("Strategy not found", strategy_id=str(uuid.uuid4()))
        answer = world.raw.post(
            "/api/schedules",
            json={"strategy_id": strategy, "url": url, "interval_seconds": 60, "timezone": "Mars/Base"},
        )
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "timezone")
        assert world.client.list_schedules() == []


class TestUpdate:
    @pytest.fixture
    def made(self, world: Watched) -> dict[str, Any]:
        found: dict[str, Any] = world.client.create_schedule(
            world.strategy(), url=world.site.url("/phones"), interval_seconds=3600
        )
        return found

    def test_url_and_timing(self, world: Watched, made: dict[str, Any]) -> None:
        urls = [world.site.url("/a"), world.site.url("/b")]
        changed = world.client.update_schedule(made["id"], urls=urls)
        assert (changed["url"], changed["urls"], changed["next_run_at"]) == (None, urls, made["next_run_at"])
        changed = world.client.update_schedule(made["id"], url=urls[0], cron_expression="0 9 * * *")
        assert (changed["url"], changed["urls"], changed["schedule_type"]) == (urls[0], None, "cron")
        assert (changed["interval_seconds"], instant(changed["next_run_at"]).hour) == (None, 9)
        zoned = world.raw.patch(f"/api/schedules/{made['id']}", json={"timezone": "Asia/Tokyo"}).json()
        assert (zoned["timezone"], instant(zoned["next_run_at"]).hour) == ("Asia/Tokyo", 0)
        assert world.client.update_schedule(made["id"]) == zoned
        with pytest.raises(MeterError, match="url"):
            world.client.update_schedule(made["id"], url=urls[0], urls=urls)
        with pytest.raises(MeterError, match="interval_seconds"):
            world.client.update_schedule(made["id"], interval_seconds=30)

    def test_disable_and_enable(self, world: Watched, made: dict[str, Any]) -> None:
        off = world.client.update_schedule(made["id"], enabled=False)
        assert (off["enabled"], off["next_run_at"]) == (False, None)
        world.move(hours=3)
        assert world.jobs(made["id"]) == []
        on = world.client.update_schedule(made["id"], enabled=True)
        assert instant(on["next_run_at"]) == world.now() + timedelta(hours=1)

    def test_the_webhook(self, world: Watched, made: dict[str, Any]) -> None:
        with pytest.raises(MeterError, match="no webhook"):
            world.client.regenerate_webhook_secret(made["id"])
        assert world.raw.post(f"/api/schedules/{made['id']}/webhook-secret/regenerate").status_code == 400
        first = world.client.update_schedule(made["id"], webhook_url=HOOK, webhook_metadata={"a": 1})
        assert first["webhook_secret"].startswith("whsec_")
        moved = world.client.update_schedule(made["id"], webhook_url="https://hooks.slack.com/services/x")
        assert (moved["webhook_type"], moved.get("webhook_secret")) == ("slack", None)
        assert moved["webhook_metadata"] == {"a": 1}
        again = world.client.update_schedule(made["id"], webhook_secret="")
        assert again["webhook_secret"] != first["webhook_secret"]
        third = world.client.regenerate_webhook_secret(made["id"])
        assert third["schedule_id"] == made["id"]
        assert third["webhook_secret"] not in (first["webhook_secret"], again["webhook_secret"])
        for nothing in ("", None):
            gone = world.raw.patch(f"/api/schedules/{made['id']}", json={"webhook_url": nothing}).json()
            assert (gone["webhook_url"], gone["webhook_type"], gone["webhook_metadata"]) == (None, None, None)

    def test_delete_keeps_the_jobs(self, world: Watched, made: dict[str, Any]) -> None:
        world.move(hours=1)
        assert world.client.delete_schedule(made["id"]) == {"message": "Schedule deleted successfully"}
        world.move(hours=2)
        assert len(world.jobs(made["id"])) == 1
        for calling in (world.client.delete_schedule, world.client.update_schedule):
            with pytest.raises(MeterError, match="Schedule not found"):
                calling(made["id"])

    def test_its_strategy_takes_it_along(self, world: Watched, made: dict[str, Any]) -> None:
        world.client.delete_strategy(made["strategy_id"])
        assert world.client.list_schedules() == []


class TestRuns:
    def test_hourly(self, world: Watched) -> None:
        made = world.client.create_schedule(
            world.strategy(), url=world.site.url("/phones"), interval_seconds=3600
        )
        planned = instant(made["next_run_at"])
        for hour in range(3):
            world.move_to(planned + timedelta(hours=hour, minutes=7))
        found = world.schedule(made["id"])
        assert instant(found["next_run_at"]) == planned + timedelta(hours=3), "no drift"
        assert instant(found["last_run_at"]) == planned + timedelta(hours=2, minutes=7)
        jobs = world.jobs(made["id"])
        assert [job["status"] for job in jobs] == ["completed"] * 3
        assert [job["has_changes"] for job in jobs] == [False] * 3
        assert len({job["batch_id"] for job in jobs}) == 3

    def test_several_urls_make_one_batch(self, world: Watched) -> None:
        urls = [world.site.url("/phones"), world.site.url("/gone")]
        made = world.client.create_schedule(world.strategy(), urls=urls, interval_seconds=60)
        world.move(seconds=61)
        jobs = world.jobs(made["id"])
        assert {job["url"]: job["status"] for job in jobs} == {urls[0]: "completed", urls[1]: "failed"}
        progress = world.client.get_batch_progress(jobs[0]["batch_id"])
        assert (progress["total"], progress["completed"], progress["failed"]) == (2, 1, 1)

    def test_downtime_is_made_up_for_once(self, world: Watched) -> None:
        made = world.client.create_schedule(
            world.strategy(), url=world.site.url("/phones"), interval_seconds=3600
        )
        world.move(hours=10, minutes=30)
        assert len(world.jobs(made["id"])) == 1
        following = instant(world.schedule(made["id"])["next_run_at"])
        assert (following - instant(made["next_run_at"])) % timedelta(hours=1) == timedelta(0)
        assert following - world.now() <= timedelta(hours=1)

    def test_cron_over_a_change_to_summer_time(self, world: Watched) -> None:
        start = datetime(world.now().year + 1, 3, 20, 12, tzinfo=UTC)
        world.move_to(start)
        made = world.raw.post(
            "/api/schedules",
            json={
                "strategy_id": world.strategy(),
                "url": world.site.url("/phones"),
                "cron_expression": "0 9 * * *",
                "timezone": "Europe/Berlin",
            },
        ).json()
        hours = set()
        for _ in range(14):
            planned = instant(world.schedule(made["id"])["next_run_at"])
            hours.add(planned.hour)
            world.move_to(planned)
        assert hours == {8, 7}
        assert len(world.jobs(made["id"])) == 14

    def test_a_change_is_found_against_the_run_before(self, world: Watched) -> None:
        strategy, url = world.strategy(), world.site.url("/phones")
        made = world.client.create_schedule(strategy, url=url, interval_seconds=60)
        other = world.client.create_schedule(strategy, url=url, interval_seconds=60)
        world.move(seconds=61)
        world.price(199, 249, 333)
        world.site.pages["/phones"], kept = 500, world.site.pages["/phones"]
        world.move(seconds=61)
        world.site.pages["/phones"] = kept
        world.move(seconds=61)
        for schedule in (made, other):
            assert [(job["status"], job["has_changes"]) for job in world.jobs(schedule["id"])] == [
                ("completed", True),
                ("failed", None),
                ("completed", False),
            ]

    def test_a_page_rebuilt_and_robbed_of_a_field_has_no_changes(self, world: Watched) -> None:
        prices = (199, 249, 299, 349)
        world.price(*prices)
        made = world.client.create_schedule(
            world.strategy(), url=world.site.url("/phones"), interval_seconds=60
        )
        rebuilt = (
            shop_page(*prices)
            .replace('<li class="product">', '<div class="tile"><b>')
            .replace("</li>", "</b></div>")
            .replace('class="price"', 'class="amount"')
            .replace('class="title"', 'class="label"')
        )
        pages = (shop_page(*prices), rebuilt, rebuilt, re.sub(r"\$[\d.]+", "on request", rebuilt), rebuilt)
        for page in pages:
            world.site.pages["/phones"] = page
            world.move(seconds=61)
        runs = world.jobs(made["id"])[::-1]
        assert [(job["status"], job["item_count"], job["has_changes"]) for job in runs] == [
            ("completed", 4, False)
        ] * len(pages)
        assert [bool((job["evidence"] or {}).get("repair")) for job in runs] == [
            False,
            True,
            False,
            False,
            False,
        ]
        assert [job["lost_fields"] for job in runs] == [None, None, None, ["price"], None]
        assert world.client.get_schedule_changes(made["id"])["changes"] == []
        world.site.pages["/phones"] = rebuilt.replace("$199.00", "$189.00")
        world.move(seconds=61)
        (change,) = world.client.get_schedule_changes(made["id"])["changes"]
        assert change["results"][0]["price"] == 189


class TestRunNow:
    def test_a_run_beside_the_plan(self, world: Watched) -> None:
        made = world.client.create_schedule(
            world.strategy(), urls=[world.site.url("/phones"), world.site.url("/gone")], interval_seconds=3600
        )
        for enabled in (True, False):
            world.client.update_schedule(made["id"], enabled=enabled)
            batch = world.raw.post(f"/api/schedules/{made['id']}/run").json()
            assert batch["job_count"] == 2
            world.move(minutes=1)  # what cannot be fetched is tried again before it fails
            world.move(minutes=20)
            assert {job["id"] for job in world.jobs(made["id"])} >= set(batch["job_ids"])
        assert world.schedule(made["id"])["next_run_at"] is None

    def test_two_runs_do_not_overtake_each_other(self, world: Watched) -> None:
        made = world.client.create_schedule(
            world.strategy(), url=world.site.url("/phones"), interval_seconds=3600
        )
        world.site.delay_s = 0.5
        first = world.raw.post(f"/api/schedules/{made['id']}/run")
        second = world.raw.post(f"/api/schedules/{made['id']}/run")
        world.site.delay_s = 0.0
        assert (first.status_code, second.status_code) == (200, 409)
        assert "has not ended" in second.json()["detail"]
        world.client.wait_for_job(first.json()["job_ids"][0], poll_interval=0.05)
        assert world.raw.post(f"/api/schedules/{uuid.uuid4()}/run").status_code == 404
