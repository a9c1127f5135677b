"""Events for the tests of ingest."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import EventStore
from meterhouse.usage.model import Event

ORGANISATION = UUID("01900000-0000-7000-8000-000000000001")
NOW = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


def event(
    id: str, *, source: str = "svc", organisation: UUID = ORGANISATION, type: str = "call", data: str = ""
) -> Event:
    return Event(
        organisation_id=organisation,
        type=type,
        source=source,
        id=id,
        subject="customer-1",
        time=NOW,
        ingested_at=NOW,
        uid=new_id(),
        data=data,
    )


async def count(store: EventStore) -> tuple[int, int]:
    """Return the number of stored events and of different identities among them."""
    answer = await store.query("SELECT count(), uniqExact(organisation_id, source, id) FROM events")
    total, different = answer.rows[0]
    return int(str(total)), int(str(different))
