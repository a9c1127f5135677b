"""Many schedules due in the same minute, and how fast the interface answers meanwhile.

    python -m bench.schedules [--quick]

Each schedule has a page of its own. The load on the interface comes at fixed times, whether earlier requests
are answered or not, and counts from when each was to be sent.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx
from bench.extraction import Table
from bench.job_site import PRODUCTS
from bench.jobs import client_of, generate, server, site
from tests.server import ServerProcess

WITHIN_S = 180
P99_MS_MAX = 100
REQUESTS_PER_S = 20
CREATING = 16
LEAD_S = 15


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.schedules", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer schedules")
    parser.add_argument("--schedules", type=int, default=0, help="how many schedules")
    given = parser.parse_args(arguments)
    count = given.schedules or (500 if given.quick else 10_000)
    with site() as base_url, server(host_concurrency=32) as running:
        with client_of(running) as client:
            strategy_id = generate(client, f"{base_url}/list/1")
        table = Table([("measured", "here", "bar")])
        asyncio.run(_measure(table, running, base_url, strategy_id, count))
        table.add("load average of the machine", f"{os.getloadavg()[0]:.1f}")
        table.print()


async def _measure(table: Table, running: ServerProcess, base_url: str, strategy_id: str, count: int) -> None:
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    async with httpx.AsyncClient(
        base_url=running.base_url, headers=running.headers, timeout=120, trust_env=False, limits=limits
    ) as client:
        due = await _create(client, base_url, strategy_id, count)
        await asyncio.sleep(max(0.0, due.timestamp() - time.time()))
        began = time.monotonic()
        probing = asyncio.create_task(_probe(client))
        try:
            ended = await _ended(client, strategy_id, count, began)
        finally:
            probing.cancel()
        latencies = await probing
        table.add(f"{count} schedules due in one minute, all run", f"{ended:.0f} s", f"< {WITHIN_S} s")
        table.add("  jobs", f"{count / ended:.0f} jobs/s")
        every = sorted(one for times in latencies.values() for one in times)
        table.add(f"  requests meanwhile ({len(every)}), 50th percentile", f"{_at(every, 0.5):.0f} ms")
        table.add("  99th percentile", f"{_at(every, 0.99):.0f} ms", f"< {P99_MS_MAX} ms")
        for name, times in latencies.items():
            table.add(f"    {name}, 99th", f"{_at(sorted(times), 0.99):.0f} ms")
        took = time.monotonic()
        listed = (await client.get("/api/schedules")).json()
        assert len(listed) == count
        table.add(
            f"  all {count} schedules in one list, afterwards", f"{1000 * (time.monotonic() - took):.0f} ms"
        )


async def _create(client: httpx.AsyncClient, base_url: str, strategy_id: str, count: int) -> datetime:
    """Make the schedules, all due at one minute after the last is made; returns that minute."""
    took = time.monotonic()
    far = datetime.now(UTC) + timedelta(hours=12)
    await _create_some(client, base_url, strategy_id, range(count, count + 100), far)
    for made in (await client.get("/api/schedules")).json():
        await client.delete(f"/api/schedules/{made['id']}")
    pace_s = (time.monotonic() - took) / 100
    due = datetime.now(UTC) + timedelta(seconds=LEAD_S + pace_s * count)
    due = due.replace(second=0, microsecond=0) + timedelta(minutes=1)
    await _create_some(client, base_url, strategy_id, range(count), due)
    assert datetime.now(UTC) < due, "making the schedules took too long; try again"
    return due


async def _create_some(
    client: httpx.AsyncClient, base_url: str, strategy_id: str, numbers: range, due: datetime
) -> None:
    left = iter(numbers)

    async def work() -> None:
        for number in left:
            body = {
                "strategy_id": strategy_id,
                "url": f"{base_url}/list/{number}",
                "cron_expression": f"{due.minute} {due.hour} * * *",
            }
            (await client.post("/api/schedules", json=body)).raise_for_status()

    await asyncio.gather(*(work() for _ in range(CREATING)))


async def _probe(client: httpx.AsyncClient) -> Mapping[str, list[float]]:
    """Send requests at a fixed pace until cancelled; returns their latencies in ms by kind."""
    job = (await client.get("/api/jobs?limit=1")).json()
    schedule = (await client.get("/api/schedules?limit=1")).json()[0]
    kinds = {
        "GET /api/jobs": "/api/jobs",
        "GET /api/jobs/{id}": f"/api/jobs/{job[0]['id']}" if job else "/api/jobs?limit=1",
        "GET /api/schedules": "/api/schedules?limit=20",
        "GET /api/schedules/{id}": f"/api/schedules/{schedule['id']}",
        "GET /api/strategies": "/api/strategies",
    }
    latencies: dict[str, list[float]] = defaultdict(list)
    sent: set[asyncio.Task[None]] = set()

    async def ask(name: str, path: str, planned: float) -> None:
        (await client.get(path)).raise_for_status()
        latencies[name].append(1000 * (time.monotonic() - planned))

    planned, turn = time.monotonic(), 0
    try:
        while True:
            name, path = list(kinds.items())[turn % len(kinds)]
            task = asyncio.create_task(ask(name, path, planned))
            sent.add(task)
            task.add_done_callback(sent.discard)
            planned, turn = planned + 1 / REQUESTS_PER_S, turn + 1
            await asyncio.sleep(max(0.0, planned - time.monotonic()))
    except asyncio.CancelledError:
        await asyncio.gather(*sent)
        return latencies


async def _ended(client: httpx.AsyncClient, strategy_id: str, count: int, began: float) -> float:
    """Seconds until as many jobs have ended, all of them with all their items."""
    query = {"strategy_id": strategy_id, "include_results": "false", "limit": 1000}
    while time.monotonic() - began < 10 * WITHIN_S:
        newest = (
            await client.get("/api/jobs", params={**query, "status": "completed", "offset": count - 1})
        ).json()
        if newest:
            seconds = time.monotonic() - began
            break
        await asyncio.sleep(2.0)
    else:
        raise AssertionError("the schedules did not all run")
    for offset in range(0, count, 1000):
        some = (await client.get("/api/jobs", params={**query, "offset": offset})).json()
        assert all(job["status"] == "completed" and job["item_count"] == PRODUCTS for job in some)
    return seconds


def _at(times: Sequence[float], share: float) -> float:
    """The value that this share of sorted values does not pass."""
    return times[min(len(times) - 1, int(share * len(times)))]


if __name__ == "__main__":
    main()
