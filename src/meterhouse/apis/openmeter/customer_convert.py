"""Customers and subjects between OpenMeter's words and ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meterhouse.apis.openmeter.convert import text_of
from meterhouse.customers.convert import address_to_json
from meterhouse.customers.model import Address, Customer, Subject
from meterhouse.customers.rules import NAME_MAX
from meterhouse.customers.service import CustomerDraft
from meterhouse.customers.subjects import SubjectChanges
from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.ids import to_ulid

_ADDRESS = {
    "country": "country",
    "postal_code": "postalCode",
    "state": "state",
    "city": "city",
    "line1": "line1",
    "line2": "line2",
    "phone_number": "phoneNumber",
}
CUSTOMER_FIELDS: dict[str, tuple[str, ...]] = {
    "subject_keys": ("usageAttribution", "subjectKeys"),
    "primary_email": ("primaryEmail",),
    "billing_address": ("billingAddress",),
    "postal_code": ("postalCode",),
    "phone_number": ("phoneNumber",),
}
_SUBJECT = {
    "displayName": "display_name",
    "metadata": "metadata",
    "stripeCustomerId": "stripe_customer_id",
}
SUBJECT_FIELDS: dict[str, tuple[str, ...]] = {name: (wire,) for wire, name in _SUBJECT.items()}


def customer_from_wire(body: Mapping[str, Any]) -> CustomerDraft:
    """Read the body of a customer's creation or replacement."""
    address = body.get("billingAddress")
    return CustomerDraft(
        dialect="openmeter",
        key=body.get("key"),
        name=body["name"],
        description=body.get("description"),
        subject_keys=(body.get("usageAttribution") or {}).get("subjectKeys") or (),
        primary_email=body.get("primaryEmail"),
        currency=body.get("currency"),
        billing_address=None if address is None else _address_from_wire(address),
        metadata=body.get("metadata") or {},
    )


def _address_from_wire(wire: Mapping[str, Any]) -> Address:
    return Address(**{name: wire.get(key) for name, key in _ADDRESS.items()})


def customer_to_wire(customer: Customer, *, expanded: bool = False) -> dict[str, object]:
    """Write a customer; what is empty is left out. `expanded` adds its active subscriptions."""
    address = customer.billing_address
    wire: dict[str, object | None] = {
        "id": to_ulid(customer.id),
        "key": customer.key,
        "name": customer.display_name[:NAME_MAX],
        "description": customer.description,
        "usageAttribution": {"subjectKeys": customer.subject_keys},
        "primaryEmail": customer.primary_email,
        "currency": customer.currency,
        "billingAddress": None if address is None else _address_to_wire(address),
        "metadata": {key: text_of(value) for key, value in customer.metadata.items()} or None,
        "subscriptions": [] if expanded else None,
        "createdAt": format_instant(customer.created_at),
        "updatedAt": format_instant(customer.modified_at or customer.created_at),
        "deletedAt": format_instant(customer.deleted_at) if customer.deleted_at else None,
    }
    return {key: value for key, value in wire.items() if value is not None}


def _address_to_wire(address: Address) -> dict[str, str]:
    return {_ADDRESS[name]: value for name, value in address_to_json(address).items()}


def subject_from_wire(wire: Mapping[str, Any]) -> tuple[str, SubjectChanges]:
    """Read one entry of an upsert: its key, and exactly the properties that were sent."""
    changes = {name: wire[key] for key, name in _SUBJECT.items() if key in wire}
    return wire["key"], SubjectChanges(**changes)  # type: ignore[typeddict-item]


def subject_to_wire(subject: Subject) -> dict[str, object]:
    """Write a subject; what is empty is left out."""
    wire: dict[str, object | None] = {
        "id": to_ulid(subject.id),
        "key": subject.key,
        "displayName": subject.display_name,
        "metadata": subject.metadata or None,
        "stripeCustomerId": subject.stripe_customer_id,
        "createdAt": format_instant(subject.created_at),
        "updatedAt": format_instant(subject.modified_at or subject.created_at),
        "deletedAt": format_instant(subject.deleted_at) if subject.deleted_at else None,
    }
    return {key: value for key, value in wire.items() if value is not None}
