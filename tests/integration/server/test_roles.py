"""API and worker apart, and the API twice, on engines given by address: the way to run on servers."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from tests.integration.eventstore.http_engine import PASSWORD, USER, serve_engine
from tests.pages import shop_page
from tests.server import API_KEY, ServeProcess
from tests.site import Site

HEADERS = {"Authorization": f"Bearer {API_KEY}"}
TIMEOUT_S = 60


@dataclass(frozen=True)
class Cluster:
    """Two API processes and a worker, with the settings they share."""

    first: httpx.Client
    second: httpx.Client
    environment: dict[str, str]


@pytest.fixture(scope="module")
def cluster(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("roles")
    with contextlib.ExitStack() as stack:
        address, _ = stack.enter_context(serve_engine(folder / "events"))
        environment = {
            "METERHOUSE_DATABASE_URL": postgres_url,
            "METERHOUSE_EVENTS_URL": f"clickhouse://{USER}:{quote(PASSWORD, safe='')}@{address}/default",
            "METERHOUSE_TEST_CLOCK": "0",
            "METERHOUSE_FETCH_ALLOW": "127.0.0.0/8",
        }
        clients = []
        for name in ("first", "second"):
            process = ServeProcess(folder / name, environment=environment)
            stack.callback(process.close)
            process.start()
            client = httpx.Client(base_url=process.base_url, headers=HEADERS, timeout=30, trust_env=False)
            clients.append(stack.enter_context(client))
        stack.enter_context(working(environment, folder / "worker.log"))
        yield Cluster(*clients, environment)


@contextlib.contextmanager
def working(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        command = [sys.executable, "-m", "meterhouse", "worker"]
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(40) == 0, log.read_text()


def cloud_event(number: int) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": str(number),
        "source": "roles",
        "type": "roles.request",
        "subject": "someone",
        "data": {"n": number},
    }


def test_an_event_sent_to_both_counts_once_and_is_seen_by_both(cluster: Cluster) -> None:
    meter = {"slug": "roles_sum", "eventType": "roles.request", "aggregation": "SUM", "valueProperty": "$.n"}
    assert cluster.first.post("/api/v1/meters", json=meter).status_code == 201
    for _ in range(2):
        for client in (cluster.first, cluster.second):
            batch = [cloud_event(number) for number in range(1, 51)]
            assert client.post("/api/v1/events", json=batch).status_code == 204
    for client in (cluster.first, cluster.second):
        rows = client.get("/api/v1/meters/roles_sum/query").json()["data"]
        assert [row["value"] for row in rows] == [1275]


def test_a_job_made_by_one_is_run_by_the_worker_and_read_through_the_other(cluster: Cluster) -> None:
    site = Site()
    site.pages["/phones"] = shop_page(199, 249, 299)
    try:
        ask = {"url": site.url("/phones"), "description": "phone titles and prices", "name": "Phones"}
        made = cluster.first.post("/api/strategies/generate", json=ask)
        assert made.status_code == 200, made.text
        job = {"strategy_id": made.json()["strategy_id"], "url": site.url("/phones")}
        job_id = cluster.first.post("/api/jobs", json=job).json()["job_id"]
        deadline = time.monotonic() + TIMEOUT_S
        while (done := cluster.second.get(f"/api/jobs/{job_id}").json())["status"] != "completed":
            assert done["status"] in ("pending", "running"), done
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert done["item_count"] == 3
    finally:
        site.close()


def test_a_revoked_key_fails_in_both_at_once(cluster: Cluster) -> None:
    made = meterhouse(cluster, "keys", "create", "--name", "roles", "--json")
    key = json.loads(made)
    headers = {"Authorization": f"Bearer {key['key']}"}
    for client in (cluster.first, cluster.second):
        assert client.get("/api/v1/meters", headers=headers).status_code == 200
    meterhouse(cluster, "keys", "revoke", key["id"])
    time.sleep(0.3)
    for client in (cluster.first, cluster.second):
        assert client.get("/api/v1/meters", headers=headers).status_code == 401


def meterhouse(cluster: Cluster, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "meterhouse", *arguments],
        env={**os.environ, **cluster.environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return done.stdout


def test_two_servers_never_give_the_last_credit_twice(cluster: Cluster) -> None:
    """Twelve ask at once, half of them each server, for the five credits that there are."""
    entitle(cluster.first)
    path = "/api/v2/customers/spender/entitlements/roles_credit"

    def consume(number: int) -> dict[str, Any]:
        client = (cluster.first, cluster.second)[number % 2]
        asked = {"amount": 1, "idempotencyKey": f"order-{number}"}
        answer = client.post(f"{path}/consume", json=asked)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(consume, range(12)))
    assert sum(answer["allowed"] for answer in answers) == 5
    assert min(answer["value"]["balance"] for answer in answers) == 0
    for client in (cluster.first, cluster.second):
        check = {"checks": [{"customer": "spender", "feature": "roles_credit"}]}
        found = client.post("/api/v2/entitlements/check", json=check).json()["items"][0]["value"]
        assert (found["hasAccess"], found["usage"]) == (False, 5)


def entitle(client: httpx.Client) -> None:
    """A customer `spender` with five credits of a feature that counts."""
    grant = {"amount": 5, "effectiveAt": datetime.now(UTC).isoformat()}
    for path, body in (
        ("/api/v1/meters", {"slug": "roles_credit", "eventType": "roles.credit", "aggregation": "COUNT"}),
        ("/api/v1/customers", {"key": "spender", "name": "Spender"}),
        ("/api/v1/features", {"key": "roles_credit", "name": "Credit", "meterSlug": "roles_credit"}),
        (
            "/api/v2/customers/spender/entitlements",
            {"type": "metered", "featureKey": "roles_credit", "usagePeriod": {"interval": "MONTH"}},
        ),
        ("/api/v2/customers/spender/entitlements/roles_credit/grants", grant),
    ):
        made = client.post(path, json=body)
        assert made.status_code == 201, made.text
