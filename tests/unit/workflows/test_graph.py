"""Graphs that are refused, the order of those that are not, and paths into items."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meterhouse.kernel.errors import Invalid, LimitExceeded
from meterhouse.kernel.ids import new_id
from meterhouse.workflows.graph import NODES_MAX, check_graph, in_order, parse_parameter_config
from meterhouse.workflows.model import EdgeDraft, InputType, Mapped, NodeDraft
from meterhouse.workflows.paths import combine, find_values

URLS = ("https://shop.example/",)


def start(key: str) -> NodeDraft:
    return NodeDraft(key, new_id(), InputType.STATIC_URLS, URLS)


def fed(key: str, kind: InputType = InputType.UPSTREAM_URLS, **changes: Any) -> NodeDraft:
    return NodeDraft(key, new_id(), kind, **{"url_field": "url", **changes})


@pytest.mark.parametrize(
    ("nodes", "edges", "words"),
    [
        ([], [], "at least one node"),
        ([start("a"), start("a")], [], "Duplicate node_key 'a'"),
        ([start("a")], [("a", "b")], "unknown node 'b'"),
        ([start("a")], [("b", "a")], "unknown node 'b'"),
        ([start("a")], [("a", "a")], "cycle: a -> a"),
        ([start("a"), fed("b"), fed("c")], [("a", "b"), ("b", "c"), ("c", "b")], "cycle"),
        ([start("a"), fed("b")], [], "no edge leads to it"),
        ([start("a"), fed("b", InputType.UPSTREAM_DATA)], [], "no edge leads to it"),
        ([start("a"), fed("b", InputType.TRIGGER_ONLY)], [], "no edge leads to it"),
        ([NodeDraft("a", new_id(), InputType.STATIC_URLS)], [], "static URL"),
        ([start("a"), fed("b", url_field=None)], [("a", "b")], "url_field"),
        ([start(str(at)) for at in range(NODES_MAX + 1)], [], "at most"),
        ([start("a"), fed("b", parameter_config={"execution_mode": "all"})], [("a", "b")], "execution_mode"),
        ([start("a"), fed("b", parameter_config={"mappings": [{}]})], [("a", "b")], "source_field"),
        ([start("a"), fed("b", parameter_config={"mappings": 1})], [("a", "b")], "list"),
    ],
)
def test_what_cannot_run_is_refused(nodes: list[NodeDraft], edges: list[tuple[str, str]], words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        check_graph(nodes, [EdgeDraft(*edge) for edge in edges])
    assert refused.value.issues


@given(st.permutations("abcde"), st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4))))
def test_each_node_comes_after_those_that_feed_it(keys: list[str], pairs: set[tuple[int, int]]) -> None:
    edges = [EdgeDraft(chr(97 + a), chr(97 + b)) for a, b in pairs if a < b]
    ordered = [node.key for node in in_order([start(key) for key in keys], edges)]
    assert sorted(ordered) == sorted(keys)
    assert all(ordered.index(edge.source) < ordered.index(edge.target) for edge in edges)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("id", [7]),
        ("a.b", ["exact"]),
        ("deep.id", [1]),
        ("list[*].id", [1, 2]),
        ("list[1].id", [2]),
        ("list[9].id", []),
        ("list[*].tags[*]", ["x", "y", "z"]),
        ("list[*].tags", ["x", "y", "z"]),
        ("tags", ["t", "u"]),
        ("nothing", []),
        ("null", []),
        ("empty", []),
        ("deep", []),
        ("id.deeper", []),
        ("flag", [False]),
    ],
)
def test_paths(path: str, values: list[object]) -> None:
    item = {
        "id": 7,
        "a.b": "exact",
        "deep": {"id": 1},
        "list": [{"id": 1, "tags": ["x", "y"]}, {"id": 2, "tags": ["z"]}],
        "tags": ["t", None, "u", {}],
        "null": None,
        "empty": "",
        "flag": False,
    }
    assert find_values(item, path) == values


def test_values_of_one_list_belong_together() -> None:
    item = {"list": [{"id": 1, "kind": "a"}, {"id": 2, "kind": "b"}, {"id": 3}], "other": ["x", "y"]}
    both = [Mapped("list[*].id", "id"), Mapped("list[*].kind", "kind")]
    assert combine(item, both) == [{"id": 1, "kind": "a"}, {"id": 2, "kind": "b"}]
    crossed = [Mapped("list[*].kind", "kind"), Mapped("other[*]", "o"), Mapped("missing", "m")]
    assert combine(item, crossed) == [{"kind": k, "o": o} for k in "ab" for o in "xy"]
    assert combine(item, [Mapped("missing", "m")]) == []


def test_combinations_are_bounded() -> None:
    item = {"a": list(range(200)), "b": list(range(200))}
    with pytest.raises(LimitExceeded, match="combinations"):
        combine(item, [Mapped("a", "a"), Mapped("b", "b")])


def test_an_absent_configuration_maps_nothing() -> None:
    assert parse_parameter_config(None).mappings == ()
