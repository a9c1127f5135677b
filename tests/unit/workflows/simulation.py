"""A run on a store in memory, driven by the pure engine, that can be cut off at every step."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from meterhouse.kernel.ids import new_id
from meterhouse.workflows import engine
from meterhouse.workflows.engine import EndedNode, EndNode, EndRun, NodeState, Prepare, Tally, Target, Work
from meterhouse.workflows.graph import check_graph, in_order
from meterhouse.workflows.model import Edge, ExecutionMode, Graph, InputType, Node, ParameterConfig, Phase

Item = dict[str, Any]
World = Callable[[str], list[Item] | None]
OWN = "https://own.example/"


@dataclass
class Piece:
    target: Target
    status: str = "pending"
    items: list[Item] = field(default_factory=list)
    is_reused: bool = False


@dataclass
class NodeStore:
    state: NodeState = field(default_factory=NodeState)
    edge_at: int = 0
    page_at: int = 0
    work: dict[bytes, Piece] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)

    def seen(self) -> NodeState:
        kinds = {piece.status for piece in self.work.values()}
        return NodeState(self.state.status, self.state.phase, "pending" in kinds, "running" in kinds)


Store = dict[str, NodeStore]


def graph_of(links: Mapping[str, Iterable[str]], starts: Mapping[str, list[str]]) -> Graph:
    """A graph from `{node: its sources}`; nodes without sources start at their addresses."""
    nodes = [
        Node(
            key,
            new_id(),
            InputType.UPSTREAM_URLS if sources else InputType.STATIC_URLS,
            tuple(starts[key]) if not sources else None,
            url_field="url" if sources else None,
            id=new_id(),
        )
        for key, sources in links.items()
    ]
    edges = tuple(Edge(source, key, id=new_id()) for key, sources in links.items() for source in sources)
    check_graph(nodes, edges)
    return Graph(in_order(nodes, edges), edges)


class Killed(Exception):
    pass


def run(
    graph: Graph,
    world: World,
    *,
    kill: Callable[[], bool] = lambda: False,
    before: Store | None = None,
    fetched: list[str] | None = None,
) -> Store:
    """Drive a run to its end; when `kill` says so, what is not written is lost and it starts again."""
    store: Store = {node.key: NodeStore() for node in graph.nodes}
    for _ in range(10_000):
        try:
            _drive(graph, store, world, kill, before, fetched if fetched is not None else [])
        except Killed:
            continue
        return store
    raise AssertionError("the run does not end")


def _drive(
    graph: Graph,
    store: Store,
    world: World,
    kill: Callable[[], bool],
    before: Store | None,
    fetched: list[str],
) -> None:
    for node in store.values():  # taking over
        for piece in node.work.values():
            piece.status = "pending" if piece.status == "running" else piece.status
    for _ in range(10_000):
        step = engine.next_step(graph, {key: one.seen() for key, one in store.items()})
        if isinstance(step, EndRun):
            return
        draft = copy.deepcopy(store)
        taken = _apply(graph, draft, step, before)
        if kill():
            raise Killed  # before the commit
        store.update(draft)
        if kill():
            raise Killed  # after it, with pages in hand
        for piece in taken:
            items = world(piece.target.url)
            fetched.append(piece.target.url)
            if kill():
                raise Killed  # fetched and not written
            key = next(node for node in store.values() if node.work.get(piece.target.key) is piece)
            found = key.work[piece.target.key]
            found.status, found.items = ("failed", []) if items is None else ("completed", items)
    raise AssertionError("the run does not end")


def _apply(graph: Graph, draft: Store, step: engine.Step, before: Store | None) -> list[Piece]:
    match step:
        case Prepare(key):
            _prepare(graph, draft, next(n for n in graph.nodes if n.key == key), before)
        case EndNode(key):
            one = draft[key]
            pieces = list(one.work.values())
            one.tally = Tally(
                sum(p.status == "completed" and not p.is_reused for p in pieces),
                sum(p.is_reused for p in pieces),
                sum(p.status == "failed" for p in pieces),
            )
            one.state = NodeState(engine.node_status(one.tally), Phase.WORKING)
        case Work(keys):
            pending = [p for key in keys for p in draft[key].work.values() if p.status == "pending"][:3]
            for piece in pending:
                piece.status = "running"
            return pending
        case _:
            raise AssertionError(f"nobody else works here: {step}")
    return []


def _prepare(graph: Graph, draft: Store, node: Node, before: Store | None) -> None:
    one = draft[node.key]
    if one.state.phase is Phase.MATCHING:
        for key, piece in one.work.items():
            past = before[node.key].work.get(key) if before and node.input_type.takes_items else None
            if past and past.status == "completed" and past.target.fingerprint == piece.target.fingerprint:
                piece.status, piece.items, piece.is_reused = "completed", past.items, True
        one.state = NodeState(one.state.status, Phase.WORKING)
        return
    edges = graph.into(node.key)
    if node.static_urls:
        found, one.edge_at = engine.static_targets(node.static_urls, None).targets, 1
        one.state = NodeState(one.state.status, Phase.MATCHING)
    elif one.edge_at >= len(edges):
        one.state = NodeState(one.state.status, Phase.MATCHING)
        return
    else:
        pages = [p for p in draft[edges[one.edge_at].source].work.values() if p.status == "completed"]
        if one.page_at >= len(pages):
            one.edge_at, one.page_at = one.edge_at + 1, 0
            return
        page = pages[one.page_at]
        found = engine.targets(
            node, ParameterConfig(), page.items, base_url=page.target.url, own_url=OWN
        ).targets
        one.page_at += 1
    known = {key: piece.target for key, piece in one.work.items()}
    for key, target in engine.merged(known, found, mode=ExecutionMode.PER_RESULT).items():
        if key in one.work:
            one.work[key].target = target
        else:
            one.work[key] = Piece(target)


def outcome(graph: Graph, store: Store) -> dict[str, Any]:
    """What a user sees of a run that has ended."""
    ended = {
        key: EndedNode(one.state.status, one.tally, "failed" if one.tally.failed else None)
        for key, one in store.items()
    }
    nodes = {
        key: (one.state.status, [(p.target.url, p.status, p.items) for p in one.work.values()])
        for key, one in store.items()
    }
    return {"end": engine.run_end(graph, ended), "nodes": nodes}
