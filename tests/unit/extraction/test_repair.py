"""Contracts, what breaks them, what mends them, and what a run says when nothing does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meterhouse.extraction.engine import generate, run
from meterhouse.extraction.engine.contract import breaches, contract_of
from meterhouse.extraction.model import (
    Container,
    Contract,
    ExtractionFailed,
    Field,
    Generated,
    Item,
    Page,
    Strategy,
)
from tests.unit.extraction import pages

URL = "https://shop.example/lamps/"


def shop() -> Generated:
    return generate(Page(URL, pages.shop()), "All lamps: name, link and price")


def test_the_contract_says_what_the_values_were_like() -> None:
    contract = shop().strategy.contract
    assert contract.records == len(pages.LAMPS)
    assert contract.fill == {"name": 1.0, "link": 1.0, "price": 1.0}
    assert contract.shapes["price"].kind == "money"
    assert contract.shapes["name"].distinct == 1.0
    assert Contract.from_document(contract.to_document()) == contract


FIELDS = {"name": Field(selector="h3"), "price": Field(selector=".price")}
GOOD: list[Item] = [{"name": f"Lamp number {n}", "price": f"€ {n},50"} for n in range(12)]


@pytest.mark.parametrize(
    ("found", "what"),
    [
        ([], {"records", "fill"}),
        (GOOD[:1], {"records"}),
        ([{**item, "price": None} for item in GOOD], {"fill"}),
        ([{**item, "price": "Add to basket"} for item in GOOD], {"kind"}),
        ([{**item, "name": "Lamp"} for item in GOOD], {"distinct"}),
        ([{**item, "name": f"{item['name']} " * 40} for item in GOOD], {"length"}),
        (GOOD[:6], set()),
        ([{**item, "price": "€ 1.999,00"} for item in GOOD], set()),
    ],
)
def test_breaches(found: list[Item], what: set[str]) -> None:
    contract = contract_of(GOOD, FIELDS)
    assert {one.what for one in breaches(contract, found, FIELDS)} == what


def test_an_alternate_serves_all_records_when_the_first_way_is_gone() -> None:
    made = shop()
    renamed = pages.shop().replace('class="price"', 'class="amount"')
    found = run(made.strategy, Page(URL, renamed), known=made.items)
    assert found.items == made.items
    assert found.repaired is not None
    assert found.repaired.how in {"alternates", "mined"}
    assert [one.field for one in found.repaired.before] == ["price"]
    assert any("repaired" in note for note in found.notes)
    again = run(Strategy.from_document(found.repaired.strategy.to_document()), Page(URL, renamed))
    assert again.items == made.items
    assert again.repaired is None


def test_a_rebuilt_page_is_mined_again_by_the_values_known() -> None:
    made = shop()
    rebuilt = pages.html(
        pages.MENU
        + "<section>"
        + "".join(
            f'<p class="row"><b><a href="/lamp/{slug}">{name}</a></b> <i>now {price}</i></p>'
            for name, slug, price in pages.LAMPS
        )
        + "</section>"
    )
    found = run(made.strategy, Page(URL, rebuilt), known=made.items)
    assert found.repaired is not None
    assert found.repaired.how == "mined"
    assert [item["name"] for item in found.items] == [name for name, *_ in pages.LAMPS]


def test_a_rebuilt_page_of_other_values_is_not_taken_for_the_same_list() -> None:
    made = shop()
    other = pages.html("".join(f'<p><a href="/j/{n}">Vacancy {n}</a> in Riga</p>' for n in range(5)))
    with pytest.raises(ExtractionFailed) as failure:
        run(made.strategy, Page(URL, other), known=made.items)
    assert failure.value.reason == "structure_changed"
    assert failure.value.evidence["broken"]


def test_one_lost_field_of_several_is_named_and_withheld() -> None:
    request = "All stories: title, link, score, author and number of comments"
    made = generate(Page(URL, pages.stories()), request)
    without = pages.stories().replace('class="score"', 'class="hint"').replace(" points", "")
    for _, points, *_ in pages.STORIES:
        without = without.replace(f">{points}<", "><")
    found = run(replace(made.strategy, request=""), Page(URL, without), known=made.items)
    assert found.lost == ("score",)
    assert all("score" not in item for item in found.items)
    assert any("score" in note for note in found.notes)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<h1>Just a moment...</h1><p>Checking your browser before access.</p>", "blocked"),
        ("<p>Access denied. Solve the captcha to go on.</p>", "blocked"),
        ('<form><p>Please log in</p><input name="u"><input type="password"></form>', "login_required"),
        (
            "<p>We value your privacy and use cookies.</p><button>Accept all</button>",
            "consent_wall",
        ),
        ("<p>No results found for your search.</p>", "empty"),
        ("<div></div>", "empty"),
        ("<p>Our new home is being furnished.</p>", "structure_changed"),
    ],
)
def test_a_page_without_records_says_why(body: str, reason: str) -> None:
    made = shop()
    with pytest.raises(ExtractionFailed) as failure:
        run(made.strategy, Page(URL, pages.html(body)), known=made.items)
    assert failure.value.reason == reason
    assert failure.value.evidence["records_before"] == len(pages.LAMPS)


def test_a_strategy_written_by_hand_promises_nothing_and_runs() -> None:
    strategy = Strategy.from_document(
        {"container": {"selector": "div.card"}, "fields": {"name": "h3", "price": {"selector": ".price"}}}
    )
    found = run(strategy, Page(URL, pages.shop()))
    assert [item["price"] for item in found.items] == [price for *_, price in pages.LAMPS]
    with pytest.raises(ExtractionFailed) as failure:
        run(strategy, Page(URL, pages.html("<p>Nothing.</p>")))
    assert failure.value.reason == "nothing_found"


def test_a_container_that_is_gone_is_found_by_another_selector() -> None:
    strategy = Strategy(
        container=Container("li.gone", alternates=("div.card",)),
        fields=FIELDS,
        contract=Contract(records=5, fill={"name": 1.0, "price": 1.0}),
    )
    found = run(strategy, Page(URL, pages.shop()))
    assert len(found.items) == len(pages.LAMPS)
    assert found.repaired is not None
    assert found.repaired.strategy.container.selector == "div.card"
    assert found.repaired.strategy.container.alternates == ("li.gone",)
