"""Lists in the data of a page: read by their path, refined, and told apart from a page that lost them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from meterhouse.extraction.engine import generate, run
from meterhouse.extraction.engine.data_lists import lists_in, records_at
from meterhouse.extraction.engine.document import parse
from meterhouse.extraction.model import ExtractionFailed, Page, Strategy
from meterhouse.extraction.refine.refine import refine
from tests.unit.extraction.pages import html
from tests.unit.extraction.varied import GOODS, IN_STATE, SITE

URL = f"{SITE}/"


def page_of(data: Any, shown: str = "<div id='app'></div>", name: str = "window.__STATE__") -> Page:
    return Page(URL, html(f"{shown}<script>{name} = {json.dumps(data)};</script>"))


def goods(count: int = 5) -> list[dict[str, Any]]:
    return [{"name": GOODS[n % 5] + f" {n}", "cost": 10 + n, "href": f"/p/{n}"} for n in range(count)]


def test_the_document_is_one_to_edit() -> None:
    made = generate(Page(URL, IN_STATE.page), IN_STATE.request)
    document = made.strategy.to_document()
    assert document["container"] == {
        "source": "state",
        "selector": "page.products",
        "mode": "each",
        "require": ["name"],
    }
    by_hand = {**document, "fields": {"maker": {"source": "json", "selector": "brand.name"}}, "contract": {}}
    by_hand["container"] = {"source": "state", "selector": "page.products"}
    assert run(Strategy.from_document(by_hand), Page(URL, IN_STATE.page)).items == [{"maker": "Nova"}] * 5


def test_paths_lead_through_lists_and_maps() -> None:
    parts = [{"rows": goods(2)}, {"rows": goods(3)}]
    byid = {f"k{n}": one for n, one in enumerate(goods(4))}
    document = parse(page_of({"sections": parts, "byId": byid}))
    assert len(records_at(document, "state", "__STATE__.sections.rows")) == 5
    assert len(records_at(document, "state", "__STATE__.byId.*")) == 4
    assert {"__STATE__.sections.rows", "__STATE__.byId.*"} <= set(lists_in(document, "state"))


def test_what_the_markup_answers_is_read_there() -> None:
    rows = "".join(
        f'<li class="p"><a href="/p/{n}">{one["name"]}</a> <b>€ {one["cost"]}</b></li>'
        for n, one in enumerate(goods())
    )
    made = generate(page_of({"items": goods()}, f"<ul>{rows}</ul>"), "Products: name, price and link")
    assert made.strategy.container.source == "css"


def test_what_the_markup_lacks_is_read_from_the_data_of_the_same_records() -> None:
    rows = "".join(f'<li class="p"><i>{one["name"]}</i></li>' for one in goods())
    text = "<p>A long text about these goods and the people who make them. </p>" * 20
    data = {"menu": [{"name": f"Menu {n}", "cost": n} for n in range(9)], "items": goods()}
    made = generate(page_of(data, f"{text}<ul>{rows}</ul>"), "Products: name, cost and link")
    assert made.strategy.container.selector == "__STATE__.items"
    assert made.items == [
        {"name": one["name"], "cost": one["cost"], "link": SITE + one["href"]} for one in goods()
    ]


def test_a_page_that_lost_its_data_has_changed() -> None:
    made = generate(page_of({"items": goods()}), "Products: name, cost and link")
    assert len(run(made.strategy, page_of({"items": goods(9)})).items) == 9
    moved = run(made.strategy, page_of({"shop": {"stock": goods()}}), known=made.items)
    assert (moved.items, moved.repaired and moved.repaired.how) == (made.items, "mined")
    with pytest.raises(ExtractionFailed) as failed:
        run(made.strategy, page_of({"other": 1}, "<p>Something else entirely.</p>"), known=made.items)
    assert failed.value.reason == "structure_changed"


def test_refined_by_sentences() -> None:
    records = [{**one, "maker": {"name": f"Maker {n}"}} for n, one in enumerate(goods())]
    page = page_of({"items": records, "stores": [{"name": f"Store {n}", "city": "Ulm"} for n in range(4)]})
    made = generate(page, "Products: name, cost and link")

    def change(feedback: str, strategy: Strategy = made.strategy) -> list[dict[str, object]]:
        ask = "Products: name, cost and link"
        refined = refine(strategy, page, feedback, description=ask, filter_config=None)
        return refined.generated.items

    assert change("add the maker")[1]["maker"] == "Maker 1"
    assert list(change("drop the link")[0]) == ["name", "cost"]
    assert change("use the list of stores: name and city instead")[2] == {"name": "Store 2", "city": "Ulm"}


def test_broken_and_hostile_data_cost_little() -> None:
    deep: Any = goods()
    for _ in range(60):
        deep = {"a": deep}
    page = page_of(deep)
    with pytest.raises(ExtractionFailed):
        generate(page, "Products: name, cost and link")
    torn = Page(URL, page_of({"items": goods()}).html[:-400])
    with pytest.raises(ExtractionFailed):
        generate(torn, "Products: name, cost and link")
    made = generate(page_of({"items": goods()}), "Products: name, cost and link")
    odd = replace(made.strategy, container=replace(made.strategy.container, selector="..*.\\"))
    with pytest.raises(ExtractionFailed):
        run(odd, page)
