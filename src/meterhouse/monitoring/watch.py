"""Watching a page in one call: a strategy and its schedule, both or neither (reference, 13)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from meterhouse.extraction import service as extraction
from meterhouse.kernel.clock import Clock
from meterhouse.monitoring.schedules import check_request, create_schedule
from meterhouse.monitoring.schedules_model import Saved, ScheduleRequest
from meterhouse.platform.ports import Browser, Database, Fetcher, Model


@dataclass(frozen=True)
class Watched:
    """What watching a page has made."""

    strategy: extraction.StoredStrategy
    saved: Saved


async def watch(
    database: Database,
    fetcher: Fetcher,
    extractor: extraction.Extractor,
    *,
    organisation_id: UUID,
    strategy: extraction.StrategyRequest,
    schedule: ScheduleRequest,
    clock: Clock,
    browser: Browser | None = None,
    model: Model | None = None,
) -> Watched:
    """Make a strategy and a schedule for it in one transaction; `schedule.strategy_id` is not looked at.

    The schedule is checked before the page is fetched. Raises what `generate_strategy` and
    `create_schedule` raise; nothing is stored then.
    """
    check_request(schedule)
    prepared = await extraction.prepare_strategy(
        fetcher,
        extractor,
        organisation_id=organisation_id,
        request=strategy,
        clock=clock,
        browser=browser,
        model=model,
    )
    async with database.begin() as connection:
        await extraction.store_strategy(connection, prepared)
        saved = await create_schedule(
            connection,
            organisation_id=organisation_id,
            request=schedule.of_strategy(prepared.strategy.id),
            now=clock.now(),
        )
    return Watched(prepared.strategy, saved)
