"""Requests at a steady pace, whether or not earlier ones are answered: what users do, and what shows queues.

Run as a program: reads a `Pace` as JSON from its input, prints a `Timing` as JSON. Latencies count from
the moment at which a request was due, so a client that falls behind cannot hide it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import cast

import uvloop
from bench.load_client import MARK, _content_length

NOW = "@@@@-@@-@@T@@:@@:@@Z"  # replaced by the present second


@dataclass(frozen=True)
class Pace:
    """What to send, how often and for how long; `MARK` in the body becomes a new number each time."""

    host: str
    port: int
    method: str
    path: str
    key: str
    per_second: float
    seconds: float
    body: str = ""
    connections: int = 16
    first_number: int = 0


@dataclass
class Timing:
    """What came of it, in milliseconds. `late_ms` is how far behind its own schedule the client was."""

    requests: int = 0
    failures: int = 0
    seconds: float = 0.0
    first_failure: str = ""
    late_ms: float = 0.0
    latencies_ms: dict[str, float] = field(default_factory=dict)


class _Connection(asyncio.Protocol):
    def __init__(self, client: _Client) -> None:
        self._client = client
        self._answer = bytearray()
        self.due_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._client.idle.append(self)

    def send(self, request: bytes, due_at: float) -> None:
        self.due_at = due_at
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        end = self._answer.find(b"\r\n\r\n")
        if end < 0 or len(self._answer) < end + 4 + _content_length(self._answer[:end]):
            return
        answer = bytes(self._answer)
        self._answer.clear()
        self._client.answered(self, answer)

    def connection_lost(self, error: Exception | None) -> None:
        self._client.timing.failures += error is not None


class _Client:
    def __init__(self, pace: Pace) -> None:
        self.timing = Timing()
        self.idle: deque[_Connection] = deque()
        self._pace = pace
        self._due: deque[float] = deque()
        self._latencies: list[float] = []
        self._number = pace.first_number
        authorization = f"Authorization: Bearer {pace.key}\r\n"
        head = (
            f"{pace.method} {pace.path} HTTP/1.1\r\nHost: {pace.host}:{pace.port}\r\n{authorization}"
            f"Content-Type: application/json\r\nContent-Length: {len(pace.body.encode())}\r\n\r\n"
        )
        self._request = head.encode() + pace.body.encode()

    async def run(self) -> Timing:
        loop = asyncio.get_running_loop()
        for _ in range(self._pace.connections):
            await loop.create_connection(lambda: _Connection(self), self._pace.host, self._pace.port)
        started = time.perf_counter()
        total = int(self._pace.per_second * self._pace.seconds)
        for number in range(total):
            due_at = started + number / self._pace.per_second
            while (wait := due_at - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            self.timing.late_ms = max(self.timing.late_ms, (time.perf_counter() - due_at) * 1000)
            self._due.append(due_at)
            self._send_due()
        deadline = time.perf_counter() + 30
        while len(self._latencies) < total and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)
        return self._summary(time.perf_counter() - started)

    def _send_due(self) -> None:
        while self._due and self.idle:
            self._number += 1
            request = self._request.replace(MARK, b"%016d" % self._number)
            if NOW.encode() in request:
                now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                request = request.replace(NOW.encode(), now.encode())
            self.idle.popleft().send(request, self._due.popleft())

    def answered(self, connection: _Connection, answer: bytes) -> None:
        self._latencies.append(time.perf_counter() - connection.due_at)
        self.timing.requests += 1
        if answer[9:10] != b"2":
            self.timing.failures += 1
            self.timing.first_failure = self.timing.first_failure or answer.decode(errors="replace")[:2000]
        self.idle.append(connection)
        self._send_due()

    def _summary(self, seconds: float) -> Timing:
        self.timing.seconds = seconds
        ordered = sorted(self._latencies)
        for name, share in {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}.items():
            if ordered:
                place = min(len(ordered) - 1, int(share * len(ordered)))
                self.timing.latencies_ms[name] = round(ordered[place] * 1000, 2)
        return self.timing


async def _run(pace: Pace) -> Timing:
    return await _Client(pace).run()


def main() -> None:
    print(json.dumps(asdict(uvloop.run(_run(Pace(**json.load(sys.stdin)))))))


if __name__ == "__main__":
    main()
