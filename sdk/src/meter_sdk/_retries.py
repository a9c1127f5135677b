"""When to repeat a call, and after how long. Pure: the transport does the waiting."""

from __future__ import annotations

from random import random

from .errors import ConnectionFailedError, MeterError, RateLimitError, RequestTimeoutError

FIRST_DELAY_S = 0.25
DELAY_S_MAX = 8.0
RETRY_AFTER_S_MAX = 30.0
PATIENT_TIMEOUT_S = 90.0


def delay_before_retry(
    error: MeterError, *, attempt: int, retries: int, safe: bool, sent: bool, timeout_s: float
) -> float | None:
    """Seconds to wait before the next attempt, `None` to give up.

    A safe call (a read, or one that the server recognises when it comes again) is repeated after every temporary
    error. Others only if the server cannot have acted: the request never left, or was refused with 429.
    A call that already took minutes is not started again, and a server that asks for a longer pause than a
    caller would expect to sit through gets the decision handed to the caller, with `retry_after`.
    """
    if attempt >= retries or not error.retryable:
        return None
    never_acted = isinstance(error, RateLimitError) or (isinstance(error, ConnectionFailedError) and not sent)
    if not (safe or never_acted):
        return None
    if isinstance(error, RequestTimeoutError) and timeout_s > PATIENT_TIMEOUT_S:
        return None
    if error.retry_after is not None:
        return error.retry_after if error.retry_after <= RETRY_AFTER_S_MAX else None
    return backoff(attempt)


def backoff(attempt: int, *, most_s: float = DELAY_S_MAX) -> float:
    """Doubling pauses, each shortened at random so that many clients do not come back at once."""
    return float(min(most_s, FIRST_DELAY_S * 2 ** min(attempt, 30)) * (0.5 + random() / 2))  # noqa: S311
