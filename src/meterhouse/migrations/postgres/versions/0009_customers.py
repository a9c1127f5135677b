"""Customers, the subjects that are theirs, and subjects. Only adds tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = postgresql.JSONB(none_as_null=True)
LIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    _customers()
    _customer_subjects()
    _subjects()


def _customers() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("description", sa.Text),
        sa.Column("primary_email", sa.Text),
        sa.Column("email_folded", sa.Text),
        sa.Column("currency", sa.Text),
        sa.Column("billing_address", DOCUMENT),
        sa.Column("metadata", DOCUMENT, nullable=False),
        sa.Column("tax_id", sa.Text),
        sa.Column("locale", sa.Text),
        sa.Column("first_event_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("modified_at", INSTANT),
        sa.Column("deleted_at", INSTANT),
    )
    op.create_index(
        "uq_customers_organisation_id_key_live",
        "customers",
        ["organisation_id", "key"],
        unique=True,
        postgresql_where=LIVE,
    )
    op.create_index(
        "ix_customers_email_live", "customers", ["organisation_id", "email_folded"], postgresql_where=LIVE
    )
    op.create_index("ix_customers_newest", "customers", ["organisation_id", "created_at", "id"])


def _customer_subjects() -> None:
    op.create_table(
        "customer_subjects",
        sa.Column("customer_id", sa.Uuid, sa.ForeignKey("customers.id"), primary_key=True),
        sa.Column("subject_key", sa.Text, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("deleted_at", INSTANT),
    )
    op.create_index(
        "uq_customer_subjects_organisation_id_subject_key_live",
        "customer_subjects",
        ["organisation_id", "subject_key"],
        unique=True,
        postgresql_where=LIVE,
    )


def _subjects() -> None:
    op.create_table(
        "subjects",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text),
        sa.Column("metadata", DOCUMENT),
        sa.Column("stripe_customer_id", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("modified_at", INSTANT),
        sa.Column("deleted_at", INSTANT),
    )
    op.create_index(
        "uq_subjects_organisation_id_key_live",
        "subjects",
        ["organisation_id", "key"],
        unique=True,
        postgresql_where=LIVE,
    )
