"""The scan that deletes runs of workflows, with all that their pages gave, some time after they have ended.

The newest completed run of each workflow stays, however old: the next one is compared with it and takes over
what has not changed since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, select

from meterhouse.kernel.scans import Rarely, Scan
from meterhouse.platform.ports import Database
from meterhouse.workflows.model import RunStatus
from meterhouse.workflows.tables import workflow_runs

# Each may have ten thousand pages.
DELETED_AT_ONCE_MAX = 5


@dataclass(frozen=True)
class RunRetention:
    """Runs are kept for `period` after they have ended; see the module."""

    database: Database
    period: timedelta

    @property
    def scans(self) -> Mapping[str, Scan]:
        return {"workflows.retention": Rarely(self.delete_old)}

    async def delete_old(self, now: datetime) -> int:
        """Delete some of the old ones; tells how many."""
        later, using = workflow_runs.alias("later"), workflow_runs.alias("using")
        is_newest = ~exists().where(
            later.c.workflow_id == workflow_runs.c.workflow_id,
            later.c.status == RunStatus.COMPLETED,
            later.c.completed_at > workflow_runs.c.completed_at,
        )
        is_baseline = exists().where(
            using.c.workflow_id == workflow_runs.c.workflow_id,
            using.c.status == RunStatus.RUNNING,
            using.c.baseline_id == workflow_runs.c.id,
        )
        old = select(workflow_runs.c.id).where(
            workflow_runs.c.completed_at < now - self.period,
            ~((workflow_runs.c.status == RunStatus.COMPLETED) & is_newest),
            ~is_baseline,
        )
        chosen = old.order_by(workflow_runs.c.completed_at).limit(DELETED_AT_ONCE_MAX).cte("old")
        async with self.database.begin() as connection:
            deleted = await connection.execute(
                delete(workflow_runs).where(workflow_runs.c.id.in_(select(chosen.c.id)))
            )
        return deleted.rowcount
