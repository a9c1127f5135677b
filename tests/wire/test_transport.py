"""What only shows on a real connection: bounds, early ends, reuse."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from tests.server import ServerProcess

MEBIBYTE = 1024 * 1024


@pytest.fixture
def direct(server: ServerProcess) -> Iterator[httpx.Client]:
    """A client without a recorder in between."""
    headers = {"authorization": f"Bearer {server.api_key}"}
    with httpx.Client(base_url=server.base_url, headers=headers, timeout=60) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "size"),
    [("/api/jobs", 33 * MEBIBYTE), ("/api/v1/meters", 33 * MEBIBYTE), ("/v1/meters/", 10_485_761)],
)
def test_a_body_too_large_is_answered_not_cut_off(direct: httpx.Client, path: str, size: int) -> None:
    for _ in range(2):
        answer = direct.post(path, content=b"x" * size)
        assert answer.status_code == 413, answer.text
    assert direct.get("/api/nonsense").status_code == 404, "the server goes on"


def test_a_body_that_is_announced_is_refused_before_it_is_sent(server: ServerProcess) -> None:
    head = "POST /api/v1/meters HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n"
    request = head + "Expect: 100-continue\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(request.encode())
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_leaves_halfway_harms_nobody(server: ServerProcess, direct: httpx.Client) -> None:
    head = f"POST /api/v1/meters HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.api_key}\r\n"
    for rest in ("Content-Length: 1000\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{", "", "\r\n"):
        with connect(server) as connection:
            connection.sendall((head + rest).encode())
    assert direct.get("/api/nonsense").status_code == 404


GARBAGE = [b"\x16\x03\x01\x00", b"GET\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"\x00" * 70_000]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_no_http_is_refused(server: ServerProcess, direct: httpx.Client, garbage: bytes) -> None:
    with connect(server) as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65536)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert direct.get("/api/nonsense").status_code == 404


def test_head_has_the_length_and_no_body(direct: httpx.Client) -> None:
    answer = direct.head("/api/swagger.json")
    assert answer.status_code == 200
    assert int(answer.headers["content-length"]) > 100_000
    assert direct.get("/api/nonsense").status_code == 404, "the connection is still in step"


def connect(server: ServerProcess) -> socket.socket:
    address = urlsplit(server.base_url)
    assert address.hostname is not None
    assert address.port is not None
    return socket.create_connection((address.hostname, address.port), timeout=10)
