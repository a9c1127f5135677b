"""Strategies that people write, take elsewhere and change, and rules for what of them is a change."""

from __future__ import annotations

from typing import Any

from tests.pages import shop_page
from tests.wire.clocked import Watched

PLAN: dict[str, Any] = {
    "container": {"selector": "li.product"},
    "fields": {"name": "h2.title", "cost": {"selector": "span.price", "regex": "{money}"}},
}


def written(world: Watched, **given: Any) -> dict[str, Any]:
    body = {"name": "Mine", "url": world.site.url("/phones"), "strategy": PLAN, **given}
    answer = world.raw.post("/api/strategies", json=body)
    assert answer.status_code == 200, answer.text
    strategy: dict[str, Any] = answer.json()
    return strategy


def test_one_is_written_by_hand_taken_elsewhere_and_changed(world: Watched) -> None:
    world.price(199, 249)
    strategy = written(world)
    assert strategy["preview_data"][0] == {"name": "Phone A", "cost": "$199.00"}
    assert strategy["strategy"]["contract"]["records"] == 2
    taken = world.client.get_strategy(strategy["strategy_id"])["strategy"]
    copy = written(world, strategy=taken)
    assert (copy["preview_data"], copy["strategy"]) == (strategy["preview_data"], taken)
    fewer = {**taken, "fields": {"name": taken["fields"]["name"]}}
    changed = world.raw.patch(f"/api/strategies/{copy['strategy_id']}", json={"strategy": fewer}).json()
    assert changed["preview_data"] == [{"name": "Phone A"}, {"name": "Phone B"}]
    job = world.client.execute_job(copy["strategy_id"], world.site.url("/phones"))
    assert job["results"] == changed["preview_data"]


def test_what_cannot_be_used_changes_nothing(world: Watched) -> None:
    url = world.site.url("/phones")
    written(world)
    before = world.client.list_strategies(limit=1000)
    faulty = {**PLAN, "fields": {"name": {"selector": "h3[["}}}
    refused = world.raw.post("/api/strategies", json={"name": "Mine", "url": url, "strategy": faulty})
    assert (refused.status_code, "fields.name.selector" in refused.text) == (422, True)
    nothing = {**PLAN, "container": {"selector": "article.gone"}}
    path = f"/api/strategies/{before[0]['id']}"
    refused = world.raw.patch(path, json={"strategy": nothing, "name": "Another"})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith(f"The plan finds nothing at {url}. Check the container's sel")
    assert world.client.list_strategies(limit=1000) == before


def test_rules_say_what_is_a_change(world: Watched) -> None:
    strategy, url = world.strategy(), world.site.url("/phones")
    path = f"/api/strategies/{strategy}"
    assert world.raw.patch(path, json={"change_rules": {"ignore_fields": ["price"]}}).json()["change_rules"]
    schedule = world.client.create_schedule(strategy, url=url, interval_seconds=60)["id"]
    for page in (shop_page(199, 249), shop_page(150, 260), shop_page(150, 260, 70)):
        world.site.pages["/phones"] = page
        world.move(seconds=61)
    jobs = world.jobs(schedule)
    verdicts = [job["has_changes"] for job in reversed(jobs)]
    assert verdicts == [False, False, True]
    (entry,) = world.raw.get(f"/api/schedules/{schedule}/changelog").json()["entries"]
    assert (len(entry["new_items"]), entry["removed_items"]) == (1, [])
    alike = world.raw.post("/api/jobs/compare", json={"job_ids": [jobs[1]["id"], jobs[2]["id"]]}).json()
    assert (alike["content_hash_match"], alike["semantic_similarity"]) == (True, 1.0)
    refused = world.raw.patch(path, json={"change_rules": {"ignored": ["price"]}})
    assert (refused.status_code, "change_rules" in refused.text) == (400, True)
    assert world.raw.patch(path, json={"change_rules": None}).json()["change_rules"] is None
    world.move(seconds=61)
    assert world.jobs(schedule)[0]["has_changes"] is False  # other rules, another baseline
