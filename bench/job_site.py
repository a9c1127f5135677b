"""A site to collect from: listings of products as shops have them, from a process of its own.

    python -m bench.job_site          prints its port; `GET /round/2` changes a third of the pages

It answers with prepared bytes, because it shares the machine with what is measured.
"""

from __future__ import annotations

import asyncio
import socket
import sys

import uvloop

PRODUCTS = 24
CHANGED_EVERY = 3

_CARD = """
<article class="product-card grid__item" data-sku="SKU-{page}-{at}">
  <a class="product-card__media" href="/p/{page}-{at}"><img src="/img/{page}-{at}.jpg" alt=""></a>
  <div class="product-card__body">
    <h3 class="product-card__title"><a href="/p/{page}-{at}">Walking shoe {page} model {at}</a></h3>
    <p class="product-card__text">Waterproof, light and made for long days on stony paths, number {at}.</p>
    <div class="product-card__row"><span class="price">€ {price}.95</span>
      <span class="stock stock--in">In stock</span><button type="button">Add to basket</button></div>
  </div>
</article>"""
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shoes, page {page}</title>
<link rel="stylesheet" href="/main.css"><script>window.dataLayer = [];</script></head><body>
<header class="site-header"><nav>{links}</nav></header><main><h1>Walking shoes</h1>
<div class="grid">{cards}</div></main><footer><nav>{links}</nav><p>© Shop</p></footer></body></html>"""
_LINKS = "".join(f'<a class="nav__link" href="/c/{at}">Category {at}</a>' for at in range(20))


def page(number: int, turn: int) -> bytes:
    """One listing; in later turns a third of the pages has other prices."""
    extra = turn if number % CHANGED_EVERY == 0 else 1
    cards = "".join(
        _CARD.format(page=number, at=at, price=20 + (number * 7 + at * 13) % 300 + extra)
        for at in range(PRODUCTS)
    )
    body = _PAGE.format(page=number, links=_LINKS, cards=cards).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: %d\r\n\r\n" % len(
        body
    )
    return head + body


class _Site(asyncio.Protocol):
    turn = 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            folder, _, name = path.strip("/").partition("/")
            number = int(name) if name.isdigit() else 0
            if folder == "round":
                _Site.turn = number
            self._transport.write(page(number, _Site.turn))  # type: ignore[attr-defined]


async def _serve() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    server = await asyncio.get_running_loop().create_server(_Site, sock=listener)
    print(listener.getsockname()[1], flush=True)
    async with server:
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(_serve())
