"""What the event store promises, in both forms."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from meterhouse.kernel.errors import DependencyFailed, InvariantBroken
from meterhouse.platform.events import ClickHouseEventStore, keep_returning_memory, open_event_store

ODD = "a\0b \\n \\ ' \" ` \t\r\n {x:String} %s %(x)s ${x} é 😀 \x7f \u2028 \ufeff"


async def test_query_returns_columns_and_typed_rows(store: ClickHouseEventStore) -> None:
    answer = await store.query(
        "SELECT {n:UInt64} AS n, {s:String} AS s, {f:Float64} AS f, {a:Array(String)} AS a, NULL AS nothing",
        {"n": 2**64 - 1, "s": ODD, "f": 0.1, "a": [ODD, ""]},
    )

    assert answer.columns == ("n", "s", "f", "a", "nothing")
    assert list(answer.rows) == [(2**64 - 1, ODD, 0.1, [ODD, ""], None)]


async def test_instants_keep_their_microseconds_in_any_zone(store: ClickHouseEventStore) -> None:
    instant = datetime(2024, 3, 31, 3, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))

    answer = await store.query(
        "SELECT {t:DateTime64(6, 'UTC')} AS t, {ts:Array(DateTime64(6, 'UTC'))} AS ts",
        {"t": instant, "ts": [instant]},
    )

    found, several = answer.rows[0]
    assert found == instant
    assert isinstance(found, datetime)
    assert found.utcoffset() == timedelta(0)
    assert several == [instant]


async def test_an_instant_without_zone_is_a_fault_of_ours(store: ClickHouseEventStore) -> None:
    with pytest.raises(InvariantBroken):
        await store.query("SELECT {t:DateTime64(6, 'UTC')}", {"t": datetime(2024, 1, 1)})


async def test_a_parameter_without_placeholder_never_reaches_the_text(store: ClickHouseEventStore) -> None:
    with pytest.raises(InvariantBroken, match="placeholder"):
        await store.query("SELECT '%(x)s'", {"x": "' OR 1"})


async def test_blocks_of_columns_come_back_byte_for_byte(store: ClickHouseEventStore) -> None:
    await store.command("CREATE TABLE t (n UInt128, s String) ENGINE = MergeTree ORDER BY n")
    keys = [bytes(range(16)), b"\xff" * 16]
    block = pa.RecordBatch.from_arrays(
        [pa.array(keys, pa.binary(16)), pa.array([ODD, ""], pa.string())], names=["n", "s"]
    )

    await store.insert_arrow("t", block)

    table = await store.query_arrow("SELECT n, s FROM t ORDER BY n")
    assert table.column("n").to_pylist() == keys
    assert table.column("s").to_pylist() == [ODD, ""]
    rows = (await store.query("SELECT n, s FROM t ORDER BY n")).rows
    assert list(rows) == [(int.from_bytes(keys[0], "little"), ODD), (2**128 - 1, "")]


async def test_an_empty_answer_keeps_its_columns(store: ClickHouseEventStore) -> None:
    assert (await store.query("SELECT 1 AS one WHERE 0")).rows == []
    assert (await store.query_arrow("SELECT 1 AS one WHERE 0")).num_rows == 0


async def test_a_thousand_keys_fit_in_one_parameter(store: ClickHouseEventStore) -> None:
    keys = [2**128 - 1 - n for n in range(2000)]

    answer = await store.query("SELECT length({keys:Array(UInt128)}) AS n", {"keys": keys})

    assert list(answer.rows) == [(2000,)]


async def test_errors_are_one_sentence(store: ClickHouseEventStore) -> None:
    with pytest.raises(DependencyFailed) as caught:
        await store.query("SELECT * FROM missing_table")

    assert caught.value.code == "events_refused"
    assert "UNKNOWN_TABLE" in caught.value.message
    assert "\n" not in caught.value.message
    assert "Stack trace" not in str(caught.value.details)


async def test_the_store_works_on_after_an_error(store: ClickHouseEventStore) -> None:
    for _ in range(5):
        with pytest.raises(DependencyFailed):
            await store.query("SELEC nonsense")
    await store.ping()


async def test_a_slow_query_is_stopped(store: ClickHouseEventStore) -> None:
    started = time.monotonic()

    with pytest.raises(DependencyFailed) as caught:
        await store.query(
            "SELECT sleepEachRow(0.5) FROM numbers(30) SETTINGS max_block_size = 1", timeout_s=1
        )

    assert caught.value.code == "events_timeout"
    assert caught.value.retryable
    assert time.monotonic() - started < 8
    await store.ping()


async def test_queries_run_beside_each_other_and_leave_the_loop_free(store: ClickHouseEventStore) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    answers = await asyncio.gather(
        *[store.query("SELECT sleep(0.3), {n:UInt8} AS n", {"n": n}) for n in range(2)],
        store.query("SELECT sleep(0.3), 2 AS n"),
    )
    ticking.cancel()

    assert [answer.rows[0][1] for answer in answers] == [0, 1, 2]
    assert ticks > 10


async def test_settle_returns_at_once_when_nothing_is_running(store: ClickHouseEventStore) -> None:
    await asyncio.wait_for(store.settle(), 5)


async def test_a_closed_store_says_so(events_url: str) -> None:
    store = await open_event_store(events_url, readers=1)
    await store.close()
    await store.close()

    with pytest.raises(DependencyFailed, match="closed"):
        await store.ping()


async def test_data_is_there_after_reopening(events_url: str) -> None:
    store = await open_event_store(events_url, readers=1)
    await store.command("CREATE TABLE t (n UInt8) ENGINE = MergeTree ORDER BY n")
    await store.command("INSERT INTO t SELECT {n:UInt8}", {"n": 7})
    await store.close()

    again = await open_event_store(events_url, readers=1)
    assert list((await again.query("SELECT n FROM t")).rows) == [(7,)]
    await again.close()


async def test_instants_outside_of_tests_zone(store: ClickHouseEventStore) -> None:
    answer = await store.query("SELECT toDateTime64('1900-01-01 00:00:00', 6, 'UTC') AS t")

    assert answer.rows[0][0] == datetime(1900, 1, 1, tzinfo=UTC)


async def test_unused_memory_is_returned_until_the_engine_cannot(
    events_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meterhouse.platform.events.MEMORY_PAUSE_S", 0.0)
    store = await open_event_store(events_url, readers=1)
    run, seen = store.command, asyncio.Semaphore(0)

    async def command(sql: str) -> None:
        await run(sql)
        seen.release()

    monkeypatch.setattr(store, "command", command)
    keeping = asyncio.create_task(keep_returning_memory(store))
    async with asyncio.timeout(20):
        if store.is_embedded:
            for _ in range(3):
                await seen.acquire()
        await store.close()
        await keeping
