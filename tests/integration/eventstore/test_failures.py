"""What can be wrong with an engine, and the one sentence said about it."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from tests.integration.eventstore.conftest import post
from tests.integration.eventstore.events import count, event
from tests.integration.eventstore.http_engine import PASSWORD, USER, serve_engine

from meterhouse.kernel.clock import SystemClock
from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.clickhouse_migrate import migrate
from meterhouse.platform.events import open_event_store
from meterhouse.platform.events_engine import INSERT_MARK
from meterhouse.usage.ingest import Ingestor

OPEN = """
import asyncio, sys
from meterhouse.kernel.errors import MeterhouseError
from meterhouse.platform.clickhouse_migrate import migrate
from meterhouse.platform.events import open_event_store
from meterhouse.platform.journaled import open_journaled
from meterhouse.usage.ingest import find_stored

async def main() -> None:
    try:
        store = await open_event_store(sys.argv[1], readers=1)
        await migrate(store)
        store = await open_journaled(store, table="events", key="key", find_stored=find_stored)
        print((await store.query("SELECT count() FROM events")).rows[0][0], flush=True)
        if len(sys.argv) > 2:
            await asyncio.sleep(60)
        await store.close()
    except MeterhouseError as error:
        print(f"{error.code}: {error}")

asyncio.run(main())
"""

INGEST = """
import asyncio, sys
from meterhouse.kernel.clock import SystemClock
from meterhouse.platform.clickhouse_migrate import migrate
from meterhouse.platform.events import open_event_store
from meterhouse.platform.journaled import open_journaled
from meterhouse.usage.ingest import Ingestor, find_stored
from tests.integration.eventstore.events import event

async def main() -> None:
    store = await open_event_store(sys.argv[1], readers=1)
    await migrate(store)
    store = await open_journaled(store, table="events", key="key", find_stored=find_stored)
    ingestor = Ingestor(store, SystemClock())
    await ingestor.start()

    async def send(worker: int) -> None:
        for number in range(10_000):
            flags = await ingestor.submit([event(f"{sys.argv[2]}-{worker}-{number}-{i}") for i in range(3)])
            print(f"{worker} {number} {sum(flags)}", flush=True)

    await asyncio.gather(*[send(worker) for worker in range(8)])

asyncio.run(main())
"""


def run(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def opened(folder: Path) -> str:
    """Open the folder in another process; return what it says about it."""
    process = run(OPEN, f"chdb://{quote(str(folder))}")
    said, _ = process.communicate(timeout=60)
    return said.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a migrated store that was closed properly."""
    path = tmp_path / "événements 1"
    assert opened(path) == "0"
    return path


def test_a_folder_in_use_is_refused_until_its_owner_is_gone(folder: Path) -> None:
    owner = run(OPEN, f"chdb://{quote(str(folder))}", "stay")
    assert owner.stdout is not None
    owner.stdout.readline()

    assert opened(folder) == (
        f"events_locked: Another process is using the event store in {folder}; "
        "stop it first, or choose another data folder."
    )

    owner.kill()
    owner.wait()
    assert opened(folder) == "0"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    assert opened(tmp_path / "file").startswith(
        f"events_folder: Cannot create the event store in {tmp_path / 'file'}: "
    )
    assert opened(Path("/proc/meterhouse")).startswith("events_folder: ")


def test_damaged_metadata_is_refused(folder: Path) -> None:
    [table] = folder.glob("store/*/*/events.sql")
    table.write_text("garbage")

    assert opened(folder).startswith(f"events_damaged: Cannot open the event store in {folder}: ")


def test_a_copy_that_followed_links_is_refused_rather_than_empty(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")

    assert opened(tmp_path / "copy").startswith("events_damaged: ")


def test_a_moved_folder_and_a_faithful_copy_open(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy", symlinks=True)
    folder.rename(tmp_path / "moved")

    assert opened(tmp_path / "copy") == "0"
    assert opened(tmp_path / "moved") == "0"


def send_until(folder: Path, tag: str, acknowledgements: int) -> int:
    """Ingest in another process, kill it after so many acknowledgements; return how many were seen."""
    process = run(INGEST, f"chdb://{quote(str(folder))}", tag)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(acknowledgements)]
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().splitlines()
    process.wait()
    complete = [line for line in [*lines, *rest] if line.strip().endswith(" 3")]
    return len(complete)


async def test_a_kill_loses_nothing_acknowledged_and_repeats_count_once(folder: Path) -> None:
    acknowledged = send_until(folder, "first", 300)
    stored = int(opened(folder))
    assert stored >= acknowledged * 3 >= 900

    process = run(INGEST, f"chdb://{quote(str(folder))}", "first")
    assert process.stdout is not None
    flags = [int(process.stdout.readline().split()[2]) for _ in range(stored // 3)]
    process.kill()
    process.wait()

    assert flags.count(0) >= acknowledged - 8
    check = run(OPEN.replace("count()", "count() - uniqExact(id)"), f"chdb://{quote(str(folder))}")
    said, _ = check.communicate(timeout=60)
    assert said.strip() == "0"


def test_a_damaged_journal_is_refused_rather_than_cut(folder: Path) -> None:
    send_until(folder, "x", 20)
    journal = folder.with_name(f"{folder.name}.journal")
    content = bytearray(journal.read_bytes())
    content[100] ^= 1
    journal.write_bytes(content)

    why = "it is damaged at byte 0; restore it from a backup."
    assert opened(folder) == f"events_folder: Cannot open the journal {journal}: {why}"


def test_a_damaged_part_is_refused_rather_than_dropped(folder: Path) -> None:
    send_until(folder, "x", 20)
    assert int(opened(folder)) >= 60
    for part in folder.glob("store/*/*/all_*/data.packed"):
        part.write_bytes(part.read_bytes()[:100])

    assert opened(folder).startswith("events_damaged: ")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("clickhouse://user@127.0.0.1:1/db", "events_unreachable"),
        ("clickhouse://user@host.invalid:1/db", "events_unreachable"),
        ("chdb://relative/path", "events_url"),
        ("chdb:///tmp/x?database=a-b", "events_url"),
        ("postgresql://localhost/db", "events_url"),
        ("", "events_url"),
    ],
)
async def test_wrong_addresses(url: str, code: str) -> None:
    with pytest.raises(DependencyFailed) as caught:
        await open_event_store(url)

    assert caught.value.code == code
    assert "\n" not in caught.value.message


async def test_a_server_that_refuses_us(engine_server: str) -> None:
    with pytest.raises(DependencyFailed, match="refuses the user or password") as denied:
        await open_event_store(f"clickhouse://{USER}:wrong-secret@{engine_server}/default")
    assert "wrong-secret" not in str(denied.value)

    with pytest.raises(DependencyFailed, match="has no database nowhere"):
        await open_event_store(f"clickhouse://{USER}:{quote(PASSWORD, safe='')}@{engine_server}/nowhere")


async def test_a_server_that_dies_and_returns(tmp_path: Path) -> None:
    with serve_engine(tmp_path / "engine") as (address, process):
        store = await open_event_store(
            f"clickhouse://{USER}:{quote(PASSWORD, safe='')}@{address}/default", readers=1
        )
        await migrate(store)
        ingestor = Ingestor(store, SystemClock())
        await ingestor.start()
        await ingestor.submit([event("1")])
        process.kill()
        process.wait()

        with pytest.raises(DependencyFailed) as caught:
            await ingestor.submit([event("2")])
        assert caught.value.retryable

        with serve_engine(tmp_path / "engine", port=address.split(":")[1]):
            assert await ingestor.submit([event("1"), event("2")]) == [False, True]
            assert await count(store) == (2, 2)
            await ingestor.stop()
            await store.close()


async def test_settle_waits_for_a_block_whose_caller_is_gone(engine_server: str) -> None:
    post(engine_server, "CREATE DATABASE IF NOT EXISTS settle ENGINE = Atomic")
    store = await open_event_store(
        f"clickhouse://{USER}:{quote(PASSWORD, safe='')}@{engine_server}/settle", readers=1
    )
    await migrate(store)
    slow = Thread(
        target=post,
        args=(
            engine_server,
            "INSERT INTO events (id, origin) SELECT toString(sleepEachRow(1)), 'user' FROM numbers(2)",
            f"database=settle&log_comment={quote(INSERT_MARK)}",
        ),
    )
    slow.start()
    await asyncio.sleep(0.5)

    with pytest.raises(DependencyFailed, match="still being stored"):
        await store.settle(timeout_s=0.2)
    await store.settle()

    assert (await count(store))[0] == 2
    slow.join()
    await store.close()
