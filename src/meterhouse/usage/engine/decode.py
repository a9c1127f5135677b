"""From the engine's answer rows to exact quantities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from meterhouse.usage.engine.compile import NUMERIC, CompiledQuery, effective_groups
from meterhouse.usage.engine.windows import bucket_bounds
from meterhouse.usage.engine.zones import zone_table
from meterhouse.usage.model import Aggregation, Meter, MeterQuery, QueryRow, Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_LAST_MINUTE = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)  # its end is past what instants can say
_DOUBLE_BIAS = 1075  # exponent bias plus the 52 bits of the fraction


def from_double(number: float) -> Fraction:
    """The decimal that a double is written as, not its binary expansion: 0.1 is one tenth."""
    return Fraction(repr(number + 0.0))  # + 0.0 turns a negative zero positive


def from_units(units: Mapping[int, int]) -> Fraction:
    """A sum of doubles kept as whole units per biased binary exponent."""
    return sum((units[e] * Fraction(2) ** (max(e, 1) - _DOUBLE_BIAS) for e in units), Fraction(0))


@dataclass(frozen=True)
class Parts:
    """What an aggregate rests on: `count` usable values and their sum, or the one value chosen."""

    count: int
    amount: Fraction

    def result(self, aggregation: Aggregation) -> Fraction:
        """The aggregate; zero when it rests on nothing."""
        if aggregation in (Aggregation.COUNT, Aggregation.UNIQUE):
            return Fraction(self.count)
        if self.count == 0:
            return Fraction(0)
        return self.amount / self.count if aggregation is Aggregation.AVG else self.amount


def read_parts(aggregation: Aggregation, row: Mapping[str, object]) -> Parts:
    """Read the aggregate columns of one answer row, unless it was put together here and holds its parts."""
    parts = row.get("parts")
    if isinstance(parts, Parts):
        return parts
    count = row["n"]
    assert isinstance(count, int)
    if aggregation in (Aggregation.SUM, Aggregation.AVG):
        total, wide = row["total"], row["wide"]
        assert isinstance(total, Decimal)
        whole = int(total)  # as nearly all are, and a fraction of one is made in half the time
        exact = Fraction(whole) if whole == total else Fraction(total)
        if not wide:
            return Parts(count, exact)
        assert isinstance(wide, dict)
        return Parts(count, exact + from_units(wide))
    if aggregation in NUMERIC:
        number = row["number"]
        assert isinstance(number, float)
        return Parts(count, from_double(number) if count else Fraction(0))
    return Parts(count, Fraction(0))


def named_rows(compiled: CompiledQuery, rows: Sequence[Sequence[object]]) -> list[dict[str, object]]:
    """Answer rows by column name."""
    return [{**compiled.constants, **dict(zip(compiled.columns, row, strict=True))} for row in rows]


def decode_meter_query(
    meter: Meter, query: MeterQuery, rows: Sequence[Mapping[str, object]], *, now: datetime
) -> list[QueryRow]:
    """Answer rows in order of window, subject, customer and groups (openmeter 2.2).

    `now` only dates the zero row of a count over nothing that has no bounds either.
    """
    _, by_customer, group_keys = effective_groups(query)
    decoded = []
    for row in rows:
        start, end = _bounds(query, row, now)
        subject, customer = row.get("k_subject"), row.get("k_customer")
        groups = {key: str(row[f"k_group{index}"]) for index, key in enumerate(group_keys)}
        decoded.append(
            QueryRow(
                exact=read_parts(meter.aggregation, row).result(meter.aggregation),
                window_start=start,
                window_end=end,
                subject=None if subject is None else str(subject),
                customer_id=str(customer) if by_customer else None,
                group_by=groups,
            )
        )
    return sorted(decoded, key=row_order)


def row_order(row: QueryRow) -> tuple[object, ...]:
    """The order of answer rows: by window, then subject, customer and groups."""
    return row.window_start, row.subject or "", row.customer_id or "", tuple(row.group_by.values())


def _bounds(query: MeterQuery, row: Mapping[str, object], now: datetime) -> tuple[datetime, datetime]:
    if query.window is not None:
        key = row["k_window"]
        assert isinstance(key, int)
        return _bucket(query.zone, query.window, key)
    first, last = row["first_at"], row["last_at"]
    assert isinstance(first, int)
    assert isinstance(last, int)
    # Over no events the engine's minimum is 1970; a zero row has at least one event-less bound.
    if row["n"] == 0 and first == 0 and last == 0:
        return total_bounds(query, None, None, now)
    return total_bounds(query, _instant(first), _instant(last), now)


@lru_cache(maxsize=20_000)
def _bucket(zone: str, window: Window, key: int) -> tuple[datetime, datetime]:
    """Bounds of a bucket; the same few days are asked for again and again."""
    return bucket_bounds(zone_table(zone), window, key)


def total_bounds(
    query: MeterQuery, first: datetime | None, last: datetime | None, now: datetime
) -> tuple[datetime, datetime]:
    """Bounds of a row without window: the question's own, else the minutes of first and last event."""
    start = query.from_at or _minute(first or query.to_at or now)
    end = query.to_at or _minute_end(last or query.from_at or now)
    return start, end


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _minute(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(second=0, microsecond=0)


def _minute_end(instant: datetime) -> datetime:
    start = _minute(instant)
    return start + _MINUTE if start < _LAST_MINUTE else _LAST_MINUTE + timedelta(seconds=59)
