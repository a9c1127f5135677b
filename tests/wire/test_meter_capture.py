"""APIs behind pages, parameters, pages of lists and refinement, with the published `meter_sdk`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from meter_sdk import MeterClient, MeterError
from tests.pages import shop_page
from tests.script_site import Answer, Asked, ScriptSite, as_json
from tests.server import ServerProcess
from tests.wire.conftest import HTTP_TEST
from tests.wire.recorder import Recorder

ASK = "phone names and prices"
PAGE = """<html><head><title>Phones</title></head><body><main><h1>Phones</h1><ul id="list"></ul></main>
<script>
const show = p => document.querySelector('#list').insertAdjacentHTML('beforeend',
  `<li class="phone"><h2>${p.name}</h2><b class="price">$${p.price}</b></li>`);
fetch('/api' + location.pathname + '?page=1&in_stock=true').then(r => r.json())
  .then(d => d.phones.forEach(show))
</script></body></html>"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("capture") / "data")
    try:
        yield process.start()
    finally:
        process.close()


@pytest.fixture(scope="module")
def recorder(server: ServerProcess, recorder_of: Callable[[str], Recorder]) -> Recorder:
    return recorder_of(server.base_url)


@pytest.fixture(scope="module")
def client(server: ServerProcess, recorder: Recorder) -> Iterator[MeterClient]:
    with MeterClient(server.api_key, recorder.url_for("meter-sdk 0.8.0")) as opened:
        yield opened


@pytest.fixture
def raw(server: ServerProcess, recorder: Recorder) -> Iterator[httpx.Client]:
    base_url = recorder.url_for(HTTP_TEST)
    with httpx.Client(base_url=base_url, headers=server.headers, timeout=60, trust_env=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def site() -> Iterator[ScriptSite]:
    opened = ScriptSite()
    opened.routes["/shops/*"] = PAGE
    opened.routes["/api/shops/*"] = phones
    opened.routes["/phones"] = shop_page(199, 249, 299)
    yield opened
    opened.close()


def phones(asked: Asked) -> Answer:
    shop, page = asked.path.rpartition("/")[2], int(asked.query["page"])
    numbers = range(4 * page - 3, min(4 * page, 10) + 1)
    return as_json({"phones": [{"name": f"Phone {shop} {n}", "price": n + 0.5} for n in numbers]})


@pytest.fixture(scope="module")
def strategy(client: MeterClient, site: ScriptSite) -> dict[str, Any]:
    made: dict[str, Any] = client.generate_strategy(
        site.url("/shops/north"),
        ASK,
        "Phones",
        force_api=True,
        output_schema={"name": "string", "price": "number"},
    )
    return made


class TestApi:
    def test_generate(self, strategy: dict[str, Any]) -> None:
        assert strategy["scraper_type"] == "api"
        assert strategy["api_parameters"] == {"page": 1, "in_stock": True}
        assert strategy["preview_data"][0] == {"name": "Phone north 1", "price": 1.5}
        assert strategy["strategy"]["api"]["url"].startswith("http://{page.host}/api/")

    def test_get_and_list_show_the_parameters(self, client: MeterClient, strategy: dict[str, Any]) -> None:
        assert client.get_strategy(strategy["strategy_id"])["api_parameters"] == strategy["api_parameters"]

    def test_execute_on_another_page_with_parameters(
        self, client: MeterClient, strategy: dict[str, Any], site: ScriptSite
    ) -> None:
        job = client.execute_job(strategy["strategy_id"], site.url("/shops/south"), parameters={"page": 2})
        assert job["parameters"] == {"page": 2}
        assert [item["name"] for item in job["results"]] == [f"Phone south {n}" for n in (5, 6, 7, 8)]

    def test_parameters_for_a_whole_group(
        self, client: MeterClient, raw: httpx.Client, strategy: dict[str, Any]
    ) -> None:
        group = client.create_strategy_group("Shops")["id"]
        client.add_strategies_to_group(group, [strategy["strategy_id"]])
        for page in (2, 3):
            asked = {"interval_seconds": 3600, "parameters": {"page": page}}
            assert raw.post(f"/api/strategy-groups/{group}/schedule", json=asked).status_code == 200
            (made,) = [
                one for one in client.list_schedules() if one["strategy_id"] == strategy["strategy_id"]
            ]
            assert made["parameters"] == {"page": page}
        client.delete_group_schedules(group)

    def test_unknown_parameters_are_422_and_list_the_known(
        self, client: MeterClient, raw: httpx.Client, strategy: dict[str, Any], site: ScriptSite
    ) -> None:
        body = {
            "strategy_id": strategy["strategy_id"],
            "url": site.url("/shops/north"),
            "parameters": {"pg": 1},
        }
        answer = raw.post("/api/jobs", json=body)
        assert answer.status_code == 422
        assert "the strategy has page, in_stock" in answer.json()["detail"]
        with pytest.raises(MeterError, match="'pg' is not known"):
            client.execute_job(strategy["strategy_id"], body["url"], parameters={"pg": 1})

    def test_force_api_is_a_wish_and_scraper_type_a_demand(
        self, client: MeterClient, raw: httpx.Client, site: ScriptSite
    ) -> None:
        made = client.generate_strategy(site.url("/phones"), ASK, "Phones", force_api=True)
        assert made["scraper_type"] == "css"
        assert made["api_parameters"] is None
        body = {"url": site.url("/phones"), "description": ASK, "name": "x", "scraper_type": "api"}
        answer = raw.post("/api/strategies/generate", json=body)
        assert answer.status_code == 422
        assert "No API was found" in answer.json()["detail"]

    def test_parameters_for_css_are_400(
        self, client: MeterClient, raw: httpx.Client, site: ScriptSite
    ) -> None:
        made = client.generate_strategy(site.url("/phones"), ASK, "Phones")
        body = {"strategy_id": made["strategy_id"], "url": site.url("/phones"), "parameters": {"page": 1}}
        assert raw.post("/api/jobs", json=body).status_code == 400


class TestPages:
    def test_a_job_follows_as_many_pages_as_it_may(
        self, raw: httpx.Client, strategy: dict[str, Any], site: ScriptSite
    ) -> None:
        body = {"strategy_id": strategy["strategy_id"], "url": site.url("/shops/north")}
        assert raw.post("/api/jobs/execute", json=body).json()["item_count"] == 4
        done = raw.post("/api/jobs/execute", json={**body, "max_pages": 9}).json()
        assert (done["item_count"], done["max_pages"]) == (10, 9)
        assert [item["price"] for item in done["results"]] == [n + 0.5 for n in range(1, 11)]

    @pytest.mark.parametrize("value", [0, 101, "3", 2.5, True, []])
    def test_other_numbers_of_pages_are_refused(
        self, raw: httpx.Client, strategy: dict[str, Any], site: ScriptSite, value: object
    ) -> None:
        body = {"strategy_id": strategy["strategy_id"], "url": site.url("/shops/north"), "max_pages": value}
        answer = raw.post("/api/jobs", json=body)
        assert answer.status_code == 422
        assert "1 to 100" in answer.json()["detail"]


class TestRefine:
    def test_in_place_and_as_a_new_baseline(self, client: MeterClient, site: ScriptSite) -> None:
        url = site.url("/phones")
        made = client.generate_strategy(url, ASK, "Phones")
        price = next(name for name in made["preview_data"][0] if "price" in name)
        client.execute_job(made["strategy_id"], url)
        refined = client.refine_strategy(
            made["strategy_id"], f"Rename {price} to cost. Make the cost a number."
        )
        assert refined["strategy_id"] == made["strategy_id"]
        assert [item["cost"] for item in refined["preview_data"]] == [199.0, 249.0, 299.0]
        assert refined["attempts"] == 1
        job = client.get_job(client.execute_job(made["strategy_id"], url)["id"])
        assert job["has_changes"] is False
        assert job["results"][0]["cost"] == 199.0

    def test_an_api_strategy(self, client: MeterClient, site: ScriptSite) -> None:
        made = client.generate_strategy(site.url("/shops/west"), ASK, "Phones", force_api=True)
        names = list(made["preview_data"][0])
        refined = client.refine_strategy(made["strategy_id"], f"drop the {names[1]}, follow up to 3 pages")
        assert list(refined["preview_data"][0]) == names[:1]
        done = client.execute_job(made["strategy_id"], site.url("/shops/west"))
        assert done["item_count"] == 10

    def test_what_cannot_be_done_is_said(
        self, client: MeterClient, raw: httpx.Client, site: ScriptSite
    ) -> None:
        made = client.generate_strategy(site.url("/phones"), ASK, "Phones")
        with pytest.raises(MeterError, match="not understood"):
            client.refine_strategy(made["strategy_id"], "hmm")
        with pytest.raises(MeterError, match="no field 'weight'"):
            client.refine_strategy(made["strategy_id"], "drop the weight")
        with pytest.raises(MeterError, match="Strategy not found"):
            client.refine_strategy("0b54a1de-6a0f-4a7e-9a55-0c9e3f1f6a01", "drop the price")
        words = client.extract_content(site.url("/phones"), "Words")
        path = f"/api/strategies/{words['strategy_id']}/refine"
        answer = raw.post(path, json={"feedback": "drop the heading"})
        assert answer.status_code == 400
        assert "type content" in answer.json()["detail"]
        assert raw.post(path, json={"feedback": ""}).status_code == 400
        after = client.get_strategy(made["strategy_id"])
        assert json.dumps(after["strategy"]) == json.dumps(made["strategy"])
