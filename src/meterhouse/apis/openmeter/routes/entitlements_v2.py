"""Entitlements of the second version, addressed by customer (openmeter 4.2, 4.7)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import entitlement_calls as calls
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.entitlement_calls import READ, SECOND, WRITE
from meterhouse.apis.openmeter.owners import customers_named
from meterhouse.apis.openmeter.paging import Paging


@facade.operation("createCustomerEntitlementV2", scopes=WRITE)
async def create_entitlement(call: Call) -> object:
    return await calls.created(call, SECOND)


@facade.operation("overrideCustomerEntitlementV2", scopes=WRITE)
async def override_entitlement(call: Call) -> object:
    return await calls.overridden(call, SECOND)


@facade.operation("listCustomerEntitlementsV2", scopes=READ)
async def list_customer_entitlements(call: Call) -> object:
    paging = Paging.from_wire(call.query, pages=True)
    return paging.to_wire(*await calls.all_owned(call, SECOND, paging))


@facade.operation("getCustomerEntitlementV2", scopes=READ)
async def get_entitlement(call: Call) -> object:
    return await calls.owned(call, SECOND, call.path["entitlementIdOrFeatureKey"])


@facade.operation("deleteCustomerEntitlementV2", scopes=WRITE)
async def delete_entitlement(call: Call) -> object:
    return await calls.deleted(call, SECOND, call.path["entitlementIdOrFeatureKey"])


@facade.operation("listEntitlementsV2", scopes=READ)
async def list_entitlements(call: Call) -> object:
    paging = Paging.from_wire(call.query, pages=True)
    async with call.services.database.begin() as connection:
        customer_ids = await _customer_ids(call, connection)
        items, total = await calls.everyones(call, connection, SECOND, paging, customer_ids)
    return paging.to_wire(items, total)


async def _customer_ids(call: Call, connection: AsyncConnection) -> tuple[UUID, ...] | None:
    """Those who are among both the ids and the keys that are named; `None` when neither are."""
    wanted: set[UUID] | None = None
    for parameter in ("customerIds", "customerKeys"):
        if named := call.query.get(parameter):
            found = set(await customers_named(call, connection, parameter, named))
            wanted = found if wanted is None else wanted & found
    return None if wanted is None else tuple(wanted)


@facade.operation("getEntitlementByIdV2", scopes=READ)
async def get_entitlement_by_id(call: Call) -> object:
    return await calls.by_id(call, SECOND)
