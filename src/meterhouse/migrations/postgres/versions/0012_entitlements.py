"""Entitlements, their grants and their resets. Only adds tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    create_entitlements()
    create_grants()
    op.create_table(
        "entitlement_resets",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("entitlement_id", sa.Uuid, sa.ForeignKey("entitlements.id"), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("anchor", INSTANT, nullable=False),
        sa.Column("preserve_overage", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("entitlement_id", "at", name="uq_entitlement_resets_entitlement_id_at"),
    )
    op.create_table(
        "balance_snapshots",
        sa.Column("entitlement_id", sa.Uuid, sa.ForeignKey("entitlements.id"), primary_key=True),
        sa.Column("at", INSTANT, primary_key=True),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("upto", sa.BigInteger, nullable=False),
        sa.Column("corrections", sa.BigInteger, nullable=False),
        sa.Column("state", postgresql.JSONB, nullable=False),
    )
    op.create_table(
        "consumptions",
        sa.Column("entitlement_id", sa.Uuid, sa.ForeignKey("entitlements.id"), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("answer", postgresql.JSONB, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
    )


def create_entitlements() -> None:
    op.create_table(
        "entitlements",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("feature_id", sa.Uuid, nullable=False),
        sa.Column("feature_key", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("active_from", INSTANT, nullable=False),
        sa.Column("active_to", INSTANT),
        sa.Column("usage_interval", sa.Text),
        sa.Column("usage_anchor", INSTANT),
        sa.Column("measure_usage_from", INSTANT),
        sa.Column("is_soft_limit", sa.Boolean, nullable=False),
        sa.Column("preserve_overage_at_reset", sa.Boolean, nullable=False),
        sa.Column("issue_after_reset", sa.Numeric),
        sa.Column("issue_after_reset_priority", sa.Integer),
        sa.Column("config", sa.Text),
        sa.Column("subscription_id", sa.Uuid),
        sa.Column("metadata", postgresql.JSONB),
        sa.Column("annotations", postgresql.JSONB),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("modified_at", INSTANT, nullable=False),
        sa.Column("deleted_at", INSTANT),
    )
    op.create_index(
        "uq_entitlements_customer_id_feature_key_endless",
        "entitlements",
        ["customer_id", "feature_key"],
        unique=True,
        postgresql_where=sa.text("active_to IS NULL AND deleted_at IS NULL"),
    )
    op.create_index("ix_entitlements_customer_id_feature_key", "entitlements", ["customer_id", "feature_key"])
    op.create_index("ix_entitlements_newest", "entitlements", ["organisation_id", "created_at", "id"])
    op.create_index("ix_entitlements_feature_id", "entitlements", ["feature_id"])


def create_grants() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("entitlement_id", sa.Uuid, sa.ForeignKey("entitlements.id"), nullable=False),
        sa.Column("amount", sa.Numeric, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("effective_at", INSTANT, nullable=False),
        sa.Column("expiration_duration", sa.Text),
        sa.Column("expiration_count", sa.Integer),
        sa.Column("expires_at", INSTANT),
        sa.Column("recurrence_interval", sa.Text),
        sa.Column("recurrence_anchor", INSTANT),
        sa.Column("min_rollover", sa.Numeric, nullable=False),
        sa.Column("max_rollover", sa.Numeric, nullable=False),
        sa.Column("metadata", postgresql.JSONB),
        sa.Column("annotations", postgresql.JSONB),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("modified_at", INSTANT, nullable=False),
        sa.Column("voided_at", INSTANT),
        sa.Column("deleted_at", INSTANT),
    )
    op.create_index("ix_grants_entitlement_id", "grants", ["entitlement_id"])
    op.create_index("ix_grants_newest", "grants", ["organisation_id", "created_at", "id"])
