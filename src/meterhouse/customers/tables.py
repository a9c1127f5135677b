"""Tables of the customers context."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, ForeignKey, Index, Integer, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from meterhouse.platform.metadata import metadata

LIVE = text("deleted_at IS NULL")

customers = Table(
    "customers",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("key", Text),
    Column("name", Text),
    Column("description", Text),
    Column("primary_email", Text),
    # the address without case, by which e-mail addresses are compared
    Column("email_folded", Text),
    Column("currency", Text),
    Column("billing_address", JSONB(none_as_null=True)),
    Column("metadata", JSONB, nullable=False),
    Column("tax_id", Text),
    Column("locale", Text),
    Column("first_event_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("modified_at", DateTime(timezone=True)),
    Column("deleted_at", DateTime(timezone=True)),
    Index(
        "uq_customers_organisation_id_key_live",
        "organisation_id",
        "key",
        unique=True,
        postgresql_where=LIVE,
    ),
    Index("ix_customers_email_live", "organisation_id", "email_folded", postgresql_where=LIVE),
    Index("ix_customers_newest", "organisation_id", "created_at", "id"),
)

customer_subjects = Table(
    "customer_subjects",
    metadata,
    Column("customer_id", Uuid, ForeignKey("customers.id"), primary_key=True),
    Column("subject_key", Text, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("deleted_at", DateTime(timezone=True)),
    Index(
        "uq_customer_subjects_organisation_id_subject_key_live",
        "organisation_id",
        "subject_key",
        unique=True,
        postgresql_where=LIVE,
    ),
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("key", Text, nullable=False),
    Column("display_name", Text),
    Column("metadata", JSONB(none_as_null=True)),
    Column("stripe_customer_id", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("modified_at", DateTime(timezone=True)),
    Column("deleted_at", DateTime(timezone=True)),
    Index(
        "uq_subjects_organisation_id_key_live",
        "organisation_id",
        "key",
        unique=True,
        postgresql_where=LIVE,
    ),
)
