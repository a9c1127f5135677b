"""Portal tokens, and the questions that their holders may ask (openmeter 9.1)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from meterhouse.apis.call import Call
from meterhouse.apis.facade import bearer_token
from meterhouse.apis.faults import fields_named
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.convert import question_from_wire
from meterhouse.apis.openmeter.filters import second_from_wire
from meterhouse.apis.openmeter.inputs import faults_in
from meterhouse.apis.openmeter.routes.meter_queries import answer
from meterhouse.customers.queries import owners_of
from meterhouse.kernel.clock import Clock, format_instant
from meterhouse.kernel.errors import NotFound, Unauthenticated
from meterhouse.kernel.ids import parse_id, to_ulid
from meterhouse.portal import queries, service
from meterhouse.portal.model import PortalToken
from meterhouse.usage.definition import is_expressible_as
from meterhouse.usage.model import Meter
from meterhouse.usage.queries import get_meter

LIMIT = 25
_FIELDS: dict[str, tuple[str, ...]] = {
    "allowed_meter_slugs": ("allowedMeterSlugs",),
    "expires_at": ("expiresAt",),
}


@facade.operation("createPortalToken", scopes=("portal:write",))
async def create_token(call: Call) -> object:
    with fields_named(_FIELDS):
        async with call.services.database.begin() as connection:
            created = await service.create_token(
                connection,
                organisation_id=call.principal.organisation_id,
                subject=call.body["subject"],
                allowed_meter_slugs=call.body.get("allowedMeterSlugs"),
                expires_at=second_from_wire(call.body.get("expiresAt"), ("body", "expiresAt")),
                clock=call.services.clock,
            )
    return token_to_wire(created.token, call.services.clock) | {"token": created.text}


@facade.operation("listPortalTokens", scopes=("portal:read",))
async def list_tokens(call: Call) -> object:
    async with call.services.database.begin() as connection:
        tokens = await queries.list_tokens(
            connection,
            organisation_id=call.principal.organisation_id,
            limit=call.query.get("limit", LIMIT),
        )
    return [token_to_wire(token, call.services.clock) for token in tokens]


@facade.operation("invalidatePortalTokens", scopes=("portal:write",))
async def invalidate_tokens(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await service.invalidate_tokens(
            connection,
            organisation_id=call.principal.organisation_id,
            token_id=call.body.get("id"),
            subject=call.body.get("subject"),
            clock=call.services.clock,
        )
    return call.no_content()


def token_to_wire(token: PortalToken, clock: Clock) -> dict[str, object]:
    """Write a token without its text."""
    return {
        "id": to_ulid(token.id),
        "subject": token.subject,
        "allowedMeterSlugs": token.allowed_meter_slugs,
        "createdAt": format_instant(token.created_at),
        "expiresAt": format_instant(token.expires_at),
        "expired": token.is_expired(clock.now()),
    }


@facade.operation("queryPortalMeter", is_public=True)
async def query_portal_meter(call: Call) -> Response:
    """Answer about the token's subject alone, whatever else is asked for."""
    async with call.services.database.begin() as connection:
        token = await _holder(call, connection)
        meter = await _meter(call, connection, token)
        customers = await _customers(call, connection, token)
    with faults_in("query"):
        question = question_from_wire(call.query, "query", customers=customers)
    question = replace(question, subjects=(token.subject,))
    return await answer(call, token.organisation_id, meter, question, call.query, "query")


async def _holder(call: Call, connection: AsyncConnection) -> PortalToken:
    text = bearer_token(call.request.scope)
    if text is None:
        raise Unauthenticated("a portal token is required: Authorization: Bearer …", code="missing_token")
    return await queries.authenticate(connection, text=text, now=call.services.clock.now())


async def _meter(call: Call, connection: AsyncConnection, token: PortalToken) -> Meter:
    slug = call.path["meterSlug"]
    if not token.allows(slug):
        raise Unauthenticated(f"meter slug not allowed: {slug[:100]}", code="meter_not_allowed")
    meter = await get_meter(connection, organisation_id=token.organisation_id, id_or_slug=slug)
    if meter.slug != slug or not is_expressible_as(meter, "openmeter"):
        raise NotFound(f"meter not found: {slug[:100]}", code="meter_not_found")
    return meter


async def _customers(
    call: Call, connection: AsyncConnection, token: PortalToken
) -> dict[str, tuple[str, ...]] | None:
    """The subject's own customer if it is among those asked for; others' existence is not told."""
    named = call.query.get("filterCustomerId")
    if not named:
        return None
    owners = await owners_of(connection, organisation_id=token.organisation_id, subjects=[token.subject])
    owner = owners.get(token.subject)
    is_meant = owner is not None and owner.id in map(parse_id, named)
    return {str(owner.id): (token.subject,)} if owner is not None and is_meant else {}
