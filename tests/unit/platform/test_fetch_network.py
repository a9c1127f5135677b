"""The network backend: which socket is opened, seen through a recording one."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

import httpcore
import pytest

from meterhouse.platform.fetch.addresses import IPAddress
from meterhouse.platform.fetch.guard import AddressPolicy
from meterhouse.platform.fetch.network import ADDRESSES_TRIED_MAX, GuardedBackend, resolve_by_system
from meterhouse.platform.ports import FetchFailed


class Sockets(httpcore.AsyncNetworkBackend):
    """Records every connect; those to `dead` addresses fail."""

    def __init__(self, *dead: str) -> None:
        self.dead = dead
        self.opened: list[tuple[str, int]] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.opened.append((host, port))
        if host in self.dead:
            raise httpcore.ConnectError(OSError(111, "Connection refused"))
        return httpcore.AsyncMockStream([])


def backend_of(sockets: Sockets, *addresses: str, allow: str = "") -> GuardedBackend:
    async def resolve(host: str, port: int) -> tuple[IPAddress, ...]:
        return tuple(ip_address(text) for text in addresses)

    return GuardedBackend(AddressPolicy.parse(allow), resolve, sockets)


async def test_only_public_addresses_of_a_name_are_opened() -> None:
    sockets = Sockets()
    await backend_of(sockets, "127.0.0.1", "::1", "1.1.1.1", "10.0.0.1").connect_tcp("mixed.test", 443)
    assert sockets.opened == [("1.1.1.1", 443)]


async def test_mapped_addresses_are_opened_as_what_they_are() -> None:
    sockets = Sockets()
    await backend_of(sockets, "::ffff:1.1.1.1").connect_tcp("mapped.test", 80)
    await backend_of(sockets).connect_tcp("::ffff:8.8.8.8", 80)
    assert sockets.opened == [("1.1.1.1", 80), ("8.8.8.8", 80)]


async def test_addresses_are_tried_in_order_and_not_without_end() -> None:
    many = [f"1.1.1.{n}" for n in range(1, 20)]
    sockets = Sockets(*many)
    with pytest.raises(FetchFailed, match="Connection refused") as caught:
        await backend_of(sockets, *many).connect_tcp("many.test", 80)
    assert caught.value.reason == "connect"
    assert [host for host, _ in sockets.opened] == many[:ADDRESSES_TRIED_MAX]


async def test_refused_hosts_open_nothing() -> None:
    sockets = Sockets()
    for host in ("127.0.0.1", "::1", "name.test", "2130706433", "0x7f.1"):
        with pytest.raises(FetchFailed):
            await backend_of(sockets, "192.168.0.1").connect_tcp(host, 80)
    assert sockets.opened == []


async def test_local_sockets_are_no_targets() -> None:
    with pytest.raises(FetchFailed):
        await backend_of(Sockets()).connect_unix_socket("/run/some.sock")


async def test_the_system_resolver_knows_localhost() -> None:
    found = await resolve_by_system("localhost", 80)
    assert found
    assert all(address.is_loopback for address in found)
