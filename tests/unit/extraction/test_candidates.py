"""Mined candidates as data: whoever chooses among them gives numbers, and the engine does the rest."""

from __future__ import annotations

import json

import pytest

from meterhouse.extraction.engine import candidates, choose, run
from meterhouse.extraction.model import Page
from meterhouse.kernel.errors import Invalid
from tests.unit.extraction import pages

URL = "https://shop.example/lamps/"
REQUEST = "All lamps: name, link and price"


def test_a_choice_of_numbers_makes_the_strategy() -> None:
    page = Page(URL, pages.shop())
    offered = candidates(page, REQUEST)
    best = offered.lists[1]
    columns = {
        name: next(one.number for one in best.columns if one.samples[0] == value)
        for name, value in (("name", pages.LAMPS[0][0]), ("price", pages.LAMPS[0][2]))
    }
    made = choose(page, offered, best.number, columns, request=REQUEST)
    assert made.items == [{"name": name, "price": price} for name, _, price in pages.LAMPS]
    assert run(made.strategy, page).items == made.items


def test_what_is_shown_is_small_and_names_no_selector() -> None:
    page = Page(URL, pages.shop())
    offered = candidates(page, REQUEST)
    shown = json.dumps(offered.to_document(), ensure_ascii=False)
    assert len(shown) < 20_000
    assert "selector" not in shown
    assert offered.wanted == ("name", "link", "price")


def test_the_page_itself_is_candidate_zero() -> None:
    page = Page(URL, pages.detail())
    offered = candidates(page, "Product name, brand and weight")
    whole = offered.lists[0]
    assert whole.number == 0
    weight = next(one.number for one in whole.columns if "2.4 kg" in one.samples)
    made = choose(page, offered, 0, {"weight": weight}, request="Weight of the lamp")
    assert made.items == [{"weight": "2.4 kg"}]


@pytest.mark.parametrize(("number", "columns"), [(99, {"name": 1}), (1, {"name": 999})])
def test_numbers_that_were_not_offered_are_refused(number: int, columns: dict[str, int]) -> None:
    page = Page(URL, pages.shop())
    with pytest.raises(Invalid, match="offered"):
        choose(page, candidates(page, REQUEST), number, columns, request=REQUEST)
