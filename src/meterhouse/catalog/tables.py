"""The `features` table."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from meterhouse.platform.metadata import metadata

features = Table(
    "features",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("meter_id", Uuid),
    Column("meter_slug", Text),
    Column("filters", JSONB, nullable=False),
    Column("unit_cost", JSONB),
    Column("metadata", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("modified_at", DateTime(timezone=True), nullable=False),
    Column("archived_at", DateTime(timezone=True)),
    Index(
        "uq_features_organisation_id_key_live",
        "organisation_id",
        "key",
        unique=True,
        postgresql_where=text("archived_at IS NULL"),
    ),
    Index("ix_features_meter_id", "meter_id"),
)
