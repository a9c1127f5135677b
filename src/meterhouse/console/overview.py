"""The overview: what an organisation has, newest first. Where it comes from is `sources.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from meterhouse.identity.model import Principal
from meterhouse.kernel.errors import DependencyFailed, Forbidden

ROWS_SHOWN = 10
EMAILS_SHOWN = 100

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True)
class StrategyRow:
    """A way to get items from a page."""

    id: UUID
    name: str
    url: str
    kind: str
    version: int
    created_at: datetime


@dataclass(frozen=True)
class JobRow:
    """One run of a strategy. `has_changes` is `None` where there was nothing to compare with."""

    id: UUID
    strategy: str
    url: str
    status: str
    item_count: int | None
    has_changes: bool | None
    error: str | None
    created_at: datetime


@dataclass(frozen=True)
class MeterRow:
    """What is counted, and how."""

    id: UUID
    slug: str
    name: str
    aggregation: str
    counts: str
    created_at: datetime


@dataclass(frozen=True)
class EventRow:
    """One usage event."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime


@dataclass(frozen=True)
class EmailRow:
    """An email that no mail server took, because there is none."""

    id: UUID
    to: str
    subject: str
    text: str
    created_at: datetime


@dataclass(frozen=True)
class Listing(Generic[R_co]):
    """The newest rows, and whether there are more than these."""

    rows: Sequence[R_co]
    has_more: bool = False

    @property
    def figure(self) -> str:
        return f"{len(self.rows)}+" if self.has_more else str(len(self.rows))


class OverviewSource(Protocol):
    """Reads of one organisation; each returns at most `limit` rows, newest first."""

    async def strategies(self, organisation_id: UUID, limit: int) -> Listing[StrategyRow]: ...

    async def jobs(self, organisation_id: UUID, limit: int) -> Listing[JobRow]: ...

    async def meters(self, organisation_id: UUID, limit: int) -> Listing[MeterRow]: ...

    async def events(self, organisation_id: UUID, limit: int) -> Listing[EventRow]: ...

    async def outbox(self, organisation_id: UUID, limit: int) -> Listing[EmailRow]: ...


@dataclass(frozen=True)
class Section(Generic[R_co]):
    """A listing, or the sentence that says why there is none."""

    listing: Listing[R_co]
    problem: str | None = None


@dataclass(frozen=True)
class Overview:
    """Everything on the page."""

    strategies: Section[StrategyRow]
    jobs: Section[JobRow]
    meters: Section[MeterRow]
    events: Section[EventRow]

    @property
    def failed_jobs(self) -> list[JobRow]:
        """Those among the newest jobs that need somebody to look at them."""
        return [job for job in self.jobs.listing.rows if job.status == "failed"]


async def load_overview(source: OverviewSource, principal: Principal) -> Overview:
    """Read all sections. One that the key may not see, or whose engine is down, says so; the others show."""
    strategies, jobs, meters, events = await asyncio.gather(
        _section(principal, "strategies:read", source.strategies),
        _section(principal, "jobs:read", source.jobs),
        _section(principal, "meters:read", source.meters),
        _section(principal, "events:read", source.events),
    )
    return Overview(strategies, jobs, meters, events)


async def load_outbox(source: OverviewSource, principal: Principal) -> Section[EmailRow]:
    """Read the newest emails that wait in the outbox."""
    return await _section(principal, "schedules:read", source.outbox, EMAILS_SHOWN)


async def _section(
    principal: Principal,
    scope: str,
    read: Callable[[UUID, int], Awaitable[Listing[R]]],
    limit: int = ROWS_SHOWN,
) -> Section[R]:
    try:
        principal.require_any((scope,))
        return Section(await read(principal.organisation_id, limit))
    except (Forbidden, DependencyFailed) as error:
        return Section(Listing(()), problem=error.message)
