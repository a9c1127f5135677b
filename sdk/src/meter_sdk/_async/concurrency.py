"""What the asynchronous client needs of asyncio. The synchronous twin does the same with threads."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

sleep = asyncio.sleep
Task = asyncio.Task
Cancelled = asyncio.CancelledError


class Condition:
    """A condition that is also its lock. `wait` returns whether it was woken before the time was over."""

    def __init__(self) -> None:
        self._condition = asyncio.Condition()

    async def __aenter__(self) -> None:
        await self._condition.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._condition.release()

    async def wait(self, timeout_s: float | None = None) -> bool:
        try:
            await asyncio.wait_for(self._condition.wait(), timeout_s)
        except asyncio.TimeoutError:  # another class before Python 3.11
            return False
        return True

    def notify_all(self) -> None:
        self._condition.notify_all()


def spawn(work: Callable[[], Any], name: str) -> asyncio.Task[Any]:
    """Run `work` beside the caller until it returns."""
    task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work())
    task.set_name(name)
    return task


async def join(task: asyncio.Task[Any], timeout_s: float) -> None:
    """Wait for spawned work, at most that long."""
    await asyncio.wait([task], timeout=timeout_s)


async def told(callback: Callable[[Any], Any] | None, value: Any) -> None:
    """Tell a callback, plain or asynchronous."""
    if callback is not None:
        answer = callback(value)
        if inspect.isawaitable(answer):
            awaited: Awaitable[Any] = answer
            await awaited


def at_exit(close: Callable[[], Any]) -> None:
    """Nothing: an event loop ends by cancelling its tasks, and the buffer's sender flushes when cancelled."""


def not_at_exit(close: Callable[[], Any]) -> None:
    """Nothing, as for `at_exit`."""


__all__ = ["Cancelled", "Condition", "Task", "at_exit", "join", "not_at_exit", "sleep", "spawn", "told"]
