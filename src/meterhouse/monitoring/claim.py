"""Taking jobs in hand: which may begin now, how many at each host, and what their runs need to know."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Text, bindparam, func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.monitoring.model import JobStatus
from meterhouse.monitoring.run import Begun, Previous
from meterhouse.monitoring.tables import jobs, quiet_hosts
from meterhouse.monitoring.visit import Validators

# A job that takes the process down with it must not do so for ever.
INTERRUPTIONS_MAX = 5
# How many more jobs than wanted are looked at, and how often, before busy hosts are left for later.
LOOKED_AT_FACTOR = 4
LOOKS_MAX = 5

_PREVIOUS = text(
    """
    SELECT t.job_id, p.id, p.content_hash, p.results::text AS results, p.wrapper, p.structural_signature,
           p.lost_fields, p.etag, p.last_modified, p.read_at
    FROM unnest(CAST(:ids AS uuid[])) AS t (job_id)
    JOIN jobs j ON j.id = t.job_id
    JOIN strategies s ON s.id = j.strategy_id
    CROSS JOIN LATERAL (
        SELECT * FROM jobs q
        WHERE q.strategy_id = j.strategy_id AND q.target = j.target AND q.status = 'completed'
          AND q.strategy_version = s.version AND (j.schedule_id IS NULL OR q.schedule_id = j.schedule_id)
        ORDER BY q.completed_at DESC, q.id DESC LIMIT 1
    ) p
    """
)


@dataclass(frozen=True)
class Room:
    """How many jobs may be taken, in all and at each host; `in_hand` counts those already there."""

    jobs: int
    per_host: int
    in_hand: Mapping[str, int]

    def at(self, host: str) -> int:
        return self.per_host - self.in_hand.get(host, 0)


@dataclass(frozen=True)
class Claimed:
    """Jobs in hand, and those that were interrupted too often.

    `is_more`: there may be others that can begin now; `is_held`: or when a job of a busy host has ended.
    """

    begun: Sequence[Begun] = ()
    given_up: Mapping[UUID, int] | None = None
    is_more: bool = False
    is_held: bool = False


def may_begin(now: datetime) -> ColumnElement[bool]:
    """Pending, due, and at a host that did not ask to be left alone."""
    quiet = select(quiet_hosts.c.host).where(quiet_hosts.c.host == jobs.c.host, quiet_hosts.c.until > now)
    # Written out, so that a prepared statement may use the index of what waits.
    is_pending = jobs.c.status == literal_column(f"'{JobStatus.PENDING}'")
    return is_pending & (jobs.c.next_at <= now) & ~quiet.exists()


async def claim(connection: AsyncConnection, *, runner_id: UUID, room: Room, now: datetime) -> Claimed:
    """Take jobs in hand, the urgent and the longest waiting first. Nobody else takes them meanwhile."""
    chosen, is_more, is_held = await _choose(connection, room, now)
    if not chosen:
        return Claimed(is_held=is_held)
    rows = (
        await connection.execute(
            update(jobs)
            .where(jobs.c.id.in_(chosen))
            .values(
                status=JobStatus.RUNNING, attempts=jobs.c.attempts + 1, started_at=now, runner_id=runner_id
            )
            .returning(*_COLUMNS)
        )
    ).all()
    given_up = {
        row.id: row.attempts - row.retries - 1
        for row in rows
        if row.attempts - row.retries > INTERRUPTIONS_MAX
    }
    wanted = [row for row in rows if row.id not in given_up]
    wanted.sort(key=lambda row: chosen.index(row.id))
    strategies = await extraction.find_strategies(
        connection, strategy_ids={row.strategy_id for row in wanted}
    )
    previous = await _find_previous(connection, [row.id for row in wanted])
    begun = [
        Begun(
            job_id=row.id,
            url=row.url,
            host=row.host,
            target=row.target,
            strategy=strategies[row.strategy_id],
            parameters=row.parameters,
            max_pages=row.max_pages,
            previous=previous.get(row.id),
        )
        for row in wanted
        if row.strategy_id in strategies
    ]
    return Claimed(begun, given_up, is_more, is_held)


_COLUMNS = [
    jobs.c[name]
    for name in (
        "id",
        "strategy_id",
        "url",
        "host",
        "target",
        "parameters",
        "max_pages",
        "attempts",
        "retries",
    )
]


_LOOKED_AT = [jobs.c.id, jobs.c.host]


async def _choose(connection: AsyncConnection, room: Room, now: datetime) -> tuple[list[UUID], bool, bool]:
    """Which to take, and whether more may wait: for hands, or for hosts that have enough in hand.

    Jobs of such a host hold up nobody else.
    """
    chosen: list[UUID] = []
    at_host: dict[str, int] = {}
    full = {host for host in room.in_hand if room.at(host) <= 0}
    for _ in range(LOOKS_MAX):
        wanted = (room.jobs - len(chosen)) * LOOKED_AT_FACTOR
        rows = await _look(connection, full, chosen, wanted, now)
        for row in rows:
            if len(chosen) < room.jobs and at_host.get(row.host, 0) < room.at(row.host):
                chosen.append(row.id)
                at_host[row.host] = at_host.get(row.host, 0) + 1
        full |= {host for host, count in at_host.items() if count >= room.at(host)}
        if len(rows) < wanted or len(chosen) >= room.jobs:
            return chosen, len(rows) >= wanted, bool(full)
    return chosen, True, bool(full)


async def _look(
    connection: AsyncConnection, full: Collection[str], chosen: Collection[UUID], count: int, now: datetime
) -> Sequence[Row[Any]]:
    statement = select(*_LOOKED_AT).where(may_begin(now))
    if full:
        statement = statement.where(jobs.c.host != func.all(bindparam("full", list(full), ARRAY(Text))))
    if chosen:
        statement = statement.where(jobs.c.id.not_in(chosen))
    found = await connection.execute(
        statement.order_by(jobs.c.is_urgent.desc(), jobs.c.next_at, jobs.c.id)
        .limit(count)
        .with_for_update(skip_locked=True)
    )
    return found.all()


async def _find_previous(connection: AsyncConnection, job_ids: Sequence[UUID]) -> dict[UUID, Previous]:
    if not job_ids:
        return {}
    rows = await connection.execute(_PREVIOUS, {"ids": list(job_ids)})
    return {
        row.job_id: Previous(
            id=row.id,
            content_hash=row.content_hash,
            results=row.results,
            wrapper=row.wrapper,
            signature=row.structural_signature,
            lost=tuple(row.lost_fields or ()),
            validators=Validators(row.etag, row.last_modified),
            read_at=row.read_at,
        )
        for row in rows
    }
