"""Bodies and queries of the customer operations. Class names appear in the locations of published errors."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, EmailStr, Field

from meterhouse.apis.polar.schemas.common import Metadata, MetadataFilter, OrganisationQuery, storable
from meterhouse.apis.polar.schemas.countries import ACCEPTED
from meterhouse.customers.rules import KEY_MAX, NAME_MAX, TEXT_MAX


class CustomerSort(StrEnum):
    CREATED_AT = "created_at"
    CREATED_AT_DESCENDING = "-created_at"
    EMAIL = "email"
    EMAIL_DESCENDING = "-email"
    NAME = "name"
    NAME_DESCENDING = "-name"


class CustomerType(StrEnum):
    INDIVIDUAL = "individual"
    TEAM = "team"


def _trimmed(value: Any) -> Any:
    """Read a blank external id as none."""
    return (value.strip() or None) if isinstance(value, str) else value


Email = Annotated[EmailStr, AfterValidator(storable)]
Name = Annotated[str, Field(max_length=NAME_MAX), AfterValidator(storable)]
Bounded = Annotated[str, Field(max_length=TEXT_MAX), AfterValidator(storable)]
ExternalID = Annotated[
    Annotated[str, Field(max_length=KEY_MAX), AfterValidator(storable)] | None, BeforeValidator(_trimmed)
]


class AddressInput(BaseModel):
    line1: Bounded | None = None
    line2: Bounded | None = None
    postal_code: Bounded | None = None
    city: Bounded | None = None
    state: Bounded | None = None
    country: Literal[tuple(ACCEPTED)]  # type: ignore[valid-type]


class CustomerCreate(BaseModel):
    """A team, too, needs an e-mail address here."""

    type: CustomerType = CustomerType.INDIVIDUAL
    email: Email
    name: Name | None = None
    external_id: ExternalID = None
    billing_address: AddressInput | None = None
    tax_id: Name | None = None
    locale: Name | None = None
    metadata: Metadata = Field(default_factory=dict)
    organization_id: UUID | None = None


class CustomerUpdateExternalID(BaseModel):
    """Only what was sent counts (`model_fields_set`); the defaults are never read."""

    email: Email | None = None
    name: Name | None = None
    billing_address: AddressInput | None = None
    tax_id: Name | None = None
    locale: Name | None = None
    metadata: Metadata = Field(default_factory=dict)


class CustomerUpdate(CustomerUpdateExternalID):
    external_id: ExternalID = None
    type: CustomerType | None = None


class CustomersListQuery(OrganisationQuery):
    email: str | None = None
    query: str | None = None
    active: bool | None = None
    metadata: MetadataFilter = Field(default_factory=dict)
    sorting: list[CustomerSort] = Field(default=[CustomerSort.CREATED_AT_DESCENDING])


class CustomerDeletion(BaseModel):
    anonymize: bool = False
