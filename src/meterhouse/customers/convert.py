"""Customers and subjects to and from their rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from meterhouse.customers.model import Address, Customer, Subject

_COLUMNS = tuple(field.name for field in fields(Customer) if field.name != "subject_keys")


def fold_email(email: str) -> str:
    """What two spellings of one address have in common."""
    return email.strip().casefold()


def address_to_json(address: Address) -> dict[str, str]:
    """Write an address; what is not known is left out."""
    return {name: value for name, value in asdict(address).items() if value is not None}


def customer_to_row(customer: Customer) -> dict[str, object]:
    """All columns of a customer's row; its subject keys have rows of their own."""
    row: dict[str, object] = {name: getattr(customer, name) for name in _COLUMNS}
    address, email = customer.billing_address, customer.primary_email
    row["billing_address"] = address_to_json(address) if address is not None else None
    row["metadata"] = dict(customer.metadata)
    row["email_folded"] = fold_email(email) if email is not None else None
    return row


def customer_from_row(row: Mapping[str, Any]) -> Customer:
    """A customer from its row and its list of subject keys; instants come back in UTC."""
    values = {name: _in_utc(row[name]) for name in _COLUMNS}
    stored = values["billing_address"]
    values["billing_address"] = Address(**stored) if stored is not None else None
    return Customer(**values, subject_keys=tuple(row["subject_keys"] or ()))


def subject_from_row(row: Mapping[str, Any]) -> Subject:
    """A subject from its row; instants come back in UTC."""
    return Subject(**{name: _in_utc(value) for name, value in row.items()})


def _in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
