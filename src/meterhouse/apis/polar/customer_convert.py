"""Customers to Polar's bodies: one body for all releases (polar 11.1)."""

from __future__ import annotations

import hashlib

from meterhouse.customers.model import Address, Customer

Wire = dict[str, object]


def customer_to_wire(customer: Customer) -> Wire:
    """Write a customer with every key that any release reads."""
    email = customer.primary_email or ""
    return {
        "id": customer.id,
        "created_at": customer.created_at,
        "modified_at": customer.modified_at,
        "metadata": dict(customer.metadata),
        "external_id": customer.key,
        "email": email,
        "email_verified": False,
        "type": "individual",
        "name": customer.name,
        "billing_name": customer.name,
        "billing_address": _address(customer.billing_address),
        "tax_id": None,
        "locale": customer.locale,
        "organization_id": customer.organisation_id,
        "default_payment_method_id": None,
        "deleted_at": customer.deleted_at,
        "first_user_event_at": customer.first_event_at,
        "avatar_url": f"https://www.gravatar.com/avatar/{_digest(email)}?d=404",
    }


def _digest(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def _address(address: Address | None) -> Wire | None:
    if address is None or address.country is None:
        return None
    return {
        "line1": address.line1,
        "line2": address.line2,
        "postal_code": address.postal_code,
        "city": address.city,
        "state": address.state,
        "country": address.country,
    }
