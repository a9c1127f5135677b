"""Bodies and queries of customer meters and credits."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter

from meterhouse.apis.polar.schemas.common import CustomersQuery, OrganisationQuery, Text


class CustomerMeterSort(StrEnum):
    CREATED_AT = "created_at"
    CREATED_AT_DESCENDING = "-created_at"
    MODIFIED_AT = "modified_at"
    MODIFIED_AT_DESCENDING = "-modified_at"
    CUSTOMER_ID = "customer_id"
    CUSTOMER_ID_DESCENDING = "-customer_id"
    CUSTOMER_NAME = "customer_name"
    CUSTOMER_NAME_DESCENDING = "-customer_name"
    METER_ID = "meter_id"
    METER_ID_DESCENDING = "-meter_id"
    METER_NAME = "meter_name"
    METER_NAME_DESCENDING = "-meter_name"
    CONSUMED_UNITS = "consumed_units"
    CONSUMED_UNITS_DESCENDING = "-consumed_units"
    CREDITED_UNITS = "credited_units"
    CREDITED_UNITS_DESCENDING = "-credited_units"
    BALANCE = "balance"
    BALANCE_DESCENDING = "-balance"


class CustomerMetersQuery(OrganisationQuery, CustomersQuery):
    meter_id: list[UUID] | None = None
    external_meter_id: list[str] | None = None
    sorting: list[CustomerMeterSort] = Field(default=[CustomerMeterSort.MODIFIED_AT_DESCENDING])


class _CreditCreate(BaseModel):
    units: int
    rollover: bool = False
    external_id: Text | None = None


class CustomerMeterCreditsIDCreate(_CreditCreate):
    customer_id: UUID
    meter_id: UUID


class CustomerMeterCreditsExternalIDCreate(_CreditCreate):
    external_customer_id: Text
    external_meter_id: Text


CreditCreate = CustomerMeterCreditsIDCreate | CustomerMeterCreditsExternalIDCreate
credit_create: TypeAdapter[CreditCreate] = TypeAdapter(
    Annotated[CreditCreate, Field(union_mode="left_to_right")]
)
