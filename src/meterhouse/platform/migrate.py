"""Brings the PostgreSQL schema up to date at start, under a lock: many processes may start at once."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from meterhouse.kernel.errors import DependencyFailed, Invalid

SCRIPTS = Path(__file__).parent.parent / "migrations" / "postgres"
# An arbitrary constant that only has to be the same in every process.
LOCK_ID = 7_316_420_001


def migrate_postgres(url: str) -> None:
    """Apply what is missing. Raises `Invalid` when the schema is newer than this program knows."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:id)"), {"id": LOCK_ID})
            connection.commit()
            _refuse_newer(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            connection.execute(text("SELECT pg_advisory_unlock(:id)"), {"id": LOCK_ID})
            connection.commit()
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0] if error.orig else "no answer"
        raise DependencyFailed(f"PostgreSQL cannot be used: {reason}", code="database_unavailable") from error
    finally:
        engine.dispose()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return config


def _refuse_newer(connection: Connection) -> None:
    found = connection.execute(text("SELECT to_regclass('alembic_version')")).scalar()
    if found is None:
        return
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    applied = {str(row[0]) for row in connection.execute(text("SELECT version_num FROM alembic_version"))}
    connection.commit()
    if unknown := applied - known:
        raise Invalid(
            f"The database is from a newer version of Meterhouse (schema {', '.join(sorted(unknown))}). "
            "Start that version again, or restore a backup."
        )
