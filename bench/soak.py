"""Events come in and questions are answered together, for a while: no error, flat memory, no growing latency.

    python -m bench.soak [--quick] [--minutes 10] [--warm-up 3] [--rate 5000]

The client sends batches at a steady rate and asks one question after another beside it, over one customer
and over all. Every minute prints what happened in it; at the end the first and the last third of the minutes
after the warm-up are compared, and every event must have been counted once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median

import httpx
from bench.ingest import KEY, machine, memory_mb, own_memory_mb, serving_meterhouse

BATCH = 500
CUSTOMERS = 1_000
METER = "soak"
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}


@dataclass
class Minute:
    """What happened in one minute; times in milliseconds."""

    sent: list[float] = field(default_factory=list)
    asked: dict[str, list[float]] = field(default_factory=dict)
    memory_mb: float = 0.0


@dataclass
class Run:
    """The state of a run."""

    client: httpx.AsyncClient
    until: float
    rate: float
    stored: int = 0
    minute: Minute = field(default_factory=Minute)
    past: list[Minute] = field(default_factory=list)


def batch(first: int) -> bytes:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    events = [
        {
            "id": f"event-{number}",
            "source": "soak",
            "specversion": "1.0",
            "type": METER,
            "subject": f"customer-{number % CUSTOMERS}",
            "time": now,
            "data": {"tokens": number % 1000, "model": f"model-{number % 7}"},
        }
        for number in range(first, first + BATCH)
    ]
    return json.dumps(events).encode()


async def send(run: Run) -> None:
    """Send batches at the given rate; one that is late is followed at once by the next."""
    due = time.monotonic()
    while time.monotonic() < run.until:
        body = batch(run.stored)
        began = time.perf_counter()
        answer = await run.client.post("/api/v1/events", content=body)
        if answer.status_code != 204:
            sys.exit(f"ingest answered {answer.status_code}: {answer.text[:300]}")
        run.minute.sent.append((time.perf_counter() - began) * 1000)
        run.stored += BATCH
        due += BATCH / run.rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def ask(run: Run) -> None:
    """Ask in turn; what is acknowledged before a question is asked must be in its answer."""
    number = 0
    while time.monotonic() < run.until:
        number += 1
        one = {"windowSize": "DAY", "subject": f"customer-{number % CUSTOMERS}"}
        for name, question in (("one customer", one), ("all", {"windowSize": "DAY"}), ("total", {})):
            acknowledged, began = run.stored, time.perf_counter()
            answer = await run.client.get(f"/api/v1/meters/{METER}/query", params=question)
            if answer.status_code != 200:
                sys.exit(f"a question was answered with {answer.status_code}: {answer.text[:300]}")
            run.minute.asked.setdefault(name, []).append((time.perf_counter() - began) * 1000)
            if name == "total" and acknowledged:
                (row,) = answer.json()["data"]
                if not expected(acknowledged) <= row["value"] <= expected(acknowledged + 2 * BATCH):
                    sys.exit(f"the total is {row['value']} after {acknowledged} events")
        await asyncio.sleep(0.02)


def expected(events: int) -> int:
    """The sum of the first events' values."""
    whole, rest = divmod(events, 1000)
    return whole * 499_500 + rest * (rest - 1) // 2


async def watch(run: Run, pid: int) -> None:
    asked = "one customer p50 / p99 | all p50 / p99 (ms)"
    print(f"| minute | events | batch p50 / p99 | {asked} | MB resident / without files |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
    number = 0
    while time.monotonic() < run.until:
        number += 1
        await asyncio.sleep(min(60.0, max(0.1, run.until - time.monotonic())))
        past, run.minute = run.minute, Minute()
        past.memory_mb = own_memory_mb(pid)
        run.past.append(past)
        cells = [percentiles(past.sent)]
        cells += [percentiles(past.asked.get(name, [])) for name in ("one customer", "all")]
        cells.append(f"{memory_mb(pid):,.0f} / {past.memory_mb:,.0f}")
        print(f"| {number} | {run.stored:,} | {' | '.join(cells)} |", flush=True)


def trend(past: list[Minute]) -> str:
    """Medians of the first third of some minutes, and of the last."""
    third = max(1, len(past) // 3)
    parts = past[:third], past[-third:]
    batches = [median([ms for minute in part for ms in minute.sent]) for part in parts]
    told = [f"batches {batches[0]:.1f} and {batches[1]:.1f} ms"]
    for name in past[0].asked:
        first, last = (median([ms for minute in part for ms in minute.asked.get(name, [])]) for part in parts)
        told.append(f"{name} {first:.1f} and {last:.1f}")
    memory = [median([minute.memory_mb for minute in part]) for part in parts]
    told.append(f"own memory {memory[0]:,.0f} and {memory[1]:,.0f} MB")
    return f"first and last third of {len(past)} minutes: {'; '.join(told)}"


def percentiles(took: list[float]) -> str:
    took = sorted(took)
    return f"{took[len(took) // 2]:.0f} / {took[int(len(took) * 0.99)]:.0f}" if took else "–"


async def soak(address: tuple[str, int], pid: int, minutes: float, warm_up: int, rate: float) -> None:
    base = f"http://{address[0]}:{address[1]}"
    async with httpx.AsyncClient(base_url=base, headers=HEADERS, timeout=60) as client:
        meter = {"slug": METER, "eventType": METER, "aggregation": "SUM", "valueProperty": "$.tokens"}
        meter |= {"groupBy": {"model": "$.model"}}  # type: ignore[dict-item]
        (await client.post("/api/v1/meters", json=meter)).raise_for_status()
        run = Run(client, time.monotonic() + (warm_up + minutes) * 60, rate)
        await asyncio.gather(send(run), ask(run), watch(run, pid))
        (row,) = (await client.get(f"/api/v1/meters/{METER}/query")).json()["data"]
        if row["value"] != expected(run.stored):
            sys.exit(f"the total is {row['value']}, not {expected(run.stored)}")
        print(f"{run.stored:,} events sent, each counted once")
        print(f"after {warm_up} minutes of warm-up, {trend(run.past[warm_up:])}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="half a minute")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--warm-up", type=int, default=3, help="minutes before those that are compared")
    parser.add_argument("--rate", type=float, default=5_000.0, help="events per second")
    options = parser.parse_args(arguments)
    print(machine())
    with serving_meterhouse() as (address, pid):
        minutes, warm_up = (0.5, 0) if options.quick else (options.minutes, options.warm_up)
        asyncio.run(soak(address, pid, minutes, warm_up, options.rate))


if __name__ == "__main__":
    main()
