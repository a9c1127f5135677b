"""The scan that deletes discoveries, with what they found, some time after they have ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from meterhouse.discovery.tables import discoveries
from meterhouse.kernel.scans import Rarely, Scan
from meterhouse.platform.ports import Database

# Each may have found tens of thousands of addresses.
DELETED_AT_ONCE_MAX = 5


@dataclass(frozen=True)
class DiscoveryRetention:
    """Discoveries are kept for `period` after they have ended."""

    database: Database
    period: timedelta

    @property
    def scans(self) -> Mapping[str, Scan]:
        return {"discovery.retention": Rarely(self.delete_old)}

    async def delete_old(self, now: datetime) -> int:
        """Delete some of the old ones; tells how many."""
        old = select(discoveries.c.id).where(discoveries.c.completed_at < now - self.period)
        chosen = old.order_by(discoveries.c.completed_at).limit(DELETED_AT_ONCE_MAX).cte("old")
        async with self.database.begin() as connection:
            deleted = await connection.execute(
                delete(discoveries).where(discoveries.c.id.in_(select(chosen.c.id)))
            )
        return deleted.rowcount
