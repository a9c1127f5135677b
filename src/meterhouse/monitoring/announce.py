"""Telling others how a scheduled job ended: whether to, and in which words (reference, 11)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring import engine, queries
from meterhouse.monitoring.changes import difference, list_results
from meterhouse.monitoring.model import Diff, Item, JobStatus, Modified
from meterhouse.monitoring.rules import ChangeRules
from meterhouse.monitoring.schedules_model import endpoint_from_row
from meterhouse.monitoring.tables import jobs, schedules
from meterhouse.monitoring.words import item_line
from meterhouse.platform.ports import Database
from meterhouse.webhooks import service as webhooks
from meterhouse.webhooks.model import Metadata, Notice, Subject

SOURCE = "monitoring.job"
ITEMS_SHOWN_MAX = 10


async def announce_jobs(
    connection: AsyncConnection,
    ended: Sequence[tuple[Row[Any], JobStatus, bool]],
    *,
    now: datetime,
) -> None:
    """Ask for the messages about jobs' ends, in the transaction that ends them.

    Each comes with whether it has news. Programs are told of every run, people of news and failures.
    """
    scheduled = {row.schedule_id for row, _, _ in ended if row.schedule_id is not None}
    if not scheduled:
        return
    names = ("url", "type", "secret", "metadata", "only_changes")
    columns = [schedules.c[f"webhook_{name}"] for name in names]
    found = await connection.execute(
        select(schedules.c.id, *columns).where(
            schedules.c.id.in_(scheduled), schedules.c.webhook_url.is_not(None)
        )
    )
    endpoints = {row.id: endpoint_from_row(row) for row in found}
    for job, status, has_news in ended:
        endpoint = endpoints.get(job.schedule_id)
        if endpoint is None:
            continue
        if not endpoint.wants_every_run and not has_news and status is JobStatus.COMPLETED:
            continue
        await webhooks.announce(
            connection,
            organisation_id=job.organisation_id,
            source=SOURCE,
            subject_id=job.id,
            owner_id=job.schedule_id,
            endpoint=endpoint,
            now=now,
        )


@dataclass(frozen=True)
class JobNotices:
    """Words the notices of jobs from what is stored of them."""

    database: Database

    async def __call__(self, subjects: Sequence[Subject]) -> list[Notice | None]:
        async with self.database.begin() as connection:
            rows = await connection.execute(select(jobs).where(jobs.c.id.in_([one.id for one in subjects])))
            found = {row.id: row for row in rows}
            before = {row.previous_job_id for row in found.values() if row.has_changes}
            old = await list_results(connection, job_ids=before)
            rules = await queries.list_rules(
                connection, strategy_ids={row.strategy_id for row in found.values()}
            )
            names: dict[UUID, str] = {}
            for owner in {row.organisation_id for row in found.values()}:
                wanted = {row.strategy_id for row in found.values() if row.organisation_id == owner}
                names |= await extraction.list_names(connection, organisation_id=owner, strategy_ids=wanted)
        told = [(found.get(one.id), one.metadata) for one in subjects]
        return await asyncio.to_thread(_notices, told, old, names, rules)


def sample_notice(metadata: Metadata | None, now: datetime) -> Notice:
    """What a test call sends: a change as a real one looks, with fresh ids and `test: true`."""
    items: list[Item] = [{"title": "Sample item", "price": 199.0}]
    payload = {
        "job_id": new_id(),
        "schedule_id": new_id(),
        "status": JobStatus.COMPLETED,
        "url": "https://shop.example/phones",
        "results": items,
        "item_count": 1,
        "has_changes": True,
        "content_hash": engine.content_hash(items),
        "completed_at": now,
        "metadata": metadata,
        "changes": _changes(Diff(added=tuple(items))),
        "test": True,
    }
    return Notice(
        payload=payload,
        title="Test of a webhook",
        url="https://shop.example/phones",
        summary="1 new item",
        items=[("New", [item_line(item) for item in items])],
    )


def _notices(
    told: Sequence[tuple[Row[Any] | None, Metadata | None]],
    old: Mapping[UUID, tuple[Sequence[Item], frozenset[str]]],
    names: Mapping[UUID, str],
    rules: Mapping[UUID, ChangeRules],
) -> list[Notice | None]:
    return [
        None
        if job is None or job.strategy_id not in names
        else _notice(
            job, old.get(job.previous_job_id), names[job.strategy_id], metadata, rules[job.strategy_id]
        )
        for job, metadata in told
    ]


def _notice(
    job: Row[Any],
    before: tuple[Sequence[Item], frozenset[str]] | None,
    name: str,
    metadata: Metadata | None,
    rules: ChangeRules,
) -> Notice:
    payload: dict[str, object] = {
        "job_id": job.id,
        "schedule_id": job.schedule_id,
        "strategy_id": job.strategy_id,
        "status": job.status,
        "url": job.url,
        "completed_at": job.completed_at,
        "metadata": metadata,
    }
    if job.status == JobStatus.FAILED:
        payload |= {"error": job.error, "error_code": job.error_code}
        return Notice(payload, f"{name} failed", job.url, job.error)
    lost = list(job.lost_fields or ())
    old, lost_before = before or (None, frozenset())
    found = difference(job.results, old, {*lost, *lost_before}, rules)
    payload |= {
        "results": job.results if job.wrapper is None else [{job.wrapper: job.results}],
        "item_count": job.item_count,
        "has_changes": job.has_changes,
        "content_hash": job.content_hash,
    }
    if job.has_changes:
        payload["changes"] = _changes(found)
    if lost:
        payload["lost_fields"] = lost
    groups = (("New", found.new_items), ("Removed", found.removed_items))
    summary = f"{_count(found.new_items, 'new')}, {_count(found.removed_items, 'removed')}"
    return Notice(
        payload,
        f"{name} changed" if job.has_changes else f"{name} lost fields" if lost else name,
        job.url,
        f"{summary}. The page no longer gives {', '.join(lost)}." if lost else summary,
        [(heading, [item_line(item) for item in items[:ITEMS_SHOWN_MAX]]) for heading, items in groups],
    )


def _changes(found: Diff) -> dict[str, object]:
    return {
        "new_items": list(found.new_items),
        "removed_items": list(found.removed_items),
        "modified_items": [_modified(one) for one in found.modified],
    }


def _modified(one: Modified) -> Mapping[str, object]:
    fields = {change.name: {"before": change.before, "after": change.after} for change in one.fields}
    return {"before": one.before, "after": one.after, "fields": fields}


def _count(items: Sequence[Item], kind: str) -> str:
    return f"{len(items)} {kind} item{'' if len(items) == 1 else 's'}"
