"""The demo shop: a small site whose prices move by themselves, to try extraction and monitoring on."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from meterhouse.demo.market import CURRENCY, Offer, offer_at
from meterhouse.demo.products import CATEGORIES, Category, Product, list_products
from meterhouse.kernel.clock import Clock, format_instant

PAGE_SIZE = 12
_BESTSELLERS = 5
_PAGE_DIGITS_MAX = 4


@dataclass(frozen=True)
class Page:
    """One page of a listing, numbered from 1."""

    products: Sequence[Product]
    number: int
    count: int
    total: int


def create_shop(clock: Clock) -> Starlette:
    """Build the shop as an application of its own, to be mounted anywhere: its links follow `root_path`.

    Pages: `/` (everything), `/c/<category>/`, both with `?page=`, and `/p/<sku>/`. What they show
    depends on nothing but the address and the clock.
    """
    shop = _Shop(clock)
    return Starlette(
        routes=[
            Route("/", shop.show_all, name="all"),
            Route("/c/{slug}/", shop.show_category, name="category"),
            Route("/p/{sku}/", shop.show_product, name="product"),
        ],
        exception_handlers={404: shop.show_missing},
    )


def paginate(products: Sequence[Product], page_text: str) -> Page | None:
    """Cut out the page a query asks for; `None` when there is no such page."""
    count = -(-len(products) // PAGE_SIZE)
    if not (page_text.isascii() and page_text.isdigit() and len(page_text) <= _PAGE_DIGITS_MAX):
        return None
    number = int(page_text)
    if not 1 <= number <= count:
        return None
    start = (number - 1) * PAGE_SIZE
    return Page(products[start : start + PAGE_SIZE], number, count, len(products))


class _Shop:
    """The request handlers; they share the range, the templates and the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._products = list_products()
        self._by_sku = {product.sku: product for product in self._products}
        self._bestsellers = sorted(self._products, key=lambda p: (-p.review_count, p.sku))[:_BESTSELLERS]
        loader = PackageLoader("meterhouse.demo")
        self._templates = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
        self._style = loader.get_source(self._templates, "shop.css")[0]
        self._headers = {
            "Content-Security-Policy": content_security_policy(self._style),
            "Cache-Control": "no-store",
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }

    async def show_all(self, request: Request) -> Response:
        return self._listing(request, self._products, None)

    async def show_category(self, request: Request) -> Response:
        slug = request.path_params["slug"]
        category = next((c for c in CATEGORIES if c.slug == slug), None)
        if category is None:
            return await self.show_missing(request)
        products = [product for product in self._products if product.category == category]
        return self._listing(request, products, category)

    async def show_product(self, request: Request) -> Response:
        product = self._by_sku.get(request.path_params["sku"])
        if product is None:
            return await self.show_missing(request)
        now = self._clock.now()
        offer = offer_at(product, now)
        related = [p for p in self._products if p.category == product.category and p != product][:4]
        data = structured_data(product, offer, f"{_root(request)}/p/{product.sku}/")
        return self._render(
            request, "product.html", now, product=product, offer=offer, related=related, data=data
        )

    async def show_missing(self, request: Request, _error: Exception | None = None) -> Response:
        return self._render(request, "missing.html", self._clock.now(), status=404)

    def _listing(self, request: Request, products: Sequence[Product], category: Category | None) -> Response:
        page = paginate(products, request.query_params.get("page", "1"))
        now = self._clock.now()
        if page is None:
            return self._render(request, "missing.html", now, status=404)
        offers = [(product, offer_at(product, now)) for product in page.products]
        return self._render(request, "listing.html", now, category=category, page=page, offers=offers)

    def _render(
        self, request: Request, template: str, now: datetime, *, status: int = 200, **values: object
    ) -> Response:
        html = self._templates.get_template(template).render(
            root=_root(request),
            style=self._style,
            categories=CATEGORIES,
            bestsellers=self._bestsellers,
            now=now,
            now_text=format_instant(now.replace(microsecond=0)),
            **values,
        )
        return HTMLResponse(html, status_code=status, headers=self._headers)


def content_security_policy(style: str) -> str:
    """Allow the one inline stylesheet, by its hash, and nothing else: no script, no host, no form."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'self'"
    )


def structured_data(product: Product, offer: Offer, url: str) -> dict[str, object]:
    """Describe a product in the terms of schema.org, for the page's JSON-LD."""
    state = "InStock" if offer.stock_count else "OutOfStock"
    return {
        "@context": "https://schema.org",
        "@type": "Product",
        "sku": product.sku,
        "name": product.name,
        "description": product.description,
        "category": product.category.title,
        "brand": {"@type": "Brand", "name": product.brand},
        "aggregateRating": {
            "@type": "AggregateRating",
            "ratingValue": str(product.rating),
            "reviewCount": product.review_count,
        },
        "offers": {
            "@type": "Offer",
            "url": url,
            "price": str(offer.price),
            "priceCurrency": CURRENCY,
            "availability": f"https://schema.org/{state}",
        },
    }


def _root(request: Request) -> str:
    """Return where the shop is mounted, without a final slash."""
    return str(request.scope.get("root_path", "")).rstrip("/")
