"""From an address to a page that the engine can read, or to a sentence that says why there is none."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

from meterhouse.extraction.capture.requests import Prepared
from meterhouse.extraction.capture.tokens import cookies_of
from meterhouse.extraction.model import Page
from meterhouse.extraction.stored import PageNotFetched
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.platform.ports import Browser, Fetched, Fetcher, FetchFailed, Presses, Rendered

URL_LENGTH_MAX = 8_000
_ACCEPT = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.8,*/*;q=0.5"}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:+-]{1,40})", re.IGNORECASE)
_FORBIDDEN_CHARS = re.compile(r"[\x00-\x20\x7f]")
_READABLE_APPLICATION = re.compile(
    r"application/(?:[\w.-]+\+)?(?:xml|json|html)|application/(?:octet-stream|javascript)"
)
# Names that browsers read as windows-1252, because that is what pages so labelled are written in.
_LATIN = frozenset({"iso8859-1", "ascii"})
_UNSAFE_CODECS = frozenset({"utf-7", "idna", "punycode", "unicode_escape", "raw_unicode_escape"})

_HINTS = {
    401: "The page needs a login, which this server does not have.",
    403: "The site refuses automated visits to it.",
    404: "Check the address.",
    410: "Check the address.",
    429: "The site asks for fewer requests; try again later.",
}
_FETCH_HINTS = {
    "dns": "Check the host name.",
    "connect": "Check the address, or try again when the site is up.",
    "timeout": "Try again later, or choose a lighter page.",
    "tls": "The site's certificate or encryption is at fault; nothing was read.",
    "robots": "Ask its owner for access, or choose another page.",
}


@dataclass(frozen=True)
class FetchedPage:
    """A page with what is worth remembering of its fetch."""

    page: Page
    status: int
    bytes: int
    cookies: Mapping[str, str] = field(default_factory=dict)


def check_url(url: object, *, name: str = "url") -> str:
    """Accept an absolute http(s) address. Raises `Invalid` that names the field and shows the address."""
    text = url.strip() if isinstance(url, str) else ""
    fault = "" if text else "an address is needed"
    if not fault:
        try:
            parts = urlsplit(text)
            if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
                fault = "it must begin with http:// or https:// and name a host"
            elif _FORBIDDEN_CHARS.search(text):
                fault = "it contains white space or control characters"
            elif parts.port == 0 or len(text) > URL_LENGTH_MAX:
                fault = f"its port must be 1 to 65535 and its length at most {URL_LENGTH_MAX} characters"
        except ValueError as error:
            fault = f"it is not well formed ({error})"
    if fault:
        shown = text if len(text) <= 200 else f"{text[:199]}…"
        raise Invalid(
            f"Invalid URL format: {name} {shown!r}: {fault}.", issues=(Issue((name,), fault, input=shown),)
        )
    return text


async def fetch_page(fetcher: Fetcher, url: str) -> FetchedPage:
    """Fetch a page. Raises `PageNotFetched` for anything but a complete 2xx answer of a readable type."""
    try:
        fetched = await fetcher.fetch(url, headers=_ACCEPT)
    except FetchFailed as error:
        raise not_fetched(url, error) from error
    _check_answer(url, fetched)
    return FetchedPage(
        Page(fetched.url, decode(fetched)), fetched.status, len(fetched.body), cookies_of(fetched.headers)
    )


async def fetch_answer(fetcher: Fetcher, prepared: Prepared, *, page_url: str) -> FetchedPage:
    """Make the request of a strategy; its answer counts as found on the page. Raises like `fetch_page`."""
    try:
        fetched = await fetcher.fetch(
            prepared.url, method=prepared.method, headers=prepared.headers, body=prepared.body
        )
    except FetchFailed as error:
        raise not_fetched(prepared.url, error) from error
    _check_answer(prepared.url, fetched)
    return FetchedPage(Page(page_url, decode(fetched)), fetched.status, len(fetched.body))


async def draw_page(
    browser: Browser, url: str, presses: Presses | None = None
) -> tuple[FetchedPage, Rendered]:
    """Load a page in the browser. Raises `PageNotFetched`, or `BrowserMissing`."""
    try:
        drawn = await browser.load(url, presses=presses)
    except FetchFailed as error:
        raise not_fetched(url, error) from error
    if not 200 <= drawn.status < 300:
        _check_answer(url, Fetched(drawn.url, drawn.status, {}, b""))
    return FetchedPage(Page(drawn.url, drawn.html), drawn.status, drawn.bytes), drawn


def not_fetched(url: str, error: FetchFailed) -> PageNotFetched:
    """The same failure as one of the page, with advice."""
    hint = _FETCH_HINTS.get(error.reason, "")
    return PageNotFetched(
        f"The page {url} could not be fetched. {error.message} {hint}".strip(),
        details=error.details,
        retryable=error.retryable,
        url=url,
        reason=error.reason,
    )


def _check_answer(url: str, fetched: Fetched) -> None:
    if not 200 <= fetched.status < 300:
        hint = _HINTS.get(
            fetched.status, "Try again later." if fetched.status >= 500 else "Check the address."
        )
        moved = f" (at {fetched.url})" if fetched.url != url else ""
        raise PageNotFetched(
            f"The page {url} answered {_status_words(fetched.status)}{moved}. {hint}",
            details={"url": url, "status": fetched.status},
            retryable=fetched.status >= 500 or fetched.status == 429,
            url=url,
            reason="status",
            status=fetched.status,
        )
    kind = content_type(fetched.headers)
    if kind and not kind.startswith("text/") and not _READABLE_APPLICATION.fullmatch(kind):
        raise PageNotFetched(
            f"The address {url} holds {kind}, not a web page. Choose an address that answers with HTML.",
            details={"url": url, "content_type": kind},
            url=url,
            reason="not_a_page",
            status=fetched.status,
        )


def content_type(headers: Mapping[str, str]) -> str:
    """The media type without parameters, lower case; empty when none is given."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def decode(fetched: Fetched) -> str | bytes:
    """The body as text when the answer names a charset, else as bytes for the engine to look into.

    A byte order mark wins over the header, as in browsers.
    """
    named = _CHARSET.search(fetched.headers.get("content-type", ""))
    if named is None or fetched.body.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return fetched.body
    try:
        codec = codecs.lookup(named.group(1)).name
        if codec in _UNSAFE_CODECS:
            return fetched.body
        return fetched.body.decode("windows-1252" if codec in _LATIN else codec, "replace")
    except (LookupError, ValueError):  # an unknown name, or a codec that is no text encoding
        return fetched.body


def pack(page: Page) -> bytes:
    """The page's document in few bytes; a first byte tells text from undecoded bytes."""
    html = page.html
    return zlib.compress(b"t" + html.encode("utf-8", "replace") if isinstance(html, str) else b"b" + html, 6)


def unpack(url: str, packed: bytes) -> Page:
    """The page that `pack` was given."""
    raw = zlib.decompress(packed)
    return Page(url, raw[1:].decode("utf-8") if raw[:1] == b"t" else raw[1:])


def _status_words(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
