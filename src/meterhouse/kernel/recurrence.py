"""When something that recurs is due: every so many seconds, or by a cron expression in a time zone.

Times are planned, not measured: the next one follows from the planned one before it, so late runs do not
make later ones late, and what was missed while nothing ran is made up for once, not once per missed time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from meterhouse.kernel.errors import Invalid, Issue

INTERVAL_MIN_S = 60
INTERVAL_MAX_S = 366 * 24 * 3600
CRON_LENGTH_MAX = 200
TIMEZONE_DEFAULT = "UTC"
_ANY_TIME = datetime(2024, 1, 1, tzinfo=UTC)  # from here on an expression has a time, or never has one


@dataclass(frozen=True)
class Recurrence:
    """Either `interval_s` or `cron`; `timezone` is where a cron expression's hours are read."""

    interval_s: int | None = None
    cron: str | None = None
    timezone: str = TIMEZONE_DEFAULT

    @classmethod
    def checked(
        cls, *, interval_s: int | None = None, cron: str | None = None, timezone: str | None = None
    ) -> Recurrence:
        """Read what somebody asks for. Raises `Invalid` naming the field at fault."""
        if (interval_s is None) == (cron is None):
            raise _refused("interval_seconds", "give exactly one of interval_seconds and cron_expression")
        if interval_s is not None and not INTERVAL_MIN_S <= interval_s <= INTERVAL_MAX_S:
            raise _refused("interval_seconds", f"must be {INTERVAL_MIN_S} to {INTERVAL_MAX_S} seconds")
        recurrence = cls(interval_s, _fields(cron), _zone_name(timezone))
        if recurrence.cron is not None and recurrence._cron_after(_ANY_TIME) is None:
            raise _refused("cron_expression", f"{cron!r} names a time that never comes")
        return recurrence

    @property
    def kind(self) -> str:
        return "interval" if self.interval_s is not None else "cron"

    def first(self, now: datetime) -> datetime:
        """The first planned time of something that begins to recur at `now`: never `now` itself."""
        return self.following(now, now)

    def following(self, planned: datetime, now: datetime) -> datetime:
        """The planned time after `planned` that lies after `now`; those between are left out."""
        if self.interval_s is not None:
            step = timedelta(seconds=self.interval_s)
            missed = max(0, (now - planned) // step)
            return planned + (missed + 1) * step
        following = self._cron_after(max(planned, now))
        # The calendar of an expression that once had a time does not run out within our lives.
        assert following is not None, f"no time after {now} for {self.cron!r}"
        return following

    def _cron_after(self, instant: datetime) -> datetime | None:
        local = instant.astimezone(ZoneInfo(self.timezone))
        try:
            found: datetime = next(CronSim(self.cron or "", local))
        except StopIteration:
            return None
        except CronSimError as error:
            raise _refused(
                "cron_expression", f"cannot be read: {error}; write one as in 0 9 * * 1-5"
            ) from None
        return found.astimezone(UTC)


def _fields(cron: str | None) -> str | None:
    """The expression with single blanks. Names of days and months may be in either case."""
    if cron is None:
        return None
    fields = cron.upper().split()
    if len(fields) != 5 or len(cron) > CRON_LENGTH_MAX:
        raise _refused(
            "cron_expression",
            "needs five fields: minute, hour, day of month, month, day of week, as in 0 9 * * 1-5",
        )
    return " ".join(fields)


def _zone_name(name: str | None) -> str:
    if not name:
        return TIMEZONE_DEFAULT
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise _refused("timezone", f"{name[:60]!r} is not an IANA name such as Europe/Berlin") from None


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", issues=(Issue((field,), message),))
