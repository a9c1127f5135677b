"""Reads: meters from PostgreSQL, quantities and events from the event store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, Select, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.kernel.errors import Invalid, Issue, NotFound
from meterhouse.kernel.ids import parse_id
from meterhouse.platform.ports import EventStore
from meterhouse.usage.convert import meter_from_row
from meterhouse.usage.definition import SLUG, is_expressible_as
from meterhouse.usage.engine import compile as compiler
from meterhouse.usage.engine import events as event_queries
from meterhouse.usage.engine.decode import Parts, decode_meter_query, named_rows
from meterhouse.usage.engine.parameters import to_micros
from meterhouse.usage.engine.quantities import decode_quantities
from meterhouse.usage.engine.ranges import (
    COUNTS,
    REPLACED_SEQ,
    MinuteParts,
    Range,
    Usage,
    compile_has_events,
    compile_minutes,
    compile_ranges,
    compile_recent,
    read_minutes,
    read_slots,
    split_ranges,
    values_from,
)
from meterhouse.usage.engine.sharing import Wish, compile_shared, read_shared
from meterhouse.usage.model import (
    Dialect,
    EventCriteria,
    EventPage,
    EventSearch,
    Filter,
    Identities,
    Meter,
    MeterQuery,
    Quantities,
    QuantityQuery,
    QueryRow,
    StoredEvent,
    StringFilter,
)
from meterhouse.usage.rolled_answers import answer_meter_query, answer_quantities
from meterhouse.usage.tables import meters
from meterhouse.usage.view import EventView

METERS_READ_MAX = 10_000
GROUP_VALUES_MAX = 10_000
RECENT = timedelta(days=32)
DEFAULT_VALUES_RANGE = timedelta(hours=24)

MeterSort = Literal["slug", "name", "aggregation", "created_at", "modified_at"]


@dataclass(frozen=True)
class MeterCriteria:
    """Which meters to list; all parts AND. `metadata` maps a key to the texts it may have."""

    name_contains: str | None = None
    is_archived: bool | None = None
    include_deleted: bool = False
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    external_ids: tuple[str, ...] | None = None
    expressible_as: Dialect | None = None


defined = select(meters.c.id, func.coalesce(meters.c.modified_at, meters.c.created_at).label("at")).subquery(
    "meter"
)
"""When meters were last changed, for queries of others that need it in the same statement."""


# Made once: to put a statement together takes a third of the time that a question has for its meter.
_OWN = select(meters).where(meters.c.organisation_id == bindparam("of"))
_BY_ID = _OWN.where(meters.c.id == bindparam("id"))
_BY_SLUG = _OWN.where(meters.c.slug == bindparam("slug"), meters.c.deleted_at.is_(None))


async def find_meter(
    connection: AsyncConnection, *, organisation_id: UUID, id_or_slug: str, lock: bool = False
) -> Meter | None:
    """A meter by id in either spelling (also a deleted one) or by the slug of a live one."""
    meter_id, is_slug = parse_id(id_or_slug), SLUG.fullmatch(id_or_slug) is not None
    row = None
    if meter_id is not None:
        row = await _first(connection, _BY_ID, lock, of=organisation_id, id=meter_id)
    if row is None and is_slug:  # which may look like an id: 26 or 32 lower case letters and digits
        row = await _first(connection, _BY_SLUG, lock, of=organisation_id, slug=id_or_slug)
    return meter_from_row(dict(row)) if row is not None else None


async def _first(
    connection: AsyncConnection, query: Select[Any], lock: bool, **bound: object
) -> RowMapping | None:
    wanted = query.with_for_update() if lock else query
    found: RowMapping | None = (await connection.execute(wanted, bound)).mappings().first()
    return found


async def find_meters(
    connection: AsyncConnection, *, organisation_id: UUID, ids: Collection[UUID]
) -> dict[UUID, Meter]:
    """Meters by their ids, deleted ones too; unknown ids are left out."""
    if not ids:
        return {}
    query = select(meters).where(meters.c.organisation_id == organisation_id, meters.c.id.in_(ids))
    found = [meter_from_row(dict(row)) for row in (await connection.execute(query)).mappings()]
    return {meter.id: meter for meter in found}


async def get_meter(
    connection: AsyncConnection, *, organisation_id: UUID, id_or_slug: str, lock: bool = False
) -> Meter:
    """As `find_meter`. Raises `NotFound`; `lock` holds the row until the transaction ends."""
    meter = await find_meter(connection, organisation_id=organisation_id, id_or_slug=id_or_slug, lock=lock)
    if meter is None:
        raise NotFound(f"meter not found: {id_or_slug[:100]}", code="meter_not_found")
    return meter


async def get_meter_by_external_id(
    connection: AsyncConnection, *, organisation_id: UUID, external_id: str
) -> Meter:
    """A live meter by its external id. Raises `NotFound`."""
    found, _ = await list_meters(
        connection, organisation_id=organisation_id, criteria=MeterCriteria(external_ids=(external_id,))
    )
    if not found:
        raise NotFound(f"meter not found: {external_id[:100]}", code="meter_not_found")
    return found[0]


async def list_meters(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    criteria: MeterCriteria | None = None,
    sort: tuple[tuple[MeterSort, bool], ...] = (("slug", False),),
    limit: int = 1000,
    offset: int = 0,
) -> tuple[list[Meter], int]:
    """One page of meters and how many there are in all. `sort` pairs a key with "descending"."""
    wanted = criteria or MeterCriteria()
    query = select(meters).where(meters.c.organisation_id == organisation_id, *_meter_conditions(wanted))
    for key, is_descending in sort:
        column: ColumnElement[object] = meters.c[key]
        if key == "modified_at":  # a meter that never changed was last changed when it was made
            column = func.coalesce(meters.c.modified_at, meters.c.created_at)
        query = query.order_by(column.desc() if is_descending else column.asc())
    rows = (await connection.execute(query.order_by(meters.c.id).limit(METERS_READ_MAX))).mappings()
    listed = [meter_from_row(dict(row)) for row in rows]
    if wanted.expressible_as is not None:
        listed = [meter for meter in listed if is_expressible_as(meter, wanted.expressible_as)]
    return listed[offset : offset + limit], len(listed)


def _meter_conditions(criteria: MeterCriteria) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if not criteria.include_deleted:
        conditions.append(meters.c.deleted_at.is_(None))
    if criteria.is_archived is not None:
        archived = meters.c.archived_at.is_not(None)
        conditions.append(archived if criteria.is_archived else ~archived)
    if criteria.name_contains:
        needle = criteria.name_contains.replace("\x00", "\ufffd")  # PostgreSQL holds no U+0000
        conditions.append(func.strpos(func.lower(meters.c.name), func.lower(needle)) > 0)
    if criteria.external_ids is not None:
        wanted = [external_id for external_id in criteria.external_ids if "\x00" not in external_id]
        conditions.append(meters.c.external_id.in_(wanted))
    for key, values in criteria.metadata.items():
        stored = meters.c.metadata[key.replace("\x00", "\ufffd")].astext
        conditions.append(stored.in_([value for value in values if "\x00" not in value]))
    return conditions


async def list_meters_of_type(
    connection: AsyncConnection, *, organisation_id: UUID, event_types: set[str]
) -> list[Meter]:
    """Live OpenMeter-style meters of the given event types, as `validation` wants them."""
    listed, _ = await list_meters(connection, organisation_id=organisation_id, limit=METERS_READ_MAX)
    return [meter for meter in listed if meter.event_type in event_types]


async def query_meter(store: EventStore, meter: Meter, query: MeterQuery, *, now: datetime) -> list[QueryRow]:
    """Answer an OpenMeter-style question (openmeter 2.2), in order of window, subject, customer, groups.

    Raises `Invalid` for a question the meter cannot answer, `DependencyFailed` when the engine fails.
    """
    answer = await answer_meter_query(store, meter, query)
    return decode_meter_query(meter, query, answer, now=now)


def expect_questions(store: EventStore, meter: Meter) -> None:
    """Begin to make a new meter's rollup, so that the first question does not have to read every event."""
    if isinstance(store, EventView):
        store.rollups.expect(meter)


async def quantities(store: EventStore, meter: Meter, query: QuantityQuery) -> Quantities:
    """Answer a Polar-style question (polar 7). Totals are bounded to the listed buckets.

    Raises `Invalid` for a bad span or zone, `LimitExceeded` for too many customers to combine.
    """
    answer = await answer_quantities(store, meter, query)
    return decode_quantities(meter, query, answer)


async def values_in_ranges(
    store: EventStore,
    meter: Meter,
    *,
    customer: Identities,
    ranges: Sequence[Range],
    group_filters: Mapping[str, StringFilter] | None = None,
    upto: int | None = None,
) -> list[Fraction | None]:
    """A customer's usage in each of some ranges `[start, end)`, which may overlap; each on its own, exact.

    `None` where nothing qualifies, zero for counts. With `upto`, events up to that `seq` count. It takes one
    query, or more when there are thousands of ranges. Raises `DependencyFailed` when the engine fails.
    """
    usage = Usage(meter, customer, group_filters or {}, upto)
    found: dict[Range, Fraction | None] = {}
    for batch in split_ranges(usage, [range_ for range_ in ranges if range_[0] < range_[1]]):
        compiled = compile_ranges(usage, batch)
        rows = named_rows(compiled, (await store.query(compiled.sql, compiled.parameters)).rows)
        answers = values_from(meter.aggregation, read_slots(usage, rows), batch)
        found.update(zip(batch, answers, strict=True))
    nothing = Parts(0, Fraction(0)).result(meter.aggregation) if meter.aggregation in COUNTS else None
    return [found.get(range_, nothing) for range_ in ranges]


async def recent_usage(
    store: EventStore, usage: Usage, *, ranges: Sequence[Range], from_at: datetime
) -> tuple[list[Fraction | None], dict[int, MinuteParts]]:
    """`values_in_ranges` for ranges that end by `from_at`, and `usage_by_minute` from there, in one query.

    Not for unique values, which have no minutes.
    """
    batches = split_ranges(usage, [range_ for range_ in ranges if range_[0] < range_[1]])
    first = batches[0] if batches else []
    compiled = compile_recent(usage, first, from_at)
    rows = named_rows(compiled, (await store.query(compiled.sql, compiled.parameters)).rows)
    since = to_micros(from_at)
    past = read_slots(usage, [row for row in rows if cast(int, row["k_slot"]) < since])
    minutes = read_minutes(usage, [row for row in rows if cast(int, row["k_slot"]) >= since])
    found = dict(zip(first, values_from(usage.meter.aggregation, past, first), strict=True))
    rest = [range_ for batch in batches[1:] for range_ in batch]
    meter, customer, filters = usage.meter, usage.customer, usage.group_filters
    values = await values_in_ranges(
        store, meter, customer=customer, ranges=rest, group_filters=filters, upto=usage.upto
    )
    found.update(zip(rest, values, strict=True))
    nothing = Fraction(0) if meter.aggregation in COUNTS else None
    return [found.get(range_, nothing) for range_ in ranges], minutes


async def recent_usages(
    store: EventStore, wishes: Sequence[Wish], *, from_at: datetime
) -> list[tuple[list[Fraction | None], dict[int, MinuteParts]]]:
    """`recent_usage` for one customer's usages of one meter that differ in their filters by group-bys.

    It takes one query, unless there is too much to be read together.
    """
    compiled = compile_shared(wishes, from_at) if len(wishes) > 1 else None
    shares = None
    if compiled is not None:
        rows = named_rows(compiled, (await store.query(compiled.sql, compiled.parameters)).rows)
        shares = read_shared(wishes, rows)
    if shares is None:
        return [await recent_usage(store, wish.usage, ranges=wish.ranges, from_at=from_at) for wish in wishes]
    since = to_micros(from_at)
    found = []
    for wish, held in zip(wishes, shares, strict=True):
        past = {(0, start): told.parts for start, told in held.items() if start < since}
        minutes = {start: told for start, told in held.items() if start >= since}
        found.append((values_from(wish.usage.meter.aggregation, past, wish.ranges), minutes))
    return found


async def usage_by_minute(
    store: EventStore, usage: Usage, *, from_at: datetime | None = None
) -> dict[int, MinuteParts]:
    """What a customer used in every minute from `from_at` on, by the microsecond at which it starts."""
    compiled = compile_minutes(usage, from_at)
    rows = named_rows(compiled, (await store.query(compiled.sql, compiled.parameters)).rows)
    return read_minutes(usage, rows)


async def has_usage_before(store: EventStore, usage: Usage, *, to_at: datetime) -> bool:
    """Whether a customer has any event before an instant that may belong to the meter."""
    compiled = compile_has_events(usage, to_at)
    return bool((await store.query(compiled.sql, compiled.parameters)).rows[0][0])


async def newest_event(store: EventStore, *, known: int = 0) -> int:
    """The highest `seq` of all events; `known` is one that was reached before."""
    sql = f"SELECT max(seq) FROM events WHERE seq >= {{known:UInt64}} AND seq < {REPLACED_SEQ}"  # noqa: S608
    return max(known, int(str((await store.query(sql, {"known": known})).rows[0][0])))


async def corrections_made(store: EventStore, organisation_id: UUID) -> int:
    """A number that rises with every correction of an organisation's events (and, once there is one, with
    those of others)."""
    if not isinstance(store, EventView):
        return 0
    standing = await store.corrections.now()
    return standing.version if organisation_id in standing.changes else 0


async def has_match(store: EventStore, meter: Meter) -> bool:
    """Whether any stored event matches the meter's filter."""
    return await has_event(store, organisation_id=meter.organisation_id, filter=meter.filter)


async def has_event(store: EventStore, *, organisation_id: UUID, filter: Filter) -> bool:
    """Whether any stored event matches; decides whether a new meter `is_frozen` (polar 4.3)."""
    search = EventSearch(filter=filter)
    page, _ = event_queries.compile_search(organisation_id, search, limit=1, offset=0)
    return bool((await store.query(page.sql, page.parameters)).rows)


async def find_event(store: EventStore, *, organisation_id: UUID, uid: UUID) -> StoredEvent | None:
    """An event by its row id."""
    compiled = event_queries.compile_event(organisation_id, uid)
    rows = (await store.query(compiled.sql, compiled.parameters)).rows
    return event_queries.event_from_row(rows[0]) if rows else None


async def list_events(
    store: EventStore, *, organisation_id: UUID, criteria: EventCriteria, limit: int = 100
) -> list[StoredEvent]:
    """Events newest first (openmeter 1.4, 1.5). A full page continues at `Cursor` of its last event."""
    compiled = event_queries.compile_criteria(organisation_id, criteria, limit)
    rows = (await store.query(compiled.sql, compiled.parameters)).rows
    return [event_queries.event_from_row(row) for row in rows]


def recent(criteria: EventCriteria, *, now: datetime) -> EventCriteria:
    """Apply the range rules of OpenMeter's first event list (openmeter 1.4), in whole seconds.

    `from` is 32 days less a second ago by default. Raises `Invalid` for a range that starts earlier
    than 32 days ago or ends before it starts.
    """
    bounds = {
        name: value.replace(microsecond=0) if value is not None else None
        for name, value in {
            "from_at": criteria.from_at,
            "to_at": criteria.to_at,
            "ingested_from_at": criteria.ingested_from_at,
            "ingested_to_at": criteria.ingested_to_at,
        }.items()
    }
    oldest = now.replace(microsecond=0) - RECENT
    if bounds["from_at"] is None:
        bounds["from_at"] = oldest + timedelta(seconds=1)
    issues = []
    for wire, start, end in (
        ("from", bounds["from_at"], bounds["to_at"]),
        ("ingestedAtFrom", bounds["ingested_from_at"], bounds["ingested_to_at"]),
    ):
        if start is not None and start < oldest:
            issues.append(Issue((wire,), f"{wire} must not be older than 32 days", "too_old"))
        if start is not None and end is not None and end < start:
            issues.append(
                Issue((wire,), f"the range that starts with {wire} ends before it", "invalid_range")
            )
    if issues:
        raise Invalid("; ".join(issue.message for issue in issues), issues=tuple(issues))
    return EventCriteria(**{**vars(criteria), **bounds})


async def search_events(
    store: EventStore, *, organisation_id: UUID, search: EventSearch, limit: int = 10, offset: int = 0
) -> EventPage:
    """One page of events and their count (polar 9.2)."""
    page, count = event_queries.compile_search(organisation_id, search, limit=limit, offset=offset)
    rows = (await store.query(page.sql, page.parameters)).rows
    total = (await store.query(count.sql, count.parameters)).rows[0][0]
    assert isinstance(total, int)
    return EventPage(tuple(event_queries.event_from_row(row) for row in rows), total)


async def list_subjects(
    store: EventStore, meter: Meter, *, from_at: datetime | None = None, to_at: datetime | None = None
) -> list[str]:
    """Sorted distinct subjects having events of the meter (openmeter 2.2)."""
    compiled = compiler.compile_subjects(meter, from_at, to_at)
    return [str(row[0]) for row in (await store.query(compiled.sql, compiled.parameters)).rows]


async def group_by_values(
    store: EventStore,
    meter: Meter,
    *,
    key: str,
    now: datetime,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> list[str]:
    """Sorted distinct values of one of the meter's group-bys; of the last 24 hours without a range.

    Raises `NotFound` for an unknown key. At most 10,000 values are listed.
    """
    if key not in meter.group_by:
        raise NotFound(f"group by key not found: {key[:100]}", code="group_by_not_found")
    if from_at is None and to_at is None:
        from_at = now - DEFAULT_VALUES_RANGE
    compiled = compiler.compile_group_values(meter, key, from_at, to_at, limit=GROUP_VALUES_MAX)
    return [str(row[0]) for row in (await store.query(compiled.sql, compiled.parameters)).rows]
