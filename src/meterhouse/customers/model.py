"""Customers and subjects, as both metering facades know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Address:
    """A billing address; `country` is an ISO 3166 code of two letters."""

    country: str | None = None
    postal_code: str | None = None
    state: str | None = None
    city: str | None = None
    line1: str | None = None
    line2: str | None = None
    phone_number: str | None = None


@dataclass(frozen=True)
class Customer:
    """Who is billed. One record behind both facades: `key` is OpenMeter's key and Polar's external id.

    `subject_keys` are further event subjects whose usage is the customer's, in the order they were given.
    `name` is only absent for customers made through Polar; `metadata` holds texts, and for those also
    numbers and booleans. `first_event_at` is remembered once it is known (`None`: none is known).
    """

    id: UUID
    organisation_id: UUID
    key: str | None
    name: str | None
    description: str | None
    subject_keys: tuple[str, ...]
    primary_email: str | None
    currency: str | None
    billing_address: Address | None
    metadata: Mapping[str, object]
    tax_id: str | None
    locale: str | None
    first_event_at: datetime | None
    created_at: datetime
    modified_at: datetime | None
    deleted_at: datetime | None

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The event subjects that are the customer's usage: the key first, then the subject keys."""
        own = () if self.key is None else (self.key,)
        return tuple(dict.fromkeys((*own, *self.subject_keys)))

    @property
    def display_name(self) -> str:
        """The name, or what comes closest to one."""
        return self.name or self.primary_email or self.key or str(self.id)


@dataclass(frozen=True)
class Subject:
    """Something that events are about, described: it need not exist for events to carry its key."""

    id: UUID
    organisation_id: UUID
    key: str
    display_name: str | None
    metadata: Mapping[str, object] | None
    stripe_customer_id: str | None
    created_at: datetime
    modified_at: datetime | None
    deleted_at: datetime | None
