"""PostgreSQL: one pool, one transaction per unit of work, and notifications between processes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator

import psycopg
import structlog
from sqlalchemy import event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from meterhouse.kernel.errors import DependencyFailed, Invalid

log = structlog.get_logger(__name__)

STATEMENT_TIMEOUT_MS = 30_000
RECONNECT_S = 0.5
# A connection that was used so short a time ago is taken for alive.
PING_AFTER_S = 1.0
_USED_AT = "used_at"


def _unreachable(error: Exception) -> DependencyFailed:
    if isinstance(getattr(error, "orig", None), psycopg.errors.DiskFull):
        log.error("postgres.disk_full")
        return DependencyFailed(
            "The disk of the database is full, so nothing was stored. Free some space and try again.",
            code="database_disk_full",
            retryable=True,
        )
    log.warning("postgres.unreachable", error=type(error).__name__)
    return DependencyFailed(
        "The database does not answer right now. Nothing was stored; try again in a moment.",
        code="database_unavailable",
        retryable=True,
    )


def _ping_after_rest(engine: AsyncEngine) -> None:
    """Ask a pooled connection whether it still lives, unless it did a moment ago.

    Asking each time, as the pool would do by itself, costs every small transaction a fifth of its time.
    """
    pool, dialect = engine.sync_engine.pool, engine.dialect

    @event.listens_for(pool, "checkin")
    def rested(_: object, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    @event.listens_for(pool, "checkout")
    def ping(connection: DBAPIConnection, record: ConnectionPoolEntry, _: object) -> None:
        if time.monotonic() - record.info.get(_USED_AT, 0.0) < PING_AFTER_S:
            return
        try:
            dialect.do_ping(connection)
        except Exception as error:
            raise DisconnectionError("the connection was lost while nobody used it") from error


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Raise what it means when the server cannot be used."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise _unreachable(error) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _unreachable(error) from error
        raise


def normalise_url(url: str) -> str:
    """Turn `postgresql://…` into a plain libpq address. Raises `Invalid` for any other kind of address."""
    try:
        parsed = make_url(url)
    except Exception as error:
        raise Invalid("METERHOUSE_DATABASE_URL is not an address of the form postgresql://…") from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise Invalid(
            "METERHOUSE_DATABASE_URL must begin with postgresql://; no other database is supported."
        )
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)


class PostgresDatabase:
    """`ports.Database` on SQLAlchemy Core and psycopg."""

    def __init__(self, url: str, *, pool_size: int = 16) -> None:
        self.url = normalise_url(url)
        self.engine: AsyncEngine = create_async_engine(
            make_url(self.url).set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            connect_args={"options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"},
        )
        _ping_after_rest(self.engine)
        self._reads = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextlib.asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """One transaction. Raises `DependencyFailed` when the server is gone; nothing is then stored."""
        with _explained():
            async with self.engine.begin() as connection:
                yield connection

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """See `ports.Database`. Raises `DependencyFailed` when the server is gone."""
        with _explained():
            async with self._reads.connect() as connection:
                yield connection

    async def ping(self) -> None:
        """Raise `DependencyFailed` unless the server answers."""
        async with self.read() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


async def listen(
    url: str,
    channel: str,
    *,
    on_message: Callable[[], None],
    on_up: Callable[[], None],
    on_down: Callable[[], None],
    hold: int | None = None,
) -> None:
    """Call `on_message` for each notification on `channel`, for ever.

    Between `on_down` and the next `on_up` notifications may be missed; it begins in that state. Meanwhile
    the advisory lock `hold` is held, which the server lets go of when this process is gone.
    """
    while True:
        try:
            connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
            async with connection:
                await connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
                if hold is not None:
                    await connection.execute("SELECT pg_advisory_lock(%s)", [hold])
                on_up()
                async for _ in connection.notifies():
                    on_message()
        except psycopg.Error:
            log.warning("postgres.listen_lost", channel=channel)
        finally:
            on_down()
        await asyncio.sleep(RECONNECT_S)


@contextlib.asynccontextmanager
async def advisory_lock(database: PostgresDatabase, name: str) -> AsyncIterator[None]:
    """Hold the lock `name` among all processes of this database while the block runs."""
    async with database.begin() as connection:
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": name}
        )
        yield
