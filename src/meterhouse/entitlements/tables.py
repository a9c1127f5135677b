"""Tables of the entitlements context."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from meterhouse.platform.metadata import metadata

_INSTANT = DateTime(timezone=True)

entitlements = Table(
    "entitlements",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("feature_id", Uuid, nullable=False),
    Column("feature_key", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("active_from", _INSTANT, nullable=False),
    Column("active_to", _INSTANT),
    Column("usage_interval", Text),
    Column("usage_anchor", _INSTANT),
    Column("measure_usage_from", _INSTANT),
    Column("is_soft_limit", Boolean, nullable=False),
    Column("preserve_overage_at_reset", Boolean, nullable=False),
    Column("issue_after_reset", Numeric),
    Column("issue_after_reset_priority", Integer),
    Column("config", Text),
    Column("subscription_id", Uuid),
    Column("metadata", JSONB(none_as_null=True)),
    Column("annotations", JSONB(none_as_null=True)),
    # how often grants or resets have changed: what was computed from an older revision may be wrong
    Column("revision", BigInteger, nullable=False, server_default=text("0")),
    Column("created_at", _INSTANT, nullable=False),
    Column("modified_at", _INSTANT, nullable=False),
    Column("deleted_at", _INSTANT),
    # Those with an end overlap in ways that no index here compares: the service sees to it, in turns.
    Index(
        "uq_entitlements_customer_id_feature_key_endless",
        "customer_id",
        "feature_key",
        unique=True,
        postgresql_where=text("active_to IS NULL AND deleted_at IS NULL"),
    ),
    Index("ix_entitlements_customer_id_feature_key", "customer_id", "feature_key"),
    Index("ix_entitlements_newest", "organisation_id", "created_at", "id"),
    Index("ix_entitlements_feature_id", "feature_id"),
)

grants = Table(
    "grants",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("entitlement_id", Uuid, ForeignKey("entitlements.id"), nullable=False),
    Column("amount", Numeric, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("effective_at", _INSTANT, nullable=False),
    Column("expiration_duration", Text),
    Column("expiration_count", Integer),
    Column("expires_at", _INSTANT),
    Column("recurrence_interval", Text),
    Column("recurrence_anchor", _INSTANT),
    Column("min_rollover", Numeric, nullable=False),
    Column("max_rollover", Numeric, nullable=False),
    Column("metadata", JSONB(none_as_null=True)),
    Column("annotations", JSONB(none_as_null=True)),
    Column("created_at", _INSTANT, nullable=False),
    Column("modified_at", _INSTANT, nullable=False),
    Column("voided_at", _INSTANT),
    Column("deleted_at", _INSTANT),
    Index("ix_grants_entitlement_id", "entitlement_id"),
    Index("ix_grants_newest", "organisation_id", "created_at", "id"),
)

resets = Table(
    "entitlement_resets",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("entitlement_id", Uuid, ForeignKey("entitlements.id"), nullable=False),
    Column("at", _INSTANT, nullable=False),
    Column("anchor", _INSTANT, nullable=False),
    Column("preserve_overage", Boolean, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    UniqueConstraint("entitlement_id", "at", name="uq_entitlement_resets_entitlement_id_at"),
)

# States of the engine, each with what it was computed from. They save time and may be deleted at any moment.
snapshots = Table(
    "balance_snapshots",
    metadata,
    Column("entitlement_id", Uuid, ForeignKey("entitlements.id"), primary_key=True),
    Column("at", _INSTANT, primary_key=True),
    Column("basis", Text, nullable=False),
    Column("upto", BigInteger, nullable=False),
    Column("corrections", BigInteger, nullable=False),
    Column("state", JSONB, nullable=False),
)

# The first answer to every key by which somebody consumed, so that a repeat gets it again.
consumptions = Table(
    "consumptions",
    metadata,
    Column("entitlement_id", Uuid, ForeignKey("entitlements.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("answer", JSONB, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    Index("ix_consumptions_created_at", "created_at"),
)

# Up to which stored event, and which correction, it is known whose balances they changed. One row.
threshold_cursor = Table(
    "threshold_cursor",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("corrections", BigInteger, nullable=False),
)

# Balances that have changed at `since` or later and are to be held against thresholds from `due_at` on, and
# again until all events that are known have had their time (`until`). Every change brings a new token, so
# that what was computed before it is not taken for the present. No foreign key: it would lock the
# entitlement, which whoever grants credit holds while waiting for the row here.
threshold_checks = Table(
    "threshold_checks",
    metadata,
    Column("entitlement_id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("since", _INSTANT, nullable=False),
    Column("due_at", _INSTANT, nullable=False),
    Column("until", _INSTANT, nullable=False),
    Column("token", Uuid, nullable=False),
    Index("ix_threshold_checks_due_at", "due_at"),
)

# Crossings of thresholds: one row for each, never changed. `number` counts them within an entitlement's usage
# period, by rule and kind, and makes sure that each is told once.
threshold_crossings = Table(
    "threshold_crossings",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("customer_id", Uuid, nullable=False),
    Column("entitlement_id", Uuid, nullable=False),
    Column("feature_id", Uuid, nullable=False),
    Column("feature_key", Text, nullable=False),
    Column("rule_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("threshold_type", Text, nullable=False),
    Column("threshold_value", Numeric, nullable=False),
    Column("period_start", _INSTANT, nullable=False),
    Column("number", Integer, nullable=False),
    Column("value", JSONB, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
    UniqueConstraint(
        "entitlement_id", "rule_id", "kind", "period_start", "number", name="uq_threshold_crossings_number"
    ),
    Index("ix_threshold_crossings_newest", "entitlement_id", "created_at", "id"),
)
