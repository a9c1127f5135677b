"""An organisation of its own with a customer, a meter and features, and the services with usual arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from meterhouse.catalog.model import Feature, FeatureDraft
from meterhouse.catalog.service import archive_feature, create_feature
from meterhouse.customers.model import Customer
from meterhouse.customers.service import CustomerDraft, create_customer
from meterhouse.entitlements.drafts import CadenceDraft, EntitlementDraft, GrantDraft
from meterhouse.entitlements.grants import create_grant, reset_usage, void_grant
from meterhouse.entitlements.model import Entitlement, EntitlementType, Grant, Reset
from meterhouse.entitlements.service import create_entitlement, delete_entitlement, override_entitlement
from meterhouse.kernel.clock import TestClock
from meterhouse.platform.postgres import PostgresDatabase
from meterhouse.usage.model import Aggregation, Meter
from meterhouse.usage.service import MeterDraft, create_meter, event_type_filter

START = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)
MINUTE = START.replace(second=0)


@dataclass
class Desk:
    """Each call is one committed transaction."""

    database: PostgresDatabase
    organisation_id: UUID = field(default_factory=uuid4)
    clock: TestClock = field(default_factory=lambda: TestClock(START))
    customer: Customer = field(init=False)
    meter: Meter = field(init=False)
    feature: Feature = field(init=False)

    async def open(self) -> Desk:
        self.customer = await self.a_customer("ada")
        draft = MeterDraft("openmeter", event_type_filter("tokens"), Aggregation.COUNT, slug="tokens")
        self.meter = await self.call(create_meter, draft=draft)
        self.feature = await self.a_feature("chat", meter_slug="tokens")
        return self

    def move(self, **by: float) -> datetime:
        self.clock.move_to(self.clock.now() + timedelta(**by))
        return self.clock.now()

    async def call(self, function: Any, **given: Any) -> Any:
        async with self.database.begin() as connection:
            return await function(connection, organisation_id=self.organisation_id, clock=self.clock, **given)

    async def read(self, function: Any, **given: Any) -> Any:
        async with self.database.begin() as connection:
            return await function(connection, **given)

    async def a_customer(self, key: str) -> Customer:
        return await self.call(create_customer, draft=CustomerDraft("openmeter", key=key, name=key))

    async def a_feature(self, key: str, **rest: Any) -> Feature:
        return await self.call(create_feature, draft=FeatureDraft(key, key, **rest))

    async def archive(self, key: str) -> None:
        await self.call(archive_feature, id_or_key=key)

    async def create(self, **given: Any) -> Entitlement:
        return await self.call(create_entitlement, customer_id=self.customer.id, draft=draft(**given))

    async def override(self, named: str = "chat", **given: Any) -> Entitlement:
        return await self.call(
            override_entitlement,
            customer_id=self.customer.id,
            id_or_feature_key=named,
            draft=draft(**given),
        )

    async def delete(self, named: str = "chat") -> Entitlement:
        return await self.call(delete_entitlement, customer_id=self.customer.id, id_or_feature_key=named)

    async def grant(self, amount: float | str = 100, named: str = "chat", **given: Any) -> Grant:
        at = given.pop("effective_at", self.clock.now())
        made = GrantDraft(Decimal(str(amount)), at, **given)
        return await self.call(
            create_grant, customer_id=self.customer.id, id_or_feature_key=named, draft=made
        )

    async def void(self, grant: Grant, at: datetime | None = None) -> Grant:
        return await self.call(void_grant, grant_id=grant.id, at=at)

    async def reset(self, named: str = "chat", **given: Any) -> Reset:
        return await self.call(reset_usage, customer_id=self.customer.id, id_or_feature_key=named, **given)


def draft(**given: Any) -> EntitlementDraft:
    """A metered entitlement by the month to the feature `chat`, unless given otherwise."""
    usual: Mapping[str, Any] = {"type": EntitlementType.METERED, "feature_key": "chat"}
    if given.get("type", EntitlementType.METERED) is EntitlementType.METERED:
        usual = {**usual, "usage_period": CadenceDraft("MONTH")}
    return EntitlementDraft(**{**usual, **given})
