"""The first paths of collecting, walked with the published `meter_sdk` against a really started server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from meter_sdk import MeterClient, MeterError
from tests.pages import shop_page
from tests.server import ServerProcess, free_port
from tests.site import Site
from tests.wire.conftest import HTTP_TEST
from tests.wire.recorder import Recorder

ASK = "phone titles and prices"


@pytest.fixture
def site() -> Iterator[Site]:
    opened = Site()
    opened.pages["/phones"] = shop_page(199, 249, 299)
    yield opened
    opened.close()


@pytest.fixture
def client(server: ServerProcess, recorder: Recorder) -> Iterator[MeterClient]:
    with MeterClient(server.api_key, recorder.url_for("meter-sdk 0.8.0")) as opened:
        yield opened


@pytest.fixture
def raw(server: ServerProcess, recorder: Recorder) -> Iterator[httpx.Client]:
    base_url = recorder.url_for(HTTP_TEST)
    with httpx.Client(base_url=base_url, headers=server.headers, timeout=60, trust_env=False) as opened:
        yield opened


@pytest.fixture
def strategy(client: MeterClient, site: Site) -> dict[str, Any]:
    made: dict[str, Any] = client.generate_strategy(
        site.url("/phones"), ASK, "Phones", output_schema={"title": "string", "price": "number"}
    )
    return made


class TestStrategies:
    def test_generate(self, client: MeterClient, site: Site) -> None:
        made = client.generate_strategy(site.url("/phones"), ASK, "Phones")
        assert made["scraper_type"] == "css"
        assert made["attempts"] >= 1
        assert {"container", "fields"} <= set(made["strategy"])
        assert len(made["preview_data"]) == 3
        assert made.get("api_parameters") is None
        assert made["id"] == made["strategy_id"]

    def test_generate_on_a_detail_page(self, client: MeterClient, site: Site) -> None:
        site.pages["/phones/a"] = (
            "<html><head><title>Phone A</title></head><body><main><h1>Phone A</h1>"
            '<p class="price">$199.00</p><p class="sku">SKU: PA-1</p><p>It rings.</p></main></body></html>'
        )
        made = client.generate_strategy(site.url("/phones/a"), "the phone's title and price", "Phone A")
        assert len(made["preview_data"]) == 1
        assert "Phone A" in str(made["preview_data"][0])

    def test_extract_content(self, client: MeterClient, site: Site) -> None:
        words = "Words that say something about it. " * 6
        site.pages["/docs"] = (
            f"<html><body><main><h1>Docs</h1><p>{words}</p><h2>Prices</h2><p>{words}</p></main></body></html>"
        )
        made = client.extract_content(site.url("/docs"), "Docs")
        assert made["scraper_type"] == "content"
        assert {"heading", "level", "content"} == set(made["preview_data"][0])
        assert client.execute_job(made["strategy_id"], site.url("/docs"))["item_count"] == len(
            made["preview_data"]
        )

    def test_get_list_update_delete(self, client: MeterClient, strategy: dict[str, Any]) -> None:
        found = client.get_strategy(strategy["strategy_id"])
        assert found["description"] == ASK
        assert found["output_schema"] == {"title": "string", "price": "number"}
        assert found["created_at"].endswith("Z")
        listed = client.list_strategies(limit=5)
        assert listed[0]["strategy_id"] == listed[0]["id"] == strategy["strategy_id"]
        assert client.list_strategies(limit=1, offset=10_000) == []
        condition = {"field": "price", "operator": "gt", "value": "200"}
        kept = client.update_strategy(strategy["strategy_id"], {"mode": "all", "conditions": [condition]})
        assert [item["title"] for item in kept["preview_data"]] == ["Phone B", "Phone C"]
        assert client.update_strategy(strategy["strategy_id"])["filter_config"] is not None, (
            "no argument, no change"
        )
        cleared = client.update_strategy(strategy["strategy_id"], {"mode": "all", "conditions": []})
        assert cleared["filter_config"] is None
        assert client.delete_strategy(strategy["strategy_id"]) == {"message": "Strategy deleted successfully"}
        with pytest.raises(MeterError, match="Strategy not found"):
            client.get_strategy(strategy["strategy_id"])

    def test_rename(self, raw: httpx.Client, strategy: dict[str, Any]) -> None:
        path = f"/api/strategies/{strategy['strategy_id']}"
        renamed = raw.patch(path, json={"name": " Telephones "}).json()
        assert renamed == {**raw.get(path).json(), "name": "Telephones"}
        both = {"name": "Dear ones", "filter_config": {"field": "price", "operator": "gt", "value": "260"}}
        changed = raw.patch(path, json=both).json()
        assert (changed["name"], len(changed["preview_data"])) == ("Dear ones", 1)
        for name in ("", " ", "x" * 501, 7, ["x"]):
            refused = raw.patch(path, json={"name": name, "filter_config": None})
            assert (refused.status_code in (400, 422), "name" in refused.json()["detail"]) == (True, True)
        assert raw.get(path).json()["filter_config"] is not None, "refused as a whole"

    def test_a_bare_condition_is_a_filter(self, client: MeterClient, site: Site) -> None:
        schema = {"title": "string", "price": "number"}
        dear = {"field": "price", "operator": "gt", "value": "260"}
        made = client.generate_strategy(
            site.url("/phones"), ASK, "x", output_schema=schema, filter_config=dear
        )
        assert made["filter_config"] == {"mode": "all", "conditions": [dear]}
        assert [item["title"] for item in made["preview_data"]] == ["Phone C"]
        assert client.update_strategy(made["strategy_id"], {})["filter_config"] is None

    def test_quota_headers_say_unlimited(self, raw: httpx.Client, site: Site) -> None:
        body = {"url": site.url("/phones"), "description": ASK, "name": "Phones"}
        answer = raw.post("/api/strategies/generate", json=body)
        assert answer.headers["x-strategy-quota-limit"] == "-1"
        assert answer.headers["x-strategy-quota-tier"] == "enterprise"
        assert int(answer.headers["x-strategy-quota-used"]) >= 1


class TestJobs:
    def test_create_wait_get_list(self, client: MeterClient, strategy: dict[str, Any], site: Site) -> None:
        created = client.create_job(strategy["strategy_id"], url=site.url("/phones"))
        assert created["status"] == "pending"
        assert created["job_id"] == created["id"]
        job = client.wait_for_job(created["job_id"], poll_interval=0.05, timeout=20)
        assert job["results"][0] == {"title": "Phone A", "price": 199.0}
        assert (job["item_count"], job["has_changes"], job["error"]) == (3, False, None)
        assert len(job["content_hash"]) == 64
        assert job["structural_signature"]["item_count"] == 3
        assert client.get_job(created["job_id"]) == job
        (listed,) = client.list_jobs(strategy_id=strategy["strategy_id"], status="completed")
        assert listed == job

    def test_execute(self, client: MeterClient, strategy: dict[str, Any], site: Site) -> None:
        job = client.execute_job(strategy["strategy_id"], site.url("/phones"))
        assert (job["status"], job["item_count"]) == ("completed", 3)
        assert job["started_at"] <= job["completed_at"]

    def test_a_change_is_seen_and_explained(
        self, client: MeterClient, strategy: dict[str, Any], site: Site
    ) -> None:
        first = client.execute_job(strategy["strategy_id"], site.url("/phones"))
        site.pages["/phones"] = shop_page(199, 229, 299, 349)
        second = client.execute_job(strategy["strategy_id"], site.url("/phones"))
        assert (first["has_changes"], second["has_changes"]) == (False, True)
        latest, previous = client.list_jobs(strategy_id=strategy["strategy_id"])
        assert (latest["id"], previous["id"]) == (second["id"], first["id"])
        found = client.compare_jobs(latest["id"], previous["id"])
        assert (found["content_hash_match"], found["structural_match"]) == (False, True)
        assert found["item_count_diff"] == 1
        assert 0 < found["semantic_similarity"] < 1
        assert found["structural_changes"] == ["1 item added"]
        assert 'price of "Phone B": 249 -> 229' in found["changes"]
        history = client.get_strategy_history(strategy["strategy_id"])
        assert [entry["has_changes"] for entry in history] == [True, False]
        assert [entry["job_id"] for entry in history] == [second["id"], first["id"]]

    def test_the_history_of_older_clients(
        self, client: MeterClient, raw: httpx.Client, strategy: dict[str, Any], site: Site
    ) -> None:
        client.execute_job(strategy["strategy_id"], site.url("/phones"))
        old = raw.get(f"/api/strategies/{strategy['strategy_id']}/history")
        assert old.json() == client.get_strategy_history(strategy["strategy_id"])
        assert (
            raw.get(f"/api/strategies/{strategy['strategy_id']}/history", params={"limit": 0}).status_code
            == 400
        )

    def test_a_batch(
        self, client: MeterClient, raw: httpx.Client, strategy: dict[str, Any], site: Site
    ) -> None:
        urls = [site.url("/phones"), site.url("/phones"), site.url("/gone")]
        batch = client.create_job(strategy["strategy_id"], urls=urls)
        assert (batch["job_count"], batch["status"]) == (3, "pending")
        with pytest.raises(MeterError, match="404 Not Found"):
            client.wait_for_job(batch["job_ids"][2], poll_interval=0.05, timeout=20)
        for job_id in batch["job_ids"][:2]:
            client.wait_for_job(job_id, poll_interval=0.05, timeout=20)
        progress = client.get_batch_progress(batch["batch_id"])
        assert (progress["total"], progress["completed"], progress["failed"]) == (3, 2, 1)
        assert progress["progress_percent"] == 100.0
        listed = raw.get(
            "/api/jobs", params={"batch_id": batch["batch_id"], "include_results": "false"}
        ).json()
        assert {job["id"] for job in listed} == set(batch["job_ids"])
        assert all("results" not in job for job in listed)

    def test_results_under_a_wrapper_stay_a_list(self, client: MeterClient, site: Site) -> None:
        schema = {"phones": [{"title": "string", "price": "number"}]}
        made = client.generate_strategy(site.url("/phones"), ASK, "Wrapped", output_schema=schema)
        job = client.execute_job(made["strategy_id"], site.url("/phones"))
        assert job["item_count"] == 3
        assert job["results"] == [
            {
                "phones": [
                    {"title": f"Phone {n}", "price": p} for n, p in zip("ABC", (199, 249, 299), strict=True)
                ]
            }
        ]

    @pytest.mark.parametrize("since", ["24h", "7d", "30m", "1w"])
    def test_since(self, client: MeterClient, strategy: dict[str, Any], site: Site, since: str) -> None:
        client.execute_job(strategy["strategy_id"], site.url("/phones"))
        assert len(client.list_jobs(strategy_id=strategy["strategy_id"], since=since)) == 1
        later = datetime.now(UTC) + timedelta(days=1)
        for spelling in (
            later.isoformat(),
            later.replace(tzinfo=None).isoformat(),
            f"{later:%Y-%m-%dT%H:%M:%SZ}",
        ):
            assert client.list_jobs(strategy_id=strategy["strategy_id"], since=spelling) == []


class TestWrongInput:
    """What a user of the client reads names the field or the page and what to do."""

    def test_a_bad_key(self, server: ServerProcess) -> None:
        wrong = MeterClient("sk_live_wrong", server.base_url)
        with wrong as client, pytest.raises(MeterError, match="Invalid or missing API key"):
            client.list_strategies()

    def test_missing_fields(self, client: MeterClient, raw: httpx.Client, site: Site) -> None:
        answer = raw.post("/api/strategies/generate", json={"url": site.url("/phones"), "name": "x"})
        assert answer.status_code == 400
        assert "description" in answer.json()["detail"]
        with pytest.raises(MeterError, match="description"):
            client.generate_strategy(site.url("/phones"), "", "Phones")
        with pytest.raises(MeterError, match="name"):
            client.generate_strategy(site.url("/phones"), ASK, "")
        assert (
            raw.post("/api/jobs", content=b"{", headers={"content-type": "application/json"}).status_code
            == 400
        )

    def test_both_and_neither_of_url_and_urls(
        self, client: MeterClient, raw: httpx.Client, strategy: dict[str, Any], site: Site
    ) -> None:
        url = site.url("/phones")
        for given in ({"url": url, "urls": [url]}, {}):
            with pytest.raises(MeterError, match=r"one of url, urls"):
                client.create_job(strategy["strategy_id"], **given)
            answer = raw.post("/api/jobs", json={"strategy_id": strategy["strategy_id"], **given})
            assert answer.status_code == 400

    def test_an_unknown_strategy(self, client: MeterClient, site: Site) -> None:
        for calling in (
            lambda: client.create_job(str(uuid.uuid4()), url=site.url("/phones")),
            lambda: client.execute_job(str(uuid.uuid4()), site.url("/phones")),
            lambda: client.get_strategy_history(str(uuid.uuid4())),
            lambda: client.update_strategy(str(uuid.uuid4()), {"mode": "all", "conditions": []}),
            lambda: client.delete_strategy(str(uuid.uuid4())),
            lambda: client.get_strategy("not-an-id"),
        ):
            with pytest.raises(MeterError, match="Strategy not found"):
                calling()

    def test_a_malformed_id(self, client: MeterClient, raw: httpx.Client, site: Site) -> None:
        for path in (
            "/api/jobs/no-id",
            "/api/jobs/batch/no-id",
            "/api/strategies/no-id",
            f"/api/jobs/{uuid.uuid4()}",
        ):
            assert raw.get(path).status_code == 404, path
        with pytest.raises(MeterError, match="Job not found"):
            client.get_job("no-id")
        with pytest.raises(MeterError, match="strategy_id"):
            client.create_job("no-id", url=site.url("/phones"))
        assert raw.get("/api/jobs", params={"strategy_id": "no-id"}).status_code == 400

    @pytest.mark.parametrize("url", ["nowhere", "ftp://shop.example/", "https://", "http://a b/"])
    def test_a_bad_url(
        self, client: MeterClient, raw: httpx.Client, strategy: dict[str, Any], url: str
    ) -> None:
        body = {"url": url, "description": ASK, "name": "x"}
        assert raw.post("/api/strategies/generate", json=body).status_code in (400, 422)
        with pytest.raises(MeterError, match="url"):
            client.create_job(strategy["strategy_id"], url=url)

    def test_a_page_that_is_not_there(
        self, client: MeterClient, strategy: dict[str, Any], site: Site
    ) -> None:
        with pytest.raises(MeterError, match="/gone answered 404 Not Found"):
            client.generate_strategy(site.url("/gone"), ASK, "x")
        with pytest.raises(MeterError, match="/gone answered 404 Not Found"):
            client.execute_job(strategy["strategy_id"], site.url("/gone"))

    def test_a_failed_execution_carries_its_job(
        self, client: MeterClient, raw: httpx.Client, strategy: dict[str, Any], site: Site
    ) -> None:
        answer = raw.post(
            "/api/jobs/execute", json={"strategy_id": strategy["strategy_id"], "url": site.url("/gone")}
        )
        job = answer.json()
        assert answer.status_code == 422
        assert (job["status"], job["results"], job["http_status"]) == ("failed", None, 404)
        assert job["detail"] == job["error"]
        with pytest.raises(MeterError, match="Job failed: The page"):
            client.wait_for_job(job["job_id"])
        assert client.get_strategy_history(strategy["strategy_id"])[0]["has_changes"] is False

    def test_an_unreachable_host(self, client: MeterClient, strategy: dict[str, Any]) -> None:
        nobody = f"http://127.0.0.1:{free_port()}/"
        with pytest.raises(MeterError, match="could not be fetched"):
            client.generate_strategy(nobody, ASK, "x")
        with pytest.raises(MeterError, match="could not be fetched"):
            client.execute_job(strategy["strategy_id"], nobody)
        with pytest.raises(MeterError, match=r"no-such-host\.invalid"):
            client.generate_strategy("http://no-such-host.invalid/", ASK, "x")

    def test_a_private_address(self, client: MeterClient) -> None:
        with pytest.raises(MeterError, match="METERHOUSE_FETCH_ALLOW"):
            client.generate_strategy("http://10.0.0.1/", ASK, "x")

    def test_nothing_to_extract(self, client: MeterClient, site: Site) -> None:
        site.pages["/empty"] = "<html><body></body></html>"
        with pytest.raises(MeterError, match="/empty"):
            client.generate_strategy(site.url("/empty"), ASK, "x")

    def test_refused_values(
        self, client: MeterClient, raw: httpx.Client, strategy: dict[str, Any], site: Site
    ) -> None:
        url = site.url("/phones")
        with pytest.raises(MeterError, match="parameters"):
            client.create_job(strategy["strategy_id"], url=url, parameters={"page": 1})
        with pytest.raises(MeterError, match="operator"):
            client.update_strategy(
                strategy["strategy_id"], {"field": "price", "operator": "is", "value": "1"}
            )
        with pytest.raises(MeterError, match=r"output_schema\.title"):
            client.generate_strategy(url, ASK, "x", output_schema={"title": "text"})
        with pytest.raises(MeterError, match="Strategy group not found"):
            client.generate_strategy(url, ASK, "x", strategy_group_id=str(uuid.uuid4()))
        for params in ({"limit": 1001}, {"since": "soon"}):
            assert raw.get("/api/jobs", params=params).status_code == 422, params
        for params in ({"limit": 0}, {"limit": "x"}, {"status": "done"}):
            assert raw.get("/api/jobs", params=params).status_code == 400, params

    def test_jobs_without_results_are_not_compared(
        self, client: MeterClient, raw: httpx.Client, strategy: dict[str, Any], site: Site
    ) -> None:
        done = client.execute_job(strategy["strategy_id"], site.url("/phones"))
        failed = client.create_job(strategy["strategy_id"], url=site.url("/gone"))
        with pytest.raises(MeterError):
            client.wait_for_job(failed["job_id"], poll_interval=0.05, timeout=20)
        answer = raw.get(f"/api/jobs/{done['id']}/compare/{failed['id']}")
        assert answer.status_code == 400
        assert "completed" in answer.json()["detail"]
        with pytest.raises(MeterError, match="Job not found"):
            client.compare_jobs(done["id"], str(uuid.uuid4()))
