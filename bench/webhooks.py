"""How fast webhooks reach a receiver that answers at once, while another one hangs.

    python -m bench.webhooks [--quick]

The sender, its database and the real words of jobs with a change of 20 items; the receivers are a process of
their own on the same machine. Messages are announced before the clock starts.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

from sqlalchemy import func, insert, select
from tests.pages import SHOP, FakeFetcher, shop_page

from meterhouse.extraction import service as extraction
from meterhouse.extraction.stored import StrategyRequest
from meterhouse.identity.service import ensure_organisation
from meterhouse.kernel.clock import SystemClock
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring import engine
from meterhouse.monitoring.announce import SOURCE, JobNotices
from meterhouse.monitoring.tables import jobs
from meterhouse.platform.embedded import EmbeddedPostgres
from meterhouse.platform.fetch import AddressPolicy, GuardedFetcher
from meterhouse.platform.migrate import migrate_postgres
from meterhouse.platform.postgres import PostgresDatabase
from meterhouse.webhooks import service
from meterhouse.webhooks.model import Endpoint, WebhookType
from meterhouse.webhooks.send import Carriers
from meterhouse.webhooks.sender import WebhookSender
from meterhouse.webhooks.tables import webhook_attempts, webhook_deliveries

BAR = 300
ITEMS = 20
HANGING = 500
TICK_S = 1.0


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,500 messages instead of 6,000")
    parser.add_argument("--receive", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.receive:
        asyncio.run(_receive())
        return
    asyncio.run(_measure(1_500 if given.quick else 6_000))


async def _measure(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder, _receivers() as (fast, hanging):
        async with (
            _database(Path(folder)) as database,
            GuardedFetcher(AddressPolicy.parse("127.0.0.0/8"), connections_max=1_024) as fetcher,
        ):
            clock = SystemClock()
            await _announce(database, hanging, HANGING)
            await _announce(database, fast, count)
            sender = WebhookSender(database, Carriers(fetcher), clock, {SOURCE: JobNotices(database)})
            started, cpu = time.perf_counter(), time.process_time()
            await _run(sender, database, fast, count)
            took, cpu = time.perf_counter() - started, time.process_time() - cpu
            await _print(database, count, took, cpu)
            await sender.close()


async def _run(sender: WebhookSender, database: PostgresDatabase, url: str, count: int) -> None:
    """Let the scans run as the server does, until the fast receiver has everything."""
    scans = asyncio.create_task(_scan(sender))
    waiting = count
    while waiting:
        await asyncio.sleep(0.1)
        async with database.begin() as connection:
            waiting = await connection.scalar(
                select(func.count())
                .select_from(webhook_deliveries)
                .where(webhook_deliveries.c.url == url, webhook_deliveries.c.status == "pending")
            )
    scans.cancel()


async def _scan(sender: WebhookSender) -> None:
    while True:
        await sender.find_due(datetime.now(UTC))
        await asyncio.sleep(TICK_S)


async def _print(database: PostgresDatabase, count: int, took: float, cpu: float) -> None:
    async with database.begin() as connection:
        answers = list(await connection.scalars(select(webhook_attempts.c.duration_ms)))
        attempts = len(answers)
        hanging = await connection.scalar(
            select(func.count())
            .select_from(webhook_deliveries)
            .where(webhook_deliveries.c.status == "pending", webhook_deliveries.c.attempts > 0)
        )
    rate = count / took
    print("measured                                                     here  bar")
    print(f"webhooks delivered while another receiver hangs   {rate:10.0f}/s  >= {BAR}/s")
    print(f"  processor time of the sender per message        {1000 * cpu / count:10.2f} ms")
    print(f"  answer of the fast receiver, median             {statistics.median(answers):10.0f} ms")
    print(
        f"  {count} messages of {ITEMS} items, {attempts} attempts; {hanging} requests hung meanwhile; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )


@contextlib.asynccontextmanager
async def _database(folder: Path) -> AsyncIterator[PostgresDatabase]:
    postgres = EmbeddedPostgres(folder / "postgres")
    url = await asyncio.to_thread(postgres.start)
    try:
        await asyncio.to_thread(migrate_postgres, url)
        database = PostgresDatabase(url)
        yield database
        await database.close()
    finally:
        await asyncio.to_thread(postgres.stop)


async def _announce(database: PostgresDatabase, url: str, count: int) -> None:
    """Completed jobs of one schedule, each with a change, and a message about each."""
    now = datetime.now(UTC) - timedelta(minutes=5)
    old = [{"title": f"Phone {at}", "price": 100 + at} for at in range(ITEMS)]
    new = [{**item, "price": 99} if at % 5 == 0 else item for at, item in enumerate(old)]
    async with database.begin() as connection:
        organisation_id = await ensure_organisation(connection, now=now)
    strategy_id = await _strategy(database, organisation_id)
    async with database.begin() as connection:
        schedule_id, first = new_id(), new_id()
        ids = [new_id() for _ in range(count)]
        row = _job(organisation_id, strategy_id, schedule_id, now)
        await connection.execute(insert(jobs).values(row | {"id": first} | _results(old, None)))
        await connection.execute(
            insert(jobs), [row | {"id": job_id} | _results(new, first) for job_id in ids]
        )
        for job_id in ids:
            await service.announce(
                connection,
                organisation_id=organisation_id,
                source=SOURCE,
                subject_id=job_id,
                owner_id=schedule_id,
                endpoint=Endpoint(url, WebhookType.STANDARD, service.new_secret()),
                now=now,
            )


async def _strategy(database: PostgresDatabase, organisation_id: UUID) -> UUID:
    extractor = extraction.Extractor()
    made = await extraction.generate_strategy(
        database,
        FakeFetcher({SHOP: shop_page(199, 249, 299)}),
        extractor,
        organisation_id=organisation_id,
        request=StrategyRequest(url=SHOP, description="phone titles and prices", name="Phones"),
        clock=SystemClock(),
    )
    extractor.close()
    return made.id


def _job(organisation_id: UUID, strategy_id: UUID, schedule_id: UUID, now: datetime) -> dict[str, object]:
    return {
        "organisation_id": organisation_id,
        "strategy_id": strategy_id,
        "schedule_id": schedule_id,
        "url": SHOP,
        "target": b"",
        "host": "shop.example",
        "status": "completed",
        "next_at": now,
        "strategy_version": 1,
        "created_at": now,
        "completed_at": now,
    }


def _results(items: Sequence[dict[str, object]], previous: UUID | None) -> dict[str, object]:
    return {
        "results": list(items),
        "item_count": len(items),
        "content_hash": engine.content_hash(items),
        "has_changes": previous is not None,
        "previous_job_id": previous,
    }


@contextlib.contextmanager
def _receivers() -> Iterator[tuple[str, str]]:
    """Addresses of a receiver that answers at once and of one that never does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.webhooks", "--receive"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        fast, hanging = process.stdout.readline().split()
        yield f"http://127.0.0.1:{fast}/hook", f"http://127.0.0.1:{hanging}/hook"
    finally:
        process.kill()
        process.wait()


async def _receive() -> None:
    loop = asyncio.get_running_loop()
    fast = await loop.create_server(Fast, "127.0.0.1", 0)
    hanging = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    ports = [server.sockets[0].getsockname()[1] for server in (fast, hanging)]
    print(*ports, flush=True)
    async with fast, hanging:
        await fast.serve_forever()


class Fast(asyncio.Protocol):
    """Reads whole requests and answers each with 204."""

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            length = int(self._buffer[:end].lower().split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


if __name__ == "__main__":
    main()
