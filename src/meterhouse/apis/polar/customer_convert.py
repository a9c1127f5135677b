"""Customers to and from Polar's bodies: one body for all releases (polar 11)."""

from __future__ import annotations

import hashlib
from uuid import UUID

from meterhouse.apis.polar.schemas import customers as schemas
from meterhouse.apis.polar.schemas.countries import COUNTRIES
from meterhouse.customers.model import Address, Customer
from meterhouse.customers.service import CustomerChanges, CustomerDraft

Wire = dict[str, object]

FIELDS: dict[str, tuple[str, ...]] = {"key": ("external_id",), "primary_email": ("email",)}
"""Our names of fields, as this interface calls them."""


def placeholder_email(customer_id: UUID) -> str:
    """What stands for the e-mail of a customer without one: this interface requires an address.

    No mail can ever reach it, for the domain is reserved (RFC 2606).
    """
    return f"{customer_id}@no-email.example"


def customer_from_wire(sent: schemas.CustomerCreate) -> CustomerDraft:
    """Read a customer to be. A team is kept as any other customer."""
    return CustomerDraft(
        dialect="polar",
        key=sent.external_id,
        name=sent.name,
        primary_email=sent.email,
        billing_address=_address_from_wire(sent.billing_address),
        metadata=sent.metadata,
        tax_id=sent.tax_id,
        locale=sent.locale,
    )


def changes_from_wire(sent: schemas.CustomerUpdateExternalID, customer: Customer) -> CustomerChanges:
    """Read exactly the changes that were sent; a null e-mail or the placeholder changes nothing."""
    given = {name: getattr(sent, name) for name in sent.model_fields_set - {"type"}}
    changes = CustomerChanges()
    if given.get("email") not in (None, placeholder_email(customer.id)):
        changes["primary_email"] = given["email"]
    if "external_id" in given:
        changes["key"] = given["external_id"]
    if "billing_address" in given:
        phone = customer.billing_address.phone_number if customer.billing_address else None
        changes["billing_address"] = _address_from_wire(given["billing_address"], phone_number=phone)
    for name in ("name", "metadata", "tax_id", "locale"):
        if name in given:
            changes[name] = given[name]
    return changes


def customer_to_wire(customer: Customer) -> Wire:
    """Write a customer with every key that any release reads."""
    email = customer.primary_email or placeholder_email(customer.id)
    digest = hashlib.sha256(email.strip().lower().encode()).hexdigest()
    return {
        "id": customer.id,
        "created_at": customer.created_at,
        "modified_at": customer.modified_at,
        "metadata": customer.metadata,
        "external_id": customer.key,
        "email": email,
        "email_verified": False,
        "type": "individual",
        "name": customer.name,
        "billing_name": customer.name,
        "billing_address": _address_to_wire(customer.billing_address),
        # Clients want a tax id with the name of its format, and no format is known here.
        "tax_id": None,
        "locale": customer.locale,
        "organization_id": customer.organisation_id,
        "default_payment_method_id": None,
        "deleted_at": customer.deleted_at,
        "first_user_event_at": customer.first_event_at,
        "avatar_url": f"https://www.gravatar.com/avatar/{digest}?d=404",
    }


def _address_from_wire(
    sent: schemas.AddressInput | None, *, phone_number: str | None = None
) -> Address | None:
    if sent is None:
        return None
    return Address(
        country=sent.country,
        postal_code=sent.postal_code,
        state=sent.state,
        city=sent.city,
        line1=sent.line1,
        line2=sent.line2,
        phone_number=phone_number,
    )


def _address_to_wire(address: Address | None) -> Wire | None:
    """An address with a country that clients know; others cannot be said in this interface."""
    if address is None or address.country not in COUNTRIES:
        return None
    names = ("line1", "line2", "postal_code", "city", "state", "country")
    return {name: getattr(address, name) for name in names}
