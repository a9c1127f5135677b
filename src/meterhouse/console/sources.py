"""Where the overview's rows come from: the contexts' own reads."""

from __future__ import annotations

from uuid import UUID

from meterhouse.apis.services import Services
from meterhouse.console.overview import EventRow, JobRow, Listing, MeterRow, StrategyRow


class ContextSource:
    """`OverviewSource` on the contexts. A listing reads one row more than it shows, to know of the rest."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def strategies(self, organisation_id: UUID, limit: int) -> Listing[StrategyRow]:
        return Listing(())

    async def jobs(self, organisation_id: UUID, limit: int) -> Listing[JobRow]:
        return Listing(())

    async def meters(self, organisation_id: UUID, limit: int) -> Listing[MeterRow]:
        return Listing(())

    async def events(self, organisation_id: UUID, limit: int) -> Listing[EventRow]:
        return Listing(())
