"""What every page keeps to, and what the overview shows."""

from __future__ import annotations

import re
from importlib import resources
from itertools import product

import httpx
import pytest
from tests.unit.console.conftest import FACADES, KEY, NOW, Stage, sign_in
from tests.unit.console.markup import Page, parse

from meterhouse.console.overview import EmailRow, EventRow, JobRow, MeterRow, StrategyRow
from meterhouse.kernel.errors import DependencyFailed
from meterhouse.kernel.ids import new_id

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7*7 }} </code></td>"
PATHS = ("/", "/console/outbox", "/docs", "/docs/none", *(f"/docs/{name}" for name in FACADES))


def hostile_rows() -> dict[str, list[object]]:
    text = HOSTILE
    return {
        "strategies": [StrategyRow(new_id(), text, text, text, 1, NOW)],
        "jobs": [JobRow(new_id(), text, text, text, 3, True, text, NOW)],
        "meters": [MeterRow(new_id(), text, text, text, text, NOW)],
        "events": [EventRow(text, text, text, text, NOW)],
        "outbox": [EmailRow(new_id(), text, text, text, NOW)],
    }


async def pages_of(stage: Stage, browser: httpx.AsyncClient) -> list[httpx.Response]:
    """Every kind of page: signed out, refused, signed in, the reference, missing ones."""
    key = stage.keys.add(KEY, name=HOSTILE)
    stage.source.rows[key.organisation_id] = hostile_rows()
    answers = [await browser.get(path) for path in PATHS]
    answers.append(await sign_in(browser, "wrong"))
    answers.append(await browser.post("/console/sign-in", data={"key": KEY}))
    await sign_in(browser)
    return [*answers, await browser.get("/console/outbox"), await browser.get("/")]


async def test_every_page_forbids_what_it_does_not_need(stage: Stage, browser: httpx.AsyncClient):
    for answer in [*await pages_of(stage, browser), await sign_in(browser)]:
        policy = dict(
            part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert policy["base-uri"] == "'none'"
        assert set(policy.values()) == {"'none'", "'self'"}
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"


async def test_no_page_needs_another_host_or_an_inline_script(stage: Stage, browser: httpx.AsyncClient):
    for answer in await pages_of(stage, browser):
        page = parse(answer.text)
        for address in (*page.values("src"), *page.values("href"), *page.values("action")):
            assert re.match(r"(/(?!/)|#)", address), address
        assert page.script_text == ""
        assert page.all("style") == []
        assert page.values("style") == []
        assert [name for element in page.elements for name in element.attributes if name[:2] == "on"] == []


async def test_styles_and_scripts_name_no_host():
    for file in (resources.files("meterhouse.console") / "static").iterdir():
        hosts = set(re.findall(r"https?://[^\s\"')]+", file.read_text()))
        assert hosts <= {"http://127.0.0.1:8000", "http://www.w3.org/2000/svg"}, file.name


async def test_hostile_names_stay_text(stage: Stage, browser: httpx.AsyncClient):
    page = parse((await pages_of(stage, browser))[-1].text)
    assert [image.attributes["src"] for image in page.all("img") if image.attributes["src"] == "x"] == []
    assert all(script.attributes.get("src", "").startswith("/console/") for script in page.all("script"))
    assert page.text.count(HOSTILE) >= 10
    assert HOSTILE in page.values("title")
    assert {badge for badge in page.values("class") if "script" in badge} == set()


async def test_private_pages_are_kept_by_nobody(stage: Stage, browser: httpx.AsyncClient):
    stage.keys.add(KEY)
    for answer in (await browser.get("/"), await sign_in(browser), await browser.get("/")):
        assert answer.headers["cache-control"] == "no-store"


async def test_all_that_is_linked_exists(stage: Stage, browser: httpx.AsyncClient):
    elsewhere = {"/readyz", "/metrics"}
    linked = {
        address
        for answer in await pages_of(stage, browser)
        for address in (*parse(answer.text).values("href"), *parse(answer.text).values("src"))
        if address.startswith("/")
    }
    for address in sorted(linked - elsewhere):
        assert (await browser.get(address)).status_code == 200, address


async def test_elements_have_names(stage: Stage, browser: httpx.AsyncClient):
    for answer in await pages_of(stage, browser):
        page = parse(answer.text)
        ids = page.values("id")
        assert len(ids) == len(set(ids))
        labelled = set(page.values("for"))
        for element in page.all("input"):
            assert element.attributes["id"] in labelled or element.attributes["type"] == "checkbox"
        assert all("alt" in image.attributes for image in page.all("img"))
        assert page.all("html")[0].attributes["lang"] == "en"
        assert len(page.all("h1")) == 1
        assert len(page.all("main")) == 1


async def test_the_overview_shows_only_the_own_organisation(stage: Stage, browser: httpx.AsyncClient):
    ours = stage.keys.add(KEY)
    rows = {name: [StrategyRow(new_id(), name, "https://example.com", "css", 1, NOW)] for name in ("a", "b")}
    stage.source.rows[ours.organisation_id] = {"strategies": rows["a"]}
    stage.source.rows[new_id()] = {"strategies": rows["b"]}
    await sign_in(browser)
    page = (await browser.get("/")).text
    assert str(rows["a"][0].id) in page
    assert str(rows["b"][0].id) not in page


async def test_times_are_given_in_utc_for_scripts_and_for_readers(stage: Stage, browser: httpx.AsyncClient):
    key = stage.keys.add(KEY)
    stage.source.rows[key.organisation_id] = hostile_rows()
    await sign_in(browser)
    page = parse((await browser.get("/")).text)
    times = page.all("time")
    assert len(times) == 4
    assert {time.attributes["datetime"] for time in times} == {"2026-01-31T09:30:00Z"}
    assert {time.attributes["title"] for time in times} == {"2026-01-31 09:30:00 UTC"}


async def test_an_empty_section_says_what_belongs_there(stage: Stage, browser: httpx.AsyncClient):
    stage.keys.add(KEY)
    await sign_in(browser)
    page = parse((await browser.get("/")).text)
    for words in ("A job runs a strategy", "A strategy knows", "A meter turns", "An event says"):
        assert words in page.text
    assert page.text.count("curl -X POST") == 4


async def test_a_section_that_cannot_be_shown_says_why(stage: Stage, browser: httpx.AsyncClient):
    key = stage.keys.add(KEY, scopes=frozenset({"meters:read", "events:read"}))
    stage.source.rows[key.organisation_id] = hostile_rows()
    stage.source.problems["events"] = DependencyFailed("The event store does not answer.")
    await sign_in(browser)
    page = (await browser.get("/")).text
    assert "lacks the scope jobs:read" in page
    assert "lacks the scope strategies:read" in page
    assert "lacks the scope meters:read" not in page
    assert "The event store does not answer." in page


async def test_more_rows_than_shown_are_hinted_at(stage: Stage, browser: httpx.AsyncClient):
    key = stage.keys.add(KEY)
    events = [EventRow(f"event-{number}", "prompt", "s", "c", NOW) for number in range(11)]
    stage.source.rows[key.organisation_id] = {"events": events}
    await sign_in(browser)
    page = (await browser.get("/")).text
    assert "10+" in page
    assert "event-9" in page
    assert "event-10" not in page


async def test_the_outbox_shows_what_waits(stage: Stage, browser: httpx.AsyncClient):
    key = stage.keys.add(KEY)
    assert "Sign in" in (await browser.get("/console/outbox")).text
    await sign_in(browser)
    assert "No email waits." in (await browser.get("/console/outbox")).text
    stage.source.rows[key.organisation_id] = hostile_rows()
    page = parse((await browser.get("/console/outbox")).text)
    assert page.text.count(HOSTILE) >= 3
    assert [image for image in page.all("img") if image.attributes["src"] == "x"] == []
    stage.keys.change(KEY, scopes=frozenset({"jobs:read"}))
    assert "lacks the scope schedules:read" in (await browser.get("/console/outbox")).text


async def test_static_files_are_those_of_the_package(browser: httpx.AsyncClient):
    page = parse((await browser.get("/")).text)
    style = next(link.attributes["href"] for link in page.all("link") if "css" in link.attributes["href"])
    current = await browser.get(style)
    assert current.headers["content-type"].startswith("text/css")
    assert "immutable" in current.headers["cache-control"]
    older = await browser.get("/console/static/0000000000000000/console.css")
    assert (older.content, older.headers["cache-control"]) == (current.content, "no-cache")
    for name in ("none.css", "..%2froutes.py", "../routes.py", "%2e%2e/routes.py"):
        assert (await browser.get(f"/console/static/0/{name}")).status_code == 404


def _luminance(colour: str) -> float:
    channels = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.03928 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_contrasts_with_its_ground(scheme: str):
    style = (resources.files("meterhouse.console") / "static" / "console.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[("light", "dark").index(scheme)]))
    pairs = [
        *product(("text", "muted", "accent"), ("ground", "surface", "sunken")),
        *product(("bad", "good", "warn"), ("surface", "sunken")),
        *((name, f"{name}-ground") for name in ("good", "warn", "bad", "info")),
        ("on-accent", "accent"),
    ]
    for text, ground in pairs:
        lighter, darker = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)


def test_a_page_reads_like_html():
    page: Page = parse("<p title='a'>b<script>c</script></p>")
    assert (page.values("title"), page.text, page.script_text) == (["a"], "b", "c")
