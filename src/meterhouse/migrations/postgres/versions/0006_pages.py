"""Jobs remember how many pages they may follow. Only adds a column."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("max_pages", sa.Integer))
