"""Reads of the webhooks context."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.kernel.errors import NotFound
from meterhouse.webhooks.model import (
    Attempt,
    Delivery,
    DeliveryFilter,
    DeliveryStatus,
    Endpoint,
    WebhookType,
)
from meterhouse.webhooks.tables import webhook_attempts, webhook_deliveries


async def get_delivery(
    connection: AsyncConnection, *, organisation_id: UUID, delivery_id: UUID, lock: bool = False
) -> Delivery:
    """One message. Raises `NotFound`, also for somebody else's."""
    statement = select(webhook_deliveries).where(
        webhook_deliveries.c.organisation_id == organisation_id, webhook_deliveries.c.id == delivery_id
    )
    row = (await connection.execute(statement.with_for_update() if lock else statement)).first()
    if row is None:
        raise NotFound("Delivery not found")
    return from_row(row)


async def list_deliveries(
    connection: AsyncConnection, *, organisation_id: UUID, wanted: DeliveryFilter, limit: int, offset: int
) -> list[Delivery]:
    """The messages that meet all conditions of `wanted`, newest first."""
    conditions = {webhook_deliveries.c.owner_id: wanted.owner_id, webhook_deliveries.c.status: wanted.status}
    rows = await connection.execute(
        select(webhook_deliveries)
        .where(
            webhook_deliveries.c.organisation_id == organisation_id,
            *(column == value for column, value in conditions.items() if value is not None),
        )
        .order_by(webhook_deliveries.c.created_at.desc(), webhook_deliveries.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [from_row(row) for row in rows]


async def list_attempts(connection: AsyncConnection, *, delivery_id: UUID) -> list[Attempt]:
    """All tries of one message, in their order."""
    rows = await connection.execute(
        select(webhook_attempts)
        .where(webhook_attempts.c.delivery_id == delivery_id)
        .order_by(webhook_attempts.c.number)
    )
    return [Attempt(row.number, row.at, row.status_code, row.error, row.duration_ms) for row in rows]


def from_row(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        organisation_id=row.organisation_id,
        source=row.source,
        subject_id=row.subject_id,
        owner_id=row.owner_id,
        endpoint=Endpoint(row.url, WebhookType(row.kind), row.secret, row.metadata),
        host=row.host,
        status=DeliveryStatus(row.status),
        attempts=row.attempts,
        next_at=row.next_at,
        created_at=row.created_at,
        ended_at=row.ended_at,
        body=row.body,
    )
