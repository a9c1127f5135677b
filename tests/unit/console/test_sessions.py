"""Signing in, being recognised, and everything that must not work."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

import httpx
import pytest
from tests.unit.console.conftest import KEY, NOW, ORIGIN, Stage, sign_in

from meterhouse.console.sessions import COOKIE, FORM_BYTES_MAX, LIFETIME
from meterhouse.console.throttle import FAILURES_MAX
from meterhouse.console.tokens import issue_token, read_token
from meterhouse.kernel.errors import DependencyFailed
from meterhouse.kernel.ids import new_id

OTHER_KEY = "sk_live_" + "b" * 43


async def is_signed_in(browser: httpx.AsyncClient) -> bool:
    return "Sign out" in (await browser.get("/")).text


async def with_cookie(stage: Stage, token: str) -> bool:
    async with stage.browser() as browser:
        browser.cookies.set(COOKIE, token)
        return await is_signed_in(browser)


async def test_a_key_opens_a_session(stage: Stage, browser: httpx.AsyncClient):
    stage.keys.add(KEY)
    assert not await is_signed_in(browser)
    answer = await sign_in(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=strict", "path=/", f"max-age={int(LIFETIME.total_seconds())}"):
        assert part in cookie
    assert "secure" not in cookie
    assert KEY not in answer.headers["set-cookie"]
    assert await is_signed_in(browser)


async def test_the_cookie_is_secure_over_https(stage: Stage):
    stage.keys.add(KEY)
    async with stage.browser("https://meterhouse.test") as browser:
        assert "secure" in (await sign_in(browser)).headers["set-cookie"].lower()
        assert await is_signed_in(browser)


@pytest.mark.parametrize("key", ["", "sk_live_unknown", "ü", "' OR 1=1 --", "x" * 1000])
async def test_a_wrong_key_opens_nothing(stage: Stage, browser: httpx.AsyncClient, key: str):
    stage.keys.add(KEY)
    answer = await sign_in(browser, key)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "opens nothing here" in answer.text
    assert not key or key not in answer.text


@pytest.mark.parametrize("ended", [{"revoked_at": NOW}, {"expires_at": NOW}])
async def test_an_ended_key_ends_its_sessions_at_once(stage: Stage, browser: httpx.AsyncClient, ended):
    stage.keys.add(KEY)
    await sign_in(browser)
    stage.keys.change(KEY, **ended)
    page = await browser.get("/")
    assert "Your session has ended" in page.text
    assert "Sign out" not in page.text
    assert f'{COOKIE}=""' in page.headers["set-cookie"]
    assert (await sign_in(browser)).status_code == 401


async def test_a_session_ends_by_itself(stage: Stage):
    stage.keys.add(KEY)
    async with stage.browser() as browser:
        await sign_in(browser)
        token = browser.cookies[COOKIE]
    stage.clock.move_to(NOW + LIFETIME - timedelta(seconds=1))
    assert await with_cookie(stage, token)
    stage.clock.move_to(NOW + LIFETIME)
    assert not await with_cookie(stage, token)


async def test_no_altered_cookie_is_accepted(stage: Stage, browser: httpx.AsyncClient):
    stage.keys.add(KEY)
    await sign_in(browser)
    token = browser.cookies[COOKIE]
    raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 1
        assert not await with_cookie(stage, urlsafe_b64encode(changed).rstrip(b"=").decode())
    for other in ("", "x", token[:-1], token + "A", "A" * len(token), "=" * len(token), "*" * len(token)):
        assert not await with_cookie(stage, other)
    assert read_token(b"s" * 32, "ü" * len(token), NOW) is None


async def test_no_cookie_of_another_secret_or_key_is_accepted(stage: Stage):
    key = stage.keys.add(KEY)
    secret = await stage.keys.ensure_secret(NOW)
    later = NOW + LIFETIME
    assert await with_cookie(stage, issue_token(secret, key.id, later))
    assert not await with_cookie(stage, issue_token(b"t" * 32, key.id, later))
    assert not await with_cookie(stage, issue_token(secret, new_id(), later))
    stage.keys.secret = None
    assert not await with_cookie(stage, issue_token(secret, key.id, later))


async def test_each_session_shows_the_holder_of_its_own_key(stage: Stage, browser: httpx.AsyncClient):
    stage.keys.add(KEY, name="ours")
    stage.keys.add(OTHER_KEY, name="theirs")
    await sign_in(browser)
    assert "ours" in (await browser.get("/")).text
    await sign_in(browser, OTHER_KEY)
    page = (await browser.get("/")).text
    assert "theirs" in page
    assert "ours" not in page


async def test_a_session_outlives_the_process(stage: Stage, browser: httpx.AsyncClient):
    stage.keys.add(KEY)
    await sign_in(browser)
    restarted = Stage(stage.clock, stage.keys, stage.source)
    assert await with_cookie(restarted, browser.cookies[COOKIE])


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "", "http://meterhouse.test.evil.example", "http://meterhouse.test:81"],
)
@pytest.mark.parametrize("path", ["/console/sign-in", "/console/sign-out"])
async def test_forms_of_other_sites_are_refused(
    stage: Stage, browser: httpx.AsyncClient, path: str, origin: str
):
    stage.keys.add(KEY)
    answer = await browser.post(path, data={"key": KEY}, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_form_without_an_origin_is_refused(stage: Stage, browser: httpx.AsyncClient):
    stage.keys.add(KEY)
    assert (await browser.post("/console/sign-in", data={"key": KEY})).status_code == 403


async def test_a_session_is_never_changed_by_get(stage: Stage, browser: httpx.AsyncClient):
    stage.keys.add(KEY)
    assert (await browser.get(f"/console/sign-in?key={KEY}")).status_code == 405
    await sign_in(browser)
    assert (await browser.get("/console/sign-out")).status_code == 405
    assert await is_signed_in(browser)


async def test_signing_out_forgets_the_cookie(stage: Stage, browser: httpx.AsyncClient):
    stage.keys.add(KEY)
    await sign_in(browser)
    answer = await browser.post("/console/sign-out", headers={"Origin": ORIGIN})
    assert answer.status_code == 303
    assert COOKIE not in browser.cookies
    assert not await is_signed_in(browser)


async def test_guessing_is_slowed_down(stage: Stage, browser: httpx.AsyncClient):
    stage.keys.add(KEY)
    for _ in range(FAILURES_MAX):
        assert (await sign_in(browser, "wrong")).status_code == 401
    refused = await sign_in(browser)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert "set-cookie" not in refused.headers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"key",
        b"\xff\xfe",
        b"key=%ff",
        b"a=1&" * 20,
        b"key=" + b"x" * FORM_BYTES_MAX,
        b"{}",
    ],
)
async def test_anything_but_a_form_is_refused(stage: Stage, browser: httpx.AsyncClient, body: bytes):
    answer = await browser.post("/console/sign-in", content=body, headers={"Origin": ORIGIN})
    assert answer.status_code in (400, 401, 413)
    assert "set-cookie" not in answer.headers


async def test_a_database_that_is_down_is_told(stage: Stage, browser: httpx.AsyncClient):
    stage.keys.add(KEY)
    await sign_in(browser)
    stage.keys.down = DependencyFailed("The database does not answer right now.")
    page = await browser.get("/")
    assert page.status_code == 503
    assert "The database does not answer right now." in page.text
    assert COOKIE in browser.cookies
    stage.keys.down = None
    assert await is_signed_in(browser)
