"""Plain sentences that change a strategy."""

from __future__ import annotations

from typing import Any

import pytest

from meterhouse.extraction.engine import generate
from meterhouse.extraction.model import Field, Page, Strategy
from meterhouse.extraction.plan import ApiRequest
from meterhouse.extraction.refine.changes import (
    Add,
    Change,
    Clean,
    Drop,
    KeepOnly,
    OtherList,
    Pages,
    Rename,
    Retype,
)
from meterhouse.extraction.refine.refine import Refined, refine
from meterhouse.extraction.refine.sentences import read_feedback
from meterhouse.kernel.errors import Invalid

ROWS = "".join(
    f'<li class="product"><a href="/p/{at}"><h3 class="name">Phone {at}</h3></a>'
    f'<span class="price">from $ {at}99.50 each</span> <span class="brand">by Acme {at}</span>'
    f'<span class="stock">{at} in stock</span></li>'
    for at in range(1, 9)
)
REVIEWS = "".join(
    f'<div class="review"><b class="who">Reader {at}</b> <span class="stars">{at} stars</span>'
    f"<p>It rang {at} times and then it stopped, which I liked.</p></div>"
    for at in range(1, 6)
)
REVIEW_ROWS = [{"author": "A", "stars": 1}, {"author": "B", "stars": 2}]
PAGE = Page(
    "https://shop.example/",
    f"<html><body><main><h1>Phones</h1><ul class='list'>{ROWS}</ul><h2>Reviews</h2>"
    f"<section class='reviews'>{REVIEWS}</section></main></body></html>",
)


@pytest.fixture(scope="module")
def strategy() -> Strategy:
    made = generate(PAGE, "phones: name, price")
    assert len(made.items) == 8
    return made.strategy


def change(strategy: Strategy, feedback: str, **more: Any) -> Refined:
    given = {"description": "phones: name, price", "filter_config": None, **more}
    return refine(strategy, PAGE, feedback, **given)


def first(refined: Refined) -> dict[str, object]:
    return refined.generated.items[0]


@pytest.mark.parametrize(
    ("feedback", "changes"),
    [
        ("Add the brand", [Add("brand")]),
        ("Please also include the rating as a number.", [Add("rating", "number")]),
        ("The brand is missing", [Add("brand")]),
        ("I also need the stock", [Drop("x")]),
        ("Drop the price", [Drop("price")]),
        ("remove price and brand", [Drop("price"), Drop("brand")]),
        ("I don't need the price column.", [Drop("price")]),
        ("Keep only name and price", [KeepOnly(("name", "price"))]),
        ("Rename price to cost", [Rename("price", "cost")]),
        ("call the name 'Product title'", [Rename("name", "Product_title")]),
        ("price should be called amount", [Rename("price", "amount")]),
        ("price as a number", [Retype("price", "number")]),
        ("Make the price a number", [Retype("price", "number")]),
        ("Convert stock to an integer", [Retype("stock", "integer")]),
        ("The price should be a number", [Retype("price", "number")]),
        ("Only the number of the stock", [Clean("stock", "number")]),
        ("Remove the currency symbol from the price", [Clean("price", "number")]),
        ("strip 'by' from brand", [Clean("brand", "without", "by")]),
        ("name without the word Phone", [Clean("name", "without", "Phone")]),
        ("remove everything after 'each' in price", [Clean("price", "before", "each")]),
        ("use the part before ' in' of stock", [Clean("stock", "before", " in")]),
        ("Choose another list", [OtherList("")]),
        ("This is the wrong table.", [OtherList("")]),
        (
            "use the list of reviews instead, with author and stars",
            [OtherList("reviews with author and stars")],
        ),
        ("follow up to 5 pages", [Pages(5)]),
        ("Follow all the pages", [Pages(100)]),
        (
            "Drop the price, rename name to title and add the brand.",
            [Drop("price"), Rename("name", "title"), Add("brand")],
        ),
    ],
)
def test_sentences(feedback: str, changes: list[Change]) -> None:
    if changes == [Drop("x")]:
        changes = [Add("stock")]
    assert read_feedback(feedback) == changes


@pytest.mark.parametrize("feedback", ["hello there", "it does not work", "   ", "<script>alert(1)</script>"])
def test_what_is_not_understood_is_refused(strategy: Strategy, feedback: str) -> None:
    with pytest.raises(Invalid, match="not understood"):
        change(strategy, feedback)


def test_add(strategy: Strategy) -> None:
    assert first(change(strategy, "add the brand"))["brand"] == "by Acme 1"
    assert list(first(change(strategy, "add the brand"))) == ["name", "price", "brand"]
    with pytest.raises(Invalid, match="Nothing in the records"):
        change(strategy, "add the blood pressure")


def test_drop(strategy: Strategy) -> None:
    assert first(change(strategy, "drop the price")) == {"name": "Phone 1"}
    with pytest.raises(Invalid, match="only field"):
        change(strategy, "drop the price and drop the name")
    with pytest.raises(Invalid, match=r"no field 'weight'; there are name, price"):
        change(strategy, "drop the weight")


def test_rename(strategy: Strategy) -> None:
    condition = {"mode": "all", "conditions": [{"field": "price", "operator": "exists"}]}
    refined = change(strategy, "rename price to cost", filter_config=condition)
    assert list(first(refined)) == ["name", "cost"]
    assert refined.filter_config == {"mode": "all", "conditions": [{"field": "cost", "operator": "exists"}]}
    with pytest.raises(Invalid, match="already"):
        change(strategy, "rename price to name")


def test_a_field_that_the_filter_uses_is_not_dropped(strategy: Strategy) -> None:
    condition = {"mode": "all", "conditions": [{"field": "price", "operator": "exists"}]}
    with pytest.raises(Invalid, match="filter uses 'price'"):
        change(strategy, "drop the price", filter_config=condition)


def test_types_and_parts(strategy: Strategy) -> None:
    assert first(change(strategy, "price as a number"))["price"] == 199.5
    assert first(change(strategy, "only the number of the price"))["price"] == 199.5
    assert first(change(strategy, "add the brand. Remove 'by' from brand"))["brand"] == "Acme 1"
    assert first(change(strategy, "add stock; remove everything after 'in' in stock"))["stock"] == "1"
    assert first(change(strategy, "add stock; use the part after '1' of stock"))["stock"] == "in stock"
    added = first(change(strategy, "add the stock as an integer"))
    assert added["stock"] == 1


def test_a_schema_stays_in_step() -> None:
    schema = {"phones": [{"name": "string", "price": "string"}]}
    made = generate(PAGE, "phones", output_schema=schema)
    refined = refine(
        made.strategy,
        PAGE,
        "price as a number, rename name to title, add the brand",
        description="phones",
        filter_config=None,
    )
    assert refined.generated.strategy.output_schema == {
        "phones": [{"title": "string", "price": "number", "brand": "string"}]
    }
    assert refined.generated.items[0]["phones"][0] == {  # type: ignore[index]
        "title": "Phone 1",
        "price": 199.5,
        "brand": "by Acme 1",
    }


def test_another_list(strategy: Strategy) -> None:
    refined = change(strategy, "use the list of reviews instead, with author and stars")
    items = refined.generated.items
    assert len(items) == 5
    assert "Reader 1" in items[0].values()


def test_pages_and_the_contract(strategy: Strategy) -> None:
    refined = change(strategy, "follow up to 3 pages")
    made = refined.generated.strategy
    assert made.paging is not None
    assert made.paging.max_pages == 3
    assert made.contract.records == 8
    assert Strategy.from_document(made.to_document()) == made


def test_an_api_strategy() -> None:
    rows = [{"title": f"Phone {at}", "price": at, "maker": {"brand": f"Acme {at}"}} for at in range(4)]
    answer = Page(
        "https://shop.example/",
        __import__("json").dumps(
            {"items": rows, "reviews": [{"author": "A", "stars": 1}, {"author": "B", "stars": 2}]}
        ),
    )
    strategy = Strategy(
        kind="api",
        api=ApiRequest("https://shop.example/api", "https://shop.example/", items=("items",)),
        fields={"title": Field(source="json", selector="title")},
    )
    refined = refine(strategy, answer, "add the brand", description="titles", filter_config=None)
    assert refined.generated.items[1] == {"title": "Phone 1", "brand": "Acme 1"}
    refined = refine(
        strategy,
        answer,
        "use the list of reviews instead, with author and stars",
        description="titles",
        filter_config=None,
    )
    assert refined.generated.items == REVIEW_ROWS


def test_text_of_the_feedback_never_becomes_a_pattern(strategy: Strategy) -> None:
    refined = change(strategy, "strip '(a+)+$|.*' from name")
    assert first(refined)["name"] == "Phone 1"
