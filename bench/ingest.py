"""How fast events are taken in, durably and exactly once; everything measured in one run on one machine.

    python -m bench.ingest [--quick]                  ours beside the raw engine and a JSONB endpoint
    python -m bench.ingest --url http://… --key sk_…  the same load against a running server

Client and servers share the machine, so the client's own share of it is part of every number.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psutil
from bench.load_client import MARK, Load, Result, body_template

from meterhouse.apis.openmeter.ingest import EITHER, rows_from_wire
from meterhouse.platform.clickhouse_migrate import load_migrations
from meterhouse.platform.events_engine import EngineHandle, parse_target
from meterhouse.usage.block import block_from_rows

PATH = "/api/v1/events"
KEY = "sk_live_benchmark_0123456789"
ORGANISATION = UUID("01900000-0000-7000-8000-000000000001")
SINGLE_CONNECTIONS = 64
BATCH = 500
BATCH_CONNECTIONS = 16
RAW_BLOCK = 10_000


@dataclass(frozen=True)
class Plan:
    """How long a run takes. Batched ingest into ours goes on until `events` are stored."""

    single_s: float
    events: int
    compared_s: float
    raw_blocks: int


FULL = Plan(single_s=20, events=5_000_000, compared_s=15, raw_blocks=100)
QUICK = Plan(single_s=3, events=200_000, compared_s=3, raw_blocks=10)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    events_per_s: float
    latencies_ms: dict[str, float]
    note: str = ""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.ingest", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--url", help="measure this server instead of starting some")
    parser.add_argument("--key", default="", help="API key for --url")
    parser.add_argument("--events", type=int, help="how many events the batched run stores")
    parser.add_argument("--pid", type=int, help="process of --url, to report its memory")
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else FULL
    if options.events:
        plan = Plan(plan.single_s, options.events, plan.compared_s, plan.raw_blocks)
    print(machine())
    rows = measure_url(options.url, options.key, options.pid, plan) if options.url else measure_all(plan)
    print(table(rows))


def measure_url(url: str, key: str, pid: int | None, plan: Plan) -> list[Row]:
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 80)
    return measure_http("this server", address, key, plan.single_s, plan.events, pid)


def measure_all(plan: Plan) -> list[Row]:
    rows = []
    with serving_meterhouse() as (address, pid):
        rows += measure_http("Meterhouse", address, KEY, plan.single_s, plan.events, pid)
    rows.append(measure_raw_engine(plan.raw_blocks))
    rows += measure_dedup(plan.raw_blocks * RAW_BLOCK)
    with serving_jsonb() as (address, _):
        # Without a process id: PostgreSQL's processes are not children of the server.
        rows += measure_http("FastAPI + pydantic + JSONB", address, "", plan.compared_s, None, None)
    return rows


def measure_http(
    name: str, address: tuple[str, int], key: str, seconds: float, events: int | None, pid: int | None
) -> list[Row]:
    """Measure single events, then batches: for `seconds`, or until `events` are stored if given."""
    first = int(time.time()) * 1000
    run_load(address, key, SINGLE_CONNECTIONS, 1, min(1.0, seconds), first)  # warm up
    before = cpu_seconds(pid)
    single = run_load(address, key, SINGLE_CONNECTIONS, 1, seconds, first + 10_000_000)
    between = cpu_seconds(pid)
    requests = events // BATCH if events else None
    batch_seconds = 600.0 if events else seconds
    batched = run_load(address, key, BATCH_CONNECTIONS, BATCH, batch_seconds, first + 50_000_000, requests)
    after = cpu_seconds(pid)
    memory = f"; {memory_mb(pid):,.0f} MB resident afterwards" if pid else ""
    stored = f", {events:,} events" if events else ""
    return [
        Row(
            f"{name}: single events, {SINGLE_CONNECTIONS} connections",
            rate(single, 1),
            single.latencies_ms,
            cost(single, 1, between - before),
        ),
        Row(
            f"{name}: batches of {BATCH}, {BATCH_CONNECTIONS} connections{stored}",
            rate(batched, BATCH),
            batched.latencies_ms,
            cost(batched, BATCH, after - between) + memory,
        ),
    ]


def cost(result: Result, events_per_request: int, server_s: float) -> str:
    """Say what an event cost in processor time, which other load on the machine does not change."""
    events = result.requests * events_per_request
    server = f"{server_s / events * 1e6:.1f} µs server + " if server_s else ""
    return f"processor per event: {server}{result.cpu_seconds / events * 1e6:.1f} µs client"


def run_load(
    address: tuple[str, int],
    key: str,
    connections: int,
    events_per_request: int,
    seconds: float,
    first_number: int,
    requests_max: int | None = None,
) -> Result:
    """Run the client in a process of its own. Ends the program when a request failed."""
    load = Load(
        *address, PATH, connections, events_per_request, seconds, requests_max or 10**9, key, first_number
    )
    command = [sys.executable, "-m", "bench.load_client", json.dumps(asdict(load))]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=seconds + 120)
    result = Result(**json.loads(done.stdout))
    if result.failures or not result.requests:
        sys.exit(f"{result.failures} of {result.requests} requests failed; the first: {result.first_failure}")
    return result


def rate(result: Result, events_per_request: int) -> float:
    return result.requests * events_per_request / result.seconds


@contextlib.contextmanager
def serving_meterhouse() -> Iterator[tuple[tuple[str, int], int]]:
    """Start the whole server as users do, its log kept in a file."""
    with (
        tempfile.TemporaryDirectory(prefix="meterhouse-bench-") as folder,
        serving_folder(Path(folder)) as started,
    ):
        yield started


@contextlib.contextmanager
def serving_folder(folder: Path) -> Iterator[tuple[tuple[str, int], int]]:
    """The same over `folder/data`, which may be there already."""
    port = str(_free_port())
    command = [sys.executable, "-m", "meterhouse", "up", "--data", f"{folder}/data", "--port", port]
    with _started(command, int(port), {"METERHOUSE_API_KEY": KEY}, folder / "log") as started:
        yield started


@contextlib.contextmanager
def serving_jsonb() -> Iterator[tuple[tuple[str, int], int]]:
    """Start the endpoint of `bench.jsonb_app`."""
    with tempfile.TemporaryDirectory(prefix="meterhouse-bench-", ignore_cleanup_errors=True) as folder:
        port = str(_free_port())
        command = [sys.executable, "-m", "bench.jsonb_app", port, folder]
        with _started(command, int(port), {}, Path(folder) / "log") as started:
            yield started


@contextlib.contextmanager
def _started(
    command: list[str], port: int, environment: dict[str, str], log: Path
) -> Iterator[tuple[tuple[str, int], int]]:
    address = ("127.0.0.1", port)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, "TZ": "UTC", **environment}, stdout=output, stderr=output
        )
    try:
        _wait_until_listening(address, process)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(60)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_listening(address: tuple[str, int], process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(address, 1):
            return
        time.sleep(0.1)
    sys.exit("the server to be measured did not start")


def measure_raw_engine(blocks: int) -> Row:
    """Insert the same rows straight into the engine, nothing checked, in a process of its own."""
    folder = tempfile.mkdtemp(prefix="meterhouse-bench-")
    command = [sys.executable, "-m", "bench.ingest_raw", folder, str(blocks)]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=300)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    answer = json.loads(done.stdout)
    return Row(
        f"raw engine, blocks of {RAW_BLOCK:,}", answer["rate"], answer["latencies_ms"], "no HTTP, no keys"
    )


def measure_dedup(events: int) -> list[Row]:
    """Feed the ingestor in a process of its own: not looking for repeats, looking, and given nothing else."""
    names = {"off": "no de-duplication", "on": "exact de-duplication", "repeats": "nothing but repeats"}
    rows = []
    for mode, name in names.items():
        folder = tempfile.mkdtemp(prefix="meterhouse-bench-")
        command = [sys.executable, "-m", "bench.ingest_dedup", folder, mode, str(events)]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=600)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        answer = json.loads(done.stdout)
        note = f"no HTTP; processor per event: {answer['cpu_us']:.1f} µs"
        rows.append(Row(f"ingestor, batches of {BATCH}: {name}", answer["rate"], {}, note))
    return rows


def insert_raw(folder: str, blocks: int) -> dict[str, object]:
    """Insert blocks one after another; the time to make them is not counted."""
    handle = EngineHandle.open(parse_target(f"chdb://{folder}/events"))
    for migration in load_migrations():
        handle.command(migration.sql, None, 60)
    template = body_template(BATCH)
    took: list[float] = []
    for number in range(blocks):
        rows = []
        for part in range(RAW_BLOCK // BATCH):
            body = template.replace(MARK, b"%016d" % (number * 1000 + part))
            rows += rows_from_wire(EITHER, body, ORGANISATION, datetime.now(UTC))
        block = block_from_rows(rows, datetime.now(UTC), first_seq=number * RAW_BLOCK)
        started = time.perf_counter()
        handle.insert_arrow("events", block, 60)
        took.append(time.perf_counter() - started)
    handle.close()
    took.sort()
    percentiles = {"p50": took[len(took) // 2] * 1000, "p99": took[int(len(took) * 0.99)] * 1000}
    return {"rate": blocks * RAW_BLOCK / sum(took), "latencies_ms": percentiles}


def cpu_seconds(pid: int | None) -> float:
    if pid is None:
        return 0.0
    process = psutil.Process(pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return float(sum(time.user + time.system for time in times))


def memory_mb(pid: int) -> float:
    return sum(one.rss for one in _memory(pid)) / 1_000_000


def own_memory_mb(pid: int) -> float:
    """Without what only shows files, such as the code of the engines as it comes to be used."""
    return sum(one.rss - one.shared for one in _memory(pid)) / 1_000_000


def _memory(pid: int) -> list[Any]:
    process = psutil.Process(pid)
    return [one.memory_info() for one in (process, *process.children(recursive=True))]


def machine() -> str:
    cpu = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
        cpu = names[0].split(":")[1].strip() if names else cpu
    memory = psutil.virtual_memory().total / 1e9
    python = f"Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {cpu}, {memory:.0f} GB, {platform.system()}, {python}\n"


def table(rows: list[Row]) -> str:
    lines = [
        "| what | events/s | p50 | p90 | p99 | max (ms) | |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for row in rows:
        latencies = " | ".join(
            f"{row.latencies_ms[name]:.1f}" if name in row.latencies_ms else ""
            for name in ("p50", "p90", "p99", "max")
        )
        lines.append(f"| {row.what} | {row.events_per_s:,.0f} | {latencies} | {row.note} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
