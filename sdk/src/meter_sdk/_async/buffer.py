"""Batching for producers: events go in one by one and out in batches, each until it is acknowledged."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from time import monotonic
from typing import Any, TypeVar
from uuid import uuid4

from .._arguments import choice, integer, seconds
from .._call import Call, encoded
from .._event import completed, now
from .._retries import backoff
from ..errors import (
    ArgumentError,
    BufferClosedError,
    BufferFullError,
    DeliveryError,
    InvalidRequestError,
    MeterError,
    TemporaryError,
)
from .concurrency import Cancelled, Condition, Task, at_exit, join, not_at_exit, sleep, spawn, told
from .transport import AsyncTransport

log = logging.getLogger("meter_sdk")

PATH = "/api/v1/events"
BATCH_TYPE = "application/cloudevents-batch+json"
BATCH_BYTES_MAX = 4 << 20
PENDING_BYTES_MAX = 128 << 20
REJECTED_KEPT_MAX = 1000
RETRY_DELAY_S_MAX = 5.0

Self = TypeVar("Self", bound="BufferedEvents")
Batch = list[bytes]


class BufferedEvents:
    """Collects events from many tasks and sends them in batches.

    An event gets its id when it is added and keeps it, and a batch is sent again, byte for byte, until the server
    has acknowledged it; the server counts an id once. So nothing is lost or counted twice, whatever connections and
    servers do meanwhile. What is in memory when the process is killed is lost: `flush` before you tell others.

    Args:
        max_items: Events in a batch.
        max_seconds: How long an event waits for its batch to fill.
        max_pending: Events held at most, those on their way included.
        when_full: `block` until there is room, or `raise` a `BufferFullError`.
        source: The source of events that have none.
        senders: Batches on their way at the same time.
        on_reject: Told of each event that the server refuses for good, as `{"event": …, "error": …}`.
        exit_timeout: Seconds to deliver the rest when the program ends.

    Reference: OpenMeter, sections 1.1, 1.2 and 9.3.
    """

    def __init__(
        self,
        transport: AsyncTransport,
        *,
        max_items: int = 1000,
        max_seconds: float = 1.0,
        max_pending: int = 100_000,
        when_full: str = "block",
        source: str | None = None,
        senders: int = 2,
        on_reject: Callable[[Any], Any] | None = None,
        exit_timeout: float = 30.0,
    ) -> None:
        for name, value in (("max_items", max_items), ("max_pending", max_pending), ("senders", senders)):
            if integer(value, name) < 1:
                raise ArgumentError(f"{name} must be at least 1, not {value}.")
        self._transport = transport.copy(retries=0)
        self._max_items = min(max_items, max_pending)
        self._max_seconds = seconds(max_seconds, "max_seconds")
        self._max_pending = max_pending
        self._raises_when_full = choice(when_full, "when_full", ("block", "raise")) == "raise"
        self._source = source
        self._senders = senders
        self._on_reject = on_reject
        self._exit_timeout_s = seconds(exit_timeout, "exit_timeout")
        self._prefix = uuid4().hex
        self._numbers = count()
        self._changed = Condition()
        self._open: Batch = []
        self._open_bytes = 0
        self._open_since = 0.0
        self._ready: deque[tuple[int, Batch]] = deque()
        self._outstanding: dict[int, Batch] = {}
        self._cuts = 0
        self._pending = 0
        self._pending_bytes = 0
        self._delivered = 0
        self._rejected: list[Any] = []
        self._rejected_total = 0
        self._failure: MeterError | None = None
        self._tasks: list[Task] = []  # type: ignore[type-arg, unused-ignore]
        self._is_closing = False
        self._give_up_at = float("inf")
        transport.closers.append(self.close)
        at_exit(self._close_at_exit)

    @property
    def pending(self) -> int:
        """Events that are not yet acknowledged."""
        return self._pending

    @property
    def delivered(self) -> int:
        """Events that the server has acknowledged."""
        return self._delivered

    @property
    def rejected(self) -> int:
        """Events that the server has refused for good."""
        return self._rejected_total

    async def add(self, event: Mapping[str, Any] | None = None, **fields: Any) -> None:
        """Take an event: a mapping, keywords, or both. It is copied, so it may change afterwards.

        `id`, `time` and `specversion` are added if missing, `source` if the buffer has one.

        Raises:
            ArgumentError: The event lacks something, or cannot be written as JSON.
            BufferFullError: There is no room, and the buffer was told to raise.
            BufferClosedError: The buffer was closed.
            SetupError: Delivery has stopped, for instance because the key was revoked.
        """
        content = self._encoded({**event, **fields} if event is not None else fields)
        async with self._changed:
            while not self._has_room(len(content)):
                if self._raises_when_full:
                    raise BufferFullError(f"The buffer holds {self._pending} events.", pending=self._pending)
                self._cut()
                await self._changed.wait()
            was_cut = self._append(content)
        if was_cut:
            await sleep(0)  # let the senders run, even if the producer never pauses

    async def add_many(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Take several events; as `add` for each."""
        for event in events:
            await self.add(event)

    async def flush(self, timeout: float = 60.0) -> None:
        """Wait until everything added so far is acknowledged.

        Raises:
            DeliveryError: The server refused some events for good (`events`), or not all were acknowledged in time
                (`pending`); those are still being delivered.
            SetupError: Delivery has stopped, for instance because the key was revoked.
        """
        deadline = monotonic() + seconds(timeout, "timeout")
        async with self._changed:
            self._cut()
            last = self._cuts
            while self._failure is None and any(number <= last for number in self._outstanding):
                left_s = deadline - monotonic()
                if left_s <= 0:
                    raise DeliveryError(
                        f"{self._pending} events are not acknowledged after {timeout} seconds.",
                        pending=self._pending,
                    )
                await self._changed.wait(left_s)
            self._raise_faults()

    async def close(self, timeout: float = 60.0) -> None:
        """Deliver the rest and stop. Closing twice is harmless.

        Raises:
            DeliveryError: As `flush`; events still pending are given up.
            SetupError: As `flush`.
        """
        not_at_exit(self._close_at_exit)
        if self.close in self._transport.closers:
            self._transport.closers.remove(self.close)
        if self._is_closing and not self._tasks:
            return
        async with self._changed:
            self._close_until(monotonic() + seconds(timeout, "timeout"))
        for task in self._tasks:
            await join(task, max(0.1, self._give_up_at - monotonic() + 1))
        self._tasks = []
        async with self._changed:
            self._raise_faults()
            if self._pending:
                raise DeliveryError(
                    f"{self._pending} events were not delivered within {timeout} seconds and are given up.",
                    pending=self._pending,
                )

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # --- under the lock

    def _has_room(self, size: int) -> bool:
        """Whether an event fits. Raises if the buffer takes none any more."""
        if self._failure is not None:
            raise self._failure
        if self._is_closing:
            raise BufferClosedError("The buffer is closed.")
        return self._pending < self._max_pending and (
            self._pending == 0 or self._pending_bytes + size <= PENDING_BYTES_MAX
        )

    def _append(self, content: bytes) -> bool:
        """Put an event into the open batch. Returns whether that is full now."""
        if not self._tasks:
            self._tasks = [spawn(self._work, f"meter-sdk-sender-{n}") for n in range(self._senders)]
        self._open.append(content)
        self._pending += 1
        self._pending_bytes += len(content)
        self._open_bytes += len(content)
        if len(self._open) >= self._max_items or self._open_bytes >= BATCH_BYTES_MAX:
            self._cut()
            return True
        if len(self._open) == 1:
            self._open_since = monotonic()
            self._changed.notify_all()
        return False

    def _cut(self) -> None:
        """Close the open batch and hand it to the senders."""
        if self._open:
            self._cuts += 1
            self._outstanding[self._cuts] = self._open
            self._ready.append((self._cuts, self._open))
            self._open, self._open_bytes = [], 0
            self._changed.notify_all()

    def _close_until(self, deadline: float) -> None:
        self._is_closing = True
        self._give_up_at = min(self._give_up_at, deadline)
        self._cut()
        self._changed.notify_all()

    def _raise_faults(self) -> None:
        """Raise what went wrong since the last time."""
        if self._failure is not None:
            raise self._failure
        if self._rejected:
            events, self._rejected = self._rejected, []
            first = events[0]["error"]
            raise DeliveryError(f"The server refused {len(events)} events; the first: {first}", events=events)

    # --- the senders

    async def _work(self) -> None:
        """Deliver batches until the buffer is closed and empty."""
        while True:
            try:
                await self._deliver_all()
            except Cancelled:
                # The event loop ends. It waits for its tasks, so there is time for the rest.
                if self._is_closing:
                    raise
                async with self._changed:
                    self._close_until(monotonic() + self._exit_timeout_s)
            else:
                return

    async def _deliver_all(self) -> None:
        while True:
            cut = await self._next()
            if cut is None:
                return
            number, batch = cut
            try:
                is_done = await self._deliver(batch)
            except Cancelled:
                self._ready.appendleft(cut)
                raise
            if not is_done:
                return
            async with self._changed:
                del self._outstanding[number]
                self._pending -= len(batch)
                self._pending_bytes -= sum(map(len, batch))
                self._changed.notify_all()

    async def _next(self) -> tuple[int, Batch] | None:
        """The next batch, once it is full or old enough; `None` when there is nothing more to do."""
        async with self._changed:
            while self._failure is None:
                if self._ready:
                    return self._ready.popleft()
                if not self._open:
                    if self._is_closing:
                        return None
                    await self._changed.wait()
                    continue
                left_s = self._open_since + self._max_seconds - monotonic()
                if left_s > 0:
                    await self._changed.wait(left_s)
                else:
                    self._cut()
        return None

    async def _deliver(self, batch: Batch) -> bool:
        """Send a batch until it is acknowledged or refused event by event. `False` if delivery has stopped."""
        content = b"[" + b",".join(batch) + b"]"
        attempt = 0
        while True:
            try:
                await self._transport.request(Call("POST", PATH, content=content, content_type=BATCH_TYPE, safe=True))
            except TemporaryError as error:
                delay_s = error.retry_after or backoff(attempt, most_s=RETRY_DELAY_S_MAX)
                if self._failure is not None or monotonic() + delay_s > self._give_up_at:
                    return False
                log.info("%d events are sent again in %.1f s: %s", len(batch), delay_s, error)
                await sleep(min(delay_s, RETRY_DELAY_S_MAX))
                attempt += 1
            except InvalidRequestError as error:
                return await self._deliver_apart(batch, error)
            except MeterError as error:
                await self._stop(error)
                return False
            else:
                self._delivered += len(batch)
                return True

    async def _deliver_apart(self, batch: Batch, error: MeterError) -> bool:
        """Find the events that the server refuses: one bad event must not hold the others back."""
        if len(batch) > 1:
            middle = len(batch) // 2
            return await self._deliver(batch[:middle]) and await self._deliver(batch[middle:])
        refused = {"event": json.loads(batch[0]), "error": error}
        log.warning("the server refused the event %s: %s", refused["event"].get("id"), error)
        self._rejected_total += 1
        if len(self._rejected) < REJECTED_KEPT_MAX:
            self._rejected.append(refused)
        await told(self._on_reject, refused)
        return True

    async def _stop(self, error: MeterError) -> None:
        """Stop for a reason that sending again does not change. Producers are told at their next call."""
        log.error("%d events cannot be delivered: %s", self._pending, error)
        async with self._changed:
            self._failure = error
            self._changed.notify_all()

    # --- the rest

    def _encoded(self, event: Mapping[str, Any]) -> bytes:
        number = next(self._numbers)
        whole = completed(event, source=self._source, event_id=f"{self._prefix}-{number}")
        if whole.get("time") is None:
            whole["time"] = now()  # of happening, not of delivery
        return encoded(whole)

    async def _close_at_exit(self) -> None:
        try:
            await self.close(self._exit_timeout_s)
        except MeterError as error:
            log.error("at exit: %s", error)
