"""Due-scans: all of them run, one that fails harms no other, settling ends when nothing is due."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.errors import InvariantBroken
from meterhouse.platform import timers
from meterhouse.platform.timers import DueScans

NOW = datetime(2030, 1, 1, tzinfo=UTC)


async def _nothing() -> None:
    return None


async def test_settling_repeats_until_nothing_is_due():
    left = [3, 2, 0]
    drained: list[int] = []
    scans = DueScans(TestClock(NOW))

    async def scan(now: datetime) -> int:
        assert now == NOW
        return left.pop(0)

    async def drain() -> None:
        drained.append(1)

    scans.register("steps", scan)
    await scans.settle(drain)
    assert left == []
    assert len(drained) == 3


async def test_settling_waits_for_a_pass_under_way_and_for_what_it_found():
    """A row that another pass holds looks like no work; what that pass enqueues must still be done."""
    scans = DueScans(TestClock(NOW))
    queue: list[str] = []
    done: list[str] = []
    announced: list[str] = []
    held = asyncio.Event()
    release = asyncio.Event()
    due = ["schedule"]

    async def schedules(_: datetime) -> int:
        if not due:
            return 0
        due.clear()
        held.set()
        await release.wait()
        queue.append("job")
        return 1

    async def messages(_: datetime) -> int:
        found = len(announced)
        done.extend(announced)
        announced.clear()
        return found

    async def drain() -> None:
        announced.extend("message" for _ in queue)
        queue.clear()

    scans.register("messages", messages)
    scans.register("schedules", schedules)
    tick = asyncio.create_task(scans.run_once())
    await held.wait()
    settling = asyncio.create_task(scans.settle(drain))
    await asyncio.sleep(0)
    release.set()
    await settling
    assert await tick == 1
    assert done == ["message"]


async def test_a_failing_scan_does_not_keep_the_others_from_running():
    ran: list[str] = []
    scans = DueScans(TestClock(NOW))

    async def bad(_: datetime) -> int:
        raise OSError("no")

    async def good(_: datetime) -> int:
        ran.append("good")
        return 0

    scans.register("bad", bad)
    scans.register("good", good)
    assert await scans.run_once() == 0
    assert ran == ["good"]


async def test_a_scan_that_never_marks_its_work_is_a_fault(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(timers, "ROUNDS_MAX", 5)
    scans = DueScans(TestClock(NOW))

    async def forever(_: datetime) -> int:
        return 1

    scans.register("forever", forever)
    with pytest.raises(InvariantBroken):
        await scans.settle(_nothing)
