"""One job's way to the network: asks whether the page has changed, and remembers what the site said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from meterhouse.kernel.hosts import host_of
from meterhouse.platform.ports import Fetched, Fetcher, FetchLimits

VALIDATOR_LENGTH_MAX = 1_000
# With these a site may say when to come back (RFC 9110, 10.2.3).
ASKS_FOR_QUIET = frozenset({429, 503})


@dataclass(frozen=True)
class Validators:
    """What a site calls one state of a page (RFC 9110, 8.8)."""

    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Validators:
        etag, last_modified = (headers.get(name, "") for name in ("etag", "last-modified"))
        return cls(_kept(etag), _kept(last_modified))

    @property
    def headers(self) -> dict[str, str]:
        """The headers that ask for the page only if it has another state now."""
        named = {"if-none-match": self.etag, "if-modified-since": self.last_modified}
        return {name: value for name, value in named.items() if value}


class NotModified(Exception):
    """The site says that the page is still in the state that was read before."""


@dataclass
class JobVisit:
    """`ports.Fetcher` for one job at one address.

    Raises `NotModified` instead of an answer when `known` still holds. `seen` are the validators of the page
    as it was read, `retry_after` what the site last asked for, and which of its hosts.
    """

    fetcher: Fetcher
    url: str
    known: Validators | None = None
    seen: Validators | None = None
    retry_after: tuple[str, str] | None = None
    _is_begun: bool = False

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limits: FetchLimits | None = None,
    ) -> Fetched:
        is_page = not self._is_begun and url == self.url and method == "GET"
        self._is_begun = True
        asked = self.known.headers if is_page and self.known is not None else {}
        given = {**(headers or {}), **asked}
        fetched = await self.fetcher.fetch(url, method=method, headers=given, body=body, limits=limits)
        if fetched.status == 304 and asked:
            if not fetched.redirects:
                raise NotModified
            # Another address than the one that named the state: its word does not count.
            fetched = await self.fetcher.fetch(url, method=method, headers=headers, limits=limits)
        if is_page and fetched.status == 200 and not fetched.redirects:
            self.seen = Validators.of(fetched.headers)
        if fetched.status in ASKS_FOR_QUIET and "retry-after" in fetched.headers:
            self.retry_after = (host_of(fetched.url), fetched.headers["retry-after"])
        return fetched


def _kept(value: str) -> str | None:
    return value if value and len(value) <= VALIDATOR_LENGTH_MAX and value.isprintable() else None
