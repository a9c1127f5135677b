"""Calendar buckets in a time zone, and the instants that Polar lists.

A bucket has an integer key that the query engine can compute with plain arithmetic from a Unix second
and a zone offset; only here keys turn into instants. Minutes and hours are keyed by the second at which
they would start under the offset in force, days, weeks (from Monday), months and years by the local date.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta

from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.usage.engine.parameters import to_micros
from meterhouse.usage.engine.zones import DAY_S, ZoneTable
from meterhouse.usage.model import Interval, Window

STEP_S = {Window.MINUTE: 60, Window.HOUR: 3600}
SPAN_DAYS_MAX: dict[Interval, int] = {"hour": 7, "day": 366, "week": 371, "month": 1460, "year": 3650}
LAST_YEAR = 9_000  # the calendar ends with the year 9999, and a step or a bucket may reach further

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_EPOCH_TO_MONDAY_DAYS = 3  # 1970-01-01 was a Thursday


def to_second(instant: datetime) -> int:
    """The Unix second in which an instant lies (rounded down, before 1970 too)."""
    return to_micros(instant) // 1_000_000


def from_second(second: int) -> datetime:
    """The instant of a Unix second, in UTC."""
    return _EPOCH + timedelta(seconds=second)


def bucket_key(table: ZoneTable, window: Window, second: int) -> int:
    """The key of the bucket that holds a Unix second."""
    local = second + table.offset_at(second)
    if window in STEP_S:
        return second - local % STEP_S[window]
    day = local // DAY_S
    match window:
        case Window.DAY:
            return day
        case Window.WEEK:
            return (day + _EPOCH_TO_MONDAY_DAYS) // 7
        case Window.MONTH:
            shown = _date(day)
            return shown.year * 12 + shown.month - 1
        case _:
            return _date(day).year


def bucket_bounds(table: ZoneTable, window: Window, key: int) -> tuple[datetime, datetime]:
    """Start and end `[start, end)` of a bucket.

    A local midnight that the clocks skip starts at the change; one that they repeat, at its first showing.
    """
    if window in STEP_S:
        start, end = _step_bounds(table, STEP_S[window], key)
    else:
        start = _first_showing(table, _first_day(window, key))
        end = _first_showing(table, _first_day(window, key + 1))
    return from_second(start), from_second(end)


def covering(
    table: ZoneTable, window: Window, from_at: datetime, to_at: datetime, *, limit: int
) -> list[tuple[datetime, datetime]]:
    """The buckets that cover `[from_at, to_at)`, in order; one more than `limit` when there are too many."""
    found: list[tuple[datetime, datetime]] = []
    at = from_at
    while at < to_at and len(found) <= limit:
        found.append(bucket_bounds(table, window, bucket_key(table, window, to_second(at))))
        at = found[-1][1]
    return found


def _step_bounds(table: ZoneTable, step_s: int, key: int) -> tuple[int, int]:
    """A minute or an hour is cut where the offset changes inside it by less than a whole step."""
    start, end = key, key + step_s
    for change, offset in zip(table.starts[1:], table.offsets[1:], strict=True):
        if start < change < end:
            before = (key + table.offset_at(key)) % step_s == 0
            after = (key + offset) % step_s == 0
            if before and not after:
                end = change
            elif after and not before:
                start = change
    return start, end


def _first_day(window: Window, key: int) -> int:
    match window:
        case Window.DAY:
            return key
        case Window.WEEK:
            return key * 7 - _EPOCH_TO_MONDAY_DAYS
        case Window.MONTH:
            return date(key // 12, key % 12 + 1, 1).toordinal() - _EPOCH_ORDINAL
        case _:
            return date(key, 1, 1).toordinal() - _EPOCH_ORDINAL


def _first_showing(table: ZoneTable, day: int) -> int:
    """The first second at which local clocks show the day, or a later one when they skip it."""
    midnight = day * DAY_S
    # Offsets stay within a day of UTC, so two days around hold the answer.
    for start, end, offset in table.segments(midnight - 2 * DAY_S, midnight + 2 * DAY_S):
        second = max(start, midnight - offset)
        if second < end:
            return second
    raise AssertionError("a zone offset of more than a day")


def _date(day: int) -> date:
    return date.fromordinal(day + _EPOCH_ORDINAL)


def check_span(start_at: datetime, end_at: datetime, interval: Interval) -> None:
    """Apply Polar's span rule (polar 7.1). Raises `Invalid`; dates are read in each bound's own offset."""
    days = (end_at.date() - start_at.date()).days
    if end_at.year > LAST_YEAR:
        message = f"No time after the year {LAST_YEAR} can be asked for."
        raise Invalid(message, issues=(Issue(("query",), message, "value_error", end_at.isoformat()),))
    if end_at < start_at or days > SPAN_DAYS_MAX[interval]:
        message = (
            "The interval is too small for the given date range. "
            "Use a larger interval or reduce the date range."
        )
        asked = [start_at.isoformat(), end_at.isoformat(), interval]
        raise Invalid(message, issues=(Issue(("query",), message, "value_error", asked),))


def listed_instants(
    table: ZoneTable, start_at: datetime, end_at: datetime, interval: Interval
) -> tuple[datetime, ...]:
    """The instants that Polar lists (polar 7.2): `start_at` and each step after it up to `end_at`, inclusive.

    Hours are absolute; longer steps keep the local clock time, and a month or year step that is cut to
    the end of its month stays cut. The caller has checked the span, which bounds the number of steps.
    """
    if interval == "hour":
        count = (end_at - start_at) // timedelta(hours=1) + 1
        return tuple(start_at.astimezone(UTC) + timedelta(hours=step) for step in range(count))
    second = to_second(start_at)
    local = second + table.offset_at(second)
    below_second = start_at.astimezone(UTC) - from_second(second)
    shown, clock_s = _date(local // DAY_S), local % DAY_S
    listed = [start_at.astimezone(UTC)]
    while True:
        shown = _next_date(shown, interval)
        local = (shown.toordinal() - _EPOCH_ORDINAL) * DAY_S + clock_s
        instant = from_second(_from_local(table, local)) + below_second
        if instant > end_at:
            return tuple(listed)
        if instant > listed[-1]:  # a day that a zone skips has no instant of its own
            listed.append(instant)


def _next_date(shown: date, interval: Interval) -> date:
    if interval in ("day", "week"):
        return shown + timedelta(days=1 if interval == "day" else 7)
    months = shown.year * 12 + shown.month - 1 + (1 if interval == "month" else 12)
    year, month = months // 12, months % 12 + 1
    return date(year, month, min(shown.day, calendar.monthrange(year, month)[1]))


def _from_local(table: ZoneTable, local: int) -> int:
    """The first Unix second at which clocks show `local`; a skipped time uses the offset before it."""
    before = None
    for start, end, offset in table.segments(local - 2 * DAY_S, local + 2 * DAY_S):
        second = local - offset
        if start <= second < end:
            return second
        if second >= end:
            before = second
    assert before is not None, "a zone offset of more than two days"
    return before
