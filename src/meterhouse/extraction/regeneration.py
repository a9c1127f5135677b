"""New plans for all members of a group, made in the background with one output schema (reference, 15)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import groups, service
from meterhouse.extraction.extractor import Extractor
from meterhouse.extraction.schema import OutputSchema
from meterhouse.extraction.stored import Progress, StoredStrategy, StrategyRequest
from meterhouse.extraction.tables import strategies, strategy_regenerations
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Conflict, MeterhouseError, NotFound
from meterhouse.platform.ports import Database, Fetcher, Queue

log = structlog.get_logger(__name__)

REGENERATE = "regenerate_strategy"
LOST_AFTER = timedelta(minutes=10)
ATTEMPTS_MAX = 3
FOUND_AT_ONCE_MAX = 500
_OPEN = ("pending", "running")


async def start_regeneration(
    connection: AsyncConnection,
    queue: Queue,
    *,
    organisation_id: UUID,
    group_id: UUID,
    output_schema: Mapping[str, object],
    now: datetime,
) -> int:
    """Ask for new plans for all members but those of kind `content`; returns how many there are.

    Raises `NotFound`, `Invalid` for a schema that cannot be used, `Conflict` while an earlier one runs.
    """
    OutputSchema.parse(output_schema)
    await groups.get_group(connection, organisation_id=organisation_id, group_id=group_id, lock="change")
    found = await get_progress(connection, organisation_id=organisation_id, group_id=group_id)
    if found.status in _OPEN:
        raise Conflict(
            "The group's strategies are being regenerated; ask for the progress and try again later."
        )
    members = await groups.list_members(connection, group_id=group_id)
    wanted = [member for member in members if member.kind != "content"]
    await connection.execute(
        delete(strategy_regenerations).where(strategy_regenerations.c.group_id == group_id)
    )
    if wanted:
        await connection.execute(
            insert(strategy_regenerations),
            [_row(member, group_id, output_schema, now) for member in wanted],
        )
        await queue.enqueue_many(connection, REGENERATE, [_task(member.id, group_id) for member in wanted])
    return len(wanted)


async def get_progress(connection: AsyncConnection, *, organisation_id: UUID, group_id: UUID) -> Progress:
    """How far the group's latest regeneration is. Raises `NotFound`."""
    await groups.get_group(connection, organisation_id=organisation_id, group_id=group_id)
    rows = (
        await connection.execute(
            select(
                strategy_regenerations.c.strategy_id,
                strategy_regenerations.c.status,
                strategy_regenerations.c.error,
            ).where(strategy_regenerations.c.group_id == group_id)
        )
    ).all()
    errors = tuple((row.strategy_id, row.error or "") for row in rows if row.status == "failed")
    completed = sum(row.status == "completed" for row in rows)
    return Progress(len(rows), completed, errors, any(row.status != "pending" for row in rows))


@dataclass(frozen=True)
class RegenerationTasks:
    """The task and the scan, with all they work on; what a worker registers."""

    database: Database
    queue: Queue
    fetcher: Fetcher
    extractor: Extractor
    clock: Clock

    @property
    def tasks(self) -> Mapping[str, Callable[..., Awaitable[None]]]:
        return {REGENERATE: self.regenerate}

    @property
    def scans(self) -> Mapping[str, Callable[[datetime], Awaitable[int]]]:
        return {"extraction.lost_regenerations": self.find_lost}

    async def regenerate(self, strategy_id: str, group_id: str) -> None:
        """Make one new plan. At least once; a member that fails keeps its old plan."""
        key = (UUID(strategy_id), UUID(group_id))
        async with self.database.begin() as connection:
            begun = await _begin(connection, key, self.clock.now())
        if begun is None:
            return
        strategy, output_schema = begun
        error: str | None = None
        prepared: service.Prepared | None = None
        try:
            prepared = await self._prepare(strategy, output_schema)
        except MeterhouseError as failure:
            error = failure.message
        except Exception as failure:
            log.exception("regeneration.fault", strategy_id=strategy_id, error=type(failure).__name__)
            error = "A fault in this server; its log has the details."
        async with self.database.begin() as connection:
            await _finish(connection, key, prepared, error, self.clock.now())

    async def find_lost(self, now: datetime) -> int:
        """Hand regenerations to the queue again that should have ended long ago."""
        table = strategy_regenerations
        async with self.database.begin() as connection:
            rows = (
                await connection.execute(
                    select(table.c.strategy_id, table.c.group_id)
                    .where(table.c.status.in_(_OPEN), table.c.next_at <= now)
                    .limit(FOUND_AT_ONCE_MAX)
                    .with_for_update(skip_locked=True)
                )
            ).all()
            if rows:
                await self.queue.enqueue_many(
                    connection, REGENERATE, [_task(row.strategy_id, row.group_id) for row in rows]
                )
                await connection.execute(
                    update(table)
                    .where(
                        table.c.strategy_id.in_([row.strategy_id for row in rows]), table.c.status.in_(_OPEN)
                    )
                    .values(next_at=now + LOST_AFTER)
                )
        return len(rows)

    async def _prepare(
        self, strategy: StoredStrategy, output_schema: Mapping[str, object]
    ) -> service.Prepared:
        request = StrategyRequest(
            url=strategy.url,
            description=strategy.description,
            name=strategy.name,
            kind=strategy.kind,
            output_schema=output_schema,
            filter_config=strategy.filter_config,
        )
        return await service.prepare_strategy(
            self.fetcher,
            self.extractor,
            organisation_id=strategy.organisation_id,
            request=request,
            clock=self.clock,
        )


async def _begin(
    connection: AsyncConnection, key: tuple[UUID, UUID], now: datetime
) -> tuple[StoredStrategy, Mapping[str, object]] | None:
    row = await _locked(connection, key)
    if row is None:
        return None
    values: dict[str, object] = {
        "status": "running",
        "attempts": row.attempts + 1,
        "next_at": now + LOST_AFTER,
    }
    if row.attempts >= ATTEMPTS_MAX:
        values = {"status": "failed", "error": "It was begun and interrupted several times; it is given up."}
    await connection.execute(update(strategy_regenerations).where(*_is(key)).values(**values))
    if row.attempts >= ATTEMPTS_MAX:
        return None
    strategy = await service.get_strategy(
        connection, organisation_id=row.organisation_id, strategy_id=row.strategy_id
    )
    return strategy, row.output_schema


async def _finish(
    connection: AsyncConnection,
    key: tuple[UUID, UUID],
    prepared: service.Prepared | None,
    error: str | None,
    now: datetime,
) -> None:
    """Write the new plan under the old id, or why there is none; only the first to end writes."""
    row = await _locked(connection, key)
    if row is None:
        return
    if prepared is not None:
        try:
            await service.replace_plan(connection, strategy_id=row.strategy_id, prepared=prepared, now=now)
        except NotFound as gone:
            error = gone.message
    values = {"status": "completed" if error is None else "failed", "error": error}
    await connection.execute(update(strategy_regenerations).where(*_is(key)).values(**values))


async def _locked(connection: AsyncConnection, key: tuple[UUID, UUID]) -> Row[Any] | None:
    # The strategy is locked before what hangs on it, as deleting it does.
    await connection.execute(select(strategies.c.id).where(strategies.c.id == key[0]).with_for_update())
    statement = select(strategy_regenerations).where(*_is(key), strategy_regenerations.c.status.in_(_OPEN))
    return (await connection.execute(statement.with_for_update())).first()


def _is(key: tuple[UUID, UUID]) -> tuple[Any, Any]:
    return strategy_regenerations.c.strategy_id == key[0], strategy_regenerations.c.group_id == key[1]


def _row(
    member: StoredStrategy, group_id: UUID, output_schema: Mapping[str, object], now: datetime
) -> dict[str, object]:
    return {
        "strategy_id": member.id,
        "group_id": group_id,
        "organisation_id": member.organisation_id,
        "output_schema": dict(output_schema),
        "status": "pending",
        "attempts": 0,
        "next_at": now + LOST_AFTER,
    }


def _task(strategy_id: UUID, group_id: UUID) -> tuple[str, dict[str, object]]:
    return f"strategy:{strategy_id}", {"strategy_id": str(strategy_id), "group_id": str(group_id)}
