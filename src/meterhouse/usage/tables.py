"""Tables of the usage context."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from meterhouse.platform.metadata import metadata

meters = Table(
    "meters",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("filter", JSONB, nullable=False),
    Column("aggregation", Text, nullable=False),
    Column("value_path", Text),
    Column("group_by", JSONB, nullable=False),
    Column("event_from", DateTime(timezone=True)),
    Column("metadata", JSONB, nullable=False),
    Column("unit", Text, nullable=False),
    Column("custom_label", Text),
    Column("custom_multiplier", BigInteger),
    Column("is_frozen", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("modified_at", DateTime(timezone=True)),
    Column("archived_at", DateTime(timezone=True)),
    Column("deleted_at", DateTime(timezone=True)),
    Column("external_id", Text),
    Index(
        "uq_meters_organisation_id_slug_live",
        "organisation_id",
        "slug",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index(
        "uq_meters_organisation_id_external_id_live",
        "organisation_id",
        "external_id",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

customer_meters = Table(
    "customer_meters",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("meter_id", Uuid, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("customer_id", "meter_id", name="uq_customer_meters_customer_id_meter_id"),
)

query_progress = Table(
    "query_progress",
    metadata,
    Column("organisation_id", Uuid, primary_key=True),
    Column("client_id", Text, primary_key=True),
    # an id of ours, which the event engine shows with the running query
    Column("mark", Text, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("success", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("is_running", Boolean, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("ix_query_progress_updated_at", "updated_at"),
)
