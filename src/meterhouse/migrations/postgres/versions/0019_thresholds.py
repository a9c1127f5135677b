"""Which balances are to be looked at, and which thresholds they have crossed. Only adds."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0017"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "threshold_cursor",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("corrections", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO threshold_cursor (id, seq, corrections) VALUES (1, 0, 0)")
    op.create_table(
        "threshold_checks",
        sa.Column("entitlement_id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("token", sa.Uuid, nullable=False),
    )
    op.create_index("ix_threshold_checks_since", "threshold_checks", ["since"])
    op.create_table(
        "threshold_crossings",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("entitlement_id", sa.Uuid, nullable=False),
        sa.Column("feature_id", sa.Uuid, nullable=False),
        sa.Column("feature_key", sa.Text, nullable=False),
        sa.Column("rule_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("threshold_type", sa.Text, nullable=False),
        sa.Column("threshold_value", sa.Numeric, nullable=False),
        sa.Column("period_start", INSTANT, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("value", JSONB, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint(
            "entitlement_id",
            "rule_id",
            "kind",
            "period_start",
            "number",
            name="uq_threshold_crossings_number",
        ),
    )
    op.create_index(
        "ix_threshold_crossings_newest", "threshold_crossings", ["entitlement_id", "created_at", "id"]
    )
    op.create_index("ix_consumptions_created_at", "consumptions", ["created_at"])


def downgrade() -> None:
    op.drop_index("ix_consumptions_created_at", "consumptions")
    op.drop_table("threshold_crossings")
    op.drop_table("threshold_checks")
    op.drop_table("threshold_cursor")
