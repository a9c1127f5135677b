"""Names of events: which there are, how often and since when (polar 9.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from meterhouse.platform.ports import EventStore
from meterhouse.usage.engine import columns, filters
from meterhouse.usage.engine.parameters import Parameters, from_micros
from meterhouse.usage.model import Identities, Origin

NameSort = Literal["name", "occurrences", "first_seen", "last_seen"]

_SORTED_BY: dict[NameSort, str] = {
    "name": columns.TYPE,
    "occurrences": "n",
    "first_seen": "first_at",
    "last_seen": "last_at",
}


@dataclass(frozen=True)
class EventName:
    """What is known about all events of one name and origin; the instants are the events' own times."""

    name: str
    origin: Origin
    occurrences: int
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True)
class NameSearch:
    """Which names to list; all parts AND. `contains` ignores case."""

    origins: tuple[Origin, ...] | None = None
    identities: Identities | None = None
    contains: str | None = None


async def list_names(
    store: EventStore,
    *,
    organisation_id: UUID,
    search: NameSearch,
    sort: Sequence[tuple[NameSort, bool]] = (("last_seen", True),),
    limit: int = 10,
    offset: int = 0,
) -> tuple[list[EventName], int]:
    """One page of names and how many there are in all. `sort` pairs a key with "descending"."""
    bind = Parameters()
    grouped = (
        f"SELECT {columns.TYPE}, toString({columns.ORIGIN}) AS kind, count() AS n, "  # noqa: S608
        f"toUnixTimestamp64Micro(min({columns.TIME})) AS first_at, "
        f"toUnixTimestamp64Micro(max({columns.TIME})) AS last_at "
        f"FROM {columns.TABLE} WHERE {_conditions(organisation_id, search, bind)} "
        f"GROUP BY {columns.TYPE}, kind"
    )
    keys = [f"{_SORTED_BY[key]}{' DESC' if is_descending else ''}" for key, is_descending in sort]
    order = ", ".join([*keys, columns.TYPE, "kind"])
    paging = f"LIMIT {int(limit)} OFFSET {int(offset)}"
    rows = (await store.query(f"{grouped} ORDER BY {order} {paging}", bind.values)).rows
    total = (await store.query(f"SELECT count() FROM ({grouped})", bind.values)).rows[0][0]  # noqa: S608
    return [_name(row) for row in rows], cast(int, total)


def _conditions(organisation_id: UUID, search: NameSearch, bind: Parameters) -> str:
    conditions = [f"{columns.ORGANISATION} = {bind.uuid(organisation_id)}"]
    if search.origins is not None:
        conditions.append(f"has({bind.texts(search.origins)}, toString({columns.ORIGIN}))")
    if search.identities is not None:
        conditions.append(filters.identity_condition(search.identities, bind))
    if search.contains:
        conditions.append(f"positionCaseInsensitiveUTF8({columns.TYPE}, {bind.text(search.contains)}) > 0")
    return " AND ".join(conditions)


def _name(row: Sequence[object]) -> EventName:
    name, origin, count, first, last = row
    return EventName(
        str(name),
        cast(Origin, origin),
        cast(int, count),
        from_micros(cast(int, first)),
        from_micros(cast(int, last)),
    )
