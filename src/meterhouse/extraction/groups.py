"""Use cases of strategy groups: create, list, get, change, delete, and who belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import queries
from meterhouse.extraction.stored import StoredStrategy, StrategyGroup
from meterhouse.extraction.tables import strategies, strategy_groups
from meterhouse.kernel.errors import Invalid, Issue, NotFound
from meterhouse.kernel.ids import new_id

NAME_LENGTH_MAX = 500
DESCRIPTION_LENGTH_MAX = 10_000


async def create_group(
    connection: AsyncConnection, *, organisation_id: UUID, name: str, description: str | None, now: datetime
) -> StrategyGroup:
    """Create an empty group. Raises `Invalid`."""
    checked = _checked_name(name)
    group = StrategyGroup(new_id(), organisation_id, checked, _checked_description(description), 0, now, now)
    await connection.execute(
        insert(strategy_groups).values(
            id=group.id,
            organisation_id=organisation_id,
            name=group.name,
            description=group.description,
            created_at=now,
            updated_at=now,
        )
    )
    return group


async def get_group(
    connection: AsyncConnection, *, organisation_id: UUID, group_id: UUID, lock: queries.Lock | None = None
) -> StrategyGroup:
    """One group. Raises `NotFound`, also for somebody else's. `lock` as for strategies."""
    statement = _groups(organisation_id).where(strategy_groups.c.id == group_id)
    if lock is not None:
        statement = statement.with_for_update(read=lock == "exist", key_share=lock == "exist")
    row = (await connection.execute(statement)).first()
    if row is None:
        raise NotFound("Strategy group not found")
    return _from_row(row)


async def list_groups(
    connection: AsyncConnection, *, organisation_id: UUID, limit: int, offset: int
) -> list[StrategyGroup]:
    """The groups of an organisation, newest first."""
    rows = await connection.execute(
        _groups(organisation_id)
        .order_by(strategy_groups.c.created_at.desc(), strategy_groups.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [_from_row(row) for row in rows]


async def list_members(connection: AsyncConnection, *, group_id: UUID) -> list[StoredStrategy]:
    """The strategies of a group, newest first."""
    rows = await connection.execute(
        select(strategies)
        .where(strategies.c.group_id == group_id)
        .order_by(strategies.c.created_at.desc(), strategies.c.id.desc())
    )
    return [queries.from_row(row) for row in rows]


async def update_group(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    group_id: UUID,
    changes: dict[str, str | None],
    now: datetime,
) -> StrategyGroup:
    """Change `name`, `description` or both. Raises `NotFound` or `Invalid`."""
    await get_group(connection, organisation_id=organisation_id, group_id=group_id, lock="change")
    values: dict[str, str | None] = {}
    if "name" in changes:
        values["name"] = _checked_name(changes["name"] or "")
    if "description" in changes:
        values["description"] = _checked_description(changes["description"])
    if values:
        changed = update(strategy_groups).where(strategy_groups.c.id == group_id)
        await connection.execute(changed.values(**values, updated_at=now))
    return await get_group(connection, organisation_id=organisation_id, group_id=group_id)


async def delete_group(connection: AsyncConnection, *, organisation_id: UUID, group_id: UUID) -> None:
    """Remove a group; its strategies stay, without a group. Raises `NotFound`."""
    await get_group(connection, organisation_id=organisation_id, group_id=group_id, lock="change")
    await connection.execute(delete(strategy_groups).where(strategy_groups.c.id == group_id))


async def add_strategies(
    connection: AsyncConnection, *, organisation_id: UUID, group_id: UUID, strategy_ids: Sequence[UUID]
) -> int:
    """Put strategies into a group, out of whatever group they were in; all of them or none.

    Raises `NotFound` for an unknown group and for any unknown strategy.
    """
    await get_group(connection, organisation_id=organisation_id, group_id=group_id, lock="exist")
    wanted = set(strategy_ids)
    found = set(
        await connection.scalars(
            update(strategies)
            .where(strategies.c.organisation_id == organisation_id, strategies.c.id.in_(wanted))
            .values(group_id=group_id)
            .returning(strategies.c.id)
        )
    )
    if missing := wanted - found:
        raise NotFound(f"Strategy not found: {min(missing)}. Nothing was added.")
    return len(found)


async def remove_strategy(
    connection: AsyncConnection, *, organisation_id: UUID, group_id: UUID, strategy_id: UUID
) -> None:
    """Take one strategy out of a group. Raises `NotFound`, also when it is no member."""
    await get_group(connection, organisation_id=organisation_id, group_id=group_id)
    removed = await connection.execute(
        update(strategies)
        .where(strategies.c.id == strategy_id, strategies.c.group_id == group_id)
        .values(group_id=None)
    )
    if not removed.rowcount:
        raise NotFound("Strategy not found in this group.")


def _groups(organisation_id: UUID) -> Select[Any]:
    count = (
        select(func.count())
        .select_from(strategies)
        .where(strategies.c.group_id == strategy_groups.c.id)
        .scalar_subquery()
    )
    return select(strategy_groups, count.label("strategy_count")).where(
        strategy_groups.c.organisation_id == organisation_id
    )


def _from_row(row: Row[Any]) -> StrategyGroup:
    return StrategyGroup(
        row.id,
        row.organisation_id,
        row.name,
        row.description,
        row.strategy_count,
        row.created_at,
        row.updated_at,
    )


def _checked_name(name: str) -> str:
    text = name.strip()
    if not text or len(text) > NAME_LENGTH_MAX:
        raise _refused("name", f"A group's name needs 1 to {NAME_LENGTH_MAX} characters.")
    return text


def _checked_description(description: str | None) -> str | None:
    if description is not None and len(description) > DESCRIPTION_LENGTH_MAX:
        raise _refused("description", f"A description has at most {DESCRIPTION_LENGTH_MAX} characters.")
    return description or None


def _refused(field: str, message: str) -> Invalid:
    return Invalid(message, issues=(Issue((field,), message),))
