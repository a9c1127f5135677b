"""What must never be reached, however it is spelled, resolved or redirected to."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address

import pytest
from tests.integration.fetch.servers import Names, Server, answer, serve

from meterhouse.platform.fetch import AddressPolicy, GuardedFetcher, check_reachable
from meterhouse.platform.fetch.addresses import IPAddress
from meterhouse.platform.ports import FetchFailed, FetchLimits

CLOSED = AddressPolicy()


async def refused(fetcher: GuardedFetcher, url: str, limits: FetchLimits | None = None) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        await fetcher.fetch(url, limits=limits)
    return caught.value


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
     "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "169.254.169.254", "10.0.0.1"],
)  # fmt: skip
async def test_private_targets_are_blocked(host: str) -> None:
    async with serve(answer()) as server, GuardedFetcher(CLOSED) as fetcher:
        failure = await refused(fetcher, server.url(host=host))
    assert failure.reason == "blocked_address"
    assert "METERHOUSE_FETCH_ALLOW" in failure.message
    assert not failure.retryable
    assert failure.details["url"] == server.url(host=host) or host.startswith("[")
    assert server.connections == 0


@pytest.mark.parametrize(
    "host", ["2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "127.1", "017700000001", "127.0.0.1.."]
)
async def test_odd_spellings_of_addresses_are_refused(host: str) -> None:
    # Refused even when loopback is allowed: two readers may take them for two different addresses.
    async with serve(answer()) as server:
        for policy in (CLOSED, AddressPolicy.parse("127.0.0.0/8")):
            async with GuardedFetcher(policy) as fetcher:
                assert (await refused(fetcher, server.url(host=host))).reason == "bad_url"
    assert server.connections == 0


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["::ffff:127.0.0.1"], ["10.1.2.3", "fd00::1"], ["fe80::1%lo"], ["0.0.0.0"]]
)
async def test_names_of_private_addresses_are_blocked(addresses: list[str]) -> None:
    names = Names(shop_test=[addresses])
    async with serve(answer()) as server, GuardedFetcher(CLOSED, resolver=names) as fetcher:
        failure = await refused(fetcher, server.url(host="shop.test"))
        with pytest.raises(FetchFailed, match=r"shop\.test resolves to"):
            await fetcher.check(server.url(host="shop.test"))
    assert failure.reason == "blocked_address"
    assert "shop.test" in failure.message
    assert failure.details["url"] == server.url(host="shop.test")
    assert server.connections == 0


async def test_only_permitted_addresses_of_a_name_are_connected_to() -> None:
    names = Names(shop_test=[["127.0.0.2", "127.0.0.1"]])
    async with serve(answer(b"two"), host="127.0.0.2") as forbidden:
        policy = AddressPolicy.parse("127.0.0.1")
        async with GuardedFetcher(policy, resolver=names) as fetcher:
            assert (await refused(fetcher, forbidden.url(host="shop.test"))).reason == "connect"
    assert forbidden.connections == 0


async def test_an_allowed_name_permits_only_itself_and_its_port() -> None:
    names = Names(shop_test=[["127.0.0.1"]], other_test=[["127.0.0.1"]])
    async with serve(answer()) as server, serve(answer()) as second:
        policy = AddressPolicy.parse(f"shop.test:{server.port}")
        async with GuardedFetcher(policy, resolver=names) as fetcher:
            assert (await fetcher.fetch(server.url(host="shop.test"))).status == 200
            for url in (server.url(host="other.test"), server.url(), second.url(host="shop.test")):
                assert (await refused(fetcher, url)).reason == "blocked_address"
    assert second.connections == 0


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    # The name server answers harmlessly once and then with the metadata service: one resolution only.
    names = Names(shop_test=[["127.0.0.1"], ["169.254.169.254"]])
    async with serve(answer(close=True)) as server:
        policy = AddressPolicy.parse("127.0.0.1")
        async with GuardedFetcher(policy, resolver=names) as fetcher:
            assert (await fetcher.fetch(server.url(host="shop.test"))).status == 200
            assert names.asked == ["shop.test"]
            assert (await refused(fetcher, server.url(host="shop.test"))).reason == "blocked_address"


async def test_a_check_beforehand_is_not_trusted_at_connect() -> None:
    names = Names(shop_test=[["127.0.0.1"], ["10.0.0.1"]])
    policy = AddressPolicy.parse("127.0.0.1")
    async with serve(answer()) as server, GuardedFetcher(policy, resolver=names) as fetcher:
        await fetcher.check(server.url(host="shop.test"))
        assert (await refused(fetcher, server.url(host="shop.test"))).reason == "blocked_address"
    assert server.connections == 0


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.2:{port}/", "blocked_address"),
        ("http://10.0.0.1/", "blocked_address"),
        ("http://inside.test/", "blocked_address"),
        ("http://[::ffff:169.254.169.254]/latest/meta-data", "blocked_address"),
        ("http://2130706433/", "bad_url"),
        ("file:///etc/passwd", "bad_url"),
        ("gopher://127.0.0.1/", "bad_url"),
        ("http://user:secret@127.0.0.1/", "bad_url"),
        ("http://[::1", "bad_url"),
        ("http://127.0.0.1:0/", "bad_url"),
    ],
)
async def test_redirects_are_checked_like_the_first_address(location: str, reason: str) -> None:
    names = Names(inside_test=[["192.168.0.1"]])
    policy = AddressPolicy.parse("127.0.0.1")
    async with serve(answer(), host="127.0.0.2") as forbidden:
        handler = answer(b"", "302 Found", {"Location": location.format(port=forbidden.port)})
        async with serve(handler) as server, GuardedFetcher(policy, resolver=names) as fetcher:
            failure = await refused(fetcher, server.url())
    assert failure.reason == reason
    assert failure.details["requested_url"] == server.url()
    assert "secret" not in failure.message
    assert forbidden.connections == 0


async def test_endless_redirects_end() -> None:
    async with (
        serve(answer(b"", "302 Found", {"Location": "/again"})) as server,
        GuardedFetcher(AddressPolicy.parse("127.0.0.1")) as fetcher,
    ):
        failure = await refused(fetcher, server.url(), FetchLimits(redirects_max=3))
    assert failure.reason == "too_many_redirects"
    assert len(server.seen) == 4


async def test_names_that_do_not_resolve() -> None:
    async def unknown(host: str, port: int) -> tuple[IPAddress, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def busy(host: str, port: int) -> tuple[IPAddress, ...]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    async def empty(host: str, port: int) -> tuple[IPAddress, ...]:
        return ()

    for resolver, retryable in ((unknown, False), (busy, True), (empty, True)):
        async with GuardedFetcher(CLOSED, resolver=resolver) as fetcher:
            failure = await refused(fetcher, "http://nowhere.test/")
        assert (failure.reason, failure.retryable) == ("dns", retryable)
        assert "nowhere.test" in failure.message


async def test_a_silent_name_server_is_not_waited_for() -> None:
    async def silent(host: str, port: int) -> tuple[IPAddress, ...]:
        await asyncio.sleep(60)
        return (ip_address("1.1.1.1"),)

    async with GuardedFetcher(CLOSED, resolver=silent) as fetcher:
        failure = await refused(fetcher, "http://slow.test/", FetchLimits(connect_timeout_s=0.05))
    assert failure.reason == "timeout"
    assert failure.retryable


async def test_check_reachable_without_a_fetcher() -> None:
    names = Names(shop_test=[["1.1.1.1"]], inside_test=[["10.0.0.1"]])
    target = await check_reachable("https://shop.test/x", CLOSED, names)
    assert (target.host, target.port) == ("shop.test", 443)
    with pytest.raises(FetchFailed):
        await check_reachable("https://inside.test/", CLOSED, names)


def test_server_addresses_are_shown_as_in_urls() -> None:
    assert Server("[::1]", 80).url("/x") == "http://[::1]:80/x"
