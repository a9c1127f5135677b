"""Schedules: create, list, get, change, delete, and the secret of their webhook (reference, 10 and 11.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from starlette.responses import Response

from meterhouse.apis.call import Call
from meterhouse.apis.faults import BadRequest
from meterhouse.apis.meter import facade
from meterhouse.apis.meter.convert import batch_to_wire
from meterhouse.apis.meter.inputs import LIMIT_MAX, OFFSET_MAX, body_id, query_number
from meterhouse.apis.meter.schedule_convert import saved_to_wire, schedule_to_wire
from meterhouse.apis.meter.schedule_inputs import change_of, restate_change, restate_schedule, schedule_of
from meterhouse.apis.payload import encode_json
from meterhouse.kernel.errors import Invalid, PreconditionFailed
from meterhouse.monitoring import schedules
from meterhouse.monitoring.schedules_due import run_now
from meterhouse.monitoring.schedules_model import Schedule
from meterhouse.monitoring.service import PARAMETERS_REFUSED

T = TypeVar("T")


@facade.operation("create_schedule", scopes=("schedules:write",), restate=restate_schedule)
async def create_schedule(call: Call) -> object:
    request = schedule_of(call.body, body_id(call, "strategy_id"))
    async with call.services.database.begin() as connection:
        saved = await refusing(
            schedules.create_schedule(
                connection,
                organisation_id=call.principal.organisation_id,
                request=request,
                now=call.services.clock.now(),
            )
        )
    return saved_to_wire(saved)


@facade.operation("list_schedules", scopes=("schedules:read",))
async def list_schedules(call: Call) -> Response:
    """All of them, as the reference wants it, unless `limit` is given (reference, 2.4).

    Ten thousand are megabytes: they are read and written a part at a time, so that nobody else waits.
    """
    limit = query_number(call, "limit", minimum=1, maximum=LIMIT_MAX)
    offset = query_number(call, "offset", minimum=0, maximum=OFFSET_MAX) or 0
    parts: list[bytes] = []
    async with call.services.database.begin() as connection:
        async for some in schedules.list_schedules(
            connection, organisation_id=call.principal.organisation_id, limit=limit, offset=offset
        ):
            parts.append(await asyncio.to_thread(_encoded, some))
    return Response(b"[" + b",".join(parts) + b"]", media_type="application/json")


def _encoded(some: Sequence[Schedule]) -> bytes:
    """The inside of a JSON array."""
    return encode_json([schedule_to_wire(schedule) for schedule in some])[1:-1]


@facade.operation("get_schedule", scopes=("schedules:read",))
async def get_schedule(call: Call) -> object:
    async with call.services.database.begin() as connection:
        found = await schedules.get_schedule(
            connection,
            organisation_id=call.principal.organisation_id,
            schedule_id=call.path_id("schedule_id"),
        )
    return schedule_to_wire(found)


@facade.operation("update_schedule", scopes=("schedules:write",), restate=restate_change)
async def update_schedule(call: Call) -> object:
    change = change_of(call.body)
    async with call.services.database.begin() as connection:
        saved = await refusing(
            schedules.update_schedule(
                connection,
                organisation_id=call.principal.organisation_id,
                schedule_id=call.path_id("schedule_id"),
                change=change,
                now=call.services.clock.now(),
            )
        )
    return saved_to_wire(saved)


@facade.operation("delete_schedule", scopes=("schedules:write",))
async def delete_schedule(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await schedules.delete_schedule(
            connection,
            organisation_id=call.principal.organisation_id,
            schedule_id=call.path_id("schedule_id"),
        )
    return {"message": "Schedule deleted successfully"}


@facade.operation("run_schedule", scopes=("jobs:write",))
async def run_schedule(call: Call) -> object:
    """Run a schedule now, beside its plan."""
    async with call.services.database.begin() as connection:
        batch = await run_now(
            connection,
            organisation_id=call.principal.organisation_id,
            schedule_id=call.path_id("schedule_id"),
            now=call.services.clock.now(),
        )
    return batch_to_wire(batch)


@facade.operation("regenerate_webhook_secret", scopes=("schedules:write",))
async def regenerate_webhook_secret(call: Call) -> object:
    schedule_id = call.path_id("schedule_id")
    try:
        async with call.services.database.begin() as connection:
            secret = await schedules.regenerate_secret(
                connection,
                organisation_id=call.principal.organisation_id,
                schedule_id=schedule_id,
                now=call.services.clock.now(),
            )
    except PreconditionFailed as error:
        raise BadRequest(error.message) from error
    return {"schedule_id": schedule_id, "webhook_secret": secret}


async def refusing(work: Awaitable[T]) -> T:
    """Parameters for a strategy that takes none are 400 here, other refused values 422 (reference, 7)."""
    try:
        return await work
    except Invalid as error:
        if error.code == PARAMETERS_REFUSED:
            raise BadRequest(error.message, issues=error.issues) from error
        raise
