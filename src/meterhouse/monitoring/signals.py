"""Tells those who wait inside this process that a job has ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator
from uuid import UUID


class JobSignals:
    """Wakes waiters early; a job that ends in another process is found by their polling."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, set[asyncio.Event]] = defaultdict(set)

    @contextlib.contextmanager
    def listening(self, job_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set whenever the job ends while the block runs."""
        event = asyncio.Event()
        self._waiting[job_id].add(event)
        try:
            yield event
        finally:
            self._waiting[job_id].discard(event)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    def ended(self, job_id: UUID) -> None:
        for event in self._waiting.get(job_id, ()):
            event.set()
