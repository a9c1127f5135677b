"""Customers and subjects, portal tokens, and the progress of questions. Only adds tables."""

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
    _portal()
    _progress()


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


def _portal() -> None:
    op.create_table(
        "portal_secrets",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "portal_tokens",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("allowed_meter_slugs", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("invalidated_at", INSTANT),
    )
    op.create_index("ix_portal_tokens_subject", "portal_tokens", ["organisation_id", "subject"])
    op.create_index("ix_portal_tokens_newest", "portal_tokens", ["organisation_id", "created_at", "id"])


def _progress() -> None:
    op.create_table(
        "query_progress",
        sa.Column("organisation_id", sa.Uuid, primary_key=True),
        sa.Column("client_id", sa.Text, primary_key=True),
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("success", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("is_running", sa.Boolean, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
    )
    op.create_index("ix_query_progress_updated_at", "query_progress", ["updated_at"])
