"""The fast reading gives what the full one gives, or leaves the page to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meterhouse.extraction.engine import fast, generate, run
from meterhouse.extraction.engine.document import parse
from meterhouse.extraction.engine.reading import extract
from meterhouse.extraction.model import Container, Field, Page, Strategy
from tests.unit.extraction import pages

URL = "https://a.example/list/"


def both(container: Container, fields: dict[str, Field], html: str) -> tuple[object, object]:
    page, strategy = Page(URL, html), Strategy(container=container, fields=fields)
    return extract(container, fields, parse(page)), fast.extract(strategy, page)


@pytest.mark.parametrize(
    "inner",
    [
        "plain",
        "  much \n\t space&nbsp;here ",
        "a<b>b</b>c",
        "<p>one</p><p>two</p>",
        "seen<script>hidden()</script><style>x{}</style><noscript>off</noscript>",
        "half&amp;half &lt;tag&gt; &#8364;5",
        "one<!-- remark -->two",
        "<span>in</span> (<a href='x'>link</a>) tail",
        "zero\u200bwidth \u00ad soft",
        "",
    ],
)
def test_texts_and_pieces_agree(inner: str) -> None:
    html = f"<div class=r>{inner}</div><div class=r>other</div>"
    fields = {"all": Field(), "first": Field(piece=0), "last": Field(piece=-1), "inner": Field(selector="b")}
    full, quick = both(Container("div.r"), fields, html)
    assert quick == full


def test_links_bases_paths_and_patterns_agree() -> None:
    html = (
        '<base href="https://b.example/x/"><table><tr><th>A</th></tr>'
        + "".join(f"<tr><td><a href='p/{n} '>No. {n}</a></td><td>at place {n}</td></tr>" for n in range(3))
        + "</table>"
    )
    fields = {
        "link": Field(selector="a", attr="href"),
        "number": Field(selector="a", regex=r"No\. (\d+)"),
        "place": Field(selector=":scope > td:nth-of-type(2)"),
        "every": Field(selector="td", many=True),
    }
    full, quick = both(Container("tr"), fields, html)
    assert quick == full
    assert isinstance(quick, list)
    assert quick[0]["link"] == "https://b.example/x/p/0"


def test_runs_of_siblings_agree() -> None:
    html = "".join(f"<h4>{n}</h4>text<p class=t>about {n}</p><!-- x --><p>more</p>" for n in range(3))
    fields = {"head": Field(selector="h4"), "text": Field(selector="p.t")}
    full, quick = both(Container("h4", "run"), fields, html)
    assert quick == full


@pytest.mark.parametrize(
    "strategy",
    [
        Strategy(fields={"a": Field("label", "Price")}),
        Strategy(fields={"a": Field(selector=":scope > a.b")}),
        Strategy(container=Container("tr", header=("A",)), fields={"a": Field(selector="td")}),
        Strategy(kind="content"),
    ],
)
def test_what_needs_more_than_selectors_is_left_to_the_full_reading(strategy: Strategy) -> None:
    assert not fast.readable(strategy)


def test_a_strategy_is_marked_only_when_both_readings_agree() -> None:
    made = generate(Page(URL, pages.shop()), "All lamps: name, link and price")
    assert made.strategy.reading == "fast"
    full = replace(made.strategy, reading="full")
    assert run(made.strategy, Page(URL, pages.shop())) == run(full, Page(URL, pages.shop()))


def test_nesting_too_deep_for_it_is_refused() -> None:
    strategy = Strategy(container=Container("div.r"), fields={"a": Field()})
    with pytest.raises(fast.Unreadable):
        fast.extract(strategy, Page(URL, "<div class=r>" + "<i>x" * 5_000))
