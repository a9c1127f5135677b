"""Workflows, walked with the published `meter_sdk` against a really started server."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from meter_sdk import Filter, MeterClient, MeterError, Workflow
from tests.pages import shop_page
from tests.server import ServerProcess
from tests.site import Site
from tests.wire.conftest import HTTP_TEST
from tests.wire.recorder import Recorder

CLIENT = "meter-sdk 0.8.0"
ENDED = ("completed", "failed", "cancelled")


def phone_page(name: str, price: float) -> str:
    return (
        f"<html><head><title>Phone {name}</title></head><body><main><h1>Phone {name}</h1>"
        f'<p class="price">${price:.2f}</p><p class="sku">SKU: P{name}-1</p><p>It rings.</p>'
        "</main></body></html>"
    )


@pytest.fixture
def site() -> Iterator[Site]:
    opened = Site()
    opened.pages["/phones"] = shop_page(199, 249, 299)
    for name, price in zip("abc", (199, 249, 299), strict=True):
        opened.pages[f"/phones/{name}"] = phone_page(name.upper(), price)
    yield opened
    opened.close()


@pytest.fixture
def client(server: ServerProcess, recorder: Recorder) -> Iterator[MeterClient]:
    with MeterClient(server.api_key, recorder.url_for(CLIENT)) as opened:
        yield opened


@pytest.fixture
def raw(server: ServerProcess, recorder: Recorder) -> Iterator[httpx.Client]:
    base_url = recorder.url_for(HTTP_TEST)
    with httpx.Client(base_url=base_url, headers=server.headers, timeout=60, trust_env=False) as opened:
        yield opened


class Shop:
    """Two strategies on the site, and a workflow that chains them."""

    def __init__(self, client: MeterClient, site: Site) -> None:
        schema = {"title": "string", "price": "number", "url": "string"}
        self.url = site.url("/phones")
        self.index: str = client.generate_strategy(
            self.url, "phone titles, prices and links", "Phones", output_schema=schema
        )["strategy_id"]
        self.details: str = client.generate_strategy(
            site.url("/phones/a"),
            "the phone's title and price",
            "script:phone_details",
            output_schema={"title": "string", "price": "number"},
        )["strategy_id"]

    def workflow(self, *, filter: dict[str, Any] | None = None, urls: list[str] | None = None) -> Workflow:
        made = Workflow("Phones", "A list and its pages")
        start = made.start("index", self.index, urls=urls or [self.url])
        start.then("details", self.details, url_field="url", filter=filter)
        return made


@pytest.fixture
def shop(client: MeterClient, site: Site) -> Shop:
    return Shop(client, site)


def ended(client: MeterClient, run: dict[str, Any]) -> dict[str, Any]:
    """The run once it has ended, whichever way."""
    for _ in range(600):
        found: dict[str, Any] = client.get_workflow_run(run["workflow_id"], run["id"])
        if found["status"] in ENDED:
            return found
        time.sleep(0.05)
    raise AssertionError("the run does not end")


def run(client: MeterClient, workflow: Any, **options: Any) -> dict[str, Any]:
    return ended(client, client.run_workflow(workflow, wait=False, **options))


class TestDefinitions:
    def test_create_get_list_update_delete(self, client: MeterClient, shop: Shop) -> None:
        condition = Filter.contains("url", "/phones/")
        created = client.create_workflow(shop.workflow(filter=condition))
        assert created["id"] == created["workflow_id"]
        assert (created["enabled"], created["node_count"]) == (True, 2)
        assert [node["node_key"] for node in created["nodes"]] == ["index", "details"]
        assert created["nodes"][0]["static_urls"] == [shop.url]
        assert created["edges"][0]["filter_config"] == {"mode": "all", "conditions": [condition]}
        assert client.get_workflow(created["id"]) == created
        listed = client.list_workflows(limit=1)
        assert (listed[0]["id"], listed[0]["node_count"]) == (created["id"], 2)
        changed = client.update_workflow(created["id"], name="Renamed", enabled=False)
        assert (changed["name"], changed["enabled"]) == ("Renamed", False)
        assert changed["description"] == "A list and its pages"
        assert client.update_workflow(created["id"])["name"] == "Renamed", "no argument, no change"
        assert run(client, created["id"])["status"] == "completed", "disabled ones run when asked to"
        assert client.delete_workflow(created["id"]) == {"message": "Workflow deleted successfully"}
        with pytest.raises(MeterError, match="Workflow not found"):
            client.get_workflow(created["id"])

    def test_a_strategy_in_use_stays(self, client: MeterClient, shop: Shop) -> None:
        created = client.create_workflow(shop.workflow())
        with pytest.raises(MeterError, match="used by the workflows 'Phones'"):
            client.delete_strategy(shop.details)
        client.delete_workflow(created["id"])
        assert client.delete_strategy(shop.details)

    def test_nulls_and_bare_conditions(self, raw: httpx.Client, shop: Shop) -> None:
        bare = Filter.gt("price", "200")
        body = shop.workflow().to_dict()
        body["description"] = None
        body["nodes"][0] |= {"url_field": None, "parameter_config": None, "static_parameters": None}
        body["edges"][0]["filter_config"] = bare
        made = raw.post("/api/workflows", json=body).json()
        assert made["edges"][0]["filter_config"] == {"mode": "all", "conditions": [bare]}
        body["edges"][0]["filter_config"] = None
        made = raw.post("/api/workflows", json=body).json()
        assert made["edges"][0]["filter_config"] is None
        answer = raw.put(f"/api/workflows/{made['id']}", json={"name": None, "description": "x"})
        assert (answer.json()["name"], answer.json()["description"]) == ("Phones", "x")
        assert (
            raw.put(f"/api/workflows/{made['id']}", json={"description": None}).json()["description"] is None
        )


class TestAnotherGraph:
    def node(self, shop: Shop, key: str, **given: Any) -> dict[str, Any]:
        return {"node_key": key, "strategy_id": shop.index, "input_type": "static_urls", **given}

    def test_runs_keep_the_graph_that_they_were_started_with(
        self, client: MeterClient, raw: httpx.Client, shop: Shop, site: Site
    ) -> None:
        made = client.create_workflow(shop.workflow())
        path = f"/api/workflows/{made['id']}"
        before = client.wait_for_workflow(made["id"], client.run_workflow(made["id"], wait=False)["id"], 0.05)
        site.delay_s = 0.3
        under_way = client.run_workflow(made["id"], wait=False, force=True)["id"]
        graph = {
            "nodes": [self.node(shop, "only", static_urls=[shop.url])],
            "name": "One page",
            "enabled": True,
        }
        changed = raw.put(path, json=graph).json()
        assert (changed["name"], changed["node_count"]) == ("One page", 1)
        site.delay_s = 0.0
        ended = client.wait_for_workflow(made["id"], under_way, 0.05)
        assert [one["node_key"] for one in ended["node_executions"]] == ["index", "details"]
        assert [one["node_key"] for one in client.get_workflow(made["id"])["nodes"]] == ["only"]
        after = client.wait_for_workflow(made["id"], client.run_workflow(made["id"], wait=False)["id"], 0.05)
        assert [one["node_key"] for one in after["node_executions"]] == ["only"]
        assert after["node_executions"][0]["status"] == "completed"
        assert [item["title"] for item in after["final_results"]] == ["Phone A", "Phone B", "Phone C"]
        assert client.get_workflow_run(made["id"], before["id"])["final_results"] == before["final_results"]
        assert list(client.get_workflow_output(made["id"], flat=True)["final_results_by_url"]) == [shop.url]

    def test_a_graph_that_nobody_used_frees_its_strategies(
        self, client: MeterClient, raw: httpx.Client, shop: Shop
    ) -> None:
        made = client.create_workflow(shop.workflow())
        graph = {"nodes": [self.node(shop, "only", static_urls=[shop.url])], "edges": None}
        assert raw.put(f"/api/workflows/{made['id']}", json=graph).status_code == 200
        client.delete_strategy(shop.details)
        with pytest.raises(MeterError, match="is used by the workflows"):
            client.delete_strategy(shop.index)

    def test_what_cannot_run_changes_nothing(
        self, client: MeterClient, raw: httpx.Client, shop: Shop
    ) -> None:
        made = client.create_workflow(shop.workflow())
        for graph, said in (
            ({"nodes": []}, "needs at least one node"),
            ({"nodes": [self.node(shop, "a")]}, "static_urls"),
            ({"nodes": [self.node(shop, "a", static_urls=["x"])]}, "static_urls[0]"),
            ({"edges": []}, "nodes: is required with edges"),
            ({"nodes": "x"}, "nodes"),
        ):
            refused = raw.put(f"/api/workflows/{made['id']}", json={**graph, "name": "Other"})
            assert refused.status_code in (400, 422), refused.text
            assert said in refused.json()["detail"]
        assert client.get_workflow(made["id"]) == made


class TestRuns:
    def test_run_and_wait(self, client: MeterClient, shop: Shop) -> None:
        done = client.run_workflow(shop.workflow(filter=Filter.gt("price", "200")))
        assert (done["status"], done["error"], done["force"]) == ("completed", None, False)
        assert [item["title"] for item in done["final_results"]] == ["Phone B", "Phone C"]
        assert [(one["node_key"], one["status"]) for one in done["node_executions"]] == [
            ("index", "completed"),
            ("details", "completed"),
        ]
        assert len(done["node_executions"][0]["results"]) == 3
        assert isinstance(done["node_executions"][0]["node_id"], str)
        assert done["created_at"] <= done["started_at"] <= done["completed_at"]

    def test_nested_filters(self, client: MeterClient, shop: Shop) -> None:
        either = Filter.any(Filter.equals("title", "phone a"), Filter.all(Filter.lt("price", "300")))
        done = run(client, shop.workflow(filter=Filter.all(either, Filter.not_contains("title", "B"))))
        assert [item["title"] for item in done["final_results"]] == ["Phone A", "Phone C"]

    def test_output(self, client: MeterClient, raw: httpx.Client, shop: Shop, site: Site) -> None:
        created = client.create_workflow(shop.workflow())
        with pytest.raises(MeterError, match="No completed run"):
            client.get_workflow_output(created["id"])
        done = run(client, created["id"])
        grouped = client.get_workflow_output(created["id"])
        assert grouped["run_id"] == done["id"]
        assert grouped["final_results_by_url_grouped"][site.url("/phones/b")] == {
            "phone details": [{"title": "Phone B", "price": 249.0}]
        }
        flat = client.get_workflow_output(created["id"], flat=True)
        assert list(flat["final_results_by_url"]) == [site.url(f"/phones/{name}") for name in "abc"]
        assert flat["final_results_by_url"][site.url("/phones/c")] == [{"title": "Phone C", "price": 299.0}]
        assert raw.get(f"/api/workflows/{created['id']}/output").json() == grouped

    def test_only_what_changed_unless_forced(self, client: MeterClient, shop: Shop, site: Site) -> None:
        created = client.create_workflow(shop.workflow())
        first = run(client, created["id"])
        site.requests.clear()
        second = run(client, created["id"])
        assert site.requests == ["/phones"]
        assert second["node_executions"][1]["status"] == "skipped"
        assert second["final_results"] == first["final_results"]
        site.pages["/phones"], site.pages["/phones/b"] = shop_page(199, 229, 299), phone_page("B", 229)
        site.requests.clear()
        third = run(client, created["id"])
        assert site.requests == ["/phones", "/phones/b"]
        assert [item["price"] for item in third["final_results"]] == [199.0, 229.0, 299.0]
        site.requests.clear()
        run(client, created["id"], force=True)
        assert len(site.requests) == 4
        listed = client.list_workflow_runs(created["id"], limit=2)
        assert [one["force"] for one in listed] == [True, False]
        assert listed[1]["id"] == third["id"]
        assert "final_results" not in listed[0]

    def test_failure_in_part_and_in_whole(self, client: MeterClient, shop: Shop, site: Site) -> None:
        created = client.create_workflow(shop.workflow())
        site.pages["/phones/b"] = 404
        done = run(client, created["id"])
        assert (done["status"], done["error"]) == ("completed", None)
        assert done["node_executions"][1]["status"] == "partial"
        assert "/phones/b answered 404" in done["warnings"][0]
        assert len(done["final_results"]) == 2
        site.pages["/phones"] = 503
        with pytest.raises(
            MeterError, match=r"Workflow run failed: Nothing was produced.*/phones answered 503"
        ):
            client.run_workflow(created["id"])
        assert client.get_workflow_output(created["id"])["run_id"] == done["id"], "the latest completed one"

    def test_cancel_and_waiting_runs(self, client: MeterClient, shop: Shop, site: Site) -> None:
        created = client.create_workflow(shop.workflow())
        site.delay_s = 1.0
        active = client.run_workflow(created["id"], wait=False)
        assert active["status"] in ("pending", "running")
        waiting = client.run_workflow(created["id"], wait=False)
        time.sleep(0.5)
        assert client.get_workflow_run(created["id"], active["id"])["status"] == "running"
        assert client.get_workflow_run(created["id"], waiting["id"])["status"] == "pending"
        site.delay_s = 0.0
        cancelled = client.cancel_workflow_run(created["id"], active["id"])
        assert cancelled["status"] == "cancelled"
        with pytest.raises(MeterError, match="was cancelled"):
            client.wait_for_workflow(created["id"], active["id"])
        assert {node["status"] for node in ended(client, active)["node_executions"]} == {"cancelled"}
        assert ended(client, waiting)["status"] == "completed"
        for over in (active, waiting):
            with pytest.raises(MeterError, match="has already ended"):
                client.cancel_workflow_run(created["id"], over["id"])

    def test_a_workflow_deleted_while_it_runs(self, client: MeterClient, shop: Shop, site: Site) -> None:
        site.delay_s = 0.3
        started = client.run_workflow(shop.workflow(), wait=False)
        time.sleep(0.2)
        client.delete_workflow(started["workflow_id"])
        with pytest.raises(MeterError, match="Workflow not found"):
            client.get_workflow_run(started["workflow_id"], started["id"])


class TestWrongInput:
    """What a user of the client reads names the node and what to do."""

    @pytest.mark.parametrize(
        ("change", "status", "words"),
        [
            ({"nodes": []}, 422, "at least one node"),
            (
                {"edges": [{"source_node_key": "index", "target_node_key": "nobody"}]},
                422,
                "unknown node 'nobody'",
            ),
            ({"edges": []}, 422, "'details'.*no edge leads"),
            ({"edges": [{"source_node_key": "details", "target_node_key": "details"}]}, 422, "cycle"),
            ({"name": " "}, 422, "name"),
            ({"name": ""}, 400, "name"),
            ({"nodes": None}, 400, "nodes"),
            ({"edges": [{"source_node_key": "index"}]}, 400, "target_node_key"),
        ],
    )
    def test_graphs(
        self, raw: httpx.Client, shop: Shop, change: dict[str, Any], status: int, words: str
    ) -> None:
        answer = raw.post("/api/workflows", json=shop.workflow().to_dict() | change)
        assert answer.status_code == status, answer.text
        with pytest.raises(AssertionError, match=words):
            raise AssertionError(answer.json()["detail"])

    @pytest.mark.parametrize(
        ("node", "status", "words"),
        [
            ({"node_key": "index"}, 422, "Duplicate node_key 'index'"),
            ({"strategy_id": str(uuid.uuid4())}, 404, "Strategy not found"),
            ({"strategy_id": "no-id"}, 400, "strategy_id"),
            ({"input_type": "other"}, 400, "input_type"),
            ({"input_type": "static_urls"}, 400, "static_urls"),
            ({"input_type": "static_urls", "static_urls": ["nowhere"]}, 422, "nowhere"),
            ({"url_field": ""}, 400, "url_field"),
            ({"static_parameters": {"page": 1}}, 400, "no parameters"),
            ({"parameter_config": {"mappings": [], "execution_mode": "all"}}, 422, "per_result, once, batch"),
            ({"parameter_config": {"mappings": [{"source_field": "a"}]}}, 400, "target_param"),
        ],
    )
    def test_nodes(
        self, raw: httpx.Client, shop: Shop, node: dict[str, Any], status: int, words: str
    ) -> None:
        body = shop.workflow().to_dict()
        body["nodes"][1] |= node
        answer = raw.post("/api/workflows", json=body)
        assert answer.status_code == status, answer.text
        assert words in answer.json()["detail"]

    def test_filters(self, client: MeterClient, shop: Shop) -> None:
        with pytest.raises(MeterError, match=r"regular expression|regex"):
            client.create_workflow(shop.workflow(filter=Filter.regex_match("title", "(")))
        with pytest.raises(MeterError, match="operator"):
            client.create_workflow(shop.workflow(filter={"field": "title", "operator": "is", "value": "x"}))

    def test_a_forgotten_address_and_a_repeated_name(self, client: MeterClient, shop: Shop) -> None:
        nowhere = Workflow("x")
        nowhere.start("index", shop.index, urls=[])
        with pytest.raises(MeterError, match=r"'index'.*static_urls"):
            client.create_workflow(nowhere)
        twice = Workflow("x")
        twice.start("index", shop.index, urls=[shop.url]).then("index", shop.details, url_field="url")
        with pytest.raises(MeterError, match="Duplicate node_key 'index'"):
            client.run_workflow(twice)

    def test_what_does_not_exist(self, client: MeterClient, raw: httpx.Client, shop: Shop) -> None:
        created = client.create_workflow(shop.workflow())
        nobody = str(uuid.uuid4())
        for calling in (
            lambda: client.get_workflow(nobody),
            lambda: client.get_workflow("no-id"),
            lambda: client.update_workflow(nobody, name="x"),
            lambda: client.delete_workflow(nobody),
            lambda: client.run_workflow(nobody),
            lambda: client.list_workflow_runs(nobody),
            lambda: client.get_workflow_output(nobody),
        ):
            with pytest.raises(MeterError, match="Workflow not found"):
                calling()
        for run_id in (nobody, "no-id"):
            assert raw.get(f"/api/workflows/{created['id']}/runs/{run_id}").status_code == 404
            assert raw.post(f"/api/workflows/{created['id']}/runs/{run_id}/cancel").status_code == 404
        with pytest.raises(MeterError, match="name"):
            client.update_workflow(created["id"], name="  ")
        assert raw.get("/api/workflows", params={"limit": 1001}).status_code == 422
        assert raw.get("/api/workflows", params={"limit": 0}).status_code == 400


class TestKill:
    def test_a_run_survives_kills_in_its_middle(
        self, tmp_path: Path, recorder_of: Callable[[str], Recorder]
    ) -> None:
        site, server = Site(), ServerProcess(tmp_path / "data")
        names = "ABCDEFGHIJ"
        site.pages["/phones"] = shop_page(*range(100, 110))
        for name, price in zip(names, range(100, 110), strict=True):
            site.pages[f"/phones/{name.lower()}"] = phone_page(name, price)
        try:
            with MeterClient(server.start().api_key, recorder_of(server.base_url).url_for(CLIENT)) as client:
                shop = Shop(client, site)
                urls = [site.url(f"/phones?{at}") for at in range(3)]
                for at in range(3):
                    site.pages[f"/phones?{at}"] = site.pages["/phones"]
                site.delay_s = 0.4
                started = client.run_workflow(shop.workflow(urls=urls), wait=False)
                for pause_s in (0.2, 0.6, 1.0):
                    time.sleep(pause_s)
                    server.kill()
                    server.start()
                done = ended(client, started)
                assert (done["status"], done["warnings"]) == ("completed", [])
                assert [item["title"] for item in done["final_results"]] == [
                    f"Phone {name}" for name in names
                ]
                assert len(done["node_executions"][0]["results"]) == 30
        finally:
            server.close()
            site.close()
