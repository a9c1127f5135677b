"""The range of the demo shop: three categories of invented products that never change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Category:
    """A department of the shop; `slug` is its part of the address."""

    slug: str
    title: str
    blurb: str


@dataclass(frozen=True)
class Product:
    """What stays the same about a product. Price and stock follow the clock, see `market`."""

    sku: str
    name: str
    category: Category
    brand: str
    base_price: Decimal
    rating: Decimal
    review_count: int
    description: str
    specs: tuple[tuple[str, str], ...]
    hue: int


LAMPS = Category("lamps", "Lamps", "Light for desks, shelves and late evenings.")
TEAS = Category("teas", "Teas", "Loose leaf from gardens that exist only here.")
NOTEBOOKS = Category("notebooks", "Notebooks", "Paper that waits for a good idea.")
CATEGORIES = (LAMPS, TEAS, NOTEBOOKS)

_BRANDS = {
    "lamps": ("Larkspur", "Nordhavn Light", "Ember & Oak", "Quillon"),
    "teas": ("Saltmarsh Tea", "Hollow Hill", "Third Kettle", "Vesper Leaf"),
    "notebooks": ("Papyr", "Inkwell Row", "Margin Notes", "Foolscap & Co"),
}
_NAMES = {
    "lamps": (
        "Heron desk lamp", "Pebble night light", "Alder floor lamp", "Copper reading lamp", "Drift pendant",
        "Fjord wall lamp", "Lantern No. 4", "Moss table lamp", "Orbit clip lamp", "Harbour ship light",
        "Tallow candle lamp", "Prism shelf light", "Kiln ceramic lamp", "Willow arc lamp", "Beacon task lamp",
        "Loft track light", "Ripple glass lamp", "Sparrow travel lamp", "Dune paper lamp",
        "Anvil workshop lamp", "Cirrus ceiling lamp", "Juniper bedside lamp", "Slate picture light",
        "Comet string lights",
    ),
    "teas": (
        "Morning mist green", "Smoked pine black", "Apple orchard infusion", "White peony reserve",
        "Ginger lane blend", "Roasted barley cup", "Jasmine terrace", "Earl of nowhere", "Mountain oolong",
        "Chamomile meadow", "Harbour breakfast", "Toasted rice green", "Blackcurrant leaf", "Silver needle",
        "Vanilla rooibos", "Cardamom chai", "Peppermint field", "Autumn plum black", "Iron kettle oolong",
        "Lemon verbena", "Golden tip black", "Nettle and honey", "First flush hillside", "Midnight decaf",
    ),
    "notebooks": (
        "Pocket dotted", "Field log", "Linen hardcover A5", "Recipe keeper", "Grid engineer's pad",
        "Travel journal", "Reporter flip pad", "Sketchbook 160 g", "Weekly planner", "Music manuscript",
        "Cloth diary", "Ruled composition book", "Blank stapled set", "Ledger two columns", "Waterproof pad",
        "Left-handed spiral", "Index card book", "Garden diary", "Reading record", "Graph paper block",
        "Refill pages", "Accordion album", "Storyboard pad", "Calligraphy practice book",
    ),
}  # fmt: skip
_PRICE_EUR = {"lamps": (29, 189), "teas": (6, 34), "notebooks": (5, 42)}
_SPECS: dict[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "lamps": (
        ("Material", ("Oak and brass", "Powder-coated steel", "Ceramic", "Recycled glass")),
        ("Light source", ("LED, 6 W", "LED, 9 W", "E27 socket", "G9 socket")),
        ("Height", ("18 cm", "32 cm", "47 cm", "140 cm")),
        ("Cable", ("1.5 m", "2 m", "Cordless")),
    ),
    "teas": (
        ("Net weight", ("50 g", "80 g", "100 g", "250 g")),
        ("Water", ("70 °C", "80 °C", "95 °C", "100 °C")),
        ("Steeping time", ("2 min", "3 min", "5 min", "8 min")),
        ("Caffeine", ("none", "low", "medium", "high")),
    ),
    "notebooks": (
        ("Format", ("A6", "A5", "B5", "A4")),
        ("Pages", ("64", "96", "144", "240")),
        ("Paper", ("80 g/m²", "100 g/m²", "120 g/m²", "160 g/m²")),
        ("Binding", ("Stapled", "Thread-sewn", "Spiral", "Glued")),
    ),
}
_PREFIXES = {"lamps": "LMP", "teas": "TEA", "notebooks": "NTB"}


def draw(key: str, bound: int) -> int:
    """Return a number in `[0, bound)` that depends on nothing but `key`: chance that stays put."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % bound


def list_products() -> tuple[Product, ...]:
    """Return the whole range in shop order: category by category."""
    return tuple(
        _product(category, index, name)
        for category in CATEGORIES
        for index, name in enumerate(_NAMES[category.slug], start=1)
    )


def _product(category: Category, index: int, name: str) -> Product:
    sku = f"{_PREFIXES[category.slug]}-{index:03d}"
    low, high = _PRICE_EUR[category.slug]
    brands = _BRANDS[category.slug]
    brand = brands[draw(f"{sku}/brand", len(brands))]
    specs = tuple(
        (label, values[draw(f"{sku}/{label}", len(values))]) for label, values in _SPECS[category.slug]
    )
    return Product(
        sku=sku,
        name=name,
        category=category,
        brand=brand,
        base_price=Decimal(low + draw(f"{sku}/price", high - low)) + Decimal("0.90"),
        rating=Decimal(31 + draw(f"{sku}/rating", 19)) / 10,
        review_count=3 + draw(f"{sku}/reviews", 400),
        description=f"{name} by {brand}. {category.blurb} {specs[0][0]}: {specs[0][1]}.",
        specs=specs,
        hue=draw(f"{sku}/hue", 360),
    )
