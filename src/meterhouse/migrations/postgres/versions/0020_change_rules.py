"""Rules of strategies for what counts as a change. Adds a column only."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("strategies", sa.Column("change_rules", sa.JSON))
