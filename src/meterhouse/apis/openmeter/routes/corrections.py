"""Deleting and replacing events, and the trail of it: operations of ours beside the published ones."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from starlette.responses import Response

from meterhouse.apis.call import Call
from meterhouse.apis.faults import RequestIssue
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.convert import correction_to_wire, event_to_wire
from meterhouse.apis.openmeter.ingest import BATCH, rows_from_wire
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.kernel.ids import parse_id, to_ulid
from meterhouse.usage.attribution import owners_of_events
from meterhouse.usage.block import EventRow
from meterhouse.usage.engine.parameters import from_micros
from meterhouse.usage.model import Event
from meterhouse.usage.view import corrections_of

LIMIT = 100


@facade.operation("deleteEvent", scopes=("events:write",))
async def delete_event(call: Call) -> Response:
    await corrections_of(call.services.events).delete(
        organisation_id=call.principal.organisation_id,
        source=call.query["source"],
        id=call.query["id"],
        by=str(call.principal.key_id),
        reason=call.query.get("reason", ""),
    )
    return call.no_content()


@facade.operation("replaceEvent", scopes=("events:write",))
async def replace_event(call: Call) -> object:
    now = call.services.clock.now()
    content_type = call.request.headers.get("content-type")
    if content_type is not None and content_type.startswith(BATCH):
        raise Invalid("One event is replaced at a time.", issues=[Issue((), "must be one event")])
    rows = rows_from_wire(content_type, call.raw_body, call.principal.organisation_id, now)
    if not rows:
        message = "An event that counts lies after 1970-01-01T00:00:00Z; delete it if it shall not count."
        raise Invalid(message, issues=[Issue(("time",), message, "time_range")])
    stands = await corrections_of(call.services.events).replace(
        _event(rows[0], call.principal.organisation_id, now),
        keeps_time=call.body.get("time") is None,
        by=str(call.principal.key_id),
        reason=call.query.get("reason", ""),
    )
    async with call.services.database.begin() as connection:
        owners = await owners_of_events(
            connection, organisation_id=call.principal.organisation_id, events=[stands]
        )
    return event_to_wire(stands, customer=owners.get(stands.uid), validation_error=None)


def _event(row: EventRow, organisation_id: UUID, now: datetime) -> Event:
    _, _, type_, subject, time, source, id, uid, *_, data = row
    return Event(
        organisation_id=organisation_id,
        type=type_,
        source=source,
        id=id,
        subject=subject,
        time=from_micros(time).astimezone(UTC),
        ingested_at=now,
        uid=UUID(bytes=uid),
        data=data.decode(),
    )


@facade.operation("listEventCorrections", scopes=("events:read",))
async def list_event_corrections(call: Call) -> object:
    limit, cursor = call.query.get("limit", LIMIT), call.query.get("cursor")
    before = parse_id(cursor) if cursor is not None else None
    if cursor is not None and before is None:
        message = "This is no cursor of a list of corrections."
        raise Invalid(message, issues=[RequestIssue(("query", "cursor"), message, "invalid_cursor")])
    entries = await corrections_of(call.services.events).trail(
        organisation_id=call.principal.organisation_id,
        source=call.query.get("source"),
        id=call.query.get("id"),
        before=before,
        limit=limit,
    )
    page: dict[str, object] = {"items": [correction_to_wire(entry) for entry in entries]}
    if len(entries) == limit:
        page["nextCursor"] = to_ulid(entries[-1].correction.id)
    return page
