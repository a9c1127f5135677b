"""What a site's robots.txt allows (RFC 9309), remembered for a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from protego import Protego

from meterhouse.platform.ports import Fetcher, FetchFailed, FetchLimits

AGENT = "Meterhouse"
SITES_MAX = 1_000
KEPT_S = 3_600.0
# A site whose rules cannot be read is left alone, and soon asked again.
KEPT_UNREADABLE_S = 60.0
CRAWL_DELAY_MAX_S = 30.0
_LIMITS = FetchLimits(connect_timeout_s=10.0, total_timeout_s=15.0, body_bytes_max=2_000_000)
_READ_BYTES_MAX = 512_000


@dataclass(frozen=True)
class _Rules:
    """`rules` are none where nothing is forbidden; `is_closed` forbids everything for the time being."""

    rules: Protego | None
    is_closed: bool
    until: float


class Robots:
    """Reads each site's rules once an hour, through the given fetcher."""

    def __init__(self, fetcher: Fetcher, *, now: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._now = now
        self._known: OrderedDict[str, _Rules] = OrderedDict()

    async def check(self, url: str) -> float:
        """Seconds that the site wants between requests. Raises `FetchFailed` (`robots`) if it wants none."""
        parts = urlsplit(url)
        found = await self._of(f"{parts.scheme}://{parts.netloc}")
        if found.is_closed:
            raise FetchFailed(
                f"{url} was not fetched: its robots.txt cannot be read at present, which closes the site.",
                details={"url": url},
                retryable=True,
                reason="robots",
            )
        if found.rules is None:
            return 0.0
        if not found.rules.can_fetch(url, AGENT):
            raise FetchFailed(
                f"{url} was not fetched: the site's robots.txt excludes it.",
                details={"url": url},
                reason="robots",
            )
        return min(CRAWL_DELAY_MAX_S, max(0.0, found.rules.crawl_delay(AGENT) or 0.0))

    async def _of(self, origin: str) -> _Rules:
        found = self._known.get(origin)
        if found is None or found.until <= self._now():
            found = await self._read(origin)
            self._known[origin] = found
            if len(self._known) > SITES_MAX:
                self._known.popitem(last=False)
        self._known.move_to_end(origin)
        return found

    async def _read(self, origin: str) -> _Rules:
        try:
            answer = await self._fetcher.fetch(f"{origin}/robots.txt", limits=_LIMITS)
        except FetchFailed:
            return _Rules(None, True, self._now() + KEPT_UNREADABLE_S)
        if answer.status >= 500 or answer.status == 429:
            return _Rules(None, True, self._now() + KEPT_UNREADABLE_S)
        if not 200 <= answer.status < 300:
            return _Rules(None, False, self._now() + KEPT_S)
        text = answer.body[:_READ_BYTES_MAX].decode("utf-8", "replace")
        return _Rules(Protego.parse(text), False, self._now() + KEPT_S)
