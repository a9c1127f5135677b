"""Features. Only adds a table."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0009"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "features",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("meter_id", sa.Uuid),
        sa.Column("meter_slug", sa.Text),
        sa.Column("filters", postgresql.JSONB, nullable=False),
        sa.Column("unit_cost", postgresql.JSONB),
        sa.Column("metadata", postgresql.JSONB, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("modified_at", INSTANT, nullable=False),
        sa.Column("archived_at", INSTANT),
    )
    op.create_index(
        "uq_features_organisation_id_key_live",
        "features",
        ["organisation_id", "key"],
        unique=True,
        postgresql_where=sa.text("archived_at IS NULL"),
    )
    op.create_index("ix_features_meter_id", "features", ["meter_id"])
