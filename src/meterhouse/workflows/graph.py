"""Pure checks on the shape of a workflow: unique keys, known ends, no cycle, input for every node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import TypeVar

from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.workflows.model import EdgeDraft, ExecutionMode, InputType, Mapped, NodeDraft, ParameterConfig

NODES_MAX = 200
EDGES_MAX = 2_000

N = TypeVar("N", bound=NodeDraft)


def check_graph(nodes: Sequence[NodeDraft], edges: Sequence[EdgeDraft]) -> None:
    """Refuse what cannot run. Raises `Invalid` naming the node or edge and what to do (reference, 14.1)."""
    if not nodes:
        raise _refused(("nodes",), "A workflow needs at least one node; add a node with static_urls.")
    if len(nodes) > NODES_MAX or len(edges) > EDGES_MAX:
        raise _refused(("nodes",), f"A workflow has at most {NODES_MAX} nodes and {EDGES_MAX} edges.")
    _check_keys(nodes)
    _check_ends(nodes, edges)
    _check_cycles(nodes, edges)
    fed = {edge.target for edge in edges}
    for at, node in enumerate(nodes):
        _check_node(node, at, is_fed=node.key in fed)


def in_order(nodes: Sequence[N], edges: Sequence[EdgeDraft]) -> tuple[N, ...]:
    """The nodes, each after those that feed it; otherwise as they were given."""
    by_key = {node.key: node for node in nodes}
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(by_key, ()))
    for edge in edges:
        sorter.add(edge.target, edge.source)
    place = {key: at for at, key in enumerate(by_key)}
    ordered: list[N] = []
    sorter.prepare()
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=place.__getitem__)
        ordered += [by_key[key] for key in ready]
        sorter.done(*ready)
    return tuple(ordered)


def parse_parameter_config(config: Mapping[str, object] | None, at: int = 0) -> ParameterConfig:
    """Read a `parameter_config`; none maps nothing. Raises `Invalid` for an unknown mode or bad mapping."""
    if config is None:
        return ParameterConfig()
    where: tuple[str | int, ...] = ("nodes", at, "parameter_config")
    mode = config.get("execution_mode", ExecutionMode.PER_RESULT)
    if mode not in set(ExecutionMode):
        known = ", ".join(ExecutionMode)
        raise _refused((*where, "execution_mode"), f"The execution_mode {mode!r} is unknown; use {known}.")
    mappings = config.get("mappings", ())
    if not isinstance(mappings, list | tuple):
        raise _refused((*where, "mappings"), "The mappings of a parameter_config must be a list.")
    return ParameterConfig(tuple(_mapped(one, where) for one in mappings), ExecutionMode(str(mode)))


def _mapped(mapping: object, where: tuple[str | int, ...]) -> Mapped:
    given = mapping if isinstance(mapping, Mapping) else {}
    source, target = given.get("source_field"), given.get("target_param")
    if not (isinstance(source, str) and source and isinstance(target, str) and target):
        raise _refused((*where, "mappings"), "Each mapping needs a source_field and a target_param.")
    return Mapped(source, target)


def _check_keys(nodes: Sequence[NodeDraft]) -> None:
    for key, count in Counter(node.key for node in nodes).items():
        if count > 1:
            at = [node.key for node in nodes].index(key, [node.key for node in nodes].index(key) + 1)
            raise _refused(
                ("nodes", at, "node_key"), f"Duplicate node_key {key!r}: give each node a key of its own."
            )


def _check_ends(nodes: Sequence[NodeDraft], edges: Sequence[EdgeDraft]) -> None:
    known = {node.key for node in nodes}
    for at, edge in enumerate(edges):
        for name, key in (("source_node_key", edge.source), ("target_node_key", edge.target)):
            if key not in known:
                raise _refused(
                    ("edges", at, name),
                    f"The edge {edge.source!r} -> {edge.target!r} names the unknown node {key!r}; "
                    "add that node or correct the edge.",
                )


def _check_cycles(nodes: Sequence[NodeDraft], edges: Sequence[EdgeDraft]) -> None:
    try:
        in_order(nodes, edges)
    except CycleError as error:
        path = " -> ".join(reversed(error.args[1]))
        raise _refused(
            ("edges",), f"The edges form a cycle: {path}. Take one of them out; items flow one way only."
        ) from error


def _check_node(node: NodeDraft, at: int, *, is_fed: bool) -> None:
    if node.input_type.needs_upstream and not is_fed:
        raise _refused(
            ("nodes", at, "input_type"),
            f"The node {node.key!r} ({node.input_type}) takes its input from upstream, and no edge leads "
            "to it. Add an edge, or give it static_urls.",
        )
    if node.input_type is InputType.STATIC_URLS and not node.static_urls:
        raise _refused(("nodes", at, "static_urls"), f"The node {node.key!r} needs at least one static URL.")
    if node.input_type is InputType.UPSTREAM_URLS and not node.url_field:
        raise _refused(("nodes", at, "url_field"), f"The node {node.key!r} needs a url_field.")
    parse_parameter_config(node.parameter_config, at)


def _refused(path: tuple[str | int, ...], message: str) -> Invalid:
    return Invalid(message, issues=(Issue(path, message),))
