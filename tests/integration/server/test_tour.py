"""The newcomer's walk: what `make run` shows, the first time and the second."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import cast

import httpx
import pytest
from tests.server import API_KEY, ServerProcess
from tests.site import Site

from meterhouse.app import Running
from meterhouse.cli.tour import walk
from meterhouse.settings import Settings

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


async def toured(server: ServerProcess, url: str, ask: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a walk prints on a server that runs already."""
    settings = Settings(api_key=API_KEY)
    await walk(settings, cast("Running", None), server.base_url, url=url, ask=ask)
    return capsys.readouterr().out


async def test_any_address_will_do(server: ServerProcess, capsys: pytest.CaptureFixture[str]):
    site = Site()
    site.pages["/posts"] = "<html><body><main><ul>{}</ul></main></body></html>".format(
        "".join(
            f'<li class="post"><a href="/p/{n}">Story number {n} of the day</a>'
            f' <span class="score">{n * 7} points</span></li>'
            for n in range(1, 9)
        )
    )
    try:
        output = await toured(server, site.url("/posts"), "post titles and scores", capsys)
        assert "8 items" in output
        assert "Story number 3 of the day" in output
        assert "METERHOUSE_API_KEY, as you set it" in output
    finally:
        site.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/nothing", "no address"])
async def test_a_page_that_cannot_be_read(
    server: ServerProcess, url: str, capsys: pytest.CaptureFixture[str]
):
    assert "That did not work" in (await toured(server, url, "anything", capsys)).replace("\n", " ")


def test_a_refused_page_is_told_and_the_server_serves_on(tmp_path: Path):
    arguments = ("--tour", "--tour-url", "http://10.0.0.1/", "--tour-ask", "anything")
    server = ServerProcess(tmp_path / "data", *arguments)
    try:
        output = walked(server.start(), 1)
        assert "METERHOUSE_FETCH_ALLOW" in output.replace("\n", " ")
        assert "Traceback" not in output
        assert httpx.get(f"{server.base_url}/readyz", trust_env=False).status_code == 200
    finally:
        server.close()
