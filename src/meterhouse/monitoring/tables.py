"""Tables of the monitoring context."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)

from meterhouse.platform.metadata import metadata

job_batches = Table(
    "job_batches",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    Column("strategy_id", Uuid, ForeignKey("strategies.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    Column("strategy_id", Uuid, ForeignKey("strategies.id", ondelete="CASCADE"), nullable=False),
    Column("batch_id", Uuid, ForeignKey("job_batches.id", ondelete="CASCADE")),
    Column("schedule_id", Uuid),
    Column("url", Text, nullable=False),
    Column("parameters", JSON(none_as_null=True)),
    # How many pages of the list to follow at most; null leaves it to the strategy.
    Column("max_pages", Integer),
    # SHA-256 of address and parameters: jobs of one target are compared with each other.
    Column("target", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    # How often the job was begun, and when to look whether it was lost.
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("strategy_version", Integer),
    # JSON, not JSONB: the order of fields is what people see in their items.
    Column("results", JSON(none_as_null=True)),
    Column("wrapper", Text),
    Column("item_count", Integer),
    Column("content_hash", Text),
    Column("structural_signature", JSON(none_as_null=True)),
    Column("has_changes", Boolean),
    # What the verdict `has_changes` rests on.
    Column("previous_job_id", Uuid),
    Column("error", Text),
    Column("error_code", Text),
    Column("http_status", Integer),
    Column("page_bytes", BigInteger),
    Column("duration_ms", Integer),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("completed_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('pending', 'running', 'completed', 'failed')", name="status"),
    Index("ix_jobs_newest", "organisation_id", "created_at", "id"),
    Index("ix_jobs_strategy_newest", "strategy_id", "created_at", "id"),
    Index("ix_jobs_batch", "batch_id", "id", postgresql_where=text("batch_id IS NOT NULL")),
    Index("ix_jobs_schedule", "schedule_id", "created_at", postgresql_where=text("schedule_id IS NOT NULL")),
    Index(
        "ix_jobs_previous",
        "strategy_id",
        "target",
        "completed_at",
        "id",
        postgresql_where=text("status = 'completed'"),
    ),
    Index("ix_jobs_due", "next_at", postgresql_where=text("status IN ('pending', 'running')")),
)

# Usage events on their way to the event store: written with the job's outcome, removed when they are stored.
# They outlive their job, because what was used stays used when a strategy is deleted.
job_usage = Table(
    "job_usage",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    Column("strategy_id", Uuid, nullable=False),
    Column("data", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
