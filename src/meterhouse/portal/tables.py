"""Tables of portal access."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Index, LargeBinary, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

from meterhouse.platform.metadata import metadata

portal_secrets = Table(
    "portal_secrets",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("secret", LargeBinary, nullable=False),
)

portal_tokens = Table(
    "portal_tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("organisation_id", Uuid, nullable=False),
    Column("subject", Text, nullable=False),
    Column("allowed_meter_slugs", ARRAY(Text), nullable=False),
    # SHA-256 of the text. It is signed and unguessable, so a slow hash would add nothing.
    Column("token_hash", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("invalidated_at", DateTime(timezone=True)),
    Index("ix_portal_tokens_subject", "organisation_id", "subject"),
    Index("ix_portal_tokens_newest", "organisation_id", "created_at", "id"),
)
