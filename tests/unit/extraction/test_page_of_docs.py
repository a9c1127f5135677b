"""What docs/extraction.md shows is what happens."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from meterhouse.extraction.engine import generate, run
from meterhouse.extraction.model import FailureReason, Page, Source, Strategy

TEXT = (Path(__file__).parents[3] / "docs" / "extraction.md").read_text(encoding="utf-8")
URL = "https://shop.example/lamps/"


def block(name: str) -> str:
    found = re.search(rf"^```\w+ {name}\n(.*?)^```", TEXT, re.M | re.S)
    assert found is not None
    return found.group(1)


def test_the_strategy_shown_gives_the_items_shown() -> None:
    strategy = Strategy.from_document(json.loads(block("strategy")))
    assert run(strategy, Page(URL, block("page"))).items == json.loads(block("items"))


def test_the_request_shown_finds_the_list_shown() -> None:
    made = generate(Page(URL, block("page")), "All lamps: name, link and price")
    shown = json.loads(block("items"))
    assert made.items == [{key: one[key] for key in ("name", "link", "price")} for one in shown]
    assert made.strategy.container.selector == "article.lamp"
    assert made.strategy.container.alternates == ("section.offers > article",)


@pytest.mark.parametrize("word", [*get_args(FailureReason), *get_args(Source)])
def test_every_reason_and_source_is_explained(word: str) -> None:
    assert f"`{word}`" in TEXT
