"""Small pages in the manners of many makers, in many languages: what is asked of each, and what it holds.

They were written after the rules, to see what the rules miss; each has one thing that rules got wrong once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from meterhouse.extraction.model import Item
from tests.unit.extraction.pages import MENU, html

SITE = "https://site.example"
PEOPLE = ("Anna Berg", "Tomás Ruiz", "Ines Koch", "Jan de Vries", "Petra Novak")


@dataclass(frozen=True)
class Varied:
    """A page, a request, and the items that answer it."""

    request: str
    page: str
    items: list[Item]
    schema: dict[str, object] | None = None


def _rows(row: Callable[[int], str], count: int = 5) -> str:
    return "".join(row(at) for at in range(count))


def _items(item: Callable[[int], Any], count: int = 5) -> list[Item]:
    return [item(at) for at in range(count)]


TRADES = ("Koch", "Bauleiter", "Erzieherin", "Lagerist", "Hebamme")
FIRMS = ("Alpha", "Beta", "Gamma", "Delta", "Eta")
TOWNS = ("Köln", "Essen", "Bonn", "Ulm", "Kiel")
CLUBS = ("Rovers", "City", "United", "Albion", "County")
TOPICS = ("求推荐路由器", "周末爬山", "自制面包", "学吉他体会", "挑选自行车")
HANDLES = ("小李", "阿明", "风筝", "大熊", "海棠")
ARABIC_NEWS = ("مكتبة جديدة", "معرض الكتاب", "مشروع الميناء", "كأس الشباب", "جودة الهواء")
TENDERS = ("גן ילדים", "ציוד משרדי", "מעליות", "הסעות", "גינון")
THAI_NEWS = ("ตลาดน้ำแห่งใหม่", "ฝนตกหนักทั่วภาคใต้", "ทีมคว้าแชมป์", "รถไฟสายใหม่", "เทศกาลโคมไฟ")
ADS = ("Диван", "Велосипед", "Гитара", "Стол", "Гараж")
GOODS = ("Oak table", "Wool throw", "Floor lamp", "Steel mill", "Glass jar")

UTILITY_CLASSES = Varied(
    "Alle Stellenanzeigen mit Titel, Firma, Ort und Datum",
    html(
        '<div class="mt-6 space-y-4">'
        + _rows(
            lambda n: (
                '<div class="flex gap-2 p-4"><div class="flex-1"><a class="text-lg" '
                f'href="/j/{n}">{TRADES[n]} (m/w/d)</a>'
                f'<div class="mt-1 flex"><span class="inline-flex">{FIRMS[n]} AG'
                f'</span><span class="inline-flex"><svg></svg>{TOWNS[n]}</span>'
                f'</div></div><div class="text-xs">0{n + 1}.05.2024</div></div>'
            )
        )
        + "</div>"
    ),
    _items(
        lambda n: {
            "titel": f"{TRADES[n]} (m/w/d)",
            "firma": f"{FIRMS[n]} AG",
            "ort": TOWNS[n],
            "datum": f"0{n + 1}.05.2024",
        }
    ),
)

SHORT_HEADERS = Varied(
    "League table: team, played, won, lost and points",
    html(
        '<table><thead><tr><th>#</th><th>Team</th><th><abbr title="Played">P</abbr></th><th>W</th><th>L</th>'
        "<th>Pts</th></tr></thead><tbody>"
        + _rows(
            lambda n: (
                f"<tr><td>{n + 1}</td><td>{CLUBS[n]}</td>"
                f"<td>{10 + n % 2}</td><td>{8 - n}</td><td>{2 + n}</td><td>{24 - 3 * n}</td></tr>"
            )
        )
        + "</tbody></table>"
    ),
    _items(
        lambda n: {
            "team": CLUBS[n],
            "played": str(10 + n % 2),
            "won": str(8 - n),
            "lost": str(2 + n),
            "points": str(24 - 3 * n),
        }
    ),
)

FORMER_PRICES = Varied(
    "productos: nombre, precio y precio anterior",
    html(
        '<ul id="grid">'
        + _rows(
            lambda n: (
                f'<li class="grid__item"><h3 class="card"><a href="/p/{n}">{GOODS[n]}</a></h3>'
                '<div class="price">'
                '<span class="hidden-label">Precio habitual</span>'
                + (
                    f'<s class="price-item price-item--regular">{30 + n},00 €</s>'
                    f'<span class="price-item price-item--sale">{20 + n},00 €</span>'
                    if n % 2
                    else f'<span class="price-item price-item--regular">{20 + n},00 €</span>'
                )
                + "</div></li>"
            )
        )
        + "</ul>"
    ),
    _items(
        lambda n: (
            {"nombre": GOODS[n], "precio": f"{20 + n},00 €"}
            | ({"precio_anterior": f"{30 + n},00 €"} if n % 2 else {})
        )
    ),
)

HIDDEN_FIRST = Varied(
    "Tematy forum: tytuł, autor, odpowiedzi i odsłony",
    html(
        '<ul class="topics">'
        + _rows(
            lambda n: (
                f'<li class="row"><dl><dt><a class="topictitle" href="t{n}">Temat numer {"abcde"[n] * 4}</a>'
                f'<div style="display: none;">Ostatni post <a class="username">{PEOPLE[4 - n]}</a></div>'
                f'<div class="poster">autor: <a class="username">{PEOPLE[n]}</a></div></dt>'
                f'<dd class="posts">{3 * n + 1} <dfn>Odpowiedzi</dfn></dd>'
                f'<dd class="views">{90 * n + 5} <dfn>Odsłony</dfn></dd></dl></li>'
            )
        )
        + "</ul>"
    ),
    _items(
        lambda n: {
            "tytul": f"Temat numer {'abcde'[n] * 4}",
            "autor": PEOPLE[n],
            "odpowiedzi": f"{3 * n + 1}",
            "odslony": f"{90 * n + 5}",
        }
    ),
)

BODIES_AS_RECORDS = Varied(
    "帖子列表：标题、作者",
    html(
        '<table id="threads">'
        + _rows(
            lambda n: (
                f'<tbody id="thread_{80 + n}"><tr><th><a class="xst" href="t-{n}.html">'
                f"{TOPICS[n]}</a></th>"
                f'<td class="by"><cite>{HANDLES[n]}</cite><em>2024-3-{n + 1}</em></td>'
                "</tr></tbody>"
            )
        )
        + "</table>"
    ),
    _items(
        lambda n: {
            "标题": TOPICS[n],
            "作者": HANDLES[n],
        }
    ),
)

ARABIC = Varied(
    "جميع الأخبار: العنوان والرابط والتاريخ",
    html(
        '<div class="list">'
        + _rows(
            lambda n: (
                f'<div class="box"><h3><a href="/n/{n}">{ARABIC_NEWS[n]}'
                f'</a></h3><span class="d">1{n} مارس 2024</span></div>'
            )
        )
        + "</div>"
    ),
    _items(
        lambda n: {
            "العنوان": ARABIC_NEWS[n],
            "الرابط": f"{SITE}/n/{n}",
            "التاريخ": f"1{n} مارس 2024",
        }
    ),
)

HEBREW = Varied(
    "מכרזים: מספר, שם, מועד אחרון וקישור",
    html(
        "<table><tr><th>מספר</th><th>שם המכרז</th><th>מועד אחרון להגשה</th><th>מסמך</th></tr>"
        + _rows(
            lambda n: (
                f"<tr><td>{40 + n}/2024</td><td>{TENDERS[n]}</td>"
                f"<td>{10 + n}/04/2024</td><td><a href='/d/{n}.pdf'>להורדה</a></td></tr>"
            )
        )
        + "</table>"
    ),
    _items(
        lambda n: {
            "מספר": f"{40 + n}/2024",
            "שם": TENDERS[n],
            "מועד_אחרון": f"{10 + n}/04/2024",
            "קישור": f"{SITE}/d/{n}.pdf",
        }
    ),
)

THAI = Varied(
    "ข่าว: หัวข้อ, ลิงก์, วันที่",
    html(
        '<div class="news">'
        + _rows(
            lambda n: (
                f'<div class="item"><h4><a href="/n/{n}">{THAI_NEWS[n]}'
                f"</a></h4><small>1{n} มี.ค. 2567</small></div>"
            )
        )
        + "</div>"
    ),
    _items(
        lambda n: {
            "หัวข้อ": THAI_NEWS[n],
            "ลิงก์": f"{SITE}/n/{n}",
            "วันที่": f"1{n} มี.ค. 2567",
        }
    ),
)

RUSSIAN_CASES = Varied(
    "Все объявления с названием, ценой и датой",
    html(
        '<div class="ads">'
        + _rows(
            lambda n: (
                f'<div class="ad"><h3><a href="/a/{n}">{ADS[n]} номер</a></h3>'
                f"<div>{n + 2} 500 ₽</div><div>{n + 3} марта 2024</div></div>"
            )
        )
        + "</div>"
    ),
    _items(
        lambda n: {
            "названием": f"{ADS[n]} номер",
            "ценой": f"{n + 2} 500 ₽",
            "датой": f"{n + 3} марта 2024",
        }
    ),
)

SECTIONS_AS_DATES = Varied(
    "Veranstaltungen: Datum, Uhrzeit und Titel",
    html(
        "".join(
            f'<section class="day"><h2>{day}, 0{d + 5}.04.2024</h2>'
            + _rows(
                lambda n, d=d: (  # type: ignore[misc]
                    f'<div class="event"><b>{18 + n}:30 Uhr</b>'
                    f'<a href="/e/{d}{n}">{GOODS[n]} am Abend {d}</a></div>'
                ),
                3,
            )
            + "</section>"
            for d, day in enumerate(("Fr", "Sa"))
        )
    ),
    [
        {
            "datum": f"{day}, 0{d + 5}.04.2024",
            "uhrzeit": f"{18 + n}:30 Uhr",
            "titel": f"{GOODS[n]} am Abend {d}",
        }
        for d, day in enumerate(("Fr", "Sa"))
        for n in range(3)
    ],
)

OTHER_LINKS = Varied(
    "Episodes: title, date, duration and audio link",
    html(
        "<ol>"
        + _rows(
            lambda n: (
                f'<li class="ep"><div><a href="/ep/{n}">On {GOODS[n].lower()} things</a></div>'
                f"<div class='m'>{n + 1} February 2024 · {30 + n} min</div>"
                f'<a class="dl" href="https://cdn.example/{n}.mp3">Get it</a></li>'
            )
        )
        + "</ol>"
    ),
    _items(
        lambda n: {
            "title": f"On {GOODS[n].lower()} things",
            "date": f"{n + 1} February 2024",
            "duration": f"{30 + n} min",
            "audio_link": f"https://cdn.example/{n}.mp3",
        }
    ),
)

UNITS = Varied(
    "Listings: address, price, beds and baths",
    html(
        "<div>"
        + _rows(
            lambda n: (
                f'<div class="sc-bBABsx kYxWQh"><a href="/h/{n}">'
                f'<div class="sc-jsJBEP bPcGqM">$3{n}0,000</div>'
                f'<div class="sc-eeDRCY"><span><b>{2 + n}</b> bds</span>'
                f"<span><b>{1 + n % 3}</b> ba</span></div>"
                f"<address>{12 + n} {GOODS[n].split()[1].title()} St, Dover</address></a></div>"
            )
        )
        + "</div>"
    ),
    _items(
        lambda n: {
            "address": f"{12 + n} {GOODS[n].split()[1].title()} St, Dover",
            "price": f"$3{n}0,000",
            "beds": f"{2 + n} bds",
            "baths": f"{1 + n % 3} ba",
        }
    ),
)

_STATE = {
    "page": {
        "menu": [{"label": f"Menu {n}", "href": f"/m/{n}"} for n in range(12)],
        "products": [
            {
                "name": name,
                "price": {"amount": 10 + n, "currency": "EUR"},
                "brand": {"name": "Nova"},
                "url": f"/p/{n}",
            }
            for n, name in enumerate(GOODS)
        ],
    }
}
IN_STATE = Varied(
    "Products: name, price and link",
    html(
        '<div id="app">Loading…</div><script id="__NEXT_DATA__" type="application/json">'
        f"{json.dumps(_STATE)}</script>"
    ),
    _items(lambda n: {"name": GOODS[n], "price": 10 + n, "link": f"{SITE}/p/{n}"}),
)

_ENTRIES = [
    {
        "@type": "ListItem",
        "position": n + 1,
        "item": {"@type": "Product", "name": name, "url": f"{SITE}/p/{n}"},
    }
    for n, name in enumerate(GOODS)
]
IN_JSONLD = Varied(
    "All products with name and link",
    html(
        "<div id='app'>Please wait</div>",
        '<script type="application/ld+json">'
        + json.dumps(
            {"@context": "https://schema.org", "@graph": [{"@type": "ItemList", "itemListElement": _ENTRIES}]}
        )
        + "</script>",
    ),
    _items(lambda n: {"name": GOODS[n], "link": f"{SITE}/p/{n}"}),
)

RELATED_THINGS = Varied(
    "Product name, price, SKU and brand",
    html(
        "<div><h1>Cordless drill CD-12</h1><p>SKU: CD12-991</p><h3>$129.00</h3></div>"
        "<table><tr><th>Brand</th><td>Hartwig</td></tr></table><h4>Related</h4>"
        + _rows(
            lambda n: (
                f'<div class="card"><a href="/p/{n}">{GOODS[n]}</a>'
                f'<span class="price">${n + 9}.99</span></div>'
            )
        )
    ),
    [{"product_name": "Cordless drill CD-12", "price": "$129.00", "sku": "CD12-991", "brand": "Hartwig"}],
)

BYLINE = Varied(
    "Titel, Autor und Datum des Artikels",
    html(
        f"{MENU}<article><h1>Warum Städte Brunnen bauen</h1><div><span>Von Clara Holm</span>"
        "<span>11. Mai 2024, 6:30 Uhr</span></div><p>Die Sommer werden heißer, und das Wasser kehrt in die "
        "Städte zurück, wo es lange Zeit unter der Erde floss.</p></article>"
    ),
    [{"titel": "Warum Städte Brunnen bauen", "autor": "Clara Holm", "datum": "11. Mai 2024, 6:30 Uhr"}],
)

BARE_LINES = Varied(
    "Titel des Rezepts und Zutatenliste",
    html(
        "<h1>Weißbrot</h1><h2>Zutaten</h2>500 g Mehl<br>300 ml Wasser<br>2 TL Salz"
        "<h2>Zubereitung</h2><p>Kneten.</p>"
    ),
    [{"titel": "Weißbrot", "zutatenliste": ["500 g Mehl", "300 ml Wasser", "2 TL Salz"]}],
)

COMPOUNDS = Varied(
    "Jobtitel, Arbeitgeber, Ort, Gehalt und Beginn",
    html(
        "<h1>Restaurator für Möbel</h1><dl><dt>Arbeitgeber</dt><dd>Werkstatt Lindenhof</dd>"
        "<dt>Arbeitsort</dt>"
        "<dd>Görlitz</dd><dt>Gehalt</dt><dd>2.900 € – 3.400 €</dd><dt>Beginn</dt><dd>01.09.2024</dd></dl>"
    ),
    [
        {
            "jobtitel": "Restaurator für Möbel",
            "arbeitgeber": "Werkstatt Lindenhof",
            "ort": "Görlitz",
            "gehalt": "2.900 € – 3.400 €",
            "beginn": "01.09.2024",
        }
    ],
)

LISTS = {name: one for name, one in globals().items() if isinstance(one, Varied) and len(one.items) > 1}
DETAILS = {name: one for name, one in globals().items() if isinstance(one, Varied) and len(one.items) == 1}
