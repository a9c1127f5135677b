"""Events: ingest, list, read, and their names (polar 8 and 9)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from meterhouse.apis.call import Call, pydantic_issues
from meterhouse.apis.faults import RequestInvalid, RequestIssue, summary
from meterhouse.apis.polar import convert, facade
from meterhouse.apis.polar.inputs import events_to_wire, identities_of
from meterhouse.apis.polar.refusals import refuse_organisation
from meterhouse.apis.polar.routes.meters import visible_meter
from meterhouse.apis.polar.schemas import meters as meter_schemas
from meterhouse.apis.polar.schemas.events import (
    EventCreate,
    EventNamesQuery,
    EventsIngest,
    EventSort,
    EventsQuery,
    read_event,
)
from meterhouse.customers.queries import find_customers
from meterhouse.kernel.errors import Invalid, Issue, NotFound
from meterhouse.usage import queries
from meterhouse.usage.attribution import identities_mentioned
from meterhouse.usage.definition import filter_faults
from meterhouse.usage.drafts import EventDraft, events_from_drafts
from meterhouse.usage.lineage import parents_within
from meterhouse.usage.model import EventSearch, Filter, Identities, Meter, StoredEvent
from meterhouse.usage.names import NameSearch, NameSort, list_names
from meterhouse.usage.queries import MeterCriteria
from meterhouse.usage.validation import explanations

ISSUES_MAX = 1_000
EVENTS_PER_TURN = 500
QUERY_LENGTH_MIN = 3

_filter: TypeAdapter[meter_schemas.Filter] = TypeAdapter(meter_schemas.Filter)


@facade.operation("events:ingest")
async def ingest_events(call: Call) -> object:
    now = call.services.clock.now()
    sent = await _read_events(call.parse_body(EventsIngest).events, now)
    refuse_organisation({("events", i): event.organization_id for i, event in enumerate(sent)})
    drafts = [convert.event_from_wire(event) for event in sent]
    await _refuse_customers(call, drafts)
    events = events_from_drafts(drafts, organisation_id=call.principal.organisation_id, now=now)
    inserted = sum(await call.services.ingestor.submit(events))
    return {"inserted": inserted, "duplicates": len(events) - inserted}


async def _read_events(items: list[Any], now: datetime) -> list[EventCreate]:
    """Read every event or raise `RequestInvalid` with the faults, of which at most `ISSUES_MAX` are told.

    A large batch gives way to other requests in between.
    """
    events: list[EventCreate] = []
    issues: list[RequestIssue] = []
    for index, item in enumerate(items):
        try:
            events.append(read_event(item, now=now))
        except ValidationError as error:
            at = ("body", "events", index)
            issues += [replace(i, path=(*at, *i.path[1:])) for i in pydantic_issues(error, "body")]
            if len(issues) >= ISSUES_MAX:
                break
        if index % EVENTS_PER_TURN == EVENTS_PER_TURN - 1:
            await asyncio.sleep(0)
    if issues:
        raise RequestInvalid(summary(issues), issues=issues[:ISSUES_MAX])
    return events


async def _refuse_customers(call: Call, drafts: list[EventDraft]) -> None:
    """Raise `Invalid` for each customer named by our id that is not there, and for each of its members."""
    named = {draft.customer_id for draft in drafts if draft.customer_id is not None}
    if not named:
        return
    async with call.services.database.begin() as connection:
        found = await find_customers(connection, organisation_id=call.principal.organisation_id, ids=named)
    live = {customer.id for customer in found.values() if customer.deleted_at is None}
    issues = []
    for index, draft in enumerate(drafts):
        if draft.customer_id is None:
            continue
        if draft.customer_id not in live:
            at = ("events", index, "customer_id")
            issues.append(Issue(at, "Customer not found.", "customer_id", str(draft.customer_id)))
        elif draft.member_id is not None:
            at = ("events", index, "member_id")
            issues.append(Issue(at, "Member not found.", "member_id", str(draft.member_id)))
    if issues:
        raise Invalid(issues[0].message, issues=issues[:ISSUES_MAX])


@facade.operation("events:list")
async def list_events(call: Call) -> object:
    query = call.parse_query(EventsQuery)
    search = await _search_from_wire(call, query)
    if not query.covers(call.principal.organisation_id) or search.parents == ():
        return convert.page_to_wire([], 0, query)
    organisation_id, store = call.principal.organisation_id, call.services.events
    page = await queries.search_events(
        store, organisation_id=organisation_id, search=search, limit=query.size, offset=query.offset
    )
    return convert.page_to_wire(await events_to_wire(call, page.items), page.total_count, query)


async def _search_from_wire(call: Call, query: EventsQuery) -> EventSearch:
    _check_text(query.query)
    parents = None
    if query.parent_id is not None or query.depth is not None:
        parents = await parents_within(
            call.services.events,
            organisation_id=call.principal.organisation_id,
            parent_id=query.parent_id,
            depth=query.depth,
        )
    return EventSearch(
        filter=_filter_from_text(query.filter) if query.filter is not None else None,
        start_at=query.start_timestamp,
        end_at=query.end_timestamp,
        names=tuple(query.name) if query.name is not None else None,
        origins=tuple(source.value for source in query.source) if query.source is not None else None,
        identities=await identities_of(call, query),
        meter=await _meter(call, query.meter_id) if query.meter_id is not None else None,
        metadata=convert.texts_from_wire(query.metadata),
        text=query.query,
        text_identities=await _mentioned(call, query.query),
        parents=parents,
        is_ascending=query.sorting[:1] == [EventSort.TIMESTAMP],
    )


async def _mentioned(call: Call, text: str | None) -> Identities | None:
    """The customers that a text may mean; all their events are found by it, too."""
    if text is None:
        return None
    async with call.services.database.begin() as connection:
        return await identities_mentioned(
            connection, organisation_id=call.principal.organisation_id, text=text
        )


def _check_text(text: str | None) -> None:
    if text is not None and len(text) < QUERY_LENGTH_MIN:
        message = f"Query must be at least {QUERY_LENGTH_MIN} characters."
        raise Invalid(message, issues=[RequestIssue(("query", "query"), message, "query", text)])


def _filter_from_text(text: str) -> Filter:
    """Read a filter from its JSON text. The published location of text that is no JSON is empty."""
    try:
        sent = _filter.validate_json(text)
    except ValidationError as error:
        issues = [
            replace(i, path=() if i.code == "json_invalid" else ("query", "filter", *i.path[1:]))
            for i in pydantic_issues(error, "query")
        ]
        raise RequestInvalid(summary(issues), issues=issues) from None
    tree = convert.filter_from_wire(sent)
    if faults := filter_faults(tree):
        issues = [RequestIssue(("query", *fault.path), fault.message, fault.code) for fault in faults]
        raise Invalid(summary(issues), issues=issues)
    return tree


async def _meter(call: Call, meter_id: UUID) -> Meter:
    try:
        return await visible_meter(call, str(meter_id))
    except NotFound:
        message = "Meter not found."
        issue = RequestIssue(("query", "meter_id"), message, "meter_id", str(meter_id))
        raise Invalid(message, issues=[issue]) from None


@facade.operation("events:get")
async def get_event(call: Call) -> object:
    return (await events_to_wire(call, [await _event(call)]))[0]


async def _event(call: Call) -> StoredEvent:
    """The event that the path names. Raises `NotFound`."""
    event = await queries.find_event(
        call.services.events, organisation_id=call.principal.organisation_id, uid=call.path_id("id")
    )
    if event is None:
        raise NotFound("event not found", code="event_not_found")
    return event


@facade.operation("events:explain")
async def explain_event(call: Call) -> object:
    """What each meter that Polar has words for makes of one event."""
    event = await _event(call)
    async with call.services.database.begin() as connection:
        meters, _ = await queries.list_meters(
            connection,
            organisation_id=call.principal.organisation_id,
            criteria=MeterCriteria(expressible_as="polar"),
            limit=queries.METERS_READ_MAX,
        )
    told = explanations(event, meters)
    return {"event_id": event.uid, "meters": [convert.explanation_to_wire(item) for item in told]}


@facade.operation("events:list_names")
async def list_event_names(call: Call) -> object:
    query = call.parse_query(EventNamesQuery)
    if not query.covers(call.principal.organisation_id):
        return convert.page_to_wire([], 0, query)
    sort = tuple(convert.key_and_direction(key) for key in query.sorting)
    names, total = await list_names(
        call.services.events,
        organisation_id=call.principal.organisation_id,
        search=NameSearch(
            origins=tuple(source.value for source in query.source) if query.source is not None else None,
            identities=await identities_of(call, query),
            contains=query.query,
        ),
        sort=cast("tuple[tuple[NameSort, bool], ...]", sort),
        limit=query.size,
        offset=query.offset,
    )
    return convert.page_to_wire([convert.name_to_wire(name) for name in names], total, query)
