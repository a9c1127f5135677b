"""Queries about parents and descendants of events (polar 8.5).

An event stores its parent as it was named: by external id or by row id, and perhaps before the parent
itself arrived. So both names of an event are compared whenever its children are meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from meterhouse.usage.drafts import POLAR_SOURCE
from meterhouse.usage.engine import columns
from meterhouse.usage.engine.compile import CompiledQuery
from meterhouse.usage.engine.parameters import Parameters

DEPTH_MAX = 100

_UID = f"toString({columns.UID})"


def names_of(uid: UUID, source: str, event_id: str) -> tuple[str, ...]:
    """The texts by which children may name an event."""
    names = (event_id, str(uid)) if source == POLAR_SOURCE else (str(uid),)
    return tuple(dict.fromkeys(names))


def _names(bind: Parameters, table: str = "") -> str:
    uid, source, event_id = (f"{table}{name}" for name in (columns.UID, columns.SOURCE, columns.ID))
    own = f"if({source} = {bind.text(POLAR_SOURCE)}, {event_id}, toString({uid}))"
    return f"arrayDistinct([toString({uid}), {own}])"


def compile_parents(organisation_id: UUID, names: Sequence[str]) -> CompiledQuery:
    """Row id, source and id of the events that the given texts may name."""
    bind = Parameters()
    texts = bind.texts(names)
    own = f"({columns.SOURCE} = {bind.text(POLAR_SOURCE)} AND {columns.ID} IN {texts})"
    sql = (
        f"SELECT {_UID}, {columns.SOURCE}, {columns.ID} FROM {columns.TABLE} "  # noqa: S608
        f"WHERE {columns.ORGANISATION} = {bind.uuid(organisation_id)} AND ({own} OR {_UID} IN {texts})"
    )
    return CompiledQuery(sql, bind.values, (columns.UID, columns.SOURCE, columns.ID))


def compile_descendants(organisation_id: UUID, names: Sequence[str]) -> CompiledQuery:
    """How many events descend from each of the texts; texts without children are left out.

    Descendants are told apart by row id and followed `DEPTH_MAX` levels down, so circles end.
    """
    bind = Parameters()
    organisation, table = bind.uuid(organisation_id), columns.TABLE
    sql = (
        "WITH RECURSIVE tree AS ("  # noqa: S608
        f"SELECT {columns.PARENT} AS ancestor, {columns.UID} AS member, arrayJoin({_names(bind)}) AS name, "
        f"toUInt8(1) AS depth FROM {table} WHERE {columns.ORGANISATION} = {organisation} "
        f"AND {columns.PARENT} IN {bind.texts(names)} "
        "UNION ALL "
        f"SELECT tree.ancestor, event.{columns.UID}, arrayJoin({_names(bind, 'event.')}), "
        f"toUInt8(tree.depth + 1) FROM {table} AS event "
        f"INNER JOIN tree ON event.{columns.PARENT} = tree.name "
        f"WHERE event.{columns.ORGANISATION} = {organisation} AND event.{columns.PARENT} != '' "
        f"AND tree.depth < {DEPTH_MAX}"
        ") SELECT ancestor, groupUniqArray(toString(member)) FROM tree GROUP BY ancestor"
    )
    return CompiledQuery(sql, bind.values, ("ancestor", "members"))


def compile_fertile(organisation_id: UUID, parents: Sequence[str], limit: int) -> CompiledQuery:
    """Row id, source and id of those children of the given parents that have children themselves."""
    bind = Parameters()
    organisation = bind.uuid(organisation_id)
    named = (
        f"SELECT DISTINCT {columns.PARENT} FROM {columns.TABLE} "  # noqa: S608
        f"WHERE {columns.ORGANISATION} = {organisation} AND {columns.PARENT} != ''"
    )
    own = f"({columns.SOURCE} = {bind.text(POLAR_SOURCE)} AND {columns.ID} IN ({named}))"
    sql = (
        f"SELECT {_UID}, {columns.SOURCE}, {columns.ID} FROM {columns.TABLE} "  # noqa: S608
        f"WHERE {columns.ORGANISATION} = {organisation} AND {columns.PARENT} IN {bind.texts(parents)} "
        f"AND ({own} OR {_UID} IN ({named})) LIMIT {int(limit)}"
    )
    return CompiledQuery(sql, bind.values, (columns.UID, columns.SOURCE, columns.ID))
