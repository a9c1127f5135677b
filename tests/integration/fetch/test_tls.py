"""TLS under the host's own name, over a connection pinned to a checked address."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from tests.integration.fetch.servers import Names, answer, serve

from meterhouse.platform.fetch import AddressPolicy, GuardedFetcher
from meterhouse.platform.ports import FetchFailed

FOLDER = Path(__file__).parent / "tls"
POLICY = AddressPolicy.parse("127.0.0.1")


def server_context(names_seen: list[str | None] | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "shop.pem")
    if names_seen is not None:
        context.sni_callback = lambda _socket, name, _context: names_seen.append(name)
    return context


def client_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=FOLDER / "ca.pem")


async def test_the_certificate_is_checked_against_the_host_name() -> None:
    seen: list[str | None] = []
    names = Names(shop_test=[["127.0.0.1"]], other_test=[["127.0.0.1"]])
    async with (
        serve(answer(b"sealed"), tls=server_context(seen)) as server,
        GuardedFetcher(POLICY, resolver=names, ssl_context=client_context()) as fetcher,
    ):
        fetched = await fetcher.fetch(f"https://shop.test.:{server.port}/")
        assert fetched.body == b"sealed"
        assert fetched.url == f"https://shop.test:{server.port}/"
        with pytest.raises(FetchFailed, match="certificate is not valid") as caught:
            await fetcher.fetch(f"https://other.test:{server.port}/")
    assert caught.value.reason == "tls"
    assert seen == ["shop.test", "other.test"]


async def test_an_unknown_authority_is_refused() -> None:
    names = Names(shop_test=[["127.0.0.1"]])
    async with (
        serve(answer(), tls=server_context()) as server,
        GuardedFetcher(POLICY, resolver=names) as fetcher,
    ):
        with pytest.raises(FetchFailed) as caught:
            await fetcher.fetch(f"https://shop.test:{server.port}/")
    assert caught.value.reason == "tls"
    assert not caught.value.retryable


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
async def test_a_server_without_tls_is_told_apart(greeting: bytes) -> None:
    async def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening, GuardedFetcher(POLICY) as fetcher:
        with pytest.raises(FetchFailed) as caught:
            await fetcher.fetch(f"https://127.0.0.1:{port}/")
    assert caught.value.reason == "tls"


async def test_credentials_do_not_go_from_https_to_http() -> None:
    names = Names(shop_test=[["127.0.0.1"]])
    async with serve(answer()) as plain:
        handler = answer(b"", "302 Found", {"Location": plain.url(host="shop.test")})
        async with (
            serve(handler, tls=server_context()) as server,
            GuardedFetcher(POLICY, resolver=names, ssl_context=client_context()) as fetcher,
        ):
            await fetcher.fetch(f"https://shop.test:{server.port}/", headers={"Authorization": "Bearer s"})
    assert server.seen[0].headers["authorization"] == "Bearer s"
    assert "authorization" not in plain.seen[0].headers
