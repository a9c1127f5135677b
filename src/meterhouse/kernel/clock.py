"""The only source of time for business rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from meterhouse.kernel.errors import Conflict


class Clock(Protocol):
    """Tells the time. All instants are aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class TestClock:
    """Real time until it is first moved; from then on it stands still where it was put."""

    __test__ = False  # not a test class, whatever its name looks like to a collector

    def __init__(self, at: datetime | None = None) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at if self._at is not None else datetime.now(UTC)

    def move_to(self, instant: datetime) -> None:
        """Put the clock forward. Raises `Conflict` when `instant` lies before the present time."""
        if instant.tzinfo is None:
            raise ValueError("a clock needs an aware instant")
        now = self.now()
        if instant < now:
            raise Conflict(
                f"The clock stands at {format_instant(now)} and only moves forward; "
                f"{format_instant(instant)} lies before that."
            )
        self._at = instant.astimezone(UTC)


def format_instant(instant: datetime) -> str:
    """Write an instant as ISO 8601 in UTC with `Z`; microseconds only when there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
