"""Tables of the extraction context."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
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

strategy_groups = Table(
    "strategy_groups",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("ix_strategy_groups_newest", "organisation_id", "created_at", "id"),
)

strategies = Table(
    "strategies",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # JSON, not JSONB, here and below: the order of fields is what people see in their items.
    Column("document", JSON, nullable=False),
    # Counts the states of plan and filter; jobs remember the one they ran with.
    Column("version", Integer, nullable=False),
    Column("output_schema", JSON(none_as_null=True)),
    # Which differences of results are no changes; what they mean is for monitoring.
    Column("change_rules", JSON(none_as_null=True)),
    Column("filter_config", JSON(none_as_null=True)),
    Column("preview", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("group_id", Uuid, ForeignKey("strategy_groups.id", ondelete="SET NULL")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("ix_strategies_newest", "organisation_id", "created_at", "id"),
    Index("ix_strategies_group_id", "group_id", postgresql_where=text("group_id IS NOT NULL")),
)

# Apart from the strategy: a page is large and only read again to refine or preview.
strategy_pages = Table(
    "strategy_pages",
    metadata,
    Column("strategy_id", Uuid, ForeignKey("strategies.id", ondelete="CASCADE"), primary_key=True),
    Column("url", Text, nullable=False),
    Column("page", LargeBinary, nullable=False),
    Column("fetched_at", DateTime(timezone=True), nullable=False),
)

# New plans for all members of a group: one row per member, written anew by each request.
strategy_regenerations = Table(
    "strategy_regenerations",
    metadata,
    Column("strategy_id", Uuid, ForeignKey("strategies.id", ondelete="CASCADE"), primary_key=True),
    Column(
        "group_id", Uuid, ForeignKey("strategy_groups.id", ondelete="CASCADE"), primary_key=True, index=True
    ),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    Column("output_schema", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("error", Text),
    Column("attempts", Integer, nullable=False),
    # When to hand it to the queue again if it has not ended.
    Column("next_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("status IN ('pending', 'running', 'completed', 'failed')", name="status"),
    Index(
        "ix_strategy_regenerations_due",
        "next_at",
        postgresql_where=text("status IN ('pending', 'running')"),
    ),
)

# What became of strategies, kept after they are gone: the quota counts deleted ones too.
strategy_log = Table(
    "strategy_log",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    Column("strategy_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Index("ix_strategy_log_newest", "organisation_id", "at"),
)
