"""Complete answers: what is sent, what comes back, how redirects are followed."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable

import pytest
from tests.integration.fetch.servers import Handler, Names, Seen, answer, message, serve

from meterhouse import __version__
from meterhouse.kernel.errors import Invalid, InvariantBroken
from meterhouse.platform.fetch import AddressPolicy, GuardedFetcher
from meterhouse.platform.ports import FetchFailed, FetchLimits

LOOPBACK = AddressPolicy.parse("127.0.0.0/8, ::1")


def redirect(locations: dict[str, tuple[str, str]]) -> Handler:
    """Redirect the listed paths (status, location); answer `ok` elsewhere."""

    async def handle(request: Seen, writer: asyncio.StreamWriter) -> None:
        if request.path in locations:
            status, location = locations[request.path]
            writer.write(message(f"{status} Moved", {"Location": location, "Content-Length": "0"}))
        else:
            writer.write(message("200 OK", {"Content-Length": "2"}) + b"ok")

    return handle


@pytest.mark.parametrize("allow", ["127.0.0.0/8", "localhost", "127.0.0.1", "LocalHost."])
async def test_localhost_is_reached_when_allowed(allow: str) -> None:
    async with serve(answer(b"hello")) as server, GuardedFetcher(AddressPolicy.parse(allow)) as fetcher:
        fetched = await fetcher.fetch(server.url("/a?b=c#part", host="localhost"))
    assert (fetched.status, fetched.body) == (200, b"hello")
    assert fetched.url == server.url("/a?b=c", host="localhost")
    assert fetched.redirects == ()
    assert fetched.duration_s > 0
    assert server.seen[0].path == "/a?b=c"


async def test_localhost_is_reached_over_ipv6() -> None:
    async with serve(answer(b"six"), host="::1") as server:
        names = Names(localhost=[["127.0.0.1", "::1"]])
        async with GuardedFetcher(AddressPolicy.parse("::1"), resolver=names) as fetcher:
            by_name = await fetcher.fetch(server.url(host="localhost"))
            by_address = await fetcher.fetch(server.url())
    assert by_name.body == by_address.body == b"six"
    assert server.seen[1].headers["host"] == f"[::1]:{server.port}"


async def test_the_next_address_is_tried_when_one_is_dead() -> None:
    async with serve(answer(b"alive")) as server:
        names = Names(shop_test=[["127.0.0.2", "127.0.0.1"]])
        async with GuardedFetcher(LOOPBACK, resolver=names) as fetcher:
            assert (await fetcher.fetch(server.url(host="shop.test"))).body == b"alive"


async def test_requests_say_who_asks_and_only_what_is_understood() -> None:
    async with serve(answer()) as server, GuardedFetcher(LOOPBACK) as fetcher:
        await fetcher.fetch(server.url(), headers={"Host": "other", "Accept-Encoding": "br", "X-Key": "1"})
    sent = server.seen[0].headers
    assert sent["user-agent"] == f"Meterhouse/{__version__}"
    assert sent["accept-encoding"] == "gzip, deflate"
    assert sent["host"] == f"127.0.0.1:{server.port}"
    assert sent["x-key"] == "1"
    assert sent["accept"] == "*/*"


async def test_user_agent_can_be_given() -> None:
    async with serve(answer()) as server, GuardedFetcher(LOOPBACK) as fetcher:
        await fetcher.fetch(server.url(), headers={"User-Agent": "Probe/1"})
    assert server.seen[0].headers["user-agent"] == "Probe/1"


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serve(answer()) as server, GuardedFetcher(LOOPBACK) as fetcher:
        assert (await fetcher.fetch(server.url())).body == b"ok"


async def test_post_sends_its_body() -> None:
    async with serve(answer(b"", "201 Created")) as server, GuardedFetcher(LOOPBACK) as fetcher:
        fetched = await fetcher.fetch(server.url(), method="post", body=b"a=1")
    assert (fetched.status, fetched.body) == (201, b"")
    assert (server.seen[0].method, server.seen[0].body) == ("POST", b"a=1")


async def test_post_without_body_says_so() -> None:
    async with serve(answer()) as server, GuardedFetcher(LOOPBACK) as fetcher:
        await fetcher.fetch(server.url(), method="POST")
    assert server.seen[0].headers["content-length"] == "0"


async def test_head_has_no_body_and_keeps_the_connection() -> None:
    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(message("200 OK", {"Content-Length": "99999999999", "Content-Encoding": "gzip"}))

    async with serve(handle) as server, GuardedFetcher(LOOPBACK) as fetcher:
        for _ in range(2):
            fetched = await fetcher.fetch(server.url(), method="HEAD")
            assert (fetched.status, fetched.body) == (200, b"")
        assert server.connections == 1


async def test_every_status_is_an_answer() -> None:
    async with serve(answer(b"no", "503 Unavailable")) as server, GuardedFetcher(LOOPBACK) as fetcher:
        assert (await fetcher.fetch(server.url())).status == 503


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "identity"])
async def test_encoded_and_empty_bodies(encoding: str) -> None:
    text = b"text " * 50_000
    encoders: dict[str, Callable[[bytes], bytes]] = {"deflate": zlib.compress, "identity": bytes}
    encode = encoders.get(encoding, gzip.compress)
    for body, expected in ((encode(text), text), (b"", b"")):
        async with (
            serve(answer(body, headers={"Content-Encoding": encoding})) as server,
            GuardedFetcher(LOOPBACK) as fetcher,
        ):
            assert (await fetcher.fetch(server.url())).body == expected


async def test_header_names_are_lower_case_and_repeats_are_joined() -> None:
    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        head = "HTTP/1.1 200 OK\r\nX-Tag: a\r\nX-TAG: b\r\nX-Name: Zürich\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode())

    async with serve(handle) as server, GuardedFetcher(LOOPBACK) as fetcher:
        headers = (await fetcher.fetch(server.url())).headers
    assert headers["x-tag"] == "a, b"
    assert headers["x-name"] == "Zürich"


async def test_a_kept_connection_that_the_server_ended_is_replaced() -> None:
    count = 0

    async def handle(_request: Seen, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        if count == 2:  # the second request arrives on the kept connection and is never answered
            writer.close()
            return
        writer.write(message("200 OK", {"Content-Length": "2"}) + b"ok")

    async with serve(handle) as server, GuardedFetcher(LOOPBACK) as fetcher:
        await fetcher.fetch(server.url())
        assert (await fetcher.fetch(server.url())).body == b"ok"
        assert server.connections == 2


async def test_redirects_are_followed_and_listed() -> None:
    plan = {"/a": ("301", "/b?x=1"), "/b?x=1": ("302", "c"), "/c": ("308", "//127.0.0.1:{port}/end#here")}
    async with serve(redirect(plan)) as server, GuardedFetcher(LOOPBACK) as fetcher:
        plan["/c"] = ("308", f"//127.0.0.1:{server.port}/end#here")
        fetched = await fetcher.fetch(server.url("/a"))
    assert fetched.url == server.url("/end")
    assert fetched.redirects == tuple(server.url(path) for path in ("/a", "/b?x=1", "/c"))


async def test_a_redirect_is_the_answer_when_none_may_be_followed() -> None:
    async with serve(redirect({"/": ("302", "/x")})) as server, GuardedFetcher(LOOPBACK) as fetcher:
        fetched = await fetcher.fetch(server.url(), limits=FetchLimits(redirects_max=0))
    assert (fetched.status, fetched.headers["location"]) == (302, "/x")


async def test_a_redirect_without_location_is_an_answer() -> None:
    async with serve(answer(b"?", "302 Found")) as server, GuardedFetcher(LOOPBACK) as fetcher:
        assert (await fetcher.fetch(server.url())).status == 302


@pytest.mark.parametrize(
    ("status", "method"), [("301", "GET"), ("302", "GET"), ("303", "GET"), ("307", "POST"), ("308", "POST")]
)
async def test_post_over_redirects(status: str, method: str) -> None:
    async with serve(redirect({"/": (status, "/x")})) as server, GuardedFetcher(LOOPBACK) as fetcher:
        await fetcher.fetch(server.url(), method="POST", body=b"z", headers={"Content-Type": "text/x"})
    last = server.seen[-1]
    assert (last.method, last.body) == (method, b"z" if method == "POST" else b"")
    assert ("content-type" in last.headers) == (method == "POST")


async def test_credentials_stay_with_their_origin() -> None:
    secret = {"Authorization": "Bearer s", "Cookie": "a=1", "X-Api-Key": "k", "Accept-Language": "de"}
    async with (
        serve(answer()) as other,
        serve(redirect({"/near": ("302", "/"), "/far": ("302", other.url())})) as server,
        GuardedFetcher(LOOPBACK) as fetcher,
    ):
        await fetcher.fetch(server.url("/near"), headers=secret)
        assert server.seen[-1].headers["authorization"] == "Bearer s"
        await fetcher.fetch(server.url("/far"), headers=secret)
    arrived = other.seen[-1].headers
    assert not {"authorization", "cookie", "x-api-key"} & set(arrived)
    assert arrived["accept-language"] == "de"


async def test_cookies_are_not_kept() -> None:
    async with (
        serve(answer(headers={"Set-Cookie": "id=1"})) as server,
        GuardedFetcher(LOOPBACK) as fetcher,
    ):
        await fetcher.fetch(server.url())
        await fetcher.fetch(server.url())
    assert "cookie" not in server.seen[1].headers


async def test_many_fetches_share_a_bounded_pool() -> None:
    async with serve(answer()) as server, GuardedFetcher(LOOPBACK, connections_max=3) as fetcher:
        fetched = await asyncio.gather(*(fetcher.fetch(server.url(f"/{n}")) for n in range(30)))
        assert {each.status for each in fetched} == {200}
        assert server.connections <= 3


async def test_methods_outside_the_list_are_refused() -> None:
    async with GuardedFetcher(LOOPBACK) as fetcher:
        with pytest.raises(Invalid, match="CONNECT"):
            await fetcher.fetch("http://127.0.0.1:1/", method="CONNECT")


async def test_a_closed_fetcher_fetches_nothing() -> None:
    fetcher = GuardedFetcher(LOOPBACK)
    await fetcher.aclose()
    with pytest.raises(InvariantBroken):
        await fetcher.fetch("http://127.0.0.1:1/")


async def test_the_error_names_the_address_that_was_asked() -> None:
    async with GuardedFetcher(LOOPBACK) as fetcher:
        with pytest.raises(FetchFailed) as caught:
            await fetcher.fetch("http://127.0.0.1:1/path")
    assert caught.value.reason == "connect"
    assert caught.value.retryable
    assert caught.value.details["url"] == "http://127.0.0.1:1/path"
