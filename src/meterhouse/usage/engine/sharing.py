"""One query for many usages of one customer and one meter that differ only in their filters by group-bys.

The events are read once, aggregated by slot of time and by the values of the group-bys that any filter looks
at. Which of these rows are whose usage is decided here, so a hundred features cost what one costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from meterhouse.usage.engine.compile import CompiledQuery
from meterhouse.usage.engine.decode import Parts
from meterhouse.usage.engine.matching import text_passes
from meterhouse.usage.engine.ranges import (
    EDGES_MAX,
    GROUPED_MAX,
    MinuteParts,
    Range,
    Usage,
    compile_recent,
    read_minutes,
)
from meterhouse.usage.model import Aggregation


@dataclass(frozen=True)
class Wish:
    """A usage, and the ranges of the past in which it is wanted; see `ranges.compile_recent`."""

    usage: Usage
    ranges: Sequence[Range]


def compile_shared(wishes: Sequence[Wish], from_at: datetime) -> CompiledQuery | None:
    """The common query; `None` when their ranges have too many edges for one."""
    ranges = sorted({range_ for wish in wishes for range_ in wish.ranges if range_[0] < range_[1]})
    if len({edge for range_ in ranges for edge in range_}) > EDGES_MAX:
        return None
    common = replace(wishes[0].usage, group_filters={})
    return compile_recent(common, ranges, from_at, by=_group_names(wishes))


def read_shared(
    wishes: Sequence[Wish], rows: Sequence[Mapping[str, object]]
) -> list[dict[int, MinuteParts]] | None:
    """What each usage has of the answer, by the microsecond at which a slot or minute starts, in order.

    `None` when there were more rows than are read together.
    """
    if len(rows) > GROUPED_MAX:
        return None
    names, usage = _group_names(wishes), wishes[0].usage
    found: list[dict[int, MinuteParts]] = [{} for _ in wishes]
    owners: dict[tuple[str, ...], list[dict[int, MinuteParts]]] = {}
    for row in rows:
        texts = tuple(str(row[f"k_group{index}"]) for index in range(len(names)))
        if texts not in owners:
            told = dict(zip(names, texts, strict=True))
            pairs = zip(found, wishes, strict=True)
            owners[texts] = [own for own, wish in pairs if _passes(wish.usage, told)]
        ((start, held),) = read_minutes(usage, [row]).items()
        for own in owners[texts]:
            own[start] = _together(usage.meter.aggregation, own[start], held) if start in own else held
    return found


def _group_names(wishes: Sequence[Wish]) -> list[str]:
    return sorted({key for wish in wishes for key in wish.usage.group_filters})


def _passes(usage: Usage, told: Mapping[str, str]) -> bool:
    return all(text_passes(told[key], wanted) for key, wanted in usage.group_filters.items())


def _together(aggregation: Aggregation, one: MinuteParts, other: MinuteParts) -> MinuteParts:
    """What two groups hold in one slot; of values to choose from only usable ones are chosen."""
    count = one.parts.count + other.parts.count
    if not one.parts.count or not other.parts.count:
        return one if one.parts.count else other
    match aggregation:
        case Aggregation.MAX | Aggregation.MIN:
            choose = max if aggregation is Aggregation.MAX else min
            amount = choose(one.parts.amount, other.parts.amount)
            return MinuteParts(Parts(count, amount))
        case Aggregation.LATEST:
            last = max(one, other, key=lambda held: held.newest)
            return MinuteParts(Parts(count, last.parts.amount), last.newest)
        case _:
            return MinuteParts(Parts(count, one.parts.amount + other.parts.amount))
