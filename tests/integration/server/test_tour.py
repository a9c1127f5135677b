"""The newcomer's walk: what `make run` shows, the first time and the second."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
import pytest
from tests.server import ServerProcess
from tests.site import Site

END = "API key"
TIMEOUT_S = 60


def walked(server: ServerProcess, walks: int) -> str:
    """What the server has printed once it has walked so many times."""
    deadline = time.monotonic() + TIMEOUT_S
    while server.output.count(END) < walks:
        assert time.monotonic() < deadline, server.output
        time.sleep(0.05)
    return server.output


def printed_key(output: str) -> str:
    return re.findall(r"API key\s+(sk_live_\S+)", output)[-1]


def test_the_bundled_shop_becomes_items_and_a_counted_event_and_is_found_again(tmp_path: Path):
    environment = {"METERHOUSE_API_KEY": "", "METERHOUSE_FETCH_ALLOW": ""}
    server = ServerProcess(tmp_path / "data", "--tour", environment=environment)
    try:
        output = walked(server.start(), 1)
        assert "1. Strategy" in output
        assert "12 items" in output
        assert re.search(r"€\d+\.\d\d", output)
        assert "meterhouse.job" in output
        assert "12 in all" in output
        assert f"{server.base_url}/docs" in output
        assert "That did not work" not in output
        headers = {"Authorization": f"Bearer {printed_key(output)}"}
        url = f"{server.base_url}/api/strategies"
        assert len(httpx.get(url, headers=headers, trust_env=False).json()) == 1
        assert server.stop() == 0

        server.start()
        again = walked(server, 2)[len(output) :]
        assert "found the one made earlier" in again
        assert "since the run at" in again
        assert "24 in all" in again
        headers = {"Authorization": f"Bearer {printed_key(again)}"}
        assert len(httpx.get(url, headers=headers, trust_env=False).json()) == 1
    finally:
        server.close()


def test_any_address_will_do(tmp_path: Path):
    site = Site()
    site.pages["/posts"] = "<html><body><main><ul>{}</ul></main></body></html>".format(
        "".join(
            f'<li class="post"><a href="/p/{n}">Story number {n} of the day</a>'
            f' <span class="score">{n * 7} points</span></li>'
            for n in range(1, 9)
        )
    )
    arguments = ("--tour", "--tour-url", site.url("/posts"), "--tour-ask", "post titles and scores")
    server = ServerProcess(tmp_path / "data", *arguments)
    try:
        output = walked(server.start(), 1)
        assert "8 items" in output
        assert "Story number 3 of the day" in output
        assert "METERHOUSE_API_KEY, as you set it" in output
    finally:
        server.close()
        site.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:9/nothing", "That did not work"),
        ("http://10.0.0.1/", "METERHOUSE_FETCH_ALLOW"),
        ("no address", "That did not work"),
    ],
)
def test_a_page_that_cannot_be_read_is_told_and_the_server_serves_on(tmp_path: Path, url: str, told: str):
    server = ServerProcess(tmp_path / "data", "--tour", "--tour-url", url, "--tour-ask", "anything")
    try:
        output = walked(server.start(), 1)
        assert told in output.replace("\n", " ")
        assert "Traceback" not in output
        assert httpx.get(f"{server.base_url}/readyz", trust_env=False).status_code == 200
    finally:
        server.close()
