"""Schedules of workflows: create, list, change, delete (reference, 14.6)."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.meter import facade
from meterhouse.apis.meter.schedule_inputs import (
    change_of,
    restate_change,
    restate_schedule,
    text_of,
    webhook_of,
)
from meterhouse.apis.meter.workflow_wire import saved_schedule_to_wire, workflow_schedule_to_wire
from meterhouse.kernel.recurrence import Recurrence
from meterhouse.workflows import schedules


@facade.operation("schedule_workflow", scopes=("workflows:write",), restate=restate_schedule)
async def schedule_workflow(call: Call) -> object:
    workflow_id = call.path_id("workflow_id")
    recurrence = Recurrence.checked(
        interval_s=call.body.get("interval_seconds"),
        cron=call.body.get("cron_expression"),
        timezone=text_of(call.body, "timezone"),
    )
    async with call.services.database.begin() as connection:
        saved = await schedules.create_schedule(
            connection,
            organisation_id=call.principal.organisation_id,
            workflow_id=workflow_id,
            recurrence=recurrence,
            webhook=webhook_of(call.body),
            now=call.services.clock.now(),
        )
    return saved_schedule_to_wire(saved)


@facade.operation("list_workflow_schedules", scopes=("workflows:read",))
async def list_workflow_schedules(call: Call) -> object:
    async with call.services.database.begin() as connection:
        found = await schedules.list_schedules(
            connection,
            organisation_id=call.principal.organisation_id,
            workflow_id=call.path_id("workflow_id"),
        )
    return [workflow_schedule_to_wire(schedule) for schedule in found]


@facade.operation("update_workflow_schedule", scopes=("workflows:write",), restate=restate_change)
async def update_workflow_schedule(call: Call) -> object:
    async with call.services.database.begin() as connection:
        saved = await schedules.update_schedule(
            connection,
            organisation_id=call.principal.organisation_id,
            workflow_id=call.path_id("workflow_id"),
            schedule_id=call.path_id("schedule_id"),
            change=change_of(call.body),
            now=call.services.clock.now(),
        )
    return saved_schedule_to_wire(saved)


@facade.operation("delete_workflow_schedule", scopes=("workflows:write",))
async def delete_workflow_schedule(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await schedules.delete_schedule(
            connection,
            organisation_id=call.principal.organisation_id,
            workflow_id=call.path_id("workflow_id"),
            schedule_id=call.path_id("schedule_id"),
        )
    return {"message": "Workflow schedule deleted successfully"}
