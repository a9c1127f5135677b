"""The shop's pages as a visitor, a crawler and a browser see them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from lxml import html
from starlette.applications import Starlette
from starlette.routing import Mount

from meterhouse.demo.market import offer_at
from meterhouse.demo.products import list_products
from meterhouse.demo.shop import create_shop, paginate
from meterhouse.kernel.clock import TestClock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROOT = "/demo/shop"
PRODUCTS = list_products()


def visit(clock: TestClock, *, root: str = ROOT) -> httpx.AsyncClient:
    shop = create_shop(clock)
    app = Starlette(routes=[Mount(root, shop)]) if root else shop
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test")


async def page(path: str, clock: TestClock | None = None) -> html.HtmlElement:
    async with visit(clock or TestClock(NOON)) as client:
        response = await client.get(ROOT + path)
    assert response.status_code == 200
    return html.document_fromstring(response.text)


async def test_cards_show_what_the_market_says() -> None:
    document = await page("/c/teas/?page=2")
    cards = document.cssselect("article.product-card")
    assert [card.get("data-sku") for card in cards] == [f"TEA-{n:03d}" for n in range(13, 25)]
    for card in cards:
        product = next(p for p in PRODUCTS if p.sku == card.get("data-sku"))
        offer = offer_at(product, NOON)
        texts = {name: card.cssselect(f".product-{name}")[0].text_content().strip() for name in
                 ("title", "brand", "price", "stock", "rating")}  # fmt: skip
        assert texts["title"] == product.name
        assert texts["brand"] == product.brand
        assert texts["price"] == f"€{offer.price}"
        assert texts["stock"] == offer.availability
        assert texts["rating"] == f"{product.rating} of 5 ({product.review_count} reviews)"
        assert card.cssselect("a.product-link")[0].get("href") == f"{ROOT}/p/{product.sku}/"
        assert card.cssselect("a.product-link svg")


async def test_following_next_visits_everything_once() -> None:
    found: list[str] = []
    path: str | None = "/"
    async with visit(TestClock(NOON)) as client:
        url = f"http://shop.test{ROOT}/"
        while path is not None:
            document = html.document_fromstring((await client.get(url)).text)
            found += [card.get("data-sku", "") for card in document.cssselect("[data-sku]")]
            following = document.cssselect("a[rel=next]")
            path = following[0].get("href") if following else None
            url = urljoin(url, path or "")
    assert found == [product.sku for product in PRODUCTS]


async def test_detail_pages_agree_with_their_structured_data() -> None:
    for product in PRODUCTS[::7]:
        document = await page(f"/p/{product.sku}/")
        offer = offer_at(product, NOON)
        data = json.loads(document.cssselect("script[type='application/ld+json']")[0].text or "")
        assert data["name"] == document.cssselect("h1")[0].text_content() == product.name
        assert data["sku"] == product.sku
        assert data["offers"]["price"] == str(offer.price)
        assert data["offers"]["priceCurrency"] == "EUR"
        assert data["offers"]["availability"].endswith("InStock") == (offer.stock_count > 0)
        rows = {
            row.cssselect("th")[0].text_content(): row.cssselect("td")[0].text_content()
            for row in document.cssselect("table.spec-table tr")
        }
        assert rows == {"Article number": product.sku, **dict(product.specs)}


async def test_the_clock_alone_changes_a_page() -> None:
    clock = TestClock(NOON)
    async with visit(clock) as client:
        first = (await client.get(ROOT + "/")).text
        assert (await client.get(ROOT + "/")).text == first
        clock.move_to(NOON + timedelta(minutes=1))
        second = (await client.get(ROOT + "/")).text
    prices = re.compile(r'data-sku="([^"]+)".*?€([0-9.]+)', re.DOTALL)
    changed = set(prices.findall(first)) ^ set(prices.findall(second))
    assert len({sku for sku, _ in changed}) == 1
    assert first.count("product-card") == second.count("product-card")


@pytest.mark.parametrize("root", ["", "/demo/shop", "/a"])
async def test_every_link_stays_inside_and_works(root: str) -> None:
    todo, done = [f"{root}/"], set[str]()
    async with visit(TestClock(NOON), root=root) as client:
        while todo:
            path = todo.pop()
            done.add(path)
            response = await client.get(path)
            assert response.status_code == 200, path
            for link in html.document_fromstring(response.text).iterlinks():
                target = urlsplit(urljoin(f"http://shop.test{path}", link[2]))
                assert target.netloc == "shop.test"
                assert target.path.startswith(f"{root}/")
                found = target.path + (f"?{target.query}" if target.query else "")
                if found not in done and found not in todo:
                    todo.append(found)
    assert len(done) >= 72 + 6 + 3 * 2


@pytest.mark.parametrize("path", ["/", "/c/lamps/", "/p/LMP-001/", "/nowhere"])
async def test_pages_load_nothing_and_run_nothing(path: str) -> None:
    async with visit(TestClock(NOON)) as client:
        response = await client.get(ROOT + path)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    document = html.document_fromstring(response.text)
    style = document.cssselect("style")[0].text or ""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy
    assert not document.xpath("//@src | //@srcset | //link | //@style | //form | //iframe")
    assert {s.get("type") for s in document.cssselect("script")} <= {"application/ld+json"}
    assert "url(" not in style
    assert not document.xpath("//@*[starts-with(name(), 'on')]")


@pytest.mark.parametrize(
    "path",
    ["/?page=0", "/?page=7", "/?page=x", "/?page=-1", "/?page=", "/?page=²", "/?page=99999", "/c/boats/",
     "/p/LMP-999/", "/p/<script>/", "/other/"],
)  # fmt: skip
async def test_missing_pages_say_so(path: str) -> None:
    async with visit(TestClock(NOON)) as client:
        response = await client.get(ROOT + path)
    assert response.status_code == 404
    assert "Nothing on this shelf" in response.text
    assert "<script>" not in response.text


async def test_a_forgotten_slash_is_added_and_head_is_served() -> None:
    async with visit(TestClock(NOON)) as client:
        response = await client.get(f"{ROOT}/c/lamps")
        assert (response.status_code, urlsplit(response.headers["location"]).path) == (
            307,
            f"{ROOT}/c/lamps/",
        )
        assert (await client.head(f"{ROOT}/")).status_code == 200


def test_pages_cut_the_range() -> None:
    last = paginate(PRODUCTS[:25], "3")
    assert last is not None
    assert (list(last.products), last.count, last.total) == ([PRODUCTS[24]], 3, 25)
    assert paginate((), "1") is None
