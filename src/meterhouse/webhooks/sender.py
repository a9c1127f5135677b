"""The sender: takes due messages host by host, so that a slow receiver delays nobody but itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.kernel.clock import Clock
from meterhouse.platform.ports import Database
from meterhouse.webhooks import engine, queries
from meterhouse.webhooks.formats import body_of
from meterhouse.webhooks.model import Delivery, DeliveryStatus, Notice, Renderer, Result, Subject, WebhookType
from meterhouse.webhooks.send import Carriers, send
from meterhouse.webhooks.tables import webhook_attempts, webhook_deliveries

log = structlog.get_logger(__name__)

PER_HOST_MAX = 16
HOSTS_MAX = 64
# An attempt that is not written down within this time died with its process; the message is sent again.
LEASE = timedelta(seconds=90)
# How long to wait for other answers once there is one, so that they share a transaction.
GATHER_S = 0.005
FAULT = Result(0, "A fault in this server kept the message from being sent; its log has more.")
GONE = Result(0, "What the message was about has been deleted.", is_final=True)


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
    carriers: Carriers
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
                    await self._record(connection, [task.result() for task in done])
                    claimed = await self._claim(connection, host, PER_HOST_MAX - len(running))
                worded = await self._word(claimed)
                running |= {asyncio.create_task(self._attempt(one, body)) for one, body in worded}
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                if running:
                    # Those that end about now are written down, and replaced, together.
                    more, running = await asyncio.wait(running, timeout=GATHER_S)
                    done |= more
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

    async def _word(self, claimed: Sequence[Delivery]) -> list[tuple[Delivery, str | Result]]:
        """The bodies of messages, worded where that was not done before; a result for those without one.

        When words fail for some together, each is tried alone: one that cannot be worded keeps no other.
        """
        try:
            return await self._bodies(claimed)
        except Exception as error:
            if len(claimed) > 1:
                return [worded for one in claimed for worded in await self._word([one])]
            log.exception("webhooks.fault", delivery_id=str(claimed[0].id), error=type(error).__name__)
            return [(claimed[0], FAULT)]

    async def _bodies(self, claimed: Sequence[Delivery]) -> list[tuple[Delivery, str | Result]]:
        bodies: dict[UUID, str | Result] = {one.id: one.body for one in claimed if one.body is not None}
        unworded = [one for one in claimed if one.body is None]
        for source in {one.source for one in unworded}:
            some = [one for one in unworded if one.source == source]
            subjects = [Subject(one.subject_id, one.endpoint.metadata) for one in some]
            notices = await self.renderers[source](subjects)
            bodies |= await asyncio.to_thread(_written, list(zip(some, notices, strict=True)))
        return [(one, bodies[one.id]) for one in claimed]

    async def _attempt(self, delivery: Delivery, body: str | Result) -> Sent:
        """Send a message once. Never raises."""
        if isinstance(body, Result):
            return Sent(delivery, body, None)
        if self._stays(delivery):
            return Sent(delivery, Result(0), body)
        try:
            result = await send(
                self.carriers,
                delivery.endpoint,
                event_id=str(delivery.id),
                body=body,
                now=self.clock.now(),
            )
            return Sent(delivery, result, body)
        except Exception as error:
            log.exception("webhooks.fault", delivery_id=str(delivery.id), error=type(error).__name__)
            return Sent(delivery, FAULT, body)

    async def _record(self, connection: AsyncConnection, sent: Sequence[Sent]) -> None:
        """Write down what became of attempts, and when the next ones are due."""
        now = self.clock.now()
        logged = [one for one in sent if one.result.error or not self._stays(one.delivery)]
        if logged:
            await connection.execute(
                _LOG_ATTEMPT,
                [
                    {
                        "of": one.delivery.id,
                        "at": now,
                        "status_code": one.result.status_code,
                        "error": one.result.error,
                        "duration_ms": one.result.duration_ms,
                    }
                    for one in logged
                ],
            )
        if sent:
            await connection.execute(_END_ATTEMPT, [self._ended(one, now) for one in sent])

    def _ended(self, sent: Sent, now: datetime) -> dict[str, object]:
        status, wait = self._outcome(sent.delivery, sent.result)
        return {
            "of": sent.delivery.id,
            "status": status,
            "body": sent.body,
            "next_at": now + wait if wait else now,
            "ended_at": None if status is DeliveryStatus.PENDING else now,
        }

    def _outcome(self, delivery: Delivery, result: Result) -> tuple[DeliveryStatus, timedelta | None]:
        if result.succeeded:
            return (DeliveryStatus.OUTBOX if self._stays(delivery) else DeliveryStatus.DELIVERED), None
        attempts = delivery.attempts + 1
        wait = None if result.is_final else engine.retry_after(attempts, wanted_s=result.retry_after_s)
        return (DeliveryStatus.FAILED if wait is None else DeliveryStatus.PENDING), wait

    def _stays(self, delivery: Delivery) -> bool:
        """Whether a message is only worded here and waits in the outbox."""
        return delivery.endpoint.type is WebhookType.EMAIL and self.carriers.mailer is None


# Attempts are counted on through every resend.
_LOG_ATTEMPT = insert(webhook_attempts).values(
    delivery_id=bindparam("of"),
    number=select(func.coalesce(func.max(webhook_attempts.c.number), 0) + 1)
    .where(webhook_attempts.c.delivery_id == bindparam("of"))
    .scalar_subquery(),
    at=bindparam("at"),
    status_code=bindparam("status_code"),
    error=bindparam("error"),
    duration_ms=bindparam("duration_ms"),
)
_END_ATTEMPT = (
    update(webhook_deliveries)
    .where(webhook_deliveries.c.id == bindparam("of"))
    .values(
        status=bindparam("status"),
        body=bindparam("body"),
        next_at=bindparam("next_at"),
        ended_at=bindparam("ended_at"),
    )
)


def _written(worded: Sequence[tuple[Delivery, Notice | None]]) -> dict[UUID, str | Result]:
    return {one.id: GONE if notice is None else body_of(one.endpoint, notice) for one, notice in worded}


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        webhook_deliveries.c.status == DeliveryStatus.PENDING,
        webhook_deliveries.c.next_at <= now,
    )
