"""Discoveries run on the database: what they find, how they end, and that a kill changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from tests.unit.discovery.test_engine import LINKS, LIST, ROOT, SITEMAP, sitemap

from meterhouse.discovery import service
from meterhouse.discovery import tasks as running
from meterhouse.discovery.model import Discovery, Search
from meterhouse.discovery.retention import DiscoveryRetention
from meterhouse.discovery.tasks import DiscoveryTasks
from meterhouse.identity.service import ensure_organisation
from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.errors import NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Fetched, FetchLimits
from meterhouse.platform.postgres import PostgresDatabase

SHOP = "https://shop.example"


class Killed(BaseException):
    """A process that ends in the middle of things."""


@dataclass
class FakeQueue:
    """`ports.Queue` that remembers what it was asked."""

    asked: list[str] = field(default_factory=list)

    async def enqueue(self, connection: Any, task: str, *, key: str | None = None, **arguments: Any) -> None:
        self.asked.append(arguments["discovery_id"])

    async def enqueue_many(self, connection: Any, task: str, wanted: Any) -> None:
        raise NotImplementedError


@dataclass
class FakeSite:
    """`ports.Fetcher` over pages; kills the process at some of its calls."""

    pages: dict[str, str | bytes | int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    kill_at: set[int] = field(default_factory=set)

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limits: FetchLimits | None = None,
    ) -> Fetched:
        self.calls.append(url)
        if len(self.calls) in self.kill_at:
            raise Killed
        page = self.pages.get(url, 404)
        if isinstance(page, int):
            return Fetched(url, page, {}, b"")
        kind = "text/html" if isinstance(page, str) else "application/gzip"
        return Fetched(url, 200, {"content-type": kind}, page.encode() if isinstance(page, str) else page)


@dataclass
class Bench:
    database: PostgresDatabase
    clock: TestClock
    site: FakeSite
    queue: FakeQueue
    tasks: DiscoveryTasks
    organisation_id: UUID

    async def start(self, search: Search) -> Discovery:
        async with self.database.begin() as connection:
            return await service.start_discovery(
                connection,
                self.queue,
                organisation_id=self.organisation_id,
                search=search,
                now=self.clock.now(),
            )

    async def run(self, search: Search) -> tuple[Discovery, list[str]]:
        """Run until it has ended, whatever was killed on the way."""
        started = await self.start(search)
        while not (found := await self.get(started.id)).status.is_final:
            with contextlib.suppress(Killed):
                await self.tasks.run_slice(str(started.id))
        return found, await self.urls(started.id)

    async def get(self, discovery_id: UUID) -> Discovery:
        async with self.database.begin() as connection:
            return await service.get_discovery(
                connection, organisation_id=self.organisation_id, discovery_id=discovery_id
            )

    async def urls(self, discovery_id: UUID, limit: int = 10_000, offset: int = 0) -> list[str]:
        async with self.database.begin() as connection:
            return await service.list_urls(
                connection,
                organisation_id=self.organisation_id,
                discovery_id=discovery_id,
                limit=limit,
                offset=offset,
            )


@pytest.fixture
async def bench(database: PostgresDatabase) -> Bench:
    clock, site, queue = TestClock(datetime(2030, 1, 1, tzinfo=UTC)), FakeSite(), FakeQueue()
    async with database.begin() as connection:
        organisation_id = await ensure_organisation(connection, now=clock.now())
    return Bench(database, clock, site, queue, DiscoveryTasks(database, queue, site, clock), organisation_id)


def index(*parts: str) -> bytes:
    return sitemap(*parts, root="sitemapindex", entry="sitemap")


class TestSitemap:
    async def test_an_index_is_followed_and_loops_end(self, bench: Bench) -> None:
        bench.site.pages = {
            ROOT: index("/1.xml", "/2.xml", "/sitemap.xml", "/gone.xml"),
            f"{SHOP}/1.xml": sitemap("/a", "/b"),
            f"{SHOP}/2.xml": sitemap("/b", "/c"),
        }
        found, urls = await bench.run(SITEMAP)
        assert urls == [f"{SHOP}/{name}" for name in "abc"]
        assert (found.status, found.urls_found, found.pages_read) == ("completed", 3, 4)
        (warning,) = found.warnings
        assert warning == f"The sitemap {SHOP}/gone.xml answered 404 Not Found. Check the address."
        assert sorted(bench.site.calls) == sorted({*bench.site.pages, f"{SHOP}/gone.xml"})
        assert await bench.urls(found.id, limit=1, offset=1) == [f"{SHOP}/b"]

    async def test_one_that_cannot_be_read_fails_with_the_reason(self, bench: Bench) -> None:
        found, urls = await bench.run(SITEMAP)
        assert (found.status, urls) == ("failed", [])
        assert "404 Not Found" in str(found.error)
        bench.site.pages[ROOT] = b"<html></html>"
        found, _ = await bench.run(SITEMAP)
        assert found.error == f"{ROOT} is not a sitemap: its root is <html>."

    async def test_nothing_to_find_is_no_failure(self, bench: Bench) -> None:
        bench.site.pages[ROOT] = sitemap("/a")
        found, urls = await bench.run(replace(SITEMAP, pattern="/products/*"))
        assert (found.status, urls, found.error) == ("completed", [], None)

    async def test_bounds_are_kept_and_told(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        bench.site.pages = {ROOT: index("/1.xml", "/2.xml"), f"{SHOP}/1.xml": sitemap(*"abcdef")}
        found, urls = await bench.run(replace(SITEMAP, max_urls=4))
        assert (len(urls), found.urls_found, found.pages_read) == (4, 4, 2)
        assert found.warnings == ("It ended at 4 addresses, and there may be more.",)
        monkeypatch.setattr(running, "PAGES_MAX", 2)
        found, urls = await bench.run(SITEMAP)
        assert "Only the first 2 pages are read." in found.warnings
        monkeypatch.setattr(running, "BYTES_MAX", 1)
        found, _ = await bench.run(SITEMAP)
        assert (found.pages_read, found.status) == (1, "failed")
        monkeypatch.setattr(running, "BYTES_MAX", 10**9)
        monkeypatch.setattr(running, "SPENT_MS_MAX", 0)
        found, _ = await bench.run(SITEMAP)
        assert "minutes" in str(found.error)


class TestPagination:
    def serve(self, bench: Bench, pages: Mapping[int, str | int]) -> None:
        bench.site.pages = {LIST.root_url.replace("{n}", str(number)): page for number, page in pages.items()}

    async def test_it_ends_where_the_pages_do(self, bench: Bench) -> None:
        self.serve(bench, {number: f"<a href='/p/{number}'>x</a>" for number in (1, 2, 3)})
        found, urls = await bench.run(LIST)
        assert urls == [f"{SHOP}/list?page={number}" for number in (1, 2, 3)]
        assert (found.status, found.warnings) == ("completed", ())

    async def test_it_ends_where_the_last_page_is_repeated(self, bench: Bench) -> None:
        self.serve(bench, {number: f"<a href='/p/{min(number, 3)}'>x</a>" for number in range(1, 50)})
        found, urls = await bench.run(LIST)
        assert (len(urls), found.pages_read) == (3, 4)

    async def test_matching_links_are_collected_until_none_is_new(self, bench: Bench) -> None:
        pages = {number: f"<a href='/p/{number}'>x</a><a href='/about'>a</a>" for number in (1, 2)}
        self.serve(
            bench, {**pages, **dict.fromkeys(range(3, 50), "<a href='/p/1'>bestseller</a><a href='/x'>x</a>")}
        )
        found, urls = await bench.run(replace(LIST, pattern="/p/*"))
        assert urls == [f"{SHOP}/p/1", f"{SHOP}/p/2"]
        assert found.pages_read == 3

    async def test_max_pages_and_steps(self, bench: Bench) -> None:
        self.serve(bench, {number: f"<a href='/p/{number}'>x</a>" for number in range(0, 200, 20)})
        found, urls = await bench.run(replace(LIST, start_index=0, step=20, max_pages=3))
        assert urls == [f"{SHOP}/list?page={number}" for number in (0, 20, 40)]
        assert found.warnings == ()

    async def test_a_page_that_fails_is_passed_over_and_three_end_it(self, bench: Bench) -> None:
        pages: dict[int, str | int] = {number: f"<a href='/p/{number}'>x</a>" for number in (1, 3)}
        self.serve(bench, {2: 500, 4: 500, 5: 503, 6: 500, 7: "<a href='/p/7'>x</a>", **pages})
        found, urls = await bench.run(LIST)
        assert urls == [f"{SHOP}/list?page={number}" for number in (1, 3)]
        assert "It ended after 3 failures in a row." in found.warnings
        assert (found.status, found.pages_read) == ("completed", 6)

    async def test_a_first_page_that_is_not_there_is_a_failure(self, bench: Bench) -> None:
        found, _ = await bench.run(LIST)
        assert (found.status, found.pages_read) == ("failed", 1)
        assert f"The page {SHOP}/list?page=1 answered 404" in str(found.error)


async def test_links_are_found_within_their_depth(bench: Bench) -> None:
    bench.site.pages = {
        f"{SHOP}/": "<a href='/c/1'>c</a><a href='/c/2'>c</a><a href='/products/0'>p</a>",
        f"{SHOP}/c/1": "<a href='/products/1'>p</a><a href='/c/3'>c</a><a href='/'>home</a>",
        f"{SHOP}/c/2": "<a href='/products/2'>p</a><a href='https://other.example/products/9'>o</a>",
        f"{SHOP}/c/3": "<a href='/products/3'>p</a>",
    }
    _, urls = await bench.run(LINKS)
    assert urls == [
        f"{SHOP}/products/0",
        f"{SHOP}/products/1",
        f"{SHOP}/products/2",
        "https://other.example/products/9",
    ]
    assert f"{SHOP}/products/3" in (await bench.run(replace(LINKS, max_depth=3)))[1]
    _, urls = await bench.run(replace(LINKS, navigation="/c/2"))
    assert f"{SHOP}/products/1" not in urls


async def test_a_kill_at_any_page_changes_nothing(bench: Bench) -> None:
    bench.site.pages = {ROOT: index(*(f"/{at}.xml" for at in range(6)))}
    bench.site.pages |= {f"{SHOP}/{at}.xml": sitemap(f"/{at}", f"/{at + 1}") for at in range(6)}
    undisturbed, urls = await bench.run(SITEMAP)
    bench.site.calls.clear()
    bench.site.kill_at = {1, 3, 4, 8}
    found, again = await bench.run(SITEMAP)
    assert (again, found.pages_read, found.urls_found) == (urls, undisturbed.pages_read, 7)
    assert len(bench.site.calls) == 7 + 4


async def test_a_page_that_ends_the_process_each_time_is_left_out(bench: Bench) -> None:
    bench.site.pages = {ROOT: index("/1.xml", "/2.xml"), f"{SHOP}/1.xml": b"", f"{SHOP}/2.xml": sitemap("/a")}
    bench.site.kill_at = {2, 3, 4}
    found, urls = await bench.run(SITEMAP)
    assert urls == [f"{SHOP}/a"]
    assert found.warnings == (f"{SHOP}/1.xml was begun 3 times and interrupted each time; it is left out.",)


async def test_two_at_once_store_everything_once(bench: Bench) -> None:
    bench.site.pages = {ROOT: index(*(f"/{at}.xml" for at in range(8)))}
    bench.site.pages |= {f"{SHOP}/{at}.xml": sitemap(f"/{at}", f"/{at + 1}") for at in range(8)}
    started = await bench.start(SITEMAP)
    await asyncio.gather(*(bench.tasks.run_slice(str(started.id)) for _ in range(3)))
    found = await bench.get(started.id)
    assert (found.status, found.urls_found, found.pages_read) == ("completed", 9, 9)
    assert len(set(await bench.urls(started.id))) == 9


async def test_long_ones_take_turns_and_lost_ones_are_found(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench.database.begin() as connection:
        await connection.execute(text("DELETE FROM discoveries"))
    bench.site.pages = {ROOT: index("/1.xml", "/2.xml")}
    started = await bench.start(SITEMAP)
    monkeypatch.setattr(running, "SLICE_S", 0)
    await bench.tasks.run_slice(str(started.id))
    assert bench.queue.asked == [str(started.id)] * 2
    assert (await bench.get(started.id)).status == "running"
    (scan,) = bench.tasks.scans.values()
    assert await scan(bench.clock.now()) == 0
    bench.clock.move_to(bench.clock.now() + timedelta(minutes=10))
    assert await scan(bench.clock.now()) == 1
    assert bench.queue.asked == [str(started.id)] * 3
    assert await scan(bench.clock.now()) == 0


async def test_others_see_nothing_of_it(bench: Bench) -> None:
    started = await bench.start(SITEMAP)
    async with bench.database.begin() as connection:
        with pytest.raises(NotFound):
            await service.get_discovery(connection, organisation_id=new_id(), discovery_id=started.id)


async def test_they_are_deleted_some_time_after_they_ended(bench: Bench) -> None:
    bench.site.pages[ROOT] = sitemap("/a", "/b")
    old, _ = await bench.run(SITEMAP)
    bench.clock.move_to(bench.clock.now() + timedelta(days=1))
    new, _ = await bench.run(SITEMAP)
    running = await bench.start(SITEMAP)
    scan = DiscoveryRetention(bench.database, timedelta(days=30)).scans["discovery.retention"]
    bench.clock.move_to(bench.clock.now() + timedelta(days=29, seconds=1))
    while await scan(bench.clock.now()):
        pass
    with pytest.raises(NotFound):
        await bench.get(old.id)
    assert len(await bench.urls(new.id)) == 2
    assert await bench.get(running.id) == running
