"""Balances that are to be looked at again, because events of a time ahead came. Checks of before are due."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name in ("due_at", "until"):
        op.add_column("threshold_checks", sa.Column(name, INSTANT))
        op.execute(f"UPDATE threshold_checks SET {name} = since")  # noqa: S608
        op.alter_column("threshold_checks", name, nullable=False)
    op.drop_index("ix_threshold_checks_since", "threshold_checks")
    op.create_index("ix_threshold_checks_due_at", "threshold_checks", ["due_at"])


def downgrade() -> None:
    op.drop_index("ix_threshold_checks_due_at", "threshold_checks")
    op.create_index("ix_threshold_checks_since", "threshold_checks", ["since"])
    for name in ("until", "due_at"):
        op.drop_column("threshold_checks", name)
