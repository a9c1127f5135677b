"""Releases of `polar-sdk` at work beside the tests: which there are, and processes that walk with them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
from tests.server import ServerProcess
from tests.wire.recorder import Recorder

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 240
AT_ONCE = 2
RELEASES = re.findall(r"(?m)^polar-sdk==(\S+)", (ROOT / "requirements" / "clients-polar.txt").read_text())

Outcome = subprocess.CompletedProcess[str]


class Walks:
    """The processes of this session. Ends those that wait when it is closed."""

    def __init__(self, recorder: Recorder, server: ServerProcess) -> None:
        self._recorder = recorder
        self._server = server
        self._threads = ThreadPoolExecutor(AT_ONCE, "polar-release")
        self._outcomes: dict[str, Future[Outcome]] = {}

    def start(self, releases: list[str]) -> None:
        urls = {release: self._recorder.url_for(f"polar-sdk {release}") for release in releases}
        for release, url in urls.items():
            self._outcomes[release] = self._threads.submit(self._walk, release, url)

    def outcome(self, release: str) -> Outcome:
        return self._outcomes[release].result(TIMEOUT_S)

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _walk(self, release: str, url: str) -> Outcome:
        folder = ROOT / ".clients" / f"polar-{release}"
        assert folder.exists(), f"polar-sdk {release} is missing: make install-dev"
        word = uuid4().hex[:12]
        path = f"{folder}{os.pathsep}{ROOT / '.clients' / 'shared'}"
        program = Path(__file__).with_name(f"polar_release_{release[0]}.py")
        return subprocess.run(
            [
                *(sys.executable, str(program), release, url, self._server.api_key),
                *(credited_customer(self._server, word), word),
            ],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )


def credited_customer(server: ServerProcess, external_id: str) -> str:
    """The id of a new customer who was credited 10 units on a meter of its own."""
    headers = {"authorization": f"Bearer {server.api_key}"}
    with httpx.Client(base_url=server.base_url, headers=headers, timeout=60) as client:
        customer = {"email": f"{external_id}@example.com", "external_id": external_id}
        customer_id = str(_made(client.post("/v1/customers/", json=customer))["id"])
        meter = {
            "name": f"Credited {external_id}",
            "filter": {
                "conjunction": "and",
                "clauses": [{"property": "name", "operator": "eq", "value": external_id}],
            },
            "aggregation": {"func": "count"},
        }
        meter_id = _made(client.post("/v1/meters/", json=meter))["id"]
        credit = {"customer_id": customer_id, "meter_id": meter_id, "units": 10}
        _made(client.post("/v1/customer-meters/credits", json=credit))
    return customer_id


def _made(answer: httpx.Response) -> dict[str, object]:
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made
