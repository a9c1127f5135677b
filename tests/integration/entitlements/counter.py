"""A desk that also takes in events and answers balances, over the real event engine."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from tests.integration.entitlements.desk import Desk

from meterhouse.entitlements.balance import Balances
from meterhouse.entitlements.consume import Consumed, Consumer, Consumption
from meterhouse.entitlements.model import Balance, Value
from meterhouse.entitlements.tasks import EntitlementTasks
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import EventStore
from meterhouse.usage.corrections import Corrections
from meterhouse.usage.ingest import Ingestor
from meterhouse.usage.model import Event
from meterhouse.usage.rollups import Rollups
from meterhouse.usage.view import EventView


@dataclass
class Counter:
    """`is_shared`: as if other processes stored events too."""

    desk: Desk
    store: EventStore
    is_shared: bool = False
    ingestor: Ingestor = field(init=False)
    corrections: Corrections = field(init=False)
    view: EventView = field(init=False)
    balances: Balances = field(init=False)
    consumer: Consumer = field(init=False)

    async def open(self) -> Counter:
        lock = nullcontext if self.is_shared else None
        self.ingestor = Ingestor(self.store, self.desk.clock, lock=lock)
        await self.ingestor.start()
        self.corrections = Corrections(self.store, self.ingestor, self.desk.clock)
        rollups = Rollups(self.store, lambda: self.ingestor.reached)
        self.view = EventView(self.store, self.corrections, rollups)
        self.balances = self.new_balances()
        self.consumer = Consumer(self.desk.database, self.view, self.ingestor, self.balances, self.desk.clock)
        return self

    def new_balances(self) -> Balances:
        """Another that remembers nothing."""
        return Balances(self.desk.database, self.view, self.ingestor, self.desk.clock)

    def tasks(self) -> EntitlementTasks:
        """The scans of a process that remembers nothing."""
        kept, fresh = timedelta(days=90), self.new_balances()
        return EntitlementTasks(self.desk.database, self.view, self.ingestor, fresh, keys_kept_for=kept)

    async def close(self) -> None:
        await self.ingestor.stop()

    def event(
        self,
        value: object = 1,
        *,
        at: datetime | None = None,
        after: timedelta = timedelta(0),
        subject: str | None = None,
        customer_id: str = "",
        type: str = "tokens",
        **members: object,
    ) -> Event:
        """An event of the customer; `members` join the value in its data."""
        now = self.desk.clock.now()
        return Event(
            organisation_id=self.desk.organisation_id,
            subject=subject if subject is not None else self.desk.customer.key or "",
            time=(at or now) + after,
            ingested_at=now,
            uid=new_id(),
            data=json.dumps({"value": value, **members}),
            type=type,
            source="test",
            id=str(uuid4()),
            customer_id=customer_id,
        )

    async def use(self, *events: Event) -> None:
        await self.ingestor.submit(events)

    async def value(self, feature: str = "chat", **given: Any) -> Value:
        organisation_id, customer = self.desk.organisation_id, self.desk.customer.key or ""
        return await self.balances.value(
            organisation_id=organisation_id, customer=customer, feature=feature, **given
        )

    async def balance(self, feature: str = "chat", **given: Any) -> Balance:
        found = (await self.value(feature, **given)).balance
        assert found is not None
        return found

    async def consume(
        self, amount: object = 1, key: str | None = None, feature: str = "chat", **metadata: str
    ) -> Consumed:
        return await self.consumer.consume(
            organisation_id=self.desk.organisation_id,
            customer=self.desk.customer.key or "",
            feature=feature,
            wanted=Consumption(Decimal(str(amount)), key, metadata or None),
        )

    async def recomputed(self, feature: str = "chat", **given: Any) -> Balance:
        """The same from the store alone, by somebody who remembers nothing."""
        fresh = self.new_balances()
        terms = await fresh.terms(
            organisation_id=self.desk.organisation_id, customer=self.desk.customer.key or "", feature=feature
        )
        at = (await self.value(feature, **given)).at
        minute = at.replace(second=0, microsecond=0)
        return (await fresh.outcome(terms, minute if minute == at else minute + timedelta(minutes=1))).balance
