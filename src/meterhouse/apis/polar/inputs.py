"""What several of Polar's handlers read from a call, and how they write events."""

from __future__ import annotations

from collections.abc import Sequence

from meterhouse.apis.call import Call
from meterhouse.apis.polar import convert
from meterhouse.apis.polar.schemas.common import CustomersQuery
from meterhouse.usage.attribution import identities_named, owners_of_events, with_first_events
from meterhouse.usage.lineage import lineages
from meterhouse.usage.model import Identities, StoredEvent


async def identities_of(
    call: Call, query: CustomersQuery, external_ids: Sequence[str] | None = None
) -> Identities | None:
    """The customers that a question names by either id; `external_ids` stand in for the query's own."""
    external = query.external_customer_id if external_ids is None else external_ids
    if query.customer_id is None and external is None:
        return None
    async with call.services.database.begin() as connection:
        return await identities_named(
            connection,
            organisation_id=call.principal.organisation_id,
            ids=query.customer_id,
            external_ids=external,
        )


async def events_to_wire(call: Call, events: Sequence[StoredEvent]) -> list[convert.Wire]:
    """Write events with their relatives and their customers."""
    organisation_id, services = call.principal.organisation_id, call.services
    if not events:
        return []
    found = await lineages(services.events, organisation_id=organisation_id, events=events)
    async with services.database.begin() as connection:
        owners = await owners_of_events(connection, organisation_id=organisation_id, events=events)
    distinct = {owner.id: owner for owner in owners.values()}
    complete = await with_first_events(
        services.database,
        services.events,
        organisation_id=organisation_id,
        customers=list(distinct.values()),
    )
    shown = {customer.id: customer for customer in complete}
    customers = {uid: shown[owner.id] for uid, owner in owners.items()}
    return [convert.event_to_wire(event, found[event.uid], customers.get(event.uid)) for event in events]
