"""Collecting: what goes on the wire, what is refused before, and how waiting ends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.sdk.ours import ROOT, sdk

errors = sdk.errors
CONTRACT = json.loads((ROOT / "src" / "meterhouse" / "apis" / "meter" / "contract.json").read_text())
PAGE = "http://shop.test/"

CALLS: dict[str, tuple[Any, ...]] = {
    "generate_strategy": (PAGE, "titles", "Shop"),
    "refine_strategy": ("s", "drop prices"),
    "list_strategies": (),
    "get_strategy": ("s",),
    "update_strategy": ("s", {"field": "a", "operator": "exists"}),
    "delete_strategy": ("s",),
    "watch": (PAGE, "titles"),
    "create_job": ("s", PAGE),
    "execute_job": ("s", PAGE),
    "get_job": ("j",),
    "list_jobs": (),
    "compare_jobs": ("j", "k"),
    "get_strategy_history": ("s",),
    "get_batch_progress": ("b",),
    "create_schedule": ("s", PAGE, None, 60),
    "list_schedules": (),
    "update_schedule": ("c", True),
    "delete_schedule": ("c",),
    "regenerate_webhook_secret": ("c",),
    "get_schedule_changes": ("c",),
    "get_schedule_changelog": ("c",),
    "list_workflows": (),
    "get_workflow": ("w",),
    "update_workflow": ("w", "name"),
    "delete_workflow": ("w",),
    "get_workflow_run": ("w", "r"),
    "list_workflow_runs": ("w",),
    "cancel_workflow_run": ("w", "r"),
    "get_workflow_output": ("w", True),
    "schedule_workflow": ("w", 60),
    "list_workflow_schedules": ("w",),
    "update_workflow_schedule": ("w", "c", True),
    "delete_workflow_schedule": ("w", "c"),
    "create_strategy_group": ("g",),
    "list_strategy_groups": (),
    "get_strategy_group": ("g",),
    "update_strategy_group": ("g", "name"),
    "delete_strategy_group": ("g",),
    "add_strategies_to_group": ("g", ["s"]),
    "remove_strategy_from_group": ("g", "s"),
    "apply_group_schedule": ("g", 60),
    "delete_group_schedules": ("g",),
    "toggle_group_schedules": ("g", False),
    "apply_group_schema": ("g", {"title": "string"}),
    "get_schema_progress": ("g",),
    "test_group_webhook": ("g", "http://hook.test"),
    "get_quota": (),
    "list_strategy_audit": (),
    "test_webhook": ("http://hook.test",),
    "get_discovery": ("d",),
}
OPERATION_OF = {"get_quota": "get_account_quota"}


def operation_of(name: str) -> tuple[str, str]:
    wanted = OPERATION_OF.get(name, name)
    for path, item in CONTRACT["paths"].items():
        for method, raw in item.items():
            if isinstance(raw, dict) and raw.get("operationId") == wanted:
                return method.upper(), path
    raise LookupError(name)


@pytest.mark.parametrize("name", CALLS)
def test_method_and_path_are_those_of_the_contract(client: Any, wire: Any, name: str) -> None:
    wire.answers = [[]] if name.startswith("list") or name == "get_strategy_history" else [{}]
    getattr(client, name)(*CALLS[name])
    method, path = operation_of(name)
    request = wire.requests[-1]
    assert request.method == method
    assert [part if "{" not in part else None for part in path.split("/")] == [
        part if "{" not in wanted else None
        for part, wanted in zip(request.url.path.split("/"), path.split("/"), strict=True)
    ]


@pytest.mark.parametrize("name", CALLS)
def test_bodies_are_those_of_the_published_client(
    name: str, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What both clients send for the same call, byte for byte after decoding."""
    import meter_sdk as published

    if not hasattr(published.MeterClient, name):
        pytest.skip("an addition of ours")
    theirs = published.MeterClient("sk_live_x", "http://server.test")
    theirs.client = httpx.Client(
        base_url="http://server.test", transport=wire.transport, headers={"Authorization": "Bearer sk_live_x"}
    )
    ours = sdk.MeterClient("sk_live_x", "http://server.test", transport=wire.transport)
    for client in (theirs, ours):
        wire.answers = [{}]
        getattr(client, name)(*CALLS[name])
    other, mine = wire.requests
    wanted = json.loads(other.content) if other.content else None
    sent = json.loads(mine.content) if mine.content else None
    if name == "update_strategy":  # a bare condition is wrapped
        wanted["filter_config"] = {"mode": "all", "conditions": [wanted["filter_config"]]}
    assert (mine.method, mine.url.path, dict(mine.url.params), sent) == (
        other.method,
        other.url.path,
        dict(other.url.params),
        wanted,
    )
    assert mine.headers["authorization"] == "Bearer sk_live_x"
    assert mine.headers.get("content-type") == other.headers.get("content-type")


class TestClearing:
    @pytest.mark.parametrize(
        ("call", "arguments", "field"),
        [
            ("update_schedule", ("c",), "webhook_url"),
            ("update_schedule", ("c",), "webhook_metadata"),
            ("update_schedule", ("c",), "webhook_secret"),
            ("update_schedule", ("c",), "webhook_type"),
            ("update_schedule", ("c",), "parameters"),
            ("update_strategy", ("s",), "filter_config"),
            ("update_workflow", ("w",), "description"),
            ("update_strategy_group", ("g",), "description"),
            ("update_workflow_schedule", ("w", "c"), "webhook_url"),
            ("update_workflow_schedule", ("w", "c"), "webhook_metadata"),
            ("update_workflow_schedule", ("w", "c"), "webhook_type"),
        ],
    )
    def test_none_clears_and_nothing_keeps(
        self, client: Any, wire: Any, call: str, arguments: tuple[str, ...], field: str
    ) -> None:
        getattr(client, call)(*arguments, **{field: None})
        assert wire.body == {field: None}
        getattr(client, call)(*arguments)
        assert wire.body == {}

    def test_empty_values_are_sent(self, client: Any, wire: Any) -> None:
        client.update_schedule("c", webhook_secret="", parameters={})
        assert wire.body == {"webhook_secret": "", "parameters": {}}


class TestArguments:
    @pytest.mark.parametrize(
        ("call", "arguments", "words"),
        [
            ("create_job", {"strategy_id": "s"}, "either url or urls"),
            ("create_job", {"strategy_id": "s", "url": PAGE, "urls": [PAGE]}, "not both"),
            ("create_job", {"strategy_id": "s", "urls": []}, "at least one"),
            ("create_job", {"strategy_id": "s", "urls": PAGE}, "list of addresses"),
            ("create_job", {"strategy_id": "s", "url": ""}, "must not be empty"),
            ("create_job", {"strategy_id": "s", "url": "shop.test"}, "http://"),
            ("create_job", {"strategy_id": "", "url": PAGE}, "strategy_id"),
            ("create_job", {"strategy_id": None, "url": PAGE}, "strategy_id"),
            ("create_job", {"strategy_id": "s", "url": PAGE, "parameters": ["a"]}, "parameters"),
            ("create_schedule", {"strategy_id": "s", "url": PAGE}, "interval_seconds or cron"),
            ("create_schedule", {"strategy_id": "s", "url": PAGE, "interval_seconds": 0}, "at least 60"),
            ("create_schedule", {"strategy_id": "s", "url": PAGE, "interval_seconds": 59}, "at least 60"),
            ("create_schedule", {"strategy_id": "s", "url": PAGE, "interval_seconds": 60.5}, "integer"),
            ("create_schedule", {"strategy_id": "s", "url": PAGE, "interval_seconds": True}, "integer"),
            ("create_schedule", {"strategy_id": "s", "url": PAGE, "cron_expression": "daily"}, "five fields"),
            (
                "create_schedule",
                {"strategy_id": "s", "url": PAGE, "interval_seconds": 60, "cron_expression": "0 9 * * *"},
                "not both",
            ),
            (
                "create_schedule",
                {"strategy_id": "s", "url": PAGE, "interval_seconds": 60, "webhook_secret": "x"},
                "needs webhook_url",
            ),
            (
                "create_schedule",
                {
                    "strategy_id": "s",
                    "url": PAGE,
                    "interval_seconds": 60,
                    "webhook_url": "u",
                    "webhook_type": "fax",
                },
                "webhook_type",
            ),
            ("update_schedule", {"schedule_id": "c", "url": PAGE, "urls": [PAGE]}, "not both"),
            ("update_schedule", {"schedule_id": "c", "enabled": "yes"}, "True or False"),
            ("update_schedule", {"schedule_id": ""}, "schedule_id"),
            ("generate_strategy", {"url": PAGE, "description": "", "name": "x"}, "description"),
            ("generate_strategy", {"url": PAGE, "description": "x", "name": ""}, "name"),
            (
                "generate_strategy",
                {"url": PAGE, "description": "x", "name": "x", "scraper_type": "xml"},
                "scraper_type",
            ),
            (
                "generate_strategy",
                {"url": PAGE, "description": "x", "name": "x", "output_schema": "no"},
                "output_schema",
            ),
            ("list_jobs", {"limit": 0}, "limit"),
            ("list_jobs", {"offset": -1}, "offset"),
            ("list_jobs", {"status": "done"}, "status"),
            ("get_schedule_changelog", {"schedule_id": "c", "limit": 101}, "at most 100"),
            ("get_job", {"job_id": ".."}, "id or a key"),
            ("wait_for_job", {"job_id": "j", "poll_interval": 0}, "poll_interval"),
            ("add_strategies_to_group", {"group_id": "g", "strategy_ids": []}, "at least one"),
            ("add_strategies_to_group", {"group_id": "g", "strategy_ids": "abc"}, "list of ids"),
            ("toggle_group_schedules", {"group_id": "g", "enabled": 1}, "True or False"),
            ("create_workflow", {"workflow": sdk.Workflow("empty")}, "no node"),
            ("create_workflow", {"workflow": "w"}, "Workflow"),
            ("update_workflow", {"workflow_id": "w", "nodes": []}, "both"),
            ("start_discovery", {"method": "sitemap"}, "sitemap_url"),
            ("start_discovery", {"method": "sitemap", "sitemap_url": PAGE, "depth": 2}, "depth"),
            ("compare_manifest", {"job_id": "j", "items": [], "match_fields": "name"}, "match_fields"),
            ("iter_jobs", {"page_size": 0}, "page_size"),
        ],
    )
    def test_mistakes_are_told_before_the_wire(
        self, client: Any, wire: Any, call: str, arguments: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(errors.ArgumentError, match=words) as raised:
            getattr(client, call)(**arguments)
        assert isinstance(raised.value, ValueError)
        assert isinstance(raised.value, sdk.MeterError)
        assert wire.requests == []

    def test_ids_are_one_segment(self, client: Any, wire: Any) -> None:
        client.get_job("a/../b?c#d")
        assert wire.requests[-1].url.raw_path == b"/api/jobs/a%2F..%2Fb%3Fc%23d"

    def test_workflows_know_their_nodes(self) -> None:
        workflow = sdk.Workflow("w")
        first = workflow.start("a", "s", [PAGE])
        second = workflow.start("b", "s", [PAGE])
        with pytest.raises(errors.ArgumentError, match="already a node"):
            first.then("a", "s")
        with pytest.raises(errors.ArgumentError, match="at least one"):
            workflow.start("c", "s", [])
        joined = first.then("c", "s", url_field="u")
        assert second.feeds(joined) is joined
        with pytest.raises(errors.ArgumentError, match="already feeds"):
            second.feeds(joined)
        with pytest.raises(errors.ArgumentError, match="another workflow"):
            second.feeds(sdk.Workflow("x").start("y", "s", [PAGE]))
        assert len(workflow.to_dict()["edges"]) == 2


class TestWaiting:
    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from importlib import import_module

        for name in ("jobs", "workflows"):
            monkeypatch.setattr(import_module(f"{sdk.__name__}._sync.{name}"), "sleep", lambda delay_s: None)

    def test_a_job_that_completes(self, client: Any, wire: Any) -> None:
        states = ["pending", "queued", "running", "completed"]
        wire.answers = [{"status": state} for state in states]
        seen: list[str] = []
        assert client.wait_for_job("j", on_progress=lambda job: seen.append(job["status"])) == {
            "status": "completed"
        }
        assert seen == states

    @pytest.mark.parametrize(
        ("state", "kind", "sentence"),
        [
            ("failed", errors.JobFailedError, "Job failed: 404 Not Found"),
            ("cancelled", errors.JobCancelledError, "Job was cancelled"),
            ("exploded", errors.OutcomeError, "Job has the unknown status 'exploded'"),
            (None, errors.OutcomeError, "Job has the unknown status None"),
        ],
    )
    def test_a_job_that_does_not(self, client: Any, wire: Any, state: Any, kind: Any, sentence: str) -> None:
        job = {"status": state, "error": "404 Not Found"}
        wire.answers = [{"status": "running"}, job]
        with pytest.raises(kind) as raised:
            client.wait_for_job("j")
        assert str(raised.value) == sentence
        assert raised.value.result == job

    def test_a_job_that_takes_too_long(self, client: Any, wire: Any) -> None:
        wire.answers = [{"status": "running"}] * 100_000
        with pytest.raises(errors.WaitTimeoutError, match="Job timed out") as raised:
            client.wait_for_job("j", timeout=0.05)
        assert raised.value.result == {"status": "running"}

    @pytest.mark.parametrize("state", ["completed", "partial"])
    def test_a_run_that_brings_results(self, client: Any, wire: Any, state: str) -> None:
        wire.answers = [{"id": "r", "status": "pending"}, {"status": "running"}, {"status": state}]
        seen: list[str] = []
        run = client.run_workflow("w", on_progress=lambda run: seen.append(run["status"]))
        assert run["status"] == state
        assert seen == ["running", state]

    @pytest.mark.parametrize(
        ("state", "kind", "sentence"),
        [
            ("failed", errors.WorkflowFailedError, "Workflow run failed: oops"),
            ("cancelled", errors.WorkflowCancelledError, "Workflow run was cancelled"),
            ("exploded", errors.OutcomeError, "Workflow run has the unknown status 'exploded'"),
        ],
    )
    def test_a_run_that_does_not(self, client: Any, wire: Any, state: str, kind: Any, sentence: str) -> None:
        wire.answers = [{"status": state, "error": "oops"}]
        with pytest.raises(kind) as raised:
            client.wait_for_workflow("w", "r")
        assert str(raised.value) == sentence

    def test_a_run_that_takes_too_long(self, client: Any, wire: Any) -> None:
        wire.answers = [{"status": "running"}] * 100_000
        with pytest.raises(errors.WaitTimeoutError, match="Workflow run timed out"):
            client.wait_for_workflow("w", "r", timeout=0.05)

    def test_a_workflow_is_stored_before_it_runs(self, client: Any, wire: Any) -> None:
        wire.answers = [{"id": "w1"}, {"id": "r", "status": "pending"}]
        workflow = sdk.Workflow("w")
        workflow.start("a", "s", [PAGE])
        assert client.run_workflow(workflow, wait=False)["id"] == "r"
        assert [request.url.path for request in wire.requests] == ["/api/workflows", "/api/workflows/w1/run"]

    def test_asynchronous_progress(self, wire: Any) -> None:
        wire.answers = [{"status": "running"}, {"status": "completed"}]
        seen: list[str] = []

        async def told(job: Any) -> None:
            seen.append(job["status"])

        async def wait() -> Any:
            async with sdk.AsyncMeterClient("k", "http://server.test", transport=wire.transport) as client:
                return await client.wait_for_job("j", 0.001, on_progress=told)

        assert asyncio.run(wait()) == {"status": "completed"}
        assert seen == ["running", "completed"]


class TestMissedCalls:
    @pytest.mark.parametrize(
        ("call", "arguments", "method", "path", "body"),
        [
            ("get_schedule", ("c",), "GET", "/api/schedules/c", None),
            ("run_schedule", ("c",), "POST", "/api/schedules/c/run", None),
            ("cancel_job", ("j",), "POST", "/api/jobs/j/cancel", None),
            ("cancel_batch", ("b",), "POST", "/api/jobs/batch/b/cancel", None),
            ("delete_job", ("j",), "DELETE", "/api/jobs/j", None),
            ("rename_strategy", ("s", "n"), "PATCH", "/api/strategies/s", {"name": "n"}),
            (
                "mark_changes_unseen",
                ("c", ["j"]),
                "POST",
                "/api/schedules/c/changes/reopen",
                {"job_ids": ["j"]},
            ),
            (
                "mark_changes_seen",
                ("c", ["j"]),
                "POST",
                "/api/schedules/c/changes/acknowledge",
                {"job_ids": ["j"]},
            ),
            ("execute_discovery", ("d", "s"), "POST", "/discover/d/execute", {"strategy_id": "s"}),
            (
                "schedule_discovery",
                ("d", "s", 60),
                "POST",
                "/discover/d/schedule",
                {"strategy_id": "s", "interval_seconds": 60},
            ),
            (
                "regenerate_workflow_schedule_secret",
                ("w", "c"),
                "PATCH",
                "/api/workflows/w/schedules/c",
                {"webhook_secret": ""},
            ),
            ("test_webhook", ("http://h",), "POST", "/api/webhooks/test", {"webhook_url": "http://h"}),
            ("get_quota", (), "GET", "/api/account/quota", None),
            ("list_strategy_audit", (), "GET", "/api/strategies/audit", None),
            ("get_discovery", ("d",), "GET", "/discover/d", None),
            (
                "compare_manifest",
                ("j", [{"a": 1}], ["a"]),
                "POST",
                "/api/manifests/compare",
                {"job_id": "j", "items": [{"a": 1}], "match_fields": ["a"], "threshold": 80},
            ),
        ],
    )
    def test_they_are_there(
        self, client: Any, wire: Any, call: str, arguments: Any, method: str, path: str, body: Any
    ) -> None:
        getattr(client, call)(*arguments)
        request = wire.requests[-1]
        assert (request.method, request.url.path) == (method, path)
        assert (json.loads(request.content) if request.content else None) == body

    def test_jobs_of_a_batch(self, client: Any, wire: Any) -> None:
        wire.answers = [[]]
        client.list_batch_jobs("b")
        assert wire.query == {"batch_id": "b", "limit": "100", "offset": "0"}

    def test_discovery(self, client: Any, wire: Any) -> None:
        client.start_discovery("link_pattern", seed_url=PAGE, link_pattern="/p/*", max_depth=3)
        assert wire.requests[-1].url.path == "/discover"
        assert wire.body == {
            "discovery": {"method": "link_pattern", "seed_url": PAGE, "link_pattern": "/p/*", "max_depth": 3}
        }
        wire.answers = [{"urls": [PAGE]}]
        assert list(client.iter_discovery_urls("d")) == [PAGE]

    def test_nodes_and_edges_of_a_workflow(self, client: Any, wire: Any) -> None:
        workflow = sdk.Workflow("w")
        workflow.start("a", "s", [PAGE])
        client.replace_workflow_graph("w1", workflow)
        assert wire.requests[-1].method == "PUT"
        assert wire.body == {key: workflow.to_dict()[key] for key in ("nodes", "edges")}

    def test_what_watch_and_groups_lacked(self, client: Any, wire: Any) -> None:
        client.watch(
            PAGE,
            "titles",
            cron_expression="0 9 * * *",
            urls=[PAGE],
            output_schema={"a": "string"},
            timezone="UTC",
        )
        assert wire.body == {
            "url": PAGE,
            "description": "titles",
            "cron_expression": "0 9 * * *",
            "urls": [PAGE],
            "output_schema": {"a": "string"},
            "timezone": "UTC",
        }
        client.apply_group_schedule("g", 60, parameters={"page": 1})
        assert wire.body == {"interval_seconds": 60, "parameters": {"page": 1}}

    def test_reading_changes_is_repeated_only_if_nothing_is_lost(self, client: Any, wire: Any) -> None:
        wire.answers = [httpx.Response(503), {"changes": []}]
        client.get_schedule_changes("c", mark_seen=False)
        wire.answers = [httpx.Response(503)]
        with pytest.raises(errors.ServerError):
            client.get_schedule_changes("c")
        assert len(wire.requests) == 3
