"""What customers consumed of a meter: one query for many, each since a reset of its own (polar 10.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from uuid import UUID

from meterhouse.usage.engine import columns, filters
from meterhouse.usage.engine.compile import (
    CompiledQuery,
    Draft,
    aggregates,
    base_conditions,
    value_columns,
)
from meterhouse.usage.engine.decode import read_parts
from meterhouse.usage.engine.parameters import Parameters, from_micros, to_micros
from meterhouse.usage.model import Aggregation, Identities, Meter


@dataclass(frozen=True)
class Consumer:
    """A customer by its id and its event subjects; usage ingested before `since` is of an earlier period."""

    customer_id: str
    subjects: tuple[str, ...]
    since: datetime | None = None


@dataclass(frozen=True)
class Consumption:
    """How much was consumed, and when the last event that counted was ingested."""

    exact: Fraction = Fraction(0)
    last_at: datetime | None = None


def owner_expression(consumers: Sequence[Consumer], bind: Parameters) -> str:
    """The index of the consumer that an event belongs to, or -1."""
    ids = {consumer.customer_id: index for index, consumer in enumerate(consumers)}
    subjects: dict[str, int] = {}
    for index, consumer in enumerate(consumers):
        for subject in consumer.subjects:
            subjects.setdefault(subject, index)
    by_id = _chosen(columns.CUSTOMER, ids, bind)
    return f"if({columns.CUSTOMER} != '', {by_id}, {_chosen(columns.SUBJECT, subjects, bind)})"


def _chosen(column: str, indexes: Mapping[str, int], bind: Parameters) -> str:
    if not indexes:
        return "toInt64(-1)"
    return f"transform({column}, {bind.texts(indexes)}, {bind.integers(indexes.values())}, toInt64(-1))"


def owned_by(consumers: Sequence[Consumer], bind: Parameters) -> str:
    """A condition that only events of the consumers meet, and that the table's order serves."""
    ids = tuple(consumer.customer_id for consumer in consumers)
    subjects = tuple(dict.fromkeys(subject for consumer in consumers for subject in consumer.subjects))
    return filters.identity_condition(Identities(ids, subjects), bind)


def compile_consumption(meter: Meter, consumers: Sequence[Consumer]) -> CompiledQuery:
    """One row per consumer with events of users that match."""
    draft = Draft(meter.organisation_id)
    bind = draft.parameters
    base = base_conditions(meter, None, None, bind)
    base += [f"toString({columns.ORIGIN}) = 'user'", owned_by(consumers, bind)]
    selected = value_columns(meter, draft)
    selected += [f"{owner_expression(consumers, bind)} AS k_owner", columns.INGESTED_AT]
    draft.conditions.append("k_owner >= 0")
    if (since := _since(consumers, bind)) is not None:
        draft.conditions.append(since)
    if meter.filter.clauses:
        draft.conditions.append(filters.tree_condition(meter.filter, bind, draft.raw_of))
    last = "max" if meter.aggregation is Aggregation.COUNT else "maxIf"
    arguments = columns.INGESTED_AT if last == "max" else f"{columns.INGESTED_AT}, v_ok"
    outer = [
        *aggregates(meter.aggregation),
        f"toUnixTimestamp64Micro({last}({arguments})) AS last_at",
    ]
    sql = draft.finish(base, selected, " GROUP BY k_owner", ["k_owner", *outer])
    names = ("k_owner", *(item.rsplit(" AS ", 1)[1] for item in outer))
    return CompiledQuery(sql, bind.values, names)


def _since(consumers: Sequence[Consumer], bind: Parameters) -> str | None:
    resets = {index: c.since for index, c in enumerate(consumers) if c.since is not None}
    if not resets:
        return None
    starts = bind.integers(to_micros(since) for since in resets.values())
    start = f"transform(k_owner, {bind.integers(resets)}, {starts}, toInt64(-9223372036854775808))"
    return f"toUnixTimestamp64Micro({columns.INGESTED_AT}) >= {start}"


def decode_consumption(
    meter: Meter, consumers: Sequence[Consumer], rows: Sequence[Mapping[str, object]]
) -> dict[str, Consumption]:
    """What each consumer with usage consumed, by customer id."""
    found = {}
    for row in rows:
        index, last = row["k_owner"], row["last_at"]
        assert isinstance(index, int)
        assert isinstance(last, int)
        parts = read_parts(meter.aggregation, row)
        if parts.count:
            amount = parts.result(meter.aggregation)
            found[consumers[index].customer_id] = Consumption(amount, from_micros(last))
    return found


@dataclass(frozen=True)
class Presence:
    """The types of a consumer's events, and when the first event was ingested."""

    types: frozenset[str]
    first_at: datetime


def compile_presence(organisation_id: UUID, consumers: Sequence[Consumer]) -> CompiledQuery:
    """One row per consumer with events of any kind, and type of them."""
    bind = Parameters()
    owner = owner_expression(consumers, bind)
    where = f"{columns.ORGANISATION} = {bind.uuid(organisation_id)} AND {owned_by(consumers, bind)}"
    first = f"toUnixTimestamp64Micro(min({columns.INGESTED_AT})) AS first_at"
    sql = (
        f"SELECT {owner} AS k_owner, {columns.TYPE}, {first} FROM {columns.TABLE} "  # noqa: S608
        f"WHERE {where} GROUP BY k_owner, {columns.TYPE}"
    )
    return CompiledQuery(sql, bind.values, ("k_owner", columns.TYPE, "first_at"))


def decode_presence(
    consumers: Sequence[Consumer], rows: Sequence[Mapping[str, object]]
) -> dict[str, Presence]:
    """What there is of each consumer with events, by customer id."""
    found: dict[str, Presence] = {}
    for row in rows:
        index, first = row["k_owner"], row["first_at"]
        assert isinstance(index, int)
        assert isinstance(first, int)
        at, customer_id = from_micros(first), consumers[index].customer_id
        known = found.get(customer_id, Presence(frozenset(), at))
        found[customer_id] = Presence(known.types | {str(row[columns.TYPE])}, min(known.first_at, at))
    return found
