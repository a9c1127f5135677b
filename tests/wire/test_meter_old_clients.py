"""Every method of every older meter-sdk on the package index, unmodified, against the running server.

All releases have one module name, so each is loaded under a name of its own. What the calls mean is tested
with the newest release; here each method is called, with the arguments that its release has.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.pages import shop_page
from tests.receiver import Receiver
from tests.server import ServerProcess
from tests.site import Site
from tests.wire.recorder import Recorder

CLIENTS = Path(__file__).parents[2] / ".clients"
RELEASES = ("0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.7.1", "0.7.2")
NOT_CALLS = {"close"}
SCHEMA = {"title": "string", "price": "number"}


def load(release: str) -> ModuleType:
    """The package of a release under a name of its own."""
    name = f"meter_sdk_{release.replace('.', '_')}"
    folder = CLIENTS / f"meter-{release}" / "meter_sdk"
    assert folder.exists(), f"meter-sdk {release} is not installed: make install-dev"
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class Called:
    """A client that remembers which of its methods succeeded."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(*arguments: Any, **named: Any) -> Any:
            answer = method(*arguments, **named)
            self.names.add(name)
            return answer

        return call

    def knows(self, name: str, argument: str | None = None) -> bool:
        method = getattr(self._client, name, None)
        return method is not None and (argument is None or argument in inspect.signature(method).parameters)


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    opened = Site()
    opened.pages["/phones"] = shop_page(199, 249, 299)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


@pytest.mark.parametrize("release", RELEASES)
def test_every_method(
    release: str, recorder: Recorder, server: ServerProcess, site: Site, receiver: Receiver
) -> None:
    package = load(release)
    with package.MeterClient(server.api_key, recorder.url_for(f"meter-sdk {release}")) as opened:
        client = Called(opened)
        strategy = strategies(client, site)
        jobs(client, strategy, site)
        schedules(client, strategy, site, receiver)
        if client.knows("create_workflow"):
            workflows(client, package, strategy, site)
        if client.knows("create_strategy_group"):
            groups(client, strategy, receiver)
        refusals(package, client)
        assert client.delete_strategy(strategy) == {"message": "Strategy deleted successfully"}
        there = {name for name, _ in inspect.getmembers(opened, inspect.ismethod) if name[0] != "_"}
        assert there - client.names == NOT_CALLS


def strategies(client: Called, site: Site) -> str:
    named = {"output_schema": SCHEMA} if client.knows("generate_strategy", "output_schema") else {}
    named |= {"force_api": False} if client.knows("generate_strategy", "force_api") else {}
    made = client.generate_strategy(site.url("/phones"), "phone titles and prices", "Phones", **named)
    strategy = str(made["strategy_id"])
    assert len(made["preview_data"]) == 3
    assert client.refine_strategy(strategy, "only the titles")["strategy_id"] == strategy
    assert client.list_strategies(limit=1)[0]["strategy_id"] == strategy
    assert client.get_strategy(strategy)["attempts"] >= 1
    return strategy


def jobs(client: Called, strategy: str, site: Site) -> None:
    page = site.url("/phones")
    created = client.create_job(strategy, url=page)
    first = client.wait_for_job(created["job_id"], poll_interval=0.05, timeout=30)
    second = client.execute_job(strategy, page)
    assert (first["item_count"], second["status"]) == (3, "completed")
    assert client.get_job(second["id"])["content_hash"] == first["content_hash"]
    compared = client.compare_jobs(second["id"], first["job_id"])
    assert (compared["content_hash_match"], compared["semantic_similarity"]) == (True, 1.0)
    assert [one["job_id"] for one in client.get_strategy_history(strategy)] == [second["id"], first["job_id"]]
    listed = client.list_jobs(strategy_id=strategy, status="completed", limit=1)
    assert [one["id"] for one in listed] == [second["id"]]
    if client.knows("create_job", "urls"):
        assert client.create_job(strategy, urls=[page, page])["job_count"] == 2
    if client.knows("list_jobs", "since"):
        assert len(client.list_jobs(strategy_id=strategy, since="1h", limit=100)) == 4


def schedules(client: Called, strategy: str, site: Site, receiver: Receiver) -> None:
    named: dict[str, Any] = {"webhook_url": receiver.url()}
    if client.knows("create_schedule", "webhook_type"):
        named |= {"webhook_metadata": {"of": "us"}, "webhook_type": "standard"}
    made = client.create_schedule(strategy, url=site.url("/phones"), interval_seconds=3600, **named)
    schedule = made["schedule_id"]
    assert made["webhook_secret"].startswith("whsec_")
    assert schedule in [one["schedule_id"] for one in client.list_schedules()]
    changed = client.update_schedule(
        schedule, enabled=False, urls=[site.url("/phones")], cron_expression="0 9 * * *"
    )
    assert (changed["enabled"], changed["schedule_type"], changed["url"]) == (False, "cron", None)
    named = {"filter": "+phone"} if client.knows("get_schedule_changes", "filter") else {}
    assert client.get_schedule_changes(schedule, mark_seen=False, **named)["changes"] == []
    if client.knows("regenerate_webhook_secret"):
        assert client.regenerate_webhook_secret(schedule)["webhook_secret"] != made["webhook_secret"]
    assert client.delete_schedule(schedule) == {"message": "Schedule deleted successfully"}


def workflows(client: Called, package: ModuleType, strategy: str, site: Site) -> None:
    workflow = package.Workflow("Shop")
    workflow.start("index", strategy, urls=[site.url("/phones")])
    made = client.create_workflow(workflow)
    which = made["id"]
    run = client.run_workflow(which, force=True, wait=False)
    ended = client.wait_for_workflow(which, run["id"], poll_interval=0.05, timeout=30)
    assert len(ended["final_results"]) == 3
    assert client.get_workflow_run(which, run["id"])["status"] == "completed"
    assert [one["id"] for one in client.list_workflow_runs(which, limit=1)] == [run["id"]]
    assert client.get_workflow(which)["nodes"][0]["node_key"] == "index"
    assert which in [one["id"] for one in client.list_workflows(limit=100)]
    assert list(client.get_workflow_output(which)["final_results_by_url_grouped"]) == [site.url("/phones")]
    if client.knows("get_workflow_output", "flat"):
        assert list(client.get_workflow_output(which, flat=True)["final_results_by_url"]) == [
            site.url("/phones")
        ]
    if client.knows("update_workflow"):
        assert client.update_workflow(which, name="Stores", enabled=False)["name"] == "Stores"
        site.delay_s = 0.5
        started = client.run_workflow(which, wait=False)
        assert client.cancel_workflow_run(which, started["id"])["status"] == "cancelled"
        site.delay_s = 0.0
    planned = client.schedule_workflow(which, interval_seconds=3600, webhook_url="https://app.example/hook")
    assert client.list_workflow_schedules(which)[0]["id"] == planned["id"]
    changed = client.update_workflow_schedule(which, planned["id"], enabled=False)
    assert changed["enabled"] is False
    assert "deleted" in client.delete_workflow_schedule(which, planned["id"])["message"]
    assert "deleted" in client.delete_workflow(which)["message"]


def groups(client: Called, strategy: str, receiver: Receiver) -> None:
    group = client.create_strategy_group("Shops", "Prices")["id"]
    assert group in [one["id"] for one in client.list_strategy_groups()]
    assert client.update_strategy_group(group, name="Stores")["name"] == "Stores"
    client.add_strategies_to_group(group, [strategy])
    assert client.get_strategy_group(group)["strategies"][0]["strategy_id"] == strategy
    applied = client.apply_group_schedule(group, interval_seconds=3600)
    assert (applied["created"], applied["updated"]) == (1, 0)
    client.toggle_group_schedules(group, False)
    client.delete_group_schedules(group)
    assert client.apply_group_schema(group, SCHEMA)["strategy_count"] == 1
    assert client.get_schema_progress(group)["total"] == 1
    assert client.test_group_webhook(group, receiver.url())["success"] is True
    client.remove_strategy_from_group(group, strategy)
    client.delete_strategy_group(group)


def refusals(package: ModuleType, client: Called) -> None:
    """What users of the release read when something is not there."""
    with pytest.raises(package.MeterError, match="API error: Strategy not found"):
        client.get_strategy("0b54a1de-6a0f-4a7e-9a55-0c9e3f1f6a01")
