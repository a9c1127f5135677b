"""Whose entitlements a call is about: a customer by the path, or the customer behind a subject."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.apis.call import Call
from meterhouse.apis.openmeter.filters import refused
from meterhouse.customers.model import Customer
from meterhouse.customers.queries import find_customer, find_subject, get_customer, owners_of
from meterhouse.kernel.errors import NotFound, PreconditionFailed

NAMED_MAX = 100


async def customer_of(call: Call, connection: AsyncConnection) -> Customer:
    """The customer that the path names. Raises `NotFound`, and `PreconditionFailed` for a deleted one."""
    named = call.path["customerIdOrKey"]
    customer = await get_customer(connection, organisation_id=call.principal.organisation_id, id_or_key=named)
    if customer.deleted_at is not None:
        raise PreconditionFailed(f"customer is deleted: {named[:100]}", code="customer_deleted")
    return customer


async def subject_owner(call: Call, connection: AsyncConnection) -> Customer:
    """The customer whose usage is that of the subject in the path. Raises `NotFound`.

    A subject need not be described to have one: it may be the customer's own key.
    """
    named, organisation_id = call.path["subjectIdOrKey"], call.principal.organisation_id
    subject = await find_subject(connection, organisation_id=organisation_id, id_or_key=named)
    key = named if subject is None or subject.deleted_at is not None else subject.key
    owners = await owners_of(connection, organisation_id=organisation_id, subjects=[key])
    if key in owners:
        return owners[key]
    if subject is None:
        raise NotFound(f"subject not found: {named[:100]}", code="subject_not_found")
    raise NotFound(f"no customer found for subject: {named[:100]}", code="customer_not_found")


async def owners_named(
    call: Call, connection: AsyncConnection, parameter: str, subjects: Sequence[str]
) -> tuple[UUID, ...]:
    """The customers behind a list's subjects; unknown subjects have none."""
    _bound(parameter, subjects)
    owners = await owners_of(connection, organisation_id=call.principal.organisation_id, subjects=subjects)
    return tuple({customer.id for customer in owners.values()})


async def customers_named(
    call: Call, connection: AsyncConnection, parameter: str, ids_or_keys: Sequence[str]
) -> tuple[UUID, ...]:
    """The customers that a list names by id or key; unknown ones are none."""
    _bound(parameter, ids_or_keys)
    found = [
        await find_customer(connection, organisation_id=call.principal.organisation_id, id_or_key=named)
        for named in dict.fromkeys(ids_or_keys)
    ]
    return tuple(customer.id for customer in found if customer is not None)


def _bound(parameter: str, named: Sequence[str]) -> None:
    if len(named) > NAMED_MAX:
        raise refused(("query", parameter), f"names more than {NAMED_MAX}", "maxItems")
