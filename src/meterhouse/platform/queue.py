"""The background queue on PostgreSQL: enqueued in the transaction, run at least once, retries bounded."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence

import procrastinate
import structlog
from procrastinate import exceptions as queue_errors
from procrastinate.jobs import Job as Task
from procrastinate.worker import Worker
from sqlalchemy.ext.asyncio import AsyncConnection

log = structlog.get_logger(__name__)

Handler = Callable[..., Awaitable[None]]

ATTEMPTS_MAX = 5
HEARTBEAT_S = 10.0
STALLED_S = 30.0
# How long after its end another worker begins, and how often tasks are looked for that nobody has in hand.
RESTART_S = 0.5
LOOK_S = 1.0
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
        self._worker: Worker | None = None
        self._worker_ids: set[int] = set()
        self._in_hand: set[int | None] = set()

    def register(self, name: str, handler: Handler) -> None:
        """Make `name` known to both sides. The handler receives the enqueued arguments as keywords."""

        async def handle(context: procrastinate.JobContext, /, **arguments: object) -> None:
            self._in_hand.add(context.job.id)
            try:
                await handler(**arguments)
            finally:
                self._in_hand.discard(context.job.id)

        retry = procrastinate.RetryStrategy(max_attempts=ATTEMPTS_MAX, exponential_wait=2)
        self.app.task(name=name, retry=retry, pass_context=True)(handle)

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
        """Run a worker while the block runs; leaving it finishes what is in hand, within the time-out.

        A worker ends when the database fails it; another one then begins, and takes up what was left.
        """
        closing = asyncio.Event()
        keeping = asyncio.create_task(
            self._keep_working(closing, concurrency, drain_timeout_s), name="queue-worker"
        )
        looking = asyncio.create_task(self._keep_looking(), name="queue-rescue")
        try:
            yield
        finally:
            looking.cancel()
            closing.set()
            if self._worker is not None:
                self._worker.stop()  # type: ignore[no-untyped-call]
            await asyncio.gather(keeping, looking, return_exceptions=True)

    async def _keep_working(self, closing: asyncio.Event, concurrency: int, drain_timeout_s: float) -> None:
        while not closing.is_set():
            self._worker = Worker(
                self.app,
                concurrency=concurrency,
                install_signal_handlers=False,
                delete_jobs="successful",
                fetch_job_polling_interval=1.0,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_S,
                shutdown_graceful_timeout=drain_timeout_s,
            )
            try:
                await self._worker.run()  # type: ignore[no-untyped-call]
            except Exception as error:  # whatever it was, without a worker nothing would run any more
                log.warning("queue.worker_ended", error=f"{type(error).__name__}: {error}"[:300])
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(closing.wait(), RESTART_S)

    async def _keep_looking(self) -> None:
        """Rescue what workers elsewhere left, and what ours began or ended without being able to say so."""
        suspects: frozenset[int] = frozenset()
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                suspects = await self._look(suspects)
            except Exception as error:  # the database may be away; the next look tries again
                log.info("queue.look_failed", error=type(error).__name__)

    async def _look(self, suspects: frozenset[int]) -> frozenset[int]:
        """Give back the suspects that still nobody has in hand; returns the new ones.

        Twice, because between taking a task and beginning it, and between its end and its mark, it is in
        nobody's hand for a moment.
        """
        manager = self.app.job_manager
        current = self._worker.worker_id if self._worker is not None else None
        self._worker_ids |= {current} if current is not None else set()
        found = [*await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S)]
        for worker_id in [*self._worker_ids]:
            left = [*await manager.list_jobs_async(status="doing", worker_id=worker_id)]
            found += left
            if not left and worker_id != current:
                self._worker_ids.discard(worker_id)
        lost = {task.id: task for task in found if task.id is not None and task.id not in self._in_hand}
        await self._give_back([task for task_id, task in lost.items() if task_id in suspects])
        return frozenset(lost) - suspects

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
        return await self._give_back(lost)

    async def _give_back(self, lost: Iterable[Task]) -> int:
        count = 0
        for task in lost:
            with contextlib.suppress(queue_errors.ConnectorException):
                await self.app.job_manager.retry_job(task)
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
