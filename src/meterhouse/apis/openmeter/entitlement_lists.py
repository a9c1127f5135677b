"""Lists of entitlements, which both versions make alike: criteria, pages, and what each item shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter.paging import Paging
from meterhouse.customers.model import Customer
from meterhouse.customers.queries import find_customers
from meterhouse.entitlements import queries
from meterhouse.entitlements.model import Entitlement, EntitlementType, Reset
from meterhouse.entitlements.queries import EntitlementCriteria, EntitlementSort

ToWire = Callable[[Entitlement, Sequence[Reset], Customer, datetime], dict[str, object]]

_SORTS: dict[str, EntitlementSort] = {"createdAt": "created_at", "updatedAt": "modified_at"}


def criteria_from_wire(call: Call, customer_ids: tuple[UUID, ...] | None) -> EntitlementCriteria:
    """Read what a list of all customers' entitlements is narrowed to."""
    query = call.query
    features, types = query.get("feature"), query.get("entitlementType")
    return EntitlementCriteria(
        features=tuple(features) if features else None,
        customer_ids=customer_ids,
        types=tuple(EntitlementType(kind) for kind in types) if types else None,
        active_at=call.services.clock.now() if query.get("excludeInactive") else None,
    )


async def listed(
    call: Call, connection: AsyncConnection, paging: Paging, criteria: EntitlementCriteria
) -> tuple[list[Entitlement], int]:
    """One page in the order that the query asks for, and how many there are in all."""
    return await queries.list_entitlements(
        connection,
        organisation_id=call.principal.organisation_id,
        criteria=criteria,
        sort=_SORTS[call.query.get("orderBy", "createdAt")],
        is_descending=call.query.get("order", "ASC") == "DESC",
        limit=paging.limit,
        offset=paging.offset,
    )


async def shown(
    call: Call, connection: AsyncConnection, found: Sequence[Entitlement], to_wire: ToWire
) -> list[dict[str, object]]:
    """Write entitlements with what they show of their resets and customers."""
    resets = await queries.resets_of(connection, entitlement_ids=[each.id for each in found])
    customers = await find_customers(
        connection,
        organisation_id=call.principal.organisation_id,
        ids={each.customer_id for each in found},
    )
    now = call.services.clock.now()
    return [to_wire(each, resets[each.id], customers[each.customer_id], now) for each in found]
