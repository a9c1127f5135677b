"""The runner: takes waiting jobs in hand, runs many side by side, and writes what came of them in groups.

The table of jobs is the queue. A job in hand names its runner, and a runner holds a lock on its name as long
as its process lives (`presence`): whoever can take that lock knows that its jobs are free again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import func, select, text, update

from meterhouse.extraction.service import Sources
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import MeterhouseError
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring import run
from meterhouse.monitoring.claim import Room, claim, may_begin
from meterhouse.monitoring.finish import Finished, finish
from meterhouse.monitoring.model import JobStatus, UsageSink
from meterhouse.monitoring.pace import IDLE_S, Pace
from meterhouse.monitoring.run import Begun, Outcome
from meterhouse.monitoring.signals import JobSignals
from meterhouse.monitoring.tables import jobs
from meterhouse.monitoring.usage import send_usage
from meterhouse.platform.ports import Database

log = structlog.get_logger(__name__)

CONCURRENCY = 32
PER_HOST = 8
# Jobs are taken before hands are free, and outcomes written some at a time: one by one would cost a
# transaction each.
TAKEN_AHEAD = 8
WRITTEN_WITH_MIN = 4
GATHER_S = 0.01
GATHER_USAGE_S = 0.1
SEND_REST_S = 5.0
FINISHED_AT_ONCE_MAX = 64
POLL_S = 1.0
CHECK_S = 1.0
DRAIN_POLL_S = 0.01


def presence_of(runner_id: UUID) -> int:
    """The key of the lock that says that a runner lives."""
    return int.from_bytes(runner_id.bytes[8:], signed=True)


@dataclass
class _Hand:
    """A job in hand: not started, under way, or with an outcome to be written."""

    begun: Begun
    task: asyncio.Task[None] | None = None
    outcome: Outcome | None = None


@dataclass
class JobRunner:
    """Runs jobs while `running`; `wake` tells it that there may be new ones, here or in another process."""

    database: Database
    sources: Sources
    usage: UsageSink
    clock: Clock
    signals: JobSignals
    concurrency: int = CONCURRENCY
    per_host: int = PER_HOST
    id: UUID = field(default_factory=new_id)
    _pace: Pace = field(init=False)
    _hands: dict[UUID, _Hand] = field(default_factory=dict)
    _next: deque[_Hand] = field(default_factory=deque)
    _under_way: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _is_more: bool = True
    _is_held: bool = False
    _is_closing: bool = False
    _checked_at: float = 0.0
    _unsent: dict[UUID, Mapping[str, Any]] = field(default_factory=dict)
    _has_unsent: asyncio.Event = field(default_factory=asyncio.Event)
    _is_urgent: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._pace = Pace(self.concurrency)

    @property
    def presence(self) -> int:
        return presence_of(self.id)

    @property
    def unsent(self) -> frozenset[UUID]:
        """Jobs whose usage is being sent right now; nobody else need send it."""
        return frozenset(self._unsent)

    def wake(self) -> None:
        """Look for jobs now."""
        self._is_more = True
        self._wake.set()

    @contextlib.asynccontextmanager
    async def running(self, *, drain_timeout_s: float = 20.0) -> AsyncIterator[None]:
        """Run jobs while the block runs; leaving it finishes what is in hand, within the time-out."""
        self._is_closing = False
        loop = asyncio.create_task(self._run(), name="job-runner")
        beside = [
            asyncio.create_task(self._send(), name="job-usage"),
            asyncio.create_task(self._keep_pace(), name="job-pace"),
        ]
        try:
            yield
        finally:
            self._is_closing = True
            unstarted = [hand.begun.job_id for hand in self._hands.values() if hand.task is None]
            for job_id in unstarted:
                del self._hands[job_id]
            self._next.clear()
            self._wake.set()
            _, pending = await asyncio.wait([loop], timeout=drain_timeout_s)
            await self._send_rest()
            for task in (*pending, *beside, *(hand.task for hand in self._hands.values())):
                if task is not None:
                    task.cancel()
            await asyncio.gather(loop, *beside, return_exceptions=True)
            await self._release([*unstarted, *self._hands])

    async def drain(self, *, timeout_s: float = 300.0) -> None:
        """Return when no job that may run now is waiting or running. Raises `TimeoutError`."""
        self._is_urgent.set()
        try:
            async with asyncio.timeout(timeout_s):
                while self._hands or self._unsent or await self._is_any_left():
                    self.wake()
                    await asyncio.sleep(DRAIN_POLL_S)
        finally:
            self._is_urgent.clear()

    async def _is_any_left(self) -> bool:
        running = select(jobs.c.id).where(jobs.c.status == JobStatus.RUNNING).exists()
        waiting = select(jobs.c.id).where(may_begin(self.clock.now())).exists()
        async with self.database.begin() as connection:
            return bool(await connection.scalar(select(running | waiting)))

    async def _run(self) -> None:
        while not (self._is_closing and not self._hands):
            self._wake.clear()
            try:
                await self._turn()
            except MeterhouseError as error:
                log.warning("jobs.turn_failed", error=error.message)
                await asyncio.sleep(POLL_S)
            except Exception as error:
                log.exception("jobs.turn_fault", error=type(error).__name__)
                await asyncio.sleep(POLL_S)
            if self._may_claim and self._is_more:
                continue
            try:
                await asyncio.wait_for(self._wake.wait(), POLL_S)
            except TimeoutError:
                self._is_more = True
            if 0 < self._ended < WRITTEN_WITH_MIN and self._under_way:
                await asyncio.sleep(GATHER_S)

    @property
    def _ended(self) -> int:
        return sum(hand.outcome is not None for hand in self._hands.values())

    @property
    def _may_claim(self) -> bool:
        return not self._is_closing and 2 * len(self._next) <= TAKEN_AHEAD

    async def _turn(self) -> None:
        """Look after what is in hand, write what has ended, take more."""
        now = asyncio.get_running_loop().time()
        if now - self._checked_at >= CHECK_S:
            self._checked_at = now
            await self._check()
        await self._finish()
        if self._may_claim and self._is_more:
            await self._claim()

    async def _claim(self) -> None:
        in_hand = Counter(hand.begun.host for hand in self._hands.values() if hand.outcome is None)
        wanted = self._pace.hands + TAKEN_AHEAD - in_hand.total()
        if wanted <= 0:
            return
        room = Room(wanted, self.per_host, in_hand)
        now = self.clock.now()
        async with self.database.begin() as connection:
            # A claim that a crash forgets leaves the job waiting: no need to see it on disk.
            await connection.execute(text("SET LOCAL synchronous_commit TO off"))
            claimed = await claim(connection, runner_id=self.id, room=room, now=now)
            given_up = {
                job_id: Outcome(
                    error=f"The job was begun {times} times and interrupted each time; it is given up.",
                    error_code="interrupted",
                )
                for job_id, times in (claimed.given_up or {}).items()
            }
            finished = await finish(connection, given_up, now=now) if given_up else Finished()
        self._is_more, self._is_held = claimed.is_more, claimed.is_held
        self._tell(finished)
        for begun in claimed.begun:
            self._hands[begun.job_id] = hand = _Hand(begun)
            self._next.append(hand)
        self._start()

    def _start(self) -> None:
        """Start what was taken, as far as the pace allows."""
        while self._next and self._under_way < self._pace.hands:
            hand = self._next.popleft()
            if hand.begun.job_id in self._hands:
                self._under_way += 1
                hand.task = asyncio.create_task(self._work(hand))

    async def _work(self, hand: _Hand) -> None:
        try:
            hand.outcome = await run.perform(self.sources, hand.begun, now=self.clock.now())
        finally:
            self._under_way -= 1
            self._is_more |= self._is_held
            self._start()
            self._wake.set()

    async def _finish(self) -> None:
        """Write outcomes, of each target one; those that cannot be written with others are written alone."""
        while group := self._ended_group():
            outcomes = {hand.begun.job_id: outcome for hand in group if (outcome := hand.outcome) is not None}
            try:
                await self._write(outcomes)
            except MeterhouseError:
                raise
            except Exception as error:
                log.warning("jobs.group_failed", jobs=len(outcomes), error=type(error).__name__)
                for job_id, outcome in outcomes.items():
                    await self._write_alone(job_id, outcome)

    def _ended_group(self) -> list[_Hand]:
        group: dict[object, _Hand] = {}
        for hand in self._hands.values():
            begun = hand.begun
            if hand.outcome is not None and len(group) < FINISHED_AT_ONCE_MAX:
                group.setdefault((begun.strategy.id, begun.target), hand)
        return list(group.values())

    async def _write(self, outcomes: Mapping[UUID, Outcome]) -> None:
        async with self.database.begin() as connection:
            finished = await finish(connection, outcomes, now=self.clock.now(), runner_id=self.id)
        for job_id in outcomes:
            self._hands.pop(job_id, None)
        self._tell(finished)

    async def _write_alone(self, job_id: UUID, outcome: Outcome) -> None:
        try:
            await self._write({job_id: outcome})
        except MeterhouseError:
            raise
        except Exception as error:
            log.exception("job.fault", job_id=str(job_id), error=type(error).__name__)
            fault = Outcome(
                error="What the job found could not be stored because of a fault in this server. "
                f"Its log has the details under job {job_id}.",
                error_code="internal_error",
            )
            await self._write({job_id: fault})

    def _tell(self, finished: Finished) -> None:
        for job_id in finished.ended:
            self.signals.ended(job_id)
        if finished.usage:
            self._unsent.update({row["job_id"]: row for row in finished.usage})
            self._has_unsent.set()

    async def _send(self) -> None:
        """Send usage as it comes, many events at a time. What fails is left to the scan."""
        while True:
            await self._has_unsent.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_urgent.wait(), GATHER_USAGE_S)
            self._has_unsent.clear()
            rows = list(self._unsent.values())
            try:
                await send_usage(self.database, self.usage, self.clock, rows)
            except MeterhouseError as error:
                log.warning("job.usage_delayed", jobs=len(rows), error=error.message)
            except Exception as error:
                log.exception("job.usage_fault", jobs=len(rows), error=type(error).__name__)
            finally:
                for row in rows:
                    self._unsent.pop(row["job_id"], None)

    async def _send_rest(self) -> None:
        """Give usage that is written but not sent a moment; what is left is sent after the next start."""
        self._is_urgent.set()
        give_up_at = asyncio.get_running_loop().time() + SEND_REST_S
        while self._unsent and asyncio.get_running_loop().time() < give_up_at:
            await asyncio.sleep(DRAIN_POLL_S)
        self._is_urgent.clear()

    async def _keep_pace(self) -> None:
        while True:
            if not self._hands:
                await asyncio.sleep(IDLE_S)
            self._pace.observe(await self._pace.measure(), busy=self._under_way)
            self._start()

    async def _check(self) -> None:
        """Drop jobs that were cancelled or deleted, and free those that nobody runs any more."""
        async with self.database.begin() as connection:
            held = set(
                await connection.scalars(
                    select(jobs.c.id).where(jobs.c.status == JobStatus.RUNNING, jobs.c.runner_id == self.id)
                )
            )
            lost = held - set(self._hands)
            others = await connection.scalars(
                select(jobs.c.runner_id)
                .where(jobs.c.status == JobStatus.RUNNING, jobs.c.runner_id != self.id)
                .distinct()
            )
            dead = [
                other
                for other in list(others)
                if await connection.scalar(select(func.pg_try_advisory_xact_lock(presence_of(other))))
            ]
            if dead or lost:
                freed = await connection.execute(
                    update(jobs)
                    .where(
                        jobs.c.status == JobStatus.RUNNING,
                        jobs.c.runner_id.in_(dead) | jobs.c.id.in_(lost),
                    )
                    .values(status=JobStatus.PENDING, runner_id=None)
                )
                log.warning("jobs.freed", jobs=freed.rowcount)
                self._is_more = True
        for job_id in set(self._hands) - held:
            hand = self._hands.pop(job_id)
            if hand.task is not None:
                hand.task.cancel()

    async def _release(self, left: Sequence[UUID]) -> None:
        """Give back what was in hand, as if it had not been begun."""
        self._hands.clear()
        if not left:
            return
        with contextlib.suppress(MeterhouseError):
            async with self.database.begin() as connection:
                await connection.execute(
                    update(jobs)
                    .where(
                        jobs.c.id.in_(left), jobs.c.runner_id == self.id, jobs.c.status == JobStatus.RUNNING
                    )
                    .values(status=JobStatus.PENDING, runner_id=None, attempts=jobs.c.attempts - 1)
                )
