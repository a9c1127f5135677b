"""Which IP addresses belong to the public internet."""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

# What `is_global` of the supported Python versions lets through although nothing public answers there.
_V4_REFUSED = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments: older Pythons know only parts of it
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, withdrawn by RFC 7526
    IPv4Network("224.0.0.0/4"),  # multicast
    IPv4Network("240.0.0.0/4"),  # reserved, and the broadcast address
)

# IPv6 is judged by what is assigned, not by what is known to be special: new special ranges appear
# outside 2000::/3 or are listed here.
_V6_UNICAST = IPv6Network("2000::/3")
_V6_REFUSED = (
    IPv6Network("2001::/23"),  # protocol assignments: Teredo, benchmarking, ORCHID
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4 carries any IPv4 address, private ones too
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_MAPPED_BITS = 96
_NAT64 = IPv6Network("64:ff9b::/96")


def canonical(address: IPAddress) -> IPAddress:
    """Return the address a connection really goes to: IPv4-mapped IPv6 becomes plain IPv4."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def canonical_network(network: IPNetwork) -> IPNetwork:
    """Return the network in the family its addresses have after `canonical`."""
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        first = int(network.network_address) & 0xFFFF_FFFF
        return IPv4Network((first, network.prefixlen - _MAPPED_BITS))
    return network


def is_public(address: IPAddress) -> bool:
    """Tell whether an address is globally routable unicast.

    IPv6 forms that carry an IPv4 address are public only where that is how they are used: mapped and
    NAT64 (`64:ff9b::/96`, what DNS64 answers on IPv6-only networks) follow the address inside; 6to4,
    Teredo and IPv4-compatible forms are refused whatever they carry. Scoped addresses are refused.
    """
    address = canonical(address)
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _V4_REFUSED)
    if address.scope_id is not None:
        return False
    if address in _NAT64:
        return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
    return (
        address in _V6_UNICAST
        and address.is_global
        and not any(address in network for network in _V6_REFUSED)
    )


def parse_address(text: str) -> IPAddress | None:
    """Read an address in its standard spelling (IPv6 with or without brackets); `None` when it is none."""
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
        if ":" not in text:
            return None
    try:
        return canonical(ip_address(text))
    except ValueError:
        return None


def parse_network(text: str) -> IPNetwork | None:
    """Read a CIDR or a single address as a network; `None` when it is neither or has host bits set."""
    address = parse_address(text)
    if address is not None:
        return ip_network(address)
    try:
        return canonical_network(ip_network(text))
    except ValueError:
        return None
