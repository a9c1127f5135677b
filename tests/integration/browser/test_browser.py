"""A real Chromium behind the guard: what it shows, what it records, and what no page may do with it."""

from __future__ import annotations

import asyncio
import gzip
import json

import pytest
from tests.script_site import Answer, Asked, ScriptSite, as_json

from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.browser import ChromiumBrowser, find_browser
from meterhouse.platform.fetch import AddressPolicy
from meterhouse.platform.ports import BrowserMissing, FetchFailed, RenderLimits

QUICK = RenderLimits(total_timeout_s=8, settle_timeout_s=2)


def script(text: str, body: str = "<p>Hello</p>") -> str:
    return f"<html><head><title>t</title></head><body>{body}<script>{text}</script></body></html>"


async def test_a_page_is_shown_as_its_scripts_left_it(
    shared_browser: ChromiumBrowser, site: ScriptSite
) -> None:
    site.routes["/"] = script(
        "fetch('/data', {method: 'POST', headers: {'content-type': 'application/json', 'x-key': 'k1'},"
        " body: JSON.stringify({page: 1})}).then(r => r.json())"
        ".then(d => document.querySelector('p').textContent = d.words)"
    )
    site.routes["/data"] = lambda _: as_json({"words": "drawn by a script"})
    shown = await shared_browser.load(site.url("/"))
    assert "drawn by a script" in shown.html
    (call,) = shown.requests
    assert (call.method, call.url, call.status) == ("POST", site.url("/data"), 200)
    assert json.loads(call.body or "") == {"page": 1}
    assert call.headers["x-key"] == "k1"
    assert not {"user-agent", "host", "proxy-connection"} & set(call.headers)
    assert json.loads(call.response) == {"words": "drawn by a script"}


async def test_the_calls_of_a_list_that_grows_are_recorded_but_its_page_is_the_first(
    shared_browser: ChromiumBrowser, site: ScriptSite
) -> None:
    site.routes["/"] = script(
        "let page = 0; const more = () => fetch('/data?page=' + ++page).then(r => r.json())"
        ".then(d => document.body.insertAdjacentHTML('beforeend',"
        " '<p style=\"height:2000px\">' + d.n + '</p>'));"
        "more(); addEventListener('scroll', () => page < 2 && more())"
    )
    site.routes["/data"] = lambda asked: as_json({"n": f"row {asked.query['page']}"})
    shown = await shared_browser.load(site.url("/"))
    assert "row 1" in shown.html
    assert "row 2" not in shown.html
    assert [one.url for one in shown.requests] == [site.url("/data?page=1"), site.url("/data?page=2")]


async def test_dialogs_popups_and_downloads_hold_nothing_up(
    shared_browser: ChromiumBrowser, site: ScriptSite
) -> None:
    site.routes["/"] = script(
        "alert(1); confirm(2); prompt(3); open('/popup'); onbeforeunload = () => 'stay';"
        "const a = document.createElement('a'); a.href = '/file'; a.download = 'x'; a.click();"
        "document.querySelector('p').textContent = 'went on'"
    )
    site.routes["/popup"] = "<html><body>popup</body></html>"
    site.routes["/file"] = lambda _: Answer(b"\x00" * 1000, "application/octet-stream")
    assert "went on" in (await shared_browser.load(site.url("/"), limits=QUICK)).html


async def test_a_file_is_not_a_page(shared_browser: ChromiumBrowser, site: ScriptSite) -> None:
    site.routes["/"] = lambda _: Answer(b"PK\x03\x04" * 100, "application/zip")
    with pytest.raises(FetchFailed, match="file to download"):
        await shared_browser.load(site.url("/"), limits=QUICK)


async def test_a_script_without_end_costs_its_time_and_no_more(
    shared_browser: ChromiumBrowser, site: ScriptSite
) -> None:
    site.routes["/loop"] = script("while (true) {}")
    site.routes["/"] = script("")
    with pytest.raises(FetchFailed) as caught:
        await shared_browser.load(site.url("/loop"), limits=RenderLimits(total_timeout_s=3))
    assert caught.value.reason == "timeout"
    assert "Hello" in (await shared_browser.load(site.url("/"), limits=QUICK)).html


async def test_a_page_that_never_rests_is_taken_as_it_is(
    shared_browser: ChromiumBrowser, site: ScriptSite
) -> None:
    site.routes["/"] = script("setInterval(() => fetch('/data?' + Math.random()), 50)")
    site.routes["/data"] = lambda _: as_json({"a": 1})
    limits = RenderLimits(total_timeout_s=10, settle_timeout_s=1, requests_max=5)
    shown = await shared_browser.load(site.url("/"), limits=limits)
    assert "Hello" in shown.html
    assert len(shown.requests) <= 5


async def test_too_much_is_cut_off(shared_browser: ChromiumBrowser, site: ScriptSite) -> None:
    site.routes["/"] = script("fetch('/big').then(r => r.text())")
    site.routes["/big"] = lambda _: Answer(b"x" * 3_000_000, "application/json")
    with pytest.raises(FetchFailed) as caught:
        await shared_browser.load(site.url("/"), limits=RenderLimits(transfer_bytes_max=1_000_000))
    assert caught.value.reason == "too_large"


async def test_large_and_inflated_answers_are_not_recorded(
    shared_browser: ChromiumBrowser, site: ScriptSite
) -> None:
    site.routes["/"] = script("fetch('/big').then(r => r.text()); fetch('/bomb').then(r => r.text())")
    site.routes["/big"] = lambda _: as_json(["x" * 200_000])
    bomb = gzip.compress(b'["' + b"x" * 20_000_000 + b'"]')
    site.routes["/bomb"] = lambda _: Answer(bomb, "application/json", headers={"content-encoding": "gzip"})
    shown = await shared_browser.load(site.url("/"), limits=RenderLimits(response_bytes_max=100_000))
    assert shown.requests == ()


async def test_a_page_that_hoards_memory_loses_only_itself(
    shared_browser: ChromiumBrowser, site: ScriptSite
) -> None:
    site.routes["/"] = script("")
    site.routes["/hoard"] = script("const a = []; while (true) a.push(new Array(4000000).fill(1.5))")
    with pytest.raises(FetchFailed):
        await shared_browser.load(site.url("/hoard"), limits=RenderLimits(total_timeout_s=20))
    assert "Hello" in (await shared_browser.load(site.url("/"), limits=QUICK)).html


class TestGuard:
    """Nothing that a page does reaches an address that a fetch could not reach."""

    async def test_private_pages_are_refused(self, guarded: ChromiumBrowser, forbidden: ScriptSite) -> None:
        with pytest.raises(FetchFailed) as caught:
            await guarded.load(forbidden.url("/"), limits=QUICK)
        assert caught.value.reason == "blocked_address"
        assert forbidden.asked == []

    @pytest.mark.parametrize("way", ["redirect", "script", "refresh"])
    async def test_redirects_to_private_addresses(
        self, guarded: ChromiumBrowser, site: ScriptSite, forbidden: ScriptSite, way: str
    ) -> None:
        target = forbidden.url("/secret")
        site.routes["/redirect"] = lambda _: Answer("", status=302, headers={"location": target})
        site.routes["/script"] = script(f"location.href = '{target}'")
        site.routes["/refresh"] = (
            f'<html><head><meta http-equiv="refresh" content="0;url={target}"></head></html>'
        )
        with pytest.raises(FetchFailed) as caught:
            await guarded.load(site.url(f"/{way}"), limits=QUICK)
        assert caught.value.reason == "blocked_address"
        assert forbidden.asked == []

    async def test_sub_requests_frames_workers_and_sockets(
        self, guarded: ChromiumBrowser, site: ScriptSite, forbidden: ScriptSite
    ) -> None:
        private, at = forbidden.base_url, f"127.0.0.1:{forbidden.port}"
        work = f"fetch('{private}/worker', {{mode: 'no-cors'}})"
        site.routes["/"] = script(
            f"fetch('{private}/fetch', {{mode: 'no-cors'}}); new WebSocket('ws://{at}/socket');"
            f"new WebSocket('wss://{at}/sockets'); new EventSource('{private}/events');"
            f"navigator.sendBeacon('{private}/beacon', 'x'); fetch('https://{at}/tls', {{mode: 'no-cors'}});"
            f"fetch('http://localhost:{forbidden.port}/name', {{mode: 'no-cors'}});"
            f"fetch('http://[::ffff:127.0.0.1]:{forbidden.port}/mapped', {{mode: 'no-cors'}});"
            f"new Worker(URL.createObjectURL(new Blob([`{work}`])));",
            f"<p>Hello</p><img src='{private}/image'><iframe src='{private}/frame'></iframe>"
            f"<link rel='preconnect' href='{private}'><link rel='prefetch' href='{private}/prefetch'>",
        )
        assert "Hello" in (await guarded.load(site.url("/"), limits=QUICK)).html
        await asyncio.sleep(0.3)
        assert forbidden.asked == []

    async def test_a_redirected_sub_request(
        self, guarded: ChromiumBrowser, site: ScriptSite, forbidden: ScriptSite
    ) -> None:
        site.routes["/"] = script("fetch('/away', {mode: 'no-cors'})")
        site.routes["/away"] = lambda _: Answer("", status=307, headers={"location": forbidden.url("/")})
        await guarded.load(site.url("/"), limits=QUICK)
        assert forbidden.asked == []

    async def test_allowed_sockets_still_work(self, guarded: ChromiumBrowser, site: ScriptSite) -> None:
        site.routes["/"] = script(
            "const s = new WebSocket(location.href.replace('http', 'ws') + 'socket');"
            "s.onerror = () => document.querySelector('p').textContent = 'tried'"
        )
        assert "tried" in (await guarded.load(site.url("/"), limits=QUICK)).html
        assert "/socket" in site.paths()

    async def test_other_schemes(self, guarded: ChromiumBrowser) -> None:
        for url in ("file:///etc/passwd", "chrome://version", "data:text/html,x", "javascript:1"):
            with pytest.raises(FetchFailed, match="must start with http"):
                await guarded.load(url)


async def test_it_is_started_again_after_a_crash(shared_browser: ChromiumBrowser, site: ScriptSite) -> None:
    site.routes["/"] = script("")
    await shared_browser.load(site.url("/"), limits=QUICK)
    running = shared_browser._browser
    assert running is not None
    await running.close()
    assert "Hello" in (await shared_browser.load(site.url("/"), limits=QUICK)).html


async def test_pages_do_not_share_cookies(shared_browser: ChromiumBrowser, site: ScriptSite) -> None:
    def page(_: Asked) -> Answer:
        return Answer(script(""), headers={"set-cookie": "seen=1"})

    site.routes["/"] = page
    await shared_browser.load(site.url("/"), limits=QUICK)
    await shared_browser.load(site.url("/"), limits=QUICK)
    assert [one.headers.get("cookie") for one in site.asked if one.path == "/"] == [None, None]


async def test_no_browser_is_said_clearly() -> None:
    missing = ChromiumBrowser(AddressPolicy(), executable="/no/such/chromium")
    with pytest.raises(BrowserMissing, match="METERHOUSE_BROWSER names /no/such/chromium"):
        await missing.load("https://example.com/")
    await missing.aclose()
    assert issubclass(BrowserMissing, DependencyFailed)


def test_without_any_browser_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meterhouse.platform.browser._PLACES", ())
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BrowserMissing, match="apt-get install chromium"):
        find_browser()
