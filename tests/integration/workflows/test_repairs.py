"""A page that is rebuilt under a workflow is read on, and the repaired plan is kept."""

from __future__ import annotations

from uuid import UUID

from tests.integration.workflows.conftest import Bench
from tests.pages import SHOP

from meterhouse.extraction import service as extraction
from meterhouse.workflows.model import RunStatus, Workflow


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
