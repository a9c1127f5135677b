"""Lists over several pages, fetched plainly: followed, bounded, and ended in time."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.pages import FakeFetcher

from meterhouse.extraction.extractor import Extractor
from meterhouse.extraction.making import make
from meterhouse.extraction.model import ExtractionFailed, Strategy
from meterhouse.extraction.replay import Tally
from meterhouse.extraction.stored import PageNotFetched, StrategyRequest
from meterhouse.extraction.visit import Errand, Sources, visit
from meterhouse.platform.ports import NoBrowser

HOST = "https://books.example"


def page(number: int, following: str = "", *, count: int = 6) -> str:
    rows = "".join(
        f'<li class="book"><h3 class="title">Volume {number}-{at} of the long work</h3>'
        f'<span class="price">${number}{at}.00</span></li>'
        for at in range(count)
    )
    link = f'<div class="pager"><a class="next" href="{following}">Next</a></div>' if following else ""
    return f"<html><body><main><ul>{rows}</ul></main>{link}</body></html>"


@pytest.fixture
def fetcher() -> FakeFetcher:
    return FakeFetcher({f"{HOST}/": page(1, "/2"), f"{HOST}/2": page(2, "/3"), f"{HOST}/3": page(3)})


@pytest.fixture
async def sources(fetcher: FakeFetcher) -> AsyncIterator[Sources]:
    extractor = Extractor()
    yield Sources(fetcher, NoBrowser(), extractor)
    extractor.close()


async def collect(sources: Sources, tally: Tally | None = None, **errand: Any) -> list[dict[str, object]]:
    request = StrategyRequest(f"{HOST}/", "titles and prices", "Books")
    strategy = (await make(sources, request)).generated.strategy
    stored = Strategy.from_document(strategy.to_document())
    found = await visit(sources, stored, Errand(f"{HOST}/", **errand), tally or Tally())
    return [dict(item) for item in found.items]


async def test_one_page_unless_asked(sources: Sources) -> None:
    assert len(await collect(sources)) == 6


async def test_all_pages_in_order(sources: Sources) -> None:
    tally = Tally()
    items = await collect(sources, tally, max_pages=10)
    assert len(items) == 18
    assert [item["titles"] for item in items][::6] == [f"Volume {n}-0 of the long work" for n in (1, 2, 3)]
    assert (tally.pages, tally.status) == (3, 200)


async def test_no_more_than_asked(sources: Sources, fetcher: FakeFetcher) -> None:
    assert len(await collect(sources, max_pages=2)) == 12
    assert f"{HOST}/3" not in fetcher.calls


async def test_circles_and_repetitions_end(sources: Sources, fetcher: FakeFetcher) -> None:
    fetcher.pages[f"{HOST}/3"] = page(3, "/2")
    assert len(await collect(sources, max_pages=50)) == 18
    fetcher.pages[f"{HOST}/2"] = page(1, "/3")
    assert len(await collect(sources, max_pages=50)) == 6, "a page of only known items is the last"


async def test_a_short_last_page_belongs_to_the_list(sources: Sources, fetcher: FakeFetcher) -> None:
    fetcher.pages[f"{HOST}/"] = page(1, "/2", count=40)
    fetcher.pages[f"{HOST}/2"] = page(2, count=1)
    assert len(await collect(sources, max_pages=5)) == 41


@pytest.mark.parametrize("end", [404, 410, "<html><body><p>No more books.</p></body></html>"])
async def test_what_lies_behind_the_end(sources: Sources, fetcher: FakeFetcher, end: Any) -> None:
    fetcher.pages[f"{HOST}/3"] = end
    assert len(await collect(sources, max_pages=10)) == 12


async def test_what_is_in_the_way_of_a_later_page_is_no_end(sources: Sources, fetcher: FakeFetcher) -> None:
    fetcher.pages[f"{HOST}/2"] = "<html><head><title>Access denied</title></head><body>Captcha</body></html>"
    with pytest.raises(ExtractionFailed) as failed:
        await collect(sources, max_pages=10)
    assert failed.value.reason == "blocked"


async def test_a_later_page_of_another_make_is_no_part_of_the_list(
    sources: Sources, fetcher: FakeFetcher
) -> None:
    other = re.sub(">Volume [^<]*<", ">Read more<", page(2))
    fetcher.pages[f"{HOST}/2"] = other.replace("$", "call us about ")
    with pytest.raises(ExtractionFailed) as failed:
        await collect(sources, max_pages=10)
    assert failed.value.reason == "structure_changed"


async def test_the_last_few_records_may_lack_a_price(sources: Sources, fetcher: FakeFetcher) -> None:
    fetcher.pages[f"{HOST}/2"] = page(2, count=2).replace("$", "call us about ")
    assert len(await collect(sources, max_pages=10)) == 8


async def test_a_page_that_fails_fails_the_run(sources: Sources, fetcher: FakeFetcher) -> None:
    fetcher.pages[f"{HOST}/2"] = 503
    with pytest.raises(PageNotFetched, match="503"):
        await collect(sources, max_pages=10)


async def test_the_address_of_an_api_makes_an_api_strategy(sources: Sources, fetcher: FakeFetcher) -> None:
    def rows(start: int) -> str:
        return "[" + ",".join(f'{{"title": "Volume {start + at}", "price": {at}.5}}' for at in range(3)) + "]"

    for number in (1, 2):
        fetcher.pages[f"{HOST}/api/books?page={number}"] = rows(3 * number)
    url = f"{HOST}/api/books?page=1"
    made = await make(sources, StrategyRequest(url, "titles and prices", "Books", force_api=True))
    strategy = made.generated.strategy
    assert strategy.kind == "api"
    found = await visit(sources, strategy, Errand(url, max_pages=5), Tally())
    assert [item["titles"] for item in found.items] == [f"Volume {at}" for at in range(3, 9)]
    found = await visit(sources, strategy, Errand(url, parameters={"page": 2}), Tally())
    assert found.items[0]["titles"] == "Volume 6"
