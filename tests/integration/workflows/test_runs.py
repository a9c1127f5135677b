"""Runs: what flows, what is skipped, what fails in part, and what survives a kill."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.workflows.conftest import PHONE, Bench, Killed, phone_page
from tests.pages import SHOP, shop_page

from meterhouse.kernel.errors import NotFound
from meterhouse.workflows.model import EdgeDraft, InputType, NodeDraft, NodeStatus, RunStatus, WorkflowRun
from meterhouse.workflows.retention import RunRetention

CHEAP = {"mode": "all", "conditions": [{"field": "price", "operator": "lt", "value": "260"}]}


def seen(run: WorkflowRun) -> dict[str, Any]:
    return {node.node_key: (node.status, node.results) for node in run.nodes}


class TestFlow:
    async def test_items_flow_along_the_edge(self, bench: Bench) -> None:
        run = await bench.run(await bench.shop())
        assert (run.status, run.error, run.warnings) == (RunStatus.COMPLETED, None, ())
        assert {node.node_key: (node.status, len(node.results or ())) for node in run.nodes} == {
            "index": (NodeStatus.COMPLETED, 3),
            "details": (NodeStatus.COMPLETED, 3),
        }
        assert ["Phone A" in str(run.final_results[0]), "Phone C" in str(run.final_results[2])] == [True] * 2
        assert sorted(bench.fetcher.calls) == sorted([SHOP, *(PHONE.format(name) for name in "abc")])
        assert run.created_at <= run.started_at <= run.completed_at  # type: ignore[operator]

    async def test_the_edge_filters(self, bench: Bench) -> None:
        run = await bench.run(await bench.shop(filter_config=CHEAP))
        assert len(run.final_results) == 2
        assert PHONE.format("c") not in bench.fetcher.calls

    async def test_fan_out_and_fan_in_meet_once(self, bench: Bench) -> None:
        workflow = await bench.shop()
        index, details = workflow.nodes
        both = await bench.create(
            NodeDraft("one", index.strategy_id, InputType.STATIC_URLS, (SHOP,)),
            NodeDraft("two", index.strategy_id, InputType.STATIC_URLS, (SHOP + "?2", SHOP + "?2")),
            NodeDraft("details", details.strategy_id, InputType.UPSTREAM_URLS, url_field="url"),
            edges=(EdgeDraft("one", "details", CHEAP), EdgeDraft("two", "details")),
        )
        bench.fetcher.pages[SHOP + "?2"] = shop_page(10, names="C")
        run = await bench.run(both)
        assert run.status is RunStatus.COMPLETED
        assert sorted(bench.fetcher.calls[2:]) == [PHONE.format(name) for name in "abc"]
        assert bench.fetcher.calls.count(SHOP + "?2") == 1

    async def test_trigger_only_and_upstream_data(self, bench: Bench) -> None:
        workflow = await bench.shop()
        index, details = workflow.nodes
        chain = await bench.create(
            NodeDraft("index", index.strategy_id, InputType.STATIC_URLS, (SHOP,)),
            NodeDraft("data", details.strategy_id, InputType.UPSTREAM_DATA),
            NodeDraft("after", index.strategy_id, InputType.TRIGGER_ONLY, (SHOP + "?after",)),
            NodeDraft("own", index.strategy_id, InputType.TRIGGER_ONLY),
            NodeDraft("never", index.strategy_id, InputType.TRIGGER_ONLY),
            edges=(
                EdgeDraft("index", "data"),
                EdgeDraft("data", "after"),
                EdgeDraft("index", "own", CHEAP),
                EdgeDraft(
                    "index", "never", {"mode": "all", "conditions": [{"field": "x", "operator": "exists"}]}
                ),
            ),
        )
        bench.fetcher.pages[SHOP + "?after"] = shop_page(1, 2)
        run = await bench.run(chain)
        found = seen(run)
        assert [found[key][0] for key in ("data", "after", "own")] == [NodeStatus.COMPLETED] * 3
        assert found["never"] == (NodeStatus.SKIPPED, [])
        assert "Phone A" in str(found["data"][1])
        assert len(found["after"][1]) == 2
        assert bench.fetcher.calls.count(SHOP) == 2
        again = await bench.run(chain)
        assert seen(again)["data"] == (NodeStatus.SKIPPED, found["data"][1])
        assert seen(again)["after"][0] is NodeStatus.COMPLETED, "a trigger is no data: it runs each time"

    @pytest.mark.parametrize(
        ("mode", "expected"),
        [
            ("per_result", [{"page": 1, "q": f"Phone {name}"} for name in "ABC"]),
            ("once", [{"page": 1, "q": "Phone A"}]),
            ("batch", [{"page": 1, "q": ["Phone A", "Phone B", "Phone C"]}]),
        ],
    )
    async def test_upstream_values_become_parameters(
        self, bench: Bench, mode: str, expected: list[dict[str, Any]]
    ) -> None:
        index, target = (await bench.shop()).nodes
        taking = "UPDATE strategies SET kind = 'api' WHERE id = :id RETURNING 1"
        await bench.value(taking, id=target.strategy_id)
        config = {"mappings": [{"source_field": "title", "target_param": "q"}], "execution_mode": mode}
        workflow = await bench.create(
            NodeDraft("index", index.strategy_id, InputType.STATIC_URLS, (SHOP,)),
            NodeDraft(
                "ask",
                target.strategy_id,
                InputType.UPSTREAM_DATA,
                static_parameters={"page": 1},
                parameter_config=config,
            ),
            edges=(EdgeDraft("index", "ask"),),
        )
        run = await bench.run(workflow)
        asked = await bench.value(
            "SELECT json_agg(w.parameters::jsonb || coalesce(w.gathered, '{}')::jsonb ORDER BY w.seq)"
            " FROM workflow_work w JOIN workflow_node_runs n ON n.id = w.node_run_id"
            " WHERE n.run_id = :run AND n.node_id = :node",
            run=run.id,
            node=workflow.nodes[1].id,
        )
        assert asked == expected

    async def test_output_by_page_and_label(self, bench: Bench) -> None:
        workflow = await bench.shop()
        run = await bench.run(workflow)
        output = await bench.output(workflow)
        assert output.run_id == run.id
        assert [(page.url, page.label) for page in output.pages] == [
            (PHONE.format(name), "phone details") for name in "abc"
        ]


class TestSkipping:
    async def test_nothing_new_is_nothing_to_do(self, bench: Bench) -> None:
        workflow = await bench.shop()
        first, second = await bench.run(workflow), await bench.run(workflow)
        assert bench.fetcher.calls == [SHOP]
        assert seen(second)["details"] == (NodeStatus.SKIPPED, seen(first)["details"][1])
        assert second.final_results == first.final_results
        third = await bench.run(workflow)
        assert third.final_results == first.final_results, "also from results that were taken over"

    async def test_only_what_changed_is_fetched(self, bench: Bench) -> None:
        workflow = await bench.shop()
        await bench.run(workflow)
        bench.fetcher.pages[SHOP] = shop_page(199, 229, 299)
        bench.fetcher.pages[PHONE.format("b")] = phone_page("B", 229)
        run = await bench.run(workflow)
        assert bench.fetcher.calls == [SHOP, PHONE.format("b")]
        assert seen(run)["details"][0] is NodeStatus.COMPLETED
        assert "229" in str(run.final_results[1])
        assert len(run.final_results) == 3

    async def test_force_runs_everything(self, bench: Bench) -> None:
        workflow = await bench.shop()
        await bench.run(workflow)
        await bench.run(workflow, force=True)
        assert len(bench.fetcher.calls) == 4

    async def test_a_new_version_of_the_strategy_runs_everything(self, bench: Bench) -> None:
        workflow = await bench.shop()
        await bench.run(workflow)
        await bench.value(
            "UPDATE strategies SET version = version + 1 WHERE id = :id RETURNING 1",
            id=workflow.nodes[1].strategy_id,
        )
        await bench.run(workflow)
        assert len(bench.fetcher.calls) == 4

    async def test_what_failed_is_tried_again(self, bench: Bench) -> None:
        workflow = await bench.shop()
        bench.fetcher.pages[PHONE.format("b")] = 503
        assert (await bench.run(workflow)).status is RunStatus.COMPLETED
        bench.fetcher.pages[PHONE.format("b")] = phone_page("B", 249)
        run = await bench.run(workflow)
        assert bench.fetcher.calls == [SHOP, PHONE.format("b")]
        assert len(run.final_results) == 3


class TestFailure:
    async def test_in_part(self, bench: Bench) -> None:
        workflow = await bench.shop()
        bench.fetcher.pages[PHONE.format("b")] = 404
        run = await bench.run(workflow)
        assert (run.status, run.error) == (RunStatus.COMPLETED, None)
        assert seen(run)["details"][0] is NodeStatus.PARTIAL
        assert "1 of 3 pages failed" in run.warnings[0]
        assert "404" in run.warnings[0]
        assert len(run.final_results) == 2

    @pytest.mark.parametrize("broken", [[SHOP], [PHONE.format(name) for name in "abc"]])
    async def test_of_everything(self, bench: Bench, broken: list[str]) -> None:
        workflow = await bench.shop()
        for url in broken:
            bench.fetcher.pages[url] = 404
        run = await bench.run(workflow)
        assert run.status is RunStatus.FAILED
        assert "Nothing was produced" in str(run.error)
        assert broken[0] in str(run.error)

    async def test_items_without_an_address_are_told(self, bench: Bench) -> None:
        index = await bench.generate()
        workflow = await bench.create(
            NodeDraft("index", index.id, InputType.STATIC_URLS, (SHOP,)),
            NodeDraft("details", index.id, InputType.UPSTREAM_URLS, url_field="nowhere"),
            edges=(EdgeDraft("index", "details"),),
        )
        run = await bench.run(workflow)
        assert run.status is RunStatus.COMPLETED
        assert seen(run)["details"] == (NodeStatus.SKIPPED, [])
        assert "3 of 3 upstream items had no address in the field 'nowhere'" in run.warnings[0]

    async def test_a_fault_of_ours_is_one_failed_page(self, bench: Bench) -> None:
        workflow = await bench.shop()
        bench.fetcher.pages[PHONE.format("b")] = ZeroDivisionError("boom")
        run = await bench.run(workflow)
        assert seen(run)["details"][0] is NodeStatus.PARTIAL


class TestInterruption:
    @pytest.mark.parametrize("after_commit", [False, True])
    async def test_killed_at_every_transaction_it_ends_the_same(
        self, bench: Bench, after_commit: bool
    ) -> None:
        expected = seen(await bench.run(await bench.shop()))
        workflow = await bench.shop()
        for at in range(1, 60):
            run = await bench.start(workflow, force=True)
            try:
                await bench.dying(at, after_commit=after_commit).drive_run(run_id=str(run.id))
            except Killed:
                await bench.drive(run)
                assert seen(await bench.get(run)) == expected, f"killed at transaction {at}"
                assert (await bench.get(run)).status is RunStatus.COMPLETED
            else:
                break
        assert 10 < at < 59, "the run was killed at each of its steps"
        used = await bench.value("SELECT count(*) - count(DISTINCT job_id) FROM job_usage")
        assert used == 0

    async def test_a_page_that_kills_the_process_each_time_is_given_up(self, bench: Bench) -> None:
        run = await bench.start(await bench.shop())
        for at in (6, 3, 3, 3, 3):  # each time with the first page in hand
            with pytest.raises(Killed):
                await bench.dying(at, after_commit=False).drive_run(run_id=str(run.id))
        await bench.drive(run)
        found = await bench.get(run)
        assert found.status is RunStatus.FAILED
        assert "5 times" in str(found.error)

    async def test_an_old_driver_stops_when_a_new_one_takes_over(self, bench: Bench) -> None:
        workflow = await bench.shop()
        run = await bench.start(workflow)
        bench.fetcher.calls.clear()
        bench.fetcher.hold = asyncio.Event()
        old = asyncio.create_task(bench.tasks.drive_run(run_id=str(run.id)))
        while not bench.fetcher.calls:
            await asyncio.sleep(0.01)
        new = asyncio.create_task(bench.tasks.drive_run(run_id=str(run.id)))
        while len(bench.fetcher.calls) < 2:
            await asyncio.sleep(0.01)
        bench.fetcher.hold.set()
        await asyncio.gather(old, new)
        assert (await bench.get(run)).status is RunStatus.COMPLETED
        assert (await bench.get(run)).final_results
        assert (
            await bench.value(
                "SELECT count(*) FROM job_usage WHERE strategy_id = ANY(:ids)",
                ids=[node.strategy_id for node in workflow.nodes],
            )
            == 4
        ), "each page counts once"

    async def test_a_slice_that_is_over_goes_back_to_the_queue(self, bench: Bench) -> None:
        run = await bench.start(await bench.shop())
        waiting = "SELECT count(*) FROM procrastinate_jobs WHERE args->>'run_id' = :id"
        await replace(bench.tasks, slice_s=0.0).drive_run(run_id=str(run.id))
        assert await bench.value(waiting, id=str(run.id)) == 2
        await bench.drive(run)
        assert (await bench.get(run)).status is RunStatus.COMPLETED


async def test_runs_are_deleted_some_time_after_they_ended(bench: Bench) -> None:
    workflow = await bench.shop()
    runs = []
    for number in range(3):
        bench.fetcher.pages[SHOP] = shop_page(number, 5)
        runs.append(await bench.run(workflow))
        bench.clock.move_to(bench.clock.now() + timedelta(days=1))
    scan = RunRetention(bench.database, timedelta(days=30)).scans["workflows.retention"]
    bench.clock.move_to(runs[1].completed_at + timedelta(days=30))  # type: ignore[operator]
    while await scan(bench.clock.now()):
        pass
    assert await bench.get(runs[1]) == runs[1]  # on the last day
    bench.clock.move_to(bench.clock.now() + timedelta(days=60))
    assert [await scan(bench.clock.now()) for _ in range(2)] == [1, 0]
    assert await bench.get(runs[2]) == runs[2]
    for gone in runs[:2]:
        with pytest.raises(NotFound):
            await bench.get(gone)
    assert not (await bench.run(workflow)).has_changes
