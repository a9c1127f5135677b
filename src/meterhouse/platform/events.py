"""The event store: one small asynchronous face over the ClickHouse engine, embedded or on a server.

The engine has no asynchronous client and a handle serialises its calls, so a few handles are used from
threads: several for reading, one of its own for writing, so that no query makes an acknowledgement wait.

The embedded engine lives in this process. It allows one folder per process, locks that folder against
other processes, and hangs in a forked child: start other processes with `spawn`, never with `fork`.
"""

from __future__ import annotations

import asyncio
import logging
import queue
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.events_engine import (
    ANSWER_GRACE_S,
    EMBEDDED_DATABASE,
    ENGINE_FAILURES,
    INSERT_MARK,
    EngineHandle,
    Target,
    explain_failure,
    parse_target,
)
from meterhouse.platform.ports import EventStore, Rows

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

READERS = 4
PING_TIMEOUT_S = 5.0
SETTLE_POLL_S = 0.05
MEMORY_PAUSE_S = 30.0

_RUNNING_INSERTS = """
SELECT count() FROM system.processes
WHERE query_kind = 'Insert' AND current_database = currentDatabase()
  AND Settings['log_comment'] = {mark:String}
"""


class _Pool:
    """Handles and as many threads; a call waits its turn when all are busy."""

    def __init__(self, handles: list[EngineHandle], name: str) -> None:
        self._handles = handles
        self._idle: queue.SimpleQueue[EngineHandle] = queue.SimpleQueue()
        for handle in handles:
            self._idle.put(handle)
        self._threads = ThreadPoolExecutor(max_workers=len(handles), thread_name_prefix=name)

    async def run(self, call: Callable[[EngineHandle], Answer], timeout_s: float) -> Answer:
        """Run `call` on a handle in a thread. Time spent waiting for a free handle counts."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_s + ANSWER_GRACE_S):
            return await loop.run_in_executor(self._threads, self._call, call)

    def _call(self, call: Callable[[EngineHandle], Answer]) -> Answer:
        handle = self._idle.get()
        try:
            return call(handle)
        finally:
            self._idle.put(handle)

    def close(self) -> None:
        """Wait for running calls, then close the handles."""
        self._threads.shutdown(wait=True)
        for handle in self._handles:
            handle.close()


class ClickHouseEventStore:
    """`ports.EventStore` over the ClickHouse engine; see there for what each method promises."""

    def __init__(self, target: Target, readers: _Pool, writer: _Pool) -> None:
        self._target = target
        self._readers = readers
        self._writer = writer
        self._closed = False

    @property
    def is_embedded(self) -> bool:
        """Whether the engine runs in this process, so that no other process can write to it."""
        return self._target.kind == "embedded"

    @property
    def journal_path(self) -> Path:
        """Where a journal of the embedded store lies: beside its folder."""
        folder, database = self._target.folder, self._target.database
        assert folder is not None, "only an embedded store has a journal"
        name = folder.name if database == EMBEDDED_DATABASE else f"{folder.name}.{database}"
        return folder.with_name(f"{name}.journal")

    async def query(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> Rows:
        call = partial(EngineHandle.query, sql=sql, parameters=parameters, timeout_s=timeout_s)
        columns, rows = await self._run(self._readers, call, timeout_s, "answering a query")
        return Rows(columns, rows)

    async def query_arrow(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> pa.Table:
        call = partial(EngineHandle.query_arrow, sql=sql, parameters=parameters, timeout_s=timeout_s)
        return await self._run(self._readers, call, timeout_s, "answering a query")

    async def command(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, timeout_s: float = 30.0
    ) -> None:
        call = partial(EngineHandle.command, sql=sql, parameters=parameters, timeout_s=timeout_s)
        await self._run(self._readers, call, timeout_s, "running a command")

    async def insert_arrow(self, table: str, block: pa.RecordBatch, *, timeout_s: float = 30.0) -> None:
        call = partial(EngineHandle.insert_arrow, table=table, block=block, timeout_s=timeout_s)
        await self._run(self._writer, call, timeout_s, "storing events")

    async def settle(self, *, timeout_s: float = 30.0) -> None:
        # The embedded engine ends a statement before its call returns, whatever the outcome; only its
        # caller may have stopped waiting, and then the next insert queues behind it on the one handle.
        if self.is_embedded:
            await self._run(self._writer, lambda handle: None, timeout_s, "waiting for an earlier block")
            return
        deadline = asyncio.get_running_loop().time() + timeout_s
        while (await self.query(_RUNNING_INSERTS, {"mark": INSERT_MARK})).rows[0][0]:
            if asyncio.get_running_loop().time() > deadline:
                raise DependencyFailed(
                    "An earlier block of events is still being stored; try again later.",
                    code="events_unsettled",
                    retryable=True,
                )
            await asyncio.sleep(SETTLE_POLL_S)

    async def ping(self) -> None:
        await self.query("SELECT 1", timeout_s=PING_TIMEOUT_S)

    async def close(self) -> None:
        """Let running calls end, then release the engine (and the lock on its folder)."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.close()
        self._readers.close()

    async def _run(
        self, pool: _Pool, call: Callable[[EngineHandle], Answer], timeout_s: float, doing: str
    ) -> Answer:
        if self._closed:
            raise DependencyFailed("The event store is closed.", code="events_closed")
        try:
            return await pool.run(call, timeout_s)
        except ENGINE_FAILURES as failure:
            raise explain_failure(failure, self._target, doing) from failure


async def open_event_store(url: str, *, readers: int = READERS) -> ClickHouseEventStore:
    """Open `chdb:///folder` (created when missing) or `clickhouse://user:password@host:port/database`.

    Raises `DependencyFailed` with one clear sentence when the folder is in use, damaged or cannot be
    created, or when the server cannot be reached or refuses us.
    """
    return await asyncio.to_thread(_open, parse_target(url), readers)


async def keep_returning_memory(store: EventStore) -> None:
    """Let the embedded engine give the memory that it no longer uses back to the system, twice a minute.

    By itself it keeps most of it: a tenth more after ten busy minutes. Ends where the engine cannot.
    """
    while True:
        await asyncio.sleep(MEMORY_PAUSE_S)
        try:
            await store.command("SYSTEM JEMALLOC PURGE")
        except DependencyFailed as failure:
            log.info("the engine keeps its memory: %s", failure)
            return


def _open(target: Target, readers: int) -> ClickHouseEventStore:
    handles: list[EngineHandle] = []
    try:
        for _ in range(readers + 1):
            handles.append(EngineHandle.open(target))
    except BaseException:
        for handle in handles:
            handle.close()
        raise
    return ClickHouseEventStore(target, _Pool(handles[1:], "events-read"), _Pool(handles[:1], "events-write"))
