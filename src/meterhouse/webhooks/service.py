"""Use cases of webhooks: announce, list, send again, and rewrite what waits."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.kernel.errors import Conflict
from meterhouse.kernel.ids import new_id
from meterhouse.webhooks import engine, formats, queries, send
from meterhouse.webhooks.model import Delivery, DeliveryStatus, Endpoint
from meterhouse.webhooks.tables import webhook_deliveries

endpoint_of = engine.endpoint_of
new_secret = engine.new_secret
get_delivery = queries.get_delivery
list_attempts = queries.list_attempts
list_deliveries = queries.list_deliveries
letter_of = formats.letter_of
send_test = send.send_test
Carriers = send.Carriers

__all__ = [
    "Carriers",
    "announce",
    "delete_ended",
    "endpoint_of",
    "get_delivery",
    "letter_of",
    "list_attempts",
    "list_deliveries",
    "new_secret",
    "replace_secret",
    "resend",
    "send_test",
]


async def announce(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    source: str,
    subject_id: UUID,
    owner_id: UUID,
    endpoint: Endpoint,
    now: datetime,
) -> None:
    """Ask for one message about a subject, sent after commit. Asking twice asks for one message.

    `source` names the renderer that words it when it is sent.
    """
    await connection.execute(
        insert(webhook_deliveries)
        .values(
            id=new_id(),
            organisation_id=organisation_id,
            source=source,
            subject_id=subject_id,
            owner_id=owner_id,
            kind=endpoint.type,
            url=endpoint.url,
            host=engine.host_of(endpoint),
            secret=endpoint.secret,
            metadata=dict(endpoint.metadata) if endpoint.metadata else None,
            status=DeliveryStatus.PENDING,
            attempts=0,
            next_at=now,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["owner_id", "subject_id"])
    )


async def replace_secret(connection: AsyncConnection, *, owner_id: UUID, secret: str) -> None:
    """Send what still waits with another secret."""
    await connection.execute(
        update(webhook_deliveries)
        .where(
            webhook_deliveries.c.owner_id == owner_id, webhook_deliveries.c.status == DeliveryStatus.PENDING
        )
        .values(secret=secret)
    )


async def resend(
    connection: AsyncConnection, *, organisation_id: UUID, delivery_id: UUID, now: datetime
) -> Delivery:
    """Send a message again, with the same id and body and a fresh set of attempts.

    Raises `NotFound`, or `Conflict` while it is still being sent.
    """
    found = await queries.get_delivery(
        connection, organisation_id=organisation_id, delivery_id=delivery_id, lock=True
    )
    if found.status is DeliveryStatus.PENDING:
        raise Conflict("The message is still being sent; wait until it is delivered or given up.")
    await connection.execute(
        update(webhook_deliveries)
        .where(webhook_deliveries.c.id == delivery_id)
        .values(status=DeliveryStatus.PENDING, attempts=0, next_at=now, ended_at=None)
    )
    return await queries.get_delivery(connection, organisation_id=organisation_id, delivery_id=delivery_id)


async def delete_ended(connection: AsyncConnection, *, before: datetime, limit: int) -> int:
    """Delete messages that ended before an instant, the oldest first, with their attempts; tells how many."""
    # A plain subquery may be run again for each row it is joined with, and then its limit is none.
    old = (
        select(webhook_deliveries.c.id)
        .where(webhook_deliveries.c.ended_at < before)
        .order_by(webhook_deliveries.c.ended_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    deleted = await connection.execute(
        delete(webhook_deliveries).where(webhook_deliveries.c.id.in_(select(old.c.id)))
    )
    return deleted.rowcount
