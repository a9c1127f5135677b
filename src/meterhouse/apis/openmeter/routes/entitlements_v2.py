"""Entitlements of the second version, addressed by customer (openmeter 4.2, 4.7)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.entitlement_convert import entitlement_from_wire, entitlement_to_wire_v2
from meterhouse.apis.openmeter.entitlement_lists import criteria_from_wire, listed, shown
from meterhouse.apis.openmeter.owners import customer_of, customers_named
from meterhouse.apis.openmeter.paging import Paging
from meterhouse.entitlements import queries, service
from meterhouse.entitlements.queries import EntitlementCriteria

READ, WRITE = ("entitlements:read",), ("entitlements:write",)


@facade.operation("createCustomerEntitlementV2", scopes=WRITE)
async def create_entitlement(call: Call) -> object:
    draft = entitlement_from_wire(call.body)
    async with call.services.database.begin() as connection:
        customer = await customer_of(call, connection)
        made = await service.create_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            draft=draft,
            clock=call.services.clock,
        )
    return entitlement_to_wire_v2(made, (), customer, call.services.clock.now())


@facade.operation("overrideCustomerEntitlementV2", scopes=WRITE)
async def override_entitlement(call: Call) -> object:
    draft = entitlement_from_wire(call.body)
    async with call.services.database.begin() as connection:
        customer = await customer_of(call, connection)
        made = await service.override_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            id_or_feature_key=call.path["entitlementIdOrFeatureKey"],
            draft=draft,
            clock=call.services.clock,
        )
    return entitlement_to_wire_v2(made, (), customer, call.services.clock.now())


@facade.operation("listCustomerEntitlementsV2", scopes=READ)
async def list_customer_entitlements(call: Call) -> object:
    paging = Paging.from_wire(call.query, pages=True)
    is_all = call.query.get("includeDeleted", False)
    async with call.services.database.begin() as connection:
        customer = await customer_of(call, connection)
        criteria = EntitlementCriteria(
            customer_ids=(customer.id,),
            active_at=None if is_all else call.services.clock.now(),
            include_deleted=is_all,
        )
        found, total = await listed(call, connection, paging, criteria)
        items = await shown(call, connection, found, entitlement_to_wire_v2)
    return paging.to_wire(items, total)


@facade.operation("getCustomerEntitlementV2", scopes=READ)
async def get_entitlement(call: Call) -> object:
    async with call.services.database.begin() as connection:
        customer = await customer_of(call, connection)
        found = await queries.get_customer_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            id_or_feature_key=call.path["entitlementIdOrFeatureKey"],
            at=call.services.clock.now(),
        )
        return (await shown(call, connection, [found], entitlement_to_wire_v2))[0]


@facade.operation("deleteCustomerEntitlementV2", scopes=WRITE)
async def delete_entitlement(call: Call) -> object:
    async with call.services.database.begin() as connection:
        customer = await customer_of(call, connection)
        await service.delete_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            id_or_feature_key=call.path["entitlementIdOrFeatureKey"],
            clock=call.services.clock,
        )
    return call.no_content()


@facade.operation("listEntitlementsV2", scopes=READ)
async def list_entitlements(call: Call) -> object:
    paging = Paging.from_wire(call.query, pages=True)
    async with call.services.database.begin() as connection:
        criteria = criteria_from_wire(call, await _customer_ids(call, connection))
        found, total = await listed(call, connection, paging, criteria)
        items = await shown(call, connection, found, entitlement_to_wire_v2)
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
    async with call.services.database.begin() as connection:
        found = await queries.get_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            entitlement_id=call.path_id("entitlementId"),
        )
        return (await shown(call, connection, [found], entitlement_to_wire_v2))[0]
