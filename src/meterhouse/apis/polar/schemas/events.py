"""Bodies and queries of the event operations. Class names appear in the locations of published errors."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
)

from meterhouse.apis.polar.schemas.common import (
    CustomersQuery,
    MetadataFilter,
    MetadataValue,
    OrganisationQuery,
    Text,
    storable,
)
from meterhouse.kernel.errors import Invalid
from meterhouse.usage.drafts import accepted_time


class EventSource(StrEnum):
    SYSTEM = "system"
    USER = "user"


class EventSort(StrEnum):
    TIMESTAMP = "timestamp"
    TIMESTAMP_DESCENDING = "-timestamp"


class EventNameSort(StrEnum):
    NAME = "name"
    NAME_DESCENDING = "-name"
    OCCURRENCES = "occurrences"
    OCCURRENCES_DESCENDING = "-occurrences"
    FIRST_SEEN = "first_seen"
    FIRST_SEEN_DESCENDING = "-first_seen"
    LAST_SEEN = "last_seen"
    LAST_SEEN_DESCENDING = "-last_seen"


class CostMetadata(BaseModel):
    amount: Annotated[Decimal, Field(max_digits=17, decimal_places=12)]
    currency: Annotated[str, Field(pattern="usd"), AfterValidator(storable)]


class LLMMetadata(BaseModel):
    vendor: Text
    model: Text
    prompt: Text | None = None
    response: Text | None = None
    input_tokens: int
    cached_input_tokens: int | None = None
    output_tokens: int
    total_tokens: int


class EventMetadata(BaseModel):
    """Two structured keys, and plain values under any others."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, MetadataValue] = Field(init=False)

    cost: CostMetadata | None = Field(default=None, alias="_cost")
    llm: LLMMetadata | None = Field(default=None, alias="_llm")


def _in_the_past(sent: datetime, info: ValidationInfo) -> datetime:
    assert info.context is not None
    try:
        return accepted_time(sent, now=info.context["now"])
    except Invalid as refused:
        raise ValueError(refused.message) from None


class _EventCreate(BaseModel):
    name: Annotated[str, Field(max_length=128), AfterValidator(storable)]
    timestamp: Annotated[AwareDatetime, AfterValidator(_in_the_past)] | None = None
    organization_id: UUID | None = None
    external_id: Text | None = None
    parent_id: Text | None = None
    metadata: EventMetadata = Field(default_factory=EventMetadata)


class EventCreateCustomer(_EventCreate):
    customer_id: UUID
    member_id: UUID | None = None


class EventCreateExternalCustomer(_EventCreate):
    external_customer_id: Text
    external_member_id: Text | None = None


EventCreate = EventCreateCustomer | EventCreateExternalCustomer

_either_form: TypeAdapter[EventCreate] = TypeAdapter(
    # In this order a well-formed customer id wins over an external one, always.
    Annotated[EventCreate, Field(union_mode="left_to_right")]
)
_external_form = TypeAdapter(EventCreateExternalCustomer)


def read_event(item: Any, *, now: datetime) -> EventCreate:
    """Read one event. Raises pydantic's `ValidationError`, with every fault reported for either form."""
    context = {"now": now}
    if isinstance(item, dict) and item.get("customer_id") is None:
        try:  # the usual form by itself: failing at the other one first would take half of the time
            return _external_form.validate_python(item, context=context)
        except ValidationError:
            pass
    return _either_form.validate_python(item, context=context)


class EventsIngest(BaseModel):
    """The envelope alone: events are read one by one, so that a hostile batch costs a bounded answer."""

    events: list[Any]


class EventsQuery(OrganisationQuery, CustomersQuery):
    """`filter` is JSON text, read by the handler."""

    filter: str | None = None
    start_timestamp: AwareDatetime | None = None
    end_timestamp: AwareDatetime | None = None
    meter_id: UUID | None = None
    name: list[str] | None = None
    source: list[EventSource] | None = None
    query: str | None = None
    parent_id: UUID | None = None
    depth: Annotated[int, Field(ge=0, le=5)] | None = None
    metadata: MetadataFilter = Field(default_factory=dict)
    sorting: list[EventSort] = Field(default=[EventSort.TIMESTAMP_DESCENDING])


class EventNamesQuery(OrganisationQuery, CustomersQuery):
    source: list[EventSource] | None = None
    query: str | None = None
    sorting: list[EventNameSort] = Field(default=[EventNameSort.LAST_SEEN_DESCENDING])
