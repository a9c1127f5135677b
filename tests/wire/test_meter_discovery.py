"""Discovery of a site's pages, and manifests: what is found, what is done with it, and what is refused."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from tests.pages import shop_page
from tests.wire.clocked import Watched


def discover(world: Watched, **search: Any) -> dict[str, Any]:
    """A discovery, once it has ended."""
    started = world.raw.post("/discover", json={"discovery": search})
    assert started.status_code == 202, started.text
    assert started.json()["status"] == "pending"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found: dict[str, Any] = world.raw.get(f"/discover/{started.json()['discovery_id']}").json()
        if found["status"] in ("completed", "failed"):
            return found
        time.sleep(0.02)
    raise AssertionError(f"the discovery has not ended: {found}")


def urls_of(world: Watched, found: dict[str, Any], **query: int) -> list[str]:
    answer = world.raw.get(f"/discover/{found['discovery_id']}/urls", params=query).json()
    assert answer["total"] == found["urls_found"]
    return list(answer["urls"])


def detail(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["detail"])


@pytest.fixture
def listed(world: Watched) -> Watched:
    """A shop with two lists of phones, and a sitemap of them."""
    world.site.pages["/other"] = shop_page(99, 89)
    entries = "".join(f"<url><loc>{path}</loc></url>" for path in ("/phones", "/other", "/about"))
    world.site.pages["/sitemap.xml"] = f"<urlset>{entries}</urlset>"
    return world


class TestDiscovery:
    def test_a_sitemap_becomes_a_batch_and_a_schedule(self, listed: Watched) -> None:
        world, root = listed, listed.site.url("/sitemap.xml")
        found = discover(world, method="sitemap", sitemap_url=root, url_pattern="*o*e*", max_urls=None)
        assert (found["status"], found["discovery_method"], found["root_url"]) == (
            "completed",
            "sitemap",
            root,
        )
        pages = [world.site.url("/phones"), world.site.url("/other")]
        assert urls_of(world, found) == pages
        assert urls_of(world, found, limit=1, offset=1) == pages[1:]
        strategy = world.strategy()
        path = f"/discover/{found['discovery_id']}"
        batch = world.raw.post(f"{path}/execute", json={"strategy_id": strategy}).json()
        assert batch["job_count"] == 2
        jobs = [world.client.wait_for_job(job_id, poll_interval=0.05) for job_id in batch["job_ids"]]
        assert sorted((job["url"], job["item_count"]) for job in jobs) == sorted(
            zip(pages, (3, 2), strict=True)
        )
        timing = {"strategy_id": strategy, "interval_seconds": 3600}
        made = world.raw.post(f"{path}/schedule", json=timing).json()
        assert (made["urls"], made["interval_seconds"], made["webhook_url"]) == (pages, 3600, None)
        assert "needs one of interval_seconds" in detail(
            world.raw.post(f"{path}/schedule", json={"strategy_id": strategy}), 400
        )

    def test_numbered_pages(self, world: Watched) -> None:
        world.site.pages |= {
            f"/list/{at}": f"<a href='/p/{at}'>x</a><a href='/q/{at}'>x</a>" for at in (1, 2)
        }
        found = discover(world, method="pagination", url_template=world.site.url("/list/{n}"))
        assert urls_of(world, found) == [world.site.url(f"/list/{at}") for at in (1, 2)]
        found = discover(
            world, method="pagination", url_template=world.site.url("/list/{n}"), url_pattern="/q/*"
        )
        assert urls_of(world, found) == [world.site.url(f"/q/{at}") for at in (1, 2)]

    def test_links(self, world: Watched) -> None:
        world.site.pages["/"] = "<a href='/phones'>phones</a><a href='/phones/0'>new</a>"
        found = discover(world, method="link_pattern", seed_url=world.site.url("/"), link_pattern="/phones/*")
        assert urls_of(world, found) == [world.site.url(f"/phones/{name}") for name in "0abc"]

    def test_a_failure_names_the_page_and_what_to_do(self, world: Watched) -> None:
        found = discover(world, method="sitemap", sitemap_url=world.site.url("/none.xml"))
        assert found["status"] == "failed"
        assert (
            found["error"]
            == f"The sitemap {world.site.url('/none.xml')} answered 404 Not Found. Check the address."
        )
        path = f"/discover/{found['discovery_id']}"
        refused = world.raw.post(f"{path}/execute", json={"strategy_id": world.strategy()})
        assert "found no addresses" in detail(refused, 409)
        private = discover(world, method="sitemap", sitemap_url="http://10.0.0.1/sitemap.xml")
        assert "METERHOUSE_FETCH_ALLOW" in private["error"]

    @pytest.mark.parametrize(
        ("search", "named"),
        [
            ({"method": "sitemap"}, "sitemap_url"),
            ({"method": "sitemap", "sitemap_url": "nowhere"}, "sitemap_url"),
            ({"method": "sitemap", "sitemap_url": "ftp://a.example/"}, "sitemap_url"),
            ({"method": "sitemap", "sitemap_url": "https://a.example/", "max_urls": 10_001}, "max_urls"),
            ({"method": "pagination", "url_template": "https://a.example/list"}, "url_template"),
            ({"method": "pagination", "url_template": "https://a.example/{n}", "step": 0}, "step"),
            ({"method": "link_pattern", "seed_url": "https://a.example/"}, "link_pattern"),
            (
                {
                    "method": "link_pattern",
                    "seed_url": "https://a.example/",
                    "link_pattern": "*",
                    "max_depth": 11,
                },
                "max_depth",
            ),
            ({"method": "guess"}, "method"),
            ("sitemap", "discovery"),
            (None, "discovery"),
        ],
    )
    def test_refusals_name_their_field(self, world: Watched, search: Any, named: str) -> None:
        answer = world.raw.post("/discover", json={"discovery": search})
        assert answer.status_code in (400, 422)
        assert named in answer.json()["detail"]

    def test_unknown_ones(self, world: Watched) -> None:
        for path in (f"/discover/{uuid.uuid4()}", "/discover/none", f"/discover/{uuid.uuid4()}/urls"):
            assert "Discovery not found" in detail(world.raw.get(path), 404)


class TestManifest:
    def compare(self, world: Watched, **changes: Any) -> Any:
        job = world.client.execute_job(world.strategy(), world.site.url("/phones"))
        given = {"items": [{"name": "phone-a"}, {"name": "Telephone X"}], "match_fields": ["title"]}
        items = {"items": [{"title": item["name"]} for item in given["items"]]}  # type: ignore[index]
        return world.raw.post(
            "/api/manifests/compare", json={**given, **items, "job_id": job["id"], **changes}
        )

    def test_known_items_are_matched_added_and_removed(self, world: Watched) -> None:
        compared = self.compare(world).json()
        (match,) = compared["matched"]
        assert (match["manifest_item"], match["item"]["title"], match["field"]) == (
            {"title": "phone-a"},
            "Phone A",
            "title",
        )
        assert match["score"] >= compared["threshold"] == 80
        assert [item["title"] for item in compared["added"]] == ["Phone B", "Phone C"]
        assert compared["removed"] == [{"title": "Telephone X"}]
        counts = [compared[f"{name}_count"] for name in ("matched", "added", "removed")]
        assert counts == [1, 2, 1]
        everything = self.compare(world, threshold=0).json()
        assert (everything["matched_count"], everything["removed"]) == (2, [])

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"match_fields": ["sku"]}, "sku"),
            ({"match_fields": []}, "match_fields"),
            ({"match_fields": "title"}, "match_fields"),
            ({"items": []}, "items"),
            ({"items": ["x"]}, "items"),
            ({"threshold": 101}, "threshold"),
            ({"job_id": "x"}, "job_id"),
            ({"job_id": str(uuid.uuid4())}, "Job not found"),
            ({"items": [{"title": "x"}] * 10_001}, "10000"),
        ],
    )
    def test_refusals_name_their_field(self, world: Watched, changes: dict[str, Any], named: str) -> None:
        answer = self.compare(world, **changes)
        assert 400 <= answer.status_code < 500
        assert named in answer.json()["detail"]

    def test_a_job_without_results_is_refused(self, world: Watched) -> None:
        strategy = world.strategy()
        job = world.client.create_job(strategy, url=world.site.url("/gone"))
        with pytest.raises(Exception, match="404"):
            world.client.wait_for_job(job["job_id"], poll_interval=0.05)
        assert "only completed jobs" in detail(self.compare(world, job_id=job["job_id"]), 400)
