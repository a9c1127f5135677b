"""Workflows as the Meter facade reads and writes them (reference, 14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from meterhouse.apis.meter.convert import Wire
from meterhouse.apis.meter.inputs import filter_of, without_nulls, wrapped
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.kernel.ids import parse_id
from meterhouse.workflows.model import (
    Edge,
    EdgeDraft,
    InputType,
    Node,
    NodeDraft,
    NodeRun,
    Output,
    RunStatus,
    Summary,
    Workflow,
    WorkflowDraft,
    WorkflowRun,
)
from meterhouse.workflows.schedules import SavedSchedule, WorkflowSchedule
from meterhouse.workflows.service import Changes


def restate_workflow(body: Any) -> Any:
    """A workflow as the contract has it: without nulls, bare conditions wrapped into filters.

    Raises `Invalid` for one without nodes, which is understood and refused (reference, 14.1).
    """
    kept = without_nulls(body)
    if not isinstance(kept, dict):
        return kept
    if kept.get("nodes") == []:
        message = "A workflow needs at least one node; add a node with static_urls."
        raise Invalid(message, issues=(Issue(("nodes",), message),))
    restated = {"nodes": without_nulls, "edges": _restate_edge}
    parts = {
        name: [restate(one) for one in kept[name]]
        for name, restate in restated.items()
        if isinstance(kept.get(name), list)
    }
    return {**kept, **parts}


def restate_changes(body: Any) -> Any:
    """Changes as the contract has them: `null` leaves a name as it is and clears a description."""
    restated = restate_workflow(body)
    cleared = isinstance(body, dict) and body.get("description", "") is None
    return {**restated, "description": None} if cleared else restated


def draft_from_wire(body: Mapping[str, Any]) -> WorkflowDraft:
    nodes, edges = graph_from_wire(body)
    return WorkflowDraft(
        name=body["name"], description=body.get("description") or None, nodes=nodes, edges=edges
    )


def graph_from_wire(body: Mapping[str, Any]) -> tuple[tuple[NodeDraft, ...], tuple[EdgeDraft, ...]]:
    return (
        tuple(_node_from_wire(node, at) for at, node in enumerate(body["nodes"])),
        tuple(
            EdgeDraft(edge["source_node_key"], edge["target_node_key"], filter_of(edge.get("filter_config")))
            for edge in body.get("edges", ())
        ),
    )


def changes_from_wire(body: Mapping[str, Any]) -> Changes:
    changes = Changes()
    if "name" in body:
        changes["name"] = body["name"]
    if "description" in body:
        changes["description"] = body["description"] or None
    if "enabled" in body:
        changes["enabled"] = body["enabled"]
    return changes


def summary_to_wire(summary: Summary) -> Wire:
    return {
        "id": summary.id,
        "workflow_id": summary.id,
        "name": summary.name,
        "description": summary.description,
        "enabled": summary.enabled,
        "node_count": summary.node_count,
        "created_at": summary.created_at,
        "updated_at": summary.updated_at,
    }


def workflow_to_wire(workflow: Workflow) -> Wire:
    return {
        **summary_to_wire(workflow),
        "nodes": [_node_to_wire(node) for node in workflow.nodes],
        "edges": [_edge_to_wire(edge) for edge in workflow.edges],
    }


def listed_run_to_wire(run: WorkflowRun) -> Wire:
    """A run without its nodes and results."""
    return {
        "id": run.id,
        "run_id": run.id,
        "workflow_id": run.workflow_id,
        "status": run.status,
        "force": run.force,
        "schedule_id": run.schedule_id,
        "has_changes": run.has_changes,
        "error": run.error,
        "warnings": run.warnings,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
    }


def run_to_wire(run: WorkflowRun) -> Wire:
    """A run in full. Clients take the length of both lists once it is completed (reference, 14.4)."""
    has_results = run.status in (RunStatus.COMPLETED, RunStatus.FAILED)
    return {
        **listed_run_to_wire(run),
        "node_executions": [_node_run_to_wire(node) for node in run.nodes],
        "final_results": run.final_results if has_results else None,
    }


def output_to_wire(output: Output, *, flat: bool) -> Wire:
    """Items by address; unless flat, below that by the label of the strategy."""
    by_url: dict[str, list[object]] = {}
    grouped: dict[str, dict[str, list[object]]] = {}
    for page in output.pages:
        by_url.setdefault(page.url, []).extend(page.items)
        grouped.setdefault(page.url, {}).setdefault(page.label, []).extend(page.items)
    found: Wire = {"final_results_by_url": by_url} if flat else {"final_results_by_url_grouped": grouped}
    return {
        "run_id": output.run_id,
        "workflow_id": output.workflow_id,
        "completed_at": output.completed_at,
        **found,
    }


def saved_schedule_to_wire(saved: SavedSchedule) -> Wire:
    """A schedule as just written; a secret that was made on the way is shown this once."""
    wire = workflow_schedule_to_wire(saved.schedule)
    return {**wire, "webhook_secret": saved.new_secret} if saved.new_secret else wire


def workflow_schedule_to_wire(schedule: WorkflowSchedule) -> Wire:
    """A schedule without its secret."""
    webhook = schedule.webhook
    return {
        "id": schedule.id,
        "schedule_id": schedule.id,
        "workflow_id": schedule.workflow_id,
        "schedule_type": schedule.recurrence.kind,
        "interval_seconds": schedule.recurrence.interval_s,
        "cron_expression": schedule.recurrence.cron,
        "timezone": schedule.recurrence.timezone,
        "enabled": schedule.enabled,
        "webhook_url": webhook.url if webhook else None,
        "webhook_metadata": webhook.metadata if webhook else None,
        "webhook_type": webhook.type if webhook else None,
        "webhook_only_changes": webhook is not None and webhook.only_changes,
        "next_run_at": schedule.next_at,
        "last_run_at": schedule.last_run_at,
        "last_run_id": schedule.last_run_id,
        "last_skipped_at": schedule.last_skipped_at,
        "created_at": schedule.created_at,
        "updated_at": schedule.updated_at,
    }


def _restate_edge(edge: Any) -> Any:
    kept = without_nulls(edge)
    if isinstance(kept, dict) and "filter_config" in kept:
        config = kept.pop("filter_config")
        return kept if config == {} else {**kept, "filter_config": wrapped(config)}
    return kept


def _node_from_wire(node: Mapping[str, Any], at: int) -> NodeDraft:
    strategy_id = parse_id(node["strategy_id"])
    if strategy_id is None:
        message = f"The strategy_id of the node {node['node_key']!r} is no id (a UUID)."
        raise Invalid(message, issues=(Issue(("nodes", at, "strategy_id"), message),))
    return NodeDraft(
        key=node["node_key"],
        strategy_id=strategy_id,
        input_type=InputType(node["input_type"]),
        static_urls=tuple(node.get("static_urls", ())) or None,
        url_field=node.get("url_field"),
        static_parameters=node.get("static_parameters") or None,
        parameter_config=node.get("parameter_config") or None,
    )


def _node_to_wire(node: Node) -> Wire:
    return {
        "id": node.id,
        "node_key": node.key,
        "strategy_id": node.strategy_id,
        "input_type": node.input_type,
        "static_urls": node.static_urls,
        "url_field": node.url_field,
        "static_parameters": node.static_parameters,
        "parameter_config": node.parameter_config,
    }


def _edge_to_wire(edge: Edge) -> Wire:
    return {
        "id": edge.id,
        "source_node_key": edge.source,
        "target_node_key": edge.target,
        "filter_config": edge.filter_config,
    }


def _node_run_to_wire(node: NodeRun) -> Wire:
    return {
        "id": node.id,
        "node_id": node.node_id,
        "node_key": node.node_key,
        "status": node.status,
        "results": node.results,
        "error": node.error,
        "note": node.note,
        "started_at": node.started_at,
        "completed_at": node.completed_at,
    }
