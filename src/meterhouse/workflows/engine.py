"""Pure rules of a run: what to execute for which items, what comes next, and how nodes and runs end.

Nothing here remembers anything: whoever asks tells the state, and asking again gives the same answer. That
is what lets a run be cut off at any point and go on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urldefrag, urljoin

from meterhouse.extraction.service import check_url
from meterhouse.kernel.errors import Invalid, LimitExceeded
from meterhouse.monitoring.service import content_hash
from meterhouse.workflows.model import (
    ExecutionMode,
    Graph,
    Item,
    Node,
    NodeStatus,
    ParameterConfig,
    Phase,
    RunStatus,
)
from meterhouse.workflows.paths import combine, find_values

BATCH_VALUES_MAX = 10_000

Parameters = Mapping[str, object]


@dataclass(frozen=True)
class Target:
    """One execution: an address, the parameters, and what it follows from.

    `gathered` are the values of a batch, under the names of their parameters; they do not tell one target
    from another. `fingerprint` is the sum of the hashes of all upstream items that lead here: the same in
    whatever order they come, and another one when any of them changes.
    """

    url: str
    parameters: Parameters
    gathered: Mapping[str, Sequence[object]] | None = None
    fingerprint: int = 0

    @property
    def key(self) -> bytes:
        """What makes two targets one execution."""
        text = json.dumps([self.url, self.parameters], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()

    @property
    def all_parameters(self) -> dict[str, object]:
        return {**self.parameters, **(self.gathered or {})}


@dataclass(frozen=True)
class Planned:
    """What follows from some upstream items; `unusable` counts those that nothing follows from."""

    targets: tuple[Target, ...]
    unusable: int = 0


@dataclass(frozen=True)
class NodeState:
    """How far a node of a run is, as far as the next step depends on it."""

    status: NodeStatus = NodeStatus.PENDING
    phase: Phase = Phase.PLANNING
    has_pending: bool = False
    has_running: bool = False


@dataclass(frozen=True)
class Prepare:
    """Do a piece of planning or matching for this node."""

    key: str


@dataclass(frozen=True)
class EndNode:
    key: str


@dataclass(frozen=True)
class Work:
    """Take work of these nodes in hand."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class Wait:
    """All that can be done is in hand."""


@dataclass(frozen=True)
class EndRun:
    pass


Step = Prepare | EndNode | Work | Wait | EndRun


@dataclass(frozen=True)
class Tally:
    """How the executions of a node ended; `reused` ones were taken over from the run before."""

    executed: int = 0
    reused: int = 0
    failed: int = 0

    @property
    def produced(self) -> int:
        return self.executed + self.reused


@dataclass(frozen=True)
class EndedNode:
    """What a run's end depends on."""

    status: NodeStatus
    tally: Tally = Tally()
    error: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class RunEnd:
    status: RunStatus
    error: str | None = None
    warnings: tuple[str, ...] = ()


def next_step(graph: Graph, states: Mapping[str, NodeState]) -> Step:
    """What a run needs next. Preparing and ending come before work, so that work of all branches is open."""
    workable: list[str] = []
    is_waiting = False
    for node in graph.nodes:
        state = states[node.key]
        if state.status.is_final or not _is_fed(graph, node.key, states):
            continue
        if state.phase is not Phase.WORKING:
            return Prepare(node.key)
        if state.has_pending:
            workable.append(node.key)
        elif state.has_running:
            is_waiting = True
        else:
            return EndNode(node.key)
    if workable:
        return Work(tuple(workable))
    return Wait() if is_waiting else EndRun()


def node_status(tally: Tally) -> NodeStatus:
    """How a node ends. Where nothing was executed there was nothing to do, whatever was taken over."""
    if tally.failed:
        return NodeStatus.PARTIAL if tally.produced else NodeStatus.FAILED
    return NodeStatus.COMPLETED if tally.executed else NodeStatus.SKIPPED


def run_end(graph: Graph, ended: Mapping[str, EndedNode]) -> RunEnd:
    """How a run ends: it failed when something failed and no terminal node has anything to show."""
    errors = [f"Node {node.key!r}: {one.error}" for node in graph.nodes if (one := ended[node.key]).error]
    notes = [f"Node {node.key!r}: {one.note}" for node in graph.nodes if (one := ended[node.key]).note]
    produced = any(ended[key].tally.produced for key in graph.terminal_keys)
    if errors and not produced:
        return RunEnd(RunStatus.FAILED, f"Nothing was produced. {' '.join(errors)}", (*errors, *notes))
    return RunEnd(RunStatus.COMPLETED, None, (*errors, *notes))


def static_targets(urls: Iterable[str], parameters: Parameters | None) -> Planned:
    return Planned(tuple(Target(url, dict(parameters or {})) for url in urls))


def targets(
    node: Node, config: ParameterConfig, items: Sequence[Item], *, base_url: str, own_url: str
) -> Planned:
    """What `node` executes for items of one upstream page at `base_url`, not yet free of duplicates."""
    found: list[Target] = []
    unusable = 0
    for item in items:
        of_item = _targets_of(node, config, item, base_url, own_url)
        found += of_item
        unusable += not of_item
    return Planned(tuple(found), unusable)


def merged(
    known: Mapping[bytes, Target], new: Iterable[Target], *, mode: ExecutionMode
) -> dict[bytes, Target]:
    """The new targets joined with those of the same key; duplicates run once.

    Returns only what is new or altered. Raises `LimitExceeded` when a batch gathers too many values.
    """
    altered: dict[bytes, Target] = {}
    for target in new:
        before = altered.get(target.key) or known.get(target.key)
        if mode is ExecutionMode.ONCE and (known or altered):
            break
        altered[target.key] = target if before is None else _joined(before, target)
    return altered


def fingerprint(item: Item) -> int:
    """A number for the content of an item; noise such as white space does not alter it."""
    return int(content_hash([item])[:32], 16)


def absolute_url(value: object, base_url: str) -> str | None:
    """An address found in an item, made absolute, without its fragment; `None` when it is none."""
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        return check_url(urldefrag(urljoin(base_url, value.strip())).url)
    except (Invalid, ValueError):
        return None


def _is_fed(graph: Graph, key: str, states: Mapping[str, NodeState]) -> bool:
    return all(states[edge.source].status.is_final for edge in graph.into(key))


def _targets_of(node: Node, config: ParameterConfig, item: Item, base_url: str, own_url: str) -> list[Target]:
    urls = [own_url] if node.url_field is None else _urls(item, node.url_field, base_url)
    fixed, mark = dict(node.static_parameters or {}), fingerprint(item)
    if not config.mappings:
        return [Target(url, fixed, None, mark) for url in urls]
    combinations = combine(item, config.mappings)
    if not combinations:
        return []
    if config.execution_mode is ExecutionMode.BATCH:
        gathered = {one.target_param: _distinct(combinations, one.target_param) for one in config.mappings}
        return [Target(url, fixed, gathered, mark) for url in urls]
    return [Target(url, {**fixed, **mapped}, None, mark) for url in urls for mapped in combinations]


def _urls(item: Item, field: str, base_url: str) -> list[str]:
    found = (absolute_url(value, base_url) for value in find_values(item, field))
    return list(dict.fromkeys(url for url in found if url is not None))


def _distinct(combinations: Sequence[Parameters], name: str) -> list[object]:
    return _unique(one[name] for one in combinations if name in one)


def _joined(before: Target, new: Target) -> Target:
    total = before.fingerprint + new.fingerprint
    if before.gathered is None or new.gathered is None:
        return replace(before, fingerprint=total)
    names = {**before.gathered, **new.gathered}
    gathered = {
        name: _unique([*before.gathered.get(name, ()), *new.gathered.get(name, ())]) for name in names
    }
    if any(len(values) > BATCH_VALUES_MAX for values in gathered.values()):
        raise LimitExceeded(
            f"A batch gathers more than {BATCH_VALUES_MAX} values; use the execution_mode per_result."
        )
    return replace(before, gathered=gathered, fingerprint=total)


def _unique(values: Iterable[object]) -> list[object]:
    """The values without repetition, in order; `true` and `1` are different values."""
    return list({(type(value), value): value for value in values}.values())


def label_of(strategy_name: str) -> str:
    """A strategy's name as outputs show it: `script:purchasing_reps` is `purchasing reps`."""
    prefix, colon, rest = strategy_name.partition(":")
    name = rest if colon and rest.strip() and re.fullmatch(r"\w+", prefix) else strategy_name
    return name.replace("_", " ").strip()
