"""Pages that are rebuilt under a workflow, or lose a field, are read on, and neither is a change."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from tests.integration.workflows.conftest import PHONE, Bench, phone_page
from tests.pages import SHOP, shop_page

from meterhouse.extraction import service as extraction
from meterhouse.workflows.model import InputType, NodeDraft, RunStatus, Workflow

PRICES = (199, 249, 299, 349)
REBUILT = re.sub(r'<(/?)li( class="product")?>', r"<\1section>", shop_page(*PRICES))
REBUILT = REBUILT.replace('class="price"', 'class="amount"').replace('class="title"', 'class="label"')


async def plans(bench: Bench, workflow: Workflow) -> dict[UUID, extraction.StoredStrategy]:
    async with bench.database.begin() as connection:
        return await extraction.find_strategies(
            connection, strategy_ids=[node.strategy_id for node in workflow.nodes]
        )


async def test_a_repaired_plan_is_kept(bench: Bench) -> None:
    workflow = await bench.shop()
    index = workflow.nodes[0].strategy_id
    first, before = await bench.run(workflow), await plans(bench, workflow)
    page = str(bench.fetcher.pages[SHOP])
    bench.fetcher.pages[SHOP] = page.replace('class="price"', 'class="amount"')
    second, after = await bench.run(workflow, force=True), await plans(bench, workflow)
    assert (second.status, second.final_results) == (RunStatus.COMPLETED, first.final_results)
    assert after[index].document != before[index].document
    assert after[index].version == before[index].version
    await bench.run(workflow, force=True)
    assert await plans(bench, workflow) == after


async def test_the_items_of_the_last_good_run_tell_a_rebuilt_page_from_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.fetcher.pages[SHOP] = shop_page(*PRICES)
    strategy = await bench.generate()
    workflow = await bench.create(NodeDraft("index", strategy.id, InputType.STATIC_URLS, (SHOP,)))
    first = await bench.run(workflow)
    bench.fetcher.pages[SHOP] = 503
    assert (await bench.run(workflow)).status is RunStatus.FAILED
    seen: list[object] = []
    run_at = extraction.run_at

    async def watched(sources: Any, strategy: Any, errand: extraction.Errand, tally: Any) -> Any:
        seen.append(list(errand.known))
        return await run_at(sources, strategy, errand, tally)

    monkeypatch.setattr(extraction, "run_at", watched)
    bench.fetcher.pages[SHOP] = REBUILT
    second = await bench.run(workflow)
    assert seen == [first.final_results]
    assert (second.final_results, second.has_changes) == (first.final_results, False)


async def test_a_field_that_goes_and_comes_back_is_no_change(bench: Bench) -> None:
    bench.fetcher.pages[SHOP] = shop_page(*PRICES)
    strategy = await bench.generate()
    workflow = await bench.create(NodeDraft("index", strategy.id, InputType.STATIC_URLS, (SHOP,)))
    await bench.run(workflow)
    without = re.sub('"price">.*?<', '"price">on request<', shop_page(*PRICES))
    told = []
    for page in (without, without, shop_page(1, *PRICES[1:]), shop_page(*PRICES), without, without + " "):
        bench.fetcher.pages[SHOP] = page
        run = await bench.run(workflow)
        told.append((run.has_changes, bool(run.warnings)))
    assert told == [(False, True), (False, True), (False, False), (True, False), (False, True), (False, True)]
    bench.fetcher.pages[SHOP] = without.replace("Phone D", "Phone Z")
    changed = await bench.run(workflow)
    assert changed.has_changes
    assert changed.warnings == ("Node 'index': 1 of its pages no longer gives prices.",)


async def test_addresses_that_go_and_come_back_are_no_change(bench: Bench) -> None:
    for name in "abcd":
        bench.fetcher.pages[PHONE.format(name)] = phone_page(name.upper(), 199)
    bench.fetcher.pages[SHOP] = shop_page(*PRICES)
    workflow = await bench.shop()
    first = await bench.run(workflow)
    bench.fetcher.pages[SHOP] = re.sub(' href="/phones/.*?"', "", shop_page(*PRICES))
    lost = await bench.run(workflow)
    assert (lost.final_results, lost.has_changes) == ([], False)
    bench.fetcher.pages[SHOP] = shop_page(*PRICES)
    back = await bench.run(workflow)
    assert (back.final_results, back.has_changes) == (first.final_results, False)
    bench.fetcher.pages[SHOP] = shop_page(*PRICES[:3])
    assert (await bench.run(workflow)).has_changes
