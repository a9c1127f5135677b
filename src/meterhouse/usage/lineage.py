"""Reads of how events hang together: parents, descendants, and lists down to a depth (polar 8.5, 9.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from meterhouse.kernel.errors import LimitExceeded
from meterhouse.platform.ports import EventStore
from meterhouse.usage.drafts import POLAR_SOURCE
from meterhouse.usage.engine import lineage
from meterhouse.usage.model import StoredEvent
from meterhouse.usage.queries import find_event

PARENTS_MAX = 2_000  # named in one query; their text must fit into one bound parameter
ROOTS = ("",)


@dataclass(frozen=True)
class Lineage:
    """An event's parent, if that has arrived, and the number of its descendants."""

    parent: UUID | None = None
    descendants: int = 0


async def lineages(
    store: EventStore, *, organisation_id: UUID, events: Sequence[StoredEvent]
) -> Mapping[UUID, Lineage]:
    """The lineage of each event by its row id."""
    if not events:
        return {}
    parents = await _parents(store, organisation_id, {event.parent_id for event in events} - {""})
    names = {event.uid: lineage.names_of(event.uid, event.source, event.id) for event in events}
    compiled = lineage.compile_descendants(organisation_id, [name for own in names.values() for name in own])
    rows = (await store.query(compiled.sql, compiled.parameters)).rows
    members: dict[str, frozenset[object]] = {str(row[0]): frozenset(_items(row[1])) for row in rows}
    found = {}
    for event in events:
        below = frozenset[object]().union(*(members.get(name, ()) for name in names[event.uid]))
        parent = parents.get(event.parent_id)
        found[event.uid] = Lineage(parent if parent != event.uid else None, len(below - {str(event.uid)}))
    return found


def _items(value: object) -> Sequence[object]:
    assert isinstance(value, Sequence)
    return value


async def _parents(store: EventStore, organisation_id: UUID, texts: set[str]) -> dict[str, UUID]:
    """Which events the texts name: an external id goes before a row id."""
    if not texts:
        return {}
    compiled = lineage.compile_parents(organisation_id, sorted(texts))
    rows = (await store.query(compiled.sql, compiled.parameters)).rows
    found: dict[str, UUID] = {}
    for uid, _, _ in rows:
        found[str(uid)] = UUID(str(uid))
    for uid, source, event_id in rows:
        if source == POLAR_SOURCE:
            found[str(event_id)] = UUID(str(uid))
    return found


async def parents_within(
    store: EventStore, *, organisation_id: UUID, parent_id: UUID | None, depth: int | None
) -> tuple[str, ...]:
    """The texts by which the events to list name their parents (polar 9.2): `EventSearch.parents`.

    Without a parent, depth 0 means the roots, 1 roots and children, and so on; with one, its descendants
    down to that depth, and without a depth its children. Nothing qualifies when the answer is empty.
    Raises `LimitExceeded` when more than `PARENTS_MAX` events of the list have children.
    """
    if parent_id is None:
        level: tuple[str, ...] = ROOTS
        steps = depth or 0
    else:
        level = await _names(store, organisation_id, parent_id)
        steps = 0 if depth is None else depth - 1
        if steps < 0:
            return ()
    found = dict.fromkeys(level)
    for _ in range(steps):
        level = await _fertile(store, organisation_id, level)
        level = tuple(name for name in level if name not in found)
        if not level:
            break
        found |= dict.fromkeys(level)
        if len(found) > PARENTS_MAX:
            raise _too_many()
    return tuple(found)


async def _names(store: EventStore, organisation_id: UUID, parent_id: UUID) -> tuple[str, ...]:
    parent = await find_event(store, organisation_id=organisation_id, uid=parent_id)
    return (str(parent_id),) if parent is None else lineage.names_of(parent.uid, parent.source, parent.id)


async def _fertile(store: EventStore, organisation_id: UUID, parents: tuple[str, ...]) -> tuple[str, ...]:
    compiled = lineage.compile_fertile(organisation_id, parents, PARENTS_MAX + 1)
    rows = (await store.query(compiled.sql, compiled.parameters)).rows
    if len(rows) > PARENTS_MAX:
        raise _too_many()
    return tuple(
        name
        for uid, source, event_id in rows
        for name in lineage.names_of(UUID(str(uid)), str(source), str(event_id))
    )


def _too_many() -> LimitExceeded:
    return LimitExceeded(
        f"More than {PARENTS_MAX} events have children within this depth. Ask for a smaller depth, or for "
        "the descendants of one event with parent_id.",
        code="too_many_parents",
    )
