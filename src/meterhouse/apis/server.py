"""The root of all HTTP: request ids, body bounds, dispatch to the facades, error answers, log and metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from time import perf_counter
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from meterhouse.apis.errors import ErrorShape
from meterhouse.apis.facade import Exchange, Facade
from meterhouse.apis.faults import BodyTooLarge, ClientGone
from meterhouse.apis.meter.errors import MeterErrors
from meterhouse.apis.payload import BodyLimit, too_large
from meterhouse.apis.services import Services
from meterhouse.kernel.errors import InvariantBroken, MeterhouseError
from meterhouse.kernel.ids import new_id
from meterhouse.platform.telemetry import RequestMetrics, current_request

# the longest prefix that covers whole segments wins
PREFIXES = {
    "/api/v1": "openmeter",
    "/api/v2": "openmeter",
    "/api/swagger.json": "openmeter",
    "/v1": "polar",
    "/api": "meter",
    "/discover": "meter",
}
CLIENT_GONE_STATUS = 499  # only ever logged: nobody is left to receive it
HTTP_ERRORS = 400
DRAIN_BYTES_MAX = 64 * 1024 * 1024

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_log: Any = structlog.get_logger("meterhouse.http")


class Server:
    """The root ASGI application. Paths of no facade, lifespan and websockets go to `outer`.

    Raises `ValueError` at construction for a handler that fits no contract; call `Facade.load` before.
    """

    def __init__(
        self,
        services: Services,
        *,
        facades: Mapping[str, Facade],
        outer: ASGIApp,
        metrics: RequestMetrics,
    ) -> None:
        self._services = services
        self._outer = outer
        self._metrics = metrics
        self._plain: ErrorShape = MeterErrors()
        ordered = sorted(PREFIXES.items(), key=lambda item: -len(item[0]))
        self._prefixes = [(prefix, facades[name]) for prefix, name in ordered if name in facades]
        for facade in facades.values():
            facade.check()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._outer(scope, receive, send)
            return
        started_at = perf_counter()
        request_id = _request_id(scope)
        current_request.set(request_id)
        facade = self._facade(scope["path"])
        exchange = Exchange(scope, receive, request_id, self._services)
        reply = Reply(send, request_id, is_head=scope["method"] == "HEAD")
        try:
            await self._answer(facade, exchange, reply)
        finally:
            self._record(facade, exchange, reply.status or CLIENT_GONE_STATUS, perf_counter() - started_at)

    async def _answer(self, facade: Facade | None, exchange: Exchange, reply: Reply) -> None:
        try:
            if facade is None:
                await self._serve_outer(exchange, reply)
            else:
                await self._serve(facade, exchange, reply)
        except ClientGone:
            pass
        except Exception as error:
            if reply.status:  # too late for another answer: the server closes the connection
                _log.exception("request_broken_off", request_id=exchange.request_id)
                raise
            errors = facade.errors if facade else self._plain
            await _refuse(errors, error, exchange, reply)

    async def _serve(self, facade: Facade, exchange: Exchange, reply: Reply) -> None:
        scope = exchange.scope
        reply.headers += facade.headers
        reply.headers += facade.admit(scope)
        limits = self._services.limits
        bytes_max = limits.file_bytes if facade.streams(scope) else limits.body_bytes(facade.name)
        if _declared_length(scope) > bytes_max:
            raise too_large(bytes_max)
        exchange.receive = BodyLimit(exchange.receive, bytes_max)
        await facade.serve(exchange, reply)

    async def _serve_outer(self, exchange: Exchange, reply: Reply) -> None:
        await self._outer(exchange.scope, exchange.receive, reply)
        exchange.operation = exchange.route = getattr(exchange.scope.get("route"), "path", "outer")

    def _facade(self, path: str) -> Facade | None:
        for prefix, facade in self._prefixes:
            if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/"):
                return facade
        return None

    def _record(self, facade: Facade | None, exchange: Exchange, status: int, seconds: float) -> None:
        name = facade.name if facade else "outer"
        self._metrics.observe(name, exchange.operation, status, seconds)
        # Thousands of accepted events a second are counted above; a line each would cost more than they.
        write = _log.debug if exchange.is_hot and status < HTTP_ERRORS else _log.info
        write(
            "request",
            method=exchange.scope["method"][:16],
            facade=name,
            operation=exchange.operation,
            route=exchange.route,
            status=status,
            ms=round(seconds * 1000, 2),
            request_id=exchange.request_id,
        )


class Reply:
    """A `send` that adds the headers of every answer and remembers the status."""

    __slots__ = ("_is_head", "_send", "headers", "status")

    def __init__(self, send: Send, request_id: str, *, is_head: bool) -> None:
        self._send = send
        self._is_head = is_head
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = [(b"x-request-id", request_id.encode("ascii"))]

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self.headers]
        elif self._is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        try:
            await self._send(message)
        except OSError as error:
            raise ClientGone from error


async def _refuse(errors: ErrorShape, error: Exception, exchange: Exchange, reply: Reply) -> None:
    """Word an error, logging those that are ours."""
    if isinstance(error, MeterhouseError) and not isinstance(error, InvariantBroken):
        told: MeterhouseError = error
    else:
        _log.error("request_failed", request_id=exchange.request_id, route=exchange.route, exc_info=error)
        told = InvariantBroken("Internal server error")
    try:
        if isinstance(error, BodyTooLarge):
            await _drain(exchange, reply)
        await errors.answer(told, exchange.request_id)(exchange.scope, exchange.receive, reply)
    except ClientGone:
        pass


async def _drain(exchange: Exchange, reply: Reply) -> None:
    """Read on for a while, so that a client still writing sees the answer rather than a reset."""
    if any(name == b"expect" for name, _ in exchange.scope["headers"]):
        reply.headers.append((b"connection", b"close"))
        return
    receive = exchange.receive.unbounded if isinstance(exchange.receive, BodyLimit) else exchange.receive
    seen = 0
    while seen <= DRAIN_BYTES_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        seen += len(message.get("body", b""))
        if not message.get("more_body", False):
            return
    reply.headers.append((b"connection", b"close"))


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _request_id(scope: Scope) -> str:
    """Take over a sane incoming id, so that one id follows a request through several systems."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            if _REQUEST_ID.fullmatch(value):
                given: str = value.decode("ascii")
                return given
            break
    return str(new_id())
