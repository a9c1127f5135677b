"""Schedules of all members of a strategy group at once (reference, 15)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.monitoring.schedules import check_request, create_schedule
from meterhouse.monitoring.schedules_model import (
    Schedule,
    ScheduleRequest,
    schedule_from_row,
    schedule_to_row,
)
from meterhouse.monitoring.tables import schedules
from meterhouse.webhooks import service as webhooks


@dataclass(frozen=True)
class Applied:
    """How many schedules were made and changed. `new_secret` is shown this once, for all of them."""

    created: int
    updated: int
    new_secret: str | None


async def apply_schedule(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    group_id: UUID,
    request: ScheduleRequest,
    now: datetime,
) -> Applied:
    """Give each member one schedule on its own address, all alike; `request` names no address of use.

    The schedule that the group made earlier is changed; one made by hand is left alone. Strategies that
    join later have none until this is called again. Raises `NotFound` or `Invalid`.
    """
    await extraction.get_group(connection, organisation_id=organisation_id, group_id=group_id, lock="exist")
    _, recurrence, endpoint, secret = check_request(request)
    members = await extraction.list_members(connection, group_id=group_id)
    made = await _made_by(connection, group_id)
    created = updated = 0
    for member in members:
        before = made.get(member.id)
        if before is None:
            wanted = replace(request, strategy_id=member.id, url=member.url, group_id=group_id)
            if wanted.webhook is not None and endpoint is not None:
                wanted = replace(wanted, webhook=replace(wanted.webhook, secret=endpoint.secret))
            await create_schedule(connection, organisation_id=organisation_id, request=wanted, now=now)
            created += 1
            continue
        if request.parameters:
            extraction.check_errand(member, extraction.Errand(member.url, request.parameters))
        after = replace(
            before,
            urls=(member.url,),
            parameters=request.parameters or before.parameters,
            recurrence=recurrence,
            enabled=True,
            next_at=recurrence.first(now),
            webhook=endpoint,
            updated_at=now,
        )
        await connection.execute(
            update(schedules).where(schedules.c.id == before.id).values(schedule_to_row(after))
        )
        if endpoint is not None and endpoint.secret:
            await webhooks.replace_secret(connection, owner_id=before.id, secret=endpoint.secret)
        updated += 1
    return Applied(created, updated, secret)


async def delete_schedules(connection: AsyncConnection, *, organisation_id: UUID, group_id: UUID) -> int:
    """Delete all schedules of the members, those made by hand too. Raises `NotFound`."""
    members = await _members(connection, organisation_id, group_id)
    deleted = await connection.execute(delete(schedules).where(schedules.c.strategy_id.in_(members)))
    return int(deleted.rowcount)


async def toggle_schedules(
    connection: AsyncConnection, *, organisation_id: UUID, group_id: UUID, enabled: bool, now: datetime
) -> int:
    """Switch all schedules of the members on or off, those made by hand too; returns how many were switched.

    Raises `NotFound`.
    """
    members = await _members(connection, organisation_id, group_id)
    rows = await connection.execute(
        select(schedules)
        .where(schedules.c.strategy_id.in_(members), schedules.c.enabled.is_not(enabled))
        .with_for_update()
    )
    found = [schedule_from_row(row) for row in rows]
    for schedule in found:
        next_at = schedule.recurrence.first(now) if enabled else None
        switched = update(schedules).where(schedules.c.id == schedule.id)
        await connection.execute(switched.values(enabled=enabled, next_at=next_at, updated_at=now))
    return len(found)


async def _members(connection: AsyncConnection, organisation_id: UUID, group_id: UUID) -> list[UUID]:
    await extraction.get_group(connection, organisation_id=organisation_id, group_id=group_id, lock="exist")
    return [member.id for member in await extraction.list_members(connection, group_id=group_id)]


async def _made_by(connection: AsyncConnection, group_id: UUID) -> dict[UUID, Schedule]:
    """The schedules that the group made, by strategy."""
    rows = await connection.execute(
        select(schedules).where(schedules.c.group_id == group_id).with_for_update()
    )
    return {row.strategy_id: schedule_from_row(row) for row in rows}
