"""Reads of the extraction context."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction.model import Page
from meterhouse.extraction.pages import unpack
from meterhouse.extraction.stored import LogEntry, StoredStrategy
from meterhouse.extraction.tables import strategies, strategy_log, strategy_pages
from meterhouse.kernel.errors import NotFound

Lock = Literal["exist", "change"]

QUOTA_WINDOW = timedelta(days=30)


async def list_strategies(
    connection: AsyncConnection, *, organisation_id: UUID, limit: int, offset: int
) -> list[StoredStrategy]:
    """The strategies of an organisation, newest first."""
    rows = await connection.execute(
        select(strategies)
        .where(strategies.c.organisation_id == organisation_id)
        .order_by(strategies.c.created_at.desc(), strategies.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [from_row(row) for row in rows]


async def get_strategy(
    connection: AsyncConnection, *, organisation_id: UUID, strategy_id: UUID, lock: Lock | None = None
) -> StoredStrategy:
    """One strategy. Raises `NotFound`, also for somebody else's strategy.

    The lock `exist` keeps it from being deleted while the transaction lasts, `change` from being changed too.
    """
    statement: Select[Any] = select(strategies).where(
        strategies.c.organisation_id == organisation_id, strategies.c.id == strategy_id
    )
    if lock is not None:
        statement = statement.with_for_update(read=lock == "exist", key_share=lock == "exist")
    row = (await connection.execute(statement)).first()
    if row is None:
        raise NotFound("Strategy not found")
    return from_row(row)


async def find_strategies(
    connection: AsyncConnection, *, strategy_ids: Collection[UUID]
) -> dict[UUID, StoredStrategy]:
    """Strategies of any organisation by their ids; deleted ones are left out."""
    rows = await connection.execute(select(strategies).where(strategies.c.id.in_(strategy_ids)))
    return {row.id: from_row(row) for row in rows}


async def keep_strategies(connection: AsyncConnection, *, strategy_ids: Collection[UUID]) -> set[UUID]:
    """Those of the strategies that exist, kept from being deleted while the transaction lasts.

    Never waits: a strategy that somebody is changing or deleting at this moment is left out.
    """
    statement = select(strategies.c.id).where(strategies.c.id.in_(strategy_ids))
    found = await connection.scalars(statement.with_for_update(read=True, key_share=True, skip_locked=True))
    return set(found)


async def find_page(connection: AsyncConnection, *, strategy_id: UUID) -> Page | None:
    """The page that a strategy was made from, as it was fetched then."""
    row = (
        await connection.execute(select(strategy_pages).where(strategy_pages.c.strategy_id == strategy_id))
    ).first()
    return unpack(row.url, row.page) if row else None


async def count_quota_use(connection: AsyncConnection, *, organisation_id: UUID, now: datetime) -> int:
    """How many strategies were made in the last 30 days, deleted ones included (reference, 2.5)."""
    used = await connection.scalar(
        select(func.count())
        .select_from(strategy_log)
        .where(
            strategy_log.c.organisation_id == organisation_id,
            strategy_log.c.at > now - QUOTA_WINDOW,
            strategy_log.c.action == "create",
        )
    )
    return int(used or 0)


async def list_audit(
    connection: AsyncConnection, *, organisation_id: UUID, limit: int, offset: int
) -> list[LogEntry]:
    """Which strategies were made and deleted, newest first."""
    rows = await connection.execute(
        select(strategy_log)
        .where(strategy_log.c.organisation_id == organisation_id)
        .order_by(strategy_log.c.at.desc(), strategy_log.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [LogEntry(row.id, row.strategy_id, row.name, row.action, row.at) for row in rows]


async def list_names(
    connection: AsyncConnection, *, organisation_id: UUID, strategy_ids: Collection[UUID]
) -> dict[UUID, str]:
    """The names of strategies; deleted ones and those of others are left out."""
    rows = await connection.execute(
        select(strategies.c.id, strategies.c.name).where(
            strategies.c.organisation_id == organisation_id, strategies.c.id.in_(strategy_ids)
        )
    )
    return {row.id: row.name for row in rows}


async def list_change_rules(
    connection: AsyncConnection, *, strategy_ids: Collection[UUID]
) -> dict[UUID, Mapping[str, object] | None]:
    """What strategies' owners say about changes of results; deleted strategies are left out."""
    columns = (strategies.c.id, strategies.c.change_rules)
    rows = await connection.execute(select(*columns).where(strategies.c.id.in_(strategy_ids)))
    return {row.id: row.change_rules for row in rows}


def from_row(row: Row[Any]) -> StoredStrategy:
    return StoredStrategy(
        id=row.id,
        organisation_id=row.organisation_id,
        name=row.name,
        description=row.description,
        url=row.url,
        kind=row.kind,
        document=row.document,
        version=row.version,
        output_schema=row.output_schema,
        filter_config=row.filter_config,
        change_rules=row.change_rules,
        preview=row.preview,
        attempts=row.attempts,
        created_at=row.created_at,
        updated_at=row.updated_at,
        group_id=row.group_id,
    )
