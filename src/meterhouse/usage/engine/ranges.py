"""One customer's usage in many ranges of time by one query, and minute by minute.

Balances need the usage of every phase of a period, and ranges that share their start (unique values since a
period began). Time is cut at all edges; each slot between two edges is aggregated once, and a range is put
together from its slots. Unique values cannot be added up, so each is counted in the slot in which it is
first seen after a start, in a family of ranges that share that start.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import accumulate

from meterhouse.kernel.errors import LimitExceeded
from meterhouse.usage.engine import columns, filters, values
from meterhouse.usage.engine.compile import (
    SETTINGS,
    CompiledQuery,
    Draft,
    aggregates,
    base_conditions,
    value_columns,
)
from meterhouse.usage.engine.decode import Parts, read_parts
from meterhouse.usage.engine.jsonpath import parse_jsonpath
from meterhouse.usage.engine.parameters import Parameters, to_micros
from meterhouse.usage.model import Aggregation, Identities, Meter, StringFilter

EDGES_MAX = 5_000  # their text stays under the 128 KiB that a server takes for one parameter
GROUPED_MAX = 50_000  # slots times group-by values that are worth reading together
MINUTE_US = 60_000_000
REPLACED_SEQ = 2**64 - 1
COUNTS = frozenset({Aggregation.COUNT, Aggregation.UNIQUE})
_MOMENT = f"toUnixTimestamp64Micro({columns.TIME})"

Range = tuple[datetime, datetime]
Slot = tuple[int, int]
"""The start of a family (0 where there are none) and of a slot, in microseconds."""


@dataclass(frozen=True)
class Usage:
    """Whose use of a meter is meant. With `upto`, only events up to that `seq`; with `after`, newer ones.

    What replaced an event has a `seq` above all others: it counts at any `upto` and after no `after`.
    """

    meter: Meter
    customer: Identities
    group_filters: Mapping[str, StringFilter] = field(default_factory=dict)
    upto: int | None = None
    after: int | None = None

    def draft(
        self, from_at: datetime | None, to_at: datetime | None, bind: Parameters | None = None
    ) -> tuple[Draft, list[str], list[str]]:
        """A query under construction, conditions of its innermost level, columns of the next."""
        draft = Draft(self.meter.organisation_id, bind or Parameters())
        bind = draft.parameters
        base = self.base(from_at, to_at, bind)
        selected = value_columns(self.meter, draft)
        for key, wanted in self.group_filters.items():
            raw = draft.raw_of(parse_jsonpath(self.meter.group_by[key], field=("groupBy", key)))
            draft.conditions.append(filters.string_condition(values.text(raw), wanted, bind))
        if self.meter.filter.clauses:
            draft.conditions.append(filters.tree_condition(self.meter.filter, bind, draft.raw_of))
        return draft, base, selected

    def base(self, from_at: datetime | None, to_at: datetime | None, bind: Parameters) -> list[str]:
        """Conditions on an event's own columns: those of the customer, of the time and of `seq`."""
        base = base_conditions(self.meter, from_at, to_at, bind)
        base.append(filters.identity_condition(self.customer, bind))
        if self.upto is not None:
            base.append(f"({columns.SEQ} <= {bind.integer(self.upto)} OR {columns.SEQ} = {REPLACED_SEQ})")
        if self.after is not None:
            base.append(f"{columns.SEQ} > {bind.integer(self.after)} AND {columns.SEQ} < {REPLACED_SEQ}")
        return base


def compile_ranges(usage: Usage, ranges: Sequence[Range]) -> CompiledQuery:
    """Aggregates of the slots between the edges of some ranges, one row per slot that holds anything."""
    bind = Parameters()
    if usage.meter.aggregation is Aggregation.UNIQUE:
        parts = [_unique_layer(usage, layer, bind) for layer in _layers(ranges)]
        return CompiledQuery(f"{' UNION ALL '.join(parts)} {SETTINGS}", bind.values, _UNIQUE_COLUMNS)
    edges, wanted = _slots(ranges)
    draft, base, selected = usage.draft(*_span(ranges), bind)
    selected.append(f"{_slot_of(_MOMENT, edges[:-1], bind)} AS k_slot")
    if len(wanted) < len(edges) - 1:
        draft.conditions.append(f"has({bind.integers(wanted)}, k_slot)")
    return _grouped(usage, draft, base, selected)


def compile_recent(
    usage: Usage, ranges: Sequence[Range], from_at: datetime, *, by: Sequence[str] = ()
) -> CompiledQuery:
    """`compile_ranges` for ranges that end by `from_at`, and with it `compile_minutes` from there on.

    `by` names group-bys of the meter whose values, as `k_group0` and so on, have rows of their own.
    """
    if not ranges:
        return compile_minutes(usage, from_at, by=by)
    bind = Parameters()
    edges, wanted = _slots(ranges)
    draft, base, selected = usage.draft(min(start for start, _ in ranges), None, bind)
    start, slot = bind.integer(to_micros(from_at)), _slot_of(_MOMENT, edges[:-1], bind)
    minute = f"{_MOMENT} - positiveModulo({_MOMENT}, {MINUTE_US})"
    selected.append(f"if({_MOMENT} >= {start}, {minute}, {slot}) AS k_slot")
    if len(wanted) < len(edges) - 1 or edges[-1] < to_micros(from_at):
        past = f"{_MOMENT} < {bind.integer(edges[-1])} AND has({bind.integers(wanted)}, k_slot)"
        draft.conditions.append(f"({_MOMENT} >= {start} OR ({past}))")
    return _grouped(usage, draft, base, selected, by)


def compile_minutes(
    usage: Usage, from_at: datetime | None = None, *, by: Sequence[str] = ()
) -> CompiledQuery:
    """Aggregates of every minute from `from_at` on that holds anything."""
    draft, base, selected = usage.draft(from_at, None)
    selected.append(f"{_MOMENT} - positiveModulo({_MOMENT}, {MINUTE_US}) AS k_slot")
    return _grouped(usage, draft, base, selected, by)


def compile_has_events(usage: Usage, to_at: datetime) -> CompiledQuery:
    """Whether the customer has any event before an instant that may belong to the meter: 0 or 1."""
    bind = Parameters()
    conditions = " AND ".join(usage.base(None, to_at, bind))
    found = f"SELECT 1 FROM {columns.TABLE} WHERE {conditions} LIMIT 1"  # noqa: S608
    return CompiledQuery(f"SELECT count() AS n FROM ({found})", bind.values, ("n",))  # noqa: S608


_UNIQUE_COLUMNS = ("k_family", "k_slot", "n")


def _grouped(
    usage: Usage, draft: Draft, base: list[str], selected: list[str], by: Sequence[str] = ()
) -> CompiledQuery:
    outer = aggregates(usage.meter.aggregation)
    if usage.meter.aggregation is Aggregation.LATEST:
        outer.append("maxIf((toUnixTimestamp64Micro(v_order.1), v_order.2), v_ok) AS newest")
    keys, tail = ["k_slot"], ""
    for index, key in enumerate(by):
        raw = draft.raw_of(parse_jsonpath(usage.meter.group_by[key], field=("groupBy", key)))
        selected.append(f"{values.text(raw)} AS k_group{index}")
        keys.append(f"k_group{index}")
        tail = f" LIMIT {GROUPED_MAX + 1}"
    sql = draft.finish(base, selected, f" GROUP BY {', '.join(keys)}{tail}", [*keys, *outer])
    names = (item.rsplit(" AS ", 1)[1] for item in outer)
    return CompiledQuery(sql, draft.parameters.values, (*keys, *names))


def _span(ranges: Sequence[Range]) -> Range:
    return min(start for start, _ in ranges), max(end for _, end in ranges)


def _slots(ranges: Sequence[Range]) -> tuple[list[int], list[int]]:
    """All edges in microseconds, ascending, and the starts of the slots that lie in some range."""
    opened: dict[int, int] = defaultdict(int)
    for start, end in ranges:
        opened[to_micros(start)] += 1
        opened[to_micros(end)] -= 1
    edges = sorted(opened)
    depths = accumulate(opened[edge] for edge in edges)
    return edges, [edge for edge, depth in zip(edges, depths, strict=True) if depth]


def _slot_of(moment: str, starts: Sequence[int], bind: Parameters) -> str:
    if len(starts) == 1:
        return bind.integer(starts[0])
    return f"roundDown({moment}, {bind.integers(starts)})"


def _unique_layer(usage: Usage, families: Mapping[datetime, list[datetime]], bind: Parameters) -> str:
    """The slot in which each value is first seen in each of some families that do not overlap."""
    starts = [to_micros(start) for start in families]
    ends = [to_micros(max(family)) for family in families.values()]
    slots = {to_micros(end) for family in families.values() for end in family}
    first, last = min(families), max(max(family) for family in families.values())
    draft, base, selected = usage.draft(first, last, bind)
    selected += [f"{_MOMENT} AS k_moment", f"{_slot_of('k_moment', starts, bind)} AS k_family"]
    draft.conditions.append("v_ok")
    if len(starts) > 1:
        end = f"transform(k_family, {bind.integers(starts)}, {bind.integers(ends)}, toInt64(0))"
        draft.conditions.append(f"k_moment < {end}")
    seen = draft.body(base, selected, ["k_family", "min(k_moment) AS first"], " GROUP BY k_family, v_key")
    slot = _slot_of("first", sorted({*starts, *slots} - {max(ends)}), bind)
    chosen = f"k_family, {slot} AS k_slot, count() AS n"
    return f"SELECT {chosen} FROM ({seen}) GROUP BY k_family, k_slot"  # noqa: S608


def _layers(ranges: Sequence[Range]) -> list[dict[datetime, list[datetime]]]:
    """The ends of ranges by their start, in layers within which such families do not overlap."""
    families: dict[datetime, list[datetime]] = defaultdict(list)
    for start, end in sorted(ranges):
        families[start].append(end)
    layers: list[dict[datetime, list[datetime]]] = []
    for start, ends in families.items():
        free = (layer for layer in layers if max(next(reversed(layer.values()))) <= start)
        layer = next(free, None)
        if layer is None:
            layers.append({start: ends})
        else:
            layer[start] = ends
    return layers


def split_ranges(usage: Usage, ranges: Sequence[Range]) -> list[list[Range]]:
    """Ranges in as few queries as their number of edges allows: one, but for many thousands of phases.

    Ranges that share a start stay together. Raises `LimitExceeded` when those alone are too many.
    """
    batches: list[list[Range]] = []
    family: list[Range] = []
    for number, range_ in enumerate(ordered := sorted(ranges)):
        family.append(range_)
        if number + 1 < len(ordered) and ordered[number + 1][0] == range_[0]:
            continue
        if len(family) > EDGES_MAX:
            raise LimitExceeded(f"more than {EDGES_MAX} ranges start at once", code="too_many_ranges")
        if batches and len(batches[-1]) + len(family) <= EDGES_MAX // 2:
            batches[-1] += family
        else:
            batches.append(family.copy())
        family.clear()
    return batches


def read_slots(usage: Usage, rows: Sequence[Mapping[str, object]]) -> dict[Slot, Parts]:
    """What each slot rests on."""
    found = {}
    for row in rows:
        family, slot = row.get("k_family", 0), row["k_slot"]
        assert isinstance(family, int)
        assert isinstance(slot, int)
        found[family, slot] = read_parts(usage.meter.aggregation, row)
    return found


@dataclass(frozen=True)
class MinuteParts:
    """What one minute rests on; `newest` is the place of a `latest` value among others: time and row id."""

    parts: Parts
    newest: tuple[int, str] = (0, "")


def read_minutes(usage: Usage, rows: Sequence[Mapping[str, object]]) -> dict[int, MinuteParts]:
    """What each minute rests on, by the microsecond at which it starts."""
    found = {}
    for row in rows:
        slot, newest = row["k_slot"], row.get("newest", (0, ""))
        assert isinstance(slot, int)
        assert isinstance(newest, tuple)
        found[slot] = MinuteParts(read_parts(usage.meter.aggregation, row), (int(newest[0]), str(newest[1])))
    return found


def values_from(
    aggregation: Aggregation, slots: Mapping[Slot, Parts], ranges: Sequence[Range]
) -> list[Fraction | None]:
    """The value of each range from the slots of a query that covered it; `None` where it rests on nothing.

    Counts, also of unique values, are zero then.
    """
    by_family: dict[int, list[tuple[int, Parts]]] = defaultdict(list)
    for (family, slot), parts in sorted(slots.items()):
        by_family[family].append((slot, parts))
    series = {family: _Series(aggregation, held) for family, held in by_family.items()}
    nothing = _Series(aggregation, [])
    is_unique = aggregation is Aggregation.UNIQUE
    return [
        series.get(to_micros(start) if is_unique else 0, nothing).value(to_micros(start), to_micros(end))
        for start, end in ranges
    ]


class _Series:
    """Slots in order, summed up from the left, so that any number of ranges costs no more than a look-up."""

    def __init__(self, aggregation: Aggregation, held: Sequence[tuple[int, Parts]]) -> None:
        self._aggregation = aggregation
        self._starts = [start for start, _ in held]
        self._parts = [parts for _, parts in held]
        self._counts = [0, *accumulate(parts.count for parts in self._parts)]
        self._amounts: list[Fraction] = []
        if aggregation in (Aggregation.SUM, Aggregation.AVG):
            self._amounts = [Fraction(0), *accumulate(parts.amount for parts in self._parts)]
        self._extremes: dict[int, tuple[int, Parts | None]] = {}

    def value(self, start: int, end: int) -> Fraction | None:
        low, high = bisect_left(self._starts, start), bisect_left(self._starts, end)
        count = self._counts[high] - self._counts[low]
        match self._aggregation:
            case Aggregation.COUNT | Aggregation.UNIQUE:
                return Fraction(count)
            case _ if not count:
                return None
            case Aggregation.SUM:
                return self._amounts[high] - self._amounts[low]
            case Aggregation.AVG:
                return (self._amounts[high] - self._amounts[low]) / count
            case Aggregation.LATEST:
                return next(parts.amount for parts in reversed(self._parts[low:high]) if parts.count)
            case _:
                return self._extreme(low, high)

    def _extreme(self, low: int, high: int) -> Fraction | None:
        """Ranges that share their start and come in ascending order look at each slot once."""
        seen, best = self._extremes.get(low, (low, None))
        if seen > high:
            seen, best = low, None
        choose = max if self._aggregation is Aggregation.MAX else min
        for parts in self._parts[seen:high]:
            if parts.count:
                best = parts if best is None else choose(best, parts, key=lambda part: part.amount)
        self._extremes[low] = (high, best)
        return best.amount if best is not None else None
