"""Whose an event is: customers resolved to what events carry, and events to their customers.

Events keep the subject or the customer's id that they came with; all this happens on read, so that a
customer made later owns earlier events (openmeter 3.2, polar 7.5 and 8.6).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.customers.model import Customer
from meterhouse.customers.queries import (
    CustomerCriteria,
    find_customers,
    find_keys,
    list_customers,
    owned_subjects,
    owners_of,
)
from meterhouse.customers.service import remember_first_events
from meterhouse.kernel.errors import NotFound
from meterhouse.kernel.ids import parse_id
from meterhouse.platform.ports import Database, EventStore
from meterhouse.usage.engine import columns, filters
from meterhouse.usage.engine.parameters import Parameters, from_micros
from meterhouse.usage.model import Event, Identities

NAMED_MAX = 5
MENTIONED_MAX = 1_000
"""How many customers a text may mention in a search of events; further ones are not looked at."""


async def customers_named(
    connection: AsyncConnection, *, organisation_id: UUID, ids: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Live customers by their ids in either spelling, each with the subjects it owns, as queries want them.

    Raises `NotFound` naming those that do not exist or are deleted.
    """
    parsed = {text: parse_id(text) for text in ids}
    found = await find_customers(
        connection,
        organisation_id=organisation_id,
        ids={customer_id for customer_id in parsed.values() if customer_id is not None},
    )
    live = {customer.id: customer for customer in found.values() if customer.deleted_at is None}
    missing = [text for text, customer_id in parsed.items() if customer_id not in live]
    if missing:
        shown = ", ".join(text[:64] for text in missing[:NAMED_MAX])
        raise NotFound(f"customers not found: {shown}", code="customer_not_found")
    owned = await owned_subjects(connection, organisation_id=organisation_id, customers=live.values())
    return {str(customer_id): subjects for customer_id, subjects in owned.items()}


async def identities_named(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    ids: Collection[UUID] | None,
    external_ids: Collection[str] | None,
) -> Identities | None:
    """The customers of a question of Polar's, united; `None` when it names none (polar 7.5).

    Each one stands for all that it owns. An unknown id matches nothing, an external id without a customer
    the events that carry it.
    """
    if ids is None and external_ids is None:
        return None
    by_id = await find_customers(connection, organisation_id=organisation_id, ids=ids or ())
    by_key = await find_keys(connection, organisation_id=organisation_id, keys=external_ids or ())
    found = [*(c for c in by_id.values() if c.deleted_at is None), *by_key.values()]
    raw = [text for text in external_ids or () if text not in by_key]
    known = await identities_of(connection, organisation_id=organisation_id, customers=found)
    return Identities(known.customer_ids, tuple(dict.fromkeys((*known.external_ids, *raw))))


async def identities_of(
    connection: AsyncConnection, *, organisation_id: UUID, customers: Collection[Customer]
) -> Identities:
    """All that events of these customers carry."""
    owned = await owned_subjects(connection, organisation_id=organisation_id, customers=customers)
    subjects = (subject for keys in owned.values() for subject in keys)
    return Identities(tuple(str(id) for id in owned), tuple(dict.fromkeys(subjects)))


async def identities_mentioned(
    connection: AsyncConnection, *, organisation_id: UUID, text: str
) -> Identities | None:
    """Customers whose name, e-mail or key contains a text, ignoring case (polar 9.2); `None` without any."""
    mentioned, _ = await list_customers(
        connection,
        organisation_id=organisation_id,
        criteria=CustomerCriteria(mention=text),
        limit=MENTIONED_MAX,
    )
    if not mentioned:
        return None
    return await identities_of(connection, organisation_id=organisation_id, customers=mentioned)


async def owners_of_events(
    connection: AsyncConnection, *, organisation_id: UUID, events: Sequence[Event]
) -> dict[UUID, Customer]:
    """The live customers that own events, by the events' row ids; events of nobody are left out."""
    named = {event.customer_id: parse_id(event.customer_id) for event in events if event.customer_id}
    by_id = await find_customers(
        connection, organisation_id=organisation_id, ids={id for id in named.values() if id is not None}
    )
    subjects = {event.subject for event in events if not event.customer_id}
    by_subject = await owners_of(connection, organisation_id=organisation_id, subjects=subjects)
    owners: dict[UUID, Customer] = {}
    for event in events:
        customer_id = named.get(event.customer_id)
        owner = by_subject.get(event.subject) if customer_id is None else by_id.get(customer_id)
        if owner is not None and owner.deleted_at is None:
            owners[event.uid] = owner
    return owners


async def with_first_events(
    database: Database, store: EventStore, *, organisation_id: UUID, customers: Sequence[Customer]
) -> list[Customer]:
    """The customers with the arrival of their first user event filled in, and remembered once it is known."""
    unknown = [c for c in customers if c.first_event_at is None and c.deleted_at is None]
    if not unknown:
        return list(customers)
    async with database.begin() as connection:
        owned = await owned_subjects(connection, organisation_id=organisation_id, customers=unknown)
    found = await _first_events(store, organisation_id, owned)
    if found:
        async with database.begin() as connection:
            await remember_first_events(connection, organisation_id=organisation_id, found=found)
    return [replace(c, first_event_at=found[c.id]) if c.id in found else c for c in customers]


async def _first_events(
    store: EventStore, organisation_id: UUID, owned: Mapping[UUID, tuple[str, ...]]
) -> dict[UUID, datetime]:
    bind = Parameters()
    owners = {subject: customer_id for customer_id, subjects in owned.items() for subject in subjects}
    identities = Identities(tuple(str(id) for id in owned), tuple(owners))
    sql = (
        f"SELECT {columns.SUBJECT}, {columns.CUSTOMER}, "  # noqa: S608
        f"toUnixTimestamp64Micro(min({columns.INGESTED_AT})) FROM {columns.TABLE} "
        f"WHERE {columns.ORGANISATION} = {bind.uuid(organisation_id)} AND {columns.ORIGIN} = 'user' "
        f"AND {filters.identity_condition(identities, bind)} GROUP BY {columns.SUBJECT}, {columns.CUSTOMER}"
    )
    found: dict[UUID, datetime] = {}
    for subject, named, micros in (await store.query(sql, bind.values)).rows:
        owner = UUID(str(named)) if named else owners[str(subject)]
        at = from_micros(cast(int, micros))
        found[owner] = min(at, found.get(owner, at))
    return found
