"""Workflows, their runs, the work of those, and their schedules. Only adds tables."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON(none_as_null=True)
STATUSES = "status IN ('pending', 'running', 'completed', 'failed', 'cancelled')"


def upgrade() -> None:
    _definitions()
    _runs()
    _node_runs()
    _work()
    _schedules()


def _definitions() -> None:
    op.create_table(
        "workflows",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("node_count", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
    )
    op.create_index("ix_workflows_newest", "workflows", ["organisation_id", "created_at", "id"])
    op.create_table(
        "workflow_nodes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("workflow_id", sa.Uuid, sa.ForeignKey("workflows.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("node_key", sa.Text, nullable=False),
        sa.Column("strategy_id", sa.Uuid, sa.ForeignKey("strategies.id"), nullable=False),
        sa.Column("input_type", sa.Text, nullable=False),
        sa.Column("static_urls", DOCUMENT),
        sa.Column("url_field", sa.Text),
        sa.Column("static_parameters", DOCUMENT),
        sa.Column("parameter_config", DOCUMENT),
        sa.UniqueConstraint("workflow_id", "node_key", name="uq_workflow_nodes_key"),
    )
    op.create_index("ix_workflow_nodes_strategy_id", "workflow_nodes", ["strategy_id"])
    op.create_table(
        "workflow_edges",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("workflow_id", sa.Uuid, sa.ForeignKey("workflows.id", ondelete="CASCADE"), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("source_node_key", sa.Text, nullable=False),
        sa.Column("target_node_key", sa.Text, nullable=False),
        sa.Column("filter_config", DOCUMENT),
    )
    op.create_index("ix_workflow_edges_workflow_id", "workflow_edges", ["workflow_id"])


def _runs() -> None:
    op.create_table(
        "workflow_runs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("workflow_id", sa.Uuid, sa.ForeignKey("workflows.id", ondelete="CASCADE"), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("force", sa.Boolean, nullable=False),
        sa.Column("baseline_id", sa.Uuid),
        sa.Column("schedule_id", sa.Uuid),
        sa.Column("has_changes", sa.Boolean),
        sa.Column("driver", sa.Uuid),
        sa.Column("error", sa.Text),
        sa.Column("warnings", DOCUMENT),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT),
        sa.Column("completed_at", INSTANT),
        sa.CheckConstraint(STATUSES, name="ck_workflow_runs_status"),
    )
    op.create_index("ix_workflow_runs_newest", "workflow_runs", ["workflow_id", "created_at", "id"])
    op.create_index(
        "ix_workflow_runs_completed",
        "workflow_runs",
        ["workflow_id", "completed_at"],
        postgresql_where=sa.text("status = 'completed'"),
    )
    op.create_index(
        "uq_workflow_runs_active",
        "workflow_runs",
        ["workflow_id"],
        unique=True,
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index(
        "ix_workflow_runs_due",
        "workflow_runs",
        ["next_at"],
        postgresql_where=sa.text("status IN ('pending', 'running')"),
    )


def _node_runs() -> None:
    op.create_table(
        "workflow_node_runs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("run_id", sa.Uuid, sa.ForeignKey("workflow_runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("node_id", sa.Uuid, sa.ForeignKey("workflow_nodes.id", ondelete="CASCADE"), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("edge_at", sa.Integer, nullable=False),
        sa.Column("seq_at", sa.BigInteger, nullable=False),
        sa.Column("planned", sa.Integer, nullable=False),
        sa.Column("inputs", sa.Integer, nullable=False),
        sa.Column("unusable", sa.Integer, nullable=False),
        sa.Column("matched_at", sa.BigInteger, nullable=False),
        sa.Column("executed", sa.Integer, nullable=False),
        sa.Column("reused", sa.Integer, nullable=False),
        sa.Column("failed", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("note", sa.Text),
        sa.Column("started_at", INSTANT),
        sa.Column("completed_at", INSTANT),
        sa.UniqueConstraint("run_id", "node_id", name="uq_workflow_node_runs_node"),
    )
    op.create_index("ix_workflow_node_runs_node_id", "workflow_node_runs", ["node_id"])


def _work() -> None:
    op.create_table(
        "workflow_work",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column(
            "node_run_id", sa.Uuid, sa.ForeignKey("workflow_node_runs.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("fingerprint", sa.Numeric(60, 0), nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("gathered", DOCUMENT),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("is_reused", sa.Boolean, nullable=False),
        sa.Column("strategy_version", sa.Integer),
        sa.Column("page_url", sa.Text),
        sa.Column("results", DOCUMENT),
        sa.Column("item_count", sa.Integer),
        sa.Column("content_hash", sa.Text),
        sa.Column("error", sa.Text),
        sa.Column("error_code", sa.Text),
        sa.Column("completed_at", INSTANT),
        sa.CheckConstraint(STATUSES, name="ck_workflow_work_status"),
        sa.UniqueConstraint("node_run_id", "key", name="uq_workflow_work_key"),
    )
    op.create_index("ix_workflow_work_status", "workflow_work", ["node_run_id", "status", "seq"])


def _schedules() -> None:
    op.create_table(
        "workflow_schedules",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("workflow_id", sa.Uuid, sa.ForeignKey("workflows.id", ondelete="CASCADE"), nullable=False),
        sa.Column("interval_s", sa.Integer),
        sa.Column("cron", sa.Text),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("next_at", INSTANT),
        sa.Column("last_run_at", INSTANT),
        sa.Column("last_run_id", sa.Uuid),
        sa.Column("last_skipped_at", INSTANT),
        sa.Column("webhook_url", sa.Text),
        sa.Column("webhook_type", sa.Text),
        sa.Column("webhook_secret", sa.Text),
        sa.Column("webhook_metadata", DOCUMENT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("(interval_s IS NULL) <> (cron IS NULL)", name="ck_workflow_schedules_one_timing"),
        sa.CheckConstraint(
            "enabled = (next_at IS NOT NULL)", name="ck_workflow_schedules_next_while_enabled"
        ),
    )
    op.create_index("ix_workflow_schedules_workflow_id", "workflow_schedules", ["workflow_id"])
    op.create_index(
        "ix_workflow_schedules_due",
        "workflow_schedules",
        ["next_at"],
        postgresql_where=sa.text("next_at IS NOT NULL"),
    )
