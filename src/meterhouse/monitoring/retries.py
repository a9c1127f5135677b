"""When a job that failed for a passing reason is tried again. Pure; on the kernel clock."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from meterhouse.kernel.errors import Invalid, Issue

# A batch and a schedule have nobody who could ask again for one page; a single job has its caller.
RETRIES_DEFAULT = 2
RETRIES_MAX = 10
# Answers that say "not now". A plain 500 does not: the next planned run is soon enough for it.
PASSING_STATUSES = frozenset({429, 502, 503, 504})
FIRST_DELAY_S = 5.0
DELAY_FACTOR = 4.0
DELAY_MAX_S = 600.0
# A site that asks for more than this is left alone for this long, and then asked again.
QUIET_MAX = timedelta(hours=1)


def delay_before(retry: int, job_id: UUID) -> timedelta:
    """How long to wait before the given retry (from 1): 5 s, 20 s, 80 s … 10 min, a fifth more or less.

    The share that varies depends on the job, so that jobs that failed together do not come back together.
    """
    base_s = min(DELAY_MAX_S, FIRST_DELAY_S * DELAY_FACTOR ** (retry - 1))
    part = (job_id.int & 0xFFFF) / 0xFFFF
    return timedelta(seconds=base_s * (0.8 + 0.4 * part))


def quiet_for(asked: timedelta) -> timedelta:
    """How long a host is left alone that asks for it."""
    return min(asked, QUIET_MAX)


def check_retries(value: object) -> int | None:
    """A number of retries as given by a user. Raises `Invalid`."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= RETRIES_MAX:
        message = f"max_retries must be a whole number from 0 to {RETRIES_MAX}."
        raise Invalid(message, issues=(Issue(("max_retries",), message, input=value),))
    return value
