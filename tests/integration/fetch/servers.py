"""Small loopback servers that answer exactly the bytes a test wants, well-formed or not."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

from meterhouse.platform.fetch.addresses import IPAddress


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Handler = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """A listening server; `port` is free for each one, `seen` grows with each request."""

    host: str
    port: int
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"http://{host or self.host}:{self.port}{path}"


def answer(
    body: bytes = b"ok", status: str = "200 OK", headers: dict[str, str] | None = None, *, close: bool = False
) -> Handler:
    """Answer every request with the same well-formed message."""

    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        fields = {"Content-Length": str(len(body)), **(headers or {})}
        if close:
            fields["Connection"] = "close"
        writer.write(message(status, fields) + body)
        if close:
            writer.close()

    return handle


def raw(data: bytes) -> Handler:
    """Answer with these bytes and end the connection."""

    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.close()

    return handle


def message(status: str, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@asynccontextmanager
async def serve(
    handler: Handler, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Run a server that hands each request to `handler` until its connection ends."""
    shown = f"[{host}]" if ":" in host else host
    server = Server(shown, 0)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        try:
            while not writer.is_closing():
                request = await _read(reader)
                server.seen.append(request)
                await handler(request, writer)
                if not writer.is_closing():
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    listening = await asyncio.start_server(connected, host, 0, ssl=tls)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _version = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, path, headers, body)


class Names:
    """A resolver with a fixed table; a name may give different answers one after another."""

    def __init__(self, **table: list[list[str]]) -> None:
        self.table = {name.replace("_", "."): list(answers) for name, answers in table.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> tuple[IPAddress, ...]:
        self.asked.append(host)
        answers = self.table[host]
        current = answers.pop(0) if len(answers) > 1 else answers[0]
        return tuple(ip_address(text) for text in current)
