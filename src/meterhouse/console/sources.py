"""Where the overview's rows come from: the contexts' own reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from meterhouse.apis.services import Services
from meterhouse.console.overview import EmailRow, EventRow, JobRow, Listing, MeterRow, StrategyRow
from meterhouse.extraction import queries as extraction
from meterhouse.extraction.stored import StoredStrategy
from meterhouse.monitoring import queries as monitoring
from meterhouse.monitoring.model import Job, JobFilter
from meterhouse.usage import queries as usage
from meterhouse.usage.model import EventCriteria, Meter, StoredEvent
from meterhouse.webhooks import service as webhooks
from meterhouse.webhooks.model import Delivery, DeliveryFilter, DeliveryStatus

T = TypeVar("T")
R = TypeVar("R")


class ContextSource:
    """`OverviewSource` on the contexts. A listing reads one row more than it shows, to know of the rest."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def strategies(self, organisation_id: UUID, limit: int) -> Listing[StrategyRow]:
        async with self._services.database.begin() as connection:
            found = await extraction.list_strategies(
                connection, organisation_id=organisation_id, limit=limit + 1, offset=0
            )
        return _listing(found, limit, _strategy_row)

    async def jobs(self, organisation_id: UUID, limit: int) -> Listing[JobRow]:
        async with self._services.database.begin() as connection:
            found = await monitoring.list_jobs(
                connection,
                organisation_id=organisation_id,
                wanted=JobFilter(),
                limit=limit + 1,
                offset=0,
                with_results=False,
            )
            names = await extraction.list_names(
                connection,
                organisation_id=organisation_id,
                strategy_ids={job.strategy_id for job in found},
            )
        return _listing(
            found, limit, lambda job: _job_row(job, names.get(job.strategy_id, str(job.strategy_id)))
        )

    async def meters(self, organisation_id: UUID, limit: int) -> Listing[MeterRow]:
        async with self._services.database.begin() as connection:
            found, _ = await usage.list_meters(
                connection,
                organisation_id=organisation_id,
                sort=(("created_at", True),),
                limit=limit + 1,
            )
        return _listing(found, limit, _meter_row)

    async def events(self, organisation_id: UUID, limit: int) -> Listing[EventRow]:
        # Bounded in time as OpenMeter's own list is: without a range all events ever would be sorted.
        criteria = usage.recent(EventCriteria(), now=self._services.clock.now())
        found = await usage.list_events(
            self._services.events, organisation_id=organisation_id, criteria=criteria, limit=limit + 1
        )
        return _listing(found, limit, _event_row)

    async def outbox(self, organisation_id: UUID, limit: int) -> Listing[EmailRow]:
        async with self._services.database.begin() as connection:
            found = await webhooks.list_deliveries(
                connection,
                organisation_id=organisation_id,
                wanted=DeliveryFilter(status=DeliveryStatus.OUTBOX),
                limit=limit + 1,
                offset=0,
            )
        return _listing(found, limit, _email_row)


def _listing(found: Sequence[T], limit: int, to_row: Callable[[T], R]) -> Listing[R]:
    return Listing([to_row(one) for one in found[:limit]], has_more=len(found) > limit)


def _strategy_row(strategy: StoredStrategy) -> StrategyRow:
    return StrategyRow(
        id=strategy.id,
        name=strategy.name,
        url=strategy.url,
        kind=strategy.kind,
        version=strategy.version,
        created_at=strategy.created_at,
    )


def _job_row(job: Job, strategy: str) -> JobRow:
    return JobRow(
        id=job.id,
        strategy=strategy,
        url=job.url,
        status=job.status.value,
        item_count=job.item_count,
        has_changes=job.has_changes,
        error=job.error,
        created_at=job.created_at,
    )


def _meter_row(meter: Meter) -> MeterRow:
    events = f"events of type {meter.event_type}" if meter.event_type is not None else "events by a filter"
    return MeterRow(
        id=meter.id,
        slug=meter.slug,
        name=meter.name,
        aggregation=meter.aggregation.value,
        counts=f"{meter.value_path} of {events}" if meter.value_path else events,
        created_at=meter.created_at,
    )


def _event_row(event: StoredEvent) -> EventRow:
    return EventRow(id=event.id, type=event.type, source=event.source, subject=event.subject, time=event.time)


def _email_row(delivery: Delivery) -> EmailRow:
    letter = webhooks.letter_of(delivery)
    return EmailRow(delivery.id, letter.to, letter.subject, letter.text, delivery.created_at)
