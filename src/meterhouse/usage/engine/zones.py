"""Offsets of an IANA time zone as a table, so that every query reads one and the same zone database.

The event engine carries a zone database of its own, of another version than Python's; rules change
(Vancouver in 2026), so quantities would depend on who computes them. Therefore the table is made here
and bound to queries as two lists.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from meterhouse.kernel.errors import Invalid, Issue

DAY_S = 86_400
_HORIZON_START_S = 0
_HORIZON_END_S = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
_PROBE_STEP_S = 2 * DAY_S  # shorter than any two changes of one zone lie apart


@dataclass(frozen=True)
class ZoneTable:
    """`offsets[i]` seconds east of UTC hold from `starts[i]` (Unix seconds) to the next start.

    Changes are known from 1970 to 2100; the first and the last offset reach on without end.
    """

    starts: tuple[int, ...]
    offsets: tuple[int, ...]

    def offset_at(self, second: int) -> int:
        """Seconds east of UTC at a Unix second."""
        return self.offsets[max(0, bisect_right(self.starts, second) - 1)]

    def between(self, from_s: int | None, to_s: int | None) -> ZoneTable:
        """The part of the table that instants in `[from_s, to_s)` need."""
        low = 0 if from_s is None else max(0, bisect_right(self.starts, from_s) - 1)
        high = len(self.starts) if to_s is None else max(low + 1, bisect_right(self.starts, to_s - 1))
        return ZoneTable(self.starts[low:high], self.offsets[low:high])

    def segments(self, from_s: int, to_s: int) -> list[tuple[int, int, int]]:
        """`(start, end, offset)` of each constant stretch of `[from_s, to_s)`, in order."""
        part = self.between(from_s, to_s)
        starts = (from_s, *part.starts[1:])
        return list(zip(starts, (*starts[1:], to_s), part.offsets, strict=True))


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def check_zone(name: str, *, field: tuple[str | int, ...] = ()) -> str:
    """Return a known IANA zone name (case matters). Raises `Invalid` for any other text."""
    if name not in _zone_names():
        message = f"Unknown time zone: {name[:64]!r}. Use an IANA name such as Europe/Berlin."
        raise Invalid(message, issues=(Issue(field, message, "TimeZoneName", name),))
    return name


@lru_cache(maxsize=600)
def zone_table(name: str) -> ZoneTable:
    """The table of a zone. Raises `Invalid` when the name is unknown."""
    zone = ZoneInfo(check_zone(name))
    starts, offsets = [_HORIZON_START_S], [_offset(zone, _HORIZON_START_S)]
    for probe in range(_HORIZON_START_S + _PROBE_STEP_S, _HORIZON_END_S, _PROBE_STEP_S):
        offset = _offset(zone, probe)
        if offset != offsets[-1]:
            starts.append(_change_in(zone, probe - _PROBE_STEP_S, probe))
            offsets.append(offset)
    return ZoneTable(tuple(starts), tuple(offsets))


def _offset(zone: ZoneInfo, second: int) -> int:
    delta = datetime.fromtimestamp(second, zone).utcoffset()
    assert delta is not None
    return delta.days * DAY_S + delta.seconds


def _change_in(zone: ZoneInfo, before_s: int, after_s: int) -> int:
    """The first second whose offset is no longer that of `before_s`."""
    old = _offset(zone, before_s)
    while after_s - before_s > 1:
        middle = (before_s + after_s) // 2
        if _offset(zone, middle) == old:
            before_s = middle
        else:
            after_s = middle
    return after_s
