"""Meters: what is counted. Only adds a table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "meters",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("dialect", sa.Text, nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("filter", postgresql.JSONB, nullable=False),
        sa.Column("aggregation", sa.Text, nullable=False),
        sa.Column("value_path", sa.Text),
        sa.Column("group_by", postgresql.JSONB, nullable=False),
        sa.Column("event_from", INSTANT),
        sa.Column("metadata", postgresql.JSONB, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("custom_label", sa.Text),
        sa.Column("custom_multiplier", sa.BigInteger),
        sa.Column("is_frozen", sa.Boolean, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("modified_at", INSTANT),
        sa.Column("archived_at", INSTANT),
        sa.Column("deleted_at", INSTANT),
    )
    op.create_index(
        "uq_meters_organisation_id_slug_live",
        "meters",
        ["organisation_id", "slug"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
