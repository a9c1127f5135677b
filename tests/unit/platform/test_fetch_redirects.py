"""The next request of a redirected fetch: who counts as the same owner, and what goes along."""

from __future__ import annotations

import pytest

from meterhouse.platform.fetch.guard import parse_target
from meterhouse.platform.fetch.redirects import Hop, follow
from meterhouse.platform.ports import FetchFailed

HEADERS = {"authorization": "Bearer s", "x-key": "k", "accept": "text/html", "content-type": "text/plain"}


def step(url: str, location: str, status: int = 302, method: str = "GET", body: bytes | None = None) -> Hop:
    return follow(Hop(parse_target(url), method, HEADERS, body), status, location)


@pytest.mark.parametrize(
    ("url", "location", "kept"),
    [
        ("https://a.example/x", "/y", True),
        ("https://a.example/x", "https://A.example.:443/y", True),
        ("http://a.example/", "https://a.example/", True),
        ("http://a.example:8080/", "https://a.example/", False),
        ("http://a.example/", "https://a.example:8443/", False),
        ("http://a.example/", "http://a.example:8080/", False),
        ("https://a.example/", "http://a.example/", False),
        ("https://a.example/", "https://b.example/", False),
        ("https://a.example/", "//sub.a.example/", False),
        ("https://sub.a.example/", "https://a.example/", False),
    ],
)
def test_credentials_go_along_only_to_the_same_owner(url: str, location: str, kept: bool) -> None:
    headers = step(url, location).headers
    assert ("authorization" in headers, "x-key" in headers) == (kept, kept)
    assert headers["accept"] == "text/html"


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        (301, "POST", "GET"),
        (302, "PUT", "PUT"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "DELETE", "DELETE"),
    ],
)
def test_methods(status: int, method: str, expected: str) -> None:
    hop = step("https://a.example/", "/y", status, method, b"body")
    assert hop.method == expected
    assert (hop.body, "content-type" in hop.headers) == (
        (None, False) if expected == "GET" else (b"body", True)
    )


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("y?z=1", "https://a.example/b/y?z=1"),
        ("../y", "https://a.example/y"),
        ("?z", "https://a.example/b/c?z"),
        ("  /y#part ", "https://a.example/y"),
        ("/ü x", "https://a.example/%C3%BC%20x"),
        ("//b.example", "https://b.example"),
    ],
)
def test_locations_are_read_relative_to_the_page(location: str, expected: str) -> None:
    assert step("https://a.example/b/c", location).target.url.rstrip("/") == expected.rstrip("/")


@pytest.mark.parametrize(
    "location", ["mailto:a@b.example", "http://", "data:,x", "http://[", "/\x00", "http://1/"]
)
def test_locations_that_are_not_followed(location: str) -> None:
    with pytest.raises(FetchFailed, match=r"https://a\.example/ redirects to") as caught:
        step("https://a.example/", location)
    assert caught.value.reason == "bad_url"
