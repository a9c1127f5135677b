"""The scan that deletes messages some time after they have ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from meterhouse.platform.ports import Database
from meterhouse.webhooks import service

# One visit deletes at most this many; what is left waits for the next.
DELETED_AT_ONCE_MAX = 1_000


@dataclass(frozen=True)
class Retention:
    """Messages and emails are kept for `period` after they were delivered, given up or put in the outbox."""

    database: Database
    period: timedelta

    @property
    def scans(self) -> Mapping[str, Callable[[datetime], Awaitable[int]]]:
        return {"webhooks.retention": self.delete_old}

    async def delete_old(self, now: datetime) -> int:
        async with self.database.begin() as connection:
            return await service.delete_ended(connection, before=now - self.period, limit=DELETED_AT_ONCE_MAX)
