"""The words of workflows as plain frozen data: the graph, its runs, and what they gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

Item = Mapping[str, object]


class InputType(StrEnum):
    """Where a node's addresses come from."""

    STATIC_URLS = "static_urls"
    UPSTREAM_URLS = "upstream_urls"
    UPSTREAM_DATA = "upstream_data"
    TRIGGER_ONLY = "trigger_only"

    @property
    def needs_upstream(self) -> bool:
        return self is not InputType.STATIC_URLS

    @property
    def takes_items(self) -> bool:
        """Whether what is executed follows from upstream items, so that unchanged ones need no execution."""
        return self in (InputType.UPSTREAM_URLS, InputType.UPSTREAM_DATA)


class ExecutionMode(StrEnum):
    """How mapped values become executions: one each, the first only, or all of them as lists in one."""

    PER_RESULT = "per_result"
    ONCE = "once"
    BATCH = "batch"


class RunStatus(StrEnum):
    """The only states of a run. Published clients wait for one of the last three: no other may occur."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in (RunStatus.PENDING, RunStatus.RUNNING)


class NodeStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    PARTIAL = "partial"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in (NodeStatus.PENDING, NodeStatus.RUNNING)


class Phase(StrEnum):
    """How far a node of a run is prepared: its work is written down, compared with last time, then done."""

    PLANNING = "planning"
    MATCHING = "matching"
    WORKING = "working"


class WorkStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Mapped:
    """One value of an upstream item that becomes a parameter."""

    source_field: str
    target_param: str


@dataclass(frozen=True)
class ParameterConfig:
    mappings: tuple[Mapped, ...] = ()
    execution_mode: ExecutionMode = ExecutionMode.PER_RESULT


@dataclass(frozen=True)
class NodeDraft:
    """A node as somebody asks for it."""

    key: str
    strategy_id: UUID
    input_type: InputType
    static_urls: tuple[str, ...] | None = None
    url_field: str | None = None
    static_parameters: Mapping[str, object] | None = None
    parameter_config: Mapping[str, object] | None = None


@dataclass(frozen=True)
class EdgeDraft:
    """Items flow from `source` to `target` (keys of nodes), those that the filter keeps."""

    source: str
    target: str
    filter_config: Mapping[str, object] | None = None


@dataclass(frozen=True)
class WorkflowDraft:
    name: str
    nodes: tuple[NodeDraft, ...]
    edges: tuple[EdgeDraft, ...] = ()
    description: str | None = None


@dataclass(frozen=True)
class Node(NodeDraft):
    """A stored node. `static_urls` may be left out where thousands of addresses are not wanted."""

    id: UUID = field(kw_only=True)


@dataclass(frozen=True)
class Edge(EdgeDraft):
    id: UUID = field(kw_only=True)


@dataclass(frozen=True)
class Graph:
    """The nodes of a workflow in an order in which each comes after those that feed it."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    def into(self, key: str) -> tuple[Edge, ...]:
        """The edges that lead to a node."""
        return tuple(edge for edge in self.edges if edge.target == key)

    @property
    def terminal_keys(self) -> frozenset[str]:
        """The nodes whose items are the results of a run: no edge leaves them."""
        return frozenset(node.key for node in self.nodes) - {edge.source for edge in self.edges}


@dataclass(frozen=True)
class Summary:
    """A workflow as lists show it."""

    id: UUID
    name: str
    description: str | None
    enabled: bool
    node_count: int
    created_at: datetime
    updated_at: datetime
    graph_version: int = 1


@dataclass(frozen=True)
class Workflow(Summary):
    """A workflow in full; nodes and edges in the order in which they were given."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True)
class NodeRun:
    """What became of one node in one run. `skipped`: there was nothing to do, earlier results stand."""

    id: UUID
    node_id: UUID
    node_key: str
    status: NodeStatus
    error: str | None = None
    note: str | None = None
    is_terminal: bool = False
    results: Sequence[Item] | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True)
class WorkflowRun:
    """One run. `warnings` say what went wrong in a run that completed all the same.

    `has_changes` compares its results with those of the completed run before; the first is the baseline.
    """

    id: UUID
    workflow_id: UUID
    status: RunStatus
    force: bool
    created_at: datetime
    schedule_id: UUID | None = None
    graph_version: int = 1
    has_changes: bool | None = None
    error: str | None = None
    warnings: Sequence[str] = ()
    started_at: datetime | None = None
    completed_at: datetime | None = None
    nodes: tuple[NodeRun, ...] = ()

    @property
    def final_results(self) -> list[Item]:
        """The items of the terminal nodes, in order."""
        return [item for node in self.nodes if node.is_terminal for item in node.results or ()]


@dataclass(frozen=True)
class PageResult:
    """The items that one node found at one address."""

    url: str
    label: str
    items: Sequence[Item]


@dataclass(frozen=True)
class Output:
    """The results of a completed run, page by page."""

    run_id: UUID
    workflow_id: UUID
    completed_at: datetime
    pages: Sequence[PageResult]
