"""Credits given by hand, and taken back (polar 10.5): events of the system, which are the ledger."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.customers.model import Customer
from meterhouse.customers.queries import find_customers
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Conflict, Invalid, Issue, NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Database, EventStore
from meterhouse.usage.customer_meters import ensure_customer_meter
from meterhouse.usage.engine.credits import CREDITED, Credit, read_system_event, reversible_units
from meterhouse.usage.model import Event, EventCriteria, Meter, StoredEvent, StringFilter
from meterhouse.usage.queries import find_event, find_meter, list_events

CREDIT_SOURCE = "meterhouse.credits"
UNITS = range(-(2**53), 2**53 + 1)
"""Every reader of JSON holds these exactly."""


class Sink(Protocol):
    """Where events go: the ingestor."""

    async def submit(self, events: Sequence[Event]) -> list[bool]: ...


async def credit(
    store: EventStore,
    sink: Sink,
    *,
    customer: Customer,
    meter: Meter,
    units: int,
    is_rollover: bool = False,
    external_id: str | None = None,
    clock: Clock,
) -> StoredEvent:
    """Credit units; the balance has them when this returns. Under one external id the same is credited once.

    Raises `Conflict` when the external id belongs to a different credit, `Invalid` for units beyond 2^53.
    """
    if units not in UNITS:
        text = f"Input should lie between {UNITS[0]} and {UNITS[-1]}"
        raise Invalid(text, issues=[Issue(("units",), text, "int_out_of_range", str(units)[:64])])
    data = _data(meter, units, is_rollover=is_rollover)
    uid = new_id()
    event_id = f"credit:{uid}" if external_id is None else f"external:{external_id}"
    stored = await _store(store, sink, _event(customer, data, uid, event_id, clock))
    is_same = (stored.customer_id, stored.origin) == (str(customer.id), "system")
    if not is_same or json.loads(stored.data) != json.loads(data):
        raise Conflict(
            f"Another credit has the external ID {(external_id or '')[:100]}. Use an ID of its own for each.",
            code="credit_external_id_conflict",
        )
    return stored


async def reverse_credit(
    database: Database,
    store: EventStore,
    sink: Sink,
    *,
    organisation_id: UUID,
    credit_id: UUID,
    clock: Clock,
) -> StoredEvent:
    """Take back the unused units of a credit, once, within 7 days and the current period.

    Raises `NotFound` for what is no credit, `Conflict` when nothing can be taken back.
    """
    event = await find_event(store, organisation_id=organisation_id, uid=credit_id)
    read = read_system_event(event) if event is not None and event.origin == "system" else None
    if event is None or read is None or not isinstance(read[1], Credit):
        raise NotFound("credit not found", code="credit_not_found")
    meter_id, given = read[0], read[1]
    # One transaction until it is stored: the locked row keeps two reversals from taking back the same units.
    async with database.begin() as connection:
        customer, meter = await _parties(connection, organisation_id, UUID(event.customer_id), meter_id)
        now = clock.now()
        account = await ensure_customer_meter(connection, store, customer=customer, meter=meter, now=now)
        units = reversible_units(given, account.period, consumed=account.consumed, now=now)
        if units <= 0:
            raise _not_reversible(
                "it was reversed before, is older than 7 days, of an earlier period, or not given by hand, "
                "or all of its units are used"
            )
        data = _data(meter, -units, is_rollover=given.is_rollover)
        reversal = _event(customer, data, new_id(), f"reversal:{credit_id}", clock, parent=str(credit_id))
        stored = await _store(store, sink, reversal)
    if stored.uid != reversal.uid:
        raise _not_reversible("it was reversed before")
    return stored


async def _parties(
    connection: AsyncConnection, organisation_id: UUID, customer_id: UUID, meter_id: UUID
) -> tuple[Customer, Meter]:
    """The live customer and meter of a credit. Raises `Conflict` when one of them is gone."""
    found = await find_customers(connection, organisation_id=organisation_id, ids=[customer_id])
    meter = await find_meter(connection, organisation_id=organisation_id, id_or_slug=str(meter_id))
    customer = found.get(customer_id)
    if customer is None or customer.deleted_at is not None or meter is None or meter.deleted_at is not None:
        raise _not_reversible("its customer or its meter is deleted")
    return customer, meter


def _not_reversible(reason: str) -> Conflict:
    return Conflict(f"The credit cannot be reversed: {reason}.", code="credit_not_reversible")


def _data(meter: Meter, units: int, *, is_rollover: bool) -> str:
    told = {"meter_id": str(meter.id), "units": units, "rollover": is_rollover, "reason": "manual"}
    return json.dumps(told, separators=(",", ":"))


def _event(
    customer: Customer, data: str, uid: UUID, event_id: str, clock: Clock, *, parent: str = ""
) -> Event:
    now = clock.now()
    return Event(
        organisation_id=customer.organisation_id,
        type=CREDITED,
        source=CREDIT_SOURCE,
        id=event_id,
        subject="",
        time=now,
        ingested_at=now,
        uid=uid,
        data=data,
        origin="system",
        customer_id=str(customer.id),
        parent_id=parent,
    )


async def _store(store: EventStore, sink: Sink, event: Event) -> StoredEvent:
    """Store an event and read it back, or the one that was stored before it under the same identity.

    Raises `Conflict` when what was stored under it stands no more.
    """
    await sink.submit([event])
    wanted = {"type": event.type, "source": event.source, "id": event.id}
    criteria = EventCriteria(texts={name: StringFilter("eq", text) for name, text in wanted.items()})
    found = await list_events(store, organisation_id=event.organisation_id, criteria=criteria, limit=1)
    if found:
        return found[0]
    # The identity belongs to an event of another name, or to a credit that was deleted.
    raise Conflict(
        "The ID of this credit was used before, by an event that is no credit or is deleted. Use another ID.",
        code="credit_external_id_conflict",
    )
