"""What changed, for those who ask: unseen changes like unread mail, and the changelog of a schedule."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import NotFound
from meterhouse.monitoring import engine, queries
from meterhouse.monitoring.keywords import KeywordFilter
from meterhouse.monitoring.model import Diff, Item, Job, Modified
from meterhouse.monitoring.rules import ChangeRules
from meterhouse.monitoring.schedules import get_schedule
from meterhouse.monitoring.tables import jobs
from meterhouse.platform.ports import Database

CHANGES_AT_ONCE_MAX = 100
READ_AT_ONCE = 25


@dataclass(frozen=True)
class ChangelogEntry:
    """One run that found a change, and what differs from the run before. A modified item is in all three."""

    job_id: UUID
    url: str
    completed_at: datetime
    item_count: int
    new_items: Sequence[Item]
    removed_items: Sequence[Item]
    modified_items: Sequence[Modified]

    @property
    def is_empty(self) -> bool:
        return not (self.new_items or self.removed_items)


@dataclass(frozen=True)
class Changelog:
    """A page of the changelog, newest first; `total` counts all entries, on whatever page."""

    entries: Sequence[ChangelogEntry]
    total: int


async def take_changes(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    schedule_id: UUID,
    keywords: KeywordFilter,
    mark_seen: bool,
    now: datetime,
) -> list[Job]:
    """Unseen changes, oldest first, at most a hundred; marked as seen if wanted.

    With keywords, jobs hold only the items that match, and jobs without any are left out and stay unseen.
    Readers that mark at the same time take turns: each change is given out as new exactly once.
    Raises `NotFound`.
    """
    await get_schedule(connection, organisation_id=organisation_id, schedule_id=schedule_id)
    found: list[Job] = []
    async for job in _unseen(connection, schedule_id, lock=mark_seen):
        kept = job if keywords.is_empty else _filtered(job, keywords)
        if kept is not None:
            found.append(kept)
        if len(found) == CHANGES_AT_ONCE_MAX:
            break
    if mark_seen and found:
        marked = update(jobs).where(jobs.c.id.in_([job.id for job in found]))
        await connection.execute(marked.values(seen_at=now))
    return found


async def acknowledge(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    schedule_id: UUID,
    job_ids: Sequence[UUID],
    now: datetime,
) -> int:
    """Mark these changes as seen; returns how many were unseen until now. All or none of them.

    Raises `NotFound` for an unknown schedule, and for a job that is no job of it.
    """
    await _check_jobs(connection, organisation_id, schedule_id, job_ids)
    marked = await connection.execute(
        update(jobs)
        .where(jobs.c.id.in_(job_ids), jobs.c.has_changes, jobs.c.seen_at.is_(None))
        .values(seen_at=now)
    )
    return int(marked.rowcount)


async def reopen(
    connection: AsyncConnection, *, organisation_id: UUID, schedule_id: UUID, job_ids: Sequence[UUID]
) -> int:
    """Mark these changes as unseen, so that they are given out again; returns how many were seen until now.

    Raises like `acknowledge`.
    """
    await _check_jobs(connection, organisation_id, schedule_id, job_ids)
    marked = await connection.execute(
        update(jobs)
        .where(jobs.c.id.in_(job_ids), jobs.c.has_changes, jobs.c.seen_at.is_not(None))
        .values(seen_at=None)
    )
    return int(marked.rowcount)


async def _check_jobs(
    connection: AsyncConnection, organisation_id: UUID, schedule_id: UUID, job_ids: Sequence[UUID]
) -> None:
    await get_schedule(connection, organisation_id=organisation_id, schedule_id=schedule_id)
    known = await connection.scalars(
        select(jobs.c.id).where(jobs.c.schedule_id == schedule_id, jobs.c.id.in_(job_ids))
    )
    unknown = set(job_ids) - set(known)
    if unknown:
        raise NotFound(f"Job not found: {min(unknown)} is no job of this schedule. Nothing was marked.")


async def get_changelog(
    database: Database,
    *,
    organisation_id: UUID,
    schedule_id: UUID,
    keywords: KeywordFilter,
    limit: int,
    offset: int,
) -> Changelog:
    """All runs of a schedule that found a change, seen or not, newest first. Raises `NotFound`.

    With keywords, items and counts are those that match, and entries without a match are left out.
    """
    async with database.begin() as connection:
        schedule = await get_schedule(connection, organisation_id=organisation_id, schedule_id=schedule_id)
        rules = await queries.get_rules(connection, strategy_id=schedule.strategy_id)
        total = await connection.scalar(select(func.count()).select_from(jobs).where(*_changed(schedule_id)))
    if keywords.is_empty:
        entries = [e async for e in _entries(database, schedule_id, rules, limit=limit, offset=offset)]
        return Changelog(entries, int(total or 0))
    matching: list[ChangelogEntry] = []
    count = 0
    async for entry in _entries(database, schedule_id, rules, limit=None, offset=0):
        kept = await asyncio.to_thread(_matching, entry, keywords)
        if not kept.is_empty:
            matching += [kept] if offset <= count < offset + limit else []
            count += 1
    return Changelog(matching, count)


def difference(
    new: Sequence[Item], old: Sequence[Item] | None, lost: Collection[str], rules: ChangeRules
) -> Diff:
    """What happened from one result to the next by the rules; nothing where there is no previous one.

    Fields that either of them lost are no part of the comparison.
    """
    if old is None:
        return Diff()
    if not lost:
        return engine.diff(new, old, rules)
    new, old = ([dict(item) for item in items] for items in (new, old))
    return engine.diff(extraction.without_fields(new, lost), extraction.without_fields(old, lost), rules)


async def list_results(
    connection: AsyncConnection, *, job_ids: Collection[UUID]
) -> dict[UUID, tuple[Sequence[Item], frozenset[str]]]:
    """The results that verdicts rest on, and the fields that they lost; jobs that are gone are left out."""
    if not job_ids:
        return {}
    columns = (jobs.c.id, jobs.c.results, jobs.c.lost_fields)
    rows = await connection.execute(select(*columns).where(jobs.c.id.in_(job_ids)))
    return {
        row.id: (row.results, frozenset(row.lost_fields or ())) for row in rows if row.results is not None
    }


def _changed(schedule_id: UUID) -> list[ColumnElement[bool]]:
    return [jobs.c.schedule_id == schedule_id, jobs.c.has_changes]


async def _unseen(connection: AsyncConnection, schedule_id: UUID, *, lock: bool) -> AsyncIterator[Job]:
    """Unseen changes in order of their completion, a few read at a time; locked if they may be marked."""
    after: tuple[datetime, UUID] | None = None
    while True:
        statement = (
            select(*queries.JOB_COLUMNS)
            .where(*_changed(schedule_id), jobs.c.seen_at.is_(None))
            .order_by(jobs.c.completed_at, jobs.c.id)
            .limit(READ_AT_ONCE)
        )
        if after is not None:
            position = (jobs.c.completed_at > after[0]) | (
                (jobs.c.completed_at == after[0]) & (jobs.c.id > after[1])
            )
            statement = statement.where(position)
        rows = (await connection.execute(statement.with_for_update() if lock else statement)).all()
        for row in rows:
            yield queries.from_row(row)
        if not rows:
            return
        after = (rows[-1].completed_at, rows[-1].id)


def _filtered(job: Job, keywords: KeywordFilter) -> Job | None:
    kept = keywords.select(job.results or ())
    return replace(job, results=kept, item_count=len(kept)) if kept else None


async def _entries(
    database: Database, schedule_id: UUID, rules: ChangeRules, *, limit: int | None, offset: int
) -> AsyncIterator[ChangelogEntry]:
    """The changelog, a few results in memory at a time."""
    position, left = offset, limit
    while left is None or left > 0:
        step = READ_AT_ONCE if left is None else min(READ_AT_ONCE, left)
        async with database.begin() as connection:
            rows = await _read_with_previous(connection, schedule_id, limit=step, offset=position)
        for row in rows:
            yield await asyncio.to_thread(_entry, row, rules)
        if len(rows) < step:
            return
        position += step
        left = None if left is None else left - step


async def _read_with_previous(
    connection: AsyncConnection, schedule_id: UUID, *, limit: int, offset: int
) -> Sequence[Any]:
    previous = jobs.alias("previous")
    rows = await connection.execute(
        select(
            jobs.c.id,
            jobs.c.url,
            jobs.c.completed_at,
            jobs.c.results,
            jobs.c.lost_fields,
            previous.c.results.label("previous_results"),
            previous.c.lost_fields.label("previous_lost_fields"),
        )
        .join(previous, previous.c.id == jobs.c.previous_job_id, isouter=True)
        .where(*_changed(schedule_id))
        .order_by(jobs.c.completed_at.desc(), jobs.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return rows.all()


def _entry(row: Row[Any], rules: ChangeRules) -> ChangelogEntry:
    new: Sequence[Mapping[str, object]] = row.results or []
    lost = {*(row.lost_fields or ()), *(row.previous_lost_fields or ())}
    found = difference(new, row.previous_results, lost, rules)
    return ChangelogEntry(
        job_id=row.id,
        url=row.url,
        completed_at=row.completed_at,
        item_count=len(new),
        new_items=found.new_items,
        removed_items=found.removed_items,
        modified_items=found.modified,
    )


def _matching(entry: ChangelogEntry, keywords: KeywordFilter) -> ChangelogEntry:
    return replace(
        entry,
        new_items=keywords.select(entry.new_items),
        removed_items=keywords.select(entry.removed_items),
        modified_items=[
            one for one in entry.modified_items if keywords.keeps(one.before) or keywords.keeps(one.after)
        ],
    )
