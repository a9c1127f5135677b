"""Jobs carry what their runners need: host, retries, validators, evidence. Adds columns and a table.

The table of jobs is the queue of their runs now; tasks that still wait in the other queue are dropped.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON(none_as_null=True)


def upgrade() -> None:
    for column in (
        sa.Column("host", sa.Text),
        sa.Column("is_urgent", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("runner_id", sa.Uuid),
        sa.Column("retries_max", sa.Integer, nullable=False, server_default="0"),
        sa.Column("retries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_error", sa.Text),
        sa.Column("evidence", DOCUMENT),
        sa.Column("lost_fields", DOCUMENT),
        sa.Column("etag", sa.Text),
        sa.Column("last_modified", sa.Text),
        sa.Column("read_at", INSTANT),
    ):
        op.add_column("jobs", column)
    # `host` or `host:port` of an address, without what stands before an @.
    op.execute(
        "UPDATE jobs SET host ="
        " coalesce(lower(substring(url from '^[a-zA-Z]+://(?:[^/?#@]*@)?([^/?#]*)')), '')"
    )
    op.execute(
        "UPDATE jobs SET status = 'pending', next_at = created_at WHERE status IN ('pending', 'running')"
    )
    op.alter_column("jobs", "host", nullable=False)
    op.drop_index("ix_jobs_due", "jobs")
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        [sa.text("is_urgent DESC"), "next_at", "id"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(
        "ix_jobs_in_hand", "jobs", ["runner_id", "id"], postgresql_where=sa.text("status = 'running'")
    )
    op.create_table(
        "quiet_hosts",
        sa.Column("host", sa.Text, primary_key=True),
        sa.Column("until", INSTANT, nullable=False),
    )
    op.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'run_job' AND status = 'todo'")
