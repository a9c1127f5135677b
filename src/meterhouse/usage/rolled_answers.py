"""Answers to questions about quantities: from memory, from a meter's rollup, or from all of its events.

Each way gives the same answer; the first that can is taken. `rollups` says how far a rollup reaches,
`owner_hours` which owners' hours are in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.ports import EventStore
from meterhouse.usage.answers import Concern
from meterhouse.usage.block import EventRow
from meterhouse.usage.corrections import NOTHING_CORRECTED, Change, Corrected
from meterhouse.usage.engine import compile as compiler
from meterhouse.usage.engine import rolled
from meterhouse.usage.engine.compile import CompiledQuery
from meterhouse.usage.engine.decode import named_rows
from meterhouse.usage.engine.filters import required_type
from meterhouse.usage.engine.hours import (
    CELLS_MAX,
    Hours,
    hourly,
    quantities_as_meter_query,
    quantities_from,
)
from meterhouse.usage.engine.quantities import compile_quantities
from meterhouse.usage.engine.rollups import Rollup, definition_of
from meterhouse.usage.engine.tail import (
    ADDED,
    MeterReading,
    QuantityReading,
    Reading,
    add_events,
    read_events,
)
from meterhouse.usage.model import Meter, MeterQuery, QuantityQuery
from meterhouse.usage.newest import NewestEvents
from meterhouse.usage.owner_hours import PLACES_MAX, Key, OwnerHours, Place
from meterhouse.usage.view import EventView

Answer = Sequence[Mapping[str, object]]
Query = TypeVar("Query", MeterQuery, QuantityQuery)

SUBJECTS_MAX = 1_000  # looked for one by one among the newest events
KEY_CHARACTERS_MAX = 4_000  # of a question by which something is remembered


async def answer_meter_query(store: EventStore, meter: Meter, query: MeterQuery) -> Answer:
    """Rows of an OpenMeter-style question, for `decode_meter_query`.

    They are remembered where the store has a place for that. Raises `Invalid` and `DependencyFailed`.
    """
    answers = store.answers if isinstance(store, EventView) else None
    key = (definition_of(meter), repr(query))
    if answers is None or len(key[1]) > KEY_CHARACTERS_MAX:
        return await _answer(store, meter, query, _METER_QUERIES)
    answer = answers.find(key)
    if answer is None:
        entry = answers.enter(key, _concern(meter, query))
        answer = await _answer(store, meter, query, _METER_QUERIES)
        answers.keep(entry, answer)
    return answer


async def answer_quantities(store: EventStore, meter: Meter, query: QuantityQuery) -> Answer:
    """Rows of a Polar-style question, for `decode_quantities`. Raises `Invalid` and `DependencyFailed`."""
    return await _answer(store, meter, query, _QUANTITIES)


def _concern(meter: Meter, query: MeterQuery) -> Concern | None:
    """Which events change the answer to a question; `None` when that is not easily told."""
    event_type = required_type(meter.filter)
    if event_type is None:
        return None
    return Concern(meter.organisation_id, event_type, compiler.subjects_of(query))


@dataclass(frozen=True)
class _Kind(Generic[Query]):
    """What concerns questions of one kind, and how a rollup, single events and all events answer them."""

    concerned: Callable[[Meter, Query], Callable[[Change], bool]]
    of_rollup: Callable[[Meter, Query, Rollup], rolled.Question | None]
    reading: Callable[[Meter, Query], Reading]
    of_events: Callable[[Meter, Query], CompiledQuery]
    of_hours: Callable[[Query], MeterQuery | None]
    from_hours: Callable[[Meter, Query, Answer], Answer]


async def _answer(store: EventStore, meter: Meter, query: Query, kind: _Kind[Query]) -> Answer:
    answer = await _from_rollup(store, meter, query, kind) if isinstance(store, EventView) else None
    return await _from_events(store, meter, kind.of_events(meter, query)) if answer is None else answer


async def _from_rollup(store: EventView, meter: Meter, query: Query, kind: _Kind[Query]) -> Answer | None:
    """Answer rows by way of the meter's rollup, or `None` where it cannot help."""
    standing, rollup = await store.find_rollup(meter, kind.concerned(meter, query))
    if rollup is None:
        _expect_more(store, meter, query, kind)
        return None
    rows = None
    if store.hours is not None and not rollup.is_corrected:
        rows = await _from_hours(store, store.hours, meter, query, rollup, kind)
    if rows is None:
        question = kind.of_rollup(meter, query, rollup)
        if question is None:
            return None
        rows = await _from_cells(store, standing, question, lambda: kind.reading(meter, query))
    return [row for row in rows if rolled.stands(meter, row)]


async def _from_cells(
    store: EventView, standing: Corrected, question: rolled.Question, reading: Callable[[], Reading]
) -> Answer:
    """Answer from the cells in the engine and what they lack."""
    if question.is_split:
        rows = await _from_cells_and_events(store, standing, question, reading())
        if rows is not None:
            return rows
    return await _rows(store, standing, question, rolled.Question.compile)


async def _rows(
    store: EventView,
    standing: Corrected,
    question: rolled.Question,
    compiled: Callable[[rolled.Question], CompiledQuery],
) -> list[dict[str, object]]:
    """Ask the engine for rows that rest on cells, once more if these hold wide values against expectation."""
    asked = compiled(question)
    rows = named_rows(asked, (await store.query_at(standing, asked.sql, asked.parameters)).rows)
    if not rolled.are_widened(rows):
        return rows
    store.rollups.learn_wide(question.rollup.definition)
    question.rollup = replace(question.rollup, has_wide=True)
    return await _rows(store, standing, question, compiled)


async def _from_hours(
    store: EventView, hours: OwnerHours, meter: Meter, query: Query, rollup: Rollup, kind: _Kind[Query]
) -> Answer | None:
    """Answer a question about named owners from their hours in memory, if these are there or due."""
    asked = kind.of_hours(query)
    if asked is None:
        return None
    compiler.check_query(meter, asked)
    wanted = hourly(asked)
    key = (rollup.definition, repr(wanted))
    held = hours.find(key)
    is_short = len(key[1]) <= KEY_CHARACTERS_MAX
    if held is None and is_short and _can_be_held(meter, asked):
        held = _take_hours(store, hours, key, meter, wanted)
        if held is None and hours.is_due(key):
            held = await _load_hours(store, hours, key, meter, wanted, rollup)
    rows = None if held is None else held.answer(asked)
    return None if rows is None else kind.from_hours(meter, query, rows)


def _can_be_held(meter: Meter, query: MeterQuery) -> bool:
    subjects = compiler.subjects_of(query)
    is_known = required_type(meter.filter) is not None and subjects is not None
    return is_known and meter.aggregation in ADDED and len(subjects or ()) <= PLACES_MAX


def _expect_more(store: EventView, meter: Meter, query: Query, kind: _Kind[Query]) -> None:
    """Have the hours of all owners ready for the questions after one about some."""
    asked = kind.of_hours(query)
    if store.rollups.owners is None or asked is None:
        return
    compiler.check_query(meter, asked)
    if _can_be_held(meter, asked):
        store.rollups.owners.find(definition_of(meter), meter, hourly(asked))


def _take_hours(
    store: EventView, hours: OwnerHours, key: Key, meter: Meter, wanted: MeterQuery
) -> Hours | None:
    """The hours of an hourly question, of all owners' hours in memory if these are there."""
    owners = store.rollups.owners
    runs = None if owners is None else owners.find(key[0], meter, wanted)
    # Whether the newest events go on from there is quickly said, and to find an owner's hours is not.
    if runs is None or store.newest is None or not store.newest.reaches(runs.upto):
        return None
    found = runs.find(wanted)
    if found is None:
        return None
    loaded, upto = found
    lacked = _newest_after(store.newest, upto, meter, loaded.reading)
    if lacked is None or not loaded.reading.are_few(lacked):
        return None
    return hours.take_in(key, _places(meter, loaded.reading), loaded, lacked)


def _places(meter: Meter, reading: Reading) -> list[Place]:
    event_type = required_type(meter.filter)
    assert event_type is not None
    assert reading.subjects is not None
    return [(meter.organisation_id.bytes, event_type, subject) for subject in reading.subjects]


async def _load_hours(
    store: EventView, hours: OwnerHours, key: Key, meter: Meter, wanted: MeterQuery, rollup: Rollup
) -> Hours | None:
    """Load the hours of an hourly question; `None` where the newest events are not in memory."""
    question, loaded = rolled.meter_question(meter, wanted, rollup), Hours(meter, wanted)
    reading = loaded.reading
    if question is None or store.newest is None:
        return None
    lacked = _newest_events(store.newest, question, reading)
    if lacked is None or not reading.are_few(lacked):
        return None
    held = hours.enter(key, _places(meter, reading), loaded, lacked)
    try:
        cells = await _rows(store, NOTHING_CORRECTED, question, _hours_of)
    except DependencyFailed:
        hours.give_up(held)
        raise
    return await hours.fill(held, cells)


def _hours_of(question: rolled.Question) -> CompiledQuery:
    return question.compile_cells(with_bounds=True, limit=CELLS_MAX + 1)


async def _from_cells_and_events(
    store: EventView, standing: Corrected, question: rolled.Question, reading: Reading
) -> Answer | None:
    """Answer a question about named owners plainly; `None` where there are too many events to be added."""
    cells, events = await asyncio.gather(
        _rows(store, standing, question, rolled.Question.compile_cells),
        _lacked_events(store, standing, question, reading),
    )
    return None if events is None else add_events(question.meter, reading, cells, events)


async def _lacked_events(
    store: EventView, standing: Corrected, question: rolled.Question, reading: Reading
) -> Sequence[EventRow] | None:
    """The events that cells lack, from memory if that has them; `None` when there are too many."""
    found = None if store.newest is None else _newest_events(store.newest, question, reading)
    if found is None:
        asked = question.compile_lacked()
        rows = (await store.query_at(standing, asked.sql, asked.parameters)).rows
        found = read_events(question.meter, rows)
    return found if found is not None and reading.are_few(found) else None


def _newest_events(
    newest: NewestEvents, question: rolled.Question, reading: Reading
) -> list[EventRow] | None:
    after = question.lacks_after
    return None if after is None else _newest_after(newest, after, question.meter, reading)


def _newest_after(newest: NewestEvents, after: int, meter: Meter, reading: Reading) -> list[EventRow] | None:
    event_type, subjects = required_type(meter.filter), reading.subjects
    if event_type is None or subjects is None or len(subjects) > SUBJECTS_MAX:
        return None
    return newest.find(
        after=after, organisation_id=meter.organisation_id, event_type=event_type, subjects=subjects
    )


def _concerned_meter_query(meter: Meter, query: MeterQuery) -> Callable[[Change], bool]:
    """Whether a question may read what lies where a change was made."""
    event_type = required_type(meter.filter)
    subjects = None if query.subjects is None else frozenset(query.subjects)
    owners = None if query.customers is None else compiler.subject_owners(query.customers)

    def concerns(change: Change) -> bool:
        return (
            event_type in (None, change.type)
            and (query.from_at is None or change.time >= query.from_at)
            and (query.to_at is None or change.time < query.to_at)
            and (subjects is None or change.subject in subjects)
            and (owners is None or change.subject in owners or change.customer_id in (query.customers or ()))
        )

    return concerns


def _concerned_quantities(meter: Meter, query: QuantityQuery) -> Callable[[Change], bool]:
    event_type = required_type(meter.filter)
    owned = query.identities

    def concerns(change: Change) -> bool:
        return event_type in (None, change.type) and (
            owned is None or change.subject in owned.external_ids or change.customer_id in owned.customer_ids
        )

    return concerns


_METER_QUERIES = _Kind[MeterQuery](
    _concerned_meter_query,
    rolled.meter_question,
    MeterReading,
    compiler.compile_meter_query,
    of_hours=lambda query: query,
    from_hours=lambda meter, query, rows: rows,
)
_QUANTITIES = _Kind[QuantityQuery](
    _concerned_quantities,
    rolled.quantity_question,
    QuantityReading,
    compile_quantities,
    of_hours=quantities_as_meter_query,
    from_hours=lambda meter, query, rows: quantities_from(meter.aggregation, query, rows),
)


async def _from_events(store: EventStore, meter: Meter, compiled: CompiledQuery) -> list[dict[str, object]]:
    """Answer rows from raw events. Says how far the rollup is when these are too many to read in time."""
    try:
        return named_rows(compiled, (await store.query(compiled.sql, compiled.parameters)).rows)
    except DependencyFailed as failure:
        if failure.code != "events_timeout" or not isinstance(store, EventView):
            raise
        reached = int(100 * store.rollups.progress(meter))
        if reached == 100:
            raise
        raise DependencyFailed(
            f"There are too many events to read one by one, and the meter's aggregates reach {reached} % of "
            "them so far. Ask again in a minute, or for a shorter range.",
            code="meter_being_prepared",
            retryable=True,
        ) from failure
