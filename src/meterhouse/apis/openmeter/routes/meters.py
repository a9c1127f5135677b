"""Meters: create, get, list, update, delete (openmeter 2.1)."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.convert import meter_from_wire, meter_to_wire
from meterhouse.apis.openmeter.inputs import meter_of
from meterhouse.usage import queries, service
from meterhouse.usage.queries import MeterCriteria, MeterSort

_SORTS: dict[str, MeterSort] = {
    "key": "slug",
    "name": "name",
    "aggregation": "aggregation",
    "createdAt": "created_at",
    "updatedAt": "modified_at",
}


@facade.operation("createMeter", scopes=("meters:write",))
async def create_meter(call: Call) -> object:
    draft = meter_from_wire(call.body)
    async with call.services.database.begin() as connection:
        meter = await service.create_meter(
            connection,
            organisation_id=call.principal.organisation_id,
            draft=draft,
            clock=call.services.clock,
        )
    queries.expect_questions(call.services.events, meter)
    return meter_to_wire(meter)


@facade.operation("getMeter", scopes=("meters:read",))
async def get_meter(call: Call) -> object:
    async with call.services.database.begin() as connection:
        return meter_to_wire(await meter_of(call, connection))


@facade.operation("listMeters", scopes=("meters:read",))
async def list_meters(call: Call) -> object:
    """All meters in one array: `page` and `pageSize` are checked, and ignored as the original does."""
    query = call.query
    sort = _SORTS[query.get("orderBy", "key")]
    criteria = MeterCriteria(include_deleted=query.get("includeDeleted", False), expressible_as="openmeter")
    async with call.services.database.begin() as connection:
        meters, _ = await queries.list_meters(
            connection,
            organisation_id=call.principal.organisation_id,
            criteria=criteria,
            sort=((sort, query.get("order", "ASC") == "DESC"),),
        )
    return [meter_to_wire(meter) for meter in meters]


@facade.operation("updateMeter", scopes=("meters:write",))
async def update_meter(call: Call) -> object:
    async with call.services.database.begin() as connection:
        meter = await meter_of(call, connection)
        updated = await service.replace_meter(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_slug=str(meter.id),
            name=call.body.get("name"),
            description=call.body.get("description"),
            metadata=call.body.get("metadata") or {},
            group_by=call.body.get("groupBy") or {},
            clock=call.services.clock,
            guards=call.services.meter_guards,
        )
    return meter_to_wire(updated)


@facade.operation("deleteMeter", scopes=("meters:write",))
async def delete_meter(call: Call) -> object:
    async with call.services.database.begin() as connection:
        meter = await meter_of(call, connection)
        await service.delete_meter(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_slug=str(meter.id),
            clock=call.services.clock,
            guards=call.services.meter_guards,
        )
    return call.no_content()
