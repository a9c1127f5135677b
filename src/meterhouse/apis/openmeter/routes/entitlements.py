"""Entitlements of the first version, addressed by subject (openmeter 4.2, 4.7)."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import entitlement_calls as calls
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.entitlement_calls import FIRST, READ, WRITE
from meterhouse.apis.openmeter.owners import owners_named
from meterhouse.apis.openmeter.paging import WHOLE, Paging


@facade.operation("createEntitlement", scopes=WRITE)
async def create_entitlement(call: Call) -> object:
    return await calls.created(call, FIRST)


@facade.operation("overrideEntitlement", scopes=WRITE)
async def override_entitlement(call: Call) -> object:
    return await calls.overridden(call, FIRST)


@facade.operation("listSubjectEntitlements", scopes=READ)
async def list_subject_entitlements(call: Call) -> object:
    return (await calls.all_owned(call, FIRST, WHOLE))[0]


@facade.operation("getEntitlement", scopes=READ)
async def get_entitlement(call: Call) -> object:
    return await calls.owned(call, FIRST, call.path["entitlementId"])


@facade.operation("deleteEntitlement", scopes=WRITE)
async def delete_entitlement(call: Call) -> object:
    return await calls.deleted(call, FIRST, call.path["entitlementId"])


@facade.operation("listEntitlements", scopes=READ)
async def list_entitlements(call: Call) -> object:
    paging, subjects = Paging.from_wire(call.query, pages=False), call.query.get("subject")
    async with call.services.database.begin() as connection:
        owners = await owners_named(call, connection, "subject", subjects) if subjects else None
        items, total = await calls.everyones(call, connection, FIRST, paging, owners)
    return paging.array_or_page(items, total)


@facade.operation("getEntitlementById", scopes=READ)
async def get_entitlement_by_id(call: Call) -> object:
    return await calls.by_id(call, FIRST)
