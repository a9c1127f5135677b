"""Telling others how a scheduled run ended: whether to, and in which words (reference, 14.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.platform.ports import Database
from meterhouse.webhooks import service as webhooks
from meterhouse.webhooks.model import Metadata, Notice, Subject
from meterhouse.workflows import queries
from meterhouse.workflows.model import RunStatus, WorkStatus
from meterhouse.workflows.schedules import from_row
from meterhouse.workflows.tables import (
    workflow_node_runs,
    workflow_runs,
    workflow_schedules,
    workflow_work,
    workflows,
)

SOURCE = "workflows.run"
# A message holds at most this many items; the rest is in the run's output.
ITEMS_TOLD_MAX = 10_000


async def has_changes(
    connection: AsyncConnection,
    *,
    run_id: UUID,
    baseline_id: UUID | None,
    node_ids: Sequence[UUID],
    is_whole: bool,
) -> bool:
    """Whether the pages of these nodes gave something else than in the baseline; without one, nothing did.

    What is missing is a change only in a run that is whole: a page that failed is never one. Where the pages
    before lost fields, which may have held addresses, neither missing nor new pages say anything.
    """
    if baseline_id is None:
        return False
    had_gap = await _lost_on_the_way(connection, baseline_id, node_ids)
    if await _differs(connection, run_id, baseline_id, node_ids, counts_alone=not had_gap):
        return True
    if not is_whole or await _lost_on_the_way(connection, run_id, node_ids):
        return False
    return await _differs(connection, baseline_id, run_id, node_ids)


async def announce_run(
    connection: AsyncConnection, *, run: Row[Any], status: RunStatus, changed: bool, now: datetime
) -> None:
    """Ask for the message about a run's end, in the transaction that ends it.

    Programs are told of every scheduled run. People are told of changes and failures.
    """
    row = (
        await connection.execute(select(workflow_schedules).where(workflow_schedules.c.id == run.schedule_id))
    ).first()
    webhook = from_row(row).webhook if row is not None else None
    if webhook is None:
        return
    if not webhook.wants_every_run and not changed and status is RunStatus.COMPLETED:
        return
    await webhooks.announce(
        connection,
        organisation_id=run.organisation_id,
        source=SOURCE,
        subject_id=run.id,
        owner_id=run.schedule_id,
        endpoint=webhook,
        now=now,
    )


@dataclass(frozen=True)
class RunNotices:
    """Words the notice of a run from what is stored of it. Whoever sends webhooks asks it under `SOURCE`."""

    database: Database

    async def __call__(self, subjects: Sequence[Subject]) -> list[Notice | None]:
        return [await self._word(one.id, one.metadata) for one in subjects]

    async def _word(self, subject_id: UUID, metadata: Metadata | None) -> Notice | None:
        async with self.database.begin() as connection:
            row = (
                await connection.execute(
                    select(workflow_runs, workflows.c.name)
                    .join(workflows, workflows.c.id == workflow_runs.c.workflow_id)
                    .where(workflow_runs.c.id == subject_id)
                )
            ).first()
            if row is None:
                return None
            items, count = await queries.list_final_results(
                connection,
                workflow_id=row.workflow_id,
                run_id=subject_id,
                version=row.graph_version,
                limit=ITEMS_TOLD_MAX,
            )
        payload: dict[str, object] = {
            "workflow_id": row.workflow_id,
            "run_id": row.id,
            "schedule_id": row.schedule_id,
            "status": row.status,
            "completed_at": row.completed_at,
            "metadata": metadata,
        }
        if row.status == RunStatus.FAILED:
            return Notice({**payload, "error": row.error}, f"{row.name} failed", "", row.error or "")
        payload |= {
            "has_changes": bool(row.has_changes),
            "item_count": count,
            "final_results": items,
            "warnings": row.warnings or [],
        }
        if count > len(items):
            payload["is_truncated"] = True
        title = f"{row.name} changed" if row.has_changes else str(row.name)
        return Notice(payload, title, "", f"{count} item{'' if count == 1 else 's'}")


async def _lost_on_the_way(connection: AsyncConnection, run_id: UUID, node_ids: Sequence[UUID]) -> bool:
    """Whether pages of the nodes that lead to these lost fields."""
    found = await connection.scalar(
        select(workflow_work.c.id)
        .join(workflow_node_runs, workflow_node_runs.c.id == workflow_work.c.node_run_id)
        .where(
            workflow_node_runs.c.run_id == run_id,
            workflow_node_runs.c.node_id.not_in(node_ids),
            workflow_work.c.lost_fields.is_not(None),
        )
        .limit(1)
    )
    return found is not None


async def _differs(
    connection: AsyncConnection,
    run_id: UUID,
    other_id: UUID,
    node_ids: Sequence[UUID],
    *,
    counts_alone: bool = True,
) -> bool:
    """Whether one run has a page with other items than the other has, or (`counts_alone`) that it has not.

    Items are the same when they differ only in fields that either page lost.
    """
    other, other_node = workflow_work.alias("other"), workflow_node_runs.alias("other_node")
    counterpart = (
        select(other.c.id)
        .join(other_node, other_node.c.id == other.c.node_run_id)
        .where(
            other_node.c.run_id == other_id,
            other_node.c.node_id == workflow_node_runs.c.node_id,
            other.c.key == workflow_work.c.key,
        )
    )
    hashes = (workflow_work.c.content_hash, workflow_work.c.same_as)
    is_same = other.c.content_hash.in_(hashes) | (other.c.same_as == workflow_work.c.content_hash)
    same = exists(counterpart.where(is_same))
    found = await connection.scalar(
        select(workflow_work.c.id)
        .join(workflow_node_runs, workflow_node_runs.c.id == workflow_work.c.node_run_id)
        .where(
            workflow_node_runs.c.run_id == run_id,
            workflow_node_runs.c.node_id.in_(node_ids),
            workflow_work.c.status == WorkStatus.COMPLETED,
            ~same,
            true() if counts_alone else exists(counterpart),
        )
        .limit(1)
    )
    return found is not None
