"""One program, both packages, the same running server: the same results."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import meter_sdk as published
import pytest

from tests.pages import shop_page
from tests.sdk.ours import sdk
from tests.server import ServerProcess
from tests.site import Site


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    opened = Site()
    opened.pages["/phones"] = shop_page(199, 249, 299)
    yield opened
    opened.close()


def shape(value: Any) -> Any:
    """A result without what differs from call to call: the kinds of its values, and the keys of mappings."""
    if isinstance(value, dict):
        return {key: shape(member) for key, member in value.items()}
    if isinstance(value, list):
        return [shape(member) for member in value[:3]]
    return type(value).__name__


def failure(call: Any, kind: type[Exception]) -> str:
    with pytest.raises(kind) as raised:
        call()
    return str(raised.value)


def finished(client: Any, batch_id: str) -> Any:
    """The progress of a batch at its end, so that what comes after does not depend on who was faster."""
    deadline = time.monotonic() + 30
    while True:
        progress = client.get_batch_progress(batch_id)
        if progress["completed"] == progress["total"] or time.monotonic() > deadline:
            return progress
        time.sleep(0.05)


def program(package: Any, base_url: str, api_key: str, page: str) -> list[Any]:
    """What a user of the published client wrote, before ours existed."""
    seen: list[Any] = []
    with package.MeterClient(api_key=api_key, base_url=base_url) as client:
        made = client.generate_strategy(
            url=page,
            description="phone titles and prices",
            name="Phones",
            output_schema={"title": "string", "price": "number"},
        )
        strategy_id = made["strategy_id"]
        seen += [made, client.get_strategy(strategy_id), client.list_strategies(limit=1)]
        job = client.create_job(strategy_id, url=page)
        seen += [job, client.wait_for_job(job["job_id"], poll_interval=0.1, timeout=60)]
        executed = client.execute_job(strategy_id, page)
        seen.append(executed)
        batch = client.create_job(strategy_id, urls=[page, page])
        seen += [batch, finished(client, batch["batch_id"])]
        seen.append(client.compare_jobs(executed["job_id"], job["job_id"]))
        seen.append(client.get_strategy_history(strategy_id)[-1])
        seen.append(client.list_jobs(strategy_id=strategy_id, status="completed", limit=1))
        seen.append(
            client.update_strategy(strategy_id, package.Filter.all(package.Filter.gt("price", "200")))
        )
        seen.append(client.execute_job(strategy_id, page)["results"])
        nowhere = "0b54a1de-6a0f-4a7e-9a55-0c9e3f1f6a01"
        seen.append(failure(lambda: client.get_job(nowhere), package.MeterError))
        seen.append(failure(lambda: client.execute_job(strategy_id, f"{page}/nothing"), package.MeterError))
        seen.append([schedule["strategy_id"] for schedule in client.list_schedules()])
        seen.append(client.delete_strategy(strategy_id))
    return seen


def test_the_same_program_has_the_same_results(server: ServerProcess, site: Site) -> None:
    page = site.url("/phones")
    theirs = program(published, server.base_url, server.api_key, page)
    ours = program(sdk, server.base_url, server.api_key, page)
    assert len(ours) == len(theirs) == 17
    for mine, other in zip(ours, theirs, strict=True):
        assert type(mine) is type(other)
        if isinstance(mine, str):
            assert mine == other
        else:
            assert shape(mine) == shape(other)
    assert (
        ours[12] == theirs[12] == [{"title": "Phone B", "price": 249.0}, {"title": "Phone C", "price": 299.0}]
    )


def test_usage_from_the_same_import(server: ServerProcess) -> None:
    """Collecting, metering and both dialects on one client, as its users have it."""
    with sdk.MeterClient(server.api_key, server.base_url) as client:
        client.meters.create({"slug": "calls_both", "eventType": "call_both", "aggregation": "COUNT"})
        event = {"id": "1", "source": "s", "type": "call_both", "subject": "x", "data": {"n": 1}}
        for _ in range(3):
            client.events.ingest_event(event)
        client.events.ingest_events([event, {**event, "id": "2"}])
        assert client.meters.query_json("calls_both")["data"][0]["value"] == 2
        assert client.meters.query("calls_both", {})["data"][0]["value"] == 2
        assert client.meters.query_csv("calls_both").startswith("window_start,")
        assert {row["event"]["id"] for row in client.events.list(subject="x")} >= {"1", "2"}
        meter = client.meters.create(
            {
                "name": "Polar calls",
                "filter": {
                    "conjunction": "and",
                    "clauses": [{"property": "name", "operator": "eq", "value": "call_polar"}],
                },
                "aggregation": {"func": "count"},
            }
        )
        sent = client.events.ingest(
            [{"name": "call_polar", "external_customer_id": "x", "external_id": str(n % 2)} for n in range(4)]
        )
        assert sent == {"inserted": 2, "duplicates": 2}
        now = datetime.now(UTC)
        quantities = client.meters.quantities(
            meter["id"], start_timestamp=now - timedelta(days=1), end_timestamp=now, interval="day"
        )
        assert quantities["total"] == 2
        assert client.meters.events(meter["id"])["pagination"]["total_count"] == 2
        assert len(list(client.meters.iter_events(meter["id"], page_size=1))) == 2
        assert client.meters.get(meter["id"])["name"] == "Polar calls"
        assert any(row["slug"] == "calls_both" for row in client.meters.iter_all())
        client.meters.delete("calls_both")


def test_calls_that_the_published_interface_lacks(server: ServerProcess, site: Site) -> None:
    """Discovery, manifests and what else the reference misses, against the running server."""
    site.pages["/sitemap.txt"] = site.url("/phones")
    with sdk.MeterClient(server.api_key, server.base_url) as client:
        made = client.generate_strategy(
            site.url("/phones"), "phones", "Phones", output_schema={"title": "string", "price": "number"}
        )
        strategy = made["strategy_id"]
        copy = client.create_strategy("Copy", site.url("/phones"), made["strategy"])
        assert copy["preview_data"] == made["preview_data"]
        rules = {"ignore_fields": ["price"]}
        changed = client.update_strategy(copy["strategy_id"], strategy=made["strategy"], change_rules=rules)
        assert (changed["strategy"], changed["change_rules"]) == (made["strategy"], rules)
        assert client.update_strategy(copy["strategy_id"], change_rules=None)["change_rules"] is None
        found = client.start_discovery("sitemap", sitemap_url=site.url("/sitemap.txt"))["discovery_id"]
        while client.get_discovery(found)["status"] not in ("completed", "failed"):
            time.sleep(0.02)
        assert list(client.iter_discovery_urls(found)) == [site.url("/phones")]
        (job_id,) = client.execute_discovery(found, strategy)["job_ids"]
        assert client.wait_for_job(job_id, poll_interval=0.05)["item_count"] == 3
        schedule = client.schedule_discovery(found, strategy, interval_seconds=3600)["id"]
        compared = client.compare_manifest(job_id, [{"title": "phone-b"}], ["title"])
        assert [match["item"]["title"] for match in compared["matched"]] == ["Phone B"]
        assert compared["added_count"] == 2
        assert client.get_schedule(schedule)["urls"] == [site.url("/phones")]
        for price in (299, 289):
            site.pages["/phones"] = shop_page(199, 249, price)
            (job_id,) = client.run_schedule(schedule)["job_ids"]
            client.wait_for_job(job_id, poll_interval=0.05)
        assert client.mark_changes_seen(schedule, [job_id])["acknowledged"] == 1
        assert client.get_schedule_changes(schedule)["count"] == 0
        assert client.mark_changes_unseen(schedule, [job_id])["reopened"] == 1
        assert client.get_schedule_changes(schedule)["count"] == 1
        workflow = sdk.Workflow("Shop")
        workflow.start("a", strategy, urls=[site.url("/phones")])
        stored = client.create_workflow(workflow)["id"]
        workflow.start("b", strategy, urls=[site.url("/phones")])
        assert client.replace_workflow_graph(stored, workflow)["node_count"] == 2
        client.delete_workflow(stored)
        assert client.rename_strategy(strategy, "Telephones")["name"] == "Telephones"
        assert client.get_quota()["strategy_quota"]["limit"] == -1
        audited = [entry["strategy_id"] for entry in client.list_strategy_audit()[:2]]
        assert audited == [copy["strategy_id"], strategy]
        client.delete_strategy(strategy)
