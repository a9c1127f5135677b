"""The embedded event store, with small blocks of events kept in a journal until somebody reads them.

To store a block takes the engine five milliseconds and leaves a part that has to be merged, however few rows
it has; to append it to a journal takes half a millisecond. So a small block is on disk, in the journal, when
its caller is answered, and goes to the engine together with others: before the next statement that reads the
table, with the next large block, when there are many rows, and a second later in any case. What was in the
journal when a process ended is stored at the next start.

Nobody can tell the difference. Rows come to the engine in the order in which they were stored here, and each
once: after a failure, and after a start, those that the engine has already are found by their key.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

import pyarrow as pa

from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.events import ClickHouseEventStore
from meterhouse.platform.events_engine import arrow_stream
from meterhouse.platform.journal import Journal
from meterhouse.platform.ports import EventStore, Rows

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


class FindStored(Protocol):
    async def __call__(self, store: EventStore, keys: Sequence[bytes], *, timeout_s: float) -> set[bytes]: ...


SMALL_ROWS = 250  # larger blocks go to the engine at once
KEPT_ROWS = 5_000
KEPT_S = 1.0
FLUSH_TIMEOUT_S = 60.0


class JournaledEventStore:
    """`ports.EventStore` over the embedded engine and a journal for the small blocks of one table."""

    def __init__(
        self, store: EventStore, journal: Journal, *, table: str, key: str, find_stored: FindStored
    ) -> None:
        """`key` is the column of 16 bytes that tells a row of `table` from all others; `find_stored` says
        which of some keys the engine has."""
        self._store = store
        self._journal = journal
        self._table = table
        self._key = key
        self._find_stored = find_stored
        self._names_table = re.compile(rf"\b{table}\b").search
        self._kept: list[pa.RecordBatch] = []
        self._kept_rows = 0
        self._turn = asyncio.Lock()
        self._taken = 0  # how many small blocks the engine has
        # Whether the engine may have some of the rows that are kept.
        self._is_doubtful = False
        self._flushing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="events-journal")

    @property
    def is_embedded(self) -> bool:
        return True

    async def start(self) -> None:
        """Store what the last process left in the journal. Raises `DependencyFailed`."""
        pieces, self._journal.pieces = self._journal.pieces, []
        self._kept = [_decoded(piece) for piece in pieces]
        self._is_doubtful = True
        async with self._turn:
            await self._store_kept()

    async def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> Rows:
        await self._bring_up_to_date(sql)
        return await self._store.query(sql, parameters, timeout_s=timeout_s)

    async def query_arrow(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> pa.Table:
        await self._bring_up_to_date(sql)
        return await self._store.query_arrow(sql, parameters, timeout_s=timeout_s)

    async def command(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> None:
        await self._bring_up_to_date(sql)
        await self._store.command(sql, parameters, timeout_s=timeout_s)

    async def insert_arrow(self, table: str, block: pa.RecordBatch, *, timeout_s: float = 30.0) -> None:
        """As the port has it; also the table's rows must come here in the order of what numbers them."""
        if table != self._table:
            await self._store.insert_arrow(table, block, timeout_s=timeout_s)
            return
        async with self._turn:
            if self._is_doubtful:  # the engine failed; it is not given more before it works again
                await self._store_kept()
            if block.num_rows > SMALL_ROWS:
                await self._store_with_kept(block, timeout_s)
            else:
                await self._append(block)

    async def settle(self, *, timeout_s: float = 30.0) -> None:
        async with self._turn:
            await self._in_thread(self._journal.mend)
        await self._store.settle(timeout_s=timeout_s)

    async def ping(self) -> None:
        await self._store.ping()

    async def close(self) -> None:
        """Store what is kept, if the engine can; otherwise the next start does."""
        try:
            async with self._turn:
                await self._store_kept()
                await self._in_thread(self._journal.mend)
        except DependencyFailed as failure:
            log.warning("some events stay in the journal until the next start: %s", failure)
        self._stop_timer()
        await self._store.close()
        self._thread.shutdown(wait=True)
        self._journal.close()

    async def _bring_up_to_date(self, sql: str) -> None:
        """Let the engine have all that was stored before a statement that reads the table."""
        if not self._kept or not self._names_table(sql):
            return
        wanted = self._taken + len(self._kept)
        while self._taken < wanted:
            await asyncio.shield(self._begin_flush())

    def _begin_flush(self) -> asyncio.Task[None]:
        """The flush that goes on, or a new one: a task of its own, because who waits for it may leave."""
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush(), name="events-flush")
            self._flushing.add_done_callback(_retrieved)
        return self._flushing

    async def _flush(self) -> None:
        async with self._turn:
            self._stop_timer()
            try:
                await self._store_kept()
            except DependencyFailed:
                self._start_timer()
                raise

    async def _append(self, block: pa.RecordBatch) -> None:
        await self._in_thread(lambda: self._journal.append(arrow_stream(block)))
        self._kept.append(block)
        self._kept_rows += block.num_rows
        if self._kept_rows >= KEPT_ROWS:
            self._begin_flush()
        else:
            self._start_timer()

    async def _store_kept(self) -> None:
        """Let the engine have the kept rows; the caller holds the turn."""
        if self._kept:
            block = await self._in_thread(lambda: _joined(self._kept))
            if self._is_doubtful:
                await self._store.settle(timeout_s=FLUSH_TIMEOUT_S)
                block = await self._without_stored(block)
            if block.num_rows:
                await self._insert(block, FLUSH_TIMEOUT_S)
        await self._forget_kept()

    async def _store_with_kept(self, block: pa.RecordBatch, timeout_s: float) -> None:
        """Let the engine have a large block, and with it the kept rows, which come before it."""
        if not self._journal.is_clear:
            # Nothing of a smaller one that failed may come after it.
            await self._in_thread(self._journal.mend)
            block = await self._in_thread(lambda: _joined([*self._kept, block]))
        await self._insert(block, timeout_s)
        await self._forget_kept()

    async def _insert(self, block: pa.RecordBatch, timeout_s: float) -> None:
        self._is_doubtful = True
        await self._store.insert_arrow(self._table, block, timeout_s=timeout_s)

    async def _forget_kept(self) -> None:
        """The engine has all that is kept."""
        if not self._journal.is_clear:
            await self._in_thread(self._journal.clear)
        self._taken += len(self._kept)
        self._kept.clear()
        self._kept_rows = 0
        self._is_doubtful = False
        self._stop_timer()

    async def _without_stored(self, block: pa.RecordBatch) -> pa.RecordBatch:
        """Those rows that the engine does not have yet, found by their keys."""
        keys = block.column(self._key).to_pylist()
        stored = await self._find_stored(self._store, keys, timeout_s=FLUSH_TIMEOUT_S)
        return block.filter(pa.array([key not in stored for key in keys], pa.bool_()))

    async def _in_thread(self, call: Callable[[], Answer]) -> Answer:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, call)
        except OSError as failure:
            raise DependencyFailed(
                f"The journal {self._journal.path} cannot be written ({failure.strerror}), so nothing was "
                "stored. Free some space and repeat the request.",
                code="events_journal",
                retryable=True,
            ) from failure

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(KEPT_S, self._begin_flush)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


async def open_journaled(
    store: ClickHouseEventStore, *, table: str, key: str, find_stored: FindStored
) -> JournaledEventStore:
    """Put a journal before an embedded store, beside its folder, and store what the last process left there.

    `table` must be there. Raises `DependencyFailed` when the journal cannot be opened, or not be stored.
    """
    try:
        journal = Journal(store.journal_path)
    except OSError as failure:
        raise DependencyFailed(
            f"Cannot open the journal {store.journal_path}: {failure.strerror}.", code="events_folder"
        ) from failure
    opened = JournaledEventStore(store, journal, table=table, key=key, find_stored=find_stored)
    await opened.start()
    return opened


def _decoded(piece: bytes) -> pa.RecordBatch:
    with pa.ipc.open_stream(pa.py_buffer(piece)) as reader:
        return reader.read_next_batch()


def _joined(blocks: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    if len(blocks) == 1:
        return blocks[0]
    return pa.Table.from_batches(blocks).combine_chunks().to_batches()[0]


def _retrieved(task: asyncio.Task[None]) -> None:
    """Take note of a failure, so that one nobody waited for is logged once and not as forgotten."""
    if not task.cancelled() and (failure := task.exception()) is not None:
        log.warning("events stay in the journal for now: %s", failure)
