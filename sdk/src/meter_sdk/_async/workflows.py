"""Workflows: strategies that feed each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Union

from .. import _arguments as check
from .._call import Call
from .._unset import UNSET, changed, clearable, given
from ..errors import (
    ArgumentError,
    OutcomeError,
    WaitTimeoutError,
    WorkflowCancelledError,
    WorkflowFailedError,
)
from ..workflow import Workflow
from .concurrency import sleep, told
from .operations import Operations
from .pages import by_offset, size_of

if TYPE_CHECKING:
    from ..types import meter as types

    WorkflowOrId = Union[Workflow, str]

ONGOING = ("pending", "running", "queued")


class Workflows(Operations):
    """The workflows of the account. Reference: Meter, section 14."""

    async def create_workflow(self, workflow: Workflow, *, request_timeout: float | None = None) -> types.Workflow:
        """Store a workflow.

        Args:
            workflow: What to store; see `Workflow`.
            request_timeout: Seconds for this call.

        Returns:
            The workflow with its `id`.

        Raises:
            ArgumentError: It has no node.
            InvalidRequestError: The graph is malformed.
            NotFoundError: One of its strategies does not exist.

        Reference: Meter, section 14.1.
        """
        made: types.Workflow = await self._send(
            Call("POST", "/api/workflows", body=_graph(workflow), timeout_s=request_timeout)
        )
        return made

    async def list_workflows(
        self, limit: int = 50, offset: int = 0, *, request_timeout: float | None = None
    ) -> list[types.WorkflowListItem]:
        """List workflows, newest first.

        Args:
            limit: How many at most.
            offset: How many to skip.
            request_timeout: Seconds for this call.

        Returns:
            The workflows; `iter_workflows` walks through all.

        Raises:
            ArgumentError: A limit below 1 or a negative offset.

        Reference: Meter, section 14.1.
        """
        workflows: list[types.WorkflowListItem] = await self._send(
            Call("GET", "/api/workflows", query=check.page(limit, offset), timeout_s=request_timeout)
        )
        return workflows

    def iter_workflows(self, page_size: int = 100) -> AsyncIterator[types.WorkflowListItem]:
        """Walk through all workflows, newest first, fetching `page_size` at a time.

        Reference: Meter, section 14.1.
        """
        return by_offset(self.list_workflows, size_of(page_size))

    async def get_workflow(self, workflow_id: str, *, request_timeout: float | None = None) -> types.Workflow:
        """Get one workflow with its nodes and edges.

        Args:
            workflow_id: The workflow.
            request_timeout: Seconds for this call.

        Returns:
            The workflow.

        Raises:
            NotFoundError: There is no such workflow.

        Reference: Meter, section 14.1.
        """
        workflow: types.Workflow = await self._send(Call("GET", path_of(workflow_id), timeout_s=request_timeout))
        return workflow

    @clearable
    async def update_workflow(
        self,
        workflow_id: str,
        name: str | None = None,
        description: str | None = UNSET,
        enabled: bool | None = None,
        *,
        nodes: Sequence[Mapping[str, Any]] | None = None,
        edges: Sequence[Mapping[str, Any]] | None = None,
        request_timeout: float | None = None,
    ) -> types.WorkflowListItem:
        """Change a workflow. What is not given stays.

        Args:
            workflow_id: The workflow.
            name: Another name.
            description: Another description; `None` removes it.
            enabled: Whether its schedules run.
            nodes: All nodes anew, as `Workflow.to_dict` writes them; needs `edges`.
            edges: All edges anew; needs `nodes`.
            request_timeout: Seconds for this call.

        Returns:
            The workflow after the change.

        Raises:
            ArgumentError: An argument is malformed.
            NotFoundError: There is no such workflow.

        Reference: Meter, section 14.2; nodes and edges: section 19, item 11.
        """
        if (nodes is None) != (edges is None):
            raise ArgumentError("nodes and edges change together: give both.")
        if name is not None:
            check.text(name, "name")
        if enabled is not None:
            check.flag(enabled, "enabled")
        body = {
            **given(name=name, enabled=enabled, nodes=nodes, edges=edges),
            **changed(description=description),
        }
        workflow: types.WorkflowListItem = await self._send(
            Call("PUT", path_of(workflow_id), body=body, timeout_s=request_timeout)
        )
        return workflow

    async def replace_workflow_graph(
        self, workflow_id: str, workflow: Workflow, *, request_timeout: float | None = None
    ) -> types.WorkflowListItem:
        """Give a stored workflow the nodes and edges of another one; its runs and schedules stay.

        Args:
            workflow_id: The stored workflow.
            workflow: Where nodes and edges come from.
            request_timeout: Seconds for this call.

        Returns:
            The workflow after the change.

        Raises:
            ArgumentError: It has no node.
            NotFoundError: There is no such workflow, or one of the strategies does not exist.

        Reference: Meter, section 19, item 11.
        """
        graph = _graph(workflow)
        return await self.update_workflow(
            workflow_id, nodes=graph["nodes"], edges=graph["edges"], request_timeout=request_timeout
        )

    async def delete_workflow(self, workflow_id: str, *, request_timeout: float | None = None) -> types.Message:
        """Delete a workflow with its runs and schedules.

        Args:
            workflow_id: The workflow.
            request_timeout: Seconds for this call.

        Returns:
            A message.

        Raises:
            NotFoundError: There is no such workflow.

        Reference: Meter, section 14.2.
        """
        message: types.Message = await self._send(Call("DELETE", path_of(workflow_id), timeout_s=request_timeout))
        return message

    async def run_workflow(
        self,
        workflow_or_id: WorkflowOrId,
        force: bool = False,
        wait: bool = True,
        timeout: float = 3600,
        *,
        on_progress: Callable[[types.WorkflowRun], Any] | None = None,
        request_timeout: float | None = None,
    ) -> types.WorkflowRun:
        """Run a workflow.

        Args:
            workflow_or_id: The id of a stored workflow, or a `Workflow`, which is stored anew by every call.
            force: Run everything, not only what is new or changed.
            wait: Whether to wait for the end.
            timeout: Seconds to wait at most.
            on_progress: Called with the run after each look.
            request_timeout: Seconds for each request.

        Returns:
            The completed run with its `final_results`; without `wait` the started one.

        Raises:
            NotFoundError: There is no such workflow.
            WorkflowFailedError, WorkflowCancelledError, WaitTimeoutError: As `wait_for_workflow`.

        Reference: Meter, sections 14.3 and 14.4.
        """
        check.flag(force, "force")
        if isinstance(workflow_or_id, Workflow):
            made = await self.create_workflow(workflow_or_id, request_timeout=request_timeout)
            workflow_id: str = made["id"]
        else:
            workflow_id = workflow_or_id
        run: types.WorkflowRun = await self._send(
            Call("POST", path_of(workflow_id, "/run"), body={"force": force}, timeout_s=request_timeout)
        )
        if not wait:
            return run
        return await self.wait_for_workflow(
            workflow_id, run["id"], timeout=timeout, on_progress=on_progress, request_timeout=request_timeout
        )

    async def get_workflow_run(
        self, workflow_id: str, run_id: str, *, request_timeout: float | None = None
    ) -> types.WorkflowRun:
        """Get one run with its node executions and results.

        Args:
            workflow_id: The workflow.
            run_id: The run.
            request_timeout: Seconds for this call.

        Returns:
            The run.

        Raises:
            NotFoundError: There is no such run.

        Reference: Meter, section 14.4.
        """
        run: types.WorkflowRun = await self._send(
            Call("GET", _run_path(workflow_id, run_id), timeout_s=request_timeout)
        )
        return run

    async def list_workflow_runs(
        self, workflow_id: str, limit: int = 20, offset: int = 0, *, request_timeout: float | None = None
    ) -> list[types.WorkflowRunListItem]:
        """List the runs of a workflow, newest first, without their results.

        Args:
            workflow_id: The workflow.
            limit: How many at most.
            offset: How many to skip.
            request_timeout: Seconds for this call.

        Returns:
            The runs; `iter_workflow_runs` walks through all.

        Raises:
            NotFoundError: There is no such workflow.

        Reference: Meter, section 14.4.
        """
        query = check.page(limit, offset)
        runs: list[types.WorkflowRunListItem] = await self._send(
            Call("GET", path_of(workflow_id, "/runs"), query=query, timeout_s=request_timeout)
        )
        return runs

    def iter_workflow_runs(self, workflow_id: str, page_size: int = 100) -> AsyncIterator[types.WorkflowRunListItem]:
        """Walk through all runs of a workflow, newest first, fetching `page_size` at a time.

        Reference: Meter, section 14.4.
        """

        async def fetch(limit: int, offset: int) -> list[Any]:
            return await self.list_workflow_runs(workflow_id, limit, offset)

        return by_offset(fetch, size_of(page_size))

    async def cancel_workflow_run(
        self, workflow_id: str, run_id: str, *, request_timeout: float | None = None
    ) -> types.WorkflowRunListItem:
        """Cancel a run.

        Args:
            workflow_id: The workflow.
            run_id: The run.
            request_timeout: Seconds for this call.

        Returns:
            The run.

        Raises:
            NotFoundError: There is no such run.
            ConflictError: It has already ended.

        Reference: Meter, section 14.4.
        """
        run: types.WorkflowRunListItem = await self._send(
            Call("POST", f"{_run_path(workflow_id, run_id)}/cancel", timeout_s=request_timeout)
        )
        return run

    async def wait_for_workflow(
        self,
        workflow_id: str,
        run_id: str,
        poll_interval: float = 5.0,
        timeout: float = 3600,
        *,
        on_progress: Callable[[types.WorkflowRun], Any] | None = None,
        request_timeout: float | None = None,
    ) -> types.WorkflowRun:
        """Wait until a run has ended.

        Args:
            workflow_id: The workflow.
            run_id: The run.
            poll_interval: Seconds between looks.
            timeout: Seconds to wait at most.
            on_progress: Called with the run after each look.
            request_timeout: Seconds for each look.

        Returns:
            The run: `completed`, or `partial` where a server has that state.

        Raises:
            WorkflowFailedError: The run failed; `result` holds it.
            WorkflowCancelledError: The run was cancelled.
            OutcomeError: The run has a state that this version does not know.
            WaitTimeoutError: The run has not ended in time; it goes on.

        Reference: Meter, section 14.4.
        """
        check.seconds(poll_interval, "poll_interval")
        deadline = monotonic() + timeout
        while True:
            run = await self.get_workflow_run(workflow_id, run_id, request_timeout=request_timeout)
            await told(on_progress, run)
            if _run_is_done(run):
                return run
            left_s = deadline - monotonic()
            if left_s <= 0:
                raise WaitTimeoutError(f"Workflow run timed out after {timeout} seconds", result=run)
            await sleep(min(poll_interval, left_s))

    async def get_workflow_output(
        self, workflow_id: str, flat: bool = False, *, request_timeout: float | None = None
    ) -> types.WorkflowOutput:
        """Get the results of the latest completed run by page.

        Args:
            workflow_id: The workflow.
            flat: Without the strategies' labels between page and items.
            request_timeout: Seconds for this call.

        Returns:
            `final_results_by_url_grouped`, or `final_results_by_url` with `flat`.

        Raises:
            NotFoundError: There is no such workflow, or no completed run.

        Reference: Meter, section 14.5.
        """
        query = {"flat": "true"} if check.flag(flat, "flat") else None
        output: types.WorkflowOutput = await self._send(
            Call("GET", path_of(workflow_id, "/runs/latest/output"), query=query, timeout_s=request_timeout)
        )
        return output


def path_of(workflow_id: str, rest: str = "") -> str:
    return f"/api/workflows/{check.segment(workflow_id, 'workflow_id')}{rest}"


def _run_path(workflow_id: str, run_id: str) -> str:
    return path_of(workflow_id, f"/runs/{check.segment(run_id, 'run_id')}")


def _graph(workflow: Any) -> dict[str, Any]:
    """A workflow as a body. Anything with a `to_dict` will do, so that subclasses and doubles do."""
    if not hasattr(workflow, "to_dict"):
        raise ArgumentError(f"workflow must be a Workflow, not {type(workflow).__name__}.")
    graph: dict[str, Any] = workflow.to_dict()
    if not graph.get("nodes"):
        raise ArgumentError("The workflow has no node: begin with workflow.start(…).")
    return graph


def _run_is_done(run: types.WorkflowRun) -> bool:
    """Whether a run has brought results. Raises for every other way to end."""
    status: str | None = run.get("status")
    if status in ("completed", "partial"):
        return True
    if status in ONGOING:
        return False
    if status == "failed":
        raise WorkflowFailedError(f"Workflow run failed: {run.get('error')}", result=run)
    if status in ("cancelled", "canceled"):
        raise WorkflowCancelledError("Workflow run was cancelled", result=run)
    raise OutcomeError(f"Workflow run has the unknown status {status!r}", result=run)
