"""Ingest: every accepted event is stored exactly once, and acknowledged only when it is.

Group commit. Callers wait in a queue; one writer task takes whatever is waiting as the next block, drops
what is stored already, inserts the rest, and then answers every caller of that block. One caller alone
gets a small block at once; many callers share large blocks, which is what the engine is fast at.

Guarantees:

- *Durable*: `submit` returns after the block is on disk (in the table, which syncs every insert, or in the
  journal before it) and visible to the next query. A killed process loses nothing that was acknowledged.
- *Exactly once*: an identity (organisation, source, id) is stored once: within a block, across
  concurrent requests, after a restart and years later. The first one stored wins.
- *All or nothing per caller*: the rows of one `submit` travel in one block. If that fails, every caller
  of the block gets `DependencyFailed` and may repeat; nothing is remembered as stored.
- *Bounded*: blocks and queue have bounds; when the queue is full, `submit` waits.

Why it is exact: only one writer runs, so between its look-up and its insert nobody else stores anything.
The key filter in memory holds every key that may be stored: rebuilt from the store at start, and added to
*before* each insert, so even an insert with an unknown outcome leaves no gap. A key it has never seen is
new; for the few others the store itself is asked.

With several processes on one server the filter of each misses what the others store. Then a `lock` is
passed in: writers take turns, and every key is looked up in the store while the lock is held. A block
whose caller is gone (timed out, killed) may still be on its way then; it is waited for before looking.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

import pyarrow as pa

from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import DependencyFailed, InvariantBroken, MeterhouseError
from meterhouse.platform.ports import EventStore
from meterhouse.usage.block import TABLE, EventRow, columns_from_rows, numbered, rows_from_events
from meterhouse.usage.key_filter import KeyFilter, keys_from_bytes
from meterhouse.usage.model import Correction, Event
from meterhouse.usage.newest import NewestEvents

log = logging.getLogger(__name__)

KEYS_PER_LOOKUP = 2_000  # their text stays under the 128 KiB that a server takes for one parameter
KEYS_PER_PAGE = 1_000_000
KEY_SPACE = 1 << 128
LINGER_STEP_S = 0.001
LARGE_ROWS = 100  # fewer are cheaper to make into columns together

Answer = TypeVar("Answer")
Lock = Callable[[], contextlib.AbstractAsyncContextManager[object]]
Listener = Callable[[Sequence[EventRow], Sequence[Correction]], None]


@dataclass(frozen=True)
class IngestLimits:
    """Bounds of the ingest queue, in rows and seconds. A single submission is never split."""

    block_rows_max: int = 20_000
    queued_rows_max: int = 100_000
    linger_s: float = 0.008
    linger_rows_max: int = 500
    insert_timeout_s: float = 30.0
    lookup_timeout_s: float = 30.0
    rebuild_timeout_s: float = 300.0


@dataclass
class IngestCounts:
    """What happened since start, for metrics."""

    stored: int = 0
    duplicates: int = 0
    blocks: int = 0
    failed_blocks: int = 0
    looked_up: int = 0


@dataclass(slots=True)
class _Waiting:
    """One caller: its rows, and the promise to say which of them are new.

    Those of a large one are made into columns when they come, beside the block that is being stored then.
    """

    rows: list[EventRow]
    done: asyncio.Future[list[bool]] = field(repr=False)
    columns: pa.RecordBatch | None = field(repr=False, default=None)


class Ingestor:
    """The one way into the event store; see the module for its guarantees."""

    def __init__(
        self, store: EventStore, clock: Clock, *, lock: Lock | None = None, limits: IngestLimits | None = None
    ) -> None:
        """`lock` is passed when other processes may write too; it is entered once for each block."""
        self.counts = IngestCounts()
        self._store = store
        self._clock = clock
        self._lock: Lock = lock or contextlib.nullcontext
        self.is_shared = lock is not None
        self._limits = limits or IngestLimits()
        self._filter = KeyFilter()
        self._queue: deque[_Waiting] = deque()
        self._queued_rows = 0
        self._expected_callers = 0
        self._assigned = 0
        self._reached = 0
        self._work = asyncio.Event()
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._is_unsettled = True
        self._is_stopping = False
        self._writer: asyncio.Task[None] | None = None
        self.newest = NewestEvents()
        self._listeners: list[Listener] = []
        self._doubtful: list[Sequence[EventRow]] = []
        self._turns: deque[tuple[Callable[[], Awaitable[object]], asyncio.Future[object]]] = deque()

    @property
    def queued_rows(self) -> int:
        return self._queued_rows

    @property
    def reached(self) -> int | None:
        """The highest `seq` so far: all acknowledged events have it or a lower one, and no other event with
        such a one can still appear. `None` when other processes write too."""
        return None if self.is_shared else self._reached

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` for whatever this process stores, after it is durable and before its callers know.

        It is called on the event loop and must be quick: forget what was remembered, nothing else. Rows
        of a block whose outcome is unknown are told too, because they may be stored, and once more when
        the outcome is settled. What other processes
        on the same server store is not heard of.
        """
        self._listeners.append(listener)

    async def start(self) -> None:
        """Rebuild the filter from the store and begin to write."""
        if not self.is_shared:
            await self._settle()
            await self._rebuild_filter()
            self._reached = self._assigned = await newest_seq(self._store, 0)
            self.newest.begin(self._assigned)
        self._writer = asyncio.create_task(self._write_until_stopped(), name="ingest-writer")

    async def stop(self) -> None:
        """Store what is waiting, then end. Later submissions are refused."""
        self._is_stopping = True
        self._work.set()
        self._filled.set()
        self._room.set()
        if self._writer is not None:
            await self._writer
            self._writer = None

    async def submit(self, events: Sequence[Event]) -> list[bool]:
        """Store events; for each: `True` when it is new, `False` when its identity was stored before.

        Raises `Invalid` for an event that the store cannot hold (nothing is stored then) and
        `DependencyFailed` when the store fails: then repeat the same events, none will count twice.
        """
        return await self.submit_rows(rows_from_events(events))

    async def submit_rows(self, rows: list[EventRow]) -> list[bool]:
        """Like `submit`, for rows that are checked already (see `usage.block`)."""
        if not rows:
            return []
        while self._queued_rows >= self._limits.queued_rows_max and not self._is_stopping:
            await self._room.wait()
        self._check_running()
        columns = columns_from_rows(rows) if len(rows) >= LARGE_ROWS else None
        waiting = _Waiting(rows, asyncio.get_running_loop().create_future(), columns)
        self._queue.append(waiting)
        self._queued_rows += len(rows)
        if self._queued_rows >= self._limits.queued_rows_max:
            self._room.clear()
        self._work.set()
        if self._is_filled:
            self._filled.set()
        return await waiting.done

    def _check_running(self) -> None:
        if self._is_stopping or self._writer is None:
            raise DependencyFailed(
                "The server is shutting down and takes no more events; repeat the request.",
                code="ingest_stopped",
                retryable=True,
            )

    async def exclusively(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """Run `call` between two blocks: nothing is stored meanwhile, in no process, nor still on its way.

        Raises what `call` raises, and `DependencyFailed` when the server stops.
        """
        self._check_running()
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._turns.append((call, done))
        self._work.set()
        return cast(Answer, await done)

    async def _take_turns(self) -> None:
        while self._turns:
            call, done = self._turns.popleft()
            try:
                async with self._lock():
                    await self._settle()
                    result = await call()
            except Exception as failure:
                self._is_unsettled = True
                if not done.done():
                    done.set_exception(failure)
            else:
                if not done.done():
                    done.set_result(result)

    async def _write_until_stopped(self) -> None:
        while True:
            await self._work.wait()
            await self._take_turns()
            await self._linger()
            callers = self._take_block()
            if not callers:
                if self._turns:
                    continue
                if self._is_stopping:
                    return
                self._work.clear()
                continue
            await self._write(callers)
            self._expected_callers = len(callers)

    async def _linger(self) -> None:
        """Let a small block fill up: callers just answered tend to come back, and many small blocks cost
        more than one. Ends as soon as as many wait as last time, or nobody new has come.

        A caller alone is never kept waiting, and neither is a block that is large enough anyway.
        """
        await asyncio.sleep(0)  # requests that are ready now
        loop = asyncio.get_running_loop()
        until = loop.time() + self._limits.linger_s
        while not self._is_filled and loop.time() < until and not self._is_stopping:
            waiting = len(self._queue)
            self._filled.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_STEP_S):
                    await self._filled.wait()
            if len(self._queue) == waiting:
                return

    @property
    def _is_filled(self) -> bool:
        """Whether nobody need be waited for before the next block is taken."""
        return len(self._queue) >= self._expected_callers or self._queued_rows >= self._limits.linger_rows_max

    def _take_block(self) -> list[_Waiting]:
        """Take callers in order until the block is full; at least one if any is waiting."""
        callers: list[_Waiting] = []
        size = 0
        while self._queue and (not callers or size + len(self._queue[0].rows) <= self._limits.block_rows_max):
            caller = self._queue.popleft()
            callers.append(caller)
            size += len(caller.rows)
        self._queued_rows -= size
        self._room.set()
        return callers

    async def _write(self, callers: Sequence[_Waiting]) -> None:
        """Store one block and answer its callers, whatever happens."""
        rows = callers[0].rows if len(callers) == 1 else [row for caller in callers for row in caller.rows]
        try:
            async with self._lock():
                is_new = await self._store_new(rows, callers)
        except Exception as failure:
            self.tell(rows)
            self._doubtful.append(rows)
            self.newest.begin(self._assigned)
            self.counts.failed_blocks += 1
            self._is_unsettled = True
            _refuse(callers, failure)
            return
        self.counts.blocks += 1
        start = 0
        for caller in callers:
            end = start + len(caller.rows)
            if not caller.done.done():
                caller.done.set_result(is_new[start:end])
            start = end

    async def _store_new(self, rows: Sequence[EventRow], callers: Sequence[_Waiting]) -> list[bool]:
        """Insert the rows whose identity is not stored yet and comes first in this block."""
        await self._settle()
        keys = [row[0] for row in rows]
        known = await self._find_stored(keys)
        if not known and len(set(keys)) == len(keys):
            await self._insert(rows, _joined(callers))
            self.counts.stored += len(rows)
            return [True] * len(rows)
        is_new = _first_of_each(keys, known)
        new = [row for row, flag in zip(rows, is_new, strict=True) if flag]
        if new:
            await self._insert(new, columns_from_rows(new))
        self.counts.stored += len(new)
        self.counts.duplicates += len(rows) - len(new)
        return is_new

    async def _insert(self, rows: Sequence[EventRow], columns: pa.RecordBatch) -> None:
        if not self.is_shared:
            self._filter.add(keys_from_bytes([row[0] for row in rows]))
        else:
            self._assigned = await newest_seq(self._store, self._assigned)
        first = self._assigned + 1
        self._assigned += len(rows)
        block = numbered(columns, self._clock.now(), first_seq=first)
        await self._store.insert_arrow(TABLE, block, timeout_s=self._limits.insert_timeout_s)
        self._reached = self._assigned
        if not self.is_shared:
            self.newest.add(first, rows)
        self.tell(rows)

    def tell(self, rows: Sequence[EventRow], corrections: Sequence[Correction] = ()) -> None:
        """Tell the listeners what was stored or corrected.

        A listener's fault is ours alone: the events are stored, and their callers learn so.
        """
        for listener in self._listeners:
            try:
                listener(rows, corrections)
            except Exception:
                log.exception("a listener to stored events failed")

    async def _find_stored(self, keys: Sequence[bytes]) -> set[bytes]:
        """Return those of `keys` that are stored; the store is asked only about those that may be."""
        suspects = keys
        if not self.is_shared:
            perhaps = self._filter.contains(keys_from_bytes(keys))
            if not perhaps.any():
                return set()
            suspects = [key for key, flag in zip(keys, perhaps.tolist(), strict=True) if flag]
        distinct = list(dict.fromkeys(suspects))
        self.counts.looked_up += len(distinct)
        return await find_stored(self._store, distinct, timeout_s=self._limits.lookup_timeout_s)

    async def _settle(self) -> None:
        """After a failure, and always among several writers, let a block without a caller end first."""
        if self._is_unsettled or self.is_shared:
            await self._store.settle(timeout_s=self._limits.insert_timeout_s)
            self._is_unsettled = False
            self._reached = self._assigned
            doubtful, self._doubtful = self._doubtful, []
            for rows in doubtful:  # by now they are visible or never will be
                self.tell(rows)

    async def _rebuild_filter(self) -> None:
        """Read every stored key, in pages of the hash space so that memory stays bounded."""
        count = await self._store.query("SELECT count() FROM events")
        total = int(str(count.rows[0][0]))
        self._filter = KeyFilter(expected=total)
        pages = max(1, -(-total // KEYS_PER_PAGE))
        for page in range(pages):
            low = KEY_SPACE * page // pages
            high = KEY_SPACE * (page + 1) // pages - 1
            answer = await self._store.query_arrow(
                "SELECT key FROM events WHERE key >= {low:UInt128} AND key <= {high:UInt128}",
                {"low": low, "high": high},
                timeout_s=self._limits.rebuild_timeout_s,
            )
            for column in answer.column(0).chunks:
                await asyncio.to_thread(self._filter.add, keys_from_bytes([_raw_bytes(column)]))


async def find_stored(store: EventStore, keys: Sequence[bytes], *, timeout_s: float) -> set[bytes]:
    """Those of some keys whose events are in the store."""
    found: set[bytes] = set()
    for start in range(0, len(keys), KEYS_PER_LOOKUP):
        wanted = [int.from_bytes(key, "little") for key in keys[start : start + KEYS_PER_LOOKUP]]
        answer = await store.query_arrow(
            "SELECT key FROM events WHERE key IN {keys:Array(UInt128)}", {"keys": wanted}, timeout_s=timeout_s
        )
        found.update(answer.column(0).to_pylist())
    return found


async def newest_seq(store: EventStore, known: int) -> int:
    """The highest `seq` in the store; `known` is one that it has reached already."""
    rows = await store.query("SELECT max(seq) FROM events WHERE seq >= {known:UInt64}", {"known": known})
    return max(known, int(str(rows.rows[0][0])))


def _raw_bytes(column: pa.FixedSizeBinaryArray) -> bytes:
    """Return the values of a fixed-size column without making one object for each."""
    width = column.type.byte_width
    data = column.buffers()[1].to_pybytes()
    return bytes(data[column.offset * width : (column.offset + len(column)) * width])


def _joined(callers: Sequence[_Waiting]) -> pa.RecordBatch:
    """The columns of all rows of some callers, in their order."""
    pieces: list[pa.RecordBatch] = []
    small: list[EventRow] = []
    for caller in callers:
        if caller.columns is None:
            small += caller.rows
            continue
        if small:
            pieces.append(columns_from_rows(small))
            small = []
        pieces.append(caller.columns)
    if small:
        pieces.append(columns_from_rows(small))
    return pieces[0] if len(pieces) == 1 else pa.concat_batches(pieces)


def _first_of_each(keys: Sequence[bytes], known: set[bytes]) -> list[bool]:
    """For each key: whether it is not known and has not come earlier in the sequence."""
    seen = set(known)
    flags = []
    for key in keys:
        flags.append(key not in seen)
        seen.add(key)
    return flags


def _refuse(callers: Sequence[_Waiting], failure: Exception) -> None:
    """Give every caller of a failed block an error of its own."""
    if not isinstance(failure, MeterhouseError):
        log.error("a block of events failed for a reason of our own", exc_info=failure)
    for caller in callers:
        if not caller.done.done():
            caller.done.set_exception(_own_copy(failure))


def _own_copy(failure: Exception) -> MeterhouseError:
    if isinstance(failure, DependencyFailed):
        return DependencyFailed(failure.message, failure.code, failure.details, failure.retryable)
    broken = InvariantBroken("Events could not be stored because of an error of the server.")
    broken.__cause__ = failure
    return broken
