"""Migrations of the event store: numbered files of one idempotent statement each.

A file is applied and then recorded. A crash between the two applies it once more, which is why every
statement is idempotent (`IF NOT EXISTS`). With several processes the caller holds a lock around
`migrate`; the embedded engine belongs to one process anyway.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from meterhouse.kernel.errors import DependencyFailed, InvariantBroken
from meterhouse.platform.ports import EventStore

MIGRATION_TIMEOUT_S = 600.0

_NAME = re.compile(r"\A(\d{4})_[a-z0-9_]+\.sql\Z")

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations
(
    name String,
    checksum String,
    applied_at DateTime64(6, 'UTC') DEFAULT now64(6)
)
ENGINE = MergeTree
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""


@dataclass(frozen=True)
class Migration:
    """One file: `name` orders it, `checksum` says whether it is still the file that was applied."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations(folder: Traversable | None = None) -> list[Migration]:
    """Read the numbered files in order. Raises `InvariantBroken` for a wrong name or a repeated number."""
    folder = folder or resources.files("meterhouse") / "migrations" / "clickhouse"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda e: e.name)
    numbers: set[str] = set()
    for entry in files:
        match = _NAME.match(entry.name)
        if match is None or match.group(1) in numbers:
            raise InvariantBroken(f"The event store migration {entry.name} is misnamed or repeats a number.")
        numbers.add(match.group(1))
    return [Migration(entry.name, entry.read_text(encoding="utf-8")) for entry in files]


async def migrate(store: EventStore, migrations: Sequence[Migration] | None = None) -> list[str]:
    """Bring the event store up to date; return the names of the files applied now.

    Raises `DependencyFailed` when an applied file was altered since, or when the store was migrated by a
    newer version of the program; nothing is applied then.
    """
    known = load_migrations() if migrations is None else list(migrations)
    await store.command(_LEDGER)
    applied = await _applied(store)
    _check(known, applied)
    done = []
    for migration in known:
        if migration.name in applied:
            continue
        await store.command(migration.sql, timeout_s=MIGRATION_TIMEOUT_S)
        await store.command(
            "INSERT INTO schema_migrations (name, checksum) SELECT {name:String}, {checksum:String}",
            {"name": migration.name, "checksum": migration.checksum},
        )
        done.append(migration.name)
    return done


async def is_migrated(store: EventStore) -> bool:
    """Whether every migration of this version is applied; for readiness checks, changes nothing."""
    found = await store.query(
        "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'schema_migrations'"
    )
    if found.rows[0][0] == 0:
        return False
    applied = await _applied(store)
    return all(applied.get(migration.name) == migration.checksum for migration in load_migrations())


async def _applied(store: EventStore) -> dict[str, str]:
    rows = (await store.query("SELECT name, checksum FROM schema_migrations ORDER BY name")).rows
    return {str(name): str(checksum) for name, checksum in rows}


def _check(known: Sequence[Migration], applied: Mapping[str, str]) -> None:
    """Refuse a store that this program does not know in full, before anything is touched."""
    by_name = {migration.name: migration for migration in known}
    for name, checksum in applied.items():
        migration = by_name.get(name)
        if migration is None:
            raise DependencyFailed(
                f"The event store was migrated by a newer version ({name} is unknown); upgrade Meterhouse.",
                code="events_newer",
            )
        if migration.checksum != checksum:
            raise DependencyFailed(
                f"The migration {name} was changed after it had been applied; restore the original file.",
                code="events_migration_altered",
            )
