"""Meters: create, read, list, change; their quantities and their events (polar 4 and 7)."""

from __future__ import annotations

from typing import cast

from meterhouse.apis.call import Call
from meterhouse.apis.faults import RequestIssue
from meterhouse.apis.polar import convert, facade
from meterhouse.apis.polar.inputs import events_to_wire, identities_of
from meterhouse.apis.polar.refusals import refuse_organisation
from meterhouse.apis.polar.schemas.common import ListQuery
from meterhouse.apis.polar.schemas.meters import MeterCreate, MetersQuery, MeterUpdate, QuantitiesQuery
from meterhouse.kernel.errors import Invalid, NotFound
from meterhouse.usage import queries, service
from meterhouse.usage.definition import is_expressible_as
from meterhouse.usage.freezing import settled
from meterhouse.usage.model import EventSearch, Meter
from meterhouse.usage.queries import MeterCriteria, MeterSort


async def visible_meter(call: Call, meter_id: str) -> Meter:
    """A meter by its id. Raises `NotFound` also for one that is deleted or that Polar has no words for."""
    async with call.services.database.begin() as connection:
        meter = await queries.get_meter(
            connection, organisation_id=call.principal.organisation_id, id_or_slug=meter_id
        )
    if meter.deleted_at is not None or not is_expressible_as(meter, "polar"):
        raise NotFound("meter not found", code="meter_not_found")
    return meter


@facade.operation("meters:create")
async def create_meter(call: Call) -> object:
    sent = call.parse_body(MeterCreate)
    refuse_organisation({(): sent.organization_id})
    organisation_id = call.principal.organisation_id
    draft = convert.meter_from_wire(sent)
    draft = await settled(call.services.events, organisation_id=organisation_id, draft=draft)
    async with call.services.database.begin() as connection:
        meter = await service.create_meter(
            connection, organisation_id=organisation_id, draft=draft, clock=call.services.clock
        )
    queries.expect_questions(call.services.events, meter)
    return convert.meter_to_wire(meter)


@facade.operation("meters:list")
async def list_meters(call: Call) -> object:
    query = call.parse_query(MetersQuery)
    if not query.covers(call.principal.organisation_id):
        return convert.page_to_wire([], 0, query)
    sort = tuple(convert.key_and_direction(key) for key in query.sorting)
    async with call.services.database.begin() as connection:
        meters, total = await queries.list_meters(
            connection,
            organisation_id=call.principal.organisation_id,
            criteria=MeterCriteria(
                name_contains=query.query,
                is_archived=query.is_archived,
                metadata=convert.texts_from_wire(query.metadata),
                external_ids=tuple(query.external_id) if query.external_id is not None else None,
                expressible_as="polar",
            ),
            sort=cast("tuple[tuple[MeterSort, bool], ...]", sort),
            limit=query.size,
            offset=query.offset,
        )
    return convert.page_to_wire([convert.meter_to_wire(meter) for meter in meters], total, query)


@facade.operation("meters:get")
async def get_meter(call: Call) -> object:
    return convert.meter_to_wire(await visible_meter(call, str(call.path_id("id"))))


@facade.operation("meters:get_external")
async def get_meter_by_external_id(call: Call) -> object:
    async with call.services.database.begin() as connection:
        meter = await queries.get_meter_by_external_id(
            connection,
            organisation_id=call.principal.organisation_id,
            external_id=call.path["external_id"],
        )
    return convert.meter_to_wire(meter)


@facade.operation("meters:update")
async def update_meter(call: Call) -> object:
    meter_id = str(call.path_id("id"))
    changes = convert.changes_from_wire(call.parse_body(MeterUpdate))
    await visible_meter(call, meter_id)
    async with call.services.database.begin() as connection:
        meter = await service.update_meter(
            connection,
            organisation_id=call.principal.organisation_id,
            id_or_slug=meter_id,
            clock=call.services.clock,
            **changes,
        )
    return convert.meter_to_wire(meter)


@facade.operation("meters:quantities")
async def get_quantities(call: Call) -> object:
    meter_id = str(call.path_id("id"))
    query = call.parse_query(QuantitiesQuery)
    meter = await visible_meter(call, meter_id)
    identities = await identities_of(call, query, query.external_ids)
    question = convert.quantity_query_from_wire(query, identities=identities)
    try:
        quantities = await queries.quantities(call.services.events, meter, question)
    except Invalid as refused:  # its issues are about the query, which the usage context cannot know
        issues = [RequestIssue(("query",), i.message, i.code, i.input) for i in refused.issues]
        raise Invalid(refused.message, issues=issues) from refused
    return convert.quantities_to_wire(quantities)


@facade.operation("meters:events")
async def list_meter_events(call: Call) -> object:
    meter_id = str(call.path_id("id"))
    query = call.parse_query(ListQuery)
    meter = await visible_meter(call, meter_id)
    organisation_id, store = call.principal.organisation_id, call.services.events
    page = await queries.search_events(
        store,
        organisation_id=organisation_id,
        search=EventSearch(meter=meter),
        limit=query.size,
        offset=query.offset,
    )
    return convert.page_to_wire(await events_to_wire(call, page.items), page.total_count, query)
