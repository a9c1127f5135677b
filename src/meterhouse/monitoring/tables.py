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
    # Where it goes to, `host` or `host:port`: what politeness is counted by.
    Column("host", Text, nullable=False),
    # Whether somebody waits for it; such jobs go first.
    Column("is_urgent", Boolean, nullable=False, server_default=text("false")),
    # How often the job was begun, and when a pending one may begin.
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_at", DateTime(timezone=True), nullable=False),
    # The runner that has it in hand.
    Column("runner_id", Uuid),
    # How often it may be tried again after a passing failure, how often it was, and what failed last.
    Column("retries_max", Integer, nullable=False, server_default=text("0")),
    Column("retries", Integer, nullable=False, server_default=text("0")),
    Column("last_error", Text),
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
    # What the failure, the repair or the loss of a field rests on.
    Column("evidence", JSON(none_as_null=True)),
    # Fields that the page no longer gives: no change of its records.
    Column("lost_fields", JSON(none_as_null=True)),
    Column("http_status", Integer),
    # What the site calls this state of the page, and when the page was last read in full.
    Column("etag", Text),
    Column("last_modified", Text),
    Column("read_at", DateTime(timezone=True)),
    Column("page_bytes", BigInteger),
    Column("duration_ms", Integer),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("completed_at", DateTime(timezone=True)),
    # When a reader took note of the change that this scheduled job found.
    Column("seen_at", DateTime(timezone=True)),
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
    Index(
        "ix_jobs_changes",
        "schedule_id",
        "completed_at",
        "id",
        postgresql_where=text("has_changes AND schedule_id IS NOT NULL"),
    ),
    Index(
        "ix_jobs_unseen",
        "schedule_id",
        "completed_at",
        "id",
        postgresql_where=text("has_changes AND schedule_id IS NOT NULL AND seen_at IS NULL"),
    ),
    Index(
        "ix_jobs_waiting",
        text("is_urgent DESC"),
        "next_at",
        "id",
        postgresql_where=text("status = 'pending'"),
    ),
    Index("ix_jobs_in_hand", "runner_id", "id", postgresql_where=text("status = 'running'")),
)

# Hosts that asked to be left alone for a while; their jobs wait.
quiet_hosts = Table(
    "quiet_hosts",
    metadata,
    Column("host", Text, primary_key=True),
    Column("until", DateTime(timezone=True), nullable=False),
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

schedules = Table(
    "schedules",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    Column("strategy_id", Uuid, ForeignKey("strategies.id", ondelete="CASCADE"), nullable=False, index=True),
    # The strategy group that made it; a schedule made by hand has none.
    Column("group_id", Uuid),
    Column("urls", JSON, nullable=False),
    # Whether it was given `urls` or one `url`; it is shown as it was given.
    Column("has_url_list", Boolean, nullable=False),
    Column("parameters", JSON(none_as_null=True)),
    Column("interval_s", Integer),
    Column("cron", Text),
    Column("timezone", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    # The next planned time; none while disabled.
    Column("next_at", DateTime(timezone=True)),
    Column("last_run_at", DateTime(timezone=True)),
    Column("last_batch_id", Uuid),
    # The last planned time that passed without a run because the run before had not ended.
    Column("last_skipped_at", DateTime(timezone=True)),
    Column("webhook_url", Text),
    Column("webhook_type", Text),
    Column("webhook_secret", Text),
    Column("webhook_metadata", JSON(none_as_null=True)),
    Column("webhook_only_changes", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("(interval_s IS NULL) <> (cron IS NULL)", name="one_timing"),
    CheckConstraint("enabled = (next_at IS NOT NULL)", name="next_while_enabled"),
    Index("ix_schedules_newest", "organisation_id", "created_at", "id"),
    Index("ix_schedules_group_id", "group_id", postgresql_where=text("group_id IS NOT NULL")),
    Index("ix_schedules_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
)
