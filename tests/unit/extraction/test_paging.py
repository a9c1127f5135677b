"""How the next page is found: links that say so, numbers that count up, and what only looks like it."""

from __future__ import annotations

import pytest

from meterhouse.extraction.engine.document import parse
from meterhouse.extraction.model import Page
from meterhouse.extraction.paging import detect, next_address

HERE = "https://shop.example/phones"


def following(links: str, url: str = HERE) -> str | None:
    document = parse(Page(url, f"<html><body><main>{links}</main></body></html>"))
    plan = detect(document)
    return None if plan is None else next_address(document, plan)


@pytest.mark.parametrize(
    ("links", "url", "target"),
    [
        ('<a rel="next" href="?page=2">whatever</a>', HERE, f"{HERE}?page=2"),
        ('<a href="/phones?page=2">Next</a>', HERE, f"{HERE}?page=2"),
        ('<a href="/phones?page=2">Next page »</a>', HERE, f"{HERE}?page=2"),
        ('<nav class="pagination"><a href="/phones?after=xyz">Weiter</a></nav>', HERE, f"{HERE}?after=xyz"),
        ('<div class="pager"><a href="p2.html">次へ</a></div>', f"{HERE}/", f"{HERE}/p2.html"),
        ('<ul class="pages"><li><a href="?p=1">1</a><li><a href="?p=2">2</a></ul>', HERE, f"{HERE}?p=2"),
        (
            '<a href="?page=2">2</a><a href="?page=3">3</a><a href="?page=4">4</a>',
            f"{HERE}?page=2",
            f"{HERE}?page=3",
        ),
        ('<a href="/phones/page/2">2</a> <a href="/phones/page/3">3</a>', HERE, f"{HERE}/page/2"),
        ('<a href="/phones/page/2">2</a> <a href="/phones/page/3">3</a>', f"{HERE}/page/2", f"{HERE}/page/3"),
        ('<a class="btn next-page" href="/phones?o=20">&gt;</a>', HERE, f"{HERE}?o=20"),
        ('<a aria-label="Go to next page" href="/phones?page=2"><svg></svg></a>', HERE, f"{HERE}?page=2"),
        ('<div class="more"><a href="/phones?p=2">More</a></div>', HERE, f"{HERE}?p=2"),
        ('<button class="btn" data-url="/phones?page=2">Load more</button>', HERE, f"{HERE}?page=2"),
        ('<button hx-get="/phones/rest?after=9x">Mehr anzeigen</button>', HERE, f"{HERE}/rest?after=9x"),
        ('<a href="#" data-next-url="/phones?page=2">もっと見る</a>', HERE, f"{HERE}?page=2"),
    ],
)
def test_found(links: str, url: str, target: str) -> None:
    assert following(links, url) == target


@pytest.mark.parametrize(
    "links",
    [
        "",
        '<a href="/phones/1">Next generation phone with a very long name that goes on</a>',
        '<a href="/phones?page=1">Previous</a>',
        '<a href="https://evil.example/phones?page=2">Next</a>',
        '<a href="javascript:next()">Next</a>',
        '<a href="#">Next</a>',
        '<span class="pagination"><a class="disabled" href="?page=2">Next</a></span>',
        '<li class="next disabled"><a href="?page=2">Next</a></li>',
        '<a href="/blog/next-article">Next article</a>',
        '<a href="/phones?year=2025">2025</a>',
        '<a href="/phones/2">Phone 2</a><a href="/phones/3">Phone 3</a>',
        '<button data-url="/phones?page=2">Filter</button>',
        '<button class="more">Load more</button>',
        '<button data-next-url="https://evil.example/2">Load more</button>',
    ],
)
def test_nothing_to_follow(links: str) -> None:
    assert following(links) is None


def test_the_last_page_leads_nowhere() -> None:
    links = '<a href="?page=1">1</a><a href="?page=2">2</a><b>3</b>'
    assert following(links, f"{HERE}?page=3") is None


def test_a_rebuilt_pager_is_found_again() -> None:
    old = parse(Page(HERE, '<html><body><a class="weiter" href="?page=2">Next</a></body></html>'))
    plan = detect(old)
    assert plan is not None
    assert plan.selector == "a.weiter"
    new = parse(Page(HERE, '<html><body><a class="x1" href="/phones?page=2">Next</a></body></html>'))
    assert next_address(new, plan) == f"{HERE}?page=2"


def test_many_links_take_bounded_time() -> None:
    links = "".join(f'<a href="/phones/{at}">{at}</a>' for at in range(60_000))
    assert following(links) is None
