"""Fixtures of the client's tests: transports in place of the network, and servers that misbehave."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.sdk.ours import sdk

Answer = Callable[[httpx.Request], httpx.Response]


class Wire:
    """A transport that records requests and answers from a list, then with `{}`."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[Any] = []
        self.transport = httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @property
    def body(self) -> Any:
        """The JSON of the last request."""
        return json.loads(self.requests[-1].content)

    @property
    def query(self) -> dict[str, str]:
        return dict(self.requests[-1].url.params)


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def client(wire: Wire) -> Iterator[Any]:
    with sdk.MeterClient("sk_live_x", "http://server.test", transport=wire.transport) as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[float]:
    """Retries do not wait in tests; the pauses they would make are recorded."""
    pauses: list[float] = []
    if "keeps_pauses" in request.keywords:
        return pauses
    sdk.MeterClient("k", "http://server.test").close()  # loads the transport

    async def pause(delay_s: float) -> None:
        pauses.append(delay_s)

    import importlib

    monkeypatch.setattr(importlib.import_module(f"{sdk.__name__}._sync.transport"), "sleep", pauses.append)
    importlib.import_module(f"{sdk.__name__}._async.client")
    monkeypatch.setattr(importlib.import_module(f"{sdk.__name__}._async.transport"), "sleep", pause)
    return pauses


class RawServer:
    """Answers every connection with the same bytes, whatever was asked; then closes, or stays silent."""

    def __init__(self, answer: bytes, *, stays: bool = False) -> None:
        self._answer = answer
        self._stays = stays
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            request = connection.makefile("rb")
            lines = list(iter(request.readline, b"\r\n"))
            length = next(
                (int(line.split(b":")[1]) for line in lines if line[:15].lower() == b"content-length:"), 0
            )
            request.read(length)
            connection.sendall(self._answer)
            if self._stays:
                self._open.append(connection)
            else:
                connection.shutdown(socket.SHUT_RDWR)
                connection.close()

    def close(self) -> None:
        self._socket.close()
        for connection in self._open:
            connection.close()


@pytest.fixture
def raw_server() -> Iterator[Callable[..., RawServer]]:
    servers: list[RawServer] = []

    def start(answer: bytes, *, stays: bool = False) -> RawServer:
        servers.append(RawServer(answer, stays=stays))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
