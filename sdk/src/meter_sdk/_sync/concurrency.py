"""What the synchronous client needs of threads: the counterpart of `_async/concurrency.py`."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from time import sleep
from typing import Any

Task = threading.Thread


class Cancelled(BaseException):
    """Never raised: threads are not cancelled."""


class Condition:
    """A condition that is also its lock. `wait` returns whether it was woken before the time was over."""

    def __init__(self) -> None:
        self._condition = threading.Condition(threading.Lock())

    def __enter__(self) -> None:
        self._condition.acquire()

    def __exit__(self, *_: object) -> None:
        self._condition.release()

    def wait(self, timeout_s: float | None = None) -> bool:
        return self._condition.wait(timeout_s)

    def notify_all(self) -> None:
        self._condition.notify_all()


def spawn(work: Callable[[], Any], name: str) -> threading.Thread:
    """Run `work` beside the caller until it returns. A daemon: `at_exit` gives it the time to finish."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


def join(task: threading.Thread, timeout_s: float) -> None:
    """Wait for spawned work, at most that long."""
    if task is not threading.current_thread():
        task.join(timeout_s)


def told(callback: Callable[[Any], Any] | None, value: Any) -> None:
    """Tell a callback."""
    if callback is not None:
        callback(value)


def at_exit(close: Callable[[], Any]) -> None:
    """Call `close` when the interpreter ends."""
    atexit.register(close)


def not_at_exit(close: Callable[[], Any]) -> None:
    """Undo `at_exit`."""
    atexit.unregister(close)


__all__ = ["Cancelled", "Condition", "Task", "at_exit", "join", "not_at_exit", "sleep", "spawn", "told"]
