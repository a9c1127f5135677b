"""Strategy groups: members, schedules of all members, a schema for all, a webhook test (reference, 15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meterhouse.apis.call import Call
from meterhouse.apis.faults import RequestInvalid, RequestIssue, summary
from meterhouse.apis.meter import facade
from meterhouse.apis.meter.convert import Wire
from meterhouse.apis.meter.inputs import page_of
from meterhouse.apis.meter.routes.webhooks import run_test
from meterhouse.apis.meter.schedule_inputs import ids_of, restate_schedule, schedule_of
from meterhouse.extraction import groups, regeneration
from meterhouse.extraction.stored import StoredStrategy, StrategyGroup
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring import group_schedules

LIMIT_DEFAULT = 50
# Stands for the members' own addresses while the rest of a group's schedule is checked.
ANY_URL = "https://members.example/"


@facade.operation("create_strategy_group", scopes=("strategies:write",))
async def create_strategy_group(call: Call) -> object:
    async with call.services.database.begin() as connection:
        group = await groups.create_group(
            connection,
            organisation_id=call.principal.organisation_id,
            name=call.body["name"],
            description=call.body.get("description"),
            now=call.services.clock.now(),
        )
    return group_to_wire(group)


@facade.operation("list_strategy_groups", scopes=("strategies:read",))
async def list_strategy_groups(call: Call) -> object:
    limit, offset = page_of(call, default=LIMIT_DEFAULT)
    async with call.services.database.begin() as connection:
        found = await groups.list_groups(
            connection, organisation_id=call.principal.organisation_id, limit=limit, offset=offset
        )
    return [group_to_wire(group) for group in found]


@facade.operation("get_strategy_group", scopes=("strategies:read",))
async def get_strategy_group(call: Call) -> object:
    async with call.services.database.begin() as connection:
        group = await groups.get_group(
            connection, organisation_id=call.principal.organisation_id, group_id=call.path_id("group_id")
        )
        members = await groups.list_members(connection, group_id=group.id)
    return {**group_to_wire(group), "strategies": [_member_to_wire(member) for member in members]}


@facade.operation("update_strategy_group", scopes=("strategies:write",))
async def update_strategy_group(call: Call) -> object:
    changes = {name: call.body[name] for name in ("name", "description") if name in call.body}
    async with call.services.database.begin() as connection:
        group = await groups.update_group(
            connection,
            organisation_id=call.principal.organisation_id,
            group_id=call.path_id("group_id"),
            changes=changes,
            now=call.services.clock.now(),
        )
    return group_to_wire(group)


@facade.operation("delete_strategy_group", scopes=("strategies:write",))
async def delete_strategy_group(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await groups.delete_group(
            connection, organisation_id=call.principal.organisation_id, group_id=call.path_id("group_id")
        )
    return {"message": "Strategy group deleted successfully"}


@facade.operation("add_strategies_to_group", scopes=("strategies:write",))
async def add_strategies_to_group(call: Call) -> object:
    async with call.services.database.begin() as connection:
        count = await groups.add_strategies(
            connection,
            organisation_id=call.principal.organisation_id,
            group_id=call.path_id("group_id"),
            strategy_ids=ids_of(call.body, "strategy_ids"),
        )
    return {"message": f"Added {_strategies(count)} to the group"}


@facade.operation("remove_strategy_from_group", scopes=("strategies:write",))
async def remove_strategy_from_group(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await groups.remove_strategy(
            connection,
            organisation_id=call.principal.organisation_id,
            group_id=call.path_id("group_id"),
            strategy_id=call.path_id("strategy_id"),
        )
    return {"message": "Strategy removed from the group"}


@facade.operation("apply_group_schedule", scopes=("schedules:write",), restate=restate_schedule)
async def apply_group_schedule(call: Call) -> object:
    async with call.services.database.begin() as connection:
        applied = await group_schedules.apply_schedule(
            connection,
            organisation_id=call.principal.organisation_id,
            group_id=call.path_id("group_id"),
            request=schedule_of(call.body, new_id(), url=ANY_URL, urls=None, parameters=_parameters(call)),
            now=call.services.clock.now(),
        )
    count = applied.created + applied.updated
    wire: Wire = {
        "message": f"Schedule applied to {_strategies(count)}",
        "created": applied.created,
        "updated": applied.updated,
    }
    return {**wire, "webhook_secret": applied.new_secret} if applied.new_secret else wire


def _parameters(call: Call) -> Mapping[str, Any] | None:
    """Parameters for all members, an extension: each must know them."""
    given = call.body.get("parameters")
    if given is not None and not isinstance(given, dict):
        issue = RequestIssue(("body", "parameters"), "must be an object", code="type", input=given)
        raise RequestInvalid(summary([issue]), issues=[issue])
    return given or None


@facade.operation("delete_group_schedules", scopes=("schedules:write",))
async def delete_group_schedules(call: Call) -> object:
    async with call.services.database.begin() as connection:
        count = await group_schedules.delete_schedules(
            connection, organisation_id=call.principal.organisation_id, group_id=call.path_id("group_id")
        )
    return {"message": f"Deleted {_schedules(count)}"}


@facade.operation("toggle_group_schedules", scopes=("schedules:write",))
async def toggle_group_schedules(call: Call) -> object:
    enabled = call.body["enabled"]
    async with call.services.database.begin() as connection:
        count = await group_schedules.toggle_schedules(
            connection,
            organisation_id=call.principal.organisation_id,
            group_id=call.path_id("group_id"),
            enabled=enabled,
            now=call.services.clock.now(),
        )
    return {"message": f"{'Enabled' if enabled else 'Disabled'} {_schedules(count)}"}


@facade.operation("apply_group_schema", scopes=("strategies:write",))
async def apply_group_schema(call: Call) -> object:
    async with call.services.database.begin() as connection:
        count = await regeneration.start_regeneration(
            connection,
            call.services.queue,
            organisation_id=call.principal.organisation_id,
            group_id=call.path_id("group_id"),
            output_schema=call.body["output_schema"],
            now=call.services.clock.now(),
        )
    return {"message": f"Regenerating {_strategies(count)}", "strategy_count": count}


@facade.operation("get_schema_progress", scopes=("strategies:read",))
async def get_schema_progress(call: Call) -> object:
    async with call.services.database.begin() as connection:
        found = await regeneration.get_progress(
            connection, organisation_id=call.principal.organisation_id, group_id=call.path_id("group_id")
        )
    return {
        "status": found.status,
        "total": found.total,
        "completed": found.completed,
        "failed": len(found.errors),
        "progress_percent": found.percent,
        "errors": [{"strategy_id": strategy_id, "error": error} for strategy_id, error in found.errors],
    }


@facade.operation("test_group_webhook", scopes=("schedules:write",), restate=restate_schedule)
async def test_group_webhook(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await groups.get_group(
            connection, organisation_id=call.principal.organisation_id, group_id=call.path_id("group_id")
        )
    return await run_test(call)


def group_to_wire(group: StrategyGroup) -> Wire:
    return {
        "id": group.id,
        "group_id": group.id,
        "name": group.name,
        "description": group.description,
        "strategy_count": group.strategy_count,
        "created_at": group.created_at,
        "updated_at": group.updated_at,
    }


def _member_to_wire(strategy: StoredStrategy) -> Wire:
    return {
        "id": strategy.id,
        "strategy_id": strategy.id,
        "name": strategy.name,
        "description": strategy.description,
        "url": strategy.url,
        "created_at": strategy.created_at,
        "updated_at": strategy.updated_at,
    }


def _strategies(count: int) -> str:
    return f"{count} strateg{'y' if count == 1 else 'ies'}"


def _schedules(count: int) -> str:
    return f"{count} schedule{'' if count == 1 else 's'}"
