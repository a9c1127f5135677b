"""Events: ingest and both lists (openmeter 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.convert import (
    criteria_from_wire,
    event_to_wire,
    recent_criteria_from_wire,
)
from meterhouse.apis.openmeter.filters import ids_from_wire, object_from_wire
from meterhouse.apis.openmeter.inputs import customers_of, faults_in, store_of
from meterhouse.kernel.errors import Invalid, NotFound
from meterhouse.usage import queries
from meterhouse.usage.attribution import owners_of_events
from meterhouse.usage.engine.cursors import format_cursor
from meterhouse.usage.model import Cursor, StoredEvent
from meterhouse.usage.validation import validation_error

LIMIT = 100


@facade.operation("listEvents", scopes=("events:read",))
async def list_events(call: Call) -> object:
    customers = await _customers(call, call.query.get("customerId"))
    with faults_in("query"):
        criteria = queries.recent(
            recent_criteria_from_wire(call.query, customers=customers), now=call.services.clock.now()
        )
    organisation_id = call.principal.organisation_id
    events = await queries.list_events(
        store_of(call, organisation_id, call.query.get("clientId")),
        organisation_id=organisation_id,
        criteria=criteria,
        limit=call.query.get("limit", LIMIT),
    )
    return await _rows(call, events)


@facade.operation("listEventsV2", scopes=("events:read",))
async def list_events_v2(call: Call) -> object:
    """One page; a full one names the cursor of the next, which may then be empty."""
    limit = call.query.get("limit", LIMIT)
    events = await matching_events(call, limit)
    return page_to_wire(events, await _rows(call, events), limit)


async def matching_events(call: Call, limit: int) -> list[StoredEvent]:
    """Read the events that the second version's `filter` and `cursor` mean."""
    customers = await filtered_customers(call)
    organisation_id = call.principal.organisation_id
    with faults_in("query"):
        return await queries.list_events(
            store_of(call, organisation_id, call.query.get("clientId")),
            organisation_id=organisation_id,
            criteria=criteria_from_wire(call.query, customers=customers),
            limit=limit,
        )


async def filtered_customers(call: Call) -> Mapping[str, tuple[str, ...]] | None:
    """The customers that `filter` names, with their subjects; `None` when it names none."""
    at = ("query", "filter")
    named = object_from_wire(call.query.get("filter", {}), at).get("customerId")
    ids = ids_from_wire(named, (*at, "customerId")) if named is not None else None
    return {} if ids == () else await _customers(call, [str(id) for id in ids or ()])


def page_to_wire(
    events: Sequence[StoredEvent], items: Sequence[dict[str, object]], limit: int
) -> dict[str, object]:
    """One page of a list by cursor."""
    page: dict[str, object] = {"items": items}
    if len(events) == limit:
        page["nextCursor"] = format_cursor(Cursor(events[-1].time, events[-1].uid))
    return page


async def _customers(call: Call, ids: Sequence[str] | None) -> Mapping[str, tuple[str, ...]] | None:
    """As `customers_of`; here the original calls an unknown customer a bad request."""
    try:
        async with call.services.database.begin() as connection:
            return await customers_of(call, connection, ids)
    except NotFound as error:
        raise Invalid(error.message, error.code) from error


async def _rows(call: Call, events: Sequence[StoredEvent]) -> list[dict[str, object]]:
    """Write events with their customers and with what keeps meters from counting them."""
    if not events:
        return []
    organisation_id = call.principal.organisation_id
    async with call.services.database.begin() as connection:
        meters = await queries.list_meters_of_type(
            connection, organisation_id=organisation_id, event_types={event.type for event in events}
        )
        owners = await owners_of_events(connection, organisation_id=organisation_id, events=events)
    return [
        event_to_wire(
            event,
            customer=owners.get(event.uid),
            validation_error=validation_error(event, meters, has_customer=event.uid in owners),
        )
        for event in events
    ]
