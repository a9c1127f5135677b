"""Driving a run: one step after another, each a transaction under the run's lock.

Whoever takes a run puts its name on it. A driver that was thought dead and is not finds another name there
and stops; what it had in hand is done again by the new one, and only the first result is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, case, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import LimitExceeded
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Queue
from meterhouse.workflows import engine, plan, queries
from meterhouse.workflows.announce import announce_run, has_changes
from meterhouse.workflows.engine import EndedNode, EndNode, NodeState, Prepare, Tally, Work
from meterhouse.workflows.model import Node, NodeStatus, Phase, RunStatus, WorkStatus
from meterhouse.workflows.plan import Drive, NodeRows
from meterhouse.workflows.service import LOST_AFTER, ask_for_next
from meterhouse.workflows.tables import workflow_node_runs, workflow_runs, workflow_work, workflows
from meterhouse.workflows.work import InHand, find_before

# A page that takes the process down with it must not do so for ever.
ATTEMPTS_MAX = 5
WARNINGS_MAX = 100
LOST_NAMED_MAX = 20


@dataclass(frozen=True)
class Progress:
    """What a step came to: work to do, or whether there is a next step at once, or no further one at all."""

    work: Sequence[InHand] = ()
    is_more: bool = False
    is_over: bool = False


OVER = Progress(is_over=True)


async def take(connection: AsyncConnection, *, run_id: UUID, driver: UUID, now: datetime) -> Drive | None:
    """Start a run, or take one over that was left; `None` when it has ended, is gone, or has to wait."""
    workflow_id = await connection.scalar(
        select(workflow_runs.c.workflow_id).where(workflow_runs.c.id == run_id)
    )
    # The workflow first, as in a deletion; it also makes runs of one workflow start one after another.
    locked = select(workflows.c.id).where(workflows.c.id == workflow_id).with_for_update(key_share=True)
    if await connection.scalar(locked) is None:
        return None
    row = (
        await connection.execute(
            select(workflow_runs).where(workflow_runs.c.id == run_id).with_for_update(key_share=True)
        )
    ).first()
    if row is None or RunStatus(row.status).is_final:
        return None
    graph = await queries.load_graph(connection, workflow_id=row.workflow_id, version=row.graph_version)
    baseline_id = row.baseline_id
    if RunStatus(row.status) is RunStatus.PENDING:
        if await _must_wait(connection, row):
            return None
        baseline_id = await _start(connection, row, graph.nodes, now)
    await _reclaim(connection, run_id, now)
    await connection.execute(
        update(workflow_runs)
        .where(workflow_runs.c.id == run_id)
        .values(driver=driver, next_at=now + LOST_AFTER)
    )
    return Drive(run_id, driver, row.workflow_id, row.organisation_id, row.force, baseline_id, graph)


async def advance(
    connection: AsyncConnection, queue: Queue, drive: Drive, *, wanted: int, now: datetime
) -> Progress:
    """Do the next step of a run. With nothing but work left, take up to `wanted` pages of it in hand."""
    status = await connection.scalar(
        select(workflow_runs.c.status)
        .where(workflow_runs.c.id == drive.run_id, workflow_runs.c.driver == drive.driver)
        .with_for_update(key_share=True)
    )
    if status != RunStatus.RUNNING:
        return OVER
    rows = await _node_rows(connection, drive)
    match engine.next_step(drive.graph, {key: _state(row) for key, row in rows.items()}):
        case Prepare(key):
            await _prepare(connection, drive, drive.node(key), rows, now)
            return Progress(is_more=True)
        case EndNode(key):
            await _end_node(connection, drive, drive.node(key), rows[key], now)
            return Progress(is_more=True)
        case Work(keys):
            return Progress(await _claim(connection, drive, [(drive.node(k), rows[k]) for k in keys], wanted))
        case engine.EndRun():
            await _end_run(connection, queue, drive, rows, now)
            return OVER
        case _:
            return Progress()


async def _must_wait(connection: AsyncConnection, row: Row[Any]) -> bool:
    """Whether another run of the workflow is active or came earlier."""
    first = await connection.scalar(
        select(workflow_runs.c.id)
        .where(
            workflow_runs.c.workflow_id == row.workflow_id,
            workflow_runs.c.status.in_([RunStatus.PENDING, RunStatus.RUNNING]),
        )
        .order_by(
            case((workflow_runs.c.status == RunStatus.RUNNING, 0), else_=1),
            workflow_runs.c.created_at,
            workflow_runs.c.id,
        )
        .limit(1)
    )
    return bool(first != row.id)


async def _start(
    connection: AsyncConnection, row: Row[Any], nodes: Sequence[Node], now: datetime
) -> UUID | None:
    baseline_id: UUID | None = await connection.scalar(
        select(workflow_runs.c.id)
        .where(
            workflow_runs.c.workflow_id == row.workflow_id,
            workflow_runs.c.graph_version == row.graph_version,
            workflow_runs.c.status == RunStatus.COMPLETED,
        )
        .order_by(workflow_runs.c.completed_at.desc(), workflow_runs.c.id.desc())
        .limit(1)
    )
    await connection.execute(
        update(workflow_runs)
        .where(workflow_runs.c.id == row.id)
        .values(status=RunStatus.RUNNING, started_at=now, baseline_id=baseline_id)
    )
    zero = dict.fromkeys(
        ("edge_at", "planned", "inputs", "unusable", "matched_at", "executed", "reused", "failed"), 0
    )
    fresh = {"run_id": row.id, "status": NodeStatus.PENDING, "phase": Phase.PLANNING, "seq_at": -1, **zero}
    await connection.execute(
        insert(workflow_node_runs), [{"id": new_id(), "node_id": node.id, **fresh} for node in nodes]
    )
    return baseline_id


async def _reclaim(connection: AsyncConnection, run_id: UUID, now: datetime) -> None:
    """Take back what an earlier driver left in hand; what was begun too often is given up."""
    left = and_(
        workflow_work.c.node_run_id.in_(
            select(workflow_node_runs.c.id).where(workflow_node_runs.c.run_id == run_id)
        ),
        workflow_work.c.status == WorkStatus.RUNNING,
    )
    await connection.execute(
        update(workflow_work)
        .where(left, workflow_work.c.attempts >= ATTEMPTS_MAX)
        .values(
            status=WorkStatus.FAILED,
            error=workflow_work.c.url
            + f" was begun {ATTEMPTS_MAX} times and interrupted each time; it is given up.",
            error_code="interrupted",
            completed_at=now,
        )
    )
    await connection.execute(update(workflow_work).where(left).values(status=WorkStatus.PENDING))


async def _node_rows(connection: AsyncConnection, drive: Drive) -> dict[str, Row[Any]]:
    def has(status: WorkStatus, name: str) -> Any:
        return exists(
            select(workflow_work.c.id).where(
                workflow_work.c.node_run_id == workflow_node_runs.c.id, workflow_work.c.status == status
            )
        ).label(name)

    rows = await connection.execute(
        select(
            workflow_node_runs,
            has(WorkStatus.PENDING, "has_pending"),
            has(WorkStatus.RUNNING, "has_running"),
        ).where(workflow_node_runs.c.run_id == drive.run_id)
    )
    keys = {node.id: node.key for node in drive.graph.nodes}
    return {keys[row.node_id]: row for row in rows}


def _state(row: Row[Any]) -> NodeState:
    return NodeState(NodeStatus(row.status), Phase(row.phase), row.has_pending, row.has_running)


async def _prepare(
    connection: AsyncConnection, drive: Drive, node: Node, rows: NodeRows, now: datetime
) -> None:
    try:
        await plan.prepare(connection, drive, node, rows, now=now)
    except LimitExceeded as error:
        mine = workflow_work.c.node_run_id == rows[node.key].id
        await connection.execute(update(workflow_work).where(mine).values(status=WorkStatus.CANCELLED))
        await connection.execute(
            update(workflow_node_runs)
            .where(workflow_node_runs.c.id == rows[node.key].id)
            .values(status=NodeStatus.FAILED, error=error.message, completed_at=now)
        )


async def _claim(
    connection: AsyncConnection, drive: Drive, nodes: Sequence[tuple[Node, Row[Any]]], wanted: int
) -> list[InHand]:
    taken: list[InHand] = []
    for node, row in nodes:
        if len(taken) >= wanted:
            break
        strategy = await extraction.get_strategy(
            connection, organisation_id=drive.organisation_id, strategy_id=node.strategy_id
        )
        found = await connection.execute(
            select(
                workflow_work.c.id,
                workflow_work.c.key,
                workflow_work.c.url,
                workflow_work.c.parameters,
                workflow_work.c.gathered,
            )
            .where(workflow_work.c.node_run_id == row.id, workflow_work.c.status == WorkStatus.PENDING)
            .order_by(workflow_work.c.seq)
            .limit(wanted - len(taken))
            .with_for_update()
        )
        rows = found.all()
        before = await find_before(
            connection,
            node_id=node.id,
            keys=[one.key for one in rows],
            strategy_version=strategy.version,
        )
        taken += [
            InHand(
                one.id,
                one.url,
                {**one.parameters, **(one.gathered or {})},
                strategy,
                before.get(bytes(one.key)),
            )
            for one in rows
        ]
        await connection.execute(
            update(workflow_work)
            .where(workflow_work.c.id.in_([one.id for one in rows]))
            .values(
                status=WorkStatus.RUNNING,
                attempts=workflow_work.c.attempts + 1,
                strategy_version=strategy.version,
            )
        )
    return taken


async def _end_node(
    connection: AsyncConnection, drive: Drive, node: Node, row: Row[Any], now: datetime
) -> None:
    mine = workflow_work.c.node_run_id == row.id
    counted = await connection.execute(
        select(workflow_work.c.status, workflow_work.c.is_reused, func.count())
        .where(mine)
        .group_by(workflow_work.c.status, workflow_work.c.is_reused)
    )
    counts = {(status, is_reused): count for status, is_reused, count in counted}
    tally = Tally(
        executed=counts.get((WorkStatus.COMPLETED, False), 0),
        reused=counts.get((WorkStatus.COMPLETED, True), 0),
        failed=counts.get((WorkStatus.FAILED, False), 0),
    )
    error = None
    if tally.failed:
        first = await connection.scalar(
            select(workflow_work.c.error)
            .where(mine, workflow_work.c.status == WorkStatus.FAILED)
            .order_by(workflow_work.c.seq)
            .limit(1)
        )
        await _remember_content(connection, drive, row)
        error = f"{tally.failed} of {tally.failed + tally.produced} pages failed. The first: {first}"
    await connection.execute(
        update(workflow_node_runs)
        .where(workflow_node_runs.c.id == row.id)
        .values(
            status=engine.node_status(tally),
            **vars(tally),
            error=error,
            note=row.note
            or " ".join(filter(None, (_note(node, row), await _lost_note(connection, row))))
            or None,
            completed_at=now,
        )
    )


async def _remember_content(connection: AsyncConnection, drive: Drive, row: Row[Any]) -> None:
    """Pages that failed keep the hash of what they gave before: failing and coming back is no change."""
    before, before_node = workflow_work.alias("before"), workflow_node_runs.alias("before_node")
    await connection.execute(
        update(workflow_work)
        .where(
            workflow_work.c.node_run_id == row.id,
            workflow_work.c.status == WorkStatus.FAILED,
            before_node.c.run_id == drive.baseline_id,
            before_node.c.node_id == row.node_id,
            before.c.node_run_id == before_node.c.id,
            before.c.key == workflow_work.c.key,
        )
        .values(content_hash=before.c.content_hash)
    )


def _note(node: Node, row: Row[Any]) -> str | None:
    if not row.unusable:
        return None
    wanted = f"no address in the field {node.url_field!r}" if node.url_field else "no value for any parameter"
    if node.url_field and node.parameter_config:
        wanted += ", or no value for any parameter"
    return f"{row.unusable} of {row.inputs} upstream items had {wanted}."


async def _lost_note(connection: AsyncConnection, row: Row[Any]) -> str | None:
    """Which fields the pages of a node no longer give: no change, and nothing to be silent about."""
    mine = (workflow_work.c.node_run_id == row.id, workflow_work.c.lost_fields.is_not(None))
    count = await connection.scalar(select(func.count()).select_from(workflow_work).where(*mine))
    if not count:
        return None
    name = func.json_array_elements_text(workflow_work.c.lost_fields)
    names = await connection.scalars(select(name).where(*mine).distinct().limit(LOST_NAMED_MAX))
    return f"{count} of its pages no longer give{'s' if count == 1 else ''} {', '.join(sorted(names))}."


async def _end_run(
    connection: AsyncConnection, queue: Queue, drive: Drive, rows: NodeRows, now: datetime
) -> None:
    ended = {
        key: EndedNode(
            NodeStatus(row.status), Tally(row.executed, row.reused, row.failed), row.error, row.note
        )
        for key, row in rows.items()
    }
    end = engine.run_end(drive.graph, ended)
    terminal = drive.graph.terminal_keys
    changed = end.status is RunStatus.COMPLETED and await has_changes(
        connection,
        run_id=drive.run_id,
        baseline_id=drive.baseline_id,
        node_ids=[node.id for node in drive.graph.nodes if node.key in terminal],
        is_whole=not any(one.error for one in ended.values()),
    )
    written = await connection.execute(
        update(workflow_runs)
        .where(workflow_runs.c.id == drive.run_id)
        .values(
            status=end.status,
            error=end.error,
            warnings=list(end.warnings[:WARNINGS_MAX]) or None,
            has_changes=changed if end.status is RunStatus.COMPLETED else None,
            completed_at=now,
        )
        .returning(workflow_runs)
    )
    await announce_run(connection, run=written.one(), status=end.status, changed=changed, now=now)
    await ask_for_next(connection, queue, drive.workflow_id)
