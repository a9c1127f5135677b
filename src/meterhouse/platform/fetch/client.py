"""The guarded fetcher: one request out and one complete, bounded answer back."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType

import httpcore
import httpx

from meterhouse import __version__
from meterhouse.kernel.errors import Invalid, InvariantBroken
from meterhouse.platform.fetch.decode import ACCEPT_ENCODING, BodyDecoder, DecodeFailed
from meterhouse.platform.fetch.failures import (
    CONNECTION_ERRORS,
    HEADER_BYTES_MAX,
    HEADER_FIELDS_MAX,
    failed,
    from_connection_error,
    headers_too_large,
)
from meterhouse.platform.fetch.guard import AddressPolicy, Target, check_url
from meterhouse.platform.fetch.network import GuardedBackend, Resolver, check_reachable, resolve_by_system
from meterhouse.platform.fetch.redirects import REDIRECT_STATUSES, Hop, follow
from meterhouse.platform.ports import Fetched, FetchFailed, FetchLimits

USER_AGENT = f"Meterhouse/{__version__}"
CONNECTIONS_MAX = 100
IDLE_CONNECTIONS_MAX = 20
IDLE_EXPIRY_S = 15.0

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
# These frame the message or belong to one connection; they are set here and nowhere else.
_OWN_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class GuardedFetcher:
    """Fetches over HTTP/1.1 from the public internet and from what the policy allows.

    Every hop of a redirect is checked anew and each connection is pinned to a checked address. Proxy
    settings of the environment are ignored: a proxy would resolve names out of our sight. Cookies are
    not kept. One instance serves many concurrent fetches on one event loop; call `aclose` at the end.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        resolver: Resolver = resolve_by_system,
        ssl_context: ssl.SSLContext | None = None,
        connections_max: int = CONNECTIONS_MAX,
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._closed = False
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or httpx.create_ssl_context(trust_env=False),
            max_connections=connections_max,
            max_keepalive_connections=min(IDLE_CONNECTIONS_MAX, connections_max),
            keepalive_expiry=IDLE_EXPIRY_S,
            network_backend=GuardedBackend(policy, resolver),
        )

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limits: FetchLimits | None = None,
    ) -> Fetched:
        """Return the complete answer of any status, with its body decompressed.

        Redirects are followed up to `limits.redirects_max`; with 0 the redirect itself is the answer.
        `redirects` lists the addresses that redirected, in order. Headers that frame the message
        (Host, Content-Length, Accept-Encoding and the like) are set here; the caller's are left out.
        Headers come back as received: Content-Length and Content-Encoding speak of the compressed body.
        Raises `FetchFailed` when no complete answer came within the limits, and `Invalid` for a
        method that is not served.
        """
        if self._closed:
            raise InvariantBroken("The fetcher is closed.")
        if method.upper() not in _METHODS:
            raise Invalid(f"The method {method!r} is not one of {', '.join(sorted(_METHODS))}.")
        limits = limits or FetchLimits()
        started = time.monotonic()
        own = {k.lower(): v for k, v in (headers or {}).items() if k.lower() not in _OWN_HEADERS}
        hop = Hop(check_url(url, self._policy), method.upper(), own, body)
        try:
            async with asyncio.timeout(limits.total_timeout_s):
                return await self._follow(hop, limits, started)
        except FetchFailed as failure:
            failure.details = {**failure.details, "requested_url": hop.target.url}
            raise
        except TimeoutError:
            raise failed(
                hop.target,
                "timeout",
                f"there was no complete answer within {limits.total_timeout_s:g} s",
                retryable=True,
            ) from None

    async def check(self, url: str) -> Target:
        """Check a URL and what it resolves to now, without connecting. Raises `FetchFailed`."""
        return await check_reachable(url, self._policy, self._resolver)

    async def aclose(self) -> None:
        """Close all connections. Fetches under way fail; later ones are refused."""
        self._closed = True
        await self._pool.aclose()

    async def __aenter__(self) -> GuardedFetcher:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _follow(self, hop: Hop, limits: FetchLimits, started: float) -> Fetched:
        """Walk the redirects to the answer."""
        passed: list[str] = []
        while True:
            async with self._send(hop, limits) as response:
                headers = _read_headers(hop.target, response)
                location = headers.get("location")
                if location is None or response.status not in REDIRECT_STATUSES or limits.redirects_max == 0:
                    body = await _read_body(hop, response, headers, limits.body_bytes_max)
                    return Fetched(
                        url=hop.target.url,
                        status=response.status,
                        headers=headers,
                        body=body,
                        redirects=tuple(passed),
                        duration_s=time.monotonic() - started,
                    )
            passed.append(hop.target.url)
            if len(passed) > limits.redirects_max:
                raise failed(
                    hop.target,
                    "too_many_redirects",
                    f"it was reached after {limits.redirects_max} redirects and redirects again",
                    redirects=passed,
                )
            hop = follow(hop, response.status, location)
            check_url(hop.target.url, self._policy)

    @asynccontextmanager
    async def _send(self, hop: Hop, limits: FetchLimits) -> AsyncIterator[httpcore.Response]:
        """Open the answer to one request. Errors of the connection leave as `FetchFailed`."""
        try:
            response = await self._request(hop, limits)
            try:
                yield response
            finally:
                await response.aclose()
        except FetchFailed as failure:
            failure.details = {"url": hop.target.url, **failure.details}
            raise
        except CONNECTION_ERRORS as error:
            # The total time limit arrives as a cancellation, never as one of these.
            raise from_connection_error(hop.target, error) from error

    async def _request(self, hop: Hop, limits: FetchLimits) -> httpcore.Response:
        """Send, and once more when an idle connection turned out to be closed by the server.

        A server may end a kept connection at any time; a request without side effects that met such
        an end was never answered, and a fresh connection tells whether the server is really gone.
        """
        opened = False

        async def trace(event: str, _info: object) -> None:
            nonlocal opened
            opened = opened or event == "connection.connect_tcp.started"

        try:
            return await self._pool.handle_async_request(_to_wire(hop, limits, trace))
        except (httpcore.RemoteProtocolError, httpcore.ReadError):
            if opened or hop.method not in ("GET", "HEAD") or hop.body:
                raise
        return await self._pool.handle_async_request(_to_wire(hop, limits, trace))


def _to_wire(hop: Hop, limits: FetchLimits, trace: object) -> httpcore.Request:
    """Write a hop as a request, with the headers that are ours to set."""
    target = hop.target
    headers = {"accept": "*/*", "user-agent": USER_AGENT, **hop.headers}
    fields = [(b"Host", target.authority.encode("ascii"))]
    fields += [(name.encode("utf-8"), value.strip().encode("utf-8")) for name, value in headers.items()]
    fields.append((b"Accept-Encoding", ACCEPT_ENCODING.encode("ascii")))
    if hop.body or hop.method in _BODY_METHODS:
        fields.append((b"Content-Length", str(len(hop.body or b"")).encode("ascii")))
    return httpcore.Request(
        method=hop.method,
        url=httpcore.URL(
            scheme=target.scheme.encode("ascii"),
            host=target.host.encode("ascii"),
            port=target.port,
            target=target.path_and_query,
        ),
        headers=fields,
        content=hop.body or b"",
        extensions={"timeout": {"connect": limits.connect_timeout_s}, "trace": trace},
    )


def _read_headers(target: Target, response: httpcore.Response) -> dict[str, str]:
    """Return the headers by lower-case name; fields of one name are joined by a comma.

    Of several Location fields the first counts.

    The HTTP layer stops reading a little above the bound; what it let through is measured here.
    """
    size = sum(len(name) + len(value) + 4 for name, value in response.headers)
    if size > HEADER_BYTES_MAX or len(response.headers) > HEADER_FIELDS_MAX:
        raise headers_too_large(target)
    if response.status < 200:
        raise failed(target, "protocol", f"the server switched protocols unasked (status {response.status})")
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name = raw_name.decode("ascii").lower()
        try:
            value = raw_value.decode("utf-8")
        except UnicodeDecodeError:
            value = raw_value.decode("latin-1")
        if name not in headers:
            headers[name] = value
        elif name != "location":
            headers[name] += f", {value}"
    return headers


async def _read_body(
    hop: Hop, response: httpcore.Response, headers: Mapping[str, str], bytes_max: int
) -> bytes:
    """Read and decompress the body; neither what is received nor what it inflates to passes the bound."""
    # The headers of these answers describe a body that does not follow.
    bodiless = hop.method == "HEAD" or response.status in (204, 304)
    announced = "" if bodiless else headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > bytes_max:
        raise _too_large(hop.target, bytes_max)
    pieces: list[bytes] = []
    received = decoded = 0
    try:
        decoder = BodyDecoder("" if bodiless else headers.get("content-encoding", ""))
        async for chunk in response.aiter_stream():
            received += len(chunk)
            for piece in decoder.feed(chunk):
                decoded += len(piece)
                if decoded > bytes_max:
                    raise _too_large(hop.target, bytes_max)
                pieces.append(piece)
            if received > bytes_max:
                raise _too_large(hop.target, bytes_max)
        for piece in decoder.finish():
            decoded += len(piece)
            if decoded > bytes_max:
                raise _too_large(hop.target, bytes_max)
            pieces.append(piece)
    except DecodeFailed as error:
        raise failed(hop.target, "decode", str(error)) from None
    return b"".join(pieces)


def _too_large(target: Target, bytes_max: int) -> FetchFailed:
    return failed(target, "too_large", f"its body is larger than {bytes_max} bytes", bytes_max=bytes_max)
