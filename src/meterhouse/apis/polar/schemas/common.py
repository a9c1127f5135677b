"""What several of Polar's operations share: paging, identifiers of customers, metadata, text."""

from __future__ import annotations

import math
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from meterhouse.apis.payload import is_storable

LIMIT_MAX = 100
# Further pages are empty anyway, and the engine counts rows in 64 bits.
OFFSET_MAX = 2**40


def storable(text: str) -> str:
    """Refuse what no store keeps: U+0000 and halves of surrogate pairs."""
    if not is_storable(text):
        raise ValueError("This value contains invalid characters")
    return text


def _finite(number: float) -> float:
    if not math.isfinite(number):  # `1e999` is a JSON number that no double holds
        raise PydanticCustomError("finite_number", "Input should be a finite number")
    return number


def _members_only(value: Any) -> Any:
    """Ignore `metadata=x`: only `metadata[key]=value` is a filter."""
    return value if isinstance(value, dict) else {}


def _trimmed(text: str) -> str | None:
    return text.strip() or None


Text = Annotated[str, AfterValidator(storable)]
# Blanks around an external id never tell two objects apart, and an empty one is none.
ExternalId = Annotated[Text | None, AfterValidator(lambda text: None if text is None else _trimmed(text))]
Number = Annotated[float, AfterValidator(_finite)]
# A bound comes before any function: else its fault loses the published type, `string_too_long`.
MetadataKey = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(storable)]
MetadataText = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(storable)]
MetadataValue = MetadataText | int | Number | bool
Metadata = Annotated[dict[MetadataKey, MetadataValue], Field(max_length=50)]
MetadataFilter = Annotated[dict[str, list[str]], BeforeValidator(_members_only)]


class ListQuery(BaseModel):
    """The parameters of every list. Limits above 100 are read as 100."""

    page: Annotated[int, Field(gt=0)] = 1
    limit: Annotated[int, Field(gt=0)] = 10

    @property
    def size(self) -> int:
        return min(self.limit, LIMIT_MAX)

    @property
    def offset(self) -> int:
        return min((self.page - 1) * self.size, OFFSET_MAX)


class OrganisationQuery(ListQuery):
    """A list that can be narrowed to organisations."""

    organization_id: list[UUID] | None = None

    def covers(self, organisation_id: UUID) -> bool:
        """Whether anything of the caller's organisation is asked for."""
        return self.organization_id is None or organisation_id in self.organization_id


class CustomersQuery(BaseModel):
    """Customers by either identifier, united."""

    customer_id: list[UUID] | None = None
    external_customer_id: list[str] | None = None
