"""A strategy made on a page, and the page served otherwise: the records stay right or their loss is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meterhouse.extraction.engine import generate, run
from meterhouse.extraction.model import ExtractionFailed, Generated, Page, Strategy
from tests.unit.extraction import pages
from tests.unit.extraction.mutations import MUTATIONS, made_by_a_tool, right, served

URL = "https://shop.example/lamps/"
LISTS: dict[str, tuple[Callable[[], str], str]] = {
    "shop": (pages.shop, "All lamps: name, link and price"),
    "stories": (pages.stories, "All stories: title, link, score, author and number of comments"),
    "flat": (pages.flat, "All notes with title, link and summary"),
    "tables": (pages.tables, "Cases per region: active and total"),
    "hashed": (pages.hashed, "All lamps: name, link and price"),
}
_MADE: dict[str, Generated] = {}


def made(name: str) -> tuple[Page, Generated]:
    build, request = LISTS[name]
    page = Page(URL, build())
    if name not in _MADE:
        _MADE[name] = generate(page, request)
    return page, _MADE[name]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(sorted(LISTS)), mutation=st.sampled_from(sorted(MUTATIONS)), seed=st.integers(0, 999)
)
def test_records_stay_right_however_the_page_is_served(name: str, mutation: str, seed: int) -> None:
    page, generated = made(name)
    stored = Strategy.from_document(generated.strategy.to_document())
    changed = served(page, stored, generated.items, mutation, seed)
    found = run(stored, changed.page, known=generated.items)
    assert right(changed, found.items) == len(changed.expected)
    if mutation != "inserted":
        assert len(found.items) == len(changed.expected), "nothing is found that was not there"


def test_several_changes_at_once() -> None:
    page, generated = made("shop")
    for mutation in ("reordered", "inserted", "wrapped"):
        changed = served(page, generated.strategy, generated.items, mutation)
        found = run(generated.strategy, changed.page, known=generated.items)
        assert right(changed, found.items) == len(changed.expected)
        page = changed.page
        generated = Generated(generated.strategy, found.items)


def test_no_selector_rests_on_a_name_made_by_a_build_tool() -> None:
    _, generated = made("hashed")
    written = str(generated.strategy.to_document())
    for name in pages.HASHES:
        assert made_by_a_tool(name)
        assert name not in written


def test_a_run_on_another_site_fails_and_is_not_repaired() -> None:
    _, generated = made("shop")
    other = Page("https://elsewhere.example/", pages.stories())
    with pytest.raises(ExtractionFailed) as failure:
        run(generated.strategy, other)
    assert failure.value.reason == "structure_changed"
