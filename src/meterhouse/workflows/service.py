"""Use cases of workflows: create, change, delete; start a run and cancel it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from sqlalchemy import delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import Conflict, Invalid, Issue, NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring.service import PARAMETERS_REFUSED
from meterhouse.platform.ports import Queue
from meterhouse.workflows import queries
from meterhouse.workflows.graph import check_graph, parse_parameter_config
from meterhouse.workflows.model import (
    EdgeDraft,
    NodeDraft,
    NodeStatus,
    RunStatus,
    Summary,
    Workflow,
    WorkflowDraft,
    WorkflowRun,
    WorkStatus,
)
from meterhouse.workflows.tables import (
    workflow_edges,
    workflow_node_runs,
    workflow_nodes,
    workflow_runs,
    workflow_work,
    workflows,
)

DRIVE_RUN = "drive_workflow_run"
# A run that nobody has driven for this long is handed to the queue again.
LOST_AFTER = timedelta(minutes=10)
NAME_LENGTH_MAX = 500
STATIC_URLS_MAX = 10_000


class Changes(TypedDict, total=False):
    """What of a workflow is to change; what is left out stays."""

    name: str
    description: str | None
    enabled: bool


async def create_workflow(
    connection: AsyncConnection, *, organisation_id: UUID, draft: WorkflowDraft, now: datetime
) -> Workflow:
    """Store a workflow. Raises `Invalid` for a graph that cannot run, `NotFound` for an unknown strategy."""
    name = _checked_name(draft.name)
    nodes = await _checked_nodes(connection, organisation_id, draft.nodes, draft.edges)
    workflow_id = new_id()
    await connection.execute(
        insert(workflows).values(
            id=workflow_id,
            organisation_id=organisation_id,
            name=name,
            description=draft.description,
            enabled=True,
            node_count=len(nodes),
            created_at=now,
            updated_at=now,
        )
    )
    await _store_graph(connection, workflow_id, 1, nodes, draft.edges)
    return await queries.get_workflow(connection, organisation_id=organisation_id, workflow_id=workflow_id)


async def update_workflow(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    workflow_id: UUID,
    changes: Changes,
    now: datetime,
) -> Summary:
    """Change what `changes` names (reference, 14.2). Raises `NotFound` or `Invalid`."""
    found = await queries.get_summary(
        connection, organisation_id=organisation_id, workflow_id=workflow_id, for_update=True
    )
    if "name" in changes:
        changes = {**changes, "name": _checked_name(changes["name"])}
    if changes:
        await connection.execute(
            update(workflows).where(workflows.c.id == found.id).values(**changes, updated_at=now)
        )
    return await queries.get_summary(connection, organisation_id=organisation_id, workflow_id=workflow_id)


async def replace_graph(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    workflow_id: UUID,
    nodes: Sequence[NodeDraft],
    edges: Sequence[EdgeDraft],
    now: datetime,
) -> Summary:
    """Give a workflow other nodes and edges. Runs that were started before keep theirs; the first run of the
    new graph is a baseline.

    Raises `NotFound`, and what `create_workflow` raises.
    """
    found = await queries.get_summary(
        connection, organisation_id=organisation_id, workflow_id=workflow_id, for_update=True
    )
    checked = await _checked_nodes(connection, organisation_id, nodes, edges)
    version = found.graph_version + 1
    await _store_graph(connection, workflow_id, version, checked, edges)
    await connection.execute(
        update(workflows)
        .where(workflows.c.id == workflow_id)
        .values(graph_version=version, node_count=len(checked), updated_at=now)
    )
    await _drop_unused_graphs(connection, workflow_id, version)
    return await queries.get_summary(connection, organisation_id=organisation_id, workflow_id=workflow_id)


async def delete_workflow(connection: AsyncConnection, *, organisation_id: UUID, workflow_id: UUID) -> None:
    """Remove a workflow with its runs; one that is running stops. Raises `NotFound`."""
    found = await queries.get_summary(
        connection, organisation_id=organisation_id, workflow_id=workflow_id, for_update=True
    )
    await connection.execute(delete(workflows).where(workflows.c.id == found.id))


async def start_run(
    connection: AsyncConnection,
    queue: Queue,
    *,
    organisation_id: UUID,
    workflow_id: UUID,
    force: bool,
    now: datetime,
    schedule_id: UUID | None = None,
) -> WorkflowRun:
    """Create a run and ask for it, both on commit. It waits while another run of the workflow is active.

    Raises `NotFound`.
    """
    found = await queries.get_summary(
        connection, organisation_id=organisation_id, workflow_id=workflow_id, keep=True
    )
    run_id = new_id()
    await connection.execute(
        insert(workflow_runs).values(
            id=run_id,
            organisation_id=organisation_id,
            workflow_id=workflow_id,
            status=RunStatus.PENDING,
            force=force,
            graph_version=found.graph_version,
            schedule_id=schedule_id,
            next_at=now + LOST_AFTER,
            created_at=now,
        )
    )
    await ask_for_drive(connection, queue, run_id)
    return WorkflowRun(run_id, workflow_id, RunStatus.PENDING, force, now, schedule_id)


async def cancel_run(
    connection: AsyncConnection,
    queue: Queue,
    *,
    organisation_id: UUID,
    workflow_id: UUID,
    run_id: UUID,
    now: datetime,
) -> WorkflowRun:
    """Stop a run; pages in hand are given up. Raises `NotFound`, or `Conflict` when it has ended."""
    run = await _lock_run(connection, organisation_id, workflow_id, run_id)
    if run.status.is_final:
        raise Conflict(f"The workflow run has already ended: it is {run.status}.")
    ours = select(workflow_node_runs.c.id).where(workflow_node_runs.c.run_id == run_id)
    open_work = workflow_work.c.status.in_([WorkStatus.PENDING, WorkStatus.RUNNING])
    await connection.execute(
        update(workflow_work)
        .where(workflow_work.c.node_run_id.in_(ours), open_work)
        .values(status=WorkStatus.CANCELLED)
    )
    open_nodes = workflow_node_runs.c.status.in_([NodeStatus.PENDING, NodeStatus.RUNNING])
    await connection.execute(
        update(workflow_node_runs)
        .where(workflow_node_runs.c.run_id == run_id, open_nodes)
        .values(status=NodeStatus.CANCELLED, completed_at=now)
    )
    await connection.execute(
        update(workflow_runs)
        .where(workflow_runs.c.id == run_id)
        .values(status=RunStatus.CANCELLED, completed_at=now)
    )
    await ask_for_next(connection, queue, workflow_id)
    return replace(run, status=RunStatus.CANCELLED, completed_at=now)


async def check_strategy_unused(connection: AsyncConnection, strategy: extraction.StoredStrategy) -> None:
    """Raises `Conflict` naming the workflows that a strategy is part of: it must not be deleted."""
    users = await queries.list_users_of_strategy(connection, strategy_id=strategy.id)
    if users:
        shown = ", ".join(repr(name) for name in users[:5])
        more = f" and {len(users) - 5} more" if len(users) > 5 else ""
        raise Conflict(
            f"The strategy {strategy.name!r} is used by the workflows {shown}{more}. Delete them first.",
            code="strategy_in_use",
            details={"workflows": users[:100]},
        )


async def ask_for_drive(connection: AsyncConnection, queue: Queue, run_id: UUID) -> None:
    """Enqueue the driving of a run. Asking twice is harmless: the state says what is left to do."""
    await queue.enqueue(connection, DRIVE_RUN, key=f"workflow-run:{run_id}", run_id=str(run_id))


async def ask_for_next(connection: AsyncConnection, queue: Queue, workflow_id: UUID) -> None:
    """After a run has ended, wake the one that waits longest."""
    waiting = await connection.scalar(
        select(workflow_runs.c.id)
        .where(workflow_runs.c.workflow_id == workflow_id, workflow_runs.c.status == RunStatus.PENDING)
        .order_by(workflow_runs.c.created_at, workflow_runs.c.id)
        .limit(1)
    )
    if waiting is not None:
        await ask_for_drive(connection, queue, waiting)


async def _lock_run(
    connection: AsyncConnection, organisation_id: UUID, workflow_id: UUID, run_id: UUID
) -> WorkflowRun:
    await connection.execute(
        select(workflow_runs.c.id).where(workflow_runs.c.id == run_id).with_for_update(key_share=True)
    )
    return await queries.get_run(
        connection,
        organisation_id=organisation_id,
        workflow_id=workflow_id,
        run_id=run_id,
        with_nodes=False,
    )


async def _checked_nodes(
    connection: AsyncConnection,
    organisation_id: UUID,
    nodes: Sequence[NodeDraft],
    edges: Sequence[EdgeDraft],
) -> list[NodeDraft]:
    """The nodes of a graph that can run. Raises `Invalid` or `NotFound`."""
    check_graph(nodes, edges)
    checked = [_checked_urls(node, at) for at, node in enumerate(nodes)]
    for at, edge in enumerate(edges):
        _check_filter(edge, at)
    await _check_strategies(connection, organisation_id, checked)
    return checked


async def _store_graph(
    connection: AsyncConnection,
    workflow_id: UUID,
    version: int,
    nodes: Sequence[NodeDraft],
    edges: Sequence[EdgeDraft],
) -> None:
    of = {"workflow_id": workflow_id, "graph_version": version}
    await connection.execute(insert(workflow_nodes), [of | _row(at, node) for at, node in enumerate(nodes)])
    if edges:
        rows = [of | _edge_row(at, edge) for at, edge in enumerate(edges)]
        await connection.execute(insert(workflow_edges), rows)


async def _drop_unused_graphs(connection: AsyncConnection, workflow_id: UUID, version: int) -> None:
    """Delete earlier graphs that no run refers to, so that their strategies are free."""
    for table in (workflow_nodes, workflow_edges):
        run = exists().where(
            workflow_runs.c.workflow_id == workflow_id,
            workflow_runs.c.graph_version == table.c.graph_version,
        )
        await connection.execute(
            delete(table).where(table.c.workflow_id == workflow_id, table.c.graph_version < version, ~run)
        )


def _checked_name(name: str) -> str:
    text = name.strip()
    if not text or len(text) > NAME_LENGTH_MAX:
        message = f"A workflow's name needs 1 to {NAME_LENGTH_MAX} characters."
        raise Invalid(message, issues=(Issue(("name",), message),))
    return text


def _checked_urls(node: NodeDraft, at: int) -> NodeDraft:
    urls = node.static_urls or ()
    if len(urls) > STATIC_URLS_MAX:
        message = f"The node {node.key!r} has {len(urls)} static_urls; at most {STATIC_URLS_MAX} are allowed."
        raise Invalid(message, issues=(Issue(("nodes", at, "static_urls"), message),))
    checked = [
        extraction.check_url(url, name=f"nodes[{at}].static_urls[{place}]") for place, url in enumerate(urls)
    ]
    return replace(node, static_urls=tuple(checked) or None)


def _check_filter(edge: EdgeDraft, at: int) -> None:
    try:
        extraction.parse_filter(edge.filter_config)
    except Invalid as error:
        issues = [Issue(("edges", at, *issue.path), issue.message) for issue in error.issues]
        raise Invalid(
            f"The edge {edge.source!r} -> {edge.target!r}: {error.message}", issues=issues
        ) from error


async def _check_strategies(
    connection: AsyncConnection, organisation_id: UUID, nodes: list[NodeDraft]
) -> None:
    """Raise `NotFound` for an unknown strategy, `Invalid` for parameters that one does not take."""
    for at, node in enumerate(nodes):
        try:
            strategy = await extraction.get_strategy(
                connection, organisation_id=organisation_id, strategy_id=node.strategy_id, lock="exist"
            )
        except NotFound:
            raise NotFound(
                f"Strategy not found: {node.strategy_id}, which the node {node.key!r} names."
            ) from None
        if node.static_parameters and strategy.api_parameters is not None:
            extraction.check_errand(strategy, extraction.Errand(strategy.url, node.static_parameters))
        given = node.static_parameters or parse_parameter_config(node.parameter_config, at).mappings
        if given and strategy.kind in ("css", "content"):
            name = "static_parameters" if node.static_parameters else "parameter_config"
            raise Invalid(
                f"The strategy {strategy.name!r} of the node {node.key!r} is of type {strategy.kind}, which "
                f"takes no parameters; only api strategies do. Leave {name} out.",
                code=PARAMETERS_REFUSED,
                issues=(Issue(("nodes", at, name), "not for this type of strategy"),),
            )


def _row(at: int, node: NodeDraft) -> dict[str, object]:
    return {
        "id": new_id(),
        "position": at,
        "node_key": node.key,
        "strategy_id": node.strategy_id,
        "input_type": node.input_type,
        "static_urls": list(node.static_urls) if node.static_urls else None,
        "url_field": node.url_field,
        "static_parameters": node.static_parameters,
        "parameter_config": node.parameter_config,
    }


def _edge_row(at: int, edge: EdgeDraft) -> dict[str, object]:
    return {
        "id": new_id(),
        "position": at,
        "source_node_key": edge.source,
        "target_node_key": edge.target,
        "filter_config": edge.filter_config,
    }
