"""Questions to a meter: quantities as JSON and CSV, subjects, values of group-bys (openmeter 2.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.responses import Response

from meterhouse.apis.call import Call
from meterhouse.apis.facade import body_missing
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.convert import answer_to_wire, question_from_wire
from meterhouse.apis.openmeter.filters import second_from_wire
from meterhouse.apis.openmeter.inputs import customers_of, faults_in, meter_of, store_of
from meterhouse.apis.openmeter.tabular import answer_to_csv
from meterhouse.customers.queries import find_subjects
from meterhouse.kernel.errors import Invalid
from meterhouse.usage import queries
from meterhouse.usage.model import Meter, MeterQuery, QueryRow

JSON, CSV = "application/json", "text/csv"


@facade.operation("queryMeter", scopes=("meters:read",))
async def query_meter(call: Call) -> Response:
    return await _answer(call, call.query, "query")


@facade.operation("queryMeterPost", scopes=("meters:read",), may_lack_body=True)
async def query_meter_post(call: Call) -> Response:
    """A published client asks for CSV with an empty body: that asks for everything."""
    if call.body is None and call.accepts(JSON, CSV) != CSV:
        raise body_missing()
    return await _answer(call, call.body or {}, "body")


async def _answer(call: Call, wire: Mapping[str, Any], location: str) -> Response:
    ahead = _ask_ahead(call, wire, location)
    try:
        # Not while the engine is asked: a slow answer must not hold a connection.
        async with call.services.database.read() as connection:
            meter = await meter_of(call, connection)
            customers = await customers_of(call, connection, wire.get("filterCustomerId"))
        with faults_in(location):
            question = question_from_wire(wire, location, customers=customers)
        call.services.known_meters.learn(call.path["meterIdOrSlug"], meter)
        asked = ahead.rows if ahead is not None and ahead.meter == meter else None
        return await answer(call, call.principal.organisation_id, meter, question, wire, location, asked)
    finally:
        if ahead is not None:
            ahead.rows.cancel()


@dataclass(frozen=True)
class _Ahead:
    """A question that is being answered for the meter as it was last seen."""

    meter: Meter
    rows: asyncio.Task[list[QueryRow]]


def _ask_ahead(call: Call, wire: Mapping[str, Any], location: str) -> _Ahead | None:
    """Ask the event store while the meter is looked up, if it was seen before and nothing else is needed."""
    services = call.services
    meter = services.known_meters.find(call.principal.organisation_id, call.path["meterIdOrSlug"])
    if meter is None or wire.get("filterCustomerId") or wire.get("clientId") is not None:
        return None
    try:
        question = question_from_wire(wire, location, customers=None)
    except Invalid:
        return None  # which is told once the meter is known to be there
    asking = queries.query_meter(services.events, meter, question, now=services.clock.now())
    rows = asyncio.create_task(asking)
    # Nobody asks how it ended when the meter has become another one.
    rows.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    return _Ahead(meter, rows)


async def answer(
    call: Call,
    organisation_id: UUID,
    meter: Meter,
    question: MeterQuery,
    wire: Mapping[str, Any],
    location: str,
    asked: Awaitable[list[QueryRow]] | None = None,
) -> Response:
    """Answer a question as JSON, or as CSV when that is wanted.

    `wire` is what it was read from; `asked` is its answer when it is under way already.
    """
    store = store_of(call, organisation_id, wire.get("clientId"))
    with faults_in(location):
        rows = await (asked or queries.query_meter(store, meter, question, now=call.services.clock.now()))
    if call.accepts(JSON, CSV) != CSV:
        return call.json(answer_to_wire(question, rows))
    async with call.services.database.begin() as connection:
        subjects = await find_subjects(
            connection, organisation_id=organisation_id, keys={row.subject for row in rows if row.subject}
        )
    headers = {"content-type": CSV, "content-disposition": f"attachment; filename={meter.slug}.csv"}
    names = {key: subject.display_name or "" for key, subject in subjects.items()}
    return Response(answer_to_csv(question, rows, names), headers=headers)


async def _meter(call: Call) -> Meter:
    async with call.services.database.read() as connection:
        return await meter_of(call, connection)


@facade.operation("listMeterSubjects", scopes=("meters:read",))
async def list_meter_subjects(call: Call) -> object:
    return await queries.list_subjects(
        call.services.events,
        await _meter(call),
        from_at=second_from_wire(call.query.get("from"), ("query", "from")),
        to_at=second_from_wire(call.query.get("to"), ("query", "to")),
    )


@facade.operation("listMeterGroupByValues", scopes=("meters:read",))
async def list_meter_group_by_values(call: Call) -> object:
    return await queries.group_by_values(
        call.services.events,
        await _meter(call),
        key=call.path["groupByKey"],
        now=call.services.clock.now(),
        from_at=second_from_wire(call.query.get("from"), ("query", "from")),
        to_at=second_from_wire(call.query.get("to"), ("query", "to")),
    )
