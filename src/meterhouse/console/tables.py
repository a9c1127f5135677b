"""Tables of the console."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, DateTime, LargeBinary, SmallInteger, Table

from meterhouse.platform.metadata import metadata

console_secrets = Table(
    "console_secrets",
    metadata,
    # The one row. Deleting it signs everybody out, in every process; the next sign-in makes a new one.
    Column(
        "id", SmallInteger, CheckConstraint("id = 1", name="one_row"), primary_key=True, autoincrement=False
    ),
    Column("secret", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)
