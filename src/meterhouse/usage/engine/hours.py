"""Some owners' hours in memory, from which questions about them are answered without the event engine.

They are the same cells as a rollup's hours of owners, over all of time, so they serve a question whatever its
range, windows and zone. An hour that a question asks for only in part is still of use when all of its events
lie on one side of the bound, which its first and last event tell; otherwise `None` says that the engine must
be asked. Amounts are whole numbers of a common unit, because these are added much faster than fractions.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache

import numpy as np

from meterhouse.usage.block import EventRow
from meterhouse.usage.engine.decode import Parts, from_double, read_parts
from meterhouse.usage.engine.hour_runs import ONE, WHOLE_BELOW, Run
from meterhouse.usage.engine.parameters import to_micros
from meterhouse.usage.engine.quantities import plan_quantities
from meterhouse.usage.engine.rollups import HOUR_S, step_for
from meterhouse.usage.engine.tail import MeterReading, combined
from meterhouse.usage.engine.windows import bucket_key, to_second
from meterhouse.usage.engine.zones import zone_table
from meterhouse.usage.model import Aggregation, Meter, MeterQuery, QuantityQuery, Window

CELLS_MAX = 10_000  # of one question's owners: more than a year of one owner
FRACTIONS_MAX = 2_000  # that are made of doubles at once, in a few milliseconds
UNITS = (1, 10**9, ONE, 10**38)
"""What an amount of one may be made of: the fewest that make all amounts of some owners whole."""
_HOUR_US = HOUR_S * 1_000_000

Row = Mapping[str, object]
_Span = tuple[int, int]


def hourly(query: MeterQuery) -> MeterQuery:
    """The question whose answer holds what a question and all that differ in time alone rest on."""
    return replace(query, from_at=None, to_at=None, window=Window.HOUR, zone="UTC")


def quantities_as_meter_query(query: QuantityQuery) -> MeterQuery | None:
    """The question, by owner, whose rows `quantities_from` puts together; `None` where there is none."""
    named = query.identities
    if named is None or query.metadata or query.customer_function is not None:
        return None
    plan = plan_quantities(query)
    asked = MeterQuery(plan.from_at, plan.to_at, Window(query.interval), query.zone)
    if not named.customer_ids:
        are_subjects = named.external_ids and "" not in named.external_ids  # which others' events have too
        return replace(asked, subjects=tuple(sorted(named.external_ids))) if are_subjects else None
    first, *others = sorted(named.customer_ids)
    owners = {first: tuple(sorted(named.external_ids)), **dict.fromkeys(others, ())}
    return replace(asked, customers=owners)


def quantities_from(aggregation: Aggregation, query: QuantityQuery, rows: Iterable[Row]) -> list[Row]:
    """One row for each listed bucket with events, of rows by owner."""
    listed = frozenset(plan_quantities(query).keys)
    found: dict[object, Parts] = {}
    for row in rows:
        key, parts = row["k_window"], read_parts(aggregation, row)
        if key in listed and parts.count:
            found[key] = combined(aggregation, found[key], parts) if key in found else parts
    return [{"k_window": key, "parts": parts, "n": parts.count} for key, parts in found.items()]


@dataclass(frozen=True)
class _Buckets:
    """At which of a list of hours which bucket begins; remembered, because it takes longest to find out."""

    zone: str
    window: Window
    keys: Sequence[int]
    begins: Sequence[int]

    @classmethod
    def of(cls, zone: str, window: Window, starts: Sequence[int]) -> _Buckets:
        keys = [_bucket_of(zone, window, start) for start in starts]
        begins = [place for place, key in enumerate(keys) if not place or keys[place - 1] != key]
        return cls(zone, window, [keys[place] for place in begins], begins)


@dataclass
class _Series:
    """The hours of one owner and one combination of group-by values, in order: one list for each part of
    a cell. `amounts` of hours without usable values say nothing."""

    starts: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    amounts: list[int] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    lasts: list[int] = field(default_factory=list)
    _buckets: _Buckets | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def put(self, aggregation: Aggregation, start: int, held: tuple[int, int, int, int]) -> None:
        """Add count, amount, first and last microsecond to an hour."""
        count, amount, first, last = held
        place = bisect_left(self.starts, start)
        if place == len(self.starts) or self.starts[place] != start:
            self._buckets = None
            self.starts.insert(place, start)
            self.counts.insert(place, count)
            self.amounts.insert(place, amount)
            self.firsts.insert(place, first)
            self.lasts.insert(place, last)
            return
        self.firsts[place] = min(self.firsts[place], first)
        self.lasts[place] = max(self.lasts[place], last)
        if count:
            had = [self.amounts[place]] if self.counts[place] else []
            self.amounts[place] = _joined(aggregation, [*had, amount])
            self.counts[place] += count

    def within(self, from_us: int | None, to_us: int | None) -> _Span | None:
        """Which hours lie in a range; `None` where a bound cuts the events of one."""
        low, high = 0, len(self)
        if from_us is not None:
            low = bisect_left(self.starts, from_us // _HOUR_US * HOUR_S)
        if to_us is not None:
            high = bisect_left(self.starts, -(-to_us // _HOUR_US) * HOUR_S)
        if from_us is not None and low < high and self.firsts[low] < from_us:
            if self.lasts[low] >= from_us:
                return None
            low += 1
        if to_us is not None and low < high and self.lasts[high - 1] >= to_us:
            if self.firsts[high - 1] < to_us:
                return None
            high -= 1
        return low, high

    def spans(self, zone: str, window: Window | None, within: _Span) -> Iterator[tuple[int, _Span]]:
        """Hours of one bucket after another, with the bucket's key; all in one when there are no windows."""
        low, high = within
        if window is None or low >= high:
            yield from [(0, within)] if low < high else []
            return
        if self._buckets is None or (self._buckets.zone, self._buckets.window) != (zone, window):
            self._buckets = _Buckets.of(zone, window, self.starts)
        keys, begins = self._buckets.keys, self._buckets.begins
        for place in range(bisect_right(begins, low) - 1, len(keys)):
            if begins[place] >= high:
                return
            end = begins[place + 1] if place + 1 < len(keys) else high
            yield keys[place], (max(low, begins[place]), min(high, end))

    def total(self, aggregation: Aggregation, span: _Span, units: int) -> Parts:
        """What some hours rest on together, amounts being numbers of `units` to one."""
        low, high = span
        counts = self.counts[low:high]
        count = sum(counts)
        if aggregation is Aggregation.COUNT or not count:
            return Parts(count, Fraction(0))
        amounts = self.amounts[low:high]
        usable = amounts if all(counts) else [amount for amount, n in zip(amounts, counts, strict=True) if n]
        return Parts(count, Fraction(_joined(aggregation, usable), units))


class Hours:
    """The hours that belong to one hourly question; `reading` tells which events do."""

    def __init__(self, meter: Meter, wanted: MeterQuery) -> None:
        self._meter = meter
        self.reading = MeterReading(meter, wanted)
        self._series: dict[tuple[object, ...], _Series] = {}
        self._units = UNITS[0]

    def __len__(self) -> int:
        return sum(len(series) for series in self._series.values())

    def take(self, rows: Iterable[Row]) -> bool:
        """Add answer rows of the hourly question, bounds of time included; whether all could be added."""
        names = self.reading.names
        for row in rows:
            first, last = row["first_at"], row["last_at"]
            assert isinstance(first, int)
            assert isinstance(last, int)
            parts = read_parts(self._meter.aggregation, row)
            if not self._put([row[name] for name in names], parts, first, last):
                return False
        return True

    def hold(self, others: Sequence[object], run: Run) -> bool:
        """Keep the only hours of one combination of keys; whether they could be kept."""
        amounts = self._amounts_of(run)
        if amounts is None:
            return False
        starts = run.hours.astype(np.int64) * HOUR_S
        micros = starts * 1_000_000
        self._series[tuple(others)] = _Series(
            starts.tolist(),
            run.counts.tolist(),
            amounts,
            (micros + run.firsts).tolist(),
            (micros + run.lasts).tolist(),
        )
        return True

    def _amounts_of(self, run: Run) -> list[int] | None:
        """What hours amount to, in units; `None` when that is never whole."""
        if run.wholes is not None:
            wholes = run.wholes.tolist()
            if run.fractions is None:
                return [whole * self._units for whole in wholes] if self._units > 1 else wholes
            exact = [whole * ONE + rest for whole, rest in zip(wholes, run.fractions.tolist(), strict=True)]
            one = self._whole(Fraction(1, ONE))
            return None if one is None else [amount * one for amount in exact]
        if run.numbers is None:
            return [0] * len(run)
        numbers = np.where(run.counts > 0, run.numbers, 0.0)
        if (np.abs(numbers) < WHOLE_BELOW).all() and (numbers == np.floor(numbers)).all():
            return [whole * self._units for whole in numbers.astype(np.int64).tolist()]
        if len(run) > FRACTIONS_MAX:
            return None
        amounts = [from_double(number) for number in numbers.tolist()]
        if any(self._whole(amount) is None for amount in amounts):
            return None
        return [amount.numerator * (self._units // amount.denominator) for amount in amounts]

    def add(self, events: Iterable[EventRow]) -> bool:
        """Add those of some events that belong to the question; whether all could be added."""
        for event in events:
            found = self.reading.find(event)
            if found is not None and not self._put(found[0], found[1].added.parts, event[4], event[4]):
                return False
        return True

    def _put(self, key: Sequence[object], parts: Parts, first: int, last: int) -> bool:
        start, *others = key
        assert isinstance(start, int)
        amount = self._whole(parts.amount)
        if amount is None:
            return False
        series = self._series.get(tuple(others))
        if series is None:
            series = self._series[tuple(others)] = _Series()
        series.put(self._meter.aggregation, start, (parts.count, amount, first, last))
        return True

    def _whole(self, amount: Fraction) -> int | None:
        """An amount in units, of which one is made of more if need be; `None` when it is never whole."""
        while self._units % amount.denominator:
            if self._units == UNITS[-1]:
                return None
            finer = UNITS[UNITS.index(self._units) + 1]
            for series in self._series.values():
                series.amounts = [finer // self._units * had for had in series.amounts]
            self._units = finer
        return amount.numerator * (self._units // amount.denominator)

    def answer(self, query: MeterQuery) -> list[Row] | None:
        """Answer rows of a question, as `tail.add_events` makes them; `None` where hours are too coarse."""
        from_us = None if query.from_at is None else to_micros(query.from_at)
        to_us = None if query.to_at is None else to_micros(query.to_at)
        if not _are_hours_fine(query):
            return None
        found: list[Row] = []
        for others, series in self._series.items():
            span = series.within(from_us, to_us)
            if span is None:
                return None
            named = dict(zip(self.reading.names[1:], others, strict=True))
            buckets: set[int] = set()
            for bucket, (low, high) in series.spans(query.zone, query.window, span):
                if bucket in buckets:  # clocks were put back over midnight
                    return None
                buckets.add(bucket)
                parts = series.total(self._meter.aggregation, (low, high), self._units)
                first, last = min(series.firsts[low:high]), max(series.lasts[low:high])
                held = {"parts": parts, "n": parts.count, "first_at": first, "last_at": last}
                found.append({"k_window": bucket, **named, **held})
        return found


def _joined(aggregation: Aggregation, amounts: Sequence[int]) -> int:
    if aggregation is Aggregation.MIN:
        return min(amounts)
    return max(amounts) if aggregation is Aggregation.MAX else sum(amounts)


def _are_hours_fine(query: MeterQuery) -> bool:
    """Whether no bucket of the question begins within an hour."""
    from_s = None if query.from_at is None else to_second(query.from_at)
    to_s = None if query.to_at is None else to_second(query.to_at) + 1
    return step_for(query.window, zone_table(query.zone).between(from_s, to_s)) == HOUR_S


@lru_cache(maxsize=50_000)
def _bucket_of(zone: str, window: Window, second: int) -> int:
    """As `bucket_key`; the same hours are asked for again and again."""
    return bucket_key(zone_table(zone), window, second)
