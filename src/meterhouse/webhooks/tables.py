"""Tables of the webhooks context."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from meterhouse.platform.metadata import metadata

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    # Also the id of the event, the same in every attempt.
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    # Who words the message, about what, and on behalf of which schedule.
    Column("source", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("owner_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("secret", Text),
    Column("metadata", JSON(none_as_null=True)),
    # Worded by the first attempt; later ones send the same bytes.
    Column("body", Text),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    # When to try next; for an attempt under way, when to take it for lost.
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('pending', 'delivered', 'failed', 'outbox')", name="status"),
    UniqueConstraint("owner_id", "subject_id"),
    Index("ix_webhook_deliveries_newest", "organisation_id", "created_at", "id"),
    Index("ix_webhook_deliveries_ended", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
    Index("ix_webhook_deliveries_due", "host", "next_at", postgresql_where=text("status = 'pending'")),
)

webhook_attempts = Table(
    "webhook_attempts",
    metadata,
    Column("delivery_id", Uuid, ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("status_code", Integer),
    Column("error", Text),
    Column("duration_ms", Integer, nullable=False),
)
