"""Workflows: define, run, follow, cancel, and read what they gave (reference, 14)."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.faults import BadRequest
from meterhouse.apis.meter import facade
from meterhouse.apis.meter.inputs import page_of, without_nulls
from meterhouse.apis.meter.workflow_wire import (
    changes_from_wire,
    draft_from_wire,
    graph_from_wire,
    listed_run_to_wire,
    output_to_wire,
    restate_changes,
    restate_workflow,
    run_to_wire,
    summary_to_wire,
    workflow_to_wire,
)
from meterhouse.kernel.errors import Invalid
from meterhouse.monitoring.service import PARAMETERS_REFUSED
from meterhouse.workflows import queries, service

WORKFLOWS_DEFAULT = 50


@facade.operation("create_workflow", scopes=("workflows:write",), restate=restate_workflow)
async def create_workflow(call: Call) -> object:
    """Parameters for a strategy that takes none are 400, other refused values 422 (reference, 7)."""
    draft = draft_from_wire(call.body)
    try:
        async with call.services.database.begin() as connection:
            created = await service.create_workflow(
                connection,
                organisation_id=call.principal.organisation_id,
                draft=draft,
                now=call.services.clock.now(),
            )
    except Invalid as error:
        if error.code == PARAMETERS_REFUSED:
            raise BadRequest(error.message, issues=error.issues) from error
        raise
    return workflow_to_wire(created)


@facade.operation("list_workflows", scopes=("workflows:read",))
async def list_workflows(call: Call) -> object:
    limit, offset = page_of(call, default=WORKFLOWS_DEFAULT)
    async with call.services.database.begin() as connection:
        found = await queries.list_workflows(
            connection, organisation_id=call.principal.organisation_id, limit=limit, offset=offset
        )
    return [summary_to_wire(summary) for summary in found]


@facade.operation("get_workflow", scopes=("workflows:read",))
async def get_workflow(call: Call) -> object:
    async with call.services.database.begin() as connection:
        found = await queries.get_workflow(
            connection,
            organisation_id=call.principal.organisation_id,
            workflow_id=call.path_id("workflow_id"),
        )
    return workflow_to_wire(found)


@facade.operation("update_workflow", scopes=("workflows:write",), restate=restate_changes)
async def update_workflow(call: Call) -> object:
    """What the body leaves out stays as it is, although the method is PUT. Nodes come with their edges."""
    which = {"organisation_id": call.principal.organisation_id, "workflow_id": call.path_id("workflow_id")}
    now = call.services.clock.now()
    async with call.services.database.begin() as connection:
        changed = await service.update_workflow(
            connection, changes=changes_from_wire(call.body), now=now, **which
        )
        if "nodes" in call.body:
            nodes, edges = graph_from_wire(call.body)
            changed = await service.replace_graph(connection, nodes=nodes, edges=edges, now=now, **which)
    return summary_to_wire(changed)


@facade.operation("delete_workflow", scopes=("workflows:write",))
async def delete_workflow(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await service.delete_workflow(
            connection,
            organisation_id=call.principal.organisation_id,
            workflow_id=call.path_id("workflow_id"),
        )
    return {"message": "Workflow deleted successfully"}


@facade.operation("run_workflow", scopes=("workflows:write",), restate=without_nulls)
async def run_workflow(call: Call) -> object:
    services = call.services
    async with services.database.begin() as connection:
        started = await service.start_run(
            connection,
            services.queue,
            organisation_id=call.principal.organisation_id,
            workflow_id=call.path_id("workflow_id"),
            force=(call.body or {}).get("force", False),
            now=services.clock.now(),
        )
    return run_to_wire(started)


@facade.operation("list_workflow_runs", scopes=("workflows:read",))
async def list_workflow_runs(call: Call) -> object:
    limit, offset = page_of(call)
    async with call.services.database.begin() as connection:
        found = await queries.list_runs(
            connection,
            organisation_id=call.principal.organisation_id,
            workflow_id=call.path_id("workflow_id"),
            limit=limit,
            offset=offset,
        )
    return [listed_run_to_wire(run) for run in found]


@facade.operation("get_workflow_run", scopes=("workflows:read",))
async def get_workflow_run(call: Call) -> object:
    async with call.services.database.begin() as connection:
        found = await queries.get_run(
            connection,
            organisation_id=call.principal.organisation_id,
            workflow_id=call.path_id("workflow_id"),
            run_id=call.path_id("run_id"),
        )
    return run_to_wire(found)


@facade.operation("cancel_workflow_run", scopes=("workflows:write",))
async def cancel_workflow_run(call: Call) -> object:
    services = call.services
    async with services.database.begin() as connection:
        cancelled = await service.cancel_run(
            connection,
            services.queue,
            organisation_id=call.principal.organisation_id,
            workflow_id=call.path_id("workflow_id"),
            run_id=call.path_id("run_id"),
            now=services.clock.now(),
        )
    return listed_run_to_wire(cancelled)


@facade.operation("get_workflow_output_legacy", scopes=("workflows:read",))
@facade.operation("get_workflow_output", scopes=("workflows:read",))
async def get_workflow_output(call: Call) -> object:
    """What the latest completed run gave; the path of older clients knows no `flat`."""
    async with call.services.database.begin() as connection:
        output = await queries.get_latest_output(
            connection,
            organisation_id=call.principal.organisation_id,
            workflow_id=call.path_id("workflow_id"),
        )
    return output_to_wire(output, flat=call.query.get("flat", False))
