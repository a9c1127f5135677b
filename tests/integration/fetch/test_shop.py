"""The demo shop behind a real server, visited through the guard."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from meterhouse.demo.shop import create_shop
from meterhouse.kernel.clock import TestClock
from meterhouse.platform.fetch import AddressPolicy, GuardedFetcher


async def test_the_shop_is_fetched_page_by_page() -> None:
    shop = create_shop(TestClock(datetime(2026, 3, 1, 12, 0, tzinfo=UTC)))
    app = Starlette(routes=[Mount("/demo/shop", shop)])
    listening = socket.create_server(("127.0.0.1", 0))
    base = f"http://localhost:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    running = asyncio.create_task(server.serve([listening]))
    try:
        async with GuardedFetcher(AddressPolicy.parse("localhost")) as fetcher:
            first = await fetcher.fetch(f"{base}/demo/shop")
            second = await fetcher.fetch(f"{base}/demo/shop/?page=2")
            product = await fetcher.fetch(f"{base}/demo/shop/p/TEA-001/")
            missing = await fetcher.fetch(f"{base}/demo/shop/p/TEA-999/")
    finally:
        server.should_exit = True
        await running
    assert (first.url, first.redirects) == (f"{base}/demo/shop/", (f"{base}/demo/shop",))
    assert first.body.count(b"<article") == second.body.count(b"<article") == 12
    assert (product.status, missing.status) == (200, 404)
