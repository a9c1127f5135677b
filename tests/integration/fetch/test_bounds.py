"""Servers that misbehave: bounded in time, size and memory, and reported for what they did."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import time
import tracemalloc

import pytest
from tests.integration.fetch.servers import Handler, Seen, answer, message, raw, serve

from meterhouse.platform.fetch import AddressPolicy, GuardedFetcher
from meterhouse.platform.ports import FetchFailed, FetchLimits

POLICY = AddressPolicy.parse("127.0.0.1")
MEGABYTE = 1_000_000


async def failure_of(handler: Handler, limits: FetchLimits | None = None) -> FetchFailed:
    async with serve(handler) as server, GuardedFetcher(POLICY) as fetcher:
        with pytest.raises(FetchFailed) as caught:
            await fetcher.fetch(server.url("/x"), limits=limits)
        assert caught.value.details["url"] == server.url("/x")
        assert server.url("/x") in caught.value.message
    return caught.value


@pytest.mark.parametrize("layers", [1, 2])
async def test_a_gzip_bomb_does_not_inflate(layers: int) -> None:
    bomb = gzip.compress(bytes(300 * MEGABYTE), 9)
    encoding = "gzip" if layers == 1 else "gzip, gzip"
    if layers == 2:
        bomb = gzip.compress(bomb, 9)
    async with (
        serve(answer(bomb, headers={"Content-Encoding": encoding})) as server,
        GuardedFetcher(POLICY) as fetcher,
    ):
        tracemalloc.start()
        try:
            with pytest.raises(FetchFailed) as caught:
                await fetcher.fetch(server.url(), limits=FetchLimits(body_bytes_max=MEGABYTE))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert caught.value.reason == "too_large"
    assert peak < 4 * MEGABYTE


async def test_the_body_bound_is_exact() -> None:
    limits = FetchLimits(body_bytes_max=1000)
    async with serve(answer(bytes(1000))) as server, GuardedFetcher(POLICY) as fetcher:
        assert len((await fetcher.fetch(server.url(), limits=limits)).body) == 1000
    assert (await failure_of(answer(bytes(1001)), limits)).reason == "too_large"


async def test_a_body_that_announces_too_much_is_not_read() -> None:
    failure = await failure_of(raw(message("200 OK", {"Content-Length": "9" * 18}) + b"x"))
    assert failure.reason == "too_large"


async def test_an_endless_body_is_cut_off() -> None:
    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(message("200 OK", {"Transfer-Encoding": "chunked"}))
        while True:
            writer.write(b"2710\r\n" + bytes(10_000) + b"\r\n")
            await writer.drain()

    assert (await failure_of(handle, FetchLimits(body_bytes_max=MEGABYTE))).reason == "too_large"


async def test_endless_padding_after_compressed_data_is_cut_off() -> None:
    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(message("200 OK", {"Content-Encoding": "gzip"}) + gzip.compress(b"small"))
        while True:
            writer.write(bytes(10_000))
            await writer.drain()

    assert (await failure_of(handle, FetchLimits(body_bytes_max=MEGABYTE))).reason == "too_large"


async def test_a_fresh_connection_that_ends_is_not_tried_again() -> None:
    async with serve(raw(b"")) as server, GuardedFetcher(POLICY) as fetcher:
        with pytest.raises(FetchFailed):
            await fetcher.fetch(server.url())
        assert server.connections == 1


async def test_a_dripping_body_meets_the_total_time_limit() -> None:
    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(message("200 OK", {"Content-Length": "1000"}))
        while True:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.02)

    started = time.monotonic()
    failure = await failure_of(handle, FetchLimits(total_timeout_s=0.3))
    assert (failure.reason, failure.retryable) == ("timeout", True)
    assert time.monotonic() - started < 2


async def test_a_silent_server_meets_the_total_time_limit() -> None:
    async def handle(_request: Seen, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    assert (await failure_of(handle, FetchLimits(total_timeout_s=0.2))).reason == "timeout"


async def test_time_spent_on_redirects_counts() -> None:
    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(message("302 Found", {"Location": "/x", "Content-Length": "0"}))

    limits = FetchLimits(total_timeout_s=0.35, redirects_max=100)
    assert (await failure_of(handle, limits)).reason == "timeout"


async def test_a_fetch_that_timed_out_gives_its_connection_back() -> None:
    async def handle(request: Seen, writer: asyncio.StreamWriter) -> None:
        if request.path == "/slow":
            await asyncio.sleep(60)
        writer.write(message("200 OK", {"Content-Length": "0"}))

    async with serve(handle) as server, GuardedFetcher(POLICY, connections_max=1) as fetcher:
        for _ in range(3):
            with pytest.raises(FetchFailed):
                await fetcher.fetch(server.url("/slow"), limits=FetchLimits(total_timeout_s=0.1))
        assert (await fetcher.fetch(server.url("/fast"))).status == 200


async def test_waiting_for_a_free_connection_counts() -> None:
    async def handle(_request: Seen, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serve(handle) as server, GuardedFetcher(POLICY, connections_max=1) as fetcher:
        limits = FetchLimits(total_timeout_s=0.2)
        results = await asyncio.gather(
            *(fetcher.fetch(server.url(), limits=limits) for _ in range(3)), return_exceptions=True
        )
    assert [getattr(result, "reason", None) for result in results] == ["timeout"] * 3


async def test_cancelling_the_caller_is_not_a_failed_fetch() -> None:
    async def handle(_request: Seen, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serve(handle) as server, GuardedFetcher(POLICY) as fetcher:
        task = asyncio.create_task(fetcher.fetch(server.url()))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    "headers",
    [
        "X-Long: " + "x" * 80_000,
        "X-Longer: " + "x" * 500_000,
        "\r\n".join(f"X-{n}: 1" for n in range(300)),
    ],
    ids=["large", "huge", "many"],
)
async def test_large_headers_are_refused(headers: str) -> None:
    data = f"HTTP/1.1 200 OK\r\n{headers}\r\nContent-Length: 0\r\n\r\n".encode()
    assert (await failure_of(raw(data))).reason == "too_large"


async def test_endless_headers_are_refused() -> None:
    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            writer.write(b"x" * 10_000)
            await writer.drain()

    assert (await failure_of(handle)).reason == "too_large"


def reset(after: bytes) -> Handler:
    """Send some bytes, then end the connection the hard way."""

    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        await writer.drain()
        await asyncio.sleep(0.05)
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return handle


@pytest.mark.parametrize(
    "handler",
    [
        reset(b""),
        reset(message("200 OK", {"Content-Length": "100"}) + b"half"),
        raw(b""),
        raw(message("200 OK", {"Content-Length": "100"}) + b"half"),
        raw(message("200 OK", {"Transfer-Encoding": "chunked"}) + b"a\r\n0123456789\r\n"),
        raw(message("200 OK", {"Transfer-Encoding": "chunked"}) + b"a\r\n01234"),
        raw(message("200 OK", {"Transfer-Encoding": "chunked"}) + b"zz\r\n01234"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
        raw(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
        raw(message("200 OK", {"Content-Length": "-5"})),
    ],
    ids=[
        "reset", "reset-in-body", "nothing", "short", "chunks-cut", "chunk-cut", "bad-chunk", "head-cut",
        "not-http", "bad-length",
    ],
)  # fmt: skip
async def test_a_broken_answer_is_never_an_answer(handler: Handler) -> None:
    failure = await failure_of(handler)
    assert failure.reason in ("connect", "protocol")
    assert failure.retryable


async def test_a_body_without_length_ends_with_the_connection() -> None:
    handler = raw(message("200 OK", {}) + b"all of it")
    async with serve(handler) as server, GuardedFetcher(POLICY) as fetcher:
        assert (await fetcher.fetch(server.url())).body == b"all of it"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"text" * 1000)[:-9]),
        ("gzip", b"this is plain text"),
        ("deflate", b"\x78\x9c" + b"\xff" * 10),
        ("br", b"text"),
        ("gzip, gzip, gzip, gzip", b"text"),
    ],
    ids=["cut", "plain", "damaged", "unasked", "deep"],
)
async def test_bodies_that_cannot_be_decoded(encoding: str, body: bytes) -> None:
    assert (await failure_of(answer(body, headers={"Content-Encoding": encoding}))).reason == "decode"


async def test_an_interim_answer_is_passed_over() -> None:
    handler = raw(message("103 Early Hints", {"Link": "</x>"}) + message("200 OK", {"Content-Length": "0"}))
    async with serve(handler) as server, GuardedFetcher(POLICY) as fetcher:
        assert (await fetcher.fetch(server.url())).status == 200


async def test_endless_interim_answers_meet_the_total_time_limit() -> None:
    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(message("100 Continue", {}) * 100)
            await writer.drain()

    assert (await failure_of(handle, FetchLimits(total_timeout_s=0.3))).reason == "timeout"


async def test_an_unasked_protocol_switch_is_refused() -> None:
    data = message("101 Switching Protocols", {"Upgrade": "x", "Connection": "Upgrade"})
    assert (await failure_of(raw(data))).reason == "protocol"


@pytest.mark.parametrize("headers", [{"X-A": "1\r\nX-B: 2"}, {"X A": "1"}, {"X-Ü": "1"}])
async def test_headers_that_would_split_the_request_are_refused(headers: dict[str, str]) -> None:
    async with serve(answer()) as server, GuardedFetcher(POLICY) as fetcher:
        with pytest.raises(FetchFailed) as caught:
            await fetcher.fetch(server.url(), headers=headers)
    assert caught.value.reason == "protocol"
    assert server.seen == []
