"""Tables of the workflows context."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from meterhouse.platform.metadata import metadata

workflows = Table(
    "workflows",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("enabled", Boolean, nullable=False),
    Column("node_count", Integer, nullable=False),
    # Which of its graphs is in force; runs know the one that they were started with.
    Column("graph_version", Integer, nullable=False, server_default=text("1")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Index("ix_workflows_newest", "organisation_id", "created_at", "id"),
)

# Nodes and edges never change, so a run may refer to them for as long as it is kept: another graph of a
# workflow is another version of all of them.
workflow_nodes = Table(
    "workflow_nodes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("workflow_id", Uuid, ForeignKey("workflows.id", ondelete="CASCADE"), nullable=False),
    Column("graph_version", Integer, nullable=False, server_default=text("1")),
    Column("position", Integer, nullable=False),
    Column("node_key", Text, nullable=False),
    # No cascade: a strategy in use is not deleted from under a workflow.
    Column("strategy_id", Uuid, ForeignKey("strategies.id"), nullable=False, index=True),
    Column("input_type", Text, nullable=False),
    # JSON, not JSONB, here and below: the order of keys is what people see.
    Column("static_urls", JSON(none_as_null=True)),
    Column("url_field", Text),
    Column("static_parameters", JSON(none_as_null=True)),
    Column("parameter_config", JSON(none_as_null=True)),
    UniqueConstraint("workflow_id", "graph_version", "node_key", name="uq_workflow_nodes_key"),
)

workflow_edges = Table(
    "workflow_edges",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("workflow_id", Uuid, ForeignKey("workflows.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("graph_version", Integer, nullable=False, server_default=text("1")),
    Column("position", Integer, nullable=False),
    Column("source_node_key", Text, nullable=False),
    Column("target_node_key", Text, nullable=False),
    Column("filter_config", JSON(none_as_null=True)),
)

workflow_runs = Table(
    "workflow_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    Column("workflow_id", Uuid, ForeignKey("workflows.id", ondelete="CASCADE"), nullable=False),
    Column("status", Text, nullable=False),
    Column("force", Boolean, nullable=False),
    Column("graph_version", Integer, nullable=False, server_default=text("1")),
    # The completed run whose results may stand for what has not changed since.
    Column("baseline_id", Uuid),
    Column("schedule_id", Uuid),
    Column("has_changes", Boolean),
    # Whoever drives the run at present; an earlier driver that is still alive finds another name here.
    Column("driver", Uuid),
    Column("error", Text),
    Column("warnings", JSON(none_as_null=True)),
    # When to look whether the run was lost.
    Column("next_at", DateTime(timezone=True), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("completed_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('pending', 'running', 'completed', 'failed', 'cancelled')", name="status"),
    Index("ix_workflow_runs_newest", "workflow_id", "created_at", "id"),
    Index(
        "ix_workflow_runs_completed",
        "workflow_id",
        "completed_at",
        postgresql_where=text("status = 'completed'"),
    ),
    Index("uq_workflow_runs_active", "workflow_id", unique=True, postgresql_where=text("status = 'running'")),
    Index("ix_workflow_runs_due", "next_at", postgresql_where=text("status IN ('pending', 'running')")),
)

workflow_node_runs = Table(
    "workflow_node_runs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("run_id", Uuid, ForeignKey("workflow_runs.id", ondelete="CASCADE"), nullable=False),
    Column("node_id", Uuid, ForeignKey("workflow_nodes.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("status", Text, nullable=False),
    Column("phase", Text, nullable=False),
    # How far planning is: the incoming edge, the page of its source, and how much work was written down.
    Column("edge_at", Integer, nullable=False),
    Column("seq_at", BigInteger, nullable=False),
    Column("planned", Integer, nullable=False),
    # Items that came in, and those of them that nothing followed from.
    Column("inputs", Integer, nullable=False),
    Column("unusable", Integer, nullable=False),
    Column("matched_at", BigInteger, nullable=False),
    Column("executed", Integer, nullable=False),
    Column("reused", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("error", Text),
    Column("note", Text),
    Column("started_at", DateTime(timezone=True)),
    Column("completed_at", DateTime(timezone=True)),
    UniqueConstraint("run_id", "node_id", name="uq_workflow_node_runs_node"),
)

# One row per page (or API call) of a node in a run, with what it gave.
workflow_work = Table(
    "workflow_work",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("node_run_id", Uuid, ForeignKey("workflow_node_runs.id", ondelete="CASCADE"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("key", LargeBinary, nullable=False),
    # A sum of 128-bit hashes: exact, whatever the order in which it was added up.
    Column("fingerprint", Numeric(60, 0), nullable=False),
    Column("url", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("gathered", JSON(none_as_null=True)),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("is_reused", Boolean, nullable=False),
    Column("strategy_version", Integer),
    # The address that answered: base of relative addresses in the items.
    Column("page_url", Text),
    Column("results", JSON(none_as_null=True)),
    Column("item_count", Integer),
    Column("content_hash", Text),
    # Fields that the page no longer gave, and the hash of the earlier content that is the same but for them.
    Column("lost_fields", JSON(none_as_null=True)),
    Column("same_as", Text),
    Column("error", Text),
    Column("error_code", Text),
    Column("completed_at", DateTime(timezone=True)),
    CheckConstraint("status IN ('pending', 'running', 'completed', 'failed', 'cancelled')", name="status"),
    UniqueConstraint("node_run_id", "key", name="uq_workflow_work_key"),
    Index("ix_workflow_work_status", "node_run_id", "status", "seq"),
)

workflow_schedules = Table(
    "workflow_schedules",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), nullable=False),
    Column("workflow_id", Uuid, ForeignKey("workflows.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("interval_s", Integer),
    Column("cron", Text),
    Column("timezone", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("next_at", DateTime(timezone=True)),
    Column("last_run_at", DateTime(timezone=True)),
    Column("last_run_id", Uuid),
    # The last planned time without a run: the run before had not ended, or the workflow was disabled.
    Column("last_skipped_at", DateTime(timezone=True)),
    Column("webhook_url", Text),
    Column("webhook_type", Text),
    Column("webhook_secret", Text),
    Column("webhook_metadata", JSON(none_as_null=True)),
    Column("webhook_only_changes", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("(interval_s IS NULL) <> (cron IS NULL)", name="one_timing"),
    CheckConstraint("enabled = (next_at IS NOT NULL)", name="next_while_enabled"),
    Index("ix_workflow_schedules_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
)
