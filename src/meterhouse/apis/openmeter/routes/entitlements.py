"""Entitlements of the first version, addressed by subject (openmeter 4.2, 4.7)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.entitlement_convert import entitlement_from_wire, entitlement_to_wire
from meterhouse.apis.openmeter.entitlement_lists import criteria_from_wire, listed, shown
from meterhouse.apis.openmeter.owners import owners_named, subject_owner
from meterhouse.apis.openmeter.paging import Paging
from meterhouse.entitlements import queries, service
from meterhouse.entitlements.queries import EntitlementCriteria

READ, WRITE = ("entitlements:read",), ("entitlements:write",)
ALL = 10_000


@facade.operation("createEntitlement", scopes=WRITE)
async def create_entitlement(call: Call) -> object:
    draft = entitlement_from_wire(call.body)
    async with call.services.database.begin() as connection:
        customer = await subject_owner(call, connection)
        made = await service.create_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            draft=draft,
            clock=call.services.clock,
        )
    return entitlement_to_wire(made, (), customer, call.services.clock.now())


@facade.operation("overrideEntitlement", scopes=WRITE)
async def override_entitlement(call: Call) -> object:
    draft = entitlement_from_wire(call.body)
    async with call.services.database.begin() as connection:
        customer = await subject_owner(call, connection)
        made = await service.override_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            id_or_feature_key=call.path["entitlementIdOrFeatureKey"],
            draft=draft,
            clock=call.services.clock,
        )
    return entitlement_to_wire(made, (), customer, call.services.clock.now())


@facade.operation("listSubjectEntitlements", scopes=READ)
async def list_subject_entitlements(call: Call) -> object:
    async with call.services.database.begin() as connection:
        customer = await subject_owner(call, connection)
        is_all = call.query.get("includeDeleted", False)
        found, _ = await queries.list_entitlements(
            connection,
            organisation_id=call.principal.organisation_id,
            criteria=EntitlementCriteria(
                customer_ids=(customer.id,),
                active_at=None if is_all else call.services.clock.now(),
                include_deleted=is_all,
            ),
            limit=ALL,
        )
        return await shown(call, connection, found, entitlement_to_wire)


@facade.operation("getEntitlement", scopes=READ)
async def get_entitlement(call: Call) -> object:
    async with call.services.database.begin() as connection:
        customer = await subject_owner(call, connection)
        found = await queries.get_customer_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            id_or_feature_key=call.path["entitlementId"],
            at=call.services.clock.now(),
        )
        return (await shown(call, connection, [found], entitlement_to_wire))[0]


@facade.operation("deleteEntitlement", scopes=WRITE)
async def delete_entitlement(call: Call) -> object:
    async with call.services.database.begin() as connection:
        customer = await subject_owner(call, connection)
        await service.delete_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            id_or_feature_key=call.path["entitlementId"],
            clock=call.services.clock,
        )
    return call.no_content()


@facade.operation("listEntitlements", scopes=READ)
async def list_entitlements(call: Call) -> object:
    paging = Paging.from_wire(call.query, pages=False)
    async with call.services.database.begin() as connection:
        found, total = await listed(call, connection, paging, await _criteria(call, connection))
        items = await shown(call, connection, found, entitlement_to_wire)
    return paging.array_or_page(items, total)


async def _criteria(call: Call, connection: AsyncConnection) -> EntitlementCriteria:
    subjects = call.query.get("subject")
    owners = await owners_named(call, connection, "subject", subjects) if subjects else None
    return criteria_from_wire(call, owners)


@facade.operation("getEntitlementById", scopes=READ)
async def get_entitlement_by_id(call: Call) -> object:
    async with call.services.database.begin() as connection:
        found = await queries.get_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            entitlement_id=call.path_id("entitlementId"),
        )
        return (await shown(call, connection, [found], entitlement_to_wire))[0]
