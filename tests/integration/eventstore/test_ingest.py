"""Ingest on a real store: exactly once, all or nothing, and nothing acknowledged that is not stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.eventstore.conftest import opened_alone, opened_shared
from tests.integration.eventstore.events import NOW, ORGANISATION, count, event
from tests.thoroughness import examples

from meterhouse.kernel.clock import SystemClock, TestClock
from meterhouse.kernel.errors import DependencyFailed, Invalid, InvariantBroken
from meterhouse.platform.events import ClickHouseEventStore
from meterhouse.usage.block import EventRow
from meterhouse.usage.ingest import LARGE_ROWS, IngestLimits, Ingestor
from meterhouse.usage.model import Correction, Event

OTHER = UUID("01900000-0000-7000-8000-000000000002")


@pytest.fixture
async def ingestor(store: ClickHouseEventStore) -> AsyncIterator[Ingestor]:
    started = Ingestor(store, TestClock(NOW))
    await started.start()
    yield started
    await started.stop()


class FailingStore:
    """A store whose inserts fail on demand, before or after the block is stored."""

    def __init__(self, store: ClickHouseEventStore) -> None:
        self._store = store
        self.fails: str | None = None

    async def insert_arrow(self, table: str, block: pa.RecordBatch, *, timeout_s: float = 30.0) -> None:
        if self.fails == "before":
            raise DependencyFailed("The engine is away.", retryable=True)
        if self.fails == "bug":
            raise ZeroDivisionError("a fault of ours")
        await self._store.insert_arrow(table, block, timeout_s=timeout_s)
        if self.fails == "after":
            raise DependencyFailed("The engine did not answer.", retryable=True)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


async def test_an_acknowledged_event_is_visible_in_every_column(
    store: ClickHouseEventStore, ingestor: Ingestor
) -> None:
    odd = "a\0\\'\"\t\n\u2028é😀"
    sent = replace(
        event(odd, source=odd, type=odd, data='{"a":"\\u0000' + odd[2:].replace("\\", "") + '"}'),
        subject=odd,
        time=datetime(1900, 1, 1, tzinfo=UTC),
        origin="system",
        customer_id="c",
        member_id="m",
        external_member_id="x",
        parent_id="p",
    )

    assert await ingestor.submit([sent]) == [True]

    answer = await store.query("SELECT * EXCEPT (key, stored_at, seq), stored_at FROM events")
    row = dict(zip(answer.columns, answer.rows[0], strict=True))
    assert row.pop("stored_at") == NOW
    assert Event(**row) == sent  # type: ignore[arg-type]


async def test_the_last_instant_fits_and_the_next_is_refused(
    store: ClickHouseEventStore, ingestor: Ingestor
) -> None:
    last = datetime(2299, 12, 31, 23, 59, 59, tzinfo=UTC)
    await ingestor.submit([replace(event("last"), time=last)])

    with pytest.raises(Invalid) as caught:
        await ingestor.submit([event("fine"), replace(event("late"), time=datetime(2300, 1, 1, tzinfo=UTC))])

    assert caught.value.issues[0].path == ("events", 1, "time")
    assert list((await store.query("SELECT id, time FROM events")).rows) == [("last", last)]


async def test_text_that_is_no_unicode_is_refused_alone(
    store: ClickHouseEventStore, ingestor: Ingestor
) -> None:
    good, bad = await asyncio.gather(
        ingestor.submit([event("good")]),
        ingestor.submit([replace(event("bad"), subject="\ud800")]),
        return_exceptions=True,
    )

    assert good == [True]
    assert isinstance(bad, Invalid)
    assert await count(store) == (1, 1)


async def test_repeats_in_one_batch_and_across_batches_count_once(
    store: ClickHouseEventStore, ingestor: Ingestor
) -> None:
    assert await ingestor.submit([event("1"), event("2"), event("1", type="other")]) == [True, True, False]
    assert await ingestor.submit([event("3"), event("2")]) == [True, False]
    assert await ingestor.submit([]) == []

    assert await count(store) == (3, 3)
    assert list((await store.query("SELECT type FROM events WHERE id = '1'")).rows) == [("call",)]


async def test_identity_is_organisation_source_and_id(
    store: ClickHouseEventStore, ingestor: Ingestor
) -> None:
    different = [
        event("bc", source="a"),
        event("c", source="ab"),
        event("", source="abc"),
        event("bc", source="a", organisation=OTHER),
        event("1:c", source="a"),
    ]

    assert await ingestor.submit(different) == [True] * 5
    assert await ingestor.submit(different) == [False] * 5


async def test_concurrent_requests_share_blocks_and_count_once(
    store: ClickHouseEventStore, ingestor: Ingestor
) -> None:
    answers = await asyncio.gather(*[ingestor.submit([event(str(n % 50))]) for n in range(400)])

    assert sum(is_new for [is_new] in answers) == 50
    assert ingestor.counts.blocks < 40
    assert (ingestor.counts.stored, ingestor.counts.duplicates) == (50, 350)
    assert await count(store) == (50, 50)


async def test_large_and_small_requests_share_a_block_in_their_order(
    store: ClickHouseEventStore, ingestor: Ingestor
) -> None:
    sizes = [1, 2, LARGE_ROWS, LARGE_ROWS + 1, 1, LARGE_ROWS - 1, LARGE_ROWS, 1]
    events = [
        [event(f"{caller}-{n}", data=f'{{"caller": {caller}, "n": {n}}}') for n in range(size)]
        for caller, size in enumerate(sizes)
    ]

    answers = await asyncio.gather(*(ingestor.submit(some) for some in events))

    assert answers == [[True] * size for size in sizes]
    assert ingestor.counts.blocks == 1
    stored = await store.query("SELECT id, data, uid FROM events ORDER BY seq")
    assert [(id, data, uid) for id, data, uid in stored.rows] == [
        (one.id, one.data, one.uid) for some in events for one in some
    ]


async def test_repeats_between_large_and_small_requests_count_once(
    store: ClickHouseEventStore, ingestor: Ingestor
) -> None:
    large = [event(str(n)) for n in range(LARGE_ROWS)]

    first, second, third = await asyncio.gather(
        ingestor.submit(large[5:6]), ingestor.submit(large), ingestor.submit(large[7:8])
    )

    assert (first, third) == ([True], [False])
    assert second == [n != 5 for n in range(LARGE_ROWS)]
    assert await ingestor.submit(large) == [False] * LARGE_ROWS
    assert await count(store) == (LARGE_ROWS, LARGE_ROWS)


async def test_callers_who_come_back_together_share_blocks(
    store: ClickHouseEventStore, ingestor: Ingestor
) -> None:
    async def send(worker: int) -> None:
        for number in range(10):
            await ingestor.submit([event(f"{worker}-{number}")])

    await asyncio.gather(*[send(worker) for worker in range(30)])

    assert ingestor.counts.stored == 300
    assert ingestor.counts.blocks <= 20


async def test_a_block_goes_when_the_last_expected_caller_has_come(
    store: ClickHouseEventStore, ingestor: Ingestor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meterhouse.usage.ingest.LINGER_STEP_S", 60.0)
    monkeypatch.setattr(ingestor, "_limits", IngestLimits(linger_s=60.0))

    async def come_twice(caller: int) -> None:
        for turn in range(2):
            await asyncio.sleep(0.01 * caller * turn)
            await ingestor.submit([event(f"{caller}-{turn}")])

    async with asyncio.timeout(20):
        await asyncio.gather(*(come_twice(caller) for caller in range(3)))
    assert await count(store) == (6, 6)
    assert ingestor.counts.blocks == 2


batches = st.lists(st.lists(st.integers(0, 25), max_size=8), max_size=14)


@given(batches=batches, restart_after=st.integers(0, 14), lock=st.booleans())
@settings(
    max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_interleaving_stores_each_identity_once_and_reports_it_once(
    any_interleaving: object, batches: list[list[int]], restart_after: int, lock: bool
) -> None:
    assert callable(any_interleaving)
    any_interleaving(batches, restart_after, lock)


@pytest.fixture
def any_interleaving(events_url: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """Send large and small batches at the same time, some before and some after a restart of the ingestor."""
    monkeypatch.setattr("meterhouse.usage.ingest.LARGE_ROWS", 4)

    async def send(batches: list[list[int]], restart_after: int, with_lock: bool) -> None:
        opened = opened_shared if with_lock else opened_alone
        reported: list[str] = []
        turns = asyncio.Lock()

        @asynccontextmanager
        async def lock() -> AsyncIterator[None]:
            async with turns:
                yield

        async def submit(ingestor: Ingestor, batch: list[int]) -> None:
            ids = [str(n) for n in batch]
            flags = await ingestor.submit([event(id) for id in ids])
            reported.extend(id for id, is_new in zip(ids, flags, strict=True) if is_new)

        async with opened(events_url) as store:
            await store.command("TRUNCATE TABLE events")
            for part in (batches[:restart_after], batches[restart_after:]):
                ingestor = Ingestor(store, SystemClock(), lock=lock if with_lock else None)
                await ingestor.start()
                await asyncio.gather(*[submit(ingestor, batch) for batch in part])
                await ingestor.stop()
            expected = sorted({str(n) for batch in batches for n in batch})
            stored = await store.query("SELECT id FROM events ORDER BY id")
        assert [row[0] for row in stored.rows] == expected
        assert sorted(reported) == expected

    def run(batches: list[list[int]], restart_after: int, with_lock: bool) -> None:
        asyncio.run(send(batches, restart_after, with_lock))

    return run


async def test_writers_of_two_processes_take_turns(events_url: str) -> None:
    """Two ingestors with stale filters of their own, one lock: as two servers on one ClickHouse."""
    turns = asyncio.Lock()

    @asynccontextmanager
    async def lock() -> AsyncIterator[None]:
        async with turns:
            yield

    async with opened_shared(events_url) as store, opened_shared(events_url) as other_store:
        ingestors = [Ingestor(one, SystemClock(), lock=lock) for one in (store, other_store)]
        for ingestor in ingestors:
            await ingestor.start()
        answers = await asyncio.gather(
            *[ingestors[n % 2].submit([event(str(n % 7)), event(str(n % 11))]) for n in range(60)]
        )
        for ingestor in ingestors:
            await ingestor.stop()

        assert sum(sum(flags) for flags in answers) == 11
        assert await count(store) == (11, 11)


async def test_a_failed_block_fails_all_its_callers_and_is_not_remembered(
    store: ClickHouseEventStore,
) -> None:
    failing = FailingStore(store)
    ingestor = Ingestor(failing, SystemClock())  # type: ignore[arg-type]
    await ingestor.start()
    failing.fails = "before"

    refused = await asyncio.gather(
        *[ingestor.submit([event(str(n))]) for n in range(20)], return_exceptions=True
    )

    assert all(isinstance(one, DependencyFailed) and one.retryable for one in refused)
    assert len({id(one) for one in refused}) == 20
    assert await count(store) == (0, 0)
    failing.fails = None
    assert await ingestor.submit([event("1")]) == [True]
    await ingestor.stop()


async def test_a_block_stored_in_spite_of_a_failure_counts_once(store: ClickHouseEventStore) -> None:
    failing = FailingStore(store)
    ingestor = Ingestor(failing, SystemClock())  # type: ignore[arg-type]
    await ingestor.start()
    failing.fails = "after"
    with pytest.raises(DependencyFailed):
        await ingestor.submit([event("1"), event("2")])
    failing.fails = None

    assert await ingestor.submit([event("2"), event("3")]) == [False, True]
    assert await count(store) == (3, 3)
    await ingestor.stop()


async def test_a_fault_of_ours_is_an_error_not_a_hang(
    store: ClickHouseEventStore, caplog: pytest.LogCaptureFixture
) -> None:
    failing = FailingStore(store)
    ingestor = Ingestor(failing, SystemClock())  # type: ignore[arg-type]
    await ingestor.start()
    failing.fails = "bug"

    with pytest.raises(InvariantBroken):
        await ingestor.submit([event("1")])

    assert "ZeroDivisionError" in caplog.text
    failing.fails = None
    assert await ingestor.submit([event("1")]) == [True]
    await ingestor.stop()


async def test_stop_stores_what_is_waiting_and_refuses_the_rest(store: ClickHouseEventStore) -> None:
    ingestor = Ingestor(store, SystemClock())
    await ingestor.start()
    waiting = [asyncio.create_task(ingestor.submit([event(str(n))])) for n in range(30)]
    await asyncio.sleep(0)

    await ingestor.stop()

    assert await asyncio.gather(*waiting) == [[True]] * 30
    assert await count(store) == (30, 30)
    with pytest.raises(DependencyFailed, match="shutting down"):
        await ingestor.submit([event("late")])


async def test_a_full_queue_makes_callers_wait(store: ClickHouseEventStore) -> None:
    limits = IngestLimits(block_rows_max=10, queued_rows_max=20)
    ingestor = Ingestor(store, SystemClock(), limits=limits)
    await ingestor.start()
    highest = 0

    async def send(n: int) -> Sequence[bool]:
        nonlocal highest
        flags = await ingestor.submit([event(f"{n}-{i}") for i in range(5)])
        highest = max(highest, ingestor.queued_rows)
        return flags

    answers = await asyncio.gather(*[send(n) for n in range(40)])

    assert answers == [[True] * 5] * 40
    assert highest <= 25
    assert ingestor.counts.blocks >= 20
    await ingestor.stop()


async def test_a_caller_who_leaves_does_not_disturb_the_others(
    store: ClickHouseEventStore, ingestor: Ingestor
) -> None:
    leaving = asyncio.create_task(ingestor.submit([event("leaving")]))
    staying = asyncio.create_task(ingestor.submit([event("staying")]))
    await asyncio.sleep(0)
    leaving.cancel()

    assert await staying == [True]
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_look_ups_go_through_the_key_projection(store: ClickHouseEventStore) -> None:
    await store.command(
        "INSERT INTO events (organisation_id, id, key, origin) "
        "SELECT {o:UUID}, toString(number), reinterpretAsUInt128(sipHash128(number)), 'user' "
        "FROM numbers(200000)",
        {"o": str(ORGANISATION)},
    )
    await store.command("OPTIMIZE TABLE events FINAL")
    some = (await store.query("SELECT key FROM events ORDER BY id LIMIT 20")).rows

    plan = await store.query(
        "EXPLAIN indexes = 1 SELECT key FROM events WHERE key IN {keys:Array(UInt128)}",
        {"keys": [row[0] for row in some]},
    )

    text = "\n".join(str(row[0]) for row in plan.rows)
    assert "ReadFromMergeTree (by_key)" in text
    assert "key in 20-element set" in text


async def test_listeners_hear_of_stored_rows_before_their_callers_do(
    store: ClickHouseEventStore, ingestor: Ingestor
) -> None:
    heard: list[str] = []
    first_done: asyncio.Future[list[bool]] | None = None

    def listen(rows: Sequence[EventRow], corrections: Sequence[Correction]) -> None:
        assert first_done is None or not first_done.done()
        assert not corrections
        heard.extend(row[6] for row in rows)

    def fail(rows: Sequence[EventRow], corrections: Sequence[Correction]) -> None:
        raise ZeroDivisionError

    ingestor.subscribe(fail)
    ingestor.subscribe(listen)
    first_done = asyncio.ensure_future(ingestor.submit([event("a"), event("b"), event("a")]))
    assert await first_done == [True, True, False]
    first_done = None
    assert await ingestor.submit([event("b")]) == [False]
    assert heard == ["a", "b"]


async def test_listeners_hear_of_rows_that_may_be_stored(store: ClickHouseEventStore) -> None:
    failing = FailingStore(store)
    ingestor = Ingestor(failing, SystemClock())  # type: ignore[arg-type]
    heard: list[str] = []
    ingestor.subscribe(lambda rows, corrections: heard.extend(row[6] for row in rows))
    await ingestor.start()
    failing.fails = "after"
    with pytest.raises(DependencyFailed):
        await ingestor.submit([event("a")])
    assert heard == ["a"]
    failing.fails = None
    await ingestor.stop()
