"""One event engine folder and one embedded PostgreSQL for the tier; a fresh, migrated database per module."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from meterhouse.platform.embedded import EmbeddedPostgres
from meterhouse.platform.migrate import migrate_postgres
from meterhouse.platform.postgres import PostgresDatabase


@pytest.fixture(scope="session")
def engine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one folder of the embedded event engine: a process can only ever open one at a time."""
    return tmp_path_factory.mktemp("events") / "engine"


@pytest.fixture(scope="session")
def postgres_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """The running engine of the tier."""
    engine = EmbeddedPostgres(Path(tmp_path_factory.mktemp("engine")) / "postgres")
    engine.url = engine.start()  # type: ignore[attr-defined]
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_engine: EmbeddedPostgres) -> str:
    """A migrated database that others are copied from."""
    url = make_url(postgres_engine.url)  # type: ignore[attr-defined]
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute("CREATE DATABASE template_meterhouse")
    migrate_postgres(url.set(database="template_meterhouse").render_as_string(hide_password=False))
    return "template_meterhouse"


@pytest.fixture(scope="module")
def postgres_url(postgres_engine: EmbeddedPostgres, postgres_template: str) -> str:
    """The address of a migrated, empty database of this test module."""
    url = make_url(postgres_engine.url)  # type: ignore[attr-defined]
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")  # type: ignore[arg-type]
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="module")
async def database(postgres_url: str) -> AsyncIterator[PostgresDatabase]:
    """A pool on the module's database."""
    opened = PostgresDatabase(postgres_url)
    yield opened
    await opened.close()
