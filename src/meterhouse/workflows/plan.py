"""Preparing a node of a run, piece by piece: what is to be executed, and what of it need not be.

Each piece is one transaction that also writes down how far it came, so a piece that is cut off is simply
done again. Upstream pages are read a few at a time; nothing ever holds all of a node's work in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Row, literal, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import LimitExceeded
from meterhouse.kernel.ids import new_id
from meterhouse.workflows import engine
from meterhouse.workflows.engine import Target
from meterhouse.workflows.graph import parse_parameter_config
from meterhouse.workflows.model import (
    Edge,
    ExecutionMode,
    Graph,
    InputType,
    Node,
    NodeStatus,
    Phase,
    WorkStatus,
)
from meterhouse.workflows.tables import workflow_node_runs, workflow_nodes, workflow_work

PAGES_AT_ONCE = 20
ROWS_AT_ONCE = 1_000
WORK_MAX = 100_000


@dataclass(frozen=True)
class Drive:
    """A run in somebody's hands, with all that does not change while it runs."""

    run_id: UUID
    driver: UUID
    workflow_id: UUID
    organisation_id: UUID
    force: bool
    baseline_id: UUID | None
    graph: Graph

    def node(self, key: str) -> Node:
        return next(node for node in self.graph.nodes if node.key == key)


NodeRows = Mapping[str, Row[Any]]


async def prepare(
    connection: AsyncConnection, drive: Drive, node: Node, rows: NodeRows, *, now: datetime
) -> None:
    """Do the next piece of preparing a node. Raises `LimitExceeded` when its work cannot be planned."""
    row = rows[node.key]
    values: dict[str, object] = {"status": NodeStatus.RUNNING, "started_at": row.started_at or now}
    if Phase(row.phase) is Phase.MATCHING:
        values |= await _match(connection, drive, node, row, now=now)
    elif node.input_type is InputType.STATIC_URLS:
        values |= await _plan_static(connection, node, row)
    elif node.input_type is InputType.TRIGGER_ONLY:
        values |= await _plan_triggered(connection, drive, node, rows)
    else:
        values |= await _plan_upstream(connection, drive, node, rows)
    await connection.execute(
        update(workflow_node_runs).where(workflow_node_runs.c.id == row.id).values(**values)
    )


async def _plan_static(connection: AsyncConnection, node: Node, row: Row[Any]) -> dict[str, object]:
    urls = await _static_urls(connection, node)
    piece = urls[row.edge_at : row.edge_at + ROWS_AT_ONCE]
    if not piece:
        return {"phase": Phase.MATCHING}
    planned = engine.static_targets(piece, node.static_parameters)
    count = await _store(connection, row, planned.targets, ExecutionMode.PER_RESULT)
    return {"edge_at": row.edge_at + len(piece), "planned": row.planned + count}


async def _plan_triggered(
    connection: AsyncConnection, drive: Drive, node: Node, rows: NodeRows
) -> dict[str, object]:
    """Once, when upstream gave anything that passes; its items themselves are not used."""
    row, done = rows[node.key], {"phase": Phase.MATCHING}
    for edge in drive.graph.into(node.key):
        if await _gave_anything(connection, edge, rows[edge.source]):
            urls = await _static_urls(connection, node) or [(await _strategy(connection, drive, node)).url]
            planned = engine.static_targets(urls, node.static_parameters)
            return {
                **done,
                "planned": await _store(connection, row, planned.targets, ExecutionMode.PER_RESULT),
            }
    return {**done, "note": "Nothing came from upstream, so it was not started."}


async def _gave_anything(connection: AsyncConnection, edge: Edge, source: Row[Any]) -> bool:
    if edge.filter_config is None:
        return bool(source.executed + source.reused)
    seq = -1
    while pages := await _pages(connection, source.id, seq):
        for page in pages:
            if await asyncio.to_thread(_kept, edge, page):
                return True
        seq = pages[-1].seq
    return False


async def _plan_upstream(
    connection: AsyncConnection, drive: Drive, node: Node, rows: NodeRows
) -> dict[str, object]:
    row = rows[node.key]
    edges = drive.graph.into(node.key)
    config = parse_parameter_config(node.parameter_config)
    if row.edge_at >= len(edges) or (config.execution_mode is ExecutionMode.ONCE and row.planned):
        return {"phase": Phase.MATCHING}
    edge = edges[row.edge_at]
    pages = await _pages(connection, rows[edge.source].id, row.seq_at)
    if not pages:
        return {"edge_at": row.edge_at + 1, "seq_at": -1}
    own_url = (await _strategy(connection, drive, node)).url

    def work() -> tuple[list[Target], int, int]:
        found: list[Target] = []
        inputs = unusable = 0
        for page in pages:
            items = _kept(edge, page)
            planned = engine.targets(node, config, items, base_url=page.page_url or page.url, own_url=own_url)
            found += planned.targets
            inputs, unusable = inputs + len(items), unusable + planned.unusable
        return found, inputs, unusable

    targets, inputs, unusable = await asyncio.to_thread(work)
    count = await _store(connection, row, targets, config.execution_mode)
    return {
        "seq_at": pages[-1].seq,
        "planned": row.planned + count,
        "inputs": row.inputs + inputs,
        "unusable": row.unusable + unusable,
    }


def _kept(edge: Edge, page: Row[Any]) -> list[Mapping[str, object]]:
    keep = extraction.parse_filter(edge.filter_config)
    return page.results if keep is None else [item for item in page.results if keep.holds(item)]


async def _pages(connection: AsyncConnection, node_run_id: UUID, after: int) -> list[Row[Any]]:
    """The next pages of a node that gave items, in order."""
    rows = await connection.execute(
        select(workflow_work.c.seq, workflow_work.c.url, workflow_work.c.page_url, workflow_work.c.results)
        .where(
            workflow_work.c.node_run_id == node_run_id,
            workflow_work.c.status == WorkStatus.COMPLETED,
            workflow_work.c.seq > after,
        )
        .order_by(workflow_work.c.seq)
        .limit(PAGES_AT_ONCE)
    )
    return [*rows]


async def _store(
    connection: AsyncConnection, row: Row[Any], targets: Sequence[Target], mode: ExecutionMode
) -> int:
    """Write targets down, joined with those already there; returns how many are new."""
    count = 0
    remaining = iter(targets)
    while piece := list(islice(remaining, ROWS_AT_ONCE)):
        known = await _known(connection, row.id, {target.key for target in piece})
        altered = engine.merged(known, piece, mode=mode)
        first = row.planned + count
        fresh = [key for key in altered if key not in known]
        if first + len(fresh) > WORK_MAX:
            raise LimitExceeded(f"It leads to more than {WORK_MAX} pages; narrow the edge's filter.")
        seqs = {key: first + at for at, key in enumerate(fresh)}
        # One that is there already keeps its place; the number given here is not used.
        await _upsert(connection, row.id, [(seqs.get(key, 0), one) for key, one in altered.items()])
        count += len(fresh)
        if mode is ExecutionMode.ONCE:
            break
    return count


async def _known(connection: AsyncConnection, node_run_id: UUID, keys: set[bytes]) -> dict[bytes, Target]:
    rows = await connection.execute(
        select(workflow_work).where(workflow_work.c.node_run_id == node_run_id, workflow_work.c.key.in_(keys))
    )
    return {
        bytes(row.key): Target(row.url, row.parameters, row.gathered, int(row.fingerprint)) for row in rows
    }


async def _upsert(
    connection: AsyncConnection, node_run_id: UUID, targets: Iterable[tuple[int, Target]]
) -> None:
    values = [
        {
            "id": new_id(),
            "node_run_id": node_run_id,
            "seq": seq,
            "key": target.key,
            "fingerprint": target.fingerprint,
            "url": target.url,
            "parameters": dict(target.parameters),
            "gathered": target.gathered,
            "status": WorkStatus.PENDING,
            "attempts": 0,
            "is_reused": False,
        }
        for seq, target in targets
    ]
    if values:
        statement = insert(workflow_work)
        await connection.execute(
            statement.on_conflict_do_update(
                constraint="uq_workflow_work_key",
                set_={
                    "fingerprint": statement.excluded.fingerprint,
                    "gathered": statement.excluded.gathered,
                },
            ),
            values,
        )


async def _match(
    connection: AsyncConnection, drive: Drive, node: Node, row: Row[Any], *, now: datetime
) -> dict[str, object]:
    """Take over from the run before what follows from the same items, by the same version of the strategy."""
    over: dict[str, object] = {"phase": Phase.WORKING}
    if drive.baseline_id is None or drive.force or not node.input_type.takes_items:
        return over
    end = row.matched_at + ROWS_AT_ONCE
    strategy = await _strategy(connection, drive, node)
    before = workflow_work.alias("before")
    await connection.execute(
        update(workflow_work)
        .where(
            workflow_work.c.node_run_id == row.id,
            workflow_work.c.seq >= row.matched_at,
            workflow_work.c.seq < end,
            workflow_work.c.status == WorkStatus.PENDING,
            before.c.node_run_id
            == select(workflow_node_runs.c.id)
            .where(
                workflow_node_runs.c.run_id == drive.baseline_id,
                workflow_node_runs.c.node_id == node.id,
            )
            .scalar_subquery(),
            before.c.key == workflow_work.c.key,
            before.c.fingerprint == workflow_work.c.fingerprint,
            before.c.status == WorkStatus.COMPLETED,
            before.c.strategy_version == strategy.version,
        )
        .values(
            status=literal(str(WorkStatus.COMPLETED)),
            is_reused=true(),
            results=before.c.results,
            item_count=before.c.item_count,
            content_hash=before.c.content_hash,
            lost_fields=before.c.lost_fields,
            page_url=before.c.page_url,
            strategy_version=before.c.strategy_version,
            completed_at=now,
        )
    )
    return {"matched_at": end} if end < row.planned else over


async def _static_urls(connection: AsyncConnection, node: Node) -> list[str]:
    urls = await connection.scalar(select(workflow_nodes.c.static_urls).where(workflow_nodes.c.id == node.id))
    return list(urls or ())


async def _strategy(connection: AsyncConnection, drive: Drive, node: Node) -> extraction.StoredStrategy:
    return await extraction.get_strategy(
        connection, organisation_id=drive.organisation_id, strategy_id=node.strategy_id
    )
