"""Who may be reached: reading targets strictly and the policy on addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address

import httpx
import idna

from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.platform.fetch.addresses import (
    IPAddress,
    IPNetwork,
    canonical,
    is_public,
    parse_address,
    parse_network,
)
from meterhouse.platform.ports import FetchFailed

ALLOW_SETTING = "METERHOUSE_FETCH_ALLOW"
URL_LENGTH_MAX = 16_384
HOST_LENGTH_MAX = 253
PORT_MAX = 65_535

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# Some resolvers read such a last label as part of an IPv4 address (`2130706433`, `0x7f.1`); a name
# of the public tree never ends like this.
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True)
class Target:
    """An address to fetch, taken apart once: what is checked here is what is connected to later.

    `host` is lower case, in ASCII, without brackets and without a final dot. `address` is set when
    the host is an IP address and not a name.
    """

    url: str
    scheme: str
    host: str
    port: int
    authority: str
    path_and_query: bytes
    address: IPAddress | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        return (self.scheme, self.host, self.port)


def parse_target(url: str) -> Target:
    """Read an `http` or `https` URL. Its fragment is dropped.

    Raises `FetchFailed` (`bad_url`) for anything unusual enough to be read in two ways: userinfo,
    ports outside 1..65535, IPv4 in other spellings than four decimal numbers, zone ids, odd host names.
    """
    text = url.strip()
    shown = _shown(text)
    if len(text) > URL_LENGTH_MAX:
        raise _bad_url(shown, f"it is longer than {URL_LENGTH_MAX} characters")
    try:
        parsed = httpx.URL(text)
        parsed = parsed.copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError) as error:
        raise _bad_url(shown, f"it cannot be read ({error})") from None
    if parsed.scheme not in _DEFAULT_PORTS:
        raise _bad_url(shown, "it must start with http:// or https://")
    if parsed.userinfo:
        raise _bad_url(shown, "it contains a user name or password; send credentials as a header instead")
    host = _check_host(parsed.raw_host.decode("ascii"), shown)
    port = parsed.port if parsed.port is not None else _DEFAULT_PORTS[parsed.scheme]
    if not 1 <= port <= PORT_MAX:
        raise _bad_url(shown, f"its port must lie between 1 and {PORT_MAX}")
    parsed = parsed.copy_with(host=host)
    return Target(
        url=str(parsed),
        scheme=parsed.scheme,
        host=host,
        port=port,
        authority=parsed.netloc.decode("ascii"),
        path_and_query=parsed.raw_path or b"/",
        address=parse_address(host),
    )


def _check_host(host: str, shown: str) -> str:
    """Return the host in its one canonical spelling, or refuse it."""
    if not host:
        raise _bad_url(shown, "it names no host")
    if ":" in host:
        if "%" in host:
            raise _bad_url(shown, "its host carries a zone id")
        return str(IPv6Address(host))
    host = host.removesuffix(".")
    if parse_address(host) is not None:
        return host
    if not is_host_name(host):
        if _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
            raise _bad_url(shown, "its host looks like an IPv4 address; write it as four decimal numbers")
        raise _bad_url(shown, f"{_shown(host)!r} is not a host name")
    return host


def is_host_name(text: str) -> bool:
    """Tell whether a lower-case ASCII text is a host name and cannot be taken for an IP address."""
    labels = text.split(".")
    return (
        len(text) <= HOST_LENGTH_MAX
        and all(_LABEL.fullmatch(label) for label in labels)
        and not _NUMERIC_LABEL.fullmatch(labels[-1])
    )


@dataclass(frozen=True)
class AddressPolicy:
    """What may be reached beside the public internet. The empty policy allows the public internet only.

    Each exception may be narrowed to one port; a port of `None` means all.
    """

    networks: tuple[tuple[IPNetwork, int | None], ...] = ()
    hosts: frozenset[tuple[str, int | None]] = frozenset()

    @classmethod
    def parse(cls, text: str) -> AddressPolicy:
        """Read the setting METERHOUSE_FETCH_ALLOW: CIDRs, IP addresses and host names, comma-separated.

        An address or host name may carry a port (`intranet:8080`, `127.0.0.1:8000`, `[::1]:8000`).
        Raises `Invalid` with one issue for each entry that is none of these.
        """
        networks: list[tuple[IPNetwork, int | None]] = []
        hosts: set[tuple[str, int | None]] = set()
        issues: list[Issue] = []
        for index, entry in _entries(text):
            parsed = _parse_entry(entry)
            if isinstance(parsed, Issue):
                issues.append(Issue((index,), parsed.message, "bad_entry", entry))
            elif isinstance(parsed[0], str):
                hosts.add((parsed[0], parsed[1]))
            else:
                networks.append((parsed[0], parsed[1]))
        if issues:
            raise Invalid(" ".join(issue.message for issue in issues), issues=issues)
        return cls(tuple(networks), frozenset(hosts))

    def allows_host(self, host: str, port: int) -> bool:
        """Tell whether a host name is listed, so that whatever it resolves to may be reached."""
        return (host, None) in self.hosts or (host, port) in self.hosts

    def permits(self, address: IPAddress, *, host: str, port: int) -> bool:
        """Tell whether a connection to `address`, found under the name `host`, may be opened."""
        address = canonical(address)
        return (
            is_public(address)
            or self.allows_host(host, port)
            or any(only in (None, port) and address in network for network, only in self.networks)
        )

    def select(self, target: Target, addresses: tuple[IPAddress, ...]) -> tuple[IPAddress, ...]:
        """Return the addresses of a target that may be reached, in their order.

        Raises `FetchFailed` (`blocked_address`) when none is left.
        """
        permitted = tuple(a for a in addresses if self.permits(a, host=target.host, port=target.port))
        if not permitted:
            raise blocked(target, addresses)
        return permitted


def check_url(url: str, policy: AddressPolicy) -> Target:
    """Check a URL as far as possible without the network: its form, and its host if that is an address.

    A name passes here and is judged by what it resolves to when somebody connects.
    Raises `FetchFailed` (`bad_url` or `blocked_address`).
    """
    target = parse_target(url)
    if target.address is not None:
        try:
            policy.select(target, (target.address,))
        except FetchFailed as failure:
            failure.details = {"url": target.url, **failure.details}
            raise
    return target


def blocked(target: Target, addresses: tuple[IPAddress, ...]) -> FetchFailed:
    """Describe a target whose addresses are all refused."""
    first = str(addresses[0])
    if target.address is not None:
        where, remedy = f"{first} is not a public address", first
    else:
        where = f"{target.host} resolves to {first}, which is not a public address"
        remedy = f"{target.host} or {first}"
    return FetchFailed(
        f"No connection to {target.authority} was opened: {where}. "
        f"If this server is meant to reach it, add {remedy} to {ALLOW_SETTING}.",
        details={"host": target.host, "port": target.port, "addresses": [str(a) for a in addresses]},
        reason="blocked_address",
    )


def _entries(text: str) -> Iterator[tuple[int, str]]:
    for index, entry in enumerate(text.split(",")):
        if entry.strip():
            yield index, entry.strip()


def _parse_entry(entry: str) -> tuple[IPNetwork | str, int | None] | Issue:
    """Read one entry of the setting, or say what is wrong with it."""
    network = parse_network(entry)
    if network is not None:
        return network, None
    if "/" in entry:
        return _bad_entry(entry, "is not a CIDR; write the network's first address, as in 10.0.0.0/8")
    name, colon, port_text = entry.rpartition(":")
    port: int | None = None
    if colon:
        if not (port_text.isascii() and port_text.isdigit() and 1 <= int(port_text) <= PORT_MAX):
            return _bad_entry(entry, f"has no port between 1 and {PORT_MAX} after its colon")
        port = int(port_text)
    else:
        name = entry
    # Only a bracketed IPv6 address may carry a port: without brackets its last group would be one.
    address = parse_address(name) if ":" not in name or name.startswith("[") else None
    if address is not None:
        network = parse_network(str(address))
        assert network is not None
        return network, port
    host = _ascii_host(name)
    if not is_host_name(host):
        return _bad_entry(entry, "is neither a CIDR nor an IP address nor a host name")
    return host, port


def _ascii_host(name: str) -> str:
    name = name.lower().removesuffix(".")
    if name.isascii():
        return name
    try:
        return idna.encode(name).decode("ascii")
    except idna.IDNAError:
        return ""


def _bad_entry(entry: str, fault: str) -> Issue:
    return Issue((), f"{ALLOW_SETTING}: the entry {entry!r} {fault}.")


def _bad_url(shown: str, fault: str) -> FetchFailed:
    return FetchFailed(
        f"The address {shown!r} cannot be fetched: {fault}.", details={"url": shown}, reason="bad_url"
    )


def _shown(url: str) -> str:
    """Shorten a URL for a sentence, and keep any password in it to ourselves."""
    without_userinfo = re.sub(r"^([a-z][a-z0-9+.-]*://)[^/?#]*@", r"\1", url, flags=re.IGNORECASE)
    return without_userinfo if len(without_userinfo) <= 200 else without_userinfo[:199] + "…"
