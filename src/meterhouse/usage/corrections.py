"""Deleting and replacing events by source and id: exactly once, on record, and counted at once everywhere.

Raw events are never rewritten. A correction is one row of its own table: which row no longer counts, what
stands in its place, who did it, when and why. So the trail is the correction, and nothing can fall out of
step. Corrections are numbered by the one writer of events, between two blocks.

A corrected identity stays known: the same event sent again is still a repeat. A deleted event comes back
only by being replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast
from uuid import UUID

import pyarrow as pa

from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Conflict, Invalid, Issue, NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import EventStore
from meterhouse.usage.block import Identity, block_from_rows, microseconds, rows_from_events
from meterhouse.usage.engine.columns import EVENT_COLUMNS
from meterhouse.usage.engine.events import event_from_row, selected_columns
from meterhouse.usage.engine.parameters import from_micros
from meterhouse.usage.ingest import Ingestor
from meterhouse.usage.model import Correction, Event, StoredEvent

TABLE = "corrections"
REASON_CHARS_MAX = 1_000
TRAIL_MAX = 1_000
CHANGES_MAX = 1_000

_INSTANT = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class Change:
    """Where a row was removed or a replacement stands."""

    type: str
    subject: str
    customer_id: str
    time: datetime


@dataclass(frozen=True)
class Corrected:
    """Which corrections count: all up to `version`. `changes` holds, for each organisation with any, what
    they touched; `None` when it is too much to be remembered."""

    version: int
    changes: Mapping[UUID, tuple[Change, ...] | None] = field(default_factory=dict)

    def touch(self, organisation_id: UUID, concerns: Callable[[Change], bool]) -> bool:
        """Whether any correction may concern a question; `concerns` tells for one change."""
        if organisation_id not in self.changes:
            return False
        changes = self.changes[organisation_id]
        return changes is None or any(concerns(change) for change in changes)


NOTHING_CORRECTED = Corrected(0)


@dataclass(frozen=True)
class TrailEntry:
    """One line of the audit trail. `after` is `None` for a deletion; `by` names the API key."""

    correction: Correction
    by: str
    reason: str


class Corrections:
    """What was corrected, and the one way to correct."""

    def __init__(self, store: EventStore, ingestor: Ingestor, clock: Clock) -> None:
        self._store = store
        self._ingestor = ingestor
        self._clock = clock
        self._standing: Corrected | None = None
        self._doubtful: list[Correction] = []

    async def now(self) -> Corrected:
        """The corrections that count now; remembered where no other process can make one."""
        if self._standing is None or self._ingestor.is_shared:
            return await self._read_standing()
        return self._standing

    async def delete(
        self, *, organisation_id: UUID, source: str, id: str, by: str, reason: str = ""
    ) -> Correction | None:
        """Let an event count no more; `None` when it was deleted before, which changes nothing.

        Raises `NotFound` for an identity that was never stored, `Conflict` for a credit or reset of this
        server's, `DependencyFailed` when the store fails: then repeat the same, it will be done once.
        """
        _check_reason(reason)
        first = await self._find_first(organisation_id, source, id)
        _check_is_users(first)
        return await self._ingestor.exclusively(lambda: self._delete(first, by, reason))

    async def replace(
        self, event: Event, *, by: str, reason: str = "", keeps_time: bool = False
    ) -> StoredEvent:
        """Put an event in the place of the one with its source and id, or of a deleted one.

        What only other interfaces can say (parent, members, origin) is kept. Returns what then stands;
        nothing is recorded when it stood like that already. Raises as `delete`, and `Invalid` for an event
        that the store cannot hold.
        """
        _check_reason(reason)
        rows_from_events([event])
        first = await self._find_first(event.organisation_id, event.source, event.id)
        _check_is_users(first)
        return await self._ingestor.exclusively(lambda: self._replace(first, event, by, reason, keeps_time))

    async def _delete(self, first: StoredEvent, by: str, reason: str) -> Correction | None:
        """Runs in the writer's turn, like `_replace`: nobody stores or corrects anything meanwhile."""
        standing = await self._settled_standing()
        before, is_deleted = await self._find_standing(first)
        return None if is_deleted else await self._record(standing, before, None, by, reason)

    async def _replace(
        self, first: StoredEvent, event: Event, by: str, reason: str, keeps_time: bool
    ) -> StoredEvent:
        standing = await self._settled_standing()
        before, is_deleted = await self._find_standing(first)
        after = _in_place_of(before, event, self._clock.now())
        if keeps_time:
            after = replace(after, time=before.time)
        if not is_deleted and _says_the_same(before, after):
            return before
        await self._record(standing, before, after, by, reason)
        return after

    async def _settled_standing(self) -> Corrected:
        """The corrections that count. What was in doubt is decided in the writer's turn: tell of it again."""
        standing = await self._read_standing()
        doubtful, self._doubtful = self._doubtful, []
        if doubtful:
            self._ingestor.tell((), doubtful)
        return standing

    async def _record(
        self, standing: Corrected, before: StoredEvent, after: StoredEvent | None, by: str, reason: str
    ) -> Correction:
        correction = Correction(new_id(), before, after, self._clock.now())
        block = _block(correction, standing.version + 1, by, reason)
        self._standing = None
        try:
            await self._store.insert_arrow(TABLE, block)
        except BaseException:  # it may be stored, now or later
            self._doubtful.append(correction)
            self._ingestor.tell((), (correction,))
            raise
        await self._read_standing()
        self._ingestor.tell((), (correction,))
        return correction

    async def _find_standing(self, first: StoredEvent) -> tuple[StoredEvent, bool]:
        """What stands for an identity now, and whether it was deleted."""
        sql = (
            f"SELECT {selected_columns()}, is_deletion FROM {TABLE} {_OF_KEY} "  # noqa: S608
            "ORDER BY version DESC LIMIT 1"
        )
        rows = (await self._store.query(sql, _key_of(first.organisation_id, first.source, first.id))).rows
        return (event_from_row(rows[0][:-1]), bool(rows[0][-1])) if rows else (first, False)

    async def _find_first(self, organisation_id: UUID, source: str, id: str) -> StoredEvent:
        """The event as it was stored. Not looked for in the writer's turn, because it takes a while."""
        sql = f"SELECT {selected_columns()} FROM events {_OF_KEY} LIMIT 1"  # noqa: S608
        rows = (await self._store.query(sql, _key_of(organisation_id, source, id))).rows
        if not rows:
            raise NotFound(
                "No event with this source and id was ever stored. Send it with POST /api/v1/events.",
                code="event_not_found",
            )
        return event_from_row(rows[0])

    async def _read_standing(self) -> Corrected:
        """Read what is new since the last look. Corrections never change, so the newest number tells."""
        known = self._standing or NOTHING_CORRECTED
        newest = int(str((await self._store.query(f"SELECT max(version) FROM {TABLE}")).rows[0][0]))  # noqa: S608
        if newest != known.version:
            found = await self._store.query(_CHANGES, {"known": known.version, "newest": newest})
            known = Corrected(newest, _with_changes(known.changes, found.rows))
        if self._standing is None or self._standing.version < known.version:  # a slow look may come late
            self._standing = known
        return known

    async def trail(
        self,
        *,
        organisation_id: UUID,
        source: str | None = None,
        id: str | None = None,
        before: UUID | None = None,
        limit: int = 100,
    ) -> list[TrailEntry]:
        """The audit trail, newest first; a further page continues `before` the last correction's id."""
        where, parameters = ["organisation_id = {organisation:UUID}"], {"organisation": str(organisation_id)}
        for name, text in (("source", source), ("id", id)):
            if text is not None:
                where.append(f"{name} = {{{name}:String}}")
                parameters[name] = text
        if before is not None:
            parameters["before"] = str(before)
            where.append(
                f"version < (SELECT max(version) FROM {TABLE} WHERE correction_id = {{before:UUID}})"  # noqa: S608
            )
        sql = (
            f"SELECT {_TRAIL}, {selected_columns()} FROM {TABLE} "  # noqa: S608
            f"WHERE {' AND '.join(where)} ORDER BY version DESC LIMIT {min(limit, TRAIL_MAX)}"
        )
        return [_entry(row) for row in (await self._store.query(sql, parameters)).rows]


def _with_changes(
    known: Mapping[UUID, tuple[Change, ...] | None], rows: Sequence[Sequence[object]]
) -> dict[UUID, tuple[Change, ...] | None]:
    changes = {one: list(some) for one, some in known.items() if some is not None}
    crowded = {one for one, some in known.items() if some is None}
    for organisation, type_, subject, customer_id, time in rows:
        change = Change(str(type_), str(subject), str(customer_id), from_micros(cast(int, time)))
        changes.setdefault(UUID(str(organisation)), []).append(change)
    crowded |= {one for one, some in changes.items() if len(some) > CHANGES_MAX}
    return {one: None if one in crowded else tuple(changes[one]) for one in {*changes, *crowded}}


_CHANGES = f"""
SELECT toString(organisation_id), removed_type, removed_subject, removed_customer_id,
  toUnixTimestamp64Micro(removed_time)
FROM {TABLE} WHERE version > {{known:UInt64}} AND version <= {{newest:UInt64}}
UNION ALL
SELECT toString(organisation_id), type, subject, customer_id, toUnixTimestamp64Micro(time)
FROM {TABLE} WHERE version > {{known:UInt64}} AND version <= {{newest:UInt64}} AND NOT is_deletion
"""  # noqa: S608

_TRAIL = (
    "toString(correction_id), is_deletion, toUnixTimestamp64Micro(corrected_at), corrected_by, reason, "
    "toString(removed_uid), removed_type, removed_subject, removed_customer_id, "
    "toUnixTimestamp64Micro(removed_time), removed_data"
)


_OF_KEY = "WHERE organisation_id = {organisation:UUID} AND key = {key:UInt128}"


def _key_of(organisation_id: UUID, source: str, id: str) -> dict[str, object]:
    key = Identity(organisation_id).key(source, id)
    return {"organisation": str(organisation_id), "key": int.from_bytes(key, "little")}


def _entry(row: Sequence[object]) -> TrailEntry:
    own, stands = row[:11], event_from_row(row[11:])
    correction_id, is_deletion, at, by, reason, uid, type_, subject, customer_id, time, data = own
    before = replace(
        stands,
        uid=UUID(str(uid)),
        type=str(type_),
        subject=str(subject),
        customer_id=str(customer_id),
        time=from_micros(cast(int, time)),
        data=str(data),
    )
    after = None if is_deletion else stands
    correction = Correction(UUID(str(correction_id)), before, after, from_micros(cast(int, at)))
    return TrailEntry(correction, str(by), str(reason))


def _in_place_of(before: StoredEvent, event: Event, now: datetime) -> StoredEvent:
    kept = {
        name: getattr(before, name) for name in ("origin", "member_id", "external_member_id", "parent_id")
    }
    given = {name: value for name, value in vars(event).items() if name not in kept}
    # A row id of its own, because a removed row is known by its id.
    return StoredEvent(**{**given, **kept, "uid": new_id()}, stored_at=now)


def _says_the_same(one: StoredEvent, other: StoredEvent) -> bool:
    own = ("uid", "ingested_at", "stored_at")
    return all(getattr(one, name) == getattr(other, name) for name in EVENT_COLUMNS if name not in own)


def _check_is_users(event: StoredEvent) -> None:
    """Accounts rest on credits and resets, and giving or taking credit has rules (and a scope) of its own."""
    if event.origin == "system":
        raise Conflict(
            f"{event.type} is an entry of a customer's account and stays; reverse the credit instead.",
            code="event_of_the_system",
        )


def _check_reason(reason: str) -> None:
    if len(reason) > REASON_CHARS_MAX:
        message = f"A reason may have at most {REASON_CHARS_MAX} characters."
        raise Invalid(message, issues=[Issue(("reason",), message, "too_long")])


def _block(correction: Correction, version: int, by: str, reason: str) -> pa.RecordBatch:
    """The row of a correction: its own columns, then those of the event that stands (or stood) there."""
    before = correction.before
    event = block_from_rows(
        rows_from_events([correction.after or before]), (correction.after or before).stored_at, first_seq=0
    ).drop_columns(["seq"])
    own: list[tuple[str, pa.DataType, object]] = [
        ("version", pa.uint64(), version),
        ("correction_id", pa.binary(16), correction.id.bytes),
        ("is_deletion", pa.bool_(), correction.after is None),
        ("corrected_at", _INSTANT, microseconds(correction.at)),
        ("corrected_by", pa.string(), by),
        ("reason", pa.string(), reason),
        ("removed_uid", pa.binary(16), before.uid.bytes),
        ("removed_type", pa.string(), before.type),
        ("removed_subject", pa.string(), before.subject),
        ("removed_customer_id", pa.string(), before.customer_id),
        ("removed_time", _INSTANT, microseconds(before.time)),
        ("removed_data", pa.string(), before.data),
    ]
    names = [name for name, _, _ in own] + event.schema.names
    arrays = [pa.array([value], kind) for _, kind, value in own] + event.columns
    return pa.RecordBatch.from_arrays(arrays, names=names)
