"""Pages that tests change at will, and a fetcher that serves them without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from meterhouse.platform.ports import Fetched, FetchFailed, FetchLimits

SHOP = "https://shop.example/phones"


def shop_page(*prices: float, names: str = "ABCDEFGHIJ") -> str:
    """A list of phones, one per price."""
    rows = "".join(
        f'<li class="product"><a href="/phones/{name.lower()}"><h2 class="title">Phone {name}</h2></a>'
        f'<span class="price">${price:.2f}</span></li>'
        for name, price in zip(names, prices, strict=False)
    )
    return (
        "<html><head><title>Shop</title></head><body><nav><a href='/'>Home</a></nav>"
        f"<main><h1>Phones</h1><ul>{rows}</ul></main><footer>Imprint</footer></body></html>"
    )


@dataclass
class FakeFetcher:
    """`ports.Fetcher` over a table of pages: text, a status, or an error to raise. Counts its calls.

    With an `etag` among its headers it answers 304 to who names it.
    """

    pages: dict[str, str | bytes | int | Exception] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/html"})
    calls: list[str] = field(default_factory=list)
    conditions: list[dict[str, str]] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        limits: FetchLimits | None = None,
    ) -> Fetched:
        self.calls.append(url)
        if self.hold is not None:
            await self.hold.wait()
        page = self.pages.get(url, 404)
        if isinstance(page, Exception):
            raise page
        named = {name: one for name, one in (headers or {}).items() if name.startswith("if-")}
        self.conditions.append(named)
        if named.get("if-none-match", "") == self.headers.get("etag"):
            return Fetched(url, 304, self.headers, b"")
        if isinstance(page, int):
            return Fetched(url, page, self.headers, b"<html><body>no</body></html>")
        return Fetched(url, 200, self.headers, page.encode() if isinstance(page, str) else page)


def unreachable(url: str) -> FetchFailed:
    return FetchFailed(f"No connection to {url}: refused.", reason="connect", retryable=True)
