"""External ids of meters, and customers' accounts on meters. Only adds."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("meters", sa.Column("external_id", sa.Text))
    op.create_index(
        "uq_meters_organisation_id_external_id_live",
        "meters",
        ["organisation_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "customer_meters",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("meter_id", sa.Uuid, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("customer_id", "meter_id", name="uq_customer_meters_customer_id_meter_id"),
    )


def downgrade() -> None:
    op.drop_table("customer_meters")
    op.drop_index("uq_meters_organisation_id_external_id_live", "meters")
    op.drop_column("meters", "external_id")
