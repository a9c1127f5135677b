"""How many complete jobs one process does a second, beside Scrapy on the same pages in the same run.

    python -m bench.jobs [--quick]

A complete job is: fetch, extract, hash, compare with the run before, store, usage event. The site, the
server (with its embedded engines) and this program share the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from bench.extraction import Table
from bench.job_site import CHANGED_EVERY, PRODUCTS
from tests.server import ServerProcess

BAR = ">= 60 jobs/s"
ASK = "product titles, prices and links"


@dataclass(frozen=True)
class Turn:
    """One batch over all pages."""

    seconds: float
    cpu_seconds: float
    changed: int
    completed: int


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.jobs", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer pages")
    parser.add_argument("--pages", type=int, default=0, help="how many pages")
    given = parser.parse_args(arguments)
    count = given.pages or (600 if given.quick else 3_000)
    with site() as base_url, server(host_concurrency=32) as running, client_of(running) as client:
        table = Table([("measured", "here", "bar")])
        strategy_id = generate(client, f"{base_url}/list/1")
        urls = [f"{base_url}/list/{number}" for number in range(count)]
        for turn, name in ((1, "first run"), (2, "second run, a third of the pages changed")):
            httpx.get(f"{base_url}/round/{turn}", trust_env=False)
            done = run_batch(running, client, strategy_id, urls)
            expected = 0 if turn == 1 else len(range(0, count, CHANGED_EVERY))
            assert (done.completed, done.changed) == (count, expected), done
            table.add(f"jobs, {name} ({count} pages)", f"{count / done.seconds:.0f} jobs/s", BAR)
            table.add("  processor time of the server, per job", f"{1000 * done.cpu_seconds / count:.1f} ms")
        assert usage_events(client) == 2 * count
        theirs = scrapy(base_url, count)
        assert theirs["pages"] == count, theirs
        assert theirs["items"] == count * PRODUCTS, theirs
        table.add("Scrapy, fetch and extract only", f"{count / theirs['seconds']:.0f} pages/s")
        table.add("load average of the machine", f"{os.getloadavg()[0]:.1f}")
        table.print()


@contextlib.contextmanager
def site() -> Iterator[str]:
    """The site in a process of its own; it ends with this block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.job_site"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def server(**settings: object) -> Iterator[ServerProcess]:
    """A server on a fresh folder, on real time."""
    with tempfile.TemporaryDirectory(prefix="meterhouse-bench-") as folder:
        environment = {f"METERHOUSE_{name.upper()}": str(value) for name, value in settings.items()}
        process = ServerProcess(
            Path(folder) / "data", environment={"METERHOUSE_TEST_CLOCK": "0", **environment}
        )
        try:
            yield process.start()
        finally:
            process.close()


def client_of(running: ServerProcess) -> httpx.Client:
    return httpx.Client(base_url=running.base_url, headers=running.headers, timeout=60, trust_env=False)


def generate(client: httpx.Client, url: str) -> str:
    """A strategy for the site's listings."""
    made = client.post("/api/strategies/generate", json={"url": url, "description": ASK, "name": "Shoes"})
    made.raise_for_status()
    assert len(made.json()["preview_data"]) == 10
    return str(made.json()["strategy_id"])


def run_batch(running: ServerProcess, client: httpx.Client, strategy_id: str, urls: list[str]) -> Turn:
    process = psutil.Process(running.pid)
    before, began = process.cpu_times(), time.monotonic()
    made = client.post("/api/jobs", json={"strategy_id": strategy_id, "urls": urls})
    made.raise_for_status()
    batch_id = made.json()["batch_id"]
    while True:
        progress = client.get(f"/api/jobs/batch/{batch_id}").json()
        if progress["completed"] + progress["failed"] == len(urls):
            break
        time.sleep(0.25)
    seconds, after = time.monotonic() - began, process.cpu_times()
    changed = sum(job["has_changes"] for job in _jobs(client, batch_id, len(urls)))
    cpu_seconds = after.user + after.system - before.user - before.system
    return Turn(seconds, cpu_seconds, changed, progress["completed"])


def _jobs(client: httpx.Client, batch_id: str, count: int) -> Iterator[dict[str, Any]]:
    for offset in range(0, count, 1000):
        query = {"batch_id": batch_id, "include_results": "false", "limit": 1000, "offset": offset}
        yield from client.get("/api/jobs", params=query).json()


def usage_events(client: httpx.Client) -> int:
    """How many jobs the server's own meter counts; it may take a moment to have the last ones."""
    client.post(
        "/api/v1/meters", json={"slug": "jobs", "eventType": "meterhouse.job", "aggregation": "COUNT"}
    ).raise_for_status()
    counted = -1
    for _ in range(50):
        rows = client.get("/api/v1/meters/jobs/query").json()["data"]
        before, counted = counted, int(sum(row["value"] for row in rows))
        if counted == before:
            break
        time.sleep(0.2)
    return counted


def scrapy(base_url: str, count: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.jobs_scrapy", base_url, str(count)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
