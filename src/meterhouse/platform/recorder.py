"""Recording what a page asks for: its calls that are answered with JSON, within bounds."""

from __future__ import annotations

import asyncio
import contextlib

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Request

from meterhouse.platform.ports import RecordedRequest, RenderLimits

READ_TIMEOUT_S = 5.0
BODY_CHARS_MAX = 200_000
# Of one connection, or of the browser alone.
_LEFT_OUT = frozenset(
    {
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-length",
        "dnt",
        "host",
        "if-modified-since",
        "if-none-match",
        "pragma",
        "priority",
        "proxy-connection",
        "te",
        "upgrade-insecure-requests",
        "user-agent",
    }
)
_KINDS = frozenset({"xhr", "fetch"})


class RequestRecorder:
    """Listens to one page from the start. `finished` gives the calls in the order they were made."""

    def __init__(self, page: Page, limits: RenderLimits) -> None:
        self._limits = limits
        self._order: dict[Request, int] = {}
        self._found: dict[int, RecordedRequest] = {}
        self._bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[Request] = set()
        self._changes = 0
        page.on("request", self._begun)
        page.on("requestfinished", self._ended)
        page.on("requestfailed", self._closed)

    async def finished(self) -> tuple[RecordedRequest, ...]:
        """Everything recorded so far, once the bodies under way are read."""
        if self._tasks:
            _, late = await asyncio.wait(tuple(self._tasks), timeout=READ_TIMEOUT_S)
            for task in late:
                task.cancel()
        return tuple(self._found[at] for at in sorted(self._found))

    async def at_rest(self, quiet_s: float) -> None:
        """Return when no call has been under way, begun or ended for a while. Has no end of its own."""
        seen = -1
        while self._open or seen != self._changes:
            seen = self._changes
            await asyncio.sleep(quiet_s)

    def _begun(self, request: Request) -> None:
        if request.resource_type in _KINDS:
            self._open.add(request)
            self._changes += 1
        if request.resource_type in _KINDS and len(self._order) < self._limits.requests_max:
            self._order[request] = len(self._order)

    def _closed(self, request: Request) -> None:
        if request in self._open:
            self._open.discard(request)
            self._changes += 1

    def _ended(self, request: Request) -> None:
        self._closed(request)
        at = self._order.get(request)
        if at is not None:
            task = asyncio.ensure_future(self._record(at, request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _record(self, at: int, request: Request) -> None:
        # A page that navigates or closes takes its bodies with it; what cannot be read was not recorded.
        with contextlib.suppress(PlaywrightError, UnicodeDecodeError):
            answer = await request.response()
            if answer is None or not self._fits(answer.headers):
                return
            body = await answer.body()
            if len(body) > self._limits.response_bytes_max or not _looks_like_json(body):
                return
            self._bytes += len(body)
            if self._bytes > self._limits.recorded_bytes_max:
                return
            sent = request.post_data
            headers = await request.all_headers()
            self._found[at] = RecordedRequest(
                method=request.method,
                url=request.url,
                headers={name: value for name, value in headers.items() if _matters(name)},
                body=sent[:BODY_CHARS_MAX] if sent else None,
                status=answer.status,
                response=body.decode("utf-8", "replace"),
            )

    def _fits(self, headers: dict[str, str]) -> bool:
        length = headers.get("content-length", "")
        return not length.isdigit() or int(length[:18]) <= self._limits.response_bytes_max


def _matters(name: str) -> bool:
    return name not in _LEFT_OUT and not name.startswith((":", "sec-"))


def _looks_like_json(body: bytes) -> bool:
    start = body[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith((b"{", b"[", b")]}'"))
