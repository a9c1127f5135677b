"""Customers: create, read, list, change, delete, by either id (polar 11)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.apis.call import Call
from meterhouse.apis.faults import fields_named
from meterhouse.apis.polar import convert, facade
from meterhouse.apis.polar.customer_convert import (
    FIELDS,
    changes_from_wire,
    customer_from_wire,
    customer_to_wire,
)
from meterhouse.apis.polar.refusals import refuse_organisation
from meterhouse.apis.polar.schemas.customers import (
    CustomerCreate,
    CustomerDeletion,
    CustomersListQuery,
    CustomerUpdate,
    CustomerUpdateExternalID,
)
from meterhouse.customers import queries, service
from meterhouse.customers.model import Customer
from meterhouse.customers.queries import CustomerCriteria, CustomerSort
from meterhouse.kernel.errors import NotFound, PreconditionFailed
from meterhouse.usage.attribution import with_first_events


async def live_customer(
    call: Call, connection: AsyncConnection, *, id: UUID | None = None, external_id: str | None = None
) -> Customer:
    """A customer by one of its ids. Raises `NotFound`, also for a deleted one."""
    organisation_id = call.principal.organisation_id
    if id is not None:
        found = (await queries.find_customers(connection, organisation_id=organisation_id, ids=[id])).get(id)
    else:
        keys = [external_id or ""]
        found = (await queries.find_keys(connection, organisation_id=organisation_id, keys=keys)).get(keys[0])
    if found is None or found.deleted_at is not None:
        raise NotFound("customer not found", code="customer_not_found")
    return found


@contextlib.asynccontextmanager
async def _changing(call: Call) -> AsyncIterator[AsyncConnection]:
    """A transaction in which a customer that is deleted meanwhile is not found, as if it had been before."""
    try:
        with fields_named(FIELDS):
            async with call.services.database.begin() as connection:
                yield connection
    except PreconditionFailed as error:
        raise NotFound(error.message, code="customer_not_found") from error


async def customers_to_wire(call: Call, customers: Sequence[Customer]) -> list[dict[str, object]]:
    """Write customers with the arrival of their first events."""
    complete = await with_first_events(
        call.services.database,
        call.services.events,
        organisation_id=call.principal.organisation_id,
        customers=customers,
    )
    return [customer_to_wire(customer) for customer in complete]


@facade.operation("customers:create")
async def create_customer(call: Call) -> object:
    sent = call.parse_body(CustomerCreate)
    refuse_organisation({(): sent.organization_id})
    async with _changing(call) as connection:
        customer = await service.create_customer(
            connection,
            organisation_id=call.principal.organisation_id,
            draft=customer_from_wire(sent),
            clock=call.services.clock,
        )
    return (await customers_to_wire(call, [customer]))[0]


@facade.operation("customers:list")
async def list_customers(call: Call) -> object:
    query = call.parse_query(CustomersListQuery)
    if not query.covers(call.principal.organisation_id) or query.active:
        return convert.page_to_wire([], 0, query)  # nobody has an active subscription: there are none yet
    sort = tuple(convert.key_and_direction(key) for key in query.sorting)
    async with call.services.database.begin() as connection:
        customers, total = await queries.list_customers(
            connection,
            organisation_id=call.principal.organisation_id,
            criteria=CustomerCriteria(
                email=query.email, text=query.query, metadata=convert.texts_from_wire(query.metadata)
            ),
            sort=cast("tuple[tuple[CustomerSort, bool], ...]", sort),
            limit=query.size,
            offset=query.offset,
        )
    return convert.page_to_wire(await customers_to_wire(call, customers), total, query)


@facade.operation("customers:get")
async def get_customer(call: Call) -> object:
    async with call.services.database.begin() as connection:
        customer = await live_customer(call, connection, id=call.path_id("id"))
    return (await customers_to_wire(call, [customer]))[0]


@facade.operation("customers:get_external")
async def get_external_customer(call: Call) -> object:
    async with call.services.database.begin() as connection:
        customer = await live_customer(call, connection, external_id=call.path["external_id"])
    return (await customers_to_wire(call, [customer]))[0]


@facade.operation("customers:update")
async def update_customer(call: Call) -> object:
    customer_id = call.path_id("id")
    return await _update(call, call.parse_body(CustomerUpdate), id=customer_id)


@facade.operation("customers:update_external")
async def update_external_customer(call: Call) -> object:
    return await _update(
        call, call.parse_body(CustomerUpdateExternalID), external_id=call.path["external_id"]
    )


async def _update(
    call: Call, sent: CustomerUpdateExternalID, *, id: UUID | None = None, external_id: str | None = None
) -> object:
    async with _changing(call) as connection:
        customer = await live_customer(call, connection, id=id, external_id=external_id)
        customer = await service.update_customer(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_key=str(customer.id),
            changes=changes_from_wire(sent, customer),
            clock=call.services.clock,
        )
    return (await customers_to_wire(call, [customer]))[0]


@facade.operation("customers:delete")
async def delete_customer(call: Call) -> object:
    return await _delete(call, id=call.path_id("id"))


@facade.operation("customers:delete_external")
async def delete_external_customer(call: Call) -> object:
    return await _delete(call, external_id=call.path["external_id"])


async def _delete(call: Call, *, id: UUID | None = None, external_id: str | None = None) -> object:
    query = call.parse_query(CustomerDeletion)
    async with _changing(call) as connection:
        customer = await live_customer(call, connection, id=id, external_id=external_id)
        await service.delete_customer(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_key=str(customer.id),
            guards=call.services.customer_guards,
            anonymize=query.anonymize,
            clock=call.services.clock,
        )
    return call.no_content()
