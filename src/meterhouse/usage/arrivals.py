"""Whose events came since a moment, for those who look at what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterhouse.platform.ports import EventStore
from meterhouse.usage.engine import columns
from meterhouse.usage.engine.parameters import from_micros

_OWNER = f"{columns.TYPE}, {columns.SUBJECT}, {columns.CUSTOMER}"
_STORED = (
    f"SELECT toString({columns.ORGANISATION}), {_OWNER}, "  # noqa: S608
    f"toUnixTimestamp64Micro(min({columns.INGESTED_AT})), toUnixTimestamp64Micro(max({columns.TIME})) "
    f"FROM {columns.TABLE} "
    f"WHERE {columns.SEQ} > {{after:UInt64}} AND {columns.SEQ} <= {{upto:UInt64}} "
    f"GROUP BY {columns.ORGANISATION}, {_OWNER}"
)
_CORRECTED = """
SELECT toString(organisation_id), of.1, of.2, of.3,
  toUnixTimestamp64Micro(min(corrected_at)), toUnixTimestamp64Micro(max(of.4))
FROM corrections
ARRAY JOIN [
  (type, subject, customer_id, time), (removed_type, removed_subject, removed_customer_id, removed_time)
] AS of
WHERE version > {after:UInt64} AND version <= {upto:UInt64}
GROUP BY organisation_id, of.1, of.2, of.3
"""


@dataclass(frozen=True)
class Arrival:
    """Events of one type with one owner came at `first_at` and perhaps later.

    The owner is named by `customer_id`, or else by `subject`. `last_time` is the latest time that they bear,
    which may lie ahead.
    """

    organisation_id: UUID
    type: str
    subject: str
    customer_id: str
    first_at: datetime
    last_time: datetime


async def events_since(store: EventStore, *, after: int, upto: int) -> list[Arrival]:
    """Whose events were stored with a `seq` above `after`, up to `upto`."""
    return await _arrivals(store, _STORED, after, upto)


async def corrections_since(store: EventStore, *, after: int, upto: int) -> list[Arrival]:
    """Whose events were corrected with a version above `after`, up to `upto`."""
    return await _arrivals(store, _CORRECTED, after, upto)


async def _arrivals(store: EventStore, sql: str, after: int, upto: int) -> list[Arrival]:
    if after >= upto:
        return []
    rows = (await store.query(sql, {"after": after, "upto": upto})).rows
    return [
        Arrival(
            UUID(str(owner)),
            str(kind),
            str(subject),
            str(customer),
            from_micros(int(str(first))),
            from_micros(int(str(last))),
        )
        for owner, kind, subject, customer, first, last in rows
    ]
