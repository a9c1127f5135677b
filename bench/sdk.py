"""What the client costs: `python -m bench.sdk [--events N]`.

Prints how long it takes to import, what a call costs over the bare HTTP library, and how many events a
second one process delivers through the buffer to a server on the same machine. The server is started for it,
unless METER_BASE_URL and METER_API_KEY name one.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SDK = ROOT / "sdk" / "src"

IMPORT_MS_MAX = 150
OVERHEAD_PERCENT_MAX = 10
EVENTS_PER_S_MIN = 50_000


def row(what: str, figure: str, goal: str, met: bool) -> None:
    print(f"| {what} | {figure} | {goal} | {'yes' if met else 'NO'} |", flush=True)


def import_ms(statement: str) -> float:
    """The best of several processes: what it takes without neighbours."""
    code = f"import time; t = time.perf_counter(); {statement}; print((time.perf_counter() - t) * 1000)"
    environment = {**os.environ, "PYTHONPATH": str(SDK)}
    runs = [
        subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True) for _ in range(9)
    ]
    return min(float(run.stdout) for run in runs)


def seconds_of(calls: list[Callable[[], Any]], rounds: int) -> list[float]:
    """The typical time of each call, taken in turns so that all meet the same disturbances."""
    times: list[list[float]] = [[] for _ in calls]
    for number in range(rounds + 50):
        for call, found in zip(calls, times, strict=True):
            started = time.perf_counter()
            call()
            if number >= 50:
                found.append(time.perf_counter() - started)
    return [statistics.quantiles(found, n=4)[0] for found in times]


def overhead(base_url: str, api_key: str) -> None:
    """A read through the client against the same read through httpx, which decodes it too."""
    import httpx
    from meter_sdk import MeterClient

    headers = {"Authorization": f"Bearer {api_key}"}
    with MeterClient(api_key, base_url) as client, httpx.Client(base_url=base_url, headers=headers) as bare:
        for what, ours, theirs in (
            (
                "`list_jobs()`",
                lambda: client.list_jobs(),
                lambda: bare.get("/api/jobs", params={"limit": 20, "offset": 0}).json(),
            ),
            ("`meters.list()`", lambda: client.meters.list(), lambda: bare.get("/api/v1/meters").json()),
        ):
            mine, other = seconds_of([ours, theirs], rounds=1000)
            percent = (mine / other - 1) * 100
            figure = f"{mine * 1e6:.0f} µs against {other * 1e6:.0f} µs: {percent:+.1f} %"
            row(
                f"{what} over bare httpx",
                figure,
                f"≤ {OVERHEAD_PERCENT_MAX} %",
                percent <= OVERHEAD_PERCENT_MAX,
            )


def buffered(base_url: str, api_key: str, count: int) -> None:
    """Events from one thread through the buffer, counted by the server afterwards."""
    from meter_sdk import MeterClient

    slug = f"bench_{uuid.uuid4().hex[:8]}"
    with MeterClient(api_key, base_url) as client:
        client.meters.create({"slug": slug, "eventType": slug, "aggregation": "COUNT"})
        started = time.perf_counter()
        with client.events.buffered(max_items=5000, source="bench") as buffer:
            for number in range(count):
                buffer.add(type=slug, subject=f"customer-{number % 1000}", data={"tokens": number})
        rate = count / (time.perf_counter() - started)
        counted = client.meters.query_json(slug)["data"][0]["value"]
    row(
        "buffered events, one thread", f"{rate:,.0f}/s", f"≥ {EVENTS_PER_S_MIN:,}/s", rate >= EVENTS_PER_S_MIN
    )
    row("of these counted", f"{counted:,.0f} of {count:,}", "all", counted == count)


@contextlib.contextmanager
def server() -> Iterator[tuple[str, str]]:
    """Address and key of a running server."""
    if os.environ.get("METER_BASE_URL") and os.environ.get("METER_API_KEY"):
        yield os.environ["METER_BASE_URL"], os.environ["METER_API_KEY"]
        return
    from tests.server import ServerProcess

    with tempfile.TemporaryDirectory() as folder:
        process = ServerProcess(Path(folder) / "data", environment={"METERHOUSE_TEST_CLOCK": "0"})
        try:
            process.start()
            yield process.base_url, process.api_key
        finally:
            process.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="What the Python client costs.")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--quick", action="store_true", help="fewer events")
    options, _ = parser.parse_known_args()
    sys.path.insert(0, str(SDK))
    print("## The Python client\n\n| what | figure | goal | met |\n| --- | --- | --- | --- |")
    for statement in ("import meter_sdk", "from meter_sdk import MeterClient, AsyncMeterClient"):
        took = import_ms(statement)
        row(f"`{statement}`", f"{took:.0f} ms", f"< {IMPORT_MS_MAX} ms", took < IMPORT_MS_MAX)
    with server() as (base_url, api_key):
        overhead(base_url, api_key)
        for _ in range(2 if options.quick else 3):
            buffered(base_url, api_key, 100_000 if options.quick else options.events)


if __name__ == "__main__":
    main()
