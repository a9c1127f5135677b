"""What one server process has of usage, and a store that counts how often it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.usage_factory import NOW

from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.events import ClickHouseEventStore
from meterhouse.usage.all_owners import AllOwners
from meterhouse.usage.answers import Answers
from meterhouse.usage.corrections import Corrections
from meterhouse.usage.ingest import Ingestor, Lock
from meterhouse.usage.rollups import RollupLimits, Rollups
from meterhouse.usage.view import EventView


class Server:
    """What one server process has of usage; `lock` when it is one of several on one store."""

    def __init__(self, store: ClickHouseEventStore, lock: Lock | None = None) -> None:
        clock = TestClock(NOW)
        self.ingestor = Ingestor(store, clock, lock=lock)
        # The tests say when a rollup is carried on; it reaches only a part of the way at once. What is folded
        # is dropped at once where nobody else can still go by it.
        limits = RollupLimits(
            batch_events_max=7,
            large_batch_events=6,
            fold_batches=2,
            drop_after_s=0.0 if lock is None else 120.0,
        )
        self.rollups = Rollups(
            store,
            lambda: self.ingestor.reached,
            lock=lock,
            limits=limits,
            owners=AllOwners(store) if lock is None else None,
        )
        self.corrections = Corrections(store, self.ingestor, clock)
        answers = Answers(is_shared=lock is not None)
        self.ingestor.subscribe(answers.hear)
        held = self.ingestor.newest if lock is None else None
        self.view = EventView(store, self.corrections, self.rollups, answers, held)


@asynccontextmanager
async def serving(store: ClickHouseEventStore, lock: Lock | None = None) -> AsyncIterator[Server]:
    server = Server(store, lock)
    await server.ingestor.start()
    yield server
    await server.ingestor.stop()


class Counting:
    """A store that counts how often it is asked, and says when it is to fail."""

    def __init__(self, store: ClickHouseEventStore) -> None:
        self._store = store
        self.asked = 0
        self.fails = False

    async def query(self, *arguments: Any, **named: Any) -> Any:
        self.asked += 1
        if self.fails:
            raise DependencyFailed("The engine is away.", retryable=True)
        return await self._store.query(*arguments, **named)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)
