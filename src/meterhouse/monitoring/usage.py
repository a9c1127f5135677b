"""The usage event that each ended job leaves behind, so that extraction can be metered like anything else.

Its identity is the job's id, so an event sent again counts once. Its subject is the strategy: a strategy is
what an operator sells the output of, and whoever pays for it can be given it as a usage attribution.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select

from meterhouse.kernel.clock import Clock
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring.model import JobStatus, UsageSink
from meterhouse.monitoring.tables import job_usage
from meterhouse.platform.ports import Database
from meterhouse.usage.model import Event

EVENT_TYPE = "meterhouse.job"
EVENT_SOURCE = "meterhouse"
EMITTED_AT_ONCE_MAX = 1_000


def usage_data(
    *,
    job_id: UUID,
    strategy_id: UUID,
    schedule_id: UUID | None,
    status: JobStatus,
    pages: int,
    items: int,
    page_bytes: int,
    duration_ms: int,
) -> str:
    """The event's data as JSON text. `bytes` counts the page after decompression."""
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
    return json.dumps(data)


async def emit_usage(
    database: Database, sink: UsageSink, clock: Clock, *, job_ids: Sequence[UUID] | None = None
) -> int:
    """Send waiting usage events (of these jobs, or of all) and forget them; returns how many were sent.

    Cut off between sending and forgetting, it sends again later, which counts once.
    """
    statement = select(job_usage).order_by(job_usage.c.job_id).limit(EMITTED_AT_ONCE_MAX)
    if job_ids is not None:
        statement = statement.where(job_usage.c.job_id.in_(job_ids))
    async with database.begin() as connection:
        rows = (await connection.execute(statement)).all()
    if not rows:
        return 0
    await sink.submit([_event(row, clock.now()) for row in rows])
    async with database.begin() as connection:
        await connection.execute(
            delete(job_usage).where(job_usage.c.job_id.in_([row.job_id for row in rows]))
        )
    return len(rows)


def _event(row: Row[Any], now: datetime) -> Event:
    return Event(
        organisation_id=row.organisation_id,
        type=EVENT_TYPE,
        source=EVENT_SOURCE,
        id=str(row.job_id),
        subject=str(row.strategy_id),
        time=row.at,
        ingested_at=now,
        uid=new_id(),
        data=row.data,
    )
