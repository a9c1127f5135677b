"""Schedules, webhooks, strategy groups and repeatable requests. Only adds tables and nullable columns."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

INSTANT = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON(none_as_null=True)


def upgrade() -> None:
    _schedules()
    _changes()
    _webhooks()
    _groups()
    op.create_table(
        "idempotency_keys",
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("headers", DOCUMENT),
        sa.Column("body", sa.LargeBinary),
        sa.Column("created_at", INSTANT, nullable=False),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("strategy_id", sa.Uuid, sa.ForeignKey("strategies.id", ondelete="CASCADE"), nullable=False),
        sa.Column("group_id", sa.Uuid),
        sa.Column("urls", sa.JSON, nullable=False),
        sa.Column("has_url_list", sa.Boolean, nullable=False),
        sa.Column("parameters", DOCUMENT),
        sa.Column("interval_s", sa.Integer),
        sa.Column("cron", sa.Text),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("next_at", INSTANT),
        sa.Column("last_run_at", INSTANT),
        sa.Column("last_batch_id", sa.Uuid),
        sa.Column("last_skipped_at", INSTANT),
        sa.Column("webhook_url", sa.Text),
        sa.Column("webhook_type", sa.Text),
        sa.Column("webhook_secret", sa.Text),
        sa.Column("webhook_metadata", DOCUMENT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("(interval_s IS NULL) <> (cron IS NULL)", name="ck_schedules_one_timing"),
        sa.CheckConstraint("enabled = (next_at IS NOT NULL)", name="ck_schedules_next_while_enabled"),
    )
    op.create_index("ix_schedules_strategy_id", "schedules", ["strategy_id"])
    op.create_index("ix_schedules_newest", "schedules", ["organisation_id", "created_at", "id"])
    op.create_index(
        "ix_schedules_group_id", "schedules", ["group_id"], postgresql_where=sa.text("group_id IS NOT NULL")
    )
    op.create_index(
        "ix_schedules_due", "schedules", ["next_at"], postgresql_where=sa.text("next_at IS NOT NULL")
    )


def _changes() -> None:
    op.add_column("jobs", sa.Column("seen_at", INSTANT))
    changed = "has_changes AND schedule_id IS NOT NULL"
    columns = ["schedule_id", "completed_at", "id"]
    op.create_index("ix_jobs_changes", "jobs", columns, postgresql_where=sa.text(changed))
    op.create_index(
        "ix_jobs_unseen", "jobs", columns, postgresql_where=sa.text(f"{changed} AND seen_at IS NULL")
    )


def _webhooks() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Uuid, nullable=False),
        sa.Column("owner_id", sa.Uuid, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("secret", sa.Text),
        sa.Column("metadata", DOCUMENT),
        sa.Column("body", sa.Text),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.CheckConstraint(
            "status IN ('pending', 'delivered', 'failed', 'outbox')", name="ck_webhook_deliveries_status"
        ),
        sa.UniqueConstraint("owner_id", "subject_id", name="uq_webhook_deliveries_owner_id"),
    )
    op.create_index(
        "ix_webhook_deliveries_newest", "webhook_deliveries", ["organisation_id", "created_at", "id"]
    )
    op.create_index(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["host", "next_at"],
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "webhook_attempts",
        sa.Column(
            "delivery_id",
            sa.Uuid,
            sa.ForeignKey("webhook_deliveries.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("status_code", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("duration_ms", sa.Integer, nullable=False),
    )


def _groups() -> None:
    op.create_table(
        "strategy_groups",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
    )
    op.create_index("ix_strategy_groups_newest", "strategy_groups", ["organisation_id", "created_at", "id"])
    op.add_column("strategies", sa.Column("group_id", sa.Uuid))
    op.create_foreign_key(
        "fk_strategies_group_id_strategy_groups",
        "strategies",
        "strategy_groups",
        ["group_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(
        "ix_strategies_group_id", "strategies", ["group_id"], postgresql_where=sa.text("group_id IS NOT NULL")
    )
    op.create_table(
        "strategy_regenerations",
        sa.Column(
            "strategy_id", sa.Uuid, sa.ForeignKey("strategies.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column(
            "group_id", sa.Uuid, sa.ForeignKey("strategy_groups.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("organisation_id", sa.Uuid, sa.ForeignKey("organisations.id"), nullable=False),
        sa.Column("output_schema", sa.JSON, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'running', 'completed', 'failed')", name="ck_strategy_regenerations_status"
        ),
    )
    op.create_index("ix_strategy_regenerations_group_id", "strategy_regenerations", ["group_id"])
    op.create_index(
        "ix_strategy_regenerations_due",
        "strategy_regenerations",
        ["next_at"],
        postgresql_where=sa.text("status IN ('pending', 'running')"),
    )
