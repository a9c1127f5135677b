"""Runs of random graphs, cut off at random steps; and the rules on targets, statuses and ends."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.workflows.simulation import OWN, Item, World, graph_of, outcome, run

from meterhouse.kernel.errors import LimitExceeded
from meterhouse.kernel.ids import new_id
from meterhouse.workflows import engine
from meterhouse.workflows.engine import EndedNode, NodeState, Tally, Target
from meterhouse.workflows.graph import parse_parameter_config
from meterhouse.workflows.model import ExecutionMode, Graph, InputType, Node, NodeStatus, Phase, RunStatus

BASE = "https://shop.example/list"


def world_of(seed: int, *, edition: int = 0) -> World:
    """A web in which each address fails or gives a few items, some of which lead to the same address."""

    def fetch(url: str) -> list[Item] | None:
        mark = hashlib.sha256(f"{seed} {url}".encode()).digest()
        if mark[0] < 40:
            return None
        changed = edition if mark[1] < 100 else 0
        return [
            {"url": f"/{mark[2 + at] % 7}", "n": mark[9 + at] + changed, "at": at}
            for at in range(mark[8] % 5)
        ]

    return fetch


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    count = draw(st.integers(1, 5))
    keys = [f"n{at}" for at in range(count)]
    links = {key: draw(st.sets(st.sampled_from(keys[:at]))) if at else set() for at, key in enumerate(keys)}
    starts = {
        key: [f"https://site.example/{key}/{n}" for n in range(draw(st.integers(1, 4)))] for key in keys
    }
    order = draw(st.permutations(keys))
    return graph_of({key: sorted(links[key]) for key in order}, starts)


def directly(graph: Graph, world: World) -> dict[str, list[tuple[str, str, list[Item]]]]:
    """The pages of each node, worked out without states and steps."""
    pages: dict[str, list[tuple[str, str, list[Item]]]] = {}
    for one in graph.nodes:
        found = list(one.static_urls or ()) or [
            urljoin(url, item["url"])
            for edge in graph.into(one.key)
            for url, _, items in pages[edge.source]
            for item in items
        ]
        given = {url: world(url) for url in found}
        pages[one.key] = [
            (url, "failed" if items is None else "completed", items or []) for url, items in given.items()
        ]
    return pages


class TestSteps:
    def test_a_node_waits_for_all_that_feed_it_and_for_what_is_in_hand(self) -> None:
        graph = graph_of({"a": [], "b": [], "c": ["a", "b"]}, {"a": [BASE], "b": [BASE]})
        done = NodeState(NodeStatus.COMPLETED, Phase.WORKING)
        busy = NodeState(NodeStatus.RUNNING, Phase.WORKING, has_running=True)
        idle = NodeState()
        assert engine.next_step(graph, {"a": done, "b": busy, "c": idle}) == engine.Wait()
        full = replace(busy, has_pending=True)
        assert engine.next_step(graph, {"a": busy, "b": full, "c": idle}) == engine.Work(("b",))
        assert engine.next_step(graph, {"a": full, "b": full, "c": idle}) == engine.Work(("a", "b"))
        assert engine.next_step(graph, {"a": full, "b": idle, "c": idle}) == engine.Prepare("b")
        over = replace(busy, has_running=False)
        assert engine.next_step(graph, {"a": full, "b": over, "c": idle}) == engine.EndNode("b")
        assert engine.next_step(graph, {"a": done, "b": done, "c": idle}) == engine.Prepare("c")
        assert engine.next_step(graph, {"a": done, "b": done, "c": done}) == engine.EndRun()


class TestRuns:
    @settings(max_examples=30, deadline=None)
    @given(graphs(), st.integers(0, 999), st.lists(st.booleans(), max_size=60))
    def test_every_page_that_follows_and_no_other(self, graph: Graph, seed: int, kills: list[bool]) -> None:
        remaining = iter(kills)
        store = run(graph, world_of(seed), kill=lambda: next(remaining, False))
        found = {key: pages for key, (_, pages) in outcome(graph, store)["nodes"].items()}
        assert found == directly(graph, world_of(seed))

    @settings(max_examples=30, deadline=None)
    @given(graphs(), st.integers(0, 999), st.lists(st.booleans(), max_size=60))
    def test_cut_off_anywhere_a_run_ends_the_same(self, graph: Graph, seed: int, kills: list[bool]) -> None:
        expected = outcome(graph, run(graph, world_of(seed)))
        remaining = iter(kills)
        assert outcome(graph, run(graph, world_of(seed), kill=lambda: next(remaining, False))) == expected

    @settings(max_examples=4, deadline=None)
    @given(graphs(), st.integers(0, 999))
    def test_a_kill_at_every_single_step(self, graph: Graph, seed: int) -> None:
        expected = outcome(graph, run(graph, world_of(seed)))
        for at in range(200):
            steps = iter(range(10_000))
            assert outcome(graph, run(graph, world_of(seed), kill=lambda: next(steps) == at)) == expected  # noqa: B023
            if next(steps) <= at:
                break

    @settings(max_examples=20, deadline=None)
    @given(graphs(), st.integers(0, 999), st.lists(st.booleans(), max_size=40))
    def test_skipping_the_unchanged_alters_no_result(
        self, graph: Graph, seed: int, kills: list[bool]
    ) -> None:
        before = run(graph, world_of(seed))
        fresh = outcome(graph, run(graph, world_of(seed)))
        fetched: list[str] = []
        remaining = iter(kills)
        again = run(
            graph, world_of(seed), before=before, fetched=fetched, kill=lambda: next(remaining, False)
        )
        assert {key: pages for key, (_, pages) in outcome(graph, again)["nodes"].items()} == {
            key: pages for key, (_, pages) in fresh["nodes"].items()
        }
        for node in graph.nodes:
            tally = again[node.key].tally
            assert node.static_urls or tally.executed == 0, "nothing upstream has changed"

    @settings(max_examples=20, deadline=None)
    @given(graphs(), st.integers(0, 999))
    def test_what_follows_from_changed_items_is_executed(self, graph: Graph, seed: int) -> None:
        before, world = run(graph, world_of(seed)), world_of(seed, edition=1)
        again, fresh = run(graph, world, before=before), run(graph, world)
        for key, one in again.items():
            for mark, piece in one.work.items():
                old = before[key].work.get(mark)
                if old and old.target.fingerprint != piece.target.fingerprint:
                    assert not piece.is_reused
            assert list(one.work) == list(fresh[key].work), "reuse does not alter what is done downstream"


def node(**changes: Any) -> Node:
    given: dict[str, Any] = {"input_type": InputType.UPSTREAM_URLS, "url_field": "link", **changes}
    return Node("n", new_id(), id=new_id(), **given)


def planned(of: Node, *items: Item) -> list[Target]:
    config = parse_parameter_config(of.parameter_config)
    found = engine.targets(of, config, items, base_url=BASE, own_url=OWN).targets
    return list(engine.merged({}, found, mode=config.execution_mode).values())


class TestTargets:
    def test_addresses_are_absolute_and_once(self) -> None:
        items = [
            {"link": "/a"},
            {"link": "https://shop.example/a#top"},
            {"link": "b"},
            {"link": "mailto:x"},
            {},
        ]
        assert [one.url for one in planned(node(), *items)] == [
            "https://shop.example/a",
            "https://shop.example/b",
        ]
        found = engine.targets(node(), parse_parameter_config(None), items, base_url=BASE, own_url=OWN)
        assert found.unusable == 2

    def test_several_addresses_in_one_item(self) -> None:
        of = node(url_field="offers[*].link")
        found = planned(of, {"offers": [{"link": "/1"}, {"link": "/2"}, {"link": None}]})
        assert [one.url for one in found] == ["https://shop.example/1", "https://shop.example/2"]

    @pytest.mark.parametrize("link", ["", "  ", None, 7, True, "http://[", "javascript:x", "http://a b/"])
    def test_what_is_no_address_is_left_out(self, link: object) -> None:
        assert engine.absolute_url(link, BASE) is None

    def test_one_execution_per_value(self) -> None:
        config = {"mappings": [{"source_field": "past.results[*].id", "target_param": "auction_id"}]}
        of = node(
            input_type=InputType.UPSTREAM_DATA,
            url_field=None,
            parameter_config=config,
            static_parameters={"page": 1, "auction_id": 0},
        )
        found = planned(
            of, {"past": {"results": [{"id": 1}, {"id": 2}]}}, {"past": {"results": [{"id": 1}]}}, {}
        )
        assert [one.all_parameters for one in found] == [
            {"page": 1, "auction_id": 1},
            {"page": 1, "auction_id": 2},
        ]
        assert {one.url for one in found} == {OWN}

    def test_once_and_batch(self) -> None:
        items = [{"id": 1}, {"id": 2}, {"id": 1}, {}]
        config = {"mappings": [{"source_field": "id", "target_param": "id"}]}
        of = {"input_type": InputType.UPSTREAM_DATA, "url_field": None}
        once = planned(node(**of, parameter_config={**config, "execution_mode": "once"}), *items)
        assert [one.all_parameters for one in once] == [{"id": 1}]
        (batch,) = planned(node(**of, parameter_config={**config, "execution_mode": "batch"}), *items)
        assert batch.all_parameters == {"id": [1, 2]}

    def test_a_batch_gathers_over_several_pieces_and_is_bounded(self) -> None:
        first = Target(OWN, {}, {"id": [1, 2]}, 10)
        joined = engine.merged(
            {first.key: first}, [Target(OWN, {}, {"id": [2, True]}, 5)], mode=ExecutionMode.BATCH
        )
        assert joined == {first.key: Target(OWN, {}, {"id": [1, 2, True]}, 15)}
        many = Target(OWN, {}, {"id": list(range(engine.BATCH_VALUES_MAX))}, 1)
        with pytest.raises(LimitExceeded, match="per_result"):
            engine.merged({many.key: many}, [Target(OWN, {}, {"id": [-1]}, 1)], mode=ExecutionMode.BATCH)

    def test_without_mappings_upstream_data_is_executed_once(self) -> None:
        of = node(input_type=InputType.UPSTREAM_DATA, url_field=None)
        assert [one.url for one in planned(of, {"a": 1}, {"a": 2})] == [OWN]
        assert planned(of) == []

    @given(st.lists(st.sampled_from("abcd"), max_size=8), st.randoms())
    def test_the_fingerprint_knows_no_order(self, names: list[str], random: Any) -> None:
        items = [{"link": "/x", "name": name} for name in names]
        shuffled = random.sample(items, len(items))
        assert [one.fingerprint for one in planned(node(), *items)] == [
            one.fingerprint for one in planned(node(), *shuffled)
        ]
        more = planned(node(), *items, {"link": "/x", "name": "a"})
        assert [one.fingerprint for one in more] != [one.fingerprint for one in planned(node(), *items)]


class TestEnds:
    @pytest.mark.parametrize(
        ("tally", "status"),
        [
            (Tally(), NodeStatus.SKIPPED),
            (Tally(reused=3), NodeStatus.SKIPPED),
            (Tally(executed=1, reused=3), NodeStatus.COMPLETED),
            (Tally(executed=1, failed=1), NodeStatus.PARTIAL),
            (Tally(reused=1, failed=1), NodeStatus.PARTIAL),
            (Tally(failed=1), NodeStatus.FAILED),
        ],
    )
    def test_of_a_node(self, tally: Tally, status: NodeStatus) -> None:
        assert engine.node_status(tally) is status

    def test_of_a_run(self) -> None:
        graph = graph_of({"index": [], "a": ["index"], "b": ["index"]}, {"index": [BASE]})
        fine = EndedNode(NodeStatus.COMPLETED, Tally(executed=1))
        broken = EndedNode(NodeStatus.FAILED, Tally(failed=1), "1 of 1 pages failed.")
        assert engine.run_end(graph, {"index": fine, "a": fine, "b": broken}) == engine.RunEnd(
            RunStatus.COMPLETED, None, ("Node 'b': 1 of 1 pages failed.",)
        )
        failed = engine.run_end(graph, {"index": fine, "a": broken, "b": broken})
        assert failed.status is RunStatus.FAILED
        assert "Node 'a'" in str(failed.error)
        idle = EndedNode(NodeStatus.SKIPPED, note="Nothing came.")
        assert engine.run_end(graph, {"index": fine, "a": idle, "b": idle}).status is RunStatus.COMPLETED

    @pytest.mark.parametrize(
        ("name", "label"),
        [
            ("script:purchasing_reps", "purchasing reps"),
            ("job_details", "job details"),
            ("Phones: new", "new"),
            ("x:", "x:"),
            ("a b: c", "a b: c"),
        ],
    )
    def test_labels(self, name: str, label: str) -> None:
        assert engine.label_of(name) == label
