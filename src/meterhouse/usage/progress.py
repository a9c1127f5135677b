"""How far the engine has come with a question, told to whoever asked it under an id (openmeter 2.3).

`total` is the engine's own estimate, from its index, of the rows that the question reads; while it runs,
`success` is the number of rows read so far, as the engine counts them.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import pyarrow as pa
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import DependencyFailed, NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Database, EventStore, Rows
from meterhouse.usage.engine.compile import SETTINGS
from meterhouse.usage.tables import query_progress
from meterhouse.usage.view import EventView

KEPT = timedelta(minutes=5)

_RUNNING = """
SELECT sum(read_rows) FROM system.processes
WHERE current_database = currentDatabase() AND Settings['log_comment'] = {mark:String}
"""


@dataclass(frozen=True)
class Progress:
    """Rows read, rows given up on, and rows to read in all."""

    success: int
    failed: int
    total: int
    updated_at: datetime


@dataclass(frozen=True)
class Asker:
    """Who asks a question under which id. An id that is used again stands for the later question."""

    database: Database
    clock: Clock
    organisation_id: UUID
    client_id: str


def watched(store: EventStore, asker: Asker) -> EventStore:
    """The store, telling the asker's progress with every query that it runs."""
    if isinstance(store, EventView):
        return store.over(lambda inner: _WatchedStore(inner, asker))
    return _WatchedStore(store, asker)


async def get_progress(
    database: Database, store: EventStore, *, organisation_id: UUID, client_id: str, now: datetime
) -> Progress:
    """The progress of the question last asked under an id, for about five minutes. Raises `NotFound`."""
    asked = (query_progress.c.organisation_id == organisation_id) & (query_progress.c.client_id == client_id)
    query = select(query_progress).where(asked, query_progress.c.updated_at > now - KEPT)
    async with database.begin() as connection:
        row = (await connection.execute(query)).first()
    if row is None:
        raise NotFound(f"progress not found: {client_id[:100]}", code="progress_not_found")
    if not row.is_running:
        return Progress(row.success, row.failed, row.total, row.updated_at)
    read = min(cast(int, (await store.query(_RUNNING, {"mark": row.mark})).rows[0][0]), row.total)
    if read > row.success:
        async with database.begin() as connection:
            await connection.execute(
                update(query_progress)
                .where(asked, query_progress.c.mark == row.mark, query_progress.c.is_running)
                .values(success=read, updated_at=now)
            )
    # The engine forgets what it has read before the answer is here: progress never goes back.
    return Progress(max(read, row.success), 0, row.total, now)


async def report(asker: Asker, *, done: int, total: int, has_failed: bool = False) -> None:
    """Tell how far something has come that is no question: rows done and rows in all, or 0 while unknown."""
    key = {"organisation_id": asker.organisation_id, "client_id": asker.client_id}
    state = {
        "mark": new_id().hex,
        "total": total,
        "success": done,
        "failed": max(total - done, 0) if has_failed else 0,
        "is_running": False,
        "updated_at": asker.clock.now(),
    }
    upsert = insert(query_progress).values(key | state)
    async with asker.database.begin() as connection:
        await connection.execute(upsert.on_conflict_do_update(index_elements=[*key], set_=state))


class _WatchedStore:
    """`ports.EventStore` that keeps the progress of what it runs."""

    def __init__(self, store: EventStore, asker: Asker) -> None:
        self._store = store
        self._asker = asker

    async def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> Rows:
        async with self._watch(sql, parameters) as marked:
            return await self._store.query(marked, parameters, timeout_s=timeout_s)

    async def query_arrow(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> pa.Table:
        async with self._watch(sql, parameters) as marked:
            return await self._store.query_arrow(marked, parameters, timeout_s=timeout_s)

    async def command(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> None:
        await self._store.command(sql, parameters, timeout_s=timeout_s)

    async def insert_arrow(self, table: str, block: pa.RecordBatch, *, timeout_s: float = 30.0) -> None:
        await self._store.insert_arrow(table, block, timeout_s=timeout_s)

    async def settle(self, *, timeout_s: float = 30.0) -> None:
        await self._store.settle(timeout_s=timeout_s)

    async def ping(self) -> None:
        await self._store.ping()

    async def close(self) -> None:
        await self._store.close()

    @contextlib.asynccontextmanager
    async def _watch(self, sql: str, parameters: Mapping[str, object] | None) -> AsyncIterator[str]:
        """Keep the progress of one query, which carries a mark that the engine shows while it runs."""
        mark = new_id().hex
        total = await self._estimate(sql, parameters)
        await self._begin(mark, total)
        try:
            yield _marked(sql, mark)
        except BaseException:
            await self._end(mark, success=0, failed=total)
            raise
        await self._end(mark, success=total, failed=0)

    async def _estimate(self, sql: str, parameters: Mapping[str, object] | None) -> int:
        """Rows of the parts of the tables that the query cannot skip."""
        try:
            rows = await self._store.query(f"EXPLAIN ESTIMATE {sql}", parameters)
        except DependencyFailed:
            return 0  # the query itself will say what is wrong
        if not rows.rows:  # everything is skipped; then the answer may lack even its columns
            return 0
        at = rows.columns.index("rows")
        return sum(cast(int, row[at]) for row in rows.rows)

    async def _begin(self, mark: str, total: int) -> None:
        asker, now = self._asker, self._asker.clock.now()
        key = {"organisation_id": asker.organisation_id, "client_id": asker.client_id}
        state = {
            "mark": mark,
            "total": total,
            "success": 0,
            "failed": 0,
            "is_running": True,
            "updated_at": now,
        }
        upsert = insert(query_progress).values(key | state)
        async with asker.database.begin() as connection:
            await connection.execute(
                delete(query_progress).where(query_progress.c.updated_at < now - 2 * KEPT)
            )
            await connection.execute(upsert.on_conflict_do_update(index_elements=[*key], set_=state))

    async def _end(self, mark: str, *, success: int, failed: int) -> None:
        asker = self._asker
        ended = (
            update(query_progress)
            .where(
                query_progress.c.organisation_id == asker.organisation_id,
                query_progress.c.client_id == asker.client_id,
                query_progress.c.mark == mark,
            )
            .values(success=success, failed=failed, is_running=False, updated_at=asker.clock.now())
        )
        async with asker.database.begin() as connection:
            await connection.execute(ended)


def _marked(sql: str, mark: str) -> str:
    """The query under a mark, which is an id of ours: no text of a user."""
    joint = ", " if sql.endswith(SETTINGS) else " SETTINGS "
    return f"{sql}{joint}log_comment = '{mark}'"
