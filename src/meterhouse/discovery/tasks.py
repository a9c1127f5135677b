"""What the worker runs for discoveries: slices of their run, and the scan that finds lost ones."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Row, any_, cast, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.discovery import engine
from meterhouse.discovery.model import (
    PAGES_MAX,
    URLS_MAX,
    DiscoveryStatus,
    Method,
    PageToRead,
    Reading,
    Search,
)
from meterhouse.discovery.reading import read
from meterhouse.discovery.service import LOST_AFTER, RUN_DISCOVERY, ask_for_run, from_row
from meterhouse.discovery.tables import discoveries, discovery_pages, discovery_urls
from meterhouse.kernel.clock import Clock
from meterhouse.platform.ports import Database, Fetcher, Queue

# After this long a discovery goes back to the queue's end, so that it keeps nobody waiting.
SLICE_S = 5.0
BYTES_MAX = 500_000_000
SPENT_MS_MAX = 30 * 60 * 1000
ATTEMPTS_MAX = 3
FAILURES_MAX = 3
WARNINGS_MAX = 50
FOUND_AT_ONCE_MAX = 100
_OPEN = (DiscoveryStatus.PENDING, DiscoveryStatus.RUNNING)


@dataclass(frozen=True)
class DiscoveryTasks:
    """The task and the scan, with all they work on; what a worker registers."""

    database: Database
    queue: Queue
    fetcher: Fetcher
    clock: Clock

    @property
    def tasks(self) -> Mapping[str, Callable[..., Awaitable[None]]]:
        return {RUN_DISCOVERY: self.run_slice}

    @property
    def scans(self) -> Mapping[str, Callable[[datetime], Awaitable[int]]]:
        return {"discovery.lost": self.find_lost}

    async def run_slice(self, discovery_id: str) -> None:
        """Read pages for a while. At least once: what has ended already is left as it is."""
        wanted, began = UUID(discovery_id), time.monotonic()
        done: tuple[PageToRead, Reading] | None = None
        while True:
            async with self.database.begin() as connection:
                step = await self._advance(connection, wanted, done)
                if step is None:
                    return
                if done is not None and time.monotonic() - began > SLICE_S:
                    await ask_for_run(connection, self.queue, wanted)
                    return
            search, page = step
            done = page, await read(self.fetcher, search, page)

    async def find_lost(self, now: datetime) -> int:
        """Hand discoveries to the queue again that should have gone on long ago."""
        async with self.database.begin() as connection:
            found = await connection.scalars(
                select(discoveries.c.id)
                .where(discoveries.c.status.in_(_OPEN), discoveries.c.next_at <= now)
                .limit(FOUND_AT_ONCE_MAX)
                .with_for_update(skip_locked=True)
            )
            lost = list(found)
            for discovery_id in lost:
                await ask_for_run(connection, self.queue, discovery_id)
            if lost:
                await connection.execute(
                    update(discoveries).where(discoveries.c.id.in_(lost)).values(next_at=now + LOST_AFTER)
                )
        return len(lost)

    async def _advance(
        self, connection: AsyncConnection, discovery_id: UUID, done: tuple[PageToRead, Reading] | None
    ) -> tuple[Search, PageToRead] | None:
        """Write down what a page came to, and take the next one; `None` when the discovery has ended."""
        row = await _locked(connection, discovery_id)
        if row is None:
            return None
        now = self.clock.now()
        state = _State(row)
        if done is not None:
            await _record(connection, state, *done)
        page = None if state.is_over() else await _next_page(connection, state)
        values: dict[str, object] = {
            "urls_found": state.urls_found,
            "pages_known": state.pages_known,
            "pages_read": state.pages_read,
            "bytes_read": state.bytes_read,
            "spent_ms": state.spent_ms,
            "failures": state.failures,
            "warnings": state.warnings[:WARNINGS_MAX],
            "status": DiscoveryStatus.RUNNING,
            "started_at": row.started_at or now,
            "next_at": now + LOST_AFTER,
        }
        if page is None:
            values |= state.ending() | {"completed_at": now}
        await connection.execute(update(discoveries).where(discoveries.c.id == discovery_id).values(**values))
        return None if page is None else (state.search, page)


class _State:
    """How far a discovery is, while its row is locked."""

    def __init__(self, row: Row[Any]) -> None:
        self.id: UUID = row.id
        self.search = from_row(row).search
        self.urls_found: int = row.urls_found
        self.pages_known: int = row.pages_known
        self.pages_read: int = row.pages_read
        self.bytes_read: int = row.bytes_read
        self.spent_ms: int = row.spent_ms
        self.failures: int = row.failures
        self.warnings: list[str] = list(row.warnings)
        self.has_no_more = False

    @property
    def urls_max(self) -> int:
        return URLS_MAX if self.search.method is Method.PAGINATION else self.search.max_urls

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    def is_over(self) -> bool:
        """Whether a bound is met; the warning says which."""
        if self.has_no_more:
            return True
        bounds = (
            (
                self.urls_found >= self.urls_max,
                f"It ended at {self.urls_max} addresses, and there may be more.",
            ),
            (self.pages_read >= PAGES_MAX, f"It ended after {PAGES_MAX} pages."),
            (self.bytes_read >= BYTES_MAX, f"It ended after {BYTES_MAX // 1_000_000} MB."),
            (self.spent_ms >= SPENT_MS_MAX, f"It ended after {SPENT_MS_MAX // 60_000} minutes."),
            (
                self.search.method is Method.PAGINATION and self.failures >= FAILURES_MAX,
                f"It ended after {self.failures} failures in a row.",
            ),
        )
        met = next((text for is_met, text in bounds if is_met), None)
        if met is not None:
            self.warn(met)
        return met is not None

    def ending(self) -> dict[str, object]:
        """How it ends: failed when there is nothing to show, and a page that should have shown it failed."""
        if self.urls_found or not self.warnings:
            return {"status": DiscoveryStatus.COMPLETED}
        return {"status": DiscoveryStatus.FAILED, "error": " ".join(self.warnings[:2])}


async def _locked(connection: AsyncConnection, discovery_id: UUID) -> Row[Any] | None:
    statement = select(discoveries).where(discoveries.c.id == discovery_id, discoveries.c.status.in_(_OPEN))
    return (await connection.execute(statement.with_for_update())).first()


async def _record(connection: AsyncConnection, state: _State, page: PageToRead, reading: Reading) -> None:
    """Write down what a page came to. Only the first to end a page writes."""
    repeated = await _is_repeated(connection, state, reading)
    ended = await connection.execute(
        update(discovery_pages)
        .where(
            discovery_pages.c.discovery_id == state.id,
            discovery_pages.c.key == engine.key_of(page.url),
            ~discovery_pages.c.has_ended,
        )
        .values(has_ended=True, mark=reading.mark)
    )
    if not ended.rowcount:
        return
    state.pages_read += 1
    state.bytes_read += reading.bytes
    state.spent_ms += reading.spent_ms
    is_quiet = reading.is_end and page.number > 0
    if reading.error and not is_quiet:
        state.warn(reading.error)
    state.failures = state.failures + 1 if reading.error else 0
    if repeated:
        state.has_no_more = True
        return
    added = await _add_urls(connection, state, reading.urls)
    of_list = state.search.method is Method.PAGINATION and not reading.error
    state.has_no_more = of_list and (reading.is_end or added == 0)
    if reading.is_end:
        state.has_no_more = True
    if not state.has_no_more:
        await _add_pages(connection, state, reading.pages, page.depth + 1)


async def _is_repeated(connection: AsyncConnection, state: _State, reading: Reading) -> bool:
    """Whether an earlier page of a list was the same: beyond their end many sites repeat the last page."""
    if reading.mark is None:
        return False
    found = await connection.scalar(
        select(discovery_pages.c.number)
        .where(discovery_pages.c.discovery_id == state.id, discovery_pages.c.mark == reading.mark)
        .limit(1)
    )
    return found is not None


async def _next_page(connection: AsyncConnection, state: _State) -> PageToRead | None:
    while True:
        row = (
            await connection.execute(
                select(discovery_pages)
                .where(discovery_pages.c.discovery_id == state.id, ~discovery_pages.c.has_ended)
                .order_by(discovery_pages.c.number)
                .limit(1)
            )
        ).first()
        if row is None:
            return None
        is_given_up = row.attempts >= ATTEMPTS_MAX
        await connection.execute(
            update(discovery_pages)
            .where(discovery_pages.c.discovery_id == state.id, discovery_pages.c.key == row.key)
            .values(attempts=row.attempts + 1, has_ended=is_given_up)
        )
        if not is_given_up:
            return PageToRead(row.url, row.depth, row.number)
        state.warn(f"{row.url} was begun {row.attempts} times and interrupted each time; it is left out.")


async def _add_urls(connection: AsyncConnection, state: _State, urls: Sequence[str]) -> int:
    """Store the addresses that are new, as many as are wanted; returns how many these were."""
    new = await _unknown(connection, state, urls, discovery_urls)
    new = new[: max(0, state.urls_max - state.urls_found)]
    if new:
        await connection.execute(
            insert(discovery_urls),
            [
                {"discovery_id": state.id, "key": key, "number": state.urls_found + at, "url": url}
                for at, (key, url) in enumerate(new)
            ],
        )
    state.urls_found += len(new)
    return len(new)


async def _add_pages(connection: AsyncConnection, state: _State, urls: Sequence[str], depth: int) -> None:
    new = await _unknown(connection, state, urls, discovery_pages)
    kept = new[: max(0, PAGES_MAX - state.pages_known)]
    if len(kept) < len(new):
        state.warn(f"Only the first {PAGES_MAX} pages are read.")
    if kept:
        await connection.execute(
            insert(discovery_pages),
            [
                {
                    "discovery_id": state.id,
                    "key": key,
                    "number": state.pages_known + at,
                    "url": url,
                    "depth": depth,
                }
                for at, (key, url) in enumerate(kept)
            ],
        )
    state.pages_known += len(kept)


async def _unknown(
    connection: AsyncConnection, state: _State, urls: Sequence[str], table: Any
) -> list[tuple[bytes, str]]:
    keys = {engine.key_of(url): url for url in urls}
    if not keys:
        return []
    known = await connection.scalars(
        select(table.c.key).where(
            table.c.discovery_id == state.id, table.c.key == any_(cast(list(keys), ARRAY(LargeBinary)))
        )
    )
    for key in known:
        del keys[key]
    return list(keys.items())
