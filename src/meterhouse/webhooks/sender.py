"""The sender: takes due messages host by host, so that a slow receiver delays nobody but itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.kernel.clock import Clock
from meterhouse.platform.ports import Database, Fetcher
from meterhouse.webhooks import engine, queries
from meterhouse.webhooks.formats import body_of
from meterhouse.webhooks.model import Delivery, DeliveryStatus, Renderer, Result, WebhookType
from meterhouse.webhooks.send import send
from meterhouse.webhooks.service import next_attempt_number
from meterhouse.webhooks.tables import webhook_attempts, webhook_deliveries

log = structlog.get_logger(__name__)

PER_HOST_MAX = 16
HOSTS_MAX = 64
# An attempt that is not written down within this time died with its process; the message is sent again.
LEASE = timedelta(seconds=90)


@dataclass(frozen=True)
class Sent:
    """A message after one attempt. Without a body there was nothing left to tell."""

    delivery: Delivery
    result: Result
    body: str | None


@dataclass(frozen=True)
class WebhookSender:
    """Due messages are rows; each host with some has one pump, with a bounded number of requests at once.

    `renderers` word messages, by the source that announced them.
    """

    database: Database
    fetcher: Fetcher
    clock: Clock
    renderers: Mapping[str, Renderer]
    _pumps: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def scans(self) -> Mapping[str, Callable[[datetime], Awaitable[int]]]:
        return {"webhooks.due": self.find_due}

    async def find_due(self, now: datetime) -> int:
        """Start a pump for every host with due messages that has none; never waits for a receiver."""
        free = HOSTS_MAX - len(self._pumps)
        if free <= 0:
            return 0
        async with self.database.begin() as connection:
            found = await connection.scalars(
                select(webhook_deliveries.c.host)
                .where(*_due(now), webhook_deliveries.c.host.not_in(list(self._pumps)))
                .distinct()
                .limit(free)
            )
            hosts = list(found)
        for host in hosts:
            task = asyncio.create_task(self._pump(host), name=f"webhooks:{host}")
            self._pumps[host] = task
            task.add_done_callback(lambda _, host=host: self._pumps.pop(host, None))  # type: ignore[misc]
        return len(hosts)

    async def drain(self) -> None:
        """Return when no request is under way."""
        while self._pumps:
            await asyncio.gather(*self._pumps.values(), return_exceptions=True)
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Give up what is under way; its lease runs out, and it is sent again."""
        for task in list(self._pumps.values()):
            task.cancel()
        await self.drain()

    async def _pump(self, host: str) -> None:
        """Send all that is due at one host."""
        running: set[asyncio.Task[Sent]] = set()
        done: set[asyncio.Task[Sent]] = set()
        try:
            while True:
                async with self.database.begin() as connection:
                    for task in done:
                        await self._record(connection, task.result())
                    claimed = await self._claim(connection, host, PER_HOST_MAX - len(running))
                running |= {asyncio.create_task(self._attempt(delivery)) for delivery in claimed}
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        except Exception as error:
            log.error("webhooks.pump_failed", host=host, error=f"{type(error).__name__}: {error}"[:300])
        finally:
            for task in running:
                task.cancel()

    async def _claim(self, connection: AsyncConnection, host: str, count: int) -> Sequence[Delivery]:
        """Take some due messages in hand; for the time of their lease nobody else does."""
        if count <= 0:
            return ()
        now = self.clock.now()
        rows = await connection.execute(
            select(webhook_deliveries)
            .where(webhook_deliveries.c.host == host, *_due(now))
            .order_by(webhook_deliveries.c.next_at, webhook_deliveries.c.id)
            .limit(count)
            .with_for_update(skip_locked=True)
        )
        claimed = [queries.from_row(row) for row in rows]
        if claimed:
            await connection.execute(
                update(webhook_deliveries)
                .where(webhook_deliveries.c.id.in_([delivery.id for delivery in claimed]))
                .values(attempts=webhook_deliveries.c.attempts + 1, next_at=now + LEASE)
            )
        return claimed

    async def _attempt(self, delivery: Delivery) -> Sent:
        """Word a message, if that was not done before, and send it once. Never raises."""
        body = delivery.body
        try:
            if body is None:
                notice = await self.renderers[delivery.source](
                    delivery.subject_id, delivery.endpoint.metadata
                )
                if notice is None:
                    gone = Result(0, "What the message was about has been deleted.", is_final=True)
                    return Sent(delivery, gone, None)
                body = await asyncio.to_thread(body_of, delivery.endpoint, notice)
            if delivery.endpoint.type is WebhookType.EMAIL:
                return Sent(delivery, Result(0), body)
            result = await send(
                self.fetcher,
                delivery.endpoint,
                event_id=str(delivery.id),
                body=body,
                now=self.clock.now(),
            )
            return Sent(delivery, result, body)
        except Exception as error:
            log.exception("webhooks.fault", delivery_id=str(delivery.id), error=type(error).__name__)
            fault = Result(0, "A fault in this server kept the message from being sent; its log has more.")
            return Sent(delivery, fault, body)

    async def _record(self, connection: AsyncConnection, sent: Sent) -> None:
        """Write down what became of an attempt, and when the next one is due."""
        now, delivery, result = self.clock.now(), sent.delivery, sent.result
        is_email = delivery.endpoint.type is WebhookType.EMAIL
        if not is_email or result.error:
            await connection.execute(
                insert(webhook_attempts).values(
                    delivery_id=delivery.id,
                    number=await next_attempt_number(connection, delivery.id),
                    at=now,
                    status_code=result.status_code,
                    error=result.error,
                    duration_ms=result.duration_ms,
                )
            )
        status, wait = _outcome(delivery, result)
        await connection.execute(
            update(webhook_deliveries)
            .where(webhook_deliveries.c.id == delivery.id)
            .values(
                status=status,
                body=sent.body,
                next_at=now + wait if wait else now,
                ended_at=None if status is DeliveryStatus.PENDING else now,
            )
        )


def _outcome(delivery: Delivery, result: Result) -> tuple[DeliveryStatus, timedelta | None]:
    if result.succeeded:
        is_email = delivery.endpoint.type is WebhookType.EMAIL
        return (DeliveryStatus.OUTBOX if is_email else DeliveryStatus.DELIVERED), None
    attempts = delivery.attempts + 1
    wait = None if result.is_final else engine.retry_after(attempts, wanted_s=result.retry_after_s)
    return (DeliveryStatus.FAILED if wait is None else DeliveryStatus.PENDING), wait


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        webhook_deliveries.c.status == DeliveryStatus.PENDING,
        webhook_deliveries.c.next_at <= now,
    )
