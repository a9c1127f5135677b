"""Tables of the discovery context."""

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
    UniqueConstraint,
    Uuid,
    text,
)

from meterhouse.platform.metadata import metadata

discoveries = Table(
    "discoveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False, index=True),
    Column("search", JSON, nullable=False),
    Column("status", Text, nullable=False),
    Column("urls_found", Integer, nullable=False, server_default=text("0")),
    Column("pages_known", Integer, nullable=False, server_default=text("0")),
    Column("pages_read", Integer, nullable=False, server_default=text("0")),
    Column("bytes_read", BigInteger, nullable=False, server_default=text("0")),
    Column("spent_ms", BigInteger, nullable=False, server_default=text("0")),
    # Pages that failed one after another, up to now.
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("warnings", JSON, nullable=False),
    Column("error", Text),
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("completed_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('pending', 'running', 'completed', 'failed')", name="status"),
    Index("ix_discoveries_due", "next_at", postgresql_where=text("status IN ('pending', 'running')")),
)

discovery_pages = Table(
    "discovery_pages",
    metadata,
    Column("discovery_id", Uuid, ForeignKey("discoveries.id", ondelete="CASCADE"), primary_key=True),
    # SHA-256 of the address: addresses are too long for an index.
    Column("key", LargeBinary, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("depth", Integer, nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("has_ended", Boolean, nullable=False, server_default=text("false")),
    Column("mark", LargeBinary),
    Index("ix_discovery_pages_next", "discovery_id", "number", postgresql_where=text("NOT has_ended")),
)

discovery_urls = Table(
    "discovery_urls",
    metadata,
    Column("discovery_id", Uuid, ForeignKey("discoveries.id", ondelete="CASCADE"), primary_key=True),
    Column("key", LargeBinary, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("url", Text, nullable=False),
    UniqueConstraint("discovery_id", "number"),
)
