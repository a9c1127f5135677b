"""Definitions, one active run at a time, cancelling, lost runs, and a wide fan-out."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.workflows.conftest import PHONE, Bench, Killed
from tests.pages import SHOP

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import Conflict, Invalid, NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.workflows import queries, service
from meterhouse.workflows.model import (
    EdgeDraft,
    InputType,
    NodeDraft,
    NodeStatus,
    RunStatus,
    Workflow,
    WorkflowDraft,
    WorkflowRun,
)

# `METERHOUSE_TEST_FAN_OUT=10000` walks the documented width; it takes its time.
HEAVY_PAGES, HEAVY_CHARS = 150, 150_000
FAN_OUT = int(os.environ.get("METERHOUSE_TEST_FAN_OUT", "500"))


async def cancel(bench: Bench, run: WorkflowRun) -> WorkflowRun:
    async with bench.database.begin() as connection:
        return await service.cancel_run(
            connection,
            bench.queue,
            organisation_id=bench.organisation_id,
            workflow_id=run.workflow_id,
            run_id=run.id,
            now=bench.clock.now(),
        )


async def delete(bench: Bench, workflow: Workflow) -> None:
    async with bench.database.begin() as connection:
        await service.delete_workflow(
            connection, organisation_id=bench.organisation_id, workflow_id=workflow.id
        )


class TestDefinitions:
    async def test_created_as_given(self, bench: Bench) -> None:
        workflow = await bench.shop(filter_config={"mode": "all", "conditions": []})
        async with bench.database.begin() as connection:
            found = await queries.get_workflow(
                connection, organisation_id=bench.organisation_id, workflow_id=workflow.id
            )
            listed = await queries.list_workflows(
                connection, organisation_id=bench.organisation_id, limit=1, offset=0
            )
        assert found == workflow
        assert (listed[0].id, listed[0].node_count) == (workflow.id, 2)

    async def test_somebody_else_sees_nothing(self, bench: Bench) -> None:
        workflow = await bench.shop()
        async with bench.database.begin() as connection:
            with pytest.raises(NotFound, match="Workflow not found"):
                await queries.get_workflow(connection, organisation_id=new_id(), workflow_id=workflow.id)

    @pytest.mark.parametrize(
        ("change", "error", "words"),
        [
            ({"strategy_id": new_id()}, NotFound, "Strategy not found"),
            ({"static_urls": ("nowhere",)}, Invalid, "nowhere"),
            ({"static_urls": (SHOP,) * 10_001}, Invalid, "10000"),
            ({"static_parameters": {"page": 1}}, Invalid, "takes no parameters"),
        ],
    )
    async def test_what_is_refused(
        self, bench: Bench, change: Any, error: type[Exception], words: str
    ) -> None:
        strategy = await bench.generate()
        node = NodeDraft("index", strategy.id, InputType.STATIC_URLS, (SHOP,))
        before = await bench.value("SELECT count(*) FROM workflows")
        with pytest.raises(error, match=words):
            await bench.create(replace(node, **change))
        assert await bench.value("SELECT count(*) FROM workflows") == before

    async def test_a_filter_that_cannot_be_used(self, bench: Bench) -> None:
        with pytest.raises(Invalid, match="'index' -> 'details'") as refused:
            await bench.shop(filter_config={"mode": "all", "conditions": [{"field": "x", "operator": "is"}]})
        assert refused.value.issues[0].path[:3] == ("edges", 0, "filter_config")

    async def test_a_blank_name(self, bench: Bench) -> None:
        strategy = await bench.generate()
        draft = WorkflowDraft("  ", (NodeDraft("a", strategy.id, InputType.STATIC_URLS, (SHOP,)),))
        async with bench.database.begin() as connection:
            with pytest.raises(Invalid, match="name"):
                await service.create_workflow(
                    connection, organisation_id=bench.organisation_id, draft=draft, now=bench.clock.now()
                )

    async def test_a_strategy_in_use_is_not_deleted(self, bench: Bench) -> None:
        workflow = await bench.shop()
        wanted = {"organisation_id": bench.organisation_id, "strategy_id": workflow.nodes[0].strategy_id}

        async def remove() -> None:
            async with bench.database.begin() as connection:
                await extraction.delete_strategy(
                    connection, **wanted, now=bench.clock.now(), check=service.check_strategy_unused
                )

        with pytest.raises(Conflict, match="'Phones'"):
            await remove()
        await delete(bench, workflow)
        await remove()


class TestTurns:
    async def test_one_active_run_and_the_others_in_order(self, bench: Bench) -> None:
        workflow = await bench.shop()
        first, second, third = [await bench.start(workflow) for _ in range(3)]
        await bench.drive(third)
        with pytest.raises(Killed):
            await bench.dying(4, after_commit=True).drive_run(run_id=str(first.id))
        await bench.drive(second)
        found = [(await bench.get(run)).status for run in (first, second, third)]
        assert found == [RunStatus.RUNNING, RunStatus.PENDING, RunStatus.PENDING]
        await bench.drive(first)
        woken = "SELECT count(*) FROM procrastinate_jobs WHERE args->>'run_id' = :id"
        assert await bench.value(woken, id=str(second.id)) == 2
        assert await bench.value(woken, id=str(third.id)) == 1
        await bench.drive(second)
        await bench.drive(third)
        assert (await bench.get(third)).status is RunStatus.COMPLETED

    async def test_cancelled_in_the_middle(self, bench: Bench) -> None:
        workflow = await bench.shop()
        run, waiting = await bench.start(workflow), await bench.start(workflow)
        bench.fetcher.hold = asyncio.Event()
        bench.fetcher.calls.clear()
        driving = asyncio.create_task(bench.drive(run))
        while not bench.fetcher.calls:
            await asyncio.sleep(0.01)
        assert (await cancel(bench, run)).status is RunStatus.CANCELLED
        bench.fetcher.hold.set()
        await driving
        found = await bench.get(run)
        assert found.status is RunStatus.CANCELLED
        assert {node.status for node in found.nodes} == {NodeStatus.CANCELLED}
        assert bench.fetcher.calls == [SHOP]
        with pytest.raises(Conflict, match="already ended"):
            await cancel(bench, run)
        assert (await cancel(bench, waiting)).status is RunStatus.CANCELLED
        await bench.drive(waiting)
        assert (await bench.get(waiting)).nodes == ()

    async def test_deleted_in_the_middle(self, bench: Bench) -> None:
        workflow = await bench.shop()
        run = await bench.start(workflow)
        bench.fetcher.hold = asyncio.Event()
        bench.fetcher.calls.clear()
        driving = asyncio.create_task(bench.drive(run))
        while not bench.fetcher.calls:
            await asyncio.sleep(0.01)
        await delete(bench, workflow)
        bench.fetcher.hold.set()
        await driving
        await bench.drive(run)
        assert await bench.value("SELECT count(*) FROM workflow_runs WHERE id = :id", id=run.id) == 0

    async def test_a_lost_run_is_found(self, bench: Bench) -> None:
        run = await bench.start(await bench.shop())
        await bench.value(
            "DELETE FROM procrastinate_jobs WHERE args->>'run_id' = :id RETURNING 1", id=str(run.id)
        )
        soon = bench.clock.now() + timedelta(minutes=9)
        assert await bench.tasks.find_lost_runs(soon) == 0
        assert await bench.tasks.find_lost_runs(soon + timedelta(minutes=2)) >= 1
        assert await bench.tasks.find_lost_runs(soon + timedelta(minutes=2)) == 0
        await bench.drive(run)
        assert (await bench.get(run)).status is RunStatus.COMPLETED


@dataclass
class Wide(extraction.Extractor):
    """An extractor that gives many links for a list and one item for anything else."""

    per_list: int
    in_hand: int = 0
    most: int = 0
    pages: list[str] = field(default_factory=list)

    async def run(self, strategy: Any, page: Any, *, keep: Any, known: Any = ()) -> extraction.Extracted:
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        await asyncio.sleep(0)
        self.in_hand -= 1
        self.pages.append(page.url)
        if "?list=" not in page.url:
            return extraction.Extracted([{"page": page.url}])
        start = int(page.url.partition("=")[2]) * self.per_list
        links = [f"/phones/{at}" for at in range(start, start + self.per_list)]
        return extraction.Extracted([{"url": link} for link in [*links, *links[:3]]])


@dataclass
class Heavy(extraction.Extractor):
    """An extractor whose pages are heavy: what is kept of them shows."""

    async def run(self, strategy: Any, page: Any, *, keep: Any, known: Any = ()) -> extraction.Extracted:
        if page.url == SHOP:
            return extraction.Extracted([{"url": f"/phones/{at}"} for at in range(HEAVY_PAGES)])
        return extraction.Extracted([{"page": page.url, "text": page.url[-1] * HEAVY_CHARS}])


class TestWidth:
    async def test_a_run_holds_few_of_its_pages(self, bench: Bench) -> None:
        strategy = await bench.generate()
        workflow = await bench.create(
            NodeDraft("list", strategy.id, InputType.STATIC_URLS, (SHOP,)),
            NodeDraft("pages", strategy.id, InputType.UPSTREAM_URLS, url_field="url"),
            edges=(EdgeDraft("list", "pages"),),
        )
        bench.fetcher.pages |= {PHONE.format(at): "<html></html>" for at in range(HEAVY_PAGES)}
        run = await bench.start(workflow)
        tasks = replace(bench.tasks, extractor=Heavy(), slice_s=1e9)
        tracemalloc.start()
        await tasks.drive_run(run_id=str(run.id))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len((await bench.get(run)).final_results) == HEAVY_PAGES
        assert peak < HEAVY_PAGES * HEAVY_CHARS / 2

    async def test_a_wide_fan_out(self, bench: Bench) -> None:
        """Every page once, in order, a bounded number at a time; a second run fetches the lists only."""
        strategy = await bench.generate()
        lists = tuple(f"{SHOP}?list={at}" for at in range(20))
        workflow = await bench.create(
            NodeDraft("lists", strategy.id, InputType.STATIC_URLS, lists),
            NodeDraft("pages", strategy.id, InputType.UPSTREAM_URLS, url_field="url"),
            edges=(EdgeDraft("lists", "pages"),),
        )
        for url in (*lists, *(PHONE.format(at) for at in range(FAN_OUT))):
            bench.fetcher.pages[url] = "<html></html>"
        wide = Wide(per_list=FAN_OUT // len(lists))
        tasks = replace(bench.tasks, extractor=wide, slice_s=1e9)
        for expected in (FAN_OUT + len(lists), len(lists)):
            wide.pages.clear()
            run = await bench.start(workflow)
            await tasks.drive_run(run_id=str(run.id))
            found = await bench.get(run)
            assert found.status is RunStatus.COMPLETED
            assert [item["page"] for item in found.final_results] == [
                PHONE.format(at) for at in range(FAN_OUT)
            ]
            assert len(wide.pages) == expected
        assert wide.most <= 16
