"""Customers: create, get, list, replace, delete (openmeter 3.2)."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.faults import fields_named
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.customer_convert import CUSTOMER_FIELDS, customer_from_wire, customer_to_wire
from meterhouse.apis.openmeter.paging import Paging
from meterhouse.customers import queries, service
from meterhouse.customers.queries import CustomerCriteria, CustomerSort

_SORTS: dict[str, CustomerSort] = {"id": "id", "name": "display_name", "createdAt": "created_at"}
SUBSCRIPTIONS = "subscriptions"


def _is_expanded(call: Call) -> bool:
    """Without the parameter everything is expanded."""
    return SUBSCRIPTIONS in call.query.get("expand", (SUBSCRIPTIONS,))


@facade.operation("createCustomer", scopes=("customers:write",))
async def create_customer(call: Call) -> object:
    with fields_named(CUSTOMER_FIELDS):
        async with call.services.database.begin() as connection:
            customer = await service.create_customer(
                connection,
                organisation_id=call.principal.organisation_id,
                draft=customer_from_wire(call.body),
                clock=call.services.clock,
            )
    return customer_to_wire(customer)


@facade.operation("listCustomers", scopes=("customers:read",))
async def list_customers(call: Call) -> object:
    query, paging = call.query, Paging.from_wire(call.query, pages=True)
    if query.get("planKey") is not None:  # nobody has a plan: there are no subscriptions yet
        return paging.to_wire([], 0)
    criteria = CustomerCriteria(
        include_deleted=query.get("includeDeleted", False),
        key_contains=query.get("key"),
        name_contains=query.get("name"),
        email_contains=query.get("primaryEmail"),
        subject_contains=query.get("subject"),
    )
    async with call.services.database.begin() as connection:
        customers, total = await queries.list_customers(
            connection,
            organisation_id=call.principal.organisation_id,
            criteria=criteria,
            sort=((_SORTS[query.get("orderBy", "name")], query.get("order", "ASC") == "DESC"),),
            limit=paging.limit,
            offset=paging.offset,
        )
    is_expanded = _is_expanded(call)
    items = [customer_to_wire(customer, expanded=is_expanded) for customer in customers]
    return paging.to_wire(items, total)


@facade.operation("getCustomer", scopes=("customers:read",))
async def get_customer(call: Call) -> object:
    async with call.services.database.begin() as connection:
        customer = await queries.get_customer(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_key=call.path["customerIdOrKey"],
        )
    return customer_to_wire(customer, expanded=_is_expanded(call))


@facade.operation("updateCustomer", scopes=("customers:write",))
async def replace_customer(call: Call) -> object:
    with fields_named(CUSTOMER_FIELDS):
        async with call.services.database.begin() as connection:
            customer = await service.replace_customer(
                connection,
                organisation_id=call.principal.organisation_id,
                id_or_key=call.path["customerIdOrKey"],
                draft=customer_from_wire(call.body),
                clock=call.services.clock,
            )
    return customer_to_wire(customer)


@facade.operation("deleteCustomer", scopes=("customers:write",))
async def delete_customer(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await service.delete_customer(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_key=call.path["customerIdOrKey"],
            guards=call.services.customer_guards,
            clock=call.services.clock,
        )
    return call.no_content()


@facade.operation("listCustomerSubscriptions", scopes=("customers:read",))
async def list_customer_subscriptions(call: Call) -> object:
    """No customer has a subscription yet; an unknown customer is told all the same."""
    async with call.services.database.begin() as connection:
        await queries.get_customer(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_key=call.path["customerIdOrKey"],
        )
    return Paging.from_wire(call.query, pages=True).to_wire([], 0)
