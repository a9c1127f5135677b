"""Discoveries, versions of workflows' graphs, and webhook messages found by when they ended.

Adds tables, columns and an index; one constraint is widened by the version.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

INSTANT = sa.DateTime(timezone=True)
STATUSES = "status IN ('pending', 'running', 'completed', 'failed')"


def upgrade() -> None:
    op.create_index(
        "ix_webhook_deliveries_ended",
        "webhook_deliveries",
        ["ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
    for table in ("schedules", "workflow_schedules"):
        flag = sa.Column("webhook_only_changes", sa.Boolean, nullable=False, server_default="false")
        op.add_column(table, flag)
    _graphs()
    _discoveries()
    _pages()
    _urls()


def _graphs() -> None:
    for table in ("workflows", "workflow_nodes", "workflow_edges", "workflow_runs"):
        op.add_column(table, sa.Column("graph_version", sa.Integer, nullable=False, server_default="1"))
    op.drop_constraint("uq_workflow_nodes_key", "workflow_nodes")
    op.create_unique_constraint(
        "uq_workflow_nodes_key", "workflow_nodes", ["workflow_id", "graph_version", "node_key"]
    )


def _discoveries() -> None:
    op.create_table(
        "discoveries",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("search", sa.JSON, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("urls_found", sa.Integer, nullable=False, server_default="0"),
        sa.Column("pages_known", sa.Integer, nullable=False, server_default="0"),
        sa.Column("pages_read", sa.Integer, nullable=False, server_default="0"),
        sa.Column("bytes_read", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("spent_ms", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("warnings", sa.JSON, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT),
        sa.Column("completed_at", INSTANT),
        sa.CheckConstraint(STATUSES, name="ck_discoveries_status"),
    )
    op.create_index("ix_discoveries_organisation_id", "discoveries", ["organisation_id"])
    op.create_index(
        "ix_discoveries_due",
        "discoveries",
        ["next_at"],
        postgresql_where=sa.text("status IN ('pending', 'running')"),
    )


def _pages() -> None:
    op.create_table(
        "discovery_pages",
        _owner(),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("depth", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("has_ended", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("mark", sa.LargeBinary),
    )
    op.create_index(
        "ix_discovery_pages_next",
        "discovery_pages",
        ["discovery_id", "number"],
        postgresql_where=sa.text("NOT has_ended"),
    )


def _urls() -> None:
    op.create_table(
        "discovery_urls",
        _owner(),
        sa.Column("key", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.UniqueConstraint("discovery_id", "number", name="uq_discovery_urls_number"),
    )


def _owner() -> sa.Column[object]:
    owner = sa.ForeignKey("discoveries.id", ondelete="CASCADE")
    return sa.Column("discovery_id", sa.Uuid, owner, primary_key=True)
