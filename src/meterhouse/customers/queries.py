"""Reads of customers and subjects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Label,
    Select,
    String,
    and_,
    any_,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.customers.convert import customer_from_row, fold_email, subject_from_row
from meterhouse.customers.model import Customer, Subject
from meterhouse.customers.tables import customer_subjects, customers, subjects
from meterhouse.kernel.errors import NotFound
from meterhouse.kernel.ids import parse_id

SHOWN_MAX = 100

CustomerSort = Literal["id", "name", "display_name", "email", "created_at"]


def _keys(*conditions: ColumnElement[bool]) -> Label[Any]:
    """The subject keys of a customer in their order, as far as they meet the conditions."""
    in_order = aggregate_order_by(customer_subjects.c.subject_key, customer_subjects.c.position)
    return (
        select(func.array_agg(in_order, type_=ARRAY(String)))
        .where(customer_subjects.c.customer_id == customers.c.id, *conditions)
        .correlate(customers)
        .scalar_subquery()
        .label("subject_keys")
    )


_other = customers.alias("other")
_is_key_of_another = exists().where(
    _other.c.organisation_id == customers.c.organisation_id,
    _other.c.key == customer_subjects.c.subject_key,
    _other.c.deleted_at.is_(None),
    _other.c.id != customers.c.id,
)
_subject_keys = _keys()
_owned_keys = _keys(~_is_key_of_another)
_display_name = func.coalesce(customers.c.name, customers.c.primary_email, customers.c.key, "")
_SORTED_BY: dict[CustomerSort, ColumnElement[Any]] = {
    "id": customers.c.id,
    "name": customers.c.name,
    "display_name": _display_name,
    "email": customers.c.email_folded,
    "created_at": customers.c.created_at,
}


@dataclass(frozen=True)
class CustomerCriteria:
    """Which customers to list; all parts AND. What is contained is found ignoring case.

    `email` is a whole address, ignoring case. `text` is contained in the e-mail or the name, or begins
    the key; `mention` is contained in any of them. `metadata` maps a key to the texts its value may have.
    """

    include_deleted: bool = False
    key_contains: str | None = None
    name_contains: str | None = None
    email_contains: str | None = None
    subject_contains: str | None = None
    email: str | None = None
    text: str | None = None
    mention: str | None = None
    metadata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


identified = (
    select(
        customers.c.id,
        customers.c.organisation_id,
        customers.c.key,
        customers.c.deleted_at,
        _owned_keys,
    )
    .select_from(customers)
    .subquery("customer")
)
"""What identifies customers, for queries of others that need it in the same statement. Subject keys are those
that a customer owns: not what is the key of another one."""


async def find_customer(
    connection: AsyncConnection, *, organisation_id: UUID, id_or_key: str, lock: bool = False
) -> Customer | None:
    """A customer by id in either spelling (also a deleted one) or by the key of a live one.

    A key may look like an id: then a live customer comes before a deleted one. `lock` holds the row until
    the transaction ends.
    """
    by_key = and_(customers.c.key == storable(id_or_key), customers.c.deleted_at.is_(None))
    customer_id = parse_id(id_or_key)
    query = _customers(organisation_id)
    if customer_id is None:
        query = query.where(by_key)
    else:
        by_id = customers.c.id == customer_id
        query = query.where(or_(by_id, by_key)).order_by(customers.c.deleted_at.is_not(None), by_id.desc())
    rows = (await connection.execute(query.with_for_update(of=customers) if lock else query)).mappings()
    row = rows.first()
    return None if row is None else customer_from_row(row)


async def get_customer(
    connection: AsyncConnection, *, organisation_id: UUID, id_or_key: str, lock: bool = False
) -> Customer:
    """As `find_customer`. Raises `NotFound`."""
    found = await find_customer(connection, organisation_id=organisation_id, id_or_key=id_or_key, lock=lock)
    if found is None:
        raise customer_not_found(id_or_key)
    return found


def customer_not_found(named: str) -> NotFound:
    return NotFound(f"customer not found: {named[:SHOWN_MAX]}", code="customer_not_found")


async def find_customers(
    connection: AsyncConnection, *, organisation_id: UUID, ids: Collection[UUID]
) -> dict[UUID, Customer]:
    """Customers by their ids, deleted ones included; unknown ids are left out."""
    if not ids:
        return {}
    query = _customers(organisation_id).where(_among(customers.c.id, ids))
    found = map(customer_from_row, (await connection.execute(query)).mappings())
    return {customer.id: customer for customer in found}


async def owners_of(
    connection: AsyncConnection, *, organisation_id: UUID, subjects: Collection[str]
) -> dict[str, Customer]:
    """The live customers that own event subjects: by key first, then by subject key (openmeter 3.2)."""
    wanted = [subject for subject in set(subjects) if "\x00" not in subject]
    if not wanted:
        return {}
    assigned = select(customer_subjects.c.customer_id).where(
        customer_subjects.c.organisation_id == organisation_id,
        _among(customer_subjects.c.subject_key, wanted),
        customer_subjects.c.deleted_at.is_(None),
    )
    query = _customers(organisation_id).where(
        customers.c.deleted_at.is_(None), or_(_among(customers.c.key, wanted), customers.c.id.in_(assigned))
    )
    found = [customer_from_row(row) for row in (await connection.execute(query)).mappings()]
    owners = {subject: customer for customer in found for subject in customer.subject_keys}
    owners |= {customer.key: customer for customer in found if customer.key is not None}
    return {subject: owners[subject] for subject in wanted if subject in owners}


async def find_keys(
    connection: AsyncConnection, *, organisation_id: UUID, keys: Collection[str]
) -> dict[str, Customer]:
    """Live customers by their keys; unknown keys are left out."""
    wanted = [key for key in set(keys) if "\x00" not in key]
    if not wanted:
        return {}
    query = _customers(organisation_id).where(
        _among(customers.c.key, wanted), customers.c.deleted_at.is_(None)
    )
    found = [customer_from_row(row) for row in (await connection.execute(query)).mappings()]
    return {customer.key: customer for customer in found if customer.key is not None}


async def owned_subjects(
    connection: AsyncConnection, *, organisation_id: UUID, customers: Collection[Customer]
) -> dict[UUID, tuple[str, ...]]:
    """The event subjects that live customers own: their identifiers, less what is another's key."""
    contested = {key for customer in customers for key in customer.subject_keys if key != customer.key}
    keys = await find_keys(connection, organisation_id=organisation_id, keys=contested)
    return {
        customer.id: tuple(
            subject
            for subject in customer.identifiers
            if subject not in keys or keys[subject].id == customer.id
        )
        for customer in customers
    }


async def list_customers(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    criteria: CustomerCriteria | None = None,
    sort: tuple[tuple[CustomerSort, bool], ...] = (("display_name", False),),
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[Customer], int]:
    """One page of customers and how many there are in all. `sort` pairs a key with "descending"."""
    conditions = _conditions(criteria or CustomerCriteria())
    query = _customers(organisation_id).where(*conditions)
    for key, is_descending in sort:
        column = _SORTED_BY[key]
        query = query.order_by((column.desc() if is_descending else column.asc()).nulls_last())
    rows = (await connection.execute(query.order_by(customers.c.id).limit(limit).offset(offset))).mappings()
    count = select(func.count()).select_from(customers)
    total = await connection.execute(count.where(customers.c.organisation_id == organisation_id, *conditions))
    return [customer_from_row(row) for row in rows], total.scalar_one()


def _customers(organisation_id: UUID) -> Select[Any]:
    return select(customers, _subject_keys).where(customers.c.organisation_id == organisation_id)


def _conditions(criteria: CustomerCriteria) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if not criteria.include_deleted:
        conditions.append(customers.c.deleted_at.is_(None))
    for column, needle in (
        (customers.c.key, criteria.key_contains),
        (_display_name, criteria.name_contains),
        (customers.c.primary_email, criteria.email_contains),
    ):
        if needle:
            conditions.append(_contains(column, needle))
    if criteria.subject_contains:
        assigned = select(customer_subjects.c.customer_id).where(
            customer_subjects.c.customer_id == customers.c.id,
            _contains(customer_subjects.c.subject_key, criteria.subject_contains),
        )
        conditions.append(assigned.exists())
    if criteria.email is not None:
        conditions.append(customers.c.email_folded == storable(fold_email(criteria.email)))
    if criteria.text:
        begins = func.starts_with(customers.c.key, storable(criteria.text))
        conditions.append(or_(*_in_name_or_email(criteria.text), begins))
    if criteria.mention:
        in_key = _contains(customers.c.key, criteria.mention)
        conditions.append(or_(*_in_name_or_email(criteria.mention), in_key))
    for key, values in criteria.metadata.items():
        stored = customers.c.metadata[storable(key)].astext
        wanted = [value for value in values if "\x00" not in value]
        conditions.append(stored.in_(wanted) if wanted else false())
    return conditions


def _in_name_or_email(needle: str) -> list[ColumnElement[bool]]:
    return [_contains(column, needle) for column in (customers.c.name, customers.c.primary_email)]


def _among(column: ColumnElement[Any], values: Collection[object]) -> ColumnElement[bool]:
    """Whether the column holds one of the values: one parameter, however many they are."""
    return column == any_(literal(list(values), ARRAY(column.type)))


def _contains(column: ColumnElement[Any], needle: str) -> ColumnElement[bool]:
    return func.strpos(func.lower(column), func.lower(cast(storable(needle), String))) > 0


def storable(text: str) -> str:
    """The text with U+0000 replaced: PostgreSQL holds none, and so nothing stored can match it."""
    return text.replace("\x00", "\ufffd")


async def find_subject(
    connection: AsyncConnection, *, organisation_id: UUID, id_or_key: str
) -> Subject | None:
    """A subject by id in either spelling (also a deleted one) or by the key of a live one."""
    by_key = and_(subjects.c.key == storable(id_or_key), subjects.c.deleted_at.is_(None))
    subject_id = parse_id(id_or_key)
    query = select(subjects).where(subjects.c.organisation_id == organisation_id)
    if subject_id is None:
        query = query.where(by_key)
    else:
        by_id = subjects.c.id == subject_id
        query = query.where(or_(by_id, by_key)).order_by(subjects.c.deleted_at.is_not(None), by_id.desc())
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else subject_from_row(dict(row))


async def get_subject(connection: AsyncConnection, *, organisation_id: UUID, id_or_key: str) -> Subject:
    """As `find_subject`. Raises `NotFound`."""
    found = await find_subject(connection, organisation_id=organisation_id, id_or_key=id_or_key)
    if found is None:
        raise NotFound(f"subject not found: {id_or_key[:SHOWN_MAX]}", code="subject_not_found")
    return found


async def list_subjects(connection: AsyncConnection, *, organisation_id: UUID) -> list[Subject]:
    """All live subjects in the order of their keys."""
    query = select(subjects).where(
        subjects.c.organisation_id == organisation_id, subjects.c.deleted_at.is_(None)
    )
    rows = (await connection.execute(query.order_by(subjects.c.key))).mappings()
    return [subject_from_row(dict(row)) for row in rows]


async def find_subjects(
    connection: AsyncConnection, *, organisation_id: UUID, keys: Collection[str]
) -> dict[str, Subject]:
    """Live subjects by their keys; unknown keys are left out."""
    wanted = [key for key in set(keys) if "\x00" not in key]
    if not wanted:
        return {}
    query = select(subjects).where(
        subjects.c.organisation_id == organisation_id,
        _among(subjects.c.key, wanted),
        subjects.c.deleted_at.is_(None),
    )
    found = [subject_from_row(dict(row)) for row in (await connection.execute(query)).mappings()]
    return {subject.key: subject for subject in found}
