"""Small blocks in a journal, where the engine, the disk and the process may fail at any time."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.thoroughness import examples

from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform import journal as files
from meterhouse.platform import journaled as module
from meterhouse.platform.journal import Journal
from meterhouse.platform.journaled import SMALL_ROWS, JournaledEventStore
from meterhouse.platform.ports import Rows
from meterhouse.usage.ingest import find_stored

READ = "SELECT key FROM events"
LARGE = SMALL_ROWS + 1
Fault = Literal["none", "before", "after", "disk"]


@dataclass
class Engine:
    """Blocks as they were inserted; fails before or after it stores one when it is told to."""

    blocks: list[list[int]] = field(default_factory=list)
    fault: Fault = "none"
    gate: asyncio.Event | None = None

    @property
    def rows(self) -> list[int]:
        return [number for block in self.blocks for number in block]

    async def insert_arrow(self, table: str, block: pa.RecordBatch, *, timeout_s: float = 30.0) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.fault == "before":
            raise DependencyFailed("The engine is away.")
        self.blocks.append([int.from_bytes(key, "little") for key in block.column("key").to_pylist()])
        if self.fault == "after":
            raise DependencyFailed("The engine did not answer.")

    async def query(self, sql: str, parameters: Any = None, *, timeout_s: float = 30.0) -> Rows:
        return Rows(("key",), [(number,) for number in self.rows])

    async def query_arrow(self, sql: str, parameters: Any, *, timeout_s: float = 30.0) -> pa.Table:
        found = [number.to_bytes(16, "little") for number in self.rows if number in parameters["keys"]]
        return pa.table({"key": pa.array(found, pa.binary(16))})

    async def settle(self, *, timeout_s: float = 30.0) -> None: ...

    async def close(self) -> None: ...


def block(numbers: list[int]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(
        {"key": pa.array([number.to_bytes(16, "little") for number in numbers], pa.binary(16))}
    )


async def opened(engine: Engine, path: Path) -> JournaledEventStore:
    store = JournaledEventStore(
        engine,  # type: ignore[arg-type]
        Journal(path),
        table="events",
        key="key",
        find_stored=find_stored,
    )
    await store.start()
    return store


async def read(store: JournaledEventStore) -> list[int]:
    return [int(str(number)) for (number,) in (await store.query(READ)).rows]


faults = st.sampled_from(["none", "none", "none", "before", "after", "disk"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.sampled_from([1, 2, 3, LARGE]), faults),
        st.tuples(st.just("read"), st.just(0), faults),
        st.tuples(st.just("crash"), st.just(0), st.just("none")),
    ),
    max_size=14,
)


@given(steps=steps)
@settings(max_examples=examples(60), deadline=None)
def test_whatever_happens_acknowledged_rows_are_there_once_and_in_order(
    steps: list[tuple[str, int, Fault]],
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        asyncio.run(_follow(steps, Path(folder) / "journal", patch))


async def _follow(steps: list[tuple[str, int, Fault]], path: Path, patch: pytest.MonkeyPatch) -> None:
    engine, acknowledged, sent, seen = Engine(), list[int](), 0, 0
    store = await opened(engine, path)

    async def check() -> None:
        nonlocal seen
        engine.fault = "none"
        rows = await read(store)
        assert rows == sorted(set(rows))
        assert set(acknowledged) <= set(rows)
        # Once a row was seen, none with a lower number appears.
        assert not [number for number in rows[seen:] if seen and number < rows[seen - 1]]
        seen = len(rows)

    for step, size, fault in steps:
        with patch.context() as failing:
            engine.fault = fault
            if fault == "disk":
                failing.setattr(files, "_sync", _refuse)
                failing.setattr(files.os, "fsync", _refuse)
            try:
                if step == "insert":
                    numbers = list(range(sent + 1, sent + size + 1))
                    sent += size
                    await store.insert_arrow("events", block(numbers))
                    acknowledged += numbers
                elif step == "read":
                    assert set(acknowledged) <= set(await read(store))
            except DependencyFailed:
                pass
        if step == "crash":
            store._stop_timer()  # nothing of a process goes on after its end
            engine.fault = "none"
            store = await opened(engine, path)
        if step != "insert":
            await check()
    await check()
    await store.close()
    assert Journal(path).pieces == []


def _refuse(file: int) -> None:
    raise OSError(28, "No space left on device")


async def test_a_small_block_waits_and_is_seen_all_the_same(tmp_path: Path) -> None:
    engine = Engine()
    store = await opened(engine, tmp_path / "journal")

    await store.insert_arrow("events", block([1, 2]))
    await store.insert_arrow("events", block([3]))
    await store.query("SELECT 1 FROM rollups")

    assert engine.rows == []
    assert len(Journal(tmp_path / "journal").pieces) == 2
    assert await read(store) == [1, 2, 3]
    assert engine.blocks == [[1, 2, 3]]
    await store.close()


async def test_a_large_block_takes_along_what_waits(tmp_path: Path) -> None:
    engine = Engine()
    store = await opened(engine, tmp_path / "journal")

    await store.insert_arrow("events", block([1]))
    await store.insert_arrow("events", block(list(range(2, LARGE + 2))))

    assert engine.blocks == [list(range(1, LARGE + 2))]
    assert Journal(tmp_path / "journal").pieces == []
    await store.close()


async def test_nothing_waits_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_S", 0.01)
    engine = Engine(fault="before")
    store = await opened(engine, tmp_path / "journal")

    await store.insert_arrow("events", block([1]))
    await asyncio.sleep(0.05)
    engine.fault = "none"
    async with asyncio.timeout(5):
        while not engine.rows:
            await asyncio.sleep(0.01)

    assert engine.rows == [1]
    await store.close()


async def test_an_engine_that_fails_is_given_no_more(tmp_path: Path) -> None:
    engine = Engine()
    store = await opened(engine, tmp_path / "journal")
    await store.insert_arrow("events", block([1]))
    engine.fault = "before"
    with pytest.raises(DependencyFailed, match="away"):
        await read(store)

    with pytest.raises(DependencyFailed, match="away"):
        await store.insert_arrow("events", block([2]))

    engine.fault = "none"
    await store.insert_arrow("events", block([3]))
    assert await read(store) == [1, 3]
    await store.close()


async def test_who_leaves_while_the_engine_is_brought_up_to_date_disturbs_nobody(tmp_path: Path) -> None:
    engine = Engine(gate=asyncio.Event())
    store = await opened(engine, tmp_path / "journal")
    await store.insert_arrow("events", block([1]))

    leaving, staying = asyncio.create_task(read(store)), asyncio.create_task(read(store))
    await asyncio.sleep(0.01)
    leaving.cancel()
    assert engine.gate is not None
    engine.gate.set()

    assert await staying == [1]
    assert engine.blocks == [[1]]
    await store.close()
