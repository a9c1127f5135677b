"""What a meter's rollup holds, how a batch of it is made, and which stretch of time it can answer.

A rollup has three levels of cells, each with the exact parts of the meter's aggregate per combination of
group-by values: hours of each owner, hours of all, minutes of all. Cells of one hour or minute in UTC add up
to any calendar bucket of a zone whose offsets are whole hours or minutes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from meterhouse.usage.engine import columns, values
from meterhouse.usage.engine.compile import (
    WIDE_UNITS,
    CompiledQuery,
    Draft,
    aggregates,
    base_conditions,
    match_conditions,
    value_columns,
)
from meterhouse.usage.engine.jsonpath import parse_jsonpath
from meterhouse.usage.engine.parameters import digits
from meterhouse.usage.engine.zones import ZoneTable
from meterhouse.usage.model import Aggregation, Meter, Window

TABLE = "rollups"
FORMAT = 1  # counted up when cells come to mean something else, so that old ones are not read

MARK, OWNED_HOURS, HOURS, MINUTES = range(4)
SMALL, FOLDED = range(2)
HOUR_S, MINUTE_S = 3600, 60

INSERT_MARK = "meterhouse rollup"
# One part for each batch, whatever its size, and one thread: others are waiting for answers meanwhile.
_ONE_PART = (
    "max_threads = 1, max_insert_threads = 1, min_insert_block_size_rows = 1000000000, "
    "min_insert_block_size_bytes = 100000000000, precise_float_parsing = 1"
)


@dataclass(frozen=True)
class Rollup:
    """What may be read: every event with a `seq` up to `upto` is in it, as it was stored first.

    Up to `folded` (-1 for nothing) it is read from folded batches, above that from small ones of `epoch`.
    `reaches_all`: no newer event is stored. `is_corrected`: some events were deleted or replaced since.
    `has_wide`: some cell is known to hold a value beyond decimals.
    """

    definition: int
    folded: int
    epoch: int
    upto: int
    reaches_all: bool
    is_corrected: bool
    has_wide: bool = False


@dataclass(frozen=True)
class Stretch:
    """Cells of one level that start in `[start_s, end_s)`; `None` is without end."""

    level: int
    start_s: int | None
    end_s: int | None


def definition_of(meter: Meter) -> int:
    """A number that stands for everything that the meter's quantities depend on."""
    essence = (
        FORMAT,
        meter.organisation_id.hex,
        meter.dialect,
        meter.filter,
        meter.aggregation.value,
        None if meter.aggregation is Aggregation.COUNT else meter.value_path,
        sorted(meter.group_by.items()),
        meter.event_from.isoformat() if meter.event_from else None,
    )
    return int.from_bytes(hashlib.blake2b(repr(essence).encode("utf-8", "replace"), digest_size=16).digest())


def start_of(step_s: int, time: str = columns.TIME) -> str:
    """The Unix second at which the step that holds a time starts, in UTC."""
    micros = f"toUnixTimestamp64Micro({time})"
    return f"intDiv({micros} - positiveModulo({micros}, {step_s * 1_000_000}), 1000000)"


def group_names(meter: Meter) -> list[str]:
    """The meter's group-bys in the order in which cells hold their values."""
    return sorted(meter.group_by)


_EMPTY_CELL = {
    "total": "toDecimal256(0, 38)",
    "wide": f"CAST(map(), '{WIDE_UNITS}')",
    "number": "toFloat64(0)",
    "newest": "(toDateTime64(0, 6, 'UTC'), '')",
    "keys": "arrayReduce('uniqExactState', emptyArrayString())",
}


def cell_aggregates(aggregation: Aggregation) -> dict[str, str]:
    """Columns of a cell and the aggregates of raw values that they hold; every event is in `n` or dated."""
    if aggregation is Aggregation.UNIQUE:
        found = {"n": "toUInt64(0)", "keys": "uniqExactStateIf(v_key, v_ok)"}
    else:
        pairs = (item.rsplit(" AS ", 1) for item in aggregates(aggregation))
        found = {name: expression for expression, name in pairs}
    if aggregation is Aggregation.LATEST:
        found["newest"] = "maxIf(v_order, v_ok)"
    micros = f"toUnixTimestamp64Micro({{}}({columns.TIME}))"
    return {**found, "first_at": micros.format("min"), "last_at": micros.format("max")}


@dataclass(frozen=True)
class Batch:
    """The events with a `seq` in `[since, upto]`, in one tier and epoch of a rollup."""

    definition: int
    tier: int
    epoch: int
    since: int
    upto: int

    @property
    def columns(self) -> dict[str, str]:
        """What all rows of the batch have in common."""
        return {
            "definition": f"toUInt128('{self.definition}')",
            "tier": f"toUInt8({self.tier})",
            "epoch": f"toUInt64({self.epoch})",
            "since": f"toUInt64({self.since})",
            "upto": f"toUInt64({self.upto})",
        }


_PLACE = ("level", "subject", "customer_id", "start", "groups")


def _insert(batch: Batch, cells: Mapping[str, str], made: str, events: str) -> str:
    """Insert cells and their mark in one part. `made` selects place and cells, `events` counts the events."""
    common = ", ".join(batch.columns.values())
    mark = [f"toUInt8({MARK})", "''", "''", "toInt64(0)", "emptyArrayString()"]
    mark += [events if name == "n" else _EMPTY_CELL.get(name, "toInt64(0)") for name in cells]
    names = ", ".join([*batch.columns, *_PLACE, *cells])
    return (
        f"INSERT INTO {TABLE} ({names}) SETTINGS {_ONE_PART}, log_comment = '{INSERT_MARK}' "  # noqa: S608
        f"SELECT {common}, * FROM ({made} UNION ALL SELECT {', '.join(mark)})"
    )


def compile_fold(aggregation: Aggregation, batch: Batch) -> CompiledQuery:
    """Insert one folded batch made of all the small ones within its range."""
    cells = {name: folded.format("") for name, folded in merged(aggregation, as_state=True).items()}
    where = f"definition = toUInt128('{batch.definition}') AND tier = {SMALL}"
    where += f" AND since >= {batch.since} AND upto <= {batch.upto}"
    chosen = ", ".join([*_PLACE, *(f"{made} AS c_{name}" for name, made in cells.items())])
    made = f"SELECT {chosen} FROM {TABLE} WHERE {where} AND level != {MARK} GROUP BY {', '.join(_PLACE)}"  # noqa: S608
    events = f"(SELECT sum(n) FROM {TABLE} WHERE {where} AND level = {MARK})"  # noqa: S608
    return CompiledQuery(_insert(batch, cells, made, events), {}, ())


def merged(aggregation: Aggregation, *, with_bounds: bool = True, as_state: bool = False) -> dict[str, str]:
    """Aggregates over cells, named like those over raw values; `{0}` stands for the cells' prefix.

    With `as_state` they are what a cell holds again.
    """
    found = {"n": "sum({0}n)"}
    match aggregation:
        case Aggregation.UNIQUE if as_state:
            found["keys"] = "uniqExactMergeState({0}keys)"
        case Aggregation.UNIQUE:
            found = {"n": "uniqExactMerge({0}keys)"}
        case Aggregation.SUM | Aggregation.AVG:
            found |= {"total": "sum({0}total)", "wide": "sumMap({0}wide)"}
        case Aggregation.MIN | Aggregation.MAX:
            found["number"] = f"{aggregation.value}If({{0}}number, {{0}}n > 0)"
        case Aggregation.LATEST:
            found["number"] = "argMaxIf({0}number, {0}newest, {0}n > 0)"
    if aggregation is Aggregation.LATEST and as_state:
        found["newest"] = "maxIf({0}newest, {0}n > 0)"
    if with_bounds:
        found |= {"first_at": "min({0}first_at)", "last_at": "max({0}last_at)"}
    return found


def compile_batch(meter: Meter, batch: Batch) -> CompiledQuery:
    """Insert a batch made of raw events, and the mark that says so."""
    draft = Draft(meter.organisation_id)
    bind = draft.parameters
    base = base_conditions(meter, None, None, bind)
    base.append(f"{columns.SEQ} >= {digits(batch.since)} AND {columns.SEQ} <= {digits(batch.upto)}")
    groups = [
        values.text(draft.raw_of(parse_jsonpath(meter.group_by[name], field=("groupBy", name))))
        for name in group_names(meter)
    ]
    listed = f"array({', '.join(groups)})" if groups else "materialize(emptyArrayString())"
    selected = [
        *value_columns(meter, draft),
        columns.TIME,
        f"{columns.SUBJECT} AS k_subject",
        f"{columns.CUSTOMER} AS k_customer",
        f"{start_of(HOUR_S)} AS k_hour",
        f"{start_of(MINUTE_S)} AS k_minute",
        f"{listed} AS k_groups",
    ]
    draft.conditions += match_conditions(meter, draft)
    cells = cell_aggregates(meter.aggregation)
    place = [
        f"toUInt8(multiIf(grouping(k_subject) = 0, {OWNED_HOURS}, grouping(k_hour) = 0, {HOURS}, {MINUTES}))",
        "k_subject",
        "k_customer",
        "if(grouping(k_hour) = 0, k_hour, k_minute)",
        "k_groups",
    ]
    sets = "(k_subject, k_customer, k_hour, k_groups), (k_hour, k_groups), (k_minute, k_groups)"
    chosen = [f"{made} AS {name}" for name, made in zip(_PLACE, place, strict=True)]
    chosen += [f"{made} AS c_{name}" for name, made in cells.items()]
    made = draft.body(base, selected, chosen, f" GROUP BY GROUPING SETS ({sets})")
    counted = f"(SELECT count() FROM {columns.TABLE} WHERE {' AND '.join(base)})"  # noqa: S608
    return CompiledQuery(_insert(batch, cells, made, counted), bind.values, ())


def step_for(window: Window | None, table: ZoneTable) -> int | None:
    """The longest step whose cells add up to every bucket: an hour, a minute, or none at all.

    `table` is the part of the zone's table that the question needs.
    """
    if window is None:
        return HOUR_S
    edges = (*table.offsets, *table.starts[1:])
    if window is not Window.MINUTE and all(edge % HOUR_S == 0 for edge in edges):
        return HOUR_S
    return MINUTE_S if all(edge % MINUTE_S == 0 for edge in edges) else None


def plan_stretches(
    step_s: int | None, from_us: int | None, to_us: int | None, *, by_owner: bool, has_minutes: bool
) -> list[Stretch]:
    """Stretches of cells within `[from_us, to_us)`, one after another without a gap; may be empty."""
    if step_s is None or (step_s == MINUTE_S and (by_owner or not has_minutes)):
        return []
    level = OWNED_HOURS if by_owner else HOURS if step_s == HOUR_S else MINUTES
    low, high = _ceil(from_us, step_s), _floor(to_us, step_s)
    finer = step_s == HOUR_S and has_minutes and not by_owner
    if not finer:
        return [Stretch(level, low, high)] if _is_some(low, high) else []
    first, last = _ceil(from_us, MINUTE_S), _floor(to_us, MINUTE_S)
    if not _is_some(low, high):
        return [Stretch(MINUTES, first, last)] if _is_some(first, last) else []
    found = [Stretch(MINUTES, first, low), Stretch(level, low, high), Stretch(MINUTES, high, last)]
    return [one for one in found if one.level == level or one.start_s != one.end_s]


def _is_some(low: int | None, high: int | None) -> bool:
    return low is None or high is None or low < high


def _ceil(micros: int | None, step_s: int) -> int | None:
    return None if micros is None else -(-micros // (step_s * 1_000_000)) * step_s


def _floor(micros: int | None, step_s: int) -> int | None:
    return None if micros is None else micros // (step_s * 1_000_000) * step_s
