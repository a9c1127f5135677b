"""Politeness towards sites: few requests at a time, time between them, and robots.txt if wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from meterhouse.kernel.hosts import host_of
from meterhouse.platform.fetch.robots import Robots
from meterhouse.platform.ports import Fetched, Fetcher, FetchLimits

HOSTS_KEPT_MAX = 10_000


@dataclass
class _Host:
    """A host that is being asked, or was just now."""

    slots: asyncio.Semaphore
    users: int = 0
    next_at: float = 0.0


class PoliteFetcher:
    """`ports.Fetcher` that makes requests to one host take turns. Waiting for a turn is no time of the fetch.

    Counts are of this process: several workers together ask as many times as often.
    """

    def __init__(
        self, fetcher: Fetcher, *, per_host: int, delay_s: float = 0.0, robots: Robots | None = None
    ) -> None:
        self._fetcher = fetcher
        self._per_host = per_host
        self._delay_s = delay_s
        self._robots = robots
        self._hosts: dict[str, _Host] = {}

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limits: FetchLimits | None = None,
    ) -> Fetched:
        delay_s = self._delay_s
        if self._robots is not None:
            delay_s = max(delay_s, await self._robots.check(url))
        async with self._turn(host_of(url), delay_s):
            return await self._fetcher.fetch(url, method=method, headers=headers, body=body, limits=limits)

    @asynccontextmanager
    async def _turn(self, name: str, delay_s: float) -> AsyncIterator[None]:
        host = self._hosts.setdefault(name, _Host(asyncio.Semaphore(self._per_host)))
        host.users += 1
        try:
            async with host.slots:
                if delay_s:
                    await self._wait(host, delay_s)
                yield
        finally:
            host.users -= 1
            self._forget(name, host)

    async def _wait(self, host: _Host, delay_s: float) -> None:
        """Take the next free moment, and leave the one after it to the next request."""
        now = asyncio.get_running_loop().time()
        begins_at = max(now, host.next_at)
        host.next_at = begins_at + delay_s
        await asyncio.sleep(begins_at - now)

    def _forget(self, name: str, host: _Host) -> None:
        if host.users:
            return
        now = asyncio.get_running_loop().time()
        if host.next_at <= now:
            self._hosts.pop(name, None)
        elif len(self._hosts) > HOSTS_KEPT_MAX:
            for other, kept in list(self._hosts.items()):
                if not kept.users and kept.next_at <= now:
                    del self._hosts[other]
