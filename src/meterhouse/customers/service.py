"""What can be done to customers. Each function is one use case inside the caller's transaction.

Writers of one organisation take turns until their transactions end: whether an identifier is free spans
keys, ids and subject keys, which no single index covers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Protocol, TypedDict
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.customers import rules
from meterhouse.customers.convert import customer_to_row
from meterhouse.customers.model import Address, Customer
from meterhouse.customers.queries import get_customer
from meterhouse.customers.subjects import ensure_subjects
from meterhouse.customers.tables import customer_subjects, customers
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Conflict, Invalid, Issue, PreconditionFailed
from meterhouse.kernel.ids import new_id

Dialect = Literal["openmeter", "polar"]
"""Whose rules a write follows: OpenMeter wants an identifier and lets e-mails repeat, Polar the reverse."""

KEY_FIXED = "Customer external ID cannot be updated."
ADDRESS_FIXED = "Customer billing address cannot be reset to null once set."


class DeletionGuard(Protocol):
    """Refuses a customer's deletion while something depends on it."""

    async def __call__(
        self, connection: AsyncConnection, *, organisation_id: UUID, customer: Customer
    ) -> None:
        """Raise `Conflict` or `Invalid` to refuse. The customer is locked until the transaction ends."""
        ...


@dataclass(frozen=True)
class CustomerDraft:
    """A customer to be, or (OpenMeter) what replaces one."""

    dialect: Dialect
    key: str | None = None
    name: str | None = None
    description: str | None = None
    subject_keys: Sequence[str] = ()
    primary_email: str | None = None
    currency: str | None = None
    billing_address: Address | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    tax_id: str | None = None
    locale: str | None = None


class CustomerChanges(TypedDict, total=False):
    """The fields that a partial update names; the others keep their values."""

    key: str | None
    name: str | None
    primary_email: str
    billing_address: Address | None
    metadata: Mapping[str, object]
    tax_id: str | None
    locale: str | None


async def create_customer(
    connection: AsyncConnection, *, organisation_id: UUID, draft: CustomerDraft, clock: Clock
) -> Customer:
    """Store a customer (openmeter 3.2, polar 11.2) and provide subjects for its subject keys.

    Events stored before it belong to it at once. Raises `Invalid` with all faults; an identifier that is
    taken is a `Conflict` in OpenMeter's dialect and among the faults in Polar's.
    """
    customer = Customer(
        id=new_id(),
        organisation_id=organisation_id,
        key=draft.key,
        name=draft.name,
        description=draft.description,
        subject_keys=tuple(dict.fromkeys(draft.subject_keys)),
        primary_email=draft.primary_email or None,
        currency=draft.currency,
        billing_address=draft.billing_address,
        metadata=draft.metadata,
        tax_id=draft.tax_id,
        locale=draft.locale,
        first_event_at=None,
        created_at=clock.now(),
        modified_at=None,
        deleted_at=None,
    )
    _check_identifiable(customer, draft.dialect)
    rules.check_customer(customer)
    await rules.take_turn(connection, organisation_id)
    await _refuse_collisions(connection, customer, draft.dialect)
    await connection.execute(insert(customers).values(**customer_to_row(customer)))
    await _assign_subjects(connection, customer, before=(), now=clock.now())
    return customer


async def replace_customer(
    connection: AsyncConnection, *, organisation_id: UUID, id_or_key: str, draft: CustomerDraft, clock: Clock
) -> Customer:
    """Replace what OpenMeter knows of a customer (openmeter 3.2); no e-mail or currency keeps the old one.

    An empty e-mail clears it.
    Raises `NotFound`, `PreconditionFailed` for a deleted one, `Invalid` and `Conflict` as `create_customer`.
    """
    await rules.take_turn(connection, organisation_id)
    before = await _get_live(connection, organisation_id, id_or_key)
    after = replace(
        before,
        key=draft.key,
        name=draft.name,
        description=draft.description,
        subject_keys=tuple(dict.fromkeys(draft.subject_keys)),
        primary_email=before.primary_email if draft.primary_email is None else draft.primary_email or None,
        currency=draft.currency if draft.currency is not None else before.currency,
        billing_address=draft.billing_address,
        metadata=draft.metadata,
    )
    _check_identifiable(after, draft.dialect)
    return await _save(connection, before, after, draft.dialect, clock)


async def update_customer(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    id_or_key: str,
    changes: CustomerChanges,
    clock: Clock,
) -> Customer:
    """Change the given fields by Polar's rules (polar 11.2). Nothing given is a no-op.

    A key is set once, an address never goes away again. Raises `NotFound` or `PreconditionFailed`, or
    `Invalid` with all faults, taken identifiers included.
    """
    await rules.take_turn(connection, organisation_id)
    before = await _get_live(connection, organisation_id, id_or_key)
    given: dict[str, Any] = dict(changes)
    issues = []
    if before.key is not None and given.get("key", before.key) != before.key:
        issues.append(Issue(("key",), KEY_FIXED, input=given["key"]))
    is_reset = "billing_address" in given and given["billing_address"] is None
    if is_reset and before.billing_address is not None:
        issues.append(Issue(("billing_address",), ADDRESS_FIXED))
    if issues:
        raise Invalid("; ".join(issue.message for issue in issues), issues=issues)
    after = replace(before, **given)
    return before if after == before else await _save(connection, before, after, "polar", clock)


async def delete_customer(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    id_or_key: str,
    guards: Sequence[DeletionGuard] = (),
    anonymize: bool = False,
    clock: Clock,
) -> None:
    """Delete softly (openmeter 3.2, polar 11.2): the id stays readable, the identifiers are free again.

    With `anonymize` everything personal is forgotten; the key stays, as events carry it anyway.
    Raises `NotFound`, `PreconditionFailed` when it is deleted already, and what a guard raises.
    """
    await rules.take_turn(connection, organisation_id)
    customer = await _get_live(connection, organisation_id, id_or_key)
    for guard in guards:
        await guard(connection, organisation_id=organisation_id, customer=customer)
    now = clock.now()
    gone = replace(customer, deleted_at=now)
    if anonymize:
        gone = _anonymous(gone)
    await connection.execute(
        update(customers).where(customers.c.id == gone.id).values(**customer_to_row(gone))
    )
    owned = customer_subjects.c.customer_id == gone.id
    await connection.execute(update(customer_subjects).where(owned).values(deleted_at=now))


def _anonymous(customer: Customer) -> Customer:
    return replace(
        customer,
        name=None,
        description=None,
        primary_email=None,
        billing_address=None,
        metadata={},
        tax_id=None,
        locale=None,
    )


async def remember_first_events(
    connection: AsyncConnection, *, organisation_id: UUID, found: Mapping[UUID, datetime]
) -> None:
    """Keep when customers' first events came, so that nobody need look them up again."""
    for customer_id, at in found.items():
        owned = (customers.c.id == customer_id) & (customers.c.organisation_id == organisation_id)
        await connection.execute(update(customers).where(owned).values(first_event_at=at))


def _check_identifiable(customer: Customer, dialect: Dialect) -> None:
    if dialect == "openmeter" and not customer.identifiers:
        message = "is required where there is no subject key: usage is found by one or the other"
        raise Invalid(f"key: {message}", issues=[Issue(("key",), message, "missing")])


async def _refuse_collisions(
    connection: AsyncConnection, customer: Customer, dialect: Dialect, *, before: Customer | None = None
) -> None:
    """Refuse what is newly claimed and taken; what a customer has already, it keeps."""
    key = None if before and before.key == customer.key else await rules.key_collision(connection, customer)
    if dialect == "openmeter":
        collision = key or await rules.subject_collision(connection, customer)
        if collision is not None:
            raise Conflict(collision.message, code=collision.code)
        return
    issues = []
    if before is None or before.primary_email != customer.primary_email:
        email = await rules.email_collision(connection, customer)
        issues += [] if email is None else [email]
    if key is not None:
        issues.append(Issue(key.path, rules.KEY_TAKEN, input=customer.key))
    if issues:
        raise Invalid("; ".join(issue.message for issue in issues), issues=issues)


async def _save(
    connection: AsyncConnection, before: Customer, after: Customer, dialect: Dialect, clock: Clock
) -> Customer:
    rules.check_customer(after)
    await _refuse_collisions(connection, after, dialect, before=before)
    first_event_at = before.first_event_at if before.identifiers == after.identifiers else None
    saved = replace(after, modified_at=clock.now(), first_event_at=first_event_at)
    await connection.execute(
        update(customers).where(customers.c.id == saved.id).values(**customer_to_row(saved))
    )
    if before.subject_keys != saved.subject_keys:
        await _assign_subjects(connection, saved, before=before.subject_keys, now=clock.now())
    return saved


async def _assign_subjects(
    connection: AsyncConnection, customer: Customer, *, before: Sequence[str], now: datetime
) -> None:
    if before:
        owned = customer_subjects.c.customer_id == customer.id
        await connection.execute(delete(customer_subjects).where(owned))
    if customer.subject_keys:
        rows = [
            {
                "customer_id": customer.id,
                "organisation_id": customer.organisation_id,
                "subject_key": key,
                "position": position,
            }
            for position, key in enumerate(customer.subject_keys)
        ]
        await connection.execute(insert(customer_subjects), rows)
    added = [key for key in customer.subject_keys if key not in before]
    await ensure_subjects(connection, organisation_id=customer.organisation_id, keys=added, now=now)


async def _get_live(connection: AsyncConnection, organisation_id: UUID, id_or_key: str) -> Customer:
    """The customer, locked until the transaction ends."""
    customer = await get_customer(connection, organisation_id=organisation_id, id_or_key=id_or_key, lock=True)
    if customer.deleted_at is not None:
        raise PreconditionFailed(f"customer is deleted: {id_or_key[:100]}", code="customer_deleted")
    return customer
