"""The slow, obviously right answer to every question: plain Python over a list of events.

It takes the same questions and gives the same answers as compiling, running and decoding a query, and
is what the fast path is tested against.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from fractions import Fraction

from meterhouse.usage.engine.compile import NUMERIC, check_query, effective_groups, subject_owners, value_path
from meterhouse.usage.engine.decode import Parts, row_order, total_bounds
from meterhouse.usage.engine.documents import (
    at,
    chosen_of,
    identity_of,
    number_of,
    parse_document,
    text_of,
)
from meterhouse.usage.engine.jsonpath import parse_jsonpath, strip_metadata
from meterhouse.usage.engine.matching import has_metadata, is_owned, matches, text_passes
from meterhouse.usage.engine.quantities import combine, plan_quantities
from meterhouse.usage.engine.windows import bucket_bounds, bucket_key, to_second
from meterhouse.usage.engine.zones import zone_table
from meterhouse.usage.model import (
    Aggregation,
    Event,
    Meter,
    MeterQuery,
    Quantities,
    QuantityQuery,
    QueryRow,
    Window,
)

_COUNTS = (Aggregation.COUNT, Aggregation.UNIQUE)

Read = Callable[[str], object]
GroupKey = tuple[int | None, str | None, str | None, tuple[str, ...]]


def evaluate_meter_query(
    meter: Meter, query: MeterQuery, events: Iterable[Event], *, now: datetime
) -> list[QueryRow]:
    """Answer an OpenMeter-style question (openmeter 2.2)."""
    check_query(meter, query)
    by_subject, by_customer, group_keys = effective_groups(query)
    groups: dict[GroupKey, list[Event]] = defaultdict(list)
    for event in _counted(meter, events, query.from_at, query.to_at):
        texts = {key: _group_text(meter, key, event) for key in meter.group_by}
        customer = _owner(query, event)
        if query.subjects is not None and event.subject not in query.subjects:
            continue
        if by_customer and customer is None:
            continue
        if not all(text_passes(texts[key], wanted) for key, wanted in query.group_filters.items()):
            continue
        subject = event.subject if by_subject else None
        window = _window(query, event)
        groups[window, subject, customer, tuple(texts[key] for key in group_keys)].append(event)
    is_total = query.window is None and not (by_subject or by_customer or group_keys)
    if is_total and not groups and meter.aggregation in _COUNTS:
        groups[None, None, None, ()] = []
    rows = []
    for (window, subject, customer, values), members in groups.items():
        parts = evaluate_parts(meter, members)
        if meter.aggregation in NUMERIC and parts.count == 0:
            continue
        start, end = _bounds(query, window, members, now)
        named = dict(zip(group_keys, values, strict=True))
        rows.append(QueryRow(parts.result(meter.aggregation), start, end, subject, customer, named))
    return sorted(rows, key=row_order)


def _counted(
    meter: Meter, events: Iterable[Event], from_at: datetime | None, to_at: datetime | None
) -> list[Event]:
    starts = [at for at in (from_at, meter.event_from) if at is not None]
    return [
        event
        for event in events
        if event.organisation_id == meter.organisation_id
        and all(event.time >= start for start in starts)
        and (to_at is None or event.time < to_at)
        and matches(meter.filter, event)
    ]


def _group_text(meter: Meter, key: str, event: Event) -> str:
    return text_of(at(parse_document(event.data), parse_jsonpath(meter.group_by[key])))


def _owner(query: MeterQuery, event: Event) -> str | None:
    if query.customers is None:
        return None
    if event.customer_id:
        return event.customer_id if event.customer_id in query.customers else None
    return subject_owners(query.customers).get(event.subject)


def _window(query: MeterQuery, event: Event) -> int | None:
    if query.window is None:
        return None
    return bucket_key(zone_table(query.zone), query.window, to_second(event.time))


def _bounds(
    query: MeterQuery, window: int | None, members: Sequence[Event], now: datetime
) -> tuple[datetime, datetime]:
    if window is not None:
        assert query.window is not None
        return bucket_bounds(zone_table(query.zone), query.window, window)
    times = [event.time for event in members]
    return total_bounds(query, min(times, default=None), max(times, default=None), now)


def evaluate_parts(meter: Meter, events: Sequence[Event], read: Read = parse_document) -> Parts:
    """What the meter's aggregate over some events rests on; `read` parses their data."""
    if meter.aggregation is Aggregation.COUNT:
        return Parts(len(events), Fraction(0))
    if meter.aggregation is Aggregation.UNIQUE:
        return Parts(len(_distinct(meter, events, read)), Fraction(0))
    reads_texts = _reads_texts(meter)
    valued = [(event, _value(meter, event, read)) for event in events]
    usable = [pair for pair in valued if number_of(pair[1], reads_texts=reads_texts) is not None]
    if not usable:
        return Parts(0, Fraction(0))
    return Parts(len(usable), _amount(meter, usable))


def _amount(meter: Meter, usable: list[tuple[Event, object]]) -> Fraction:
    reads_texts = _reads_texts(meter)
    if meter.aggregation in (Aggregation.SUM, Aggregation.AVG):
        read = (number_of(value, reads_texts=reads_texts) for _, value in usable)
        return sum((number[1] for number in read if number is not None), Fraction(0))
    if meter.aggregation is Aggregation.LATEST:
        _, value = max(usable, key=lambda pair: (pair[0].time, str(pair[0].uid)))
        return chosen_of(value, reads_texts=reads_texts) or Fraction(0)
    chosen = [chosen_of(value, reads_texts=reads_texts) or Fraction(0) for _, value in usable]
    return max(chosen) if meter.aggregation is Aggregation.MAX else min(chosen)


def _reads_texts(meter: Meter) -> bool:
    return meter.dialect == "openmeter"


def _value(meter: Meter, event: Event, read: Read) -> object:
    path = value_path(meter)
    if path is not None:
        return at(read(event.data), path)
    own = strip_metadata(meter.value_path or "")
    return to_second(event.time) if own == "timestamp" else None


def _distinct(meter: Meter, events: Sequence[Event], read: Read) -> set[object]:
    values = [_value(meter, event, read) for event in events]
    if meter.dialect == "polar":
        return {known for value in values if (known := identity_of(value)) is not None}
    return {text_of(value) for value in values if value is not None}


def evaluate_quantities(meter: Meter, query: QuantityQuery, events: Iterable[Event]) -> Quantities:
    """Answer a Polar-style question (polar 7)."""
    plan, table, window = plan_quantities(query), zone_table(query.zone), Window(query.interval)
    listed: dict[int, list[Event]] = defaultdict(list)
    for event in _counted(meter, events, None, None):
        key = bucket_key(table, window, to_second(event.time))
        is_wanted = query.identities is None or is_owned(event, query.identities)
        if key in plan.keys and is_wanted and has_metadata(event, query.metadata):
            listed[key].append(event)
    found: dict[int, list[Parts]] = {}
    for key, members in listed.items():
        by_customer: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for event in members:
            by_customer[_customer_key(query, event)].append(event)
        parts = [evaluate_parts(meter, group) for group in by_customer.values()]
        usable = [part for part in parts if part.count or meter.aggregation not in NUMERIC]
        if usable:
            found[key] = usable
    overall = evaluate_parts(meter, [event for members in listed.values() for event in members])
    return combine(meter.aggregation, query, found, overall)


def _customer_key(query: QuantityQuery, event: Event) -> tuple[str, str]:
    if query.customer_function is None:
        return ("", "")
    return ("id", event.customer_id) if event.customer_id else ("external", event.subject)
