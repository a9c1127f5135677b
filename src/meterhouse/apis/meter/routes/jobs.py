"""Jobs: create, execute, get, list, compare, history, batch progress (reference, 8)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar
from uuid import UUID

from starlette.responses import Response

from meterhouse.apis.call import Call
from meterhouse.apis.faults import BadRequest
from meterhouse.apis.meter import facade
from meterhouse.apis.meter.alive import ExecutedJobResponse, executed_response
from meterhouse.apis.meter.convert import (
    batch_to_wire,
    comparison_to_wire,
    history_to_wire,
    job_to_wire,
    progress_to_wire,
)
from meterhouse.apis.meter.inputs import (
    body_id,
    compared_ids,
    page_of,
    query_flag,
    query_id,
    query_number,
    since_of,
    without_nulls,
)
from meterhouse.extraction import service as strategies
from meterhouse.kernel.errors import Invalid, PreconditionFailed
from meterhouse.monitoring import cancel, queries, service
from meterhouse.monitoring.model import Job, JobFilter, JobStatus

T = TypeVar("T")

HISTORY_LIMIT_MAX = 10_000
# Published clients give up after 60 s without a byte.
SILENT_S = 20.0


@facade.operation("create_job", scopes=("jobs:write",), restate=without_nulls)
async def create_job(call: Call) -> object:
    if "url" in call.body:  # the contract sees to it that there is either `url` or `urls`
        return job_to_wire(await _create(call, call.body["url"]))
    services = call.services
    async with services.database.begin() as connection:
        batch = await _refusing_parameters(
            service.create_batch(
                connection,
                organisation_id=call.principal.organisation_id,
                strategy_id=body_id(call, "strategy_id"),
                urls=call.body["urls"],
                parameters=call.body.get("parameters"),
                max_pages=strategies.check_max_pages(call.body.get("max_pages")),
                max_retries=call.body.get("max_retries"),
                now=services.clock.now(),
            )
        )
    return batch_to_wire(batch)


@facade.operation("execute_job", scopes=("jobs:write",), restate=without_nulls)
async def execute_job(call: Call) -> Response:
    """Answer when the job has ended: 422 with its fields when it failed.

    A job that takes longer than `SILENT_S` gets its 200 early and white space while it runs.
    """
    created = await _create(call, call.body["url"])

    async def wait(timeout_s: float) -> Job:
        return await service.wait_for_job(
            call.services.database,
            call.services.signals,
            organisation_id=call.principal.organisation_id,
            job_id=created.id,
            timeout_s=timeout_s,
        )

    job = await wait(min(SILENT_S, service.EXECUTE_TIMEOUT_S))
    if job.status.is_final or service.EXECUTE_TIMEOUT_S <= SILENT_S:
        return executed_response(job)
    return ExecutedJobResponse(wait, timeout_s=service.EXECUTE_TIMEOUT_S - SILENT_S)


@facade.operation("get_job", scopes=("jobs:read",))
async def get_job(call: Call) -> object:
    async with call.services.database.begin() as connection:
        job = await queries.get_job(
            connection, organisation_id=call.principal.organisation_id, job_id=call.path_id("job_id")
        )
    return job_to_wire(job)


@facade.operation("list_jobs", scopes=("jobs:read",))
async def list_jobs(call: Call) -> object:
    limit, offset = page_of(call)
    status = call.query.get("status")
    wanted = JobFilter(
        strategy_id=query_id(call, "strategy_id"),
        schedule_id=query_id(call, "schedule_id"),
        batch_id=query_id(call, "batch_id"),
        status=JobStatus(status) if status else None,
        since=since_of(call),
    )
    with_results = query_flag(call, "include_results", default=True)
    async with call.services.database.begin() as connection:
        found = await queries.list_jobs(
            connection,
            organisation_id=call.principal.organisation_id,
            wanted=wanted,
            limit=limit,
            offset=offset,
            with_results=with_results,
        )
    return [job_to_wire(job, with_results=with_results) for job in found]


@facade.operation("compare_jobs", scopes=("jobs:read",))
async def compare_jobs(call: Call) -> object:
    return await _compare(call, call.path_id("job_id"), call.path_id("other_job_id"))


@facade.operation("compare_jobs_docs", scopes=("jobs:read",))
async def compare_jobs_docs(call: Call) -> object:
    """The documented form, whose fields are not: two ids, newest first, under any of the names in use."""
    job_id, other_job_id = compared_ids(call.body)
    return await _compare(call, job_id, other_job_id)


async def _compare(call: Call, job_id: UUID, other_job_id: UUID) -> object:
    try:
        comparison = await service.compare_jobs(
            call.services.database,
            organisation_id=call.principal.organisation_id,
            job_id=job_id,
            other_job_id=other_job_id,
        )
    except PreconditionFailed as error:
        raise BadRequest(error.message) from error
    return comparison_to_wire(comparison)


@facade.operation("get_strategy_history_legacy", scopes=("jobs:read",))
@facade.operation("get_strategy_history", scopes=("jobs:read",))
async def get_strategy_history(call: Call) -> object:
    organisation_id, strategy_id = call.principal.organisation_id, call.path_id("strategy_id")
    limit = query_number(call, "limit", minimum=1, maximum=HISTORY_LIMIT_MAX) or queries.HISTORY_MAX
    async with call.services.database.begin() as connection:
        await strategies.get_strategy(connection, organisation_id=organisation_id, strategy_id=strategy_id)
        entries = await queries.list_history(
            connection, organisation_id=organisation_id, strategy_id=strategy_id, limit=limit
        )
    return [history_to_wire(entry) for entry in entries]


@facade.operation("get_batch_progress", scopes=("jobs:read",))
async def get_batch_progress(call: Call) -> object:
    async with call.services.database.begin() as connection:
        progress = await queries.get_batch_progress(
            connection, organisation_id=call.principal.organisation_id, batch_id=call.path_id("batch_id")
        )
    return progress_to_wire(progress)


@facade.operation("cancel_job", scopes=("jobs:write",))
async def cancel_job(call: Call) -> object:
    job_id = call.path_id("job_id")
    async with call.services.database.begin() as connection:
        job = await cancel.cancel_job(
            connection,
            organisation_id=call.principal.organisation_id,
            job_id=job_id,
            now=call.services.clock.now(),
        )
    call.services.signals.ended(job_id)
    return job_to_wire(job)


@facade.operation("cancel_batch", scopes=("jobs:write",))
async def cancel_batch(call: Call) -> object:
    async with call.services.database.begin() as connection:
        progress = await cancel.cancel_batch(
            connection,
            organisation_id=call.principal.organisation_id,
            batch_id=call.path_id("batch_id"),
            now=call.services.clock.now(),
        )
    return progress_to_wire(progress)


@facade.operation("delete_job", scopes=("jobs:write",))
async def delete_job(call: Call) -> object:
    async with call.services.database.begin() as connection:
        await cancel.delete_job(
            connection, organisation_id=call.principal.organisation_id, job_id=call.path_id("job_id")
        )
    return {"message": "Job deleted successfully"}


async def _create(call: Call, url: str) -> Job:
    services = call.services
    async with services.database.begin() as connection:
        return await _refusing_parameters(
            service.create_job(
                connection,
                organisation_id=call.principal.organisation_id,
                strategy_id=body_id(call, "strategy_id"),
                url=url,
                parameters=call.body.get("parameters"),
                max_pages=strategies.check_max_pages(call.body.get("max_pages")),
                max_retries=call.body.get("max_retries"),
                now=services.clock.now(),
            )
        )


async def _refusing_parameters(creating: Awaitable[T]) -> T:
    """Parameters for a strategy that takes none are 400 here, other refused values 422 (reference, 7)."""
    try:
        return await creating
    except Invalid as error:
        if error.code == service.PARAMETERS_REFUSED:
            raise BadRequest(error.message, issues=error.issues) from error
        raise
