"""The background queue on PostgreSQL: enqueued in the transaction, run at least once, retries bounded."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import procrastinate
import structlog
from procrastinate import exceptions as queue_errors
from sqlalchemy.ext.asyncio import AsyncConnection

log = structlog.get_logger(__name__)

Handler = Callable[..., Awaitable[None]]

ATTEMPTS_MAX = 5
HEARTBEAT_S = 10.0
STALLED_S = 30.0
DRAIN_POLL_S = 0.02
_OPEN_STATES = ("todo", "doing")


class TaskQueue:
    """`ports.Queue` plus the worker's side.

    A task may run more than once (a worker can die after its work and before its mark), so handlers
    re-read their row under a lock and treat "already done" as success.
    """

    def __init__(self, url: str) -> None:
        self.app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=8)
        )

    def register(self, name: str, handler: Handler) -> None:
        """Make `name` known to both sides. The handler receives the enqueued arguments as keywords."""
        retry = procrastinate.RetryStrategy(max_attempts=ATTEMPTS_MAX, exponential_wait=2)
        self.app.task(name=name, retry=retry)(handler)

    async def enqueue(
        self, connection: AsyncConnection, task: str, *, key: str | None = None, **arguments: object
    ) -> None:
        raw = await connection.get_raw_connection()
        deferrer = self.app.configure_task(task, lock=key, connection=raw.driver_connection)
        await deferrer.defer_async(**arguments)  # type: ignore[arg-type]

    async def enqueue_many(
        self, connection: AsyncConnection, task: str, wanted: Sequence[tuple[str, Mapping[str, object]]]
    ) -> None:
        raw = await connection.get_raw_connection()
        jobs = [
            self.app.configure_task(task, lock=key).make_new_job(**arguments)  # type: ignore[arg-type]
            for key, arguments in wanted
        ]
        await self.app.job_manager.batch_defer_jobs_async(jobs, connection=raw.driver_connection)

    async def open(self) -> None:
        await self.app.open_async()

    async def close(self) -> None:
        await self.app.close_async()

    @contextlib.asynccontextmanager
    async def working(self, *, concurrency: int, drain_timeout_s: float = 20.0) -> AsyncIterator[None]:
        """Run a worker while the block runs; leaving it finishes what is in hand, within the time-out."""
        worker = asyncio.create_task(
            self.app.run_worker_async(
                concurrency=concurrency,
                install_signal_handlers=False,
                delete_jobs="successful",
                fetch_job_polling_interval=1.0,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_S,
                shutdown_graceful_timeout=drain_timeout_s,
            ),
            name="queue-worker",
        )
        try:
            yield
        finally:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker

    async def rescue(self, *, all_running: bool = False) -> int:
        """Give tasks of dead workers back to the queue; returns how many.

        `all_running` treats every running task as lost: right only where no other worker can exist,
        which is the start of a server that owns its data folder.
        """
        manager = self.app.job_manager
        if all_running:
            lost = await manager.list_jobs_async(status="doing")
        else:
            lost = await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S)
        count = 0
        for job in lost:
            with contextlib.suppress(queue_errors.ConnectorException):
                await manager.retry_job(job)
                count += 1
        if count:
            log.warning("queue.rescued", tasks=count)
        return count

    async def drain(self, *, timeout_s: float = 300.0) -> None:
        """Return when nothing that may run now is waiting or running. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout_s):
            while await self._open_count():
                await asyncio.sleep(DRAIN_POLL_S)

    async def _open_count(self) -> int:
        row = await self.app.connector.execute_query_one_async(
            "SELECT count(*) AS open FROM procrastinate_jobs WHERE status = 'doing'"
            " OR (status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now()))"
        )
        return int(row["open"])
