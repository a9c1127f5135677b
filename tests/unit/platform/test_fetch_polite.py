"""Requests to one host take turns, and robots.txt is heeded where that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from tests.pages import FakeFetcher

from meterhouse.platform.fetch.polite import PoliteFetcher
from meterhouse.platform.fetch.robots import Robots
from meterhouse.platform.ports import Fetched, FetchFailed, FetchLimits

SITE = "https://shop.example"


class Gauge:
    """A fetcher that measures how many requests are under way at each host, and when they began."""

    def __init__(self) -> None:
        self.under_way: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.began: list[float] = []

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limits: FetchLimits | None = None,
    ) -> Fetched:
        host = url.split("/")[2]
        self.began.append(asyncio.get_running_loop().time())
        self.under_way[host] = self.under_way.get(host, 0) + 1
        self.most[host] = max(self.most.get(host, 0), self.under_way[host])
        await asyncio.sleep(0.001)
        self.under_way[host] -= 1
        return Fetched(url, 200, {}, b"")


async def test_few_at_a_time_at_each_host() -> None:
    gauge = Gauge()
    polite = PoliteFetcher(gauge, per_host=3)
    urls = [f"https://{host}.example/{at}" for host in "abc" for at in range(10)]
    await asyncio.gather(*(polite.fetch(url) for url in urls))
    assert gauge.most == dict.fromkeys(("a.example", "b.example", "c.example"), 3)
    assert polite._hosts == {}, "hosts that nobody asks are forgotten"


async def test_time_between_requests() -> None:
    gauge = Gauge()
    polite = PoliteFetcher(gauge, per_host=4, delay_s=0.03)
    await asyncio.gather(*(polite.fetch(f"{SITE}/{at}") for at in range(4)))
    # Timers are allowed to be late, so single gaps may be short; the whole is never shorter than the delays.
    assert max(gauge.began) - min(gauge.began) >= 3 * 0.03 - 0.005


async def test_a_failure_gives_its_turn_back() -> None:
    failing = FakeFetcher({f"{SITE}/": FetchFailed("no", reason="connect")})
    polite = PoliteFetcher(failing, per_host=1)
    for _ in range(3):
        with pytest.raises(FetchFailed):
            await polite.fetch(f"{SITE}/")
    assert (await polite.fetch(f"{SITE}/other")).status == 404


class TestRobots:
    RULES = "User-agent: *\nDisallow: /private*/x$\nCrawl-delay: 2\n\nUser-agent: Other\nDisallow: /\n"

    async def test_rules_are_read_once(self) -> None:
        site = FakeFetcher({f"{SITE}/robots.txt": self.RULES})
        robots = Robots(site)
        assert await robots.check(f"{SITE}/open") == 2.0
        with pytest.raises(FetchFailed, match=r"robots.txt excludes it") as refused:
            await robots.check(f"{SITE}/private-1/x")
        assert (refused.value.reason, refused.value.retryable) == ("robots", False)
        assert await robots.check(f"{SITE}/private-1/xy") == 2.0
        assert site.calls == [f"{SITE}/robots.txt"]

    async def test_no_rules_allow_everything(self) -> None:
        assert await Robots(FakeFetcher()).check(f"{SITE}/x") == 0.0

    @pytest.mark.parametrize("answer", [500, 429, FetchFailed("no", reason="connect")])
    async def test_rules_that_cannot_be_read_close_the_site_for_a_while(
        self, answer: int | Exception
    ) -> None:
        now = [0.0]
        site = FakeFetcher({f"{SITE}/robots.txt": answer})
        robots = Robots(site, now=lambda: now[0])
        with pytest.raises(FetchFailed) as refused:
            await robots.check(f"{SITE}/x")
        assert (refused.value.reason, refused.value.retryable) == ("robots", True)
        site.pages.clear()
        with pytest.raises(FetchFailed):
            await robots.check(f"{SITE}/x")
        now[0] = 61.0
        assert await robots.check(f"{SITE}/x") == 0.0

    async def test_through_the_polite_fetcher(self) -> None:
        site = FakeFetcher({f"{SITE}/robots.txt": "User-agent: Meterhouse\nDisallow: /x"})
        polite = PoliteFetcher(site, per_host=1, robots=Robots(site))
        with pytest.raises(FetchFailed):
            await polite.fetch(f"{SITE}/x")
        assert (await polite.fetch(f"{SITE}/y")).status == 404
        assert site.calls == [f"{SITE}/robots.txt", f"{SITE}/y"]
