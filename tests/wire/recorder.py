"""A recording reverse proxy: it stands between published clients and a running server.

Bytes pass unchanged (hop-by-hop headers aside). Each answer's operation is found in the contracts, its
status and body are checked against the schemas declared there, and the exchange is noted for the
conformance table. One proxy per client, so that the table can tell who exercised what.
"""

from __future__ import annotations

import gzip
import json
import threading
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpcore
from starlette.types import Receive, Scope, Send
from tests.wire.threads import Listener, listen

from meterhouse.apis import meter, openmeter, polar
from meterhouse.apis.contract import Contract, Operation, is_json
from meterhouse.apis.faults import field_name
from meterhouse.apis.routing import Match
from meterhouse.apis.server import PREFIXES

CONTRACTS: Mapping[str, Contract] = {
    facade.name: facade.contract for facade in (meter.facade, openmeter.facade, polar.facade)
}

_HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
# answers of the transport rather than of an operation; contracts need not declare them
_TRANSPORT_STATUSES = frozenset({405, 411, 413, 429, 500, 501, 503})


@dataclass(frozen=True, order=True)
class Exercise:
    """One answered call of an operation by a named client."""

    facade: str
    operation: str
    status: int
    client: str

    @property
    def succeeded(self) -> bool:
        return self.status < 400


@dataclass
class Recording:
    """What went through all proxies of a test run."""

    exercises: set[Exercise] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, exercise: Exercise, violations: list[str]) -> None:
        """Note an exchange; one that departs from the contract does not count as an exercise."""
        with self._lock:
            self.violations += violations
            if not violations:
                self.exercises.add(exercise)

    def take_violations(self) -> list[str]:
        with self._lock:
            taken, self.violations = self.violations, []
        return taken


def find_operation(method: str, raw_path: str) -> tuple[str, Operation] | None:
    """Find the facade and the operation that a request means; `None` for paths of no contract."""
    for prefix, name in sorted(PREFIXES.items(), key=lambda item: -len(item[0])):
        if raw_path.startswith(prefix) and raw_path[len(prefix) : len(prefix) + 1] in ("", "/"):
            found = CONTRACTS[name].router.match(method, raw_path)
            return (name, found.operation) if isinstance(found, Match) else None
    return None


def check_answer(operation: Operation, status: int, headers: Mapping[str, str], body: bytes) -> list[str]:
    """Tell in readable lines how an answer departs from its contract."""
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    value: Any = None
    if body:
        try:
            value = json.loads(body) if is_json(kind) else body.decode("utf-8", "surrogateescape")
        except ValueError as error:
            return [f"{operation.id} {status}: the body is no {kind}: {error}"]
    declared = {str(status), f"{status // 100}XX", "default"} & operation.responses.keys()
    if not declared and status in _TRANSPORT_STATUSES:
        return []
    issues = operation.check_response(status, kind, value)
    return [f"{operation.id} {status}: {field_name(issue)}: {issue.message}" for issue in issues]


class Proxy:
    """The ASGI application of one proxy."""

    def __init__(self, upstream: str, client: str, recording: Recording) -> None:
        self._upstream = httpcore.URL(upstream)
        self._client = client
        self._recording = recording
        self._pool = httpcore.AsyncConnectionPool(max_connections=100)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("only HTTP passes through the recorder")
        request = self._request(scope, receive)
        answer = await self._pool.handle_async_request(request)
        try:
            await self._forward(scope, answer, send)
        finally:
            await answer.aclose()

    def _request(self, scope: Scope, receive: Receive) -> httpcore.Request:
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        names = {name for name, _ in scope["headers"]}
        kept = [(name, value) for name, value in scope["headers"] if name not in _HOP_BY_HOP]
        if b"transfer-encoding" in names:
            kept.append((b"transfer-encoding", b"chunked"))
        url = httpcore.URL(
            scheme=self._upstream.scheme, host=self._upstream.host, port=self._upstream.port, target=target
        )
        content = _chunks(receive) if names & {b"content-length", b"transfer-encoding"} else None
        timeouts = {"connect": 5.0, "read": 120.0, "write": 120.0, "pool": 5.0}
        return httpcore.Request(
            scope["method"], url, headers=kept, content=content, extensions={"timeout": timeouts}
        )

    async def _forward(self, scope: Scope, answer: httpcore.Response, send: Send) -> None:
        headers = [(name, value) for name, value in answer.headers if name.lower() not in _HOP_BY_HOP]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body, last = b"", b""
        async for chunk in answer.aiter_stream():  # the last one waits until the exchange is noted
            await send({"type": "http.response.body", "body": last, "more_body": True})
            last = chunk
            body += chunk
        self._note(scope, answer, body)
        await send({"type": "http.response.body", "body": last, "more_body": False})

    def _note(self, scope: Scope, answer: httpcore.Response, body: bytes) -> None:
        found = find_operation(scope["method"], scope["raw_path"].decode("latin-1"))
        if found is None:
            return
        facade, operation = found
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        plain = _decoded(headers.get("content-encoding", ""), body)
        exercise = Exercise(facade, operation.id, answer.status, self._client)
        self._recording.add(exercise, check_answer(operation, answer.status, headers, plain))


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client left")
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body", False):
            return


def _decoded(encoding: str, body: bytes) -> bytes:
    match encoding:
        case "gzip":
            return gzip.decompress(body)
        case "deflate":
            return zlib.decompress(body)
        case _:
            return body


class Recorder:
    """Starts one proxy per client name and keeps what they saw."""

    def __init__(self, upstream: str, recording: Recording) -> None:
        self._upstream = upstream
        self.recording = recording
        self._listeners: dict[str, Listener] = {}

    def url_for(self, client: str) -> str:
        """The base URL to give to a client; `client` is its name and version, as the table will show it."""
        if client not in self._listeners:
            self._listeners[client] = listen(Proxy(self._upstream, client, self.recording))
        return self._listeners[client].base_url

    def close(self) -> None:
        for listener in self._listeners.values():
            listener.close()
