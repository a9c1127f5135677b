"""Events with what each meter makes of them: an operation of ours beside the published lists."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.convert import event_to_wire, explanation_to_wire
from meterhouse.apis.openmeter.routes.events import matching_events, page_to_wire
from meterhouse.kernel.errors import LimitExceeded
from meterhouse.usage import queries
from meterhouse.usage.attribution import owners_of_events
from meterhouse.usage.model import Meter
from meterhouse.usage.validation import explanations

LIMIT = 10
VERDICTS_MAX = 10_000


@facade.operation("explainEvents", scopes=("events:read",))
async def explain_events(call: Call) -> object:
    limit = call.query.get("limit", LIMIT)
    meters = await _meters(call, call.query.get("meter"))
    if limit * len(meters) > VERDICTS_MAX:
        message = (
            f"{limit} events times {len(meters)} meters are more than {VERDICTS_MAX} explanations. "
            "Ask for fewer events with limit, or name the meters with meter."
        )
        raise LimitExceeded(message, code="too_many_explanations")
    events = await matching_events(call, limit)
    async with call.services.database.begin() as connection:
        owners = await owners_of_events(
            connection, organisation_id=call.principal.organisation_id, events=events
        )
    items = []
    for event in events:
        told = explanations(event, meters)
        shown = event_to_wire(event, customer=owners.get(event.uid), validation_error=None)
        items.append(shown | {"meters": [explanation_to_wire(item) for item in told]})
        await asyncio.sleep(0)  # each event meets every meter: let other requests in between
    return page_to_wire(events, items, limit)


async def _meters(call: Call, named: Sequence[str] | None) -> list[Meter]:
    """The live meters of the organisation, or those named. Raises `NotFound` for an unknown one."""
    organisation_id = call.principal.organisation_id
    async with call.services.database.begin() as connection:
        if named:
            return [
                await queries.get_meter(connection, organisation_id=organisation_id, id_or_slug=text)
                for text in dict.fromkeys(named)
            ]
        listed, _ = await queries.list_meters(
            connection, organisation_id=organisation_id, limit=queries.METERS_READ_MAX
        )
    return listed
