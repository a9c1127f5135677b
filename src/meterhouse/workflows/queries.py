"""Reads of the workflows context."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import NotFound
from meterhouse.workflows import graph
from meterhouse.workflows.engine import label_of
from meterhouse.workflows.model import (
    Edge,
    Graph,
    InputType,
    Item,
    Node,
    NodeRun,
    NodeStatus,
    Output,
    PageResult,
    RunStatus,
    Summary,
    Workflow,
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

_RUN_COLUMNS: tuple[Column[Any], ...] = (
    workflow_runs.c.id,
    workflow_runs.c.workflow_id,
    workflow_runs.c.status,
    workflow_runs.c.force,
    workflow_runs.c.created_at,
    workflow_runs.c.schedule_id,
    workflow_runs.c.graph_version,
    workflow_runs.c.has_changes,
    workflow_runs.c.error,
    workflow_runs.c.warnings,
    workflow_runs.c.started_at,
    workflow_runs.c.completed_at,
)


async def get_workflow(connection: AsyncConnection, *, organisation_id: UUID, workflow_id: UUID) -> Workflow:
    """One workflow in full. Raises `NotFound`, also for somebody else's."""
    summary = await get_summary(connection, organisation_id=organisation_id, workflow_id=workflow_id)
    nodes, edges = await _parts(connection, workflow_id, summary.graph_version, with_urls=True)
    return Workflow(**vars(summary), nodes=nodes, edges=edges)


async def get_summary(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    workflow_id: UUID,
    for_update: bool = False,
    keep: bool = False,
) -> Summary:
    """A workflow as lists show it; locked for a change, or kept from one, if wanted. Raises `NotFound`."""
    statement = _summaries(organisation_id).where(workflows.c.id == workflow_id)
    if for_update or keep:
        statement = statement.with_for_update(read=not for_update, key_share=not for_update)
    row = (await connection.execute(statement)).first()
    if row is None:
        raise NotFound("Workflow not found")
    return Summary(**row._mapping)


async def list_workflows(
    connection: AsyncConnection, *, organisation_id: UUID, limit: int, offset: int
) -> list[Summary]:
    """The workflows of an organisation, newest first."""
    rows = await connection.execute(
        _summaries(organisation_id)
        .order_by(workflows.c.created_at.desc(), workflows.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [Summary(**row._mapping) for row in rows]


async def list_users_of_strategy(connection: AsyncConnection, *, strategy_id: UUID) -> list[str]:
    """The names of the workflows that a strategy is part of."""
    rows = await connection.scalars(
        select(workflows.c.name)
        .where(
            workflows.c.id.in_(
                select(workflow_nodes.c.workflow_id).where(workflow_nodes.c.strategy_id == strategy_id)
            )
        )
        .order_by(workflows.c.created_at, workflows.c.id)
    )
    return list(rows)


async def load_graph(connection: AsyncConnection, *, workflow_id: UUID, version: int) -> Graph:
    """The nodes of one version in running order, without their static addresses, and the edges."""
    nodes, edges = await _parts(connection, workflow_id, version, with_urls=False)
    return Graph(graph.in_order(nodes, edges), edges)


async def list_runs(
    connection: AsyncConnection, *, organisation_id: UUID, workflow_id: UUID, limit: int, offset: int
) -> list[WorkflowRun]:
    """The runs of a workflow without nodes and results, newest first. Raises `NotFound`."""
    await get_summary(connection, organisation_id=organisation_id, workflow_id=workflow_id)
    rows = await connection.execute(
        select(*_RUN_COLUMNS)
        .where(workflow_runs.c.workflow_id == workflow_id)
        .order_by(workflow_runs.c.created_at.desc(), workflow_runs.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [_run(row) for row in rows]


async def get_run(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    workflow_id: UUID,
    run_id: UUID,
    with_nodes: bool = True,
) -> WorkflowRun:
    """One run, with its nodes if wanted, and their results once it has ended. Raises `NotFound`.

    Clients ask again every few seconds until then; they need not be sent the same pages each time.
    """
    await get_summary(connection, organisation_id=organisation_id, workflow_id=workflow_id)
    row = (
        await connection.execute(
            select(*_RUN_COLUMNS).where(
                workflow_runs.c.workflow_id == workflow_id, workflow_runs.c.id == run_id
            )
        )
    ).first()
    if row is None:
        raise NotFound("Workflow run not found")
    if not with_nodes:
        return _run(row)
    is_over = RunStatus(row.status).is_final
    return _run(row, await _node_runs(connection, row, with_results=is_over))


async def get_latest_output(
    connection: AsyncConnection, *, organisation_id: UUID, workflow_id: UUID
) -> Output:
    """What the terminal nodes gave in the latest completed run. Raises `NotFound` when there is none."""
    await get_summary(connection, organisation_id=organisation_id, workflow_id=workflow_id)
    run = (
        await connection.execute(
            select(workflow_runs.c.id, workflow_runs.c.completed_at, workflow_runs.c.graph_version)
            .where(workflow_runs.c.workflow_id == workflow_id, workflow_runs.c.status == RunStatus.COMPLETED)
            .order_by(workflow_runs.c.completed_at.desc(), workflow_runs.c.id.desc())
            .limit(1)
        )
    ).first()
    if run is None:
        raise NotFound("No completed run: the workflow has no output yet. Run it and wait for its end.")
    found = await load_graph(connection, workflow_id=workflow_id, version=run.graph_version)
    names = await extraction.list_names(
        connection, organisation_id=organisation_id, strategy_ids={node.strategy_id for node in found.nodes}
    )
    labels = {node.id: label_of(names.get(node.strategy_id, node.key)) for node in found.nodes}
    pages = [
        PageResult(url, labels[node_id], items)
        async for node_id, url, items in _terminal_pages(connection, run.id, found)
    ]
    return Output(run.id, workflow_id, run.completed_at, pages)


async def list_final_results(
    connection: AsyncConnection, *, workflow_id: UUID, run_id: UUID, version: int, limit: int
) -> tuple[list[Item], int]:
    """The first items that the terminal nodes gave, and how many there are in all."""
    found = await load_graph(connection, workflow_id=workflow_id, version=version)
    total = await connection.scalar(
        select(func.coalesce(func.sum(workflow_work.c.item_count), 0))
        .join(workflow_node_runs, workflow_node_runs.c.id == workflow_work.c.node_run_id)
        .where(*_gave(run_id, found))
    )
    items: list[Item] = []
    async for _, _, results in _terminal_pages(connection, run_id, found):
        items += results[: limit - len(items)]
        if len(items) == limit:
            break
    return items, int(total or 0)


def _gave(run_id: UUID, found: Graph) -> tuple[ColumnElement[bool], ...]:
    """The pages of terminal nodes that were read."""
    terminal = [node.id for node in found.nodes if node.key in found.terminal_keys]
    return (
        workflow_node_runs.c.run_id == run_id,
        workflow_node_runs.c.node_id.in_(terminal),
        workflow_work.c.status == WorkStatus.COMPLETED,
    )


async def _terminal_pages(
    connection: AsyncConnection, run_id: UUID, found: Graph
) -> AsyncIterator[tuple[UUID, str, list[Item]]]:
    rows = await connection.stream(
        select(
            workflow_node_runs.c.node_id,
            workflow_work.c.url,
            workflow_work.c.page_url,
            workflow_work.c.parameters,
            workflow_work.c.gathered,
            workflow_work.c.results,
        )
        .join(workflow_node_runs, workflow_node_runs.c.id == workflow_work.c.node_run_id)
        .join(workflow_nodes, workflow_nodes.c.id == workflow_node_runs.c.node_id)
        .where(*_gave(run_id, found))
        .order_by(workflow_nodes.c.position, workflow_work.c.seq)
    )
    try:
        async for row in rows:
            # Executions that only parameters tell apart go by the address that was really asked.
            is_own = not (row.parameters or row.gathered)
            yield row.node_id, row.url if is_own else row.page_url or row.url, row.results
    finally:
        await rows.close()


async def _node_runs(
    connection: AsyncConnection, run: Row[Any], *, with_results: bool
) -> tuple[NodeRun, ...]:
    """What became of the nodes, in the order in which they were given, with their items if wanted."""
    nodes, edges = await _parts(connection, run.workflow_id, run.graph_version, with_urls=False)
    terminal = Graph(nodes, edges).terminal_keys
    rows = await connection.execute(select(workflow_node_runs).where(workflow_node_runs.c.run_id == run.id))
    by_node: Mapping[UUID, Row[Any]] = {row.node_id: row for row in rows}
    results = await _results(connection, run.id) if with_results else {}
    return tuple(
        NodeRun(
            id=row.id,
            node_id=node.id,
            node_key=node.key,
            status=NodeStatus(row.status),
            error=row.error,
            note=row.note,
            is_terminal=node.key in terminal,
            results=results.get(row.id, []) if with_results else None,
            started_at=row.started_at,
            completed_at=row.completed_at,
        )
        for node in nodes
        if (row := by_node.get(node.id)) is not None
    )


async def _results(connection: AsyncConnection, run_id: UUID) -> dict[UUID, list[Item]]:
    rows = await connection.execute(
        select(workflow_work.c.node_run_id, workflow_work.c.results)
        .join(workflow_node_runs, workflow_node_runs.c.id == workflow_work.c.node_run_id)
        .where(workflow_node_runs.c.run_id == run_id, workflow_work.c.status == WorkStatus.COMPLETED)
        .order_by(workflow_work.c.node_run_id, workflow_work.c.seq)
    )
    found: dict[UUID, list[Item]] = {}
    for row in rows:
        found.setdefault(row.node_run_id, []).extend(row.results)
    return found


async def _parts(
    connection: AsyncConnection, workflow_id: UUID, version: int, *, with_urls: bool
) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    columns = [column for column in workflow_nodes.c if with_urls or column.name != "static_urls"]
    nodes = await connection.execute(
        select(*columns)
        .where(workflow_nodes.c.workflow_id == workflow_id, workflow_nodes.c.graph_version == version)
        .order_by(workflow_nodes.c.position)
    )
    edges = await connection.execute(
        select(workflow_edges)
        .where(workflow_edges.c.workflow_id == workflow_id, workflow_edges.c.graph_version == version)
        .order_by(workflow_edges.c.position)
    )
    return tuple(_node(row) for row in nodes), tuple(
        Edge(row.source_node_key, row.target_node_key, row.filter_config, id=row.id) for row in edges
    )


def _node(row: Row[Any]) -> Node:
    urls = row._mapping.get("static_urls")
    return Node(
        key=row.node_key,
        strategy_id=row.strategy_id,
        input_type=InputType(row.input_type),
        static_urls=tuple(urls) if urls else None,
        url_field=row.url_field,
        static_parameters=row.static_parameters,
        parameter_config=row.parameter_config,
        id=row.id,
    )


def _run(row: Row[Any], nodes: tuple[NodeRun, ...] = ()) -> WorkflowRun:
    values = dict(row._mapping)
    warnings = values.pop("warnings") or ()
    return WorkflowRun(
        **{**values, "status": RunStatus(values["status"])}, warnings=tuple(warnings), nodes=nodes
    )


def _summaries(organisation_id: UUID) -> Select[Any]:
    columns = [column for column in workflows.c if column.name != "organisation_id"]
    return select(*columns).where(workflows.c.organisation_id == organisation_id)
