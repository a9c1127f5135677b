"""Prices and stock: the same for the same instant, and lively from minute to minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from meterhouse.demo.market import offer_at
from meterhouse.demo.products import CATEGORIES, Product, list_products

PRODUCTS = list_products()
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def test_the_range_is_complete_and_fixed() -> None:
    assert list_products() == PRODUCTS
    assert len({product.sku for product in PRODUCTS}) == len({product.name for product in PRODUCTS}) == 72
    for category in CATEGORIES:
        assert sum(product.category == category for product in PRODUCTS) == 24
    assert all(Decimal("3.1") <= product.rating <= 5 for product in PRODUCTS)


def test_known_offers_stay_as_they_are() -> None:
    offers = [offer_at(product, NOON) for product in PRODUCTS[:3]]
    shown = [(str(offer.price), offer.stock_count) for offer in offers]
    assert shown == [
        ("111.44", 17),
        ("46.12", 17),
        ("162.69", 8),
    ]


@given(instants, st.sampled_from(PRODUCTS))
def test_offers_depend_on_product_and_instant_only(instant: datetime, product: Product) -> None:
    offer = offer_at(product, instant)
    assert offer == offer_at(product, instant.astimezone(timezone(timedelta(hours=5))))
    assert offer == offer_at(product, instant.replace(second=0, microsecond=0))
    assert product.base_price * Decimal("0.81") < offer.price < product.base_price * Decimal("1.13")
    assert offer.price == offer.price.quantize(Decimal("0.01"))
    assert 0 <= offer.stock_count <= 30


@given(instants, st.sampled_from(PRODUCTS))
def test_a_price_holds_since_it_last_moved(instant: datetime, product: Product) -> None:
    offer = offer_at(product, instant)
    assert timedelta(0) <= instant - offer.since < timedelta(minutes=12)
    assert offer_at(product, offer.since).price == offer.price
    assert offer_at(product, offer.since - timedelta(microseconds=1)).price != offer.price


def test_some_prices_move_in_each_minute_and_most_do_not() -> None:
    for minute in range(60):
        before, after = NOON + minute * MINUTE, NOON + (minute + 1) * MINUTE
        moved = [p for p in PRODUCTS if offer_at(p, before).price != offer_at(p, after).price]
        assert len(moved) == 6
        assert {product.category for product in moved} == set(CATEGORIES)


def test_items_go_out_of_stock_and_come_back() -> None:
    states = {
        product.sku: [offer_at(product, NOON + n * 10 * MINUTE).stock_count > 0 for n in range(100)]
        for product in PRODUCTS
    }
    assert all(len(set(seen)) == 2 for seen in states.values())
    empty = sum(not offer_at(product, NOON).stock_count for product in PRODUCTS)
    assert 4 <= empty <= 24


def test_words_on_the_shelf() -> None:
    seen = {offer_at(p, NOON + n * MINUTE).availability for p in PRODUCTS for n in range(60)}
    assert {"In stock", "Out of stock", "Only 1 left", "Only 2 left", "Only 3 left"} == seen
