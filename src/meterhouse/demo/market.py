"""Prices and stock of the demo shop: pure functions of a product and an instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from meterhouse.demo.products import Product, draw

CURRENCY = "EUR"
PRICE_PERIOD_MINUTES = 12
STOCK_PERIOD_MINUTES = 10
LOW_STOCK_MAX = 3

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Offer:
    """What a product costs at one instant and how many are left. A price holds from `since` on."""

    price: Decimal
    stock_count: int
    since: datetime

    @property
    def availability(self) -> str:
        """The words on the shelf."""
        if self.stock_count == 0:
            return "Out of stock"
        if self.stock_count <= LOW_STOCK_MAX:
            return f"Only {self.stock_count} left"
        return "In stock"


def offer_at(product: Product, instant: datetime) -> Offer:
    """Return the offer for a product at an instant, always the same for the same two.

    A price moves every 12 minutes to between 82 % and 112 % of the base price and never to the price
    it had just before; the products take turns, so a few prices move in each minute. About one
    product in six is out of stock, newly drawn every 10 minutes.
    """
    minute = (instant - _EPOCH) // timedelta(minutes=1)
    shift = draw(f"{product.sku}/shift", STOCK_PERIOD_MINUTES)
    price_step = (minute + _turn(product)) // PRICE_PERIOD_MINUTES
    stock_step = (minute + shift) // STOCK_PERIOD_MINUTES
    since = _EPOCH + timedelta(minutes=price_step * PRICE_PERIOD_MINUTES - _turn(product))
    return Offer(_price(product, price_step), _stock(product, stock_step), since)


def _turn(product: Product) -> int:
    """Spread the range evenly over the minutes of a period by the running number in the SKU."""
    return int(product.sku.rpartition("-")[2]) % PRICE_PERIOD_MINUTES


def _price(product: Product, step: int) -> Decimal:
    # Even steps draw an even percentage and odd steps an odd one: neighbours always differ, and by at
    # least 1 % of the base price, which is more than a cent.
    percent = 82 + 2 * draw(f"{product.sku}/price/{step}", 15) + step % 2
    return (product.base_price * percent / 100).quantize(_CENT, ROUND_HALF_EVEN)


def _stock(product: Product, step: int) -> int:
    if draw(f"{product.sku}/empty/{step}", 6) == 0:
        return 0
    return 1 + draw(f"{product.sku}/stock/{step}", 30)
