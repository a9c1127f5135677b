"""Small invented pages, each with one difficulty of real ones."""

from __future__ import annotations

MENU = (
    "<nav><ul>" + "".join(f'<li><a href="/m/{n}">Menu entry {n}</a></li>' for n in range(40)) + "</ul></nav>"
)


def html(body: str, head: str = "") -> str:
    return f"<!doctype html><html><head><title>Lantern Shop</title>{head}</head><body>{body}</body></html>"


LAMPS = [
    ("Brass reading lamp", "brass-reading-lamp", "€ 49,90"),
    ("Paper moon lantern", "paper-moon-lantern", "€ 19,00"),
    ("Harbour signal light", "harbour-signal-light", "€ 129,50"),
    ("Glass night light", "glass-night-light", "€ 12,25"),
    ("Folding desk lamp", "folding-desk-lamp", "€ 35,00"),
]


def shop() -> str:
    cards = "".join(
        f'<div class="card {"odd" if at % 2 else "even"}"><h3><a href="/lamp/{slug}">{name}</a></h3>'
        f'<span class="price">{price}</span></div>'
        for at, (name, slug, price) in enumerate(LAMPS)
    )
    footer = "".join(f'<li><a href="/legal/{n}">Legal note {n}</a></li>' for n in range(12))
    return html(f'{MENU}<main><div class="cards">{cards}</div></main><footer><ul>{footer}</ul></footer>')


STORIES = [
    ("A quiet orbit", 90, "mira", 43),
    ("Slow trains", 12, "olaf", 7),
    ("The tin drum kit", 31, "pia", 15),
]


def stories() -> str:
    """Three rows per record, as link lists often have."""
    rows = "".join(
        f'<tr class="story"><td>{n}.</td><td><span class="headline"><a href="https://news.example/{n}">{title}</a>'
        f'</span></td></tr><tr><td></td><td><span class="score">{points} points</span> by '
        f'<a class="member" href="/user?id={who}">{who}</a> | '
        f'<a href="/item?id={n}">{count} comments</a></td></tr>'
        '<tr class="gap"><td></td></tr>'
        for n, (title, points, who, count) in enumerate(STORIES, 1)
    )
    return html(f'{MENU}<table class="front">{rows}</table>')


def flat() -> str:
    """Headings and paragraphs side by side, without any wrapper."""
    parts = "".join(
        f'<h4><a href="/note/{n}">Note number {name}</a></h4><p>Text of the {name} note, long '
        f"enough to be a summary of what follows on its own page.</p>"
        for n, name in enumerate(["one", "two", "three", "four"])
    )
    return html(f'{MENU}<div id="notes">{parts}</div>')


def tables() -> str:
    """Two tables of one class that only their headers tell apart."""
    totals = "<table class='grid'><thead><tr><th></th><th>Total</th></tr></thead><tbody>"
    totals += "<tr><td>All</td><td>9</td></tr><tr><td>New</td><td>2</td></tr></tbody></table>"
    rows = "".join(
        f"<tr><td>{name}</td><td>{active}</td><td>{total}</td></tr>"
        for name, active, total in [("North", 23, 175), ("South", 0, 61), ("East", 4, 88), ("West", 11, 140)]
    )
    head = "<thead><tr><th>Region</th><th>Active</th><th>Total</th></tr></thead>"
    return html(f"{MENU}{totals}<table class='grid'>{head}<tbody>{rows}</tbody></table>")


def detail() -> str:
    data = (
        '{"@context":"https://schema.org","@type":"Product","name":"Harbour signal light","sku":"HL-7",'
        '"brand":{"@type":"Brand","name":"Faro"},"offers":{"@type":"Offer","price":"129.50","priceCurrency":"EUR"}}'
    )
    body = (
        f"{MENU}<h1>Harbour signal light</h1>"
        "<dl><dt>Weight</dt><dd>2.4 kg</dd><dt>Material</dt><dd>Copper</dd></dl>"
        '<p class="intro">A light for small harbours and large windows.</p><p><b>Wattage:</b> 40 W</p>'
    )
    return html(body, f'<script type="application/ld+json">{data}</script>')


def article() -> str:
    return html(
        f"{MENU}<main><p>Before any heading, a line.</p><h1>Lamps of the coast</h1>"
        "<p>First paragraph of it.</p><p>Second paragraph of it.</p><h2>Copper</h2>"
        "<p>All about copper lamps.</p>"
        '<div class="cookie-banner"><p>We use cookies.</p></div></main><footer><p>Imprint</p></footer>'
    )


HASHES = ("sc-a8Xk2q", "css-1tg2t9y", "eWgMZq")


def hashed() -> str:
    """Class names that a build tool made, which the next build will not make again."""
    card, title, price = HASHES
    cards = "".join(
        f'<div class="{card}"><h3 class="{title}"><a href="/lamp/{slug}">{name}</a></h3>'
        f'<span class="{price}">{amount}</span></div>'
        for name, slug, amount in LAMPS
    )
    return html(f'{MENU}<main><div class="grid">{cards}</div></main>')
