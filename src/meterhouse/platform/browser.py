"""Chromium behind the guard: pages with their scripts, and the calls that those scripts make for JSON."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from playwright.async_api import Browser as PlaywrightBrowser
from playwright.async_api import BrowserContext, Dialog, Page, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from meterhouse.kernel.errors import InvariantBroken
from meterhouse.platform.fetch import AddressPolicy, GuardedBackend, Resolver, check_url
from meterhouse.platform.fetch.guard import Target
from meterhouse.platform.fetch.network import resolve_by_system
from meterhouse.platform.ports import (
    BrowserMissing,
    FetchFailed,
    FetchReason,
    Presses,
    Rendered,
    RenderLimits,
)
from meterhouse.platform.proxy import FilteringProxy, authority_of
from meterhouse.platform.recorder import RequestRecorder

log = structlog.get_logger(__name__)

SETTING = "METERHOUSE_BROWSER"
PAGES_MAX = 2
START_TIMEOUT_S = 30.0
CLOSE_TIMEOUT_S = 5.0
SCROLL_SETTLE_S = 3.0
SCROLL_QUIET_S = 0.1

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PLACES = (
    "/usr/bin",
    "/usr/local/bin",
    "/snap/bin",
    "/opt/google/chrome",
    "/Applications/Google Chrome.app/Contents/MacOS",
    "/Applications/Chromium.app/Contents/MacOS",
)
_FLAGS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # What would go around the proxy: WebRTC over UDP, and names resolved by the browser itself.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--disable-quic",
    # A script that hoards memory loses its page, not the machine.
    "--js-flags=--max-old-space-size=512",
)
# Each page brings a proxy of its own; whatever is not part of a page finds none.
_NO_WAY_OUT = "http://127.0.0.1:9"


def find_browser(setting: str = "") -> str:
    """The path of a Chromium. Raises `BrowserMissing` with what to do when there is none."""
    if setting:
        if os.access(setting, os.X_OK) and Path(setting).is_file():
            return setting
        raise BrowserMissing(f"{SETTING} names {setting}, and there is no program of that name.")
    for name in _NAMES:
        if found := shutil.which(name):
            return found
    for place in _PLACES:
        for name in (*_NAMES, "Google Chrome", "Chromium"):
            path = Path(place) / name
            if path.is_file() and os.access(path, os.X_OK):
                return str(path)
    raise BrowserMissing(
        "This needs a browser, and none is installed. Install Chromium (on Debian: "
        f"apt-get install chromium), or set {SETTING} to the path of one."
    )


class ChromiumBrowser:
    """Starts Chromium when first needed, again when it crashed, and loads a bounded number of pages at once.

    Pages share nothing: each has a context and a proxy of its own. Downloads, dialogs, pop-ups and service
    workers are refused. Call `aclose` at the end.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        executable: str = "",
        resolver: Resolver = resolve_by_system,
        pages_max: int = PAGES_MAX,
    ) -> None:
        self._policy = policy
        self._executable = executable
        self._backend = GuardedBackend(policy, resolver)
        self._pages = asyncio.Semaphore(pages_max)
        self._starting = asyncio.Lock()
        self._playwright: Playwright | None = None
        self._browser: PlaywrightBrowser | None = None
        self._closed = False

    async def load(
        self, url: str, *, limits: RenderLimits | None = None, presses: Presses | None = None
    ) -> Rendered:
        """Load a page, wait until it comes to rest, and return its document and its calls.

        Raises `FetchFailed` when there is no page within the limits, `BrowserMissing` without a browser.
        """
        limits = limits or RenderLimits()
        target = check_url(url, self._policy)
        async with self._pages:
            browser = await self._running()
            async with FilteringProxy(self._backend, bytes_max=limits.transfer_bytes_max) as proxy:
                try:
                    async with asyncio.timeout(limits.total_timeout_s):
                        return await self._load(browser, target, proxy, limits, presses)
                except TimeoutError:
                    raise _failed(
                        target, "timeout", f"its scripts did not come to rest in {limits.total_timeout_s:g} s"
                    ) from None
                except PlaywrightError as error:
                    raise _from_playwright(target, error, proxy) from error

    async def aclose(self) -> None:
        """Close the browser. Loads under way fail; later ones are refused."""
        self._closed = True
        await self._stop()

    async def _load(
        self,
        browser: PlaywrightBrowser,
        target: Target,
        proxy: FilteringProxy,
        limits: RenderLimits,
        presses: Presses | None,
    ) -> Rendered:
        async with self._context(browser, proxy) as context:
            page = await context.new_page()
            context.on("page", lambda popup: _close_soon(popup))
            page.on("dialog", _dismiss_soon)
            recorder = RequestRecorder(page, limits)
            answer = await page.goto(target.url, wait_until="commit", timeout=0)
            await page.wait_for_load_state("domcontentloaded", timeout=0)
            await _settle(page, limits.settle_timeout_s)
            for _ in range(presses.times if presses is not None else 0):
                if not await _press(page, recorder, presses):
                    break
            html, url = await page.content(), page.url
            _check_outcome(target, url, html, proxy, limits)
            # Lists that grow when one reaches their end show by it how their next page is asked for.
            await _scroll_to_end(page, recorder)
            if presses is not None and presses.times == 0:
                await _press(page, recorder, presses)
            return Rendered(
                html=html,
                url=url,
                status=answer.status if answer is not None else 200,
                requests=await recorder.finished(),
                bytes=proxy.received,
            )

    @asynccontextmanager
    async def _context(
        self, browser: PlaywrightBrowser, proxy: FilteringProxy
    ) -> AsyncIterator[BrowserContext]:
        context = await browser.new_context(
            proxy={"server": proxy.url}, accept_downloads=False, service_workers="block"
        )
        try:
            yield context
        finally:
            await asyncio.shield(self._close(context))

    async def _close(self, context: BrowserContext) -> None:
        """Close a context; a browser that cannot even do that is given up and started anew."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await context.close()
        except (TimeoutError, PlaywrightError):
            browser = self._browser
            if browser is not None and browser.is_connected() and browser is context.browser:
                log.warning("browser.stuck")
                await self._stop()

    async def _running(self) -> PlaywrightBrowser:
        async with self._starting:
            if self._closed:
                raise InvariantBroken("The browser is closed.")
            if self._browser is None or not self._browser.is_connected():
                await self._stop()
                self._browser = await self._start()
            return self._browser

    async def _start(self) -> PlaywrightBrowser:
        path = find_browser(self._executable)
        as_root = hasattr(os, "geteuid") and os.geteuid() == 0
        try:
            self._playwright = await async_playwright().start()
            return await self._playwright.chromium.launch(
                executable_path=path,
                args=[*_FLAGS, *(["--no-sandbox"] if as_root else [])],
                chromium_sandbox=not as_root,
                proxy={"server": _NO_WAY_OUT},
                timeout=START_TIMEOUT_S * 1000,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
        except (PlaywrightError, OSError) as error:
            await self._stop()
            raise BrowserMissing(f"The browser {path} could not be started: {_first_line(error)}") from error

    async def _stop(self) -> None:
        browser, self._browser = self._browser, None
        playwright, self._playwright = self._playwright, None
        with contextlib.suppress(PlaywrightError, TimeoutError):
            if browser is not None and browser.is_connected():
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await browser.close()
        with contextlib.suppress(PlaywrightError, TimeoutError):
            if playwright is not None:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await playwright.stop()


async def _settle(page: Page, timeout_s: float) -> None:
    """Wait until the network has been quiet for a moment; a page that never is has had its time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            await page.wait_for_load_state("networkidle", timeout=0)
            await page.evaluate("new Promise(done => setTimeout(done, 100))")
            await page.wait_for_load_state("networkidle", timeout=0)


async def _scroll_to_end(page: Page, recorder: RequestRecorder) -> None:
    """Scroll down and wait for the calls that this brings.

    The browser's own "network is idle" comes once for each document, so it says nothing here. Two frames
    after the scroll every listener has run; what it asked for is then under way.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SCROLL_SETTLE_S):
            await page.evaluate(
                "new Promise(done => { window.scrollTo(0, document.documentElement.scrollHeight);"
                " requestAnimationFrame(() => requestAnimationFrame(done)); })"
            )
            await recorder.at_rest(SCROLL_QUIET_S)


# The last such button: those before a list open menus and descriptions. Links to elsewhere are left alone.
_PRESS = """(labels) => {
  const said = e => (e.innerText || e.value || e.getAttribute('aria-label') || '')
    .replace(/\\s+/g, ' ').trim().toLowerCase();
  const stays = e => !e.getAttribute('href') || /^(#|javascript:)/.test(e.getAttribute('href'));
  const seen = e => e.getClientRects().length > 0 && !e.disabled;
  const found = [...document.querySelectorAll('button, a, [role=button], input[type=button]')].filter(
    e => stays(e) && seen(e) && said(e).length <= 40 && labels.some(one => said(e).includes(one))).pop();
  if (!found) return false;
  found.click();
  return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));
}"""


async def _press(page: Page, recorder: RequestRecorder, presses: Presses | None) -> bool:
    """Press the button that makes the list grow, and wait for what it brings; `False` when there is none."""
    if presses is None:
        return False
    pressed = False
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SCROLL_SETTLE_S):
            pressed = bool(await page.evaluate(_PRESS, list(presses.labels)))
            if pressed:
                await recorder.at_rest(SCROLL_QUIET_S)
    return pressed


_BACKGROUND: set[asyncio.Task[None]] = set()


def _close_soon(page: Page) -> None:
    _in_background(page.close())


def _dismiss_soon(dialog: Dialog) -> None:
    _in_background(dialog.dismiss())


def _in_background(work: object) -> None:
    async def run() -> None:
        with contextlib.suppress(PlaywrightError):
            await work  # type: ignore[misc]

    task = asyncio.ensure_future(run())
    _BACKGROUND.add(task)
    task.add_done_callback(_BACKGROUND.discard)


def _check_outcome(target: Target, url: str, html: str, proxy: FilteringProxy, limits: RenderLimits) -> None:
    """Refuse what only looks like a page: the proxy's own words, or a part of something too large."""
    refused = proxy.refusals.get(authority_of(url))
    if refused is not None:
        raise refused
    if proxy.is_exhausted:
        raise _failed(target, "too_large", f"it loads more than {limits.transfer_bytes_max} bytes")
    if len(html) > limits.html_chars_max:
        raise _failed(target, "too_large", f"its document is longer than {limits.html_chars_max} characters")


def _from_playwright(target: Target, error: PlaywrightError, proxy: FilteringProxy) -> FetchFailed:
    if proxy.is_exhausted:
        return _failed(target, "too_large", "it loads more than a page may")
    text = _first_line(error)
    refused = list(proxy.refusals.values())
    if refused and any(word in text for word in ("ERR_TUNNEL", "ERR_PROXY", "ERR_INVALID_RESPONSE")):
        return refused[-1]
    if "Download is starting" in text:
        return _failed(target, "decode", "it is a file to download, not a page")
    if "ERR_TOO_MANY_REDIRECTS" in text:
        return _failed(target, "too_many_redirects", "it redirects without end")
    if "ERR_CERT" in text or "ERR_SSL" in text:
        return _failed(target, "tls", f"its encryption is at fault ({text})")
    if "crashed" in text.lower() or "closed" in text.lower():
        return _failed(target, "protocol", "its scripts brought the browser down")
    return _failed(target, "protocol", f"the browser reports: {text}")


def _failed(target: Target, reason: FetchReason, fault: str) -> FetchFailed:
    return FetchFailed(
        f"{target.url} was not loaded in the browser: {fault}.",
        details={"url": target.url},
        retryable=reason == "timeout",
        reason=reason,
    )


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0].removeprefix("Page.goto: ")[:300] if lines else type(error).__name__
