"""Which addresses are public: the known special ranges, and any way to hide one inside another."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meterhouse.platform.fetch.addresses import (
    canonical,
    canonical_network,
    is_public,
    parse_address,
    parse_network,
)

# The special-purpose registries of IANA, written down here and not asked of the standard library.
SPECIAL_V4 = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
SPECIAL_V6 = [
    IPv6Network(text)
    for text in (
        "::/128", "::1/128", "::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:2::/48",
        "2001:10::/28", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
        "fec0::/10", "ff00::/8",
    )
]  # fmt: skip


def inside(network: IPv4Network | IPv6Network) -> st.SearchStrategy[int]:
    return st.integers(int(network.network_address), int(network.broadcast_address))


special_v4 = st.sampled_from(SPECIAL_V4).flatmap(inside).map(IPv4Address)
special_v6 = st.sampled_from(SPECIAL_V6).flatmap(inside).map(IPv6Address)
any_v4 = st.integers(0, 2**32 - 1).map(IPv4Address)
any_v6 = st.integers(0, 2**128 - 1).map(IPv6Address)
carriers = st.sampled_from(["::ffff:0:0", "64:ff9b::", "::", "64:ff9b:1::"])


@given(special_v4 | special_v6)
def test_no_special_address_is_public(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(address)


@given(any_v4)
@example(IPv4Address("1.1.1.1"))
def test_every_other_ipv4_address_is_public(address: IPv4Address) -> None:
    assert is_public(address) == (not any(address in network for network in SPECIAL_V4))


@given(any_v6)
def test_public_ipv6_is_assigned_unicast(address: IPv6Address) -> None:
    if is_public(address):
        assert address in IPv6Network("2000::/3") or address in IPv6Network("64:ff9b::/96")


@given(special_v4, carriers)
def test_no_form_hides_a_special_ipv4_address(address: IPv4Address, carrier: str) -> None:
    assert not is_public(IPv6Address(int(IPv6Address(carrier)) | int(address)))


@given(any_v4, st.integers(0, 2**80 - 1))
def test_tunnels_are_never_public(address: IPv4Address, rest: int) -> None:
    assert not is_public(IPv6Address((0x2002 << 112) | (int(address) << 80) | rest))
    assert not is_public(IPv6Address((0x2001_0000 << 96) | (rest & (2**64 - 1)) << 32 | int(address)))


@given(any_v4)
def test_mapped_and_translated_addresses_follow_the_one_inside(address: IPv4Address) -> None:
    mapped = IPv6Address(f"::ffff:{address}")
    assert canonical(mapped) == address
    assert is_public(mapped) == is_public(address)
    assert is_public(IPv6Address(int(IPv6Address("64:ff9b::")) | int(address))) == is_public(address)


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "2a00:1450::"]
)
def test_well_known_public_addresses(text: str) -> None:
    assert is_public(ip_address(text))


def test_scoped_addresses_are_never_public() -> None:
    assert not is_public(ip_address("2606:4700::1%eth0"))


@given(any_v4 | any_v6)
def test_addresses_are_read_back(address: IPv4Address | IPv6Address) -> None:
    assert parse_address(str(address)) == canonical(address)
    if isinstance(address, IPv6Address):
        assert parse_address(f"[{address}]") == canonical(address)


@pytest.mark.parametrize("text", ["", "1.2.3", "0177.0.0.1", "1.2.3.4.5", "[1.2.3.4]", "::g", "١.1.1.1"])
def test_other_texts_are_no_addresses(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("[::1]", "::1/128"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:127.0.0.1", "127.0.0.1/32"),
        ("fd00::/8", "fd00::/8"),
    ],
)
def test_networks(text: str, network: str) -> None:
    assert parse_network(text) == ip_network(network)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "ten", "/8"])
def test_texts_that_are_no_networks(text: str) -> None:
    assert parse_network(text) is None


def test_wider_ipv6_networks_stay_as_they_are() -> None:
    assert canonical_network(IPv6Network("::/0")) == IPv6Network("::/0")
