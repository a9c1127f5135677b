"""A cheap HTTP load client: it shares the machine with the server, so it must cost next to nothing.

Raw sockets, requests made by one replacement in a prepared body, one request at a time per connection.
Run as a program: reads a `Load` as JSON from its argument, prints a `Result` as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import cast

import uvloop

ANSWER_TIMEOUT_S = 60
MARK = b"@@@@@@@@@@@@@@@@"  # replaced by a number that is new for each request, so every id is new


@dataclass(frozen=True)
class Load:
    """What to send: until `requests_max` are answered or `seconds` are over, whichever is first."""

    host: str
    port: int
    path: str
    connections: int
    events_per_request: int
    seconds: float
    requests_max: int = 1_000_000_000
    key: str = ""
    first_number: int = 0


@dataclass
class Result:
    """What came of it. Latencies in milliseconds, as seen by the client."""

    requests: int = 0
    failures: int = 0
    seconds: float = 0.0
    first_failure: str = ""
    cpu_seconds: float = 0.0
    latencies_ms: dict[str, float] = field(default_factory=dict)


def body_template(events: int) -> bytes:
    """Return a JSON body of about 250 bytes for each event, with `MARK` in every id."""
    items = [
        {
            "id": f"{MARK.decode()}-{index:04d}-c0ffee",
            "source": "bench/gateway",
            "specversion": "1.0",
            "type": "api.request",
            "subject": f"customer-{index * 7919 % 1000}",
            "time": f"2026-{1 + index % 10:02d}-{1 + index % 28:02d}T{index % 24:02d}:07:08Z",
            "data": {"tokens": index, "model": "large", "duration_ms": 17 * index, "path": "/v1/chat"},
        }
        for index in range(events)
    ]
    return json.dumps(items if events > 1 else items[0]).encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection that sends its next request as soon as the last one is answered."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._answer = bytearray()
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name
        self._send()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        end = self._answer.find(b"\r\n\r\n")
        if end < 0 or len(self._answer) < end + 4 + _content_length(self._answer[:end]):
            return
        self._client.answered(bytes(self._answer), time.perf_counter() - self._sent_at)
        self._answer.clear()
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        self._client.lost(error)

    def _send(self) -> None:
        request = self._client.next_request()
        if request is None:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def _content_length(head: bytes | bytearray) -> int:
    start = head.lower().find(b"content-length:")
    return int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0


class Client:
    """All connections of one run."""

    def __init__(self, load: Load) -> None:
        self.result = Result()
        self._load = load
        self._latencies: list[float] = []
        self._number = load.first_number
        self._sent = 0
        self._open = load.connections
        self._over = asyncio.get_running_loop().create_future()
        body = body_template(load.events_per_request)
        authorization = f"Authorization: Bearer {load.key}\r\n" if load.key else ""
        head = (
            f"POST {load.path} HTTP/1.1\r\nHost: {load.host}:{load.port}\r\n"
            f"Content-Type: application/json\r\n{authorization}Content-Length: {len(body)}\r\n\r\n"
        )
        self._request = head.encode() + body

    async def run(self) -> Result:
        loop = asyncio.get_running_loop()
        started = time.perf_counter()
        self._deadline = started + self._load.seconds
        for _ in range(self._load.connections):
            await loop.create_connection(lambda: Connection(self), self._load.host, self._load.port)
        await asyncio.wait_for(self._over, self._load.seconds + ANSWER_TIMEOUT_S)
        self.result.seconds = time.perf_counter() - started
        self.result.cpu_seconds = time.process_time()
        self._latencies.sort()
        for name, share in {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999, "max": 1.0}.items():
            if self._latencies:
                place = min(len(self._latencies) - 1, int(share * len(self._latencies)))
                self.result.latencies_ms[name] = round(self._latencies[place] * 1000, 2)
        return self.result

    def next_request(self) -> bytes | None:
        if self._sent >= self._load.requests_max or time.perf_counter() > self._deadline:
            return None
        self._sent += 1
        self._number += 1
        return self._request.replace(MARK, b"%016d" % self._number)

    def answered(self, answer: bytes, latency_s: float) -> None:
        self._latencies.append(latency_s)
        self.result.requests += 1
        if answer[9:10] != b"2":
            self.result.failures += 1
            self.result.first_failure = self.result.first_failure or answer.decode(errors="replace")[:2000]

    def lost(self, error: Exception | None) -> None:
        if error is not None:
            self.result.failures += 1
            self.result.first_failure = self.result.first_failure or repr(error)
        self._open -= 1
        if self._open == 0 and not self._over.done():
            self._over.set_result(None)


async def _run(load: Load) -> Result:
    return await Client(load).run()


def main() -> None:
    result = uvloop.run(_run(Load(**json.loads(sys.argv[1]))))
    print(json.dumps(asdict(result)))


if __name__ == "__main__":
    main()
