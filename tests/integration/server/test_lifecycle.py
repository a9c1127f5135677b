"""The server as a process: started twice, killed, stopped, given nonsense; each time one clear answer."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.server import API_KEY, ServerProcess, free_port

EVENT = {"specversion": "1.0", "id": "1", "source": "test", "type": "request", "subject": "customer"}
CLOUD_EVENT = {"Content-Type": "application/cloudevents+json"}


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data")
    yield server
    server.close()


def run_cli(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("METERHOUSE_")}
    return subprocess.run(
        [sys.executable, "-m", "meterhouse", *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_one_sentence(result: subprocess.CompletedProcess[str], pattern: str) -> None:
    assert result.returncode != 0
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert re.search(pattern, lines[0]), lines[0]


def send(server: ServerProcess, **fields: object) -> int:
    body = {**EVENT, **fields}
    answer = httpx.post(
        f"{server.base_url}/api/v1/events",
        content=json.dumps(body),
        headers={**server.headers, **CLOUD_EVENT},
        trust_env=False,
    )
    return answer.status_code


def stored(server: ServerProcess) -> list[str]:
    answer = httpx.get(f"{server.base_url}/api/v1/events", headers=server.headers, trust_env=False)
    answer.raise_for_status()
    return sorted(row["event"]["id"] for row in answer.json())


def move_clock(process: ServerProcess) -> str:
    """Move the test clock forward, try to move it otherwise, and say where it stands."""
    url = f"{process.base_url}/testing/clock"
    there = "2031-05-01T10:00:00Z"
    assert httpx.put(url, json={"now": there}, trust_env=False).json() == {"now": there}
    assert httpx.put(url, json={"now": there}, trust_env=False).status_code == 200
    back = httpx.put(url, json={"now": "2031-05-01T09:59:59Z"}, trust_env=False)
    assert back.status_code == 409
    assert "only moves forward" in back.json()["detail"]
    for body in ({}, {"now": "soon"}, {"now": "2032-01-01T00:00:00"}, [], {"now": there, "x": 1}):
        assert httpx.put(url, json=body, trust_env=False).status_code == 400
    return there


def test_kill_9_loses_nothing_acknowledged_and_the_clock_stays_where_it_was_put(process: ServerProcess):
    process.start()
    there = move_clock(process)
    for number in range(20):
        assert send(process, id=str(number)) == 204
    process.kill()
    process.start()
    assert stored(process) == sorted(str(number) for number in range(20))
    assert send(process, id="3") == 204
    assert len(stored(process)) == 20
    assert httpx.get(f"{process.base_url}/testing/clock", trust_env=False).json() == {"now": there}


def test_sigterm_drains_and_ends_with_success_and_the_given_key_is_not_printed(process: ServerProcess):
    process.start()
    assert send(process) == 204
    started_at = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - started_at < 20
    assert "Traceback" not in process.output
    assert API_KEY not in process.output
    assert not (process.data / "postgres" / "postmaster.pid").exists()


def test_a_second_server_on_the_folder_is_refused_and_the_first_goes_on(process: ServerProcess):
    process.start()
    second = run_cli("up", "--data", str(process.data), "--port", str(free_port()))
    assert_one_sentence(
        second, rf"Another Meterhouse \(process {process.pid}\) is running on the data folder"
    )
    assert second.returncode == 4
    assert send(process) == 204


def test_a_port_in_use_is_named(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = run_cli("up", "--data", str(tmp_path / "data"), "--port", port)
    assert_one_sentence(result, f"Port {port} on 127.0.0.1 is in use")
    assert not (tmp_path / "data" / "postgres").exists()


@pytest.mark.parametrize(
    ("environment", "pattern"),
    [
        ({"METERHOUSE_DATABASE_URL": "mysql://x"}, "must begin with postgresql://"),
        (
            {"METERHOUSE_DATABASE_URL": "postgresql://127.0.0.1:9/x?connect_timeout=2"},
            "PostgreSQL cannot be used",
        ),
        ({"METERHOUSE_FETCH_ALLOW": "10.0.0.0/99"}, "10.0.0.0/99"),
        ({"METERHOUSE_TEST_CLOCK": "maybe"}, "METERHOUSE_TEST_CLOCK"),
        ({"METERHOUSE_CONFIG": "/nowhere/at/all.toml"}, "all.toml"),
        ({"METERHOUSE_EVENTS_URL": "clickhouse://127.0.0.1:9/x"}, "ClickHouse server at 127.0.0.1:9"),
    ],
)
def test_settings_that_cannot_work_are_named(tmp_path: Path, environment: dict[str, str], pattern: str):
    result = run_cli("up", "--data", str(tmp_path / "data"), "--port", str(free_port()), **environment)
    assert_one_sentence(result, pattern)


def test_a_key_that_cannot_be_used_is_refused_before_anything_is_made(tmp_path: Path):
    result = run_cli(
        "up", "--data", str(tmp_path / "data"), "--port", str(free_port()), METERHOUSE_API_KEY="x"
    )
    assert_one_sentence(result, "METERHOUSE_API_KEY needs 16 to 200")
    assert not (tmp_path / "data").exists()


def test_an_unwritable_data_folder_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    result = run_cli("up", "--data", str(tmp_path / "file" / "data"), "--port", str(free_port()))
    assert_one_sentence(result, "cannot be written to")


def test_a_damaged_event_folder_is_refused(tmp_path: Path):
    server = ServerProcess(tmp_path / "data")
    server.start()
    assert send(server) == 204
    server.stop()
    for metadata in (tmp_path / "data" / "events").rglob("*.sql"):
        metadata.write_bytes(b"\x00garbage")
    result = run_cli("up", "--data", str(tmp_path / "data"), "--port", str(free_port()))
    assert_one_sentence(result, "event")
    server.close()


def test_roles_apart_need_servers(tmp_path: Path):
    result = run_cli("worker", METERHOUSE_DATA_DIR=str(tmp_path / "data"))
    assert_one_sentence(result, "METERHOUSE_DATABASE_URL and METERHOUSE_EVENTS_URL")


def test_a_killed_database_engine_gives_503_and_comes_back(process: ServerProcess):
    process.start()
    pid = int((process.data / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    statuses = set()
    deadline = time.monotonic() + 30
    with httpx.Client(
        base_url=process.base_url, headers=process.headers, trust_env=False, timeout=20
    ) as http:
        while time.monotonic() < deadline:
            answer = http.get("/api/strategies")
            statuses.add(answer.status_code)
            if answer.status_code == 200 and http.get("/readyz").status_code == 200:
                pids = (process.data / "postgres" / "postmaster.pid").read_text().split()
                if int(pids[0]) != pid:
                    break
            elif answer.status_code == 503:
                assert "detail" in answer.json()
            time.sleep(0.02)
    assert statuses <= {200, 503}
    assert http.is_closed
    assert httpx.get(f"{process.base_url}/readyz", trust_env=False).status_code == 200
    assert send(process) == 204


def test_keys_on_the_command_line_while_the_server_runs_and_while_it_does_not(process: ServerProcess):
    data = ("--data", str(process.data))
    made = json.loads(
        run_cli("keys", "create", "--name", "ci", "--scope", "meters:read", "--json", *data).stdout
    )
    assert made["key"].startswith("sk_live_")
    process.start()
    headers = {"Authorization": f"Bearer {made['key']}"}
    url = f"{process.base_url}/api/v1/meters"
    assert httpx.get(url, headers=headers, trust_env=False).status_code == 200
    assert httpx.post(url, headers=headers, json={}, trust_env=False).status_code == 403
    listed = json.loads(run_cli("keys", "list", "--json", *data).stdout)
    assert {key["name"] for key in listed} == {"ci", "first key"}
    assert all("key" not in key for key in listed)
    rotated = json.loads(run_cli("keys", "rotate", made["id"], "--json", *data).stdout)
    assert httpx.get(url, headers=headers, trust_env=False).status_code == 200
    run_cli("keys", "revoke", made["id"], *data)
    time.sleep(0.2)
    assert httpx.get(url, headers=headers, trust_env=False).status_code == 401
    headers = {"Authorization": f"Bearer {rotated['key']}"}
    assert httpx.get(url, headers=headers, trust_env=False).status_code == 200
    assert_one_sentence(run_cli("keys", "revoke", "sk_live_none", *data), "no API key")
    assert_one_sentence(run_cli("keys", "create", "--scope", "meters:fly", *data), "no scope meters:fly")
    assert process.stop() == 0
    assert "ci" in run_cli("keys", "list", *data).stdout


def test_a_generated_first_key_is_printed_once_and_the_test_clock_needs_its_switch(tmp_path: Path):
    environment = {"METERHOUSE_API_KEY": "", "METERHOUSE_TEST_CLOCK": "0"}
    server = ServerProcess(tmp_path / "data", environment=environment)
    server.start()
    clock = httpx.put(
        f"{server.base_url}/testing/clock", json={"now": "2031-01-01T00:00:00Z"}, trust_env=False
    )
    assert clock.status_code == 404
    first = re.findall(r"sk_live_\S+", server.output)
    server.stop()
    server.start()
    assert re.findall(r"sk_live_\S+", server.output) == first
    assert len(first) == 1
    answer = httpx.get(
        f"{server.base_url}/api/v1/meters", headers={"Authorization": f"Bearer {first[0]}"}, trust_env=False
    )
    assert answer.status_code == 200
    server.close()
