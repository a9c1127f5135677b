"""Use cases of discoveries: start one, look at it, list what it found."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.discovery import engine
from meterhouse.discovery.model import Discovery, DiscoveryStatus, Method, Search
from meterhouse.discovery.tables import discoveries, discovery_pages, discovery_urls
from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Queue

RUN_DISCOVERY = "run_discovery"
# A discovery that has not ended this long after it was started or went on is handed to the queue again.
LOST_AFTER = timedelta(minutes=10)
_ROOTS = {Method.SITEMAP: "sitemap_url", Method.PAGINATION: "url_template", Method.LINK_PATTERN: "seed_url"}


async def start_discovery(
    connection: AsyncConnection, queue: Queue, *, organisation_id: UUID, search: Search, now: datetime
) -> Discovery:
    """Store a search and ask for its run, both on commit. Raises `Invalid` naming the field."""
    first = extraction.check_url(engine.first_page(engine.check_search(search)), name=_ROOTS[search.method])
    discovery_id = new_id()
    await connection.execute(
        insert(discoveries).values(
            id=discovery_id,
            organisation_id=organisation_id,
            search=asdict(search),
            status=DiscoveryStatus.PENDING,
            pages_known=1,
            warnings=[],
            next_at=now + LOST_AFTER,
            created_at=now,
        )
    )
    await connection.execute(
        insert(discovery_pages).values(
            discovery_id=discovery_id, key=engine.key_of(first), number=0, url=first, depth=0
        )
    )
    await ask_for_run(connection, queue, discovery_id)
    return await get_discovery(connection, organisation_id=organisation_id, discovery_id=discovery_id)


async def get_discovery(
    connection: AsyncConnection, *, organisation_id: UUID, discovery_id: UUID
) -> Discovery:
    """One discovery. Raises `NotFound`, also for somebody else's."""
    row = (
        await connection.execute(
            select(discoveries).where(
                discoveries.c.organisation_id == organisation_id, discoveries.c.id == discovery_id
            )
        )
    ).first()
    if row is None:
        raise NotFound("Discovery not found")
    return from_row(row)


async def list_urls(
    connection: AsyncConnection, *, organisation_id: UUID, discovery_id: UUID, limit: int, offset: int
) -> list[str]:
    """The addresses found up to now, in the order in which they were found. Raises `NotFound`."""
    await get_discovery(connection, organisation_id=organisation_id, discovery_id=discovery_id)
    found = await connection.scalars(
        select(discovery_urls.c.url)
        .where(discovery_urls.c.discovery_id == discovery_id)
        .order_by(discovery_urls.c.number)
        .limit(limit)
        .offset(offset)
    )
    return list(found)


async def ask_for_run(connection: AsyncConnection, queue: Queue, discovery_id: UUID) -> None:
    """Enqueue a slice of the run. Asking twice is harmless: slices of one discovery take turns."""
    await queue.enqueue(
        connection, RUN_DISCOVERY, key=f"discovery:{discovery_id}", discovery_id=str(discovery_id)
    )


def from_row(row: Row[Any]) -> Discovery:
    return Discovery(
        id=row.id,
        organisation_id=row.organisation_id,
        search=Search(**{**row.search, "method": Method(row.search["method"])}),
        status=DiscoveryStatus(row.status),
        urls_found=row.urls_found,
        pages_read=row.pages_read,
        error=row.error,
        warnings=tuple(row.warnings),
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
    )
