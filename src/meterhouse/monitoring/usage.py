"""The usage event that each ended job leaves behind, so that extraction can be metered like anything else.

Its identity is the job's id, so an event sent again counts once. Its subject is the strategy: a strategy is
what an operator sells the output of, and whoever pays for it can be given it as a usage attribution.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from meterhouse.kernel.clock import Clock
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring.model import JobStatus, UsageSink
from meterhouse.monitoring.tables import job_usage
from meterhouse.platform.ports import Database
from meterhouse.usage.model import Event

EVENT_TYPE = "meterhouse.job"
EVENT_SOURCE = "meterhouse"
EMITTED_AT_ONCE_MAX = 1_000


def usage_row(
    *,
    organisation_id: UUID,
    job_id: UUID,
    strategy_id: UUID,
    schedule_id: UUID | None,
    status: JobStatus,
    pages: int,
    items: int,
    page_bytes: int,
    duration_ms: int,
    now: datetime,
) -> Mapping[str, Any]:
    """A row of `job_usage`, its event's data as JSON text. `bytes` counts pages after decompression."""
    data: dict[str, object] = {
        "job_id": str(job_id),
        "strategy_id": str(strategy_id),
        "status": str(status),
        "pages": pages,
        "items": items,
        "bytes": page_bytes,
        "duration_ms": duration_ms,
    }
    if schedule_id is not None:
        data["schedule_id"] = str(schedule_id)
    return {
        "job_id": job_id,
        "organisation_id": organisation_id,
        "strategy_id": strategy_id,
        "data": json.dumps(data),
        "at": now,
    }


async def emit_usage(
    database: Database, sink: UsageSink, clock: Clock, *, but_not: Collection[UUID] = ()
) -> int:
    """Send waiting usage events, but not those of some jobs, and forget them; returns how many were sent."""
    statement = (
        select(job_usage)
        .where(job_usage.c.job_id.not_in(but_not))
        .order_by(job_usage.c.job_id)
        .limit(EMITTED_AT_ONCE_MAX)
    )
    async with database.begin() as connection:
        rows = [row._mapping for row in await connection.execute(statement)]
    if rows:
        await send_usage(database, sink, clock, rows)
    return len(rows)


async def send_usage(
    database: Database, sink: UsageSink, clock: Clock, rows: Sequence[Mapping[Any, Any]]
) -> None:
    """Send these rows of `job_usage` and forget them.

    Cut off between sending and forgetting, it sends again later, which counts once.
    """
    await sink.submit([_event(row, clock.now()) for row in rows])
    async with database.begin() as connection:
        await connection.execute(
            delete(job_usage).where(job_usage.c.job_id.in_([row["job_id"] for row in rows]))
        )


def _event(row: Mapping[Any, Any], now: datetime) -> Event:
    return Event(
        organisation_id=row["organisation_id"],
        type=EVENT_TYPE,
        source=EVENT_SOURCE,
        id=str(row["job_id"]),
        subject=str(row["strategy_id"]),
        time=row["at"],
        ingested_at=now,
        uid=new_id(),
        data=row["data"],
    )
