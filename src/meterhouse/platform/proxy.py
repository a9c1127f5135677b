"""A forward proxy on the loopback that gives a browser the guarded way out and no other.

It serves one page at a time and is thrown away with it. Whatever the page does (sub-requests, redirects,
web sockets) arrives here as `CONNECT` or as a plain HTTP request, and leaves through a back-end that checks
and pins addresses.
"""

from __future__ import annotations

import asyncio
from types import TracebackType

import httpcore

from meterhouse.platform.fetch.guard import Target, parse_target
from meterhouse.platform.ports import FetchFailed

HEAD_BYTES_MAX = 256 * 1024
HEAD_TIMEOUT_S = 20.0
CONNECT_TIMEOUT_S = 10.0
CHUNK_BYTES = 64 * 1024
CONNECTIONS_MAX = 128
REFUSALS_MAX = 200

_HOP_HEADERS = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te"})
_BROKEN = (httpcore.NetworkError, httpcore.TimeoutException, OSError, asyncio.IncompleteReadError)


class FilteringProxy:
    """Runs while it is entered. `refusals` says, by authority, what was refused or could not be reached."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, *, bytes_max: int) -> None:
        self.refusals: dict[str, FetchFailed] = {}
        self.received = 0
        self._backend = backend
        self._bytes_max = bytes_max
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def is_exhausted(self) -> bool:
        """True when the page received more than it may; nothing more comes through then."""
        return self.received > self._bytes_max

    async def __aenter__(self) -> FilteringProxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=HEAD_BYTES_MAX)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if len(self._tasks) <= CONNECTIONS_MAX and not self.is_exhausted:
                await self._serve(reader, writer)
        except (*_BROKEN, asyncio.CancelledError, TimeoutError):
            pass  # either end is gone; the other learns it by the close below
        except (ValueError, asyncio.LimitOverrunError):
            writer.write(_answer("400 Bad Request", "This request cannot be read."))
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(HEAD_TIMEOUT_S):
            head = await reader.readuntil(b"\r\n\r\n")
        first, _, fields = head.partition(b"\r\n")
        method, address, _ = first.split(b" ", 2)
        tunnel = method == b"CONNECT"
        text = address.decode("ascii")
        upstream = await self._open(f"https://{text}/" if tunnel else text, writer)
        if upstream is None:
            return
        stream, target = upstream
        try:
            if tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                await stream.write(_request_head(method, target, fields))
            await self._relay(reader, writer, stream, with_head=not tunnel)
        finally:
            await stream.aclose()

    async def _open(
        self, url: str, writer: asyncio.StreamWriter
    ) -> tuple[httpcore.AsyncNetworkStream, Target] | None:
        """Connect through the guard, or tell the browser why not."""
        try:
            target = parse_target(url)
            stream = await self._backend.connect_tcp(target.host, target.port, timeout=CONNECT_TIMEOUT_S)
        except FetchFailed as failure:
            authority = authority_of(url)
            if len(self.refusals) < REFUSALS_MAX:
                self.refusals[authority] = failure
            writer.write(_answer("403 Forbidden", failure.message))
            return None
        return stream, target

    async def _pass_answer_head(
        self, stream: httpcore.AsyncNetworkStream, writer: asyncio.StreamWriter
    ) -> None:
        """Pass on the head of an answer, with word that the connection ends with it.

        A browser would otherwise send its next request, perhaps for another host, down the same way.
        """
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = await stream.read(CHUNK_BYTES, timeout=None)
            if not chunk or len(received) > HEAD_BYTES_MAX:
                raise ValueError("an answer without a head")
            received += chunk
        self.received += len(received)
        head, _, rest = received.partition(b"\r\n\r\n")
        first, _, fields = head.partition(b"\r\n")
        writer.write(b"\r\n".join([first, *_kept(fields), b"Connection: close", b"", b""]) + rest)

    async def _relay(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        stream: httpcore.AsyncNetworkStream,
        *,
        with_head: bool,
    ) -> None:
        """Carry bytes both ways until one side ends or the page has had enough."""

        async def upwards() -> None:
            while chunk := await reader.read(CHUNK_BYTES):
                await stream.write(chunk)

        async def downwards() -> None:
            if with_head:
                await self._pass_answer_head(stream, writer)
            while chunk := await stream.read(CHUNK_BYTES, timeout=None):
                self.received += len(chunk)
                if self.is_exhausted:
                    return
                writer.write(chunk)
                await writer.drain()

        ways = [asyncio.ensure_future(upwards()), asyncio.ensure_future(downwards())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)


def authority_of(url: str) -> str:
    """Host and port of an address as both ends of the proxy write them; empty when it cannot be read."""
    try:
        target = parse_target(url)
    except FetchFailed:
        return ""
    return f"{target.host}:{target.port}"


def _request_head(method: bytes, target: Target, fields: bytes) -> bytes:
    first = b" ".join([method, target.path_and_query, b"HTTP/1.1"])
    return b"\r\n".join([first, *_kept(fields), b"Connection: close", b"", b""])


def _kept(fields: bytes) -> list[bytes]:
    lines = [line for line in fields.split(b"\r\n") if line]
    return [line for line in lines if line.partition(b":")[0].strip().lower() not in _HOP_HEADERS]


def _answer(status: str, message: str) -> bytes:
    body = message.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode("latin-1") + body
