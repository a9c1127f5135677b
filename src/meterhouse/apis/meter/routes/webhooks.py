"""Webhooks: a test call, the log of messages, sending again, and the outbox (reference, 11)."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.meter import facade
from meterhouse.apis.meter.inputs import page_of, query_id
from meterhouse.apis.meter.schedule_inputs import restate_schedule, webhook_of
from meterhouse.apis.meter.webhook_convert import (
    delivery_to_wire,
    detail_to_wire,
    email_to_wire,
    test_to_wire,
)
from meterhouse.monitoring.announce import sample_notice
from meterhouse.webhooks import service
from meterhouse.webhooks.model import DeliveryFilter, DeliveryStatus


@facade.operation("test_webhook", scopes=("schedules:write",), restate=restate_schedule)
async def test_webhook(call: Call) -> object:
    return await run_test(call)


async def run_test(call: Call) -> object:
    """Send a sample once. A delivery that fails is an answer, not an error."""
    wanted = webhook_of(call.body)
    assert wanted is not None, "the contract asks for webhook_url"
    endpoint, _ = service.endpoint_of(
        wanted.url, kind=wanted.type, secret=wanted.secret, metadata=wanted.metadata
    )
    now = call.services.clock.now()
    notice = sample_notice(endpoint.metadata, now)
    carriers = service.Carriers(call.services.fetcher, call.services.mailer)
    return test_to_wire(await service.send_test(carriers, endpoint, notice, now=now))


@facade.operation("list_webhook_deliveries", scopes=("schedules:read",))
async def list_webhook_deliveries(call: Call) -> object:
    limit, offset = page_of(call)
    status = call.query.get("status")
    wanted = DeliveryFilter(query_id(call, "schedule_id"), DeliveryStatus(status) if status else None)
    async with call.services.database.begin() as connection:
        found = await service.list_deliveries(
            connection,
            organisation_id=call.principal.organisation_id,
            wanted=wanted,
            limit=limit,
            offset=offset,
        )
    return [delivery_to_wire(delivery) for delivery in found]


@facade.operation("get_webhook_delivery", scopes=("schedules:read",))
async def get_webhook_delivery(call: Call) -> object:
    async with call.services.database.begin() as connection:
        delivery = await service.get_delivery(
            connection,
            organisation_id=call.principal.organisation_id,
            delivery_id=call.path_id("delivery_id"),
        )
        attempts = await service.list_attempts(connection, delivery_id=delivery.id)
    return detail_to_wire(delivery, attempts)


@facade.operation("resend_webhook_delivery", scopes=("schedules:write",))
async def resend_webhook_delivery(call: Call) -> object:
    async with call.services.database.begin() as connection:
        delivery = await service.resend(
            connection,
            organisation_id=call.principal.organisation_id,
            delivery_id=call.path_id("delivery_id"),
            now=call.services.clock.now(),
        )
    return delivery_to_wire(delivery)


@facade.operation("list_webhook_outbox", scopes=("schedules:read",))
async def list_webhook_outbox(call: Call) -> object:
    limit, offset = page_of(call)
    async with call.services.database.begin() as connection:
        found = await service.list_deliveries(
            connection,
            organisation_id=call.principal.organisation_id,
            wanted=DeliveryFilter(status=DeliveryStatus.OUTBOX),
            limit=limit,
            offset=offset,
        )
    return [email_to_wire(delivery) for delivery in found]
