"""What exact de-duplication costs: the same rows through the ingestor with and without it, no HTTP.

Run as a program: `python -m bench.ingest_dedup FOLDER on|off|repeats EVENTS`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.ingest import BATCH, ORGANISATION
from bench.load_client import MARK, body_template

from meterhouse.apis.openmeter.ingest import EITHER, rows_from_wire
from meterhouse.kernel.clock import SystemClock
from meterhouse.platform.clickhouse_migrate import migrate
from meterhouse.platform.events import open_event_store
from meterhouse.usage.block import EventRow
from meterhouse.usage.ingest import Ingestor, _joined, _Waiting

CALLERS = 16


class Trusting(Ingestor):
    """Takes every row for new, and remembers none."""

    async def _store_new(self, rows: Sequence[EventRow], callers: Sequence[_Waiting]) -> list[bool]:
        await self._insert(rows, _joined(callers))
        return [True] * len(rows)


class _Forgetful:
    """In the place of the key filter."""

    def add(self, keys: object) -> None:
        pass


async def measure(folder: str, mode: str, events: int) -> dict[str, float]:
    store = await open_event_store(f"chdb://{folder}/events")
    await migrate(store)
    ingestor = (Trusting if mode == "off" else Ingestor)(store, SystemClock())
    await ingestor.start()
    if mode == "off":
        ingestor._filter = _Forgetful()  # type: ignore[assignment]
    batches = prepared(events)
    if mode == "repeats":
        await send(ingestor, batches)
    began, used = time.perf_counter(), time.process_time()
    await send(ingestor, batches)
    took, used = time.perf_counter() - began, time.process_time() - used
    await ingestor.stop()
    await store.close()
    return {"rate": events / took, "cpu_us": used / events * 1e6}


def prepared(events: int) -> list[list[EventRow]]:
    template, now = body_template(BATCH), datetime.now(UTC)
    return [
        rows_from_wire(EITHER, template.replace(MARK, b"%016d" % number), ORGANISATION, now)
        for number in range(events // BATCH)
    ]


async def send(ingestor: Ingestor, batches: list[list[EventRow]]) -> None:
    waiting = iter(batches)

    async def caller() -> None:
        for batch in waiting:
            await ingestor.submit_rows(batch)

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


def main() -> None:
    folder, mode, events = sys.argv[1:]
    print(json.dumps(asyncio.run(measure(folder, mode, int(events)))))


if __name__ == "__main__":
    main()
