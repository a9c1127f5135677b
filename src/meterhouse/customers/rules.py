"""What a legal customer is: bounds of its fields, and the identifiers that two customers cannot share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.customers.convert import fold_email
from meterhouse.customers.model import Address, Customer
from meterhouse.customers.tables import customer_subjects, customers
from meterhouse.kernel.currencies import CURRENCIES
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.kernel.ids import parse_id

NAME_MAX = 256
KEY_MAX = 256
SUBJECT_KEY_MAX = 512  # what an index of PostgreSQL holds, whatever the characters
EMAIL_MAX = 256
TEXT_MAX = 10_000
SUBJECT_KEYS_MAX = 1_000
METADATA_MAX = 100

Collision = Issue
"""A fault whose cause is another customer; its path names the field at fault."""

EMAIL_TAKEN = "A customer with this email address already exists."
KEY_TAKEN = "A customer with this external ID already exists."


def check_customer(customer: Customer) -> None:
    """Refuse, with `Invalid` and all faults, a customer whose fields are out of bounds."""
    issues = [
        *_text_issues(customer),
        *_subject_issues(customer.subject_keys),
        *_metadata_issues(customer.metadata),
    ]
    currency = customer.currency
    if currency is not None and currency not in CURRENCIES:
        issues.append(Issue(("currency",), "must be a fiat currency of ISO 4217", "currency"))
    if issues:
        raise Invalid("; ".join(issue.message for issue in issues[:5]), issues=issues)


def _text_issues(customer: Customer) -> list[Issue]:
    bounds: list[tuple[tuple[str, ...], str | None, int]] = [
        (("name",), customer.name, NAME_MAX),
        (("key",), customer.key, KEY_MAX),
        (("primary_email",), customer.primary_email, EMAIL_MAX),
        (("description",), customer.description, TEXT_MAX),
        (("tax_id",), customer.tax_id, NAME_MAX),
        (("locale",), customer.locale, NAME_MAX),
    ]
    address = customer.billing_address or Address()
    bounds += [(("billing_address", f.name), getattr(address, f.name), TEXT_MAX) for f in fields(Address)]
    return [
        Issue(path, f"must have at most {longest} characters", "too_long")
        for path, value, longest in bounds
        if value is not None and len(value) > longest
    ]


def _subject_issues(keys: tuple[str, ...]) -> list[Issue]:
    if len(keys) > SUBJECT_KEYS_MAX:
        return [Issue(("subject_keys",), f"must hold at most {SUBJECT_KEYS_MAX} keys", "too_many")]
    return [
        Issue(("subject_keys", index), f"must have 1 to {SUBJECT_KEY_MAX} characters", "invalid_subject_key")
        for index, key in enumerate(keys)
        if not 1 <= len(key) <= SUBJECT_KEY_MAX
    ]


def _metadata_issues(metadata: Mapping[str, object]) -> list[Issue]:
    if len(metadata) > METADATA_MAX:
        return [Issue(("metadata",), f"must hold at most {METADATA_MAX} keys", "too_many")]
    return [
        Issue(
            ("metadata", key[:KEY_MAX]),
            f"must have at most {TEXT_MAX} characters, its key {KEY_MAX}",
            "too_long",
        )
        for key, value in metadata.items()
        if len(key) > KEY_MAX or (isinstance(value, str) and len(value) > TEXT_MAX)
    ]


async def key_collision(connection: AsyncConnection, customer: Customer) -> Collision | None:
    """What keeps a customer from having its key: another's key, id or subject key (openmeter 3.2)."""
    key = customer.key
    if key is None:
        return None
    named: ColumnElement[bool] = customers.c.key == key
    if (as_id := parse_id(key)) is not None:
        named = or_(named, customers.c.id == as_id)
    others = and_(
        customers.c.organisation_id == customer.organisation_id,
        customers.c.id != customer.id,
        customers.c.deleted_at.is_(None),
    )
    if (await connection.execute(select(customers.c.id).where(others, named).limit(1))).first():
        return Issue(("key",), f"a customer with this key or id already exists: {key}", "key_taken", key)
    if await _owner_of_subjects(connection, customer, (key,)):
        return Issue(("key",), f"the key is a subject key of another customer: {key}", "key_taken", key)
    return None


async def subject_collision(connection: AsyncConnection, customer: Customer) -> Collision | None:
    """A subject key that another live customer owns."""
    taken = await _owner_of_subjects(connection, customer, customer.subject_keys)
    if not taken:
        return None
    message = f"subject key is already used by another customer: {taken}"
    return Issue(("subject_keys", customer.subject_keys.index(taken)), message, "subject_key_taken", taken)


async def _owner_of_subjects(
    connection: AsyncConnection, customer: Customer, keys: tuple[str, ...]
) -> str | None:
    if not keys:
        return None
    query = select(customer_subjects.c.subject_key).where(
        customer_subjects.c.organisation_id == customer.organisation_id,
        customer_subjects.c.customer_id != customer.id,
        customer_subjects.c.subject_key.in_(keys),
        customer_subjects.c.deleted_at.is_(None),
    )
    found = (await connection.execute(query.order_by(customer_subjects.c.subject_key).limit(1))).scalar()
    return None if found is None else str(found)


async def email_collision(connection: AsyncConnection, customer: Customer) -> Collision | None:
    """Another live customer with the same e-mail address, ignoring case (polar 11.2)."""
    if customer.primary_email is None:
        return None
    query = select(customers.c.id).where(
        customers.c.organisation_id == customer.organisation_id,
        customers.c.id != customer.id,
        customers.c.email_folded == fold_email(customer.primary_email),
        customers.c.deleted_at.is_(None),
    )
    if (await connection.execute(query.limit(1))).first() is None:
        return None
    return Issue(("primary_email",), EMAIL_TAKEN, input=customer.primary_email)


async def take_turn(connection: AsyncConnection, organisation_id: UUID) -> None:
    """Wait until no other transaction is giving out identifiers of the organisation."""
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"customers {organisation_id}"},
    )
