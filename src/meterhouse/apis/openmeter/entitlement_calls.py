"""What both versions do with entitlements alike: they differ in whom the path names, and in their words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter.entitlement_convert import (
    entitlement_from_wire,
    entitlement_to_wire,
    entitlement_to_wire_v2,
)
from meterhouse.apis.openmeter.owners import customer_of, subject_owner
from meterhouse.apis.openmeter.paging import Paging
from meterhouse.customers.model import Customer
from meterhouse.customers.queries import find_customers
from meterhouse.entitlements import queries, service
from meterhouse.entitlements.model import Entitlement, EntitlementType, Reset
from meterhouse.entitlements.queries import EntitlementCriteria, EntitlementSort

READ, WRITE = ("entitlements:read",), ("entitlements:write",)
Wire = dict[str, object]

_SORTS: dict[str, EntitlementSort] = {"createdAt": "created_at", "updatedAt": "modified_at"}


@dataclass(frozen=True)
class Version:
    """`owner` finds the customer behind the path, `to_wire` writes an entitlement."""

    owner: Callable[[Call, AsyncConnection], Awaitable[Customer]]
    to_wire: Callable[[Entitlement, Sequence[Reset], Customer, datetime], Wire]


FIRST = Version(subject_owner, entitlement_to_wire)
SECOND = Version(customer_of, entitlement_to_wire_v2)


async def created(call: Call, version: Version) -> Wire:
    """Create an entitlement of the owner."""
    draft = entitlement_from_wire(call.body)
    async with call.services.database.begin() as connection:
        customer = await version.owner(call, connection)
        made = await service.create_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            draft=draft,
            clock=call.services.clock,
        )
    return version.to_wire(made, (), customer, call.services.clock.now())


async def overridden(call: Call, version: Version) -> Wire:
    """Put another entitlement in the place of the owner's."""
    draft = entitlement_from_wire(call.body)
    async with call.services.database.begin() as connection:
        customer = await version.owner(call, connection)
        made = await service.override_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            id_or_feature_key=call.path["entitlementIdOrFeatureKey"],
            draft=draft,
            clock=call.services.clock,
        )
    return version.to_wire(made, (), customer, call.services.clock.now())


async def deleted(call: Call, version: Version, named: str) -> object:
    """End the owner's entitlement."""
    async with call.services.database.begin() as connection:
        customer = await version.owner(call, connection)
        await service.delete_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            id_or_feature_key=named,
            clock=call.services.clock,
        )
    return call.no_content()


async def owned(call: Call, version: Version, named: str) -> Wire:
    """One entitlement of the owner, by id or by feature."""
    async with call.services.database.begin() as connection:
        customer = await version.owner(call, connection)
        found = await queries.get_customer_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            customer_id=customer.id,
            id_or_feature_key=named,
            at=call.services.clock.now(),
        )
        return (await _shown(call, connection, version, [found]))[0]


async def by_id(call: Call, version: Version) -> Wire:
    """One entitlement, whoever owns it."""
    async with call.services.database.begin() as connection:
        found = await queries.get_entitlement(
            connection,
            organisation_id=call.principal.organisation_id,
            entitlement_id=call.path_id("entitlementId"),
        )
        return (await _shown(call, connection, version, [found]))[0]


async def all_owned(call: Call, version: Version, paging: Paging) -> tuple[list[Wire], int]:
    """The owner's entitlements that are active, or with `includeDeleted` all there ever were."""
    is_all = call.query.get("includeDeleted", False)
    async with call.services.database.begin() as connection:
        customer = await version.owner(call, connection)
        criteria = EntitlementCriteria(
            customer_ids=(customer.id,),
            active_at=None if is_all else call.services.clock.now(),
            include_deleted=is_all,
        )
        return await _listed(call, connection, version, paging, criteria)


async def everyones(
    call: Call,
    connection: AsyncConnection,
    version: Version,
    paging: Paging,
    customer_ids: tuple[UUID, ...] | None,
) -> tuple[list[Wire], int]:
    """Entitlements of all customers, or of some, that are not deleted."""
    features, types = call.query.get("feature"), call.query.get("entitlementType")
    criteria = EntitlementCriteria(
        features=tuple(features) if features else None,
        customer_ids=customer_ids,
        types=tuple(EntitlementType(kind) for kind in types) if types else None,
        active_at=call.services.clock.now() if call.query.get("excludeInactive") else None,
    )
    return await _listed(call, connection, version, paging, criteria)


async def _listed(
    call: Call,
    connection: AsyncConnection,
    version: Version,
    paging: Paging,
    criteria: EntitlementCriteria,
) -> tuple[list[Wire], int]:
    """One page in the order that the query asks for, and how many there are in all."""
    found, total = await queries.list_entitlements(
        connection,
        organisation_id=call.principal.organisation_id,
        criteria=criteria,
        sort=_SORTS[call.query.get("orderBy", "createdAt")],
        is_descending=call.query.get("order", "ASC") == "DESC",
        limit=paging.limit,
        offset=paging.offset,
    )
    return await _shown(call, connection, version, found), total


async def _shown(
    call: Call, connection: AsyncConnection, version: Version, found: Sequence[Entitlement]
) -> list[Wire]:
    """Write entitlements with what they show of their resets and customers."""
    resets = await queries.resets_of(connection, entitlement_ids=[each.id for each in found])
    customers = await find_customers(
        connection,
        organisation_id=call.principal.organisation_id,
        ids={each.customer_id for each in found},
    )
    now = call.services.clock.now()
    return [version.to_wire(each, resets[each.id], customers[each.customer_id], now) for each in found]
