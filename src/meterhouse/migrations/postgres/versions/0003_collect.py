"""Strategies, jobs, and the usage that jobs leave behind. Only adds tables."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON(none_as_null=True)


def upgrade() -> None:
    _strategies()
    _jobs()
    op.create_table(
        "job_usage",
        sa.Column("job_id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("strategy_id", sa.Uuid, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
    )


def _strategies() -> None:
    op.create_table(
        "strategies",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("output_schema", DOCUMENT),
        sa.Column("filter_config", DOCUMENT),
        sa.Column("preview", sa.JSON, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
    )
    op.create_index("ix_strategies_newest", "strategies", ["organisation_id", "created_at", "id"])
    op.create_table(
        "strategy_pages",
        sa.Column(
            "strategy_id", sa.Uuid, sa.ForeignKey("strategies.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("page", sa.LargeBinary, nullable=False),
        sa.Column("fetched_at", INSTANT, nullable=False),
    )
    op.create_table(
        "strategy_log",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("strategy_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
    )
    op.create_index("ix_strategy_log_newest", "strategy_log", ["organisation_id", "at"])


def _jobs() -> None:
    op.create_table(
        "job_batches",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("strategy_id", sa.Uuid, sa.ForeignKey("strategies.id", ondelete="CASCADE"), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    op.create_index("ix_job_batches_strategy_id", "job_batches", ["strategy_id"])
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("strategy_id", sa.Uuid, sa.ForeignKey("strategies.id", ondelete="CASCADE"), nullable=False),
        sa.Column("batch_id", sa.Uuid, sa.ForeignKey("job_batches.id", ondelete="CASCADE")),
        sa.Column("schedule_id", sa.Uuid),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("parameters", DOCUMENT),
        sa.Column("target", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("strategy_version", sa.Integer),
        sa.Column("results", DOCUMENT),
        sa.Column("wrapper", sa.Text),
        sa.Column("item_count", sa.Integer),
        sa.Column("content_hash", sa.Text),
        sa.Column("structural_signature", DOCUMENT),
        sa.Column("has_changes", sa.Boolean),
        sa.Column("previous_job_id", sa.Uuid),
        sa.Column("error", sa.Text),
        sa.Column("error_code", sa.Text),
        sa.Column("http_status", sa.Integer),
        sa.Column("page_bytes", sa.BigInteger),
        sa.Column("duration_ms", sa.Integer),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT),
        sa.Column("completed_at", INSTANT),
        sa.CheckConstraint("status IN ('pending', 'running', 'completed', 'failed')", name="ck_jobs_status"),
    )
    _job_indexes()


def _job_indexes() -> None:
    op.create_index("ix_jobs_newest", "jobs", ["organisation_id", "created_at", "id"])
    op.create_index("ix_jobs_strategy_newest", "jobs", ["strategy_id", "created_at", "id"])
    op.create_index(
        "ix_jobs_batch", "jobs", ["batch_id", "id"], postgresql_where=sa.text("batch_id IS NOT NULL")
    )
    op.create_index(
        "ix_jobs_schedule",
        "jobs",
        ["schedule_id", "created_at"],
        postgresql_where=sa.text("schedule_id IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_previous",
        "jobs",
        ["strategy_id", "target", "completed_at", "id"],
        postgresql_where=sa.text("status = 'completed'"),
    )
    op.create_index(
        "ix_jobs_due", "jobs", ["next_at"], postgresql_where=sa.text("status IN ('pending', 'running')")
    )
