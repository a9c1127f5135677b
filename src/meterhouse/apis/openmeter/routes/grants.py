"""Grants and resets of both versions (openmeter 4.3, 4.5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.filters import instant_from_wire
from meterhouse.apis.openmeter.grant_convert import (
    grant_from_wire,
    grant_from_wire_v2,
    grant_to_wire,
    grant_to_wire_v2,
)
from meterhouse.apis.openmeter.inputs import faults_in
from meterhouse.apis.openmeter.owners import customer_of, customers_named, owners_named, subject_owner
from meterhouse.apis.openmeter.paging import WHOLE, Paging
from meterhouse.customers.model import Customer
from meterhouse.entitlements import grants, queries
from meterhouse.entitlements.drafts import GrantDraft
from meterhouse.entitlements.model import Grant
from meterhouse.entitlements.queries import GrantCriteria, GrantSort
from meterhouse.kernel.ids import parse_id

READ, WRITE = ("entitlements:read",), ("entitlements:write",)
Owner = Callable[[Call, AsyncConnection], Awaitable[Customer]]
_SORTS: dict[str, GrantSort] = {"id": "id", "createdAt": "created_at", "updatedAt": "modified_at"}


@facade.operation("createGrant", scopes=WRITE)
async def create_grant(call: Call) -> object:
    draft = grant_from_wire(call.body)
    async with call.services.database.begin() as connection:
        grant = await _create(call, connection, await subject_owner(call, connection), draft)
    return grant_to_wire(grant, call.services.clock.now())


@facade.operation("createCustomerEntitlementGrantV2", scopes=WRITE)
async def create_grant_v2(call: Call) -> object:
    draft = grant_from_wire_v2(call.body)
    async with call.services.database.begin() as connection:
        grant = await _create(call, connection, await customer_of(call, connection), draft)
    return grant_to_wire_v2(grant, call.services.clock.now())


async def _create(call: Call, connection: AsyncConnection, customer: Customer, draft: GrantDraft) -> Grant:
    return await grants.create_grant(
        connection,
        organisation_id=call.principal.organisation_id,
        customer_id=customer.id,
        id_or_feature_key=call.path["entitlementIdOrFeatureKey"],
        draft=draft,
        clock=call.services.clock,
    )


@facade.operation("listEntitlementGrants", scopes=READ)
async def list_entitlement_grants(call: Call) -> object:
    async with call.services.database.begin() as connection:
        customer = await subject_owner(call, connection)
        criteria = await _of_entitlement(call, connection, customer)
        found, _ = await _listed(call, connection, WHOLE, criteria, default="modified_at")
    return [grant_to_wire(grant, call.services.clock.now()) for grant in found]


@facade.operation("listCustomerEntitlementGrantsV2", scopes=READ)
async def list_entitlement_grants_v2(call: Call) -> object:
    paging = Paging.from_wire(call.query, pages=True)
    async with call.services.database.begin() as connection:
        customer = await customer_of(call, connection)
        criteria = await _of_entitlement(call, connection, customer)
        found, total = await _listed(call, connection, paging, criteria, default="created_at")
    return paging.to_wire([grant_to_wire_v2(grant, call.services.clock.now()) for grant in found], total)


async def _of_entitlement(call: Call, connection: AsyncConnection, customer: Customer) -> GrantCriteria:
    """The grants of the entitlement that the path names."""
    entitlement = await queries.get_customer_entitlement(
        connection,
        organisation_id=call.principal.organisation_id,
        customer_id=customer.id,
        id_or_feature_key=call.path["entitlementIdOrFeatureKey"],
        at=call.services.clock.now(),
    )
    return GrantCriteria(
        entitlement_id=entitlement.id, include_deleted=call.query.get("includeDeleted", False)
    )


@facade.operation("listGrants", scopes=READ)
async def list_grants(call: Call) -> object:
    paging = Paging.from_wire(call.query, pages=False)
    async with call.services.database.begin() as connection:
        subjects = call.query.get("subject")
        owners = await owners_named(call, connection, "subject", subjects) if subjects else None
        criteria = _criteria(call, owners)
        found, total = await _listed(call, connection, paging, criteria, default="effective_at")
    now = call.services.clock.now()
    return paging.array_or_page([grant_to_wire(grant, now) for grant in found], total)


@facade.operation("listGrantsV2", scopes=READ)
async def list_grants_v2(call: Call) -> object:
    paging = Paging.from_wire(call.query, pages=True)
    async with call.services.database.begin() as connection:
        named = call.query.get("customer")
        customers = await customers_named(call, connection, "customer", named) if named else None
        criteria = _criteria(call, customers)
        found, total = await _listed(call, connection, paging, criteria, default="created_at")
    now = call.services.clock.now()
    return paging.to_wire([grant_to_wire_v2(grant, now) for grant in found], total)


def _criteria(call: Call, customer_ids: tuple[UUID, ...] | None) -> GrantCriteria:
    features = call.query.get("feature")
    return GrantCriteria(
        features=tuple(features) if features else None,
        customer_ids=customer_ids,
        include_deleted=call.query.get("includeDeleted", False),
    )


async def _listed(
    call: Call, connection: AsyncConnection, paging: Paging, criteria: GrantCriteria, *, default: GrantSort
) -> tuple[list[Grant], int]:
    order_by = call.query.get("orderBy")
    return await queries.list_grants(
        connection,
        organisation_id=call.principal.organisation_id,
        criteria=criteria,
        sort=default if order_by is None else _SORTS[order_by],
        is_descending=call.query.get("order", "ASC") == "DESC",
        limit=paging.limit,
        offset=paging.offset,
    )


@facade.operation("voidGrant", scopes=WRITE)
async def void_grant(call: Call) -> object:
    grant_id = parse_id(call.path["grantId"])
    if grant_id is None:
        raise queries.grant_not_found(call.path["grantId"])
    at = call.query.get("at")
    with faults_in("query"):
        async with call.services.database.begin() as connection:
            await grants.void_grant(
                connection,
                organisation_id=call.principal.organisation_id,
                grant_id=grant_id,
                at=None if at is None else instant_from_wire(at, ("query", "at")),
                clock=call.services.clock,
            )
    return call.no_content()


@facade.operation("resetEntitlementUsage", scopes=WRITE)
async def reset_usage(call: Call) -> object:
    return await _reset(call, subject_owner, "entitlementId")


@facade.operation("resetCustomerEntitlementUsageV2", scopes=WRITE)
async def reset_usage_v2(call: Call) -> object:
    return await _reset(call, customer_of, "entitlementIdOrFeatureKey")


async def _reset(call: Call, owner: Owner, parameter: str) -> object:
    at = call.body.get("effectiveAt")
    effective_at = None if at is None else instant_from_wire(at, ("body", "effectiveAt"))
    async with call.services.database.begin() as connection:
        customer = await owner(call, connection)
        await grants.reset_usage(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            id_or_feature_key=call.path[parameter],
            effective_at=effective_at,
            retain_anchor=call.body.get("retainAnchor", False),
            preserve_overage=call.body.get("preserveOverage"),
            clock=call.services.clock,
        )
    return call.no_content()
