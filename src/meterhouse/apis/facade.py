"""A facade: one contract, one error shape, and the handlers of the operations that are served.

Routes, request checks, scopes and 501 answers all follow from the contract; a handler only translates.
"""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from meterhouse.apis.call import Call, json_response, query_pairs
from meterhouse.apis.contract import Contract, Operation
from meterhouse.apis.errors import ErrorShape
from meterhouse.apis.faults import (
    MethodNotAllowed,
    OperationNotServed,
    RequestInvalid,
    RequestIssue,
    RouteNotFound,
    UnsupportedMediaType,
)
from meterhouse.apis.payload import decode_json, is_storable, read_body
from meterhouse.apis.routing import Match
from meterhouse.apis.services import Services
from meterhouse.identity.model import Principal
from meterhouse.kernel.errors import NotFound, Unauthenticated

Handler = Callable[[Call], Awaitable[object]]
Headers = list[tuple[bytes, bytes]]
Admit = Callable[[Scope], Headers]
H = TypeVar("H", bound=Handler)
A = TypeVar("A", bound=ASGIApp)

JSON = "application/json"
# Bodies above this many bytes are checked in a thread.
LARGE_BODY = 50_000
HOT_KEY = "meterhouse"  # where a hot route finds its `Hot` in the scope


@dataclass(frozen=True, slots=True)
class Registration:
    """How one operation is served: a checked handler, or a plain ASGI callable."""

    serve: Handler | ASGIApp
    scopes: tuple[str, ...]
    status: int | None = None
    is_hot: bool = False
    streams: bool = False
    is_public: bool = False
    may_lack_body: bool = False
    restate: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True)
class Hot:
    """What a hot route is given beside ASGI's three arguments."""

    principal: Principal
    services: Services
    request_id: str
    errors: ErrorShape


@dataclass(slots=True)
class Exchange:
    """One request on its way through; `operation` and `route` are filled in when known, for the log."""

    scope: Scope
    receive: Receive
    request_id: str
    services: Services
    operation: str = "unmatched"
    route: str = "unmatched"
    is_hot: bool = False


class Facade:
    """One published interface. `name` is also the name of its package under `meterhouse.apis`.

    `headers` go with every answer. `admit` looks at a request before anything else, may refuse it, and
    returns more headers for its answer. Without `checks_requests` the contract only routes, and handlers
    check with pydantic models. The contract itself is published at `document_path`, if one is given.
    """

    def __init__(
        self,
        name: str,
        contract: Contract,
        errors: ErrorShape,
        *,
        checks_requests: bool = True,
        redirects_slashes: bool = False,
        headers: Headers | None = None,
        admit: Admit | None = None,
        document_path: str | None = None,
    ) -> None:
        self.name = name
        self.contract = contract
        self.errors = errors
        self.headers: Headers = headers or []
        self.admit: Admit = admit or (lambda scope: [])
        self._checks_requests = checks_requests
        self._redirects_slashes = redirects_slashes
        self._document_path = document_path
        self._registered: dict[str, Registration] = {}
        self._hot: dict[tuple[str, str], tuple[Operation, Registration]] = {}

    def operation(
        self,
        operation_id: str,
        *,
        scopes: Iterable[str] | None = None,
        status: int | None = None,
        is_public: bool = False,
        may_lack_body: bool = False,
        restate: Callable[[Any], Any] | None = None,
    ) -> Callable[[H], H]:
        """Register the handler of an operation.

        A key needs one of `scopes` (the contract's own when left out). What the handler returns, unless a
        `Response`, is written as JSON with `status` (the contract's first success when left out). A public
        operation is not authenticated here: its handler must do that by itself, and `call.principal` fails.
        `may_lack_body` leaves it to the handler to miss a body that the contract requires.
        `restate` turns a decoded body into the contract's form before it is checked, where the facade
        accepts more than the contract says.
        """

        def register(handler: H) -> H:
            self._register(
                operation_id,
                Registration(
                    handler,
                    tuple(scopes or ()),
                    status,
                    is_public=is_public,
                    may_lack_body=may_lack_body,
                    restate=restate,
                ),
            )
            return handler

        return register

    def hot(
        self, operation_id: str, *, scopes: Iterable[str] | None = None, streams: bool = False
    ) -> Callable[[A], A]:
        """Register an ASGI callable that reads and checks the body by itself, bypassing the schemas.

        It is called authenticated and authorised, with a `Hot` in `scope["meterhouse"]`; what it raises is
        answered in the facade's shape. Only for operations without path parameters. One that `streams`
        takes bodies of any file's size, because it never holds them whole.
        """

        def register(app: A) -> A:
            registration = Registration(app, tuple(scopes or ()), is_hot=True, streams=streams)
            self._register(operation_id, registration)
            return app

        return register

    def _register(self, operation_id: str, registration: Registration) -> None:
        if operation_id in self._registered:
            raise ValueError(f"{self.name}: operation {operation_id} has two handlers")
        self._registered[operation_id] = registration

    def load(self) -> None:
        """Import the facade's `routes` and check them. Raises `ValueError` for an unknown operation."""
        routes = importlib.import_module(f"meterhouse.apis.{self.name}.routes")
        for module in pkgutil.iter_modules(routes.__path__):
            importlib.import_module(f"{routes.__name__}.{module.name}")
        self.check()

    def check(self) -> None:
        """Raise `ValueError` for a handler of an operation that the contract does not have."""
        unknown = sorted(self._registered.keys() - self.contract.operations.keys())
        if unknown:
            raise ValueError(f"{self.name}: no such operation in the contract: {', '.join(unknown)}")
        for operation_id, registration in self._registered.items():
            operation = self.contract.operations[operation_id]
            if registration.is_hot:
                if "{" in operation.path:
                    raise ValueError(f"{self.name}: hot route {operation_id} has path parameters")
                self._hot[operation.method, operation.path] = (operation, registration)

    @property
    def served(self) -> frozenset[str]:
        """The ids of the operations that have a handler."""
        return frozenset(self._registered)

    def scopes_of(self, operation_id: str) -> tuple[str, ...]:
        """The scopes of which a key needs one for this operation; empty when any key will do."""
        registration = self._registered.get(operation_id)
        given = registration.scopes if registration is not None else ()
        return given or self.contract.operations[operation_id].scopes

    def streams(self, scope: Scope) -> bool:
        """Whether the request's body is read piece by piece."""
        hot = self._hot.get((scope["method"], scope["path"]))
        return hot is not None and hot[1].streams

    async def serve(self, exchange: Exchange, send: Send) -> None:
        """Answer one request. Raises domain errors; the caller words them with `errors`."""
        scope = exchange.scope
        hot = self._hot.get((scope["method"], scope["path"]))
        if hot is not None:
            await self._serve_hot(exchange, *hot, send)
            return
        response = await self._respond(exchange)
        await response(scope, exchange.receive, send)

    async def _serve_hot(
        self, exchange: Exchange, operation: Operation, registration: Registration, send: Send
    ) -> None:
        exchange.is_hot = True
        exchange.operation, exchange.route = operation.id, operation.path
        principal = await self._authorise(exchange, operation, registration)
        scope = exchange.scope
        scope[HOT_KEY] = Hot(principal, exchange.services, exchange.request_id, self.errors)
        app: Any = registration.serve
        await app(scope, exchange.receive, send)

    async def _respond(self, exchange: Exchange) -> Response:
        found = self._find(exchange.scope)
        if isinstance(found, Response):
            return found
        operation = found.operation
        exchange.operation, exchange.route = operation.id, operation.path
        registration = self._registered.get(operation.id)
        if registration is None:
            if not operation.is_public:
                await authenticate(exchange)
            raise OperationNotServed(f"The operation {operation.id} is not implemented.")
        if registration.is_public:
            principal: Any = None
        else:
            principal = await self._authorise(exchange, operation, registration)
        call = await self._call(exchange, found, principal, registration)
        handler: Any = registration.serve
        return _as_response(await handler(call), registration.status or operation.success_status)

    def _find(self, scope: Scope) -> Match | Response:
        """Find the operation meant. Raises `RouteNotFound` or `MethodNotAllowed`."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        path = raw_path(scope)
        found = self.contract.router.match(method, path)
        if isinstance(found, Match):
            if all(is_storable(value) for value in found.path.values()):
                return found
            raise NotFound("Not found: the path contains characters that no id has.")
        if path == self._document_path:
            found = ("GET",)
            if method == "GET":
                return json_response(self.contract.document, 200)
        if found:
            return _other_method(method, found)
        if self._redirects_slashes and (target := self._other_slash(method, path)):
            query = scope["query_string"].decode("latin-1")
            return Response(status_code=307, headers={"location": target + ("?" + query if query else "")})
        raise RouteNotFound("There is no such route.")

    def _other_slash(self, method: str, path: str) -> str | None:
        other = path[:-1] if path.endswith("/") else path + "/"
        return other if self.contract.router.match(method, other) else None

    async def _authorise(
        self, exchange: Exchange, operation: Operation, registration: Registration
    ) -> Principal:
        principal = await authenticate(exchange)
        principal.require_any(registration.scopes or operation.scopes)
        return principal

    async def _call(
        self, exchange: Exchange, found: Match, principal: Principal, registration: Registration
    ) -> Call:
        operation = found.operation
        request = Request(exchange.scope, exchange.receive)
        pairs = query_pairs(exchange.scope["query_string"])
        query = operation.read_query(pairs) if self._checks_requests else operation.raw_query(pairs)
        raw_body = await read_body(exchange.receive) if operation.request_bodies else b""
        content_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        is_required = operation.body_required and not registration.may_lack_body
        read = partial(self._read_body, operation, raw_body, content_type, is_required=is_required)
        # Checking thousands of addresses takes a while, and everybody else would have to wait for it.
        body = read() if len(raw_body) <= LARGE_BODY else await asyncio.to_thread(read)
        return Call(
            operation=operation,
            principal=principal,
            path=found.path,
            query=query,
            body=body,
            raw_body=raw_body,
            content_type=content_type,
            request=request,
            request_id=exchange.request_id,
            services=exchange.services,
            errors=self.errors,
        )

    def _read_body(self, operation: Operation, raw: bytes, content_type: str, *, is_required: bool) -> Any:
        """Decode and check a body. Raises `MalformedBody`, `UnsupportedMediaType` or `RequestInvalid`."""
        if not self._checks_requests:
            is_json = content_type in ("", JSON) or content_type.endswith("+json")
            return None if not raw else decode_json(raw) if is_json else raw.decode("utf-8", "replace")
        if not raw:
            if is_required:
                raise body_missing()
            return None
        kind = content_type or JSON
        if kind not in operation.request_bodies:
            if not (kind.endswith("+json") and JSON in operation.request_bodies):
                wanted = ", ".join(operation.request_bodies)
                raise UnsupportedMediaType(f"The content type {kind[:100]} is not read here; send {wanted}.")
            kind = JSON
        body = decode_json(raw)
        restate = self._registered[operation.id].restate
        return operation.check_body(restate(body) if restate else body, kind)


def _other_method(method: str, found: Iterable[str]) -> Response:
    """Answer OPTIONS; refuse any other method that the path does not have."""
    allow = tuple(sorted({*found, "OPTIONS"} | ({"HEAD"} if "GET" in found else set())))
    if method == "OPTIONS":
        return Response(status_code=204, headers={"allow": ", ".join(allow)})
    sentence = f"{method[:16]} is not allowed here. Allowed: {', '.join(allow)}."
    raise MethodNotAllowed(sentence, allow=allow)


def body_missing() -> RequestInvalid:
    return RequestInvalid(
        "A JSON body is required.", issues=[RequestIssue(("body",), "is required", code="missing")]
    )


def _as_response(result: object, status: int) -> Response:
    if isinstance(result, Response):
        return result
    if status == 204:
        return Response(status_code=204)
    return json_response(result, status)


def raw_path(scope: Mapping[str, Any]) -> str:
    """The path as sent, still percent-encoded, so that an encoded slash stays inside its segment."""
    raw: bytes | None = scope.get("raw_path")
    return raw.decode("latin-1") if raw else str(scope["path"])


async def authenticate(exchange: Exchange) -> Principal:
    """Find the caller. Raises `Unauthenticated`: code `missing_key` without a header, else `invalid_key`."""
    token = bearer_token(exchange.scope)
    try:
        return await exchange.services.authenticator.authenticate(token)
    except Unauthenticated:
        raise unauthenticated("missing_key" if token is None else "invalid_key") from None


def bearer_token(scope: Scope) -> str | None:
    """Read the token of `Authorization: Bearer …`; `None` without the header.

    Raises `Unauthenticated` for another scheme, an empty token and a repeated header.
    """
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if not values:
        return None
    scheme, _, token = values[0].decode("latin-1").partition(" ")
    token = str(token).strip()
    if len(values) > 1 or scheme.lower() != "bearer" or not token:
        raise unauthenticated("invalid_key")
    return token


def unauthenticated(code: str) -> Unauthenticated:
    return Unauthenticated("Invalid or missing API key", code=code)
