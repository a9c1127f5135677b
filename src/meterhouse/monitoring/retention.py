"""The scan that deletes jobs some time after they have ended.

What others rest on stays, however old: the newest results of each target, with which its next job is
compared; changes of schedules that nobody has seen; and the results that those differ from.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.kernel.scans import Rarely, Scan
from meterhouse.monitoring.tables import job_batches, jobs
from meterhouse.platform.ports import Database

READ_AT_ONCE = 1_000

_DELETE = text(
    """
    DELETE FROM jobs j
    WHERE j.id = ANY (:ids) AND j.status IN ('completed', 'failed') AND j.completed_at < :before
      AND NOT (
        j.has_changes IS TRUE AND j.seen_at IS NULL
        AND EXISTS (SELECT 1 FROM schedules s WHERE s.id = j.schedule_id)
      )
      AND NOT EXISTS (
        SELECT 1 FROM jobs n
        WHERE n.schedule_id = j.schedule_id AND n.has_changes AND n.seen_at IS NULL
          AND n.previous_job_id = j.id
      )
      AND (j.status = 'failed' OR EXISTS (
        SELECT 1 FROM jobs l
        WHERE l.strategy_id = j.strategy_id AND l.target = j.target AND l.status = 'completed'
          AND (j.schedule_id IS NULL OR l.schedule_id = j.schedule_id)
          AND l.completed_at < :before AND (l.completed_at, l.id) > (j.completed_at, j.id)
      ))
    RETURNING j.batch_id
    """
)


class JobRetention:
    """Jobs are kept for `period` after they have ended; see the module. Batches go with their last job."""

    def __init__(self, database: Database, period: timedelta) -> None:
        self._database = database
        self._period = period
        self._after = UUID(int=0)

    @property
    def scans(self) -> Mapping[str, Scan]:
        return {"monitoring.retention": Rarely(self.delete_old)}

    async def delete_old(self, now: datetime) -> int:
        """Look at the next old jobs, in order of their ids; tells how many there were, 0 at the end of all.

        The newest results of each target are met again each time that it begins anew.
        """
        before = now - self._period
        async with self._database.begin() as connection:
            rows = (
                await connection.execute(
                    select(jobs.c.id, jobs.c.created_at)
                    .where(jobs.c.id > self._after)
                    .order_by(jobs.c.id)
                    .limit(READ_AT_ONCE)
                )
            ).all()
            old = [row.id for row in rows if row.created_at < before]
            if old:
                await _delete(connection, old, before)
        is_end = len(old) < READ_AT_ONCE
        self._after = UUID(int=0) if is_end else old[-1]
        return 0 if is_end else len(old)


async def _delete(connection: AsyncConnection, job_ids: list[UUID], before: datetime) -> None:
    deleted = (await connection.execute(_DELETE, {"ids": job_ids, "before": before})).scalars()
    batches = {batch_id for batch_id in deleted if batch_id is not None}
    if batches:
        is_left = exists().where(jobs.c.batch_id == job_batches.c.id)
        await connection.execute(delete(job_batches).where(job_batches.c.id.in_(batches), ~is_left))
