"""How fast balances are told: one at a time while events pour in, of a whole customer, and many at once.

    python -m bench.entitlements [--quick]

One customer has 20 grants and a million events (quick: 100,000) behind it. Client and server share the
machine, so the clients' own share of it is part of every number.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
from bench.ingest import KEY, cpu_seconds, machine, serving_meterhouse
from bench.load_client import MARK
from bench.paced_client import NOW, Pace, Timing

from meterhouse.entitlements.engine import Rules, run
from meterhouse.entitlements.engine.timeline import plan_rules
from meterhouse.entitlements.model import Entitlement, EntitlementType, Grant
from meterhouse.kernel.periods import Cadence, Interval
from meterhouse.usage.model import Aggregation

TYPE = "bench.tokens"
WHALE = "whale"
SHOALS = 100
GRANTS = 20
EVENTS_PER_REQUEST = 100
CHECKS_PER_S, EVENTS_PER_S = 300, 10_000
BATCH = 1_000


@dataclass(frozen=True)
class Size:
    """How many events lie behind the customer, and for how many seconds it is asked about."""

    events: int
    seconds: float
    repeats: int


FULL = Size(events=1_000_000, seconds=30, repeats=30)
QUICK = Size(events=100_000, seconds=6, repeats=8)


@dataclass(frozen=True)
class Row:
    """One line of the table; the bar is what the figure must stay under."""

    what: str
    figure_ms: float
    bar_ms: float
    note: str = ""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.entitlements", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    size = QUICK if parser.parse_args(arguments).quick else FULL
    rows = [measure_engine(size)]
    with serving_meterhouse() as (address, pid):
        bench = Bench(address, size, pid)
        bench.prepare()
        rows += bench.measure()
    print(f"Entitlements, {size.events:,} events and {GRANTS} grants behind one customer. {machine()}")
    print(table(rows))


def measure_engine(size: Size) -> Row:
    """Five years of daily resets and recurrences, half a day apart, from the beginning."""
    start = datetime(2022, 1, 1, tzinfo=UTC)
    noon = start + timedelta(hours=12)
    entitlement = Entitlement(
        id=UUID(int=1),
        organisation_id=UUID(int=2),
        customer_id=UUID(int=3),
        feature_id=UUID(int=4),
        feature_key="tokens",
        type=EntitlementType.METERED,
        created_at=start,
        active_from=start,
        usage_period=Cadence(Interval.parse("DAY"), start),
        measure_usage_from=start,
    )
    grant = Grant(
        id=UUID(int=5),
        entitlement_id=entitlement.id,
        amount=Decimal(1000),
        effective_at=start,
        created_at=start,
        recurrence=Cadence(Interval.parse("DAY"), noon),
        max_rollover=Decimal(1000),
    )
    end = start + timedelta(days=5 * 365)

    def once() -> None:
        planned = plan_rules(Rules(entitlement, Aggregation.SUM, (grant,)), end)
        assert len(planned.ranges) == 2 * 5 * 365
        outcome = run(planned, [Decimal(7)] * len(planned.ranges))
        assert outcome.balance.balance == 993

    figure = median_ms(once, size.repeats)
    return Row("5 years of daily resets and recurrences, no snapshot (engine)", figure, 50)


def median_ms(call: Callable[[], object], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


class Bench:
    """A server with one customer of 100 features, and the load on it."""

    def __init__(self, address: tuple[str, int], size: Size, pid: int) -> None:
        self._address = address
        self._pid = pid
        self._size = size
        self._http = httpx.Client(
            base_url=f"http://{address[0]}:{address[1]}",
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=120,
            trust_env=False,
        )

    def prepare(self) -> None:
        """One customer with a million events and 20 grants, and 99 features beside that one."""
        meter = {"slug": "tokens", "eventType": TYPE, "aggregation": "SUM", "valueProperty": "$.tokens"}
        self._post("/api/v1/meters", {**meter, "groupBy": {"model": "$.model"}})
        self._post("/api/v1/customers", {"key": WHALE, "name": WHALE})
        for number in range(SHOALS):
            filters = {"model": f"model-{number}"} if number else {}
            feature = {"key": f"feature_{number}", "name": "Feature", "meterSlug": "tokens"}
            self._post("/api/v1/features", {**feature, "meterGroupByFilters": filters})
            entitlement = {
                "type": "metered",
                "featureKey": f"feature_{number}",
                "usagePeriod": {"interval": "YEAR"},
                "measureUsageFrom": "CURRENT_PERIOD_START",
            }
            self._post(f"/api/v2/customers/{WHALE}/entitlements", entitlement)
        self._grant()
        self._send_events()

    def _grant(self) -> None:
        for number in range(GRANTS):
            grant = {
                "amount": 10**9 + number,
                "effectiveAt": datetime.now(UTC).isoformat(),
                "priority": 1 + number % 5,
                "expiration": {"duration": "YEAR", "count": 1 + number % 3},
            }
            if number % 2:
                grant["recurrence"] = {"interval": "MONTH"}
            self._post(f"/api/v2/customers/{WHALE}/entitlements/feature_0/grants", grant)

    def _send_events(self) -> None:
        body, batch = events_body(1_000, WHALE), 1_000
        pace = Pace(*self._address, "POST", "/api/v1/events", KEY, 10**6, 1, body)
        for first in range(0, self._size.events // batch, 200):
            count = min(200, self._size.events // batch - first)
            at_once = Pace(**{**asdict(pace), "seconds": count / 10**6, "first_number": first})
            checked(run_paced(at_once))

    def measure(self) -> list[Row]:
        first = self._timed("GET", f"/api/v2/customers/{WHALE}/entitlements/feature_0/value", 1)
        began = cpu_seconds(self._pid)
        alone = checked(run_paced(self._checks()))
        cost = (cpu_seconds(self._pid) - began) * 1000 / alone.requests
        beside = self._beside_ingest()
        access = self._timed("GET", f"/api/v1/customers/{WHALE}/access", self._size.repeats)
        checks = {"checks": [{"customer": WHALE, "feature": f"feature_{n % SHOALS}"} for n in range(BATCH)]}
        batch = self._timed("POST", "/api/v2/entitlements/check", self._size.repeats, checks)
        loaded = f"at {CHECKS_PER_S}/s beside {EVENTS_PER_S:,} events/s"
        return [
            Row("value check, the first one of all", first[0], float("inf")),
            Row(
                f"value check at {CHECKS_PER_S}/s, median",
                alone.latencies_ms["p50"],
                4,
                f"{cost:.2f} ms of CPU each",
            ),
            Row(f"value check {loaded}, median", beside.latencies_ms["p50"], 4, note(beside)),
            Row(f"value check {loaded}, 99th percentile", beside.latencies_ms["p99"], 20),
            Row(f"access to {SHOALS} features, median", statistics.median(access[1:]), 30, worst(access)),
            Row(f"{BATCH:,} checks in one request, median", statistics.median(batch[1:]), 200, worst(batch)),
        ]

    def _checks(self) -> Pace:
        path = f"/api/v2/customers/{WHALE}/entitlements/feature_0/value"
        return Pace(*self._address, "GET", path, KEY, CHECKS_PER_S, self._size.seconds)

    def _beside_ingest(self) -> Timing:
        """A tenth of what pours in is the customer's own."""
        ingest = Pace(
            *self._address,
            "POST",
            "/api/v1/events",
            KEY,
            EVENTS_PER_S / EVENTS_PER_REQUEST,
            self._size.seconds + 4,
            events_body(EVENTS_PER_REQUEST, None),
            first_number=10**9,
        )
        pouring = start_paced(ingest)
        time.sleep(2)
        timing = checked(run_paced(self._checks()))
        checked(finished(pouring))
        return timing

    def _timed(self, method: str, path: str, repeats: int, body: Any = None) -> list[float]:
        taken = []
        for _ in range(repeats + 1 if repeats > 1 else 1):
            began = time.perf_counter()
            answer = self._http.request(method, path, json=body)
            taken.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
        return taken

    def _post(self, path: str, body: dict[str, object]) -> None:
        answer = self._http.post(path, json=body)
        if answer.status_code >= 300:
            sys.exit(f"{path}: {answer.status_code} {answer.text}")


def events_body(count: int, subject: str | None) -> str:
    """A batch of events of now, all of one customer, or of a thousand with every tenth the whale's."""
    return json.dumps(
        [
            {
                "id": f"{MARK.decode()}-{index:04d}",
                "source": "bench",
                "specversion": "1.0",
                "type": TYPE,
                "subject": subject or (WHALE if index % 10 == 0 else f"minnow-{index * 7919 % 1000}"),
                "time": NOW,
                "data": {"tokens": 1 + index % 9, "model": f"model-{index % 7}", "path": "/v1/chat"},
            }
            for index in range(count)
        ]
    )


def start_paced(pace: Pace) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "bench.paced_client"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(pace)).encode())
    process.stdin.close()
    process.stdin = None
    return process


def finished(process: subprocess.Popen[bytes]) -> Timing:
    output, _ = process.communicate(timeout=600)
    return Timing(**json.loads(output))


def run_paced(pace: Pace) -> Timing:
    return finished(start_paced(pace))


def checked(timing: Timing) -> Timing:
    if timing.failures or not timing.requests:
        sys.exit(f"{timing.failures} requests failed; the first: {timing.first_failure}")
    return timing


def note(timing: Timing) -> str:
    found = timing.latencies_ms
    return f"{timing.requests:,} checks, p90 {found['p90']} ms, max {found['max']} ms"


def worst(taken: list[float]) -> str:
    return f"the first {taken[0]:.0f} ms, then at most {max(taken[1:]):.1f} ms"


def table(rows: list[Row]) -> str:
    lines = ["| what | ms | bar | |", "|---|---:|---:|---|"]
    for row in rows:
        bar = "" if row.bar_ms == float("inf") else f"< {row.bar_ms:g}"
        lines.append(f"| {row.what} | {row.figure_ms:.2f} | {bar} | {row.note} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
