"""Polar's quantities: one query for all listed buckets, totals put together from exact parts (polar 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from meterhouse.kernel.errors import LimitExceeded
from meterhouse.usage.engine import columns, filters
from meterhouse.usage.engine.compile import (
    NUMERIC,
    CompiledQuery,
    Draft,
    aggregates,
    base_conditions,
    bucket_expression,
    match_conditions,
    value_columns,
)
from meterhouse.usage.engine.decode import Parts, read_parts
from meterhouse.usage.engine.windows import (
    bucket_bounds,
    bucket_key,
    check_span,
    listed_instants,
    to_second,
)
from meterhouse.usage.engine.zones import zone_table
from meterhouse.usage.model import (
    Aggregation,
    CustomerFunction,
    Meter,
    Quantities,
    Quantity,
    QuantityQuery,
    Window,
)

CUSTOMER_RESULTS_MAX = 2_000_000
_BY_ID, _BY_EXTERNAL = f"concat('i', {columns.CUSTOMER})", f"concat('e', {columns.SUBJECT})"
CUSTOMER_KEY = f"if({columns.CUSTOMER} != '', {_BY_ID}, {_BY_EXTERNAL}) AS k_customer"


@dataclass(frozen=True)
class Plan:
    """The listed instants with their buckets' keys, and the range that the buckets span."""

    instants: tuple[datetime, ...]
    keys: tuple[int, ...]
    from_at: datetime
    to_at: datetime


def plan_quantities(query: QuantityQuery) -> Plan:
    """List the instants and find their buckets. Raises `Invalid` for a bad span or zone."""
    table = zone_table(query.zone)
    check_span(query.start_at, query.end_at, query.interval)
    instants = listed_instants(table, query.start_at, query.end_at, query.interval)
    window = Window(query.interval)
    keys = tuple(bucket_key(table, window, to_second(instant)) for instant in instants)
    starts, ends = zip(*(bucket_bounds(table, window, key) for key in keys), strict=True)
    return Plan(instants, keys, min(starts), max(ends))


def customer_key(customer_id: str, subject: str) -> str:
    """What `CUSTOMER_KEY` is for an event."""
    return f"i{customer_id}" if customer_id else f"e{subject}"


def compile_quantities(meter: Meter, query: QuantityQuery) -> CompiledQuery:
    """One row per bucket, or per bucket and customer when the customers' results are combined.

    A `unique` total is not made of its buckets, so it comes as one more row, marked by `is_total`.
    """
    plan = plan_quantities(query)
    draft = Draft(meter.organisation_id)
    bind = draft.parameters
    base = base_conditions(meter, plan.from_at, plan.to_at, bind)
    selected = value_columns(meter, draft)
    table, window = zone_table(query.zone), Window(query.interval)
    from_s, to_s = to_second(plan.from_at), to_second(plan.to_at)
    second = draft.read("t_second", filters.unix_second())
    selected.append(f"{bucket_expression(window, table, from_s, to_s, bind, second)} AS k_window")
    draft.conditions.append(f"has({bind.integers(plan.keys)}, k_window)")
    keys = ["k_window"]
    if query.customer_function is not None:
        selected.append(CUSTOMER_KEY)
        keys.append("k_customer")
    if query.identities is not None:
        base.append(filters.identity_condition(query.identities, bind))
    draft.conditions += match_conditions(meter, draft)
    draft.conditions += filters.metadata_conditions(query.metadata, bind, draft.raw_of)
    outer = aggregates(meter.aggregation)
    grouping = f" GROUP BY {', '.join(keys)}"
    if meter.aggregation is Aggregation.UNIQUE:
        grouping = f" GROUP BY GROUPING SETS (({', '.join(keys)}), ())"
        outer.append("grouping(k_window) AS is_total")
    if meter.aggregation in NUMERIC:
        grouping += " HAVING n > 0"
    sql = draft.finish(base, selected, f"{grouping} LIMIT {CUSTOMER_RESULTS_MAX + 1}", [*keys, *outer])
    names = (*keys, *(item.rsplit(" AS ", 1)[1] for item in outer))
    return CompiledQuery(sql, bind.values, names)


def decode_quantities(meter: Meter, query: QuantityQuery, rows: Sequence[Mapping[str, object]]) -> Quantities:
    """Quantities and total from answer rows. Raises `LimitExceeded` for too many customers' results."""
    if len(rows) > CUSTOMER_RESULTS_MAX:
        raise LimitExceeded(
            f"Combining customers would need more than {CUSTOMER_RESULTS_MAX} results. "
            "Ask for a shorter range or a longer interval."
        )
    found: dict[int, list[Parts]] = {}
    overall = Parts(0, Fraction(0))
    for row in rows:
        parts, key = read_parts(meter.aggregation, row), row["k_window"]
        assert isinstance(key, int)
        if row.get("is_total"):
            overall = parts
        else:
            found.setdefault(key, []).append(parts)
    return combine(meter.aggregation, query, found, overall)


def combine(
    aggregation: Aggregation, query: QuantityQuery, found: Mapping[int, list[Parts]], overall: Parts
) -> Quantities:
    """Quantities from the parts of each bucket: one per bucket, or one per customer with events in it.

    `overall` counts the distinct values over all listed buckets and only matters for `unique`.
    """
    plan = plan_quantities(query)
    amounts = {
        key: combine_customers(query.customer_function, [part.result(aggregation) for part in parts])
        if query.customer_function is not None
        else parts[0].result(aggregation)
        for key, parts in found.items()
    }
    listed = [
        Quantity(instant, amounts.get(key, Fraction(0)))
        for instant, key in zip(plan.instants, plan.keys, strict=True)
    ]
    everything = [part for parts in found.values() for part in parts]
    total = _total(aggregation, amounts.values(), everything, overall)
    return Quantities(tuple(listed), total)


def _total(
    aggregation: Aggregation, amounts: Iterable[Fraction], everything: list[Parts], overall: Parts
) -> Fraction:
    """The total by polar 7.4, and with combined customers by polar 7.6."""
    match aggregation:
        case Aggregation.AVG:
            count = sum(part.count for part in everything)
            return sum((part.amount for part in everything), Fraction(0)) / max(count, 1)
        case Aggregation.UNIQUE:
            return Fraction(overall.count)
        case Aggregation.MAX | Aggregation.MIN:
            choose = max if aggregation is Aggregation.MAX else min
            return choose(amounts, default=Fraction(0))
        case _:
            return sum(amounts, Fraction(0))


def combine_customers(function: CustomerFunction, results: Sequence[Fraction]) -> Fraction:
    """Combine the customers' results of one bucket, of which there is at least one."""
    match function:
        case "count":
            return Fraction(len(results))
        case "unique":
            return Fraction(len(set(results)))
        case "max":
            return max(results)
        case "min":
            return min(results)
        case "avg":
            return sum(results, Fraction(0)) / len(results)
        case "sum":
            return sum(results, Fraction(0))
