"""How many events came in, by subject: a first look at what is going on (openmeter 9.2)."""

from __future__ import annotations

from datetime import datetime
from typing import cast
from uuid import UUID

from meterhouse.platform.ports import EventStore
from meterhouse.usage.engine import columns
from meterhouse.usage.engine.parameters import Parameters

SUBJECTS_MAX = 100_000


async def count_by_subject(
    store: EventStore, *, organisation_id: UUID, from_at: datetime
) -> list[tuple[str, str, int]]:
    """Subject, customer id and number of the events since an instant, in the order of subjects.

    Events that name their customer by its id have no subject, others no id. At most 100,000 are told.
    """
    bind = Parameters()
    sql = (
        f"SELECT {columns.SUBJECT}, {columns.CUSTOMER}, count() FROM {columns.TABLE} "  # noqa: S608
        f"WHERE {columns.ORGANISATION} = {bind.uuid(organisation_id)} "
        f"AND {columns.TIME} >= {bind.instant(from_at)} "
        f"GROUP BY {columns.SUBJECT}, {columns.CUSTOMER} ORDER BY {columns.SUBJECT}, {columns.CUSTOMER} "
        f"LIMIT {SUBJECTS_MAX}"
    )
    rows = (await store.query(sql, bind.values)).rows
    return [(str(subject), str(named), cast(int, count)) for subject, named, count in rows]
