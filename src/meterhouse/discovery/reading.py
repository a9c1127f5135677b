"""One page, fetched and read. Whatever the site does ends in a `Reading`, never in an error."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from http import HTTPStatus

import structlog

from meterhouse.discovery import engine
from meterhouse.discovery.model import Method, PageToRead, Reading, Search
from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import MeterhouseError
from meterhouse.platform.ports import Fetcher, FetchLimits

log = structlog.get_logger(__name__)

_SITEMAP_LIMITS = FetchLimits(body_bytes_max=engine.SITEMAP_BYTES_MAX)
_GONE = (404, 410)


async def read(fetcher: Fetcher, search: Search, page: PageToRead) -> Reading:
    """Fetch a page and find what it leads to."""
    started = time.monotonic()
    try:
        found = await (_sitemap if search.method is Method.SITEMAP else _page)(fetcher, search, page)
    except MeterhouseError as error:
        is_end = search.method is Method.PAGINATION and getattr(error, "status", None) in _GONE
        found = Reading(error=error.message, is_end=is_end)
    except engine.NotReadable as error:
        found = Reading(error=f"{page.url} {error}.")
    except Exception as error:
        log.exception("discovery.fault", url=page.url, error=type(error).__name__)
        found = Reading(
            error=f"{page.url} could not be read because of a fault in this server; its log has more."
        )
    if found.error and search.method is Method.PAGINATION and not found.is_end:
        found = replace(found, pages=_next(search, page), is_end=page.number + 1 >= search.max_pages)
    return replace(found, spent_ms=round(1000 * (time.monotonic() - started)))


async def _sitemap(fetcher: Fetcher, search: Search, page: PageToRead) -> Reading:
    fetched = await fetcher.fetch(page.url, limits=_SITEMAP_LIMITS)
    if not 200 <= fetched.status < 300:
        try:
            words = f"{fetched.status} {HTTPStatus(fetched.status).phrase}"
        except ValueError:
            words = str(fetched.status)
        hint = "Try again later." if fetched.status >= 500 or fetched.status == 429 else "Check the address."
        return Reading(error=f"The sitemap {page.url} answered {words}. {hint}")
    return await asyncio.to_thread(engine.read_sitemap, search, replace(page, url=fetched.url), fetched.body)


async def _page(fetcher: Fetcher, search: Search, page: PageToRead) -> Reading:
    fetched = await extraction.fetch_page(fetcher, page.url)
    read_one = engine.read_numbered if search.method is Method.PAGINATION else engine.read_links
    found = await asyncio.to_thread(read_one, search, page, fetched.page.url, fetched.page.html)
    return replace(found, bytes=fetched.bytes)


def _next(search: Search, page: PageToRead) -> tuple[str, ...]:
    return () if page.number + 1 >= search.max_pages else (engine.numbered(search, page.number + 1),)
