"""Event store migrations: applied once and in order; strangers and altered files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from meterhouse.kernel.errors import DependencyFailed, InvariantBroken
from meterhouse.platform.clickhouse_migrate import Migration, is_migrated, load_migrations, migrate
from meterhouse.platform.events import ClickHouseEventStore

MORE = Migration("9998_more.sql", "CREATE TABLE IF NOT EXISTS more (n UInt8) ENGINE = MergeTree ORDER BY n")


async def test_each_file_is_applied_once(store: ClickHouseEventStore) -> None:
    assert await migrate(store) == []
    assert await migrate(store, [*load_migrations(), MORE]) == ["9998_more.sql"]
    assert await migrate(store, [*load_migrations(), MORE]) == []

    recorded = await store.query("SELECT name FROM schema_migrations ORDER BY name")
    assert [row[0] for row in recorded.rows] == [*(m.name for m in load_migrations()), MORE.name]


async def test_readiness_knows_whether_all_are_applied(store: ClickHouseEventStore) -> None:
    assert await is_migrated(store)
    await store.command("TRUNCATE TABLE schema_migrations")
    assert not await is_migrated(store)
    await store.command("DROP TABLE schema_migrations")
    assert not await is_migrated(store)


async def test_a_crash_before_recording_applies_the_file_again(store: ClickHouseEventStore) -> None:
    await store.command("TRUNCATE TABLE schema_migrations")

    assert await migrate(store) == [migration.name for migration in load_migrations()]


async def test_an_altered_file_is_refused(store: ClickHouseEventStore) -> None:
    first = load_migrations()[0]

    with pytest.raises(DependencyFailed, match="changed after") as caught:
        await migrate(store, [Migration(first.name, first.sql + " "), MORE])

    assert caught.value.code == "events_migration_altered"
    assert (await store.query("EXISTS TABLE more")).rows == [(0,)]


async def test_a_newer_store_is_refused(store: ClickHouseEventStore) -> None:
    await migrate(store, [*load_migrations(), MORE])

    with pytest.raises(DependencyFailed, match=r"newer version \(9998_more.sql is unknown\)"):
        await migrate(store)


def test_file_names_are_checked(tmp_path: Path) -> None:
    (tmp_path / "0001_one.sql").write_text("SELECT 1")
    (tmp_path / "0001_two.sql").write_text("SELECT 2")

    with pytest.raises(InvariantBroken, match="0001_two"):
        load_migrations(tmp_path)
