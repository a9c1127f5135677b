"""Pages of workflow runs that lost fields. Adds columns only."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("workflow_work", sa.Column("lost_fields", sa.JSON))
    op.add_column("workflow_work", sa.Column("same_as", sa.Text))
