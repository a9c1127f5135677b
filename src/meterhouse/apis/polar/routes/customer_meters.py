"""Customer meters, the state of customers, and credits (polar 10 and 11.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, cast

from meterhouse.apis.call import Call
from meterhouse.apis.polar import convert, facade
from meterhouse.apis.polar.inputs import events_to_wire
from meterhouse.apis.polar.routes.customers import customers_to_wire, live_customer
from meterhouse.apis.polar.schemas.customer_meters import (
    CreditCreate,
    CustomerMeterCreditsIDCreate,
    CustomerMetersQuery,
    credit_create,
)
from meterhouse.customers.model import Customer
from meterhouse.customers.queries import find_customers, find_keys
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.usage import credits
from meterhouse.usage.customer_meters import (
    CustomerMeter,
    CustomerMeterCriteria,
    CustomerMeterSort,
    get_customer_meter,
    list_customer_meters,
)
from meterhouse.usage.definition import is_expressible_as
from meterhouse.usage.model import Meter
from meterhouse.usage.queries import MeterCriteria, find_meter, list_meters

T = TypeVar("T")

STATE_METERS_MAX = 10_000


@facade.operation("customer_meters:list")
async def list_rows(call: Call) -> object:
    query = call.parse_query(CustomerMetersQuery)
    if not query.covers(call.principal.organisation_id):
        return convert.page_to_wire([], 0, query)
    sort = tuple(convert.key_and_direction(key) for key in query.sorting)
    rows, total = await list_customer_meters(
        call.services.database,
        call.services.events,
        organisation_id=call.principal.organisation_id,
        criteria=CustomerMeterCriteria(
            customer_ids=_all(query.customer_id),
            customer_keys=_all(query.external_customer_id),
            meter_ids=_all(query.meter_id),
            meter_external_ids=_all(query.external_meter_id),
        ),
        sort=cast("tuple[tuple[CustomerMeterSort, bool], ...]", sort),
        limit=query.size,
        offset=query.offset,
    )
    return convert.page_to_wire(await _rows_to_wire(call, rows), total, query)


async def _rows_to_wire(call: Call, rows: Sequence[CustomerMeter]) -> list[dict[str, object]]:
    """Write accounts with their customers and meters."""
    distinct = list({row.customer.id: row.customer for row in rows}.values())
    shown = await customers_to_wire(call, distinct)
    customers = {customer.id: wire for customer, wire in zip(distinct, shown, strict=True)}
    return [convert.customer_meter_to_wire(row, customers[row.customer.id]) for row in rows]


def _all(values: list[T] | None) -> tuple[T, ...] | None:
    return None if values is None else tuple(values)


@facade.operation("customer_meters:get")
async def get_row(call: Call) -> object:
    row = await get_customer_meter(
        call.services.database,
        call.services.events,
        organisation_id=call.principal.organisation_id,
        customer_meter_id=call.path_id("id"),
    )
    return (await _rows_to_wire(call, [row]))[0]


@facade.operation("customers:get_state")
async def get_state(call: Call) -> object:
    async with call.services.database.begin() as connection:
        customer = await live_customer(call, connection, id=call.path_id("id"))
    return await _state(call, customer)


@facade.operation("customers:get_state_external")
async def get_state_external(call: Call) -> object:
    async with call.services.database.begin() as connection:
        customer = await live_customer(call, connection, external_id=call.path["external_id"])
    return await _state(call, customer)


async def _state(call: Call, customer: Customer) -> object:
    """The customer with its accounts on active meters, oldest first."""
    rows, _ = await list_customer_meters(
        call.services.database,
        call.services.events,
        organisation_id=call.principal.organisation_id,
        criteria=CustomerMeterCriteria(customer_ids=(customer.id,)),
        sort=(("created_at", False),),
        limit=STATE_METERS_MAX,
    )
    (shown,) = await customers_to_wire(call, [customer])
    return {
        **shown,
        "active_subscriptions": [],
        "granted_benefits": [],
        "active_meters": [convert.account_to_wire(row) for row in rows],
    }


@facade.operation("customer_meters:credits", status=201)
async def create_credit(call: Call) -> object:
    sent = call.parse_body(credit_create)
    customer, meter = await _parties(call, sent)
    event = await credits.credit(
        call.services.events,
        call.services.ingestor,
        customer=customer,
        meter=meter,
        units=sent.units,
        is_rollover=sent.rollover,
        external_id=sent.external_id,
        clock=call.services.clock,
    )
    return (await events_to_wire(call, [event]))[0]


async def _parties(call: Call, sent: CreditCreate) -> tuple[Customer, Meter]:
    """The customer and the meter that a body names. Raises `Invalid` for each that there is not."""
    organisation_id = call.principal.organisation_id
    async with call.services.database.begin() as connection:
        if isinstance(sent, CustomerMeterCreditsIDCreate):
            names: tuple[str, str] = ("customer_id", "meter_id")
            named: tuple[object, object] = (sent.customer_id, sent.meter_id)
            found = await find_customers(connection, organisation_id=organisation_id, ids=[sent.customer_id])
            customer = found.get(sent.customer_id)
            meter = await find_meter(
                connection, organisation_id=organisation_id, id_or_slug=str(sent.meter_id)
            )
        else:
            names = ("external_customer_id", "external_meter_id")
            key, external_id = named = (sent.external_customer_id, sent.external_meter_id)
            by_key = await find_keys(connection, organisation_id=organisation_id, keys=[key])
            customer = by_key.get(key)
            criteria = MeterCriteria(external_ids=(external_id,))
            listed, _ = await list_meters(connection, organisation_id=organisation_id, criteria=criteria)
            meter = listed[0] if listed else None
    issues = []
    if customer is None or customer.deleted_at is not None:
        issues.append(Issue((names[0],), "Customer not found.", names[0], str(named[0])))
    if meter is None or meter.deleted_at is not None or not is_expressible_as(meter, "polar"):
        issues.append(Issue((names[1],), "Meter not found.", names[1], str(named[1])))
    if issues or customer is None or meter is None:
        raise Invalid(" ".join(issue.message for issue in issues), issues=issues)
    return customer, meter


@facade.operation("customer_meters:reverse_credit", status=201)
async def reverse_credit(call: Call) -> object:
    event = await credits.reverse_credit(
        call.services.database,
        call.services.events,
        call.services.ingestor,
        organisation_id=call.principal.organisation_id,
        credit_id=call.path_id("id"),
        clock=call.services.clock,
    )
    return (await events_to_wire(call, [event]))[0]
