"""Reading targets strictly, and the exceptions an operator can make."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.kernel.errors import Invalid
from meterhouse.platform.fetch.guard import AddressPolicy, Target, check_url, is_host_name, parse_target
from meterhouse.platform.ports import FetchFailed


@pytest.mark.parametrize(
    ("url", "canonical", "host", "port", "path"),
    [
        ("http://example.com", "http://example.com", "example.com", 80, b"/"),
        ("HTTPS://Example.COM.:443/a?b#c", "https://example.com/a?b", "example.com", 443, b"/a?b"),
        (" https://example.com:8443/ ", "https://example.com:8443/", "example.com", 8443, b"/"),
        ("http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC", "xn--bcher-kva.example", 80,
         b"/%C3%BC"),
        ("http://[2606:4700:0:0::1]:80/", "http://[2606:4700::1]/", "2606:4700::1", 80, b"/"),
        ("http://my_host-1.example/a/../b c", "http://my_host-1.example/b%20c", "my_host-1.example", 80,
         b"/b%20c"),
    ],
)  # fmt: skip
def test_targets(url: str, canonical: str, host: str, port: int, path: bytes) -> None:
    target = parse_target(url)
    assert (target.host, target.port, target.path_and_query) == (host, port, path)
    assert target.url.rstrip("/") == canonical.rstrip("/")
    assert parse_target(target.url) == target


@pytest.mark.parametrize(
    "url",
    [
        "", "example.com", "//example.com/", "ftp://example.com/", "javascript:alert(1)", "http://",
        "http:///x", "http://user@example.com/", "http://user:pw@example.com/", "http://@example.com:0/",
        "http://example.com:0/", "http://example.com:65536/", "http://example.com:x/", "http://exa mple.com/",
        "http://example..com/", "http://-a.example/", "http://example.com\\@127.0.0.1/", "http://%31.example/",
        "http://2130706433/", "http://0177.0.0.1/", "http://0x7f.1/", "http://127.1/", "http://1.2.3.4.5/",
        "http://[fe80::1%25eth0]/", "http://[::1", "http://[::g]/", "http://１２７.0.0.1/", "http://a\tb/",
        f"http://{'a' * 64}.example/", "http://example.com/" + "a" * 20_000,
        "http://" + "a." * 130 + "example",
    ],
)  # fmt: skip
def test_unusual_addresses_are_refused(url: str) -> None:
    with pytest.raises(FetchFailed) as caught:
        parse_target(url)
    assert caught.value.reason == "bad_url"
    assert len(caught.value.message) < 600


def test_passwords_are_not_repeated() -> None:
    for url in ("http://user:secret@example.com/", "HTTP://a:secret@b@c/"):
        with pytest.raises(FetchFailed) as caught:
            parse_target(url)
        assert "secret" not in caught.value.message
        assert "secret" not in str(caught.value.details)


def target_or_none(url: str) -> Target | None:
    """Return `None` for a bad URL; any other error is a fault and passes through."""
    try:
        return parse_target(url)
    except FetchFailed as failure:
        return None if failure.reason == "bad_url" else parse_target(url)


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_a_bad_url(text: str) -> None:
    for url in (text, f"http://{text}", f"http://example.com/{text}"):
        target = target_or_none(url)
        if target is not None:
            assert target.address is not None or is_host_name(target.host)
            assert parse_target(target.url).origin == target.origin


def test_check_url_judges_addresses_and_leaves_names() -> None:
    policy = AddressPolicy()
    assert check_url("https://localhost/", policy).host == "localhost"
    assert check_url("https://8.8.8.8/", policy).address == IPv4Address("8.8.8.8")
    with pytest.raises(FetchFailed, match="METERHOUSE_FETCH_ALLOW") as caught:
        check_url("http://10.0.0.1:8080/", policy)
    assert caught.value.reason == "blocked_address"
    assert "10.0.0.1" in caught.value.message
    assert check_url("http://[::ffff:10.0.0.1]/", AddressPolicy.parse("10.0.0.0/8")).port == 80


def test_policy_entries() -> None:
    policy = AddressPolicy.parse(
        " 10.0.0.0/8 ,192.168.1.5:8080, [fd00::1]:9000, fd11::/16,Intranet, wiki.corp.:8443, bücher.example,,"
    )

    def permits(address: str, port: int = 80, host: str = "some.example") -> bool:
        return policy.permits(ip_address(address), host=host, port=port)

    assert permits("10.200.0.1")
    assert permits("::ffff:10.0.0.1")
    assert not permits("172.16.0.1")
    assert permits("192.168.1.5", 8080)
    assert not permits("192.168.1.5", 80)
    assert permits("fd00::1", 9000)
    assert not permits("fd00::1", 9001)
    assert permits("fd11:1::")
    assert permits("127.0.0.1", host="intranet")
    assert permits("127.0.0.1", 8443, host="wiki.corp")
    assert not permits("127.0.0.1", 443, host="wiki.corp")
    assert permits("127.0.0.1", host="xn--bcher-kva.example")
    assert not permits("127.0.0.1")
    assert permits("8.8.8.8")


@pytest.mark.parametrize("text", ["", " ", ",", " , ,"])
def test_an_empty_setting_allows_nothing_private(text: str) -> None:
    assert AddressPolicy.parse(text) == AddressPolicy()


@pytest.mark.parametrize(
    "entry",
    [
        "10.0.0.1/8", "10.0.0.0/64", "fd00::/129", "10.0.0", "0x7f000001", "host:0", "host:99999", "host:",
        "host:http", ":80", "http://host", "*.example", "a b", "::1:x", "[::1", "exa_mple..x", "*", "-", "1",
    ],
)  # fmt: skip
def test_bad_entries_are_named(entry: str) -> None:
    with pytest.raises(Invalid) as caught:
        AddressPolicy.parse(f"127.0.0.1,{entry}")
    assert repr(entry) in caught.value.message
    assert "METERHOUSE_FETCH_ALLOW" in caught.value.message
    assert [issue.path for issue in caught.value.issues] == [(1,)]


def test_all_bad_entries_are_reported_together() -> None:
    with pytest.raises(Invalid) as caught:
        AddressPolicy.parse("*,localhost,10.0.0.1/8")
    assert [issue.input for issue in caught.value.issues] == ["*", "10.0.0.1/8"]


@given(st.integers(0, 2**32 - 1), st.integers(0, 32), st.integers(0, 2**32 - 1))
def test_an_allowed_network_permits_exactly_its_addresses(base: int, prefix: int, other: int) -> None:
    mask = (0xFFFF_FFFF << (32 - prefix)) & 0xFFFF_FFFF
    policy = AddressPolicy.parse(f"{IPv4Address(base & mask)}/{prefix}")
    closed = AddressPolicy()
    for number in (base, other):
        address = IPv4Address(number)
        expected = number & mask == base & mask or closed.permits(address, host="x", port=80)
        assert policy.permits(address, host="x", port=80) == expected
        assert policy.permits(IPv6Address(f"::ffff:{address}"), host="x", port=80) == expected
