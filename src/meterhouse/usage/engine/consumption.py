"""What customers consumed of meters: one query for many of both, since a reset of each pair (polar 10.3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from uuid import UUID

from meterhouse.usage.engine import columns, filters
from meterhouse.usage.engine.compile import (
    GRID_SCALE,
    SETTINGS,
    WIDE_UNITS,
    CompiledQuery,
    Draft,
    aggregates,
    base_conditions,
    value_columns,
)
from meterhouse.usage.engine.decode import read_parts
from meterhouse.usage.engine.documents import parse_document
from meterhouse.usage.engine.evaluate import evaluate_parts
from meterhouse.usage.engine.events import event_from_row, selected_columns
from meterhouse.usage.engine.explain import value_rejection
from meterhouse.usage.engine.matching import matches
from meterhouse.usage.engine.parameters import Parameters, from_micros, to_micros
from meterhouse.usage.model import Aggregation, Event, Identities, Meter, StoredEvent


@dataclass(frozen=True)
class Consumer:
    """A customer by its id and its event subjects; usage ingested before `since` is of an earlier period."""

    customer_id: str
    subjects: tuple[str, ...]
    since: datetime | None = None


Asked = tuple[Meter, Sequence[Consumer]]
"""A meter, and the consumers with their resets on it."""

METERS_PER_QUERY = 25
UNION_TEXT_MAX = 100_000  # the engine parses at most 256 KiB of SQL; one meter's part has up to 200 KiB
_NOTHING = {
    "n": "toUInt64(0)",
    "total": f"toDecimal256(0, {GRID_SCALE})",
    "wide": f"CAST(map(), '{WIDE_UNITS}')",
    "number": "nan",
}
"""All columns that the aggregates of any meter have, with what stands for those that a meter lacks."""


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


def compile_consumption(asked: Sequence[Asked]) -> list[CompiledQuery]:
    """One row per meter and consumer with events of users that match.

    As many meters as their SQL leaves room for share a query; `k_meter` is the place in `asked`.
    """
    found: list[CompiledQuery] = []
    bind, branches, size = Parameters(), list[str](), 0
    for place, (meter, consumers) in enumerate(asked):
        branch = _branch(place, meter, consumers, bind)
        if branches and (len(branches) == METERS_PER_QUERY or size + len(branch) > UNION_TEXT_MAX):
            found.append(_union(branches, bind))
            bind, branches, size = Parameters(), [], 0
            branch = _branch(place, meter, consumers, bind)
        branches.append(branch)
        size += len(branch)
    return [*found, _union(branches, bind)] if branches else found


def _union(branches: Sequence[str], bind: Parameters) -> CompiledQuery:
    # What a branch that did not fit has bound must not stay: unused parameters are refused by no engine,
    # but they may be large.
    sql = f"{' UNION ALL '.join(branches)} {SETTINGS}"
    bound = {name: value for name, value in bind.values.items() if f"{{{name}:" in sql}
    return CompiledQuery(sql, bound, ("k_meter", "k_owner", *_NOTHING, "last_at"))


def _branch(place: int, meter: Meter, consumers: Sequence[Consumer], bind: Parameters) -> str:
    draft = Draft(meter.organisation_id, bind)
    base = base_conditions(meter, None, None, bind)
    base += [f"toString({columns.ORIGIN}) = 'user'", owned_by(consumers, bind)]
    selected = value_columns(meter, draft)
    selected += [f"{owner_expression(consumers, bind)} AS k_owner", columns.INGESTED_AT]
    draft.conditions.append("k_owner >= 0")
    if (since := _since(consumers, bind)) is not None:
        draft.conditions.append(since)
    if meter.filter.clauses:
        draft.conditions.append(filters.tree_condition(meter.filter, bind, draft.raw_of))
    made = {name: f"{empty} AS {name}" for name, empty in _NOTHING.items()}
    made |= {item.rsplit(" AS ", 1)[1]: item for item in aggregates(meter.aggregation)}
    last = "max" if meter.aggregation is Aggregation.COUNT else "maxIf"
    arguments = columns.INGESTED_AT if last == "max" else f"{columns.INGESTED_AT}, v_ok"
    last_at = f"toUnixTimestamp64Micro({last}({arguments})) AS last_at"
    outer = [f"toInt64({int(place)}) AS k_meter", "k_owner", *made.values(), last_at]
    return draft.body(base, selected, outer, " GROUP BY k_owner")


def _since(consumers: Sequence[Consumer], bind: Parameters) -> str | None:
    resets = {index: c.since for index, c in enumerate(consumers) if c.since is not None}
    if not resets:
        return None
    starts = bind.integers(to_micros(since) for since in resets.values())
    start = f"transform(k_owner, {bind.integers(resets)}, {starts}, toInt64(-9223372036854775808))"
    return f"toUnixTimestamp64Micro({columns.INGESTED_AT}) >= {start}"


def decode_consumption(
    asked: Sequence[Asked], rows: Sequence[Mapping[str, object]]
) -> dict[tuple[str, UUID], Consumption]:
    """What each consumer with usage consumed, by customer id and meter."""
    found = {}
    for row in rows:
        place, index, last = row["k_meter"], row["k_owner"], row["last_at"]
        assert isinstance(place, int)
        assert isinstance(index, int)
        assert isinstance(last, int)
        meter, consumers = asked[place]
        parts = read_parts(meter.aggregation, row)
        if parts.count:
            amount = parts.result(meter.aggregation)
            found[consumers[index].customer_id, meter.id] = Consumption(amount, from_micros(last))
    return found


def compile_few_events(
    organisation_id: UUID, consumers: Sequence[Consumer], *, limit: int, data_bytes_max: int
) -> CompiledQuery:
    """Events of users that consumers own, one more than `limit` if there are more, in no order."""
    bind = Parameters()
    where = (
        f"{columns.ORGANISATION} = {bind.uuid(organisation_id)} AND {owned_by(consumers, bind)} "
        f"AND toString({columns.ORIGIN}) = 'user'"
    )
    selected = selected_columns(data_bytes_max=data_bytes_max)
    sql = f"SELECT {selected} FROM {columns.TABLE} WHERE {where} LIMIT {limit + 1}"  # noqa: S608
    return CompiledQuery(sql, bind.values, ())


def decode_few_events(rows: Sequence[Sequence[object]], *, limit: int) -> list[StoredEvent] | None:
    """The events; nothing when there are more than `limit`, or when the data of one were left out."""
    if len(rows) > limit or any(row[-1] for row in rows):
        return None
    return [event_from_row(row[:-1]) for row in rows]


def evaluate_consumption(
    asked: Sequence[Asked], events: Sequence[Event]
) -> dict[tuple[str, UUID], Consumption]:
    """The same as compiling, running and decoding, over all events of users that the consumers own.

    Planning a query takes the engine longer than it takes to look at a few events here.
    """
    if not asked:
        return {}
    read = lru_cache(maxsize=None)(parse_document)
    owned = _Owned(asked[0][1], events)
    found = {}
    for meter, consumers in asked:
        for consumer in consumers:
            counted = [
                event
                for event in owned.of(consumer, filters.required_type(meter.filter))
                if (consumer.since is None or event.ingested_at >= consumer.since)
                and (meter.event_from is None or event.time >= meter.event_from)
                and matches(meter.filter, event, read(event.data))
            ]
            parts = evaluate_parts(meter, counted, read)
            if parts.count:
                valid = [e for e in counted if value_rejection(e, meter, read(e.data)) is None]
                last_at = max(event.ingested_at for event in valid)
                amount = parts.result(meter.aggregation)
                found[consumer.customer_id, meter.id] = Consumption(amount, last_at)
    return found


class _Owned:
    """Events by the consumer that owns them, and of which type they are."""

    def __init__(self, consumers: Sequence[Consumer], events: Sequence[Event]) -> None:
        ids = {consumer.customer_id for consumer in consumers}
        owners: dict[str, str] = {}
        for consumer in consumers:
            for subject in consumer.subjects:
                owners.setdefault(subject, consumer.customer_id)
        self._all: dict[str, list[Event]] = defaultdict(list)
        self._typed: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for event in events:
            owner = event.customer_id if event.customer_id else owners.get(event.subject)
            if owner in ids:
                self._all[owner].append(event)
                self._typed[owner, event.type].append(event)

    def of(self, consumer: Consumer, event_type: str | None) -> Sequence[Event]:
        """A consumer's events, those of one type if it is given."""
        if event_type is None:
            return self._all.get(consumer.customer_id, ())
        return self._typed.get((consumer.customer_id, event_type), ())


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
