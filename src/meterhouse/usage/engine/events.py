"""Queries that list events, and rows back into events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from meterhouse.usage.engine import columns, filters
from meterhouse.usage.engine.compile import (
    NUMERIC,
    SETTINGS,
    CompiledQuery,
    Draft,
    subject_owners,
    value_columns,
)
from meterhouse.usage.engine.parameters import Parameters, from_micros
from meterhouse.usage.model import (
    Cursor,
    EventCriteria,
    EventSearch,
    Filter,
    Identities,
    Origin,
    StoredEvent,
)

_INSTANTS = frozenset({columns.TIME, columns.INGESTED_AT, columns.STORED_AT})
_AS_TEXT = frozenset({columns.ORGANISATION, columns.UID, columns.ORIGIN})
NEWEST_FIRST = f"ORDER BY {columns.TIME} DESC, toString({columns.UID}) DESC"
EXPRESSIBLE = f"{columns.TYPE} != '' AND NOT ({columns.SUBJECT} = '' AND {columns.CUSTOMER} = '')"
OLDEST_FIRST = f"ORDER BY {columns.TIME}, toString({columns.UID})"


def selected_columns(*, data_bytes_max: int | None = None) -> str:
    """Columns of an event in plain types, the same from every form of the engine.

    With `data_bytes_max`, data beyond it are left out, and a last column says of which events.
    """
    selected = {name: _plain(name) for name in columns.EVENT_COLUMNS}
    if data_bytes_max is not None:
        is_large = f"length({columns.DATA}) > {int(data_bytes_max)}"
        selected[columns.DATA] = f"if({is_large}, '', {columns.DATA})"
        selected["is_large"] = f"toUInt8({is_large})"
    return ", ".join(selected.values())


def _plain(name: str) -> str:
    if name in _INSTANTS:
        return f"toUnixTimestamp64Micro({name})"
    return f"toString({name})" if name in _AS_TEXT else name


def event_from_row(row: Sequence[object]) -> StoredEvent:
    """An event from a row of `selected_columns`."""
    got = dict(zip(columns.EVENT_COLUMNS, row, strict=True))
    text = {name: str(value) for name, value in got.items() if name not in _INSTANTS}

    def instant(name: str) -> datetime:
        value = got[name]
        assert isinstance(value, int)
        return from_micros(value)

    return StoredEvent(
        organisation_id=UUID(text[columns.ORGANISATION]),
        type=text[columns.TYPE],
        source=text[columns.SOURCE],
        id=text[columns.ID],
        subject=text[columns.SUBJECT],
        time=instant(columns.TIME),
        ingested_at=instant(columns.INGESTED_AT),
        uid=UUID(text[columns.UID]),
        data=text[columns.DATA],
        origin=cast(Origin, text[columns.ORIGIN]),
        customer_id=text[columns.CUSTOMER],
        member_id=text[columns.MEMBER],
        external_member_id=text[columns.EXTERNAL_MEMBER],
        parent_id=text[columns.PARENT],
        stored_at=instant(columns.STORED_AT),
    )


def compile_event(organisation_id: UUID, uid: UUID) -> CompiledQuery:
    """One event by its row id."""
    bind = Parameters()
    where = [
        f"{columns.ORGANISATION} = {bind.uuid(organisation_id)}",
        f"{columns.UID} = {bind.uuid(uid)}",
    ]
    return _listing(where, bind, f"{NEWEST_FIRST} LIMIT 1")


def compile_criteria(organisation_id: UUID, criteria: EventCriteria, limit: int) -> CompiledQuery:
    """Events newest first (openmeter 1.4 and 1.5). Raises `Invalid` for a broken filter.

    Polar lets names and external ids be empty; OpenMeter has no words for such events and passes over them.
    """
    bind = Parameters()
    where = [*criteria_conditions(organisation_id, criteria, bind), EXPRESSIBLE]
    return _listing(where, bind, f"{NEWEST_FIRST} LIMIT {int(limit)}")


def criteria_conditions(organisation_id: UUID, criteria: EventCriteria, bind: Parameters) -> list[str]:
    """What the events of a list have in common. Raises `Invalid` for a broken filter."""
    where = [f"{columns.ORGANISATION} = {bind.uuid(organisation_id)}"]
    bounds = (
        (columns.TIME, ">=", criteria.from_at),
        (columns.TIME, "<", criteria.to_at),
        (columns.INGESTED_AT, ">=", criteria.ingested_from_at),
        (columns.INGESTED_AT, "<", criteria.ingested_to_at),
    )
    where += [f"{name} {sign} {bind.instant(at)}" for name, sign, at in bounds if at is not None]
    if criteria.id_contains:
        where.append(f"position({columns.ID}, {bind.text(criteria.id_contains)}) > 0")
    if criteria.subject is not None:
        where.append(f"{columns.SUBJECT} = {bind.text(criteria.subject)}")
    if criteria.customers is not None:
        owned = Identities(tuple(criteria.customers), tuple(subject_owners(criteria.customers)))
        where.append(filters.identity_condition(owned, bind))
    for name, wanted in criteria.texts.items():
        where.append(filters.string_condition(_TEXT_COLUMNS[name], wanted, bind))
    for name, moment in criteria.times.items():
        where.append(filters.time_condition(_TIME_COLUMNS[name], moment, bind))
    if criteria.after is not None:
        where.append(_after(criteria.after, bind))
    return where


_TEXT_COLUMNS = {
    "id": columns.ID,
    "source": columns.SOURCE,
    "subject": columns.SUBJECT,
    "type": columns.TYPE,
}
_TIME_COLUMNS = {"time": columns.TIME, "ingested_at": columns.INGESTED_AT}


def _after(cursor: Cursor, bind: Parameters) -> str:
    time, uid = bind.instant(cursor.time), bind.text(str(cursor.uid))
    same = f"({columns.TIME} = {time} AND toString({columns.UID}) < {uid})"
    return f"({columns.TIME} < {time} OR {same})"


def _listing(where: list[str], bind: Parameters, tail: str) -> CompiledQuery:
    sql = f"SELECT {selected_columns()} FROM {columns.TABLE} WHERE {' AND '.join(where)} {tail}"  # noqa: S608
    return CompiledQuery(sql, bind.values, columns.EVENT_COLUMNS)


def compile_search(
    organisation_id: UUID, search: EventSearch, *, limit: int, offset: int
) -> tuple[CompiledQuery, CompiledQuery]:
    """One page of events, and the count of all (polar 9.2). Raises `Invalid` for a broken filter."""
    bind, conditions = Parameters(), list[str]()
    draft = Draft(organisation_id, bind)
    base = _search_base(organisation_id, search, bind)
    for tree in _trees(search):
        base += _required(tree, bind)
        conditions.append(filters.tree_condition(tree, bind, draft.raw_of))
    conditions += filters.metadata_conditions(search.metadata, bind, draft.raw_of)
    values: list[str] = []
    if search.meter is not None:
        if search.meter.event_from is not None:
            base.append(f"{columns.TIME} >= {bind.instant(search.meter.event_from)}")
        if search.meter.aggregation in NUMERIC:
            values = value_columns(search.meter, draft)
            conditions.append("v_ok")
    source = draft.source(base)
    inner = f"SELECT {', '.join(['*', *values])} FROM ({source})"  # noqa: S608
    if conditions:
        inner += f" WHERE {' AND '.join(conditions)}"
    order = OLDEST_FIRST if search.is_ascending else NEWEST_FIRST
    paging = f"LIMIT {int(limit)} OFFSET {int(offset)}"
    page = f"SELECT {selected_columns()} FROM ({inner}) {order} {paging} {SETTINGS}"  # noqa: S608
    count = f"SELECT count() AS n FROM ({inner}) {SETTINGS}"  # noqa: S608
    return (
        CompiledQuery(page, bind.values, columns.EVENT_COLUMNS),
        CompiledQuery(count, bind.values, ("n",)),
    )


def _trees(search: EventSearch) -> list[Filter]:
    trees = [search.filter, search.meter.filter if search.meter else None]
    return [tree for tree in trees if tree is not None and tree.clauses]


def _required(tree: Filter, bind: Parameters) -> list[str]:
    event_type = filters.required_type(tree)
    return [] if event_type is None else [f"{columns.TYPE} = {bind.text(event_type)}"]


def _search_base(organisation_id: UUID, search: EventSearch, bind: Parameters) -> list[str]:
    base = [f"{columns.ORGANISATION} = {bind.uuid(organisation_id)}"]
    if search.start_at is not None:
        base.append(f"{columns.TIME} > {bind.instant(search.start_at)}")
    if search.end_at is not None:
        base.append(f"{columns.TIME} < {bind.instant(search.end_at)}")
    if search.names is not None:
        base.append(f"{columns.TYPE} IN {bind.texts(search.names)}")
    if search.origins is not None:
        base.append(f"has({bind.texts(search.origins)}, toString({columns.ORIGIN}))")
    if search.parents is not None:
        base.append(f"{columns.PARENT} IN {bind.texts(search.parents)}")
    if search.identities is not None:
        base.append(filters.identity_condition(search.identities, bind))
    if search.text is not None:
        needle = bind.text(search.text)
        places = (columns.TYPE, f"toString({columns.ORIGIN})", columns.DATA)
        found = [f"positionCaseInsensitiveUTF8({place}, {needle}) > 0" for place in places]
        if search.text_identities is not None:
            found.append(filters.identity_condition(search.text_identities, bind))
        base.append(f"({' OR '.join(found)})")
    return base
