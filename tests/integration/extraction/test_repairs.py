"""A page is rebuilt under a stored strategy: the repair is stored, lost fields are named."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
from tests.pages import SHOP, FakeFetcher, shop_page

from meterhouse.extraction import service
from meterhouse.extraction.model import ExtractionFailed
from meterhouse.extraction.stored import Extracted, StoredStrategy, StrategyRequest
from meterhouse.identity.service import ensure_organisation
from meterhouse.kernel.clock import TestClock
from meterhouse.platform.ports import NoBrowser
from meterhouse.platform.postgres import PostgresDatabase

PRICES = (199, 249, 299, 349)
REBUILT = (
    shop_page(*PRICES)
    .replace('<li class="product">', '<div class="tile"><b>')
    .replace("</li>", "</b></div>")
    .replace('class="price"', 'class="amount"')
    .replace('class="title"', 'class="label"')
)


@dataclass
class Watched:
    """A stored strategy and what it takes to run it."""

    database: PostgresDatabase
    sources: service.Sources
    pages: dict[str, str | bytes | int | Exception]
    strategy: StoredStrategy
    clock: TestClock

    async def run(self, page: str, **changes: object) -> Extracted:
        self.pages[SHOP] = page
        errand = replace(service.Errand(SHOP), **changes)  # type: ignore[arg-type]
        return await service.run_at(self.sources, self.strategy, errand, service.Tally())

    async def store(self, found: Extracted) -> bool:
        assert found.repaired is not None
        async with self.database.begin() as connection:
            return await service.store_repair(connection, self.strategy, found.repaired, now=self.clock.now())

    async def look(self) -> StoredStrategy:
        async with self.database.begin() as connection:
            return await service.get_strategy(
                connection,
                organisation_id=self.strategy.organisation_id,
                strategy_id=self.strategy.id,
            )


@pytest.fixture(params=[None, {"phones": [{"title": "string", "cost": {"price": "number"}}]}])
async def watched(database: PostgresDatabase, request: pytest.FixtureRequest) -> AsyncIterator[Watched]:
    clock, fetcher, extractor = TestClock(), FakeFetcher({SHOP: shop_page(*PRICES)}), service.Extractor()
    async with database.begin() as connection:
        organisation_id = await ensure_organisation(connection, now=clock.now())
    strategy = await service.generate_strategy(
        database,
        fetcher,
        extractor,
        organisation_id=organisation_id,
        request=StrategyRequest(SHOP, "phones: title and price", "Phones", output_schema=request.param),
        clock=clock,
    )
    sources = service.Sources(fetcher, NoBrowser(), extractor)
    yield Watched(database, sources, fetcher.pages, strategy, clock)
    extractor.close()


async def test_a_repair_is_stored_once_and_makes_the_next_run_plain(watched: Watched) -> None:
    good = await watched.run(shop_page(*PRICES))
    assert good.repaired is None
    mended = await watched.run(REBUILT, known=good.items)
    assert list(mended.items) == list(good.items)
    assert await watched.store(mended)
    stored = await watched.look()
    assert (stored.version, stored.document != watched.strategy.document) == (1, True)
    assert not await watched.store(mended), "the strategy has changed since that run began"
    watched.strategy = stored
    again = await watched.run(REBUILT)
    assert (list(again.items), again.repaired) == (list(good.items), None)
    assert mended.repaired is not None
    report = mended.repaired.to_document()
    assert (report["how"], bool(report["before"]), "container" in str(report["after"])) == (
        "mined",
        True,
        True,
    )


async def test_other_records_on_a_rebuilt_page_are_no_repair(watched: Watched) -> None:
    good = await watched.run(shop_page(*PRICES))
    others = REBUILT.replace("Phone", "Pedal boat").replace("$", "No. ")
    with pytest.raises(ExtractionFailed) as failed:
        await watched.run(others, known=good.items)
    assert failed.value.reason == "structure_changed"
    assert failed.value.evidence["broken"]


async def test_lost_fields_are_named_and_left_out_of_comparison(watched: Watched) -> None:
    good = await watched.run(shop_page(*PRICES))
    found = await watched.run(re.sub('"price">.*?<', '"price">on request<', shop_page(*PRICES)))
    assert len(found.lost) == 1
    assert found.lost[0].endswith("price")
    assert list(found.items) != list(good.items)
    assert service.without_fields(found.items, found.lost) == service.without_fields(good.items, found.lost)


async def test_no_filter_judges_by_a_lost_field(watched: Watched) -> None:
    name = "price" if watched.strategy.output_schema is None else "cost.price"
    filter_config = {"conditions": [{"field": name, "operator": "gt", "value": 100}]}
    watched.strategy = replace(watched.strategy, filter_config=filter_config)
    assert len((await watched.run(shop_page(*PRICES))).items) == len(PRICES)
    gone = re.sub('<span class="price">.*?</span>', "", shop_page(*PRICES))
    with pytest.raises(ExtractionFailed, match="filtered") as failed:
        await watched.run(gone)
    assert failed.value.evidence["filtered_by"] == [name]
