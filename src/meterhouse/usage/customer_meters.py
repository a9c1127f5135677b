"""What customers have of meters: consumed, credited, balance, always as of now (polar 10.1 to 10.3).

A row exists for a customer and a meter once the customer has an event. Only its id and its beginning are
kept; every number is computed from the events when it is asked for.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.customers import queries as customer_queries
from meterhouse.customers.model import Customer
from meterhouse.kernel.errors import LimitExceeded, NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Database, EventStore
from meterhouse.usage.engine import columns
from meterhouse.usage.engine.consumption import (
    Asked,
    Consumer,
    Consumption,
    Presence,
    compile_consumption,
    compile_few_events,
    compile_presence,
    decode_consumption,
    decode_few_events,
    decode_presence,
    evaluate_consumption,
)
from meterhouse.usage.engine.credits import (
    CREDITED,
    RESET,
    Credit,
    MeterReset,
    Period,
    current_period,
    read_system_event,
)
from meterhouse.usage.engine.decode import named_rows
from meterhouse.usage.engine.events import event_from_row, selected_columns
from meterhouse.usage.engine.filters import required_type
from meterhouse.usage.engine.parameters import Parameters
from meterhouse.usage.model import Meter, StoredEvent
from meterhouse.usage.queries import METERS_READ_MAX, MeterCriteria, get_meter, list_meters
from meterhouse.usage.tables import customer_meters

CUSTOMERS_PER_QUERY = 500
METERS_ASKED_AT_ONCE = 2  # with more of them it pays to look first which ones have usage at all
EVENTS_EVALUATED_MAX = 1_000
EVALUATIONS_MAX = 200_000  # of one event by one meter, a few microseconds each
EVALUATED_BYTES_MAX = 20_000
PAIRS_MAX = 100_000

CustomerMeterSort = Literal[
    "created_at",
    "modified_at",
    "customer_id",
    "customer_name",
    "meter_id",
    "meter_name",
    "consumed_units",
    "credited_units",
    "balance",
]

Pair = tuple[UUID, UUID]  # customer, meter
T = TypeVar("T")


@dataclass(frozen=True)
class CustomerMeter:
    """One customer's account on one meter. `modified_at` is when something last counted, if later."""

    id: UUID
    created_at: datetime
    customer: Customer
    meter: Meter
    consumed: Fraction = Fraction(0)
    period: Period = field(default_factory=Period)
    modified_at: datetime | None = None

    @property
    def credited(self) -> int:
        return self.period.credited

    @property
    def balance(self) -> Fraction:
        """What is left; negative when more was consumed than credited."""
        return self.credited - self.consumed


@dataclass(frozen=True)
class CustomerMeterCriteria:
    """Which rows to list; all parts AND, the values of one OR. Archived meters only when named by id."""

    customer_ids: tuple[UUID, ...] | None = None
    customer_keys: tuple[str, ...] | None = None
    meter_ids: tuple[UUID, ...] | None = None
    meter_external_ids: tuple[str, ...] | None = None


async def list_customer_meters(
    database: Database,
    store: EventStore,
    *,
    organisation_id: UUID,
    criteria: CustomerMeterCriteria,
    sort: Sequence[tuple[CustomerMeterSort, bool]] = (("modified_at", True),),
    limit: int = 10,
    offset: int = 0,
) -> tuple[list[CustomerMeter], int]:
    """One page of rows and how many there are in all. `sort` pairs a key with "descending".

    Raises `LimitExceeded` when more than `PAIRS_MAX` customers times meters would have to be computed.
    """
    async with database.begin() as connection:
        meters = await _meters(connection, organisation_id, criteria)
        most = PAIRS_MAX // max(1, len(meters))
        customers = await _customers(connection, organisation_id, criteria, most) if meters else []
        consumers = await _consumers(connection, organisation_id, customers)
        kept = await _kept(connection, customers)
    rows = await _rows(database, store, _Pairs(organisation_id, customers, meters, consumers, kept))
    is_cheap = all(key in _UNCOMPUTED for key, _ in sort)
    if not is_cheap:
        rows = await _computed(store, organisation_id, rows, consumers)
    for key, is_descending in reversed([*sort, ("id", False)]):
        rows.sort(key=_SORTED_BY[key], reverse=is_descending)
    page = rows[offset : offset + limit]
    if is_cheap:
        page = await _computed(store, organisation_id, page, consumers)
    return page, len(rows)


async def get_customer_meter(
    database: Database, store: EventStore, *, organisation_id: UUID, customer_meter_id: UUID
) -> CustomerMeter:
    """A row by its id. Raises `NotFound`, also when its customer or meter is deleted."""
    query = select(customer_meters).where(
        customer_meters.c.organisation_id == organisation_id, customer_meters.c.id == customer_meter_id
    )
    async with database.begin() as connection:
        row = (await connection.execute(query)).mappings().first()
        if row is None:
            raise _not_found()
        meter_id, customer_id = str(row["meter_id"]), row["customer_id"]
        meter = await get_meter(connection, organisation_id=organisation_id, id_or_slug=meter_id)
        found = await customer_queries.find_customers(
            connection, organisation_id=organisation_id, ids=[customer_id]
        )
        customer = found.get(customer_id)
        if customer is None or customer.deleted_at is not None or meter.deleted_at is not None:
            raise _not_found()
        consumers = await _consumers(connection, organisation_id, [customer])
    bare = CustomerMeter(row["id"], row["created_at"], customer, meter)
    (whole,) = await _computed(store, organisation_id, [bare], consumers)
    return whole


def _not_found() -> NotFound:
    return NotFound("customer meter not found", code="customer_meter_not_found")


async def ensure_customer_meter(
    connection: AsyncConnection, store: EventStore, *, customer: Customer, meter: Meter, now: datetime
) -> CustomerMeter:
    """The row of a customer and a meter, made when it is missing, and locked until the transaction ends."""
    await _insert(connection, customer.organisation_id, {(customer.id, meter.id): now})
    query = select(customer_meters).where(
        customer_meters.c.customer_id == customer.id, customer_meters.c.meter_id == meter.id
    )
    row = (await connection.execute(query.with_for_update())).mappings().one()
    consumers = await _consumers(connection, customer.organisation_id, [customer])
    bare = CustomerMeter(row["id"], row["created_at"], customer, meter)
    (whole,) = await _computed(store, customer.organisation_id, [bare], consumers)
    return whole


async def _meters(
    connection: AsyncConnection, organisation_id: UUID, criteria: CustomerMeterCriteria
) -> list[Meter]:
    listed, _ = await list_meters(
        connection,
        organisation_id=organisation_id,
        criteria=MeterCriteria(
            is_archived=False if criteria.meter_ids is None else None,
            external_ids=criteria.meter_external_ids,
            expressible_as="polar",
        ),
        limit=METERS_READ_MAX,
    )
    return [meter for meter in listed if criteria.meter_ids is None or meter.id in criteria.meter_ids]


async def _customers(
    connection: AsyncConnection, organisation_id: UUID, criteria: CustomerMeterCriteria, most: int
) -> list[Customer]:
    if criteria.customer_ids is not None:
        by_id = await customer_queries.find_customers(
            connection, organisation_id=organisation_id, ids=set(criteria.customer_ids)
        )
        found = [customer for customer in by_id.values() if customer.deleted_at is None]
        return [c for c in found if criteria.customer_keys is None or c.key in criteria.customer_keys]
    if criteria.customer_keys is not None:
        by_key = await customer_queries.find_keys(
            connection, organisation_id=organisation_id, keys=set(criteria.customer_keys)
        )
        return list(by_key.values())
    listed, total = await customer_queries.list_customers(
        connection, organisation_id=organisation_id, sort=(("id", False),), limit=most
    )
    if total > most:
        raise LimitExceeded(
            f"There are more than {PAIRS_MAX} customers times meters. Name a customer or a meter.",
            code="too_many_customer_meters",
        )
    return listed


async def _consumers(
    connection: AsyncConnection, organisation_id: UUID, customers: Sequence[Customer]
) -> dict[UUID, Consumer]:
    """Customers with the event subjects that they own."""
    owned = await customer_queries.owned_subjects(
        connection, organisation_id=organisation_id, customers=customers
    )
    return {customer_id: Consumer(str(customer_id), subjects) for customer_id, subjects in owned.items()}


@dataclass(frozen=True)
class _Pairs:
    """Customers times meters, with the rows that are kept already."""

    organisation_id: UUID
    customers: Sequence[Customer]
    meters: Sequence[Meter]
    consumers: Mapping[UUID, Consumer]
    kept: Mapping[Pair, tuple[UUID, datetime]]


async def _rows(database: Database, store: EventStore, pairs: _Pairs) -> list[CustomerMeter]:
    """The rows that exist, without their numbers; those that have come to be are kept from now on."""
    kept, meters = pairs.kept, pairs.meters
    lacking = [c for c in pairs.customers if any((c.id, meter.id) not in kept for meter in meters)]
    present = await _presence(store, pairs.organisation_id, [pairs.consumers[c.id] for c in lacking])
    begun = {
        (customer.id, meter.id): max(
            customer.created_at, meter.created_at, present[str(customer.id)].first_at
        )
        for customer in lacking
        if str(customer.id) in present
        for meter in meters
        if (customer.id, meter.id) not in kept
    }
    if begun:
        async with database.begin() as connection:
            await _insert(connection, pairs.organisation_id, begun)
            kept = await _kept(connection, pairs.customers)
    return [
        CustomerMeter(*kept[customer.id, meter.id], customer, meter)
        for customer in pairs.customers
        for meter in meters
        if (customer.id, meter.id) in kept
    ]


async def _kept(
    connection: AsyncConnection, customers: Iterable[Customer]
) -> dict[Pair, tuple[UUID, datetime]]:
    ids = [customer.id for customer in customers]
    query = select(customer_meters).where(customer_meters.c.customer_id == func.any(ids))
    rows = (await connection.execute(query)).mappings()
    return {(row["customer_id"], row["meter_id"]): (row["id"], row["created_at"]) for row in rows}


async def _insert(connection: AsyncConnection, organisation_id: UUID, begun: Mapping[Pair, datetime]) -> None:
    """Keep rows unless another process just did. In one order, so that two never block each other."""
    values = [
        {
            "id": new_id(),
            "organisation_id": organisation_id,
            "customer_id": customer_id,
            "meter_id": meter_id,
            "created_at": begun[customer_id, meter_id],
        }
        for customer_id, meter_id in sorted(begun)
    ]
    await connection.execute(insert(customer_meters).on_conflict_do_nothing(), values)


async def _presence(
    store: EventStore, organisation_id: UUID, consumers: Sequence[Consumer]
) -> dict[str, Presence]:
    """What there is of each customer with events, by customer id."""
    found: dict[str, Presence] = {}
    for some in _batches(consumers):
        compiled = compile_presence(organisation_id, some)
        answer = (await store.query(compiled.sql, compiled.parameters)).rows
        found |= decode_presence(some, named_rows(compiled, answer))
    return found


async def _computed(
    store: EventStore,
    organisation_id: UUID,
    rows: Sequence[CustomerMeter],
    consumers: Mapping[UUID, Consumer],
) -> list[CustomerMeter]:
    """The rows with their numbers, in the same order."""
    customers = list({row.customer.id: row.customer for row in rows}.values())
    meters = list({row.meter.id: row.meter for row in rows}.values())
    periods: dict[Pair, Period] = {}
    consumed: dict[Pair, Consumption] = {}
    for some in _batches(customers):
        periods |= await _periods(store, organisation_id, some)
        asked = [consumers[customer.id] for customer in some]
        consumed |= await _consumption(store, organisation_id, meters, asked, periods)
    return [_whole(row, periods, consumed) for row in rows]


def _has_usage(meter: Meter, present: Mapping[str, Presence]) -> bool:
    """Whether any customer may have usage: has events of the type that the meter asks for, if one."""
    event_type = required_type(meter.filter)
    if event_type is None:
        return bool(present)
    return any(event_type in known.types for known in present.values())


async def _consumption(
    store: EventStore,
    organisation_id: UUID,
    meters: Sequence[Meter],
    consumers: Sequence[Consumer],
    periods: Mapping[Pair, Period],
) -> dict[Pair, Consumption]:
    """What customers consumed of meters in their current periods."""
    if len(meters) > METERS_ASKED_AT_ONCE:
        events = await _few_events(store, organisation_id, consumers, len(meters))
        if events is not None:
            asked = _since_resets(meters, consumers, periods)
            return _by_pair(await asyncio.to_thread(evaluate_consumption, asked, events))
        present = await _presence(store, organisation_id, consumers)
        meters = [meter for meter in meters if _has_usage(meter, present)]
    asked = _since_resets(meters, consumers, periods)
    consumed: dict[Pair, Consumption] = {}
    for compiled in compile_consumption(asked):
        answer = named_rows(compiled, (await store.query(compiled.sql, compiled.parameters)).rows)
        consumed |= _by_pair(decode_consumption(asked, answer))
    return consumed


def _by_pair(found: Mapping[tuple[str, UUID], Consumption]) -> dict[Pair, Consumption]:
    return {(UUID(customer_id), meter_id): amount for (customer_id, meter_id), amount in found.items()}


def _since_resets(
    meters: Sequence[Meter], consumers: Sequence[Consumer], periods: Mapping[Pair, Period]
) -> list[Asked]:
    return [
        (meter, [replace(c, since=_reset_at(periods, (UUID(c.customer_id), meter.id))) for c in consumers])
        for meter in meters
    ]


async def _few_events(
    store: EventStore, organisation_id: UUID, consumers: Sequence[Consumer], meters: int
) -> list[StoredEvent] | None:
    """All events of users that customers own, if these are so few that looking at each is faster."""
    limit = min(EVENTS_EVALUATED_MAX, EVALUATIONS_MAX // meters)
    compiled = compile_few_events(organisation_id, consumers, limit=limit, data_bytes_max=EVALUATED_BYTES_MAX)
    return decode_few_events((await store.query(compiled.sql, compiled.parameters)).rows, limit=limit)


def _reset_at(periods: Mapping[Pair, Period], pair: Pair) -> datetime | None:
    return periods[pair].reset_at if pair in periods else None


def _whole(
    row: CustomerMeter, periods: Mapping[Pair, Period], consumed: Mapping[Pair, Consumption]
) -> CustomerMeter:
    pair = (row.customer.id, row.meter.id)
    period, consumption = periods.get(pair, Period()), consumed.get(pair, Consumption())
    changes = [
        at for at in (period.changed_at, consumption.last_at) if at is not None and at > row.created_at
    ]
    return replace(row, consumed=consumption.exact, period=period, modified_at=max(changes, default=None))


async def _periods(
    store: EventStore, organisation_id: UUID, customers: Sequence[Customer]
) -> dict[Pair, Period]:
    """The current period of each customer on each meter that was ever credited or reset."""
    bind = Parameters()
    where = (
        f"{columns.ORGANISATION} = {bind.uuid(organisation_id)} "
        f"AND {columns.TYPE} IN {bind.texts((CREDITED, RESET))} AND {columns.SUBJECT} = '' "
        f"AND toString({columns.ORIGIN}) = 'system' "
        f"AND has({bind.texts(str(customer.id) for customer in customers)}, {columns.CUSTOMER})"
    )
    sql = f"SELECT {selected_columns()} FROM {columns.TABLE} WHERE {where}"  # noqa: S608
    entries: dict[Pair, list[Credit | MeterReset]] = defaultdict(list)
    for row in (await store.query(sql, bind.values)).rows:
        event = event_from_row(row)
        if (read := read_system_event(event)) is not None:
            entries[UUID(event.customer_id), read[0]].append(read[1])
    return {pair: current_period(known) for pair, known in entries.items()}


def _batches(customers: Sequence[T]) -> Iterable[Sequence[T]]:
    for start in range(0, len(customers), CUSTOMERS_PER_QUERY):
        yield customers[start : start + CUSTOMERS_PER_QUERY]


_UNCOMPUTED = frozenset({"created_at", "customer_id", "customer_name", "meter_id", "meter_name"})
_SORTED_BY: dict[str, Any] = {
    "id": lambda row: row.id,
    "created_at": lambda row: row.created_at,
    "modified_at": lambda row: row.modified_at or row.created_at,
    "customer_id": lambda row: row.customer.id,
    "customer_name": lambda row: (row.customer.name or "").casefold(),
    "meter_id": lambda row: row.meter.id,
    "meter_name": lambda row: row.meter.name.casefold(),
    "consumed_units": lambda row: row.consumed,
    "credited_units": lambda row: row.credited,
    "balance": lambda row: row.balance,
}
