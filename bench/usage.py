"""How long questions to a meter take as events grow, at the HTTP interface of the whole server.

    python -m bench.usage [--quick] [--sizes 1000000,10000000,100000000] [--no-postgres]

Events are put straight into the engine's folder (how fast they come in over HTTP is `bench.ingest`), the
server is started on it, and one client asks one question after another. A tenth of the events belong to one
huge customer, half to 50 large ones, the rest to 5,000 small ones, all within one month. PostgreSQL answers
the same questions over the same events as JSONB rows in the same run.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from bench.ingest import KEY, cpu_seconds, machine, memory_mb, serving_folder

TYPE = "api.request"
METER = "tokens"
MONTH = ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
MONTH_START_S, MONTH_S = 1_790_812_800, 31 * 86_400
HUGE, LARGE, SMALL = "huge", "large-7", "small-77"
CHUNK = 1_000_000
SIZES = (1_000_000, 10_000_000, 100_000_000)
QUICK_SIZES = (100_000, 1_000_000)
COMPARED_SIZE = 10_000_000
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}

SPAN = f"from={quote(MONTH[0])}&to={quote(MONTH[1])}&windowSize=DAY"
QUESTIONS = {
    "one huge customer, by day": f"{SPAN}&subject={HUGE}",
    "one large customer, by day": f"{SPAN}&subject={LARGE}",
    "one small customer, by day": f"{SPAN}&subject={SMALL}",
    "all customers, by day": SPAN,
    "all, by day and property": f"{SPAN}&groupBy=model",
}


def another(question: str, turn: int, *, hour: int = 0) -> str:
    """The same question over a range that was not asked for before: answers are remembered."""
    start = f"2026-10-01T{turn % 24:02d}:00:00Z"
    question = question.replace(f"from={quote(MONTH[0])}", f"from={quote(start)}")
    end = f"2026-10-{31 - turn // 24:02d}T{hour:02d}:00:00Z"
    return question.replace(f"to={quote(MONTH[1])}", f"to={quote(end)}")


def about_another(question: str, turn: int) -> str:
    """As `another`, and about another customer where there are several of the kind."""
    question = another(question, turn)
    return question.replace(LARGE, f"large-{turn % 50}").replace(SMALL, f"small-{turn % 5000}")


@dataclass(frozen=True)
class Times:
    """Milliseconds: without a rollup, of questions never asked before about one customer after another, of
    those about a customer who was asked about before, and of one question asked again and again."""

    first: float
    median: float
    p99: float
    known: float
    again: float


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.usage", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="few events, to see that it runs")
    parser.add_argument("--sizes", help="numbers of events, rising, separated by commas")
    parser.add_argument("--no-postgres", action="store_true", help="leave the comparison out")
    options = parser.parse_args(arguments)
    sizes = QUICK_SIZES if options.quick else SIZES
    if options.sizes:
        sizes = tuple(int(size) for size in options.sizes.split(","))
    print(machine())
    with tempfile.TemporaryDirectory(prefix="meterhouse-bench-") as folder:
        measured = measure_sizes(Path(folder), sizes)
    print(curve(measured))
    compared = min(sizes, key=lambda size: abs(size - COMPARED_SIZE))
    if not options.no_postgres:
        from bench.usage_postgres import measure_postgres

        print()
        print(comparison(compared, measured[compared], measure_postgres(compared)))


def measure_sizes(folder: Path, sizes: Sequence[int]) -> dict[int, dict[str, Times]]:
    """Let one server's folder grow and ask after each step."""
    with serving_folder(folder) as ((_, port), _pid):
        prepare(port)
    stored, measured = 0, {}
    for size in sizes:
        began = time.monotonic()
        command = [sys.executable, "-m", "bench.usage_load", str(folder), str(stored), str(size)]
        subprocess.run(command, check=True, timeout=3600)
        stored, loaded_s = size, time.monotonic() - began
        began = time.monotonic()
        with serving_folder(folder) as ((_, port), pid):
            started_s = time.monotonic() - began
            first = {name: ask_first(port, question) for name, question in QUESTIONS.items()}
            rolled_s = wait_until_quiet(pid)
            measured[size] = {name: measure(port, text, first[name]) for name, text in QUESTIONS.items()}
            check(port, size)
            print(
                f"{size:,} events: loaded in {loaded_s:.0f} s, server ready after {started_s:.1f} s, rollup "
                f"made in {rolled_s:.0f} s; {memory_mb(pid):,.0f} MB resident, most {peak_mb(pid):,.0f} MB; "
                f"{folder_mb(folder / 'data' / 'events'):,.0f} MB of events and rollups on disk",
                flush=True,
            )
    return measured


def prepare(port: int) -> None:
    """Make the meter and one event, from which the loader learns the organisation."""
    meter = {
        "slug": METER,
        "eventType": TYPE,
        "aggregation": "SUM",
        "valueProperty": "$.tokens",
        "groupBy": {"model": "$.model"},
    }
    event = {
        "id": "first",
        "source": "bench",
        "specversion": "1.0",
        "type": TYPE,
        "subject": "first",
        "time": MONTH[0],
        "data": {"tokens": 1, "model": "model-0"},
    }
    for path, body in (("/api/v1/meters", meter), ("/api/v1/events", [event])):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        with contextlib.closing(connection):
            connection.request("POST", path, json.dumps(body), HEADERS)
            answer = connection.getresponse()
            if answer.status not in (201, 204):
                sys.exit(f"{path} answered {answer.status}: {answer.read()!r}")


def ask(port: int, question: str) -> tuple[float, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with contextlib.closing(connection):
        return _ask(connection, question)


def _ask(connection: http.client.HTTPConnection, question: str) -> tuple[float, dict[str, object]]:
    began = time.perf_counter()
    connection.request("GET", f"/api/v1/meters/{METER}/query?{question}", headers=HEADERS)
    answer = connection.getresponse()
    body = answer.read()
    took_ms = (time.perf_counter() - began) * 1000
    if answer.status != 200:
        sys.exit(f"a question failed: {answer.status} {body[:300]!r}")
    return took_ms, json.loads(body)


def ask_first(port: int, question: str) -> float:
    """How long a question takes before there is a rollup; infinite when the server asks for patience."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with contextlib.closing(connection):
        began = time.perf_counter()
        connection.request("GET", f"/api/v1/meters/{METER}/query?{question}", headers=HEADERS)
        answer = connection.getresponse()
        answer.read()
        if answer.status not in (200, 503):
            sys.exit(f"a question failed: {answer.status}")
        return (time.perf_counter() - began) * 1000 if answer.status == 200 else math.inf


def measure(port: int, question: str, first: float, *, turns: int = 101, seconds: float = 20.0) -> Times:
    new = take(port, [about_another(question, turn) for turn in range(turns)], seconds)
    known = take(port, [another(question, turn, hour=12) for turn in range(turns)], seconds)
    again = take(port, [question] * turns, seconds)
    medians = (known[len(known) // 2], again[len(again) // 2])
    return Times(first, new[len(new) // 2], new[int(len(new) * 0.99)], *medians)


def take(port: int, questions: Sequence[str], seconds: float) -> list[float]:
    """Ask one after another, for so long; the times in ascending order."""
    took: list[float] = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    until = time.monotonic() + seconds
    with contextlib.closing(connection):
        for question in questions:
            if time.monotonic() > until and len(took) >= 3:
                break
            took.append(_ask(connection, question)[0])
    return sorted(took)


def check(port: int, size: int) -> None:
    """Every event counts: the values are the events' numbers modulo 1,000."""
    rows = ask(port, SPAN)[1]["data"]
    assert isinstance(rows, list)
    total = sum(row["value"] for row in rows)
    wanted = sum(number % 1000 for number in range(1000)) * (size // 1000) + 1
    if total != wanted:
        sys.exit(f"the total is {total}, not {wanted}")


def wait_until_quiet(pid: int) -> float:
    """Wait until the server has no more work of its own: rollups are made, parts merged."""
    began = quiet_since = time.monotonic()
    before = cpu_seconds(pid)
    while time.monotonic() - quiet_since < 6 and time.monotonic() - began < 1800:
        time.sleep(1)
        now = cpu_seconds(pid)
        if now - before > 0.15:
            quiet_since = time.monotonic()
        before = now
    return quiet_since - began


def peak_mb(pid: int) -> float:
    """The most memory that the server's own process, which holds the event engine, ever had."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) / 1000


def folder_mb(folder: Path) -> float:
    files = (Path(root) / name for root, _, names in os.walk(folder) for name in names)
    return sum(file.lstat().st_size for file in files) / 1_000_000


def curve(measured: dict[int, dict[str, Times]]) -> str:
    sizes = list(measured)
    lines = [
        "| question, one month (ms) | " + " | ".join(f"{size:,} events" for size in sizes) + " |",
        "| --- |" + " ---: |" * len(sizes),
    ]
    for name in QUESTIONS:
        cells = (
            f"{times.median:.1f} (99 %: {times.p99:.1f}; customer asked about before: {times.known:.1f}; "
            f"asked again: {times.again:.1f}; without rollup: {times.first:,.0f})"
            for times in (measured[size][name] for size in sizes)
        )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def comparison(size: int, ours: dict[str, Times], theirs: dict[str, float]) -> str:
    lines = [
        f"| question, {size:,} events, median (ms) | Meterhouse: new / customer known / again | PostgreSQL "
        "| times as long |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, times in ours.items():
        ours_ms = (times.median, times.known, times.again)
        factors = [f"{theirs[name] / one:,.1f}" for one in ours_ms]
        cells = [" / ".join(f"{one:.1f}" for one in ours_ms), f"{theirs[name]:,.1f}", " / ".join(factors)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
