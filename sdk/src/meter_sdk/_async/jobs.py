"""Jobs: running strategies, waiting for them, comparing what they found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from .. import _arguments as check
from .._call import Call
from .._config import EXECUTE_TIMEOUT_S
from .._unset import given
from ..errors import JobCancelledError, JobFailedError, OutcomeError, WaitTimeoutError
from .concurrency import sleep, told
from .operations import Operations
from .pages import by_offset, size_of

if TYPE_CHECKING:
    from ..types import meter as types

ONGOING = ("pending", "running", "queued")


class Jobs(Operations):
    """The jobs of the account. Reference: Meter, section 8."""

    async def create_job(
        self,
        strategy_id: str,
        url: str | None = None,
        urls: list[str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        max_pages: int | None = None,
        max_retries: int | None = None,
        request_timeout: float | None = None,
    ) -> types.CreatedJobOrBatch:
        """Start a job on one page, or a batch of jobs on several.

        Args:
            strategy_id: The strategy to run.
            url: The page; or else
            urls: the pages.
            parameters: Overrides of an API strategy's parameters.
            max_pages: How many pages of a list to follow at most.
            max_retries: How often to try again after a failure that may pass, 0 to 10.
            request_timeout: Seconds for this call.

        Returns:
            With `url` the job (`job_id`), with `urls` the batch (`batch_id`, `job_count`).

        Raises:
            ArgumentError: Both or neither of `url` and `urls`.
            NotFoundError: There is no such strategy.
            InvalidRequestError: The strategy takes no such parameters.

        Reference: Meter, section 8.1.
        """
        check.mapping_or_none(parameters, "parameters")
        body = {
            "strategy_id": check.identifier(strategy_id, "strategy_id"),
            **check.one_page_source(url, urls),
            **given(parameters=parameters, max_pages=max_pages, max_retries=max_retries),
        }
        job: types.CreatedJobOrBatch = await self._send(Call("POST", "/api/jobs", body=body, timeout_s=request_timeout))
        return job

    async def execute_job(
        self,
        strategy_id: str,
        url: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        request_timeout: float | None = None,
    ) -> types.ExecutedJob:
        """Run a strategy on a page and wait for the items.

        Args:
            strategy_id: The strategy to run.
            url: The page.
            parameters: Overrides of an API strategy's parameters.
            request_timeout: Seconds for this call; a little more than the hour a server may take by default.

        Returns:
            The completed job with its `results`.

        Raises:
            InvalidRequestError: The job failed; the sentence says why, `body` holds the job.
            IncompleteResponseError: The job failed after more than about 20 seconds, or the connection broke.
            NotFoundError: There is no such strategy.

        Reference: Meter, section 8.2.
        """
        check.mapping_or_none(parameters, "parameters")
        body = {
            "strategy_id": check.identifier(strategy_id, "strategy_id"),
            "url": check.page_url(url),
            **given(parameters=parameters),
        }
        timeout_s = EXECUTE_TIMEOUT_S if request_timeout is None else request_timeout
        job: types.ExecutedJob = await self._send(Call("POST", "/api/jobs/execute", body=body, timeout_s=timeout_s))
        return job

    async def get_job(self, job_id: str, *, request_timeout: float | None = None) -> types.Job:
        """Get one job with its results.

        Args:
            job_id: The job.
            request_timeout: Seconds for this call.

        Returns:
            The job; `results` once it is completed, `error` if it failed.

        Raises:
            NotFoundError: There is no such job.

        Reference: Meter, section 8.3.
        """
        path = f"/api/jobs/{check.segment(job_id, 'job_id')}"
        job: types.Job = await self._send(Call("GET", path, timeout_s=request_timeout))
        return job

    async def list_jobs(
        self,
        strategy_id: str | None = None,
        status: str | None = None,
        since: str | None = None,
        schedule_id: str | None = None,
        limit: int = 20,
        offset: int = 0,
        *,
        batch_id: str | None = None,
        include_results: bool | None = None,
        request_timeout: float | None = None,
    ) -> list[types.JobListItem]:
        """List jobs, newest first. All filters must match.

        Args:
            strategy_id: Only jobs of this strategy.
            status: Only jobs in this state.
            since: Only jobs created since an ISO 8601 instant, or within `24h`, `7d` and the like.
            schedule_id: Only jobs that this schedule started.
            limit: How many at most.
            offset: How many to skip.
            batch_id: Only jobs of this batch.
            include_results: `False` leaves the items out.
            request_timeout: Seconds for this call.

        Returns:
            The jobs; `iter_jobs` walks through all.

        Raises:
            ArgumentError: An argument is malformed.

        Reference: Meter, sections 8.1 and 8.4.
        """
        if status is not None:
            check.choice(status, "status", check.JOB_STATUSES)
        query = given(
            strategy_id=strategy_id,
            status=status,
            since=since,
            schedule_id=schedule_id,
            batch_id=batch_id,
            include_results=include_results,
        )
        jobs: list[types.JobListItem] = await self._send(
            Call("GET", "/api/jobs", query={**query, **check.page(limit, offset)}, timeout_s=request_timeout)
        )
        return jobs

    def iter_jobs(
        self,
        strategy_id: str | None = None,
        status: str | None = None,
        since: str | None = None,
        schedule_id: str | None = None,
        *,
        batch_id: str | None = None,
        include_results: bool | None = None,
        page_size: int = 100,
    ) -> AsyncIterator[types.JobListItem]:
        """Walk through all jobs that match, newest first; the filters are those of `list_jobs`.

        Jobs that are created meanwhile move the rest, so one may come twice: look at its `job_id`.

        Reference: Meter, section 8.4.
        """

        async def fetch(limit: int, offset: int) -> list[Any]:
            return await self.list_jobs(
                strategy_id,
                status,
                since,
                schedule_id,
                limit,
                offset,
                batch_id=batch_id,
                include_results=include_results,
            )

        return by_offset(fetch, size_of(page_size))

    async def list_batch_jobs(
        self, batch_id: str, limit: int = 100, offset: int = 0, *, request_timeout: float | None = None
    ) -> list[types.JobListItem]:
        """List the jobs of a batch. Arguments and errors are those of `list_jobs`.

        Reference: Meter, sections 8.1 and 19, item 11.
        """
        check.segment(batch_id, "batch_id")
        return await self.list_jobs(batch_id=batch_id, limit=limit, offset=offset, request_timeout=request_timeout)

    async def get_batch_progress(self, batch_id: str, *, request_timeout: float | None = None) -> types.BatchProgress:
        """Count the jobs of a batch by state.

        Args:
            batch_id: The batch.
            request_timeout: Seconds for this call.

        Returns:
            The counts, and `progress_percent` from 0 to 100.

        Raises:
            NotFoundError: There is no such batch.

        Reference: Meter, section 8.7.
        """
        path = f"/api/jobs/batch/{check.segment(batch_id, 'batch_id')}"
        progress: types.BatchProgress = await self._send(Call("GET", path, timeout_s=request_timeout))
        return progress

    async def wait_for_job(
        self,
        job_id: str,
        poll_interval: float = 1.0,
        timeout: float | None = None,
        *,
        on_progress: Callable[[types.Job], Any] | None = None,
        request_timeout: float | None = None,
    ) -> types.Job:
        """Wait until a job has ended.

        Args:
            job_id: The job.
            poll_interval: Seconds between looks.
            timeout: Seconds to wait at most; without it as long as the job takes.
            on_progress: Called with the job after each look.
            request_timeout: Seconds for each look.

        Returns:
            The completed job with its `results`.

        Raises:
            JobFailedError: The job failed; `result` holds it.
            JobCancelledError: The job was cancelled.
            OutcomeError: The job has a state that this version does not know.
            WaitTimeoutError: The job has not ended in time; it goes on.

        Reference: Meter, section 8.3.
        """
        check.seconds(poll_interval, "poll_interval")
        deadline = None if timeout is None else monotonic() + timeout
        while True:
            job = await self.get_job(job_id, request_timeout=request_timeout)
            await told(on_progress, job)
            if _job_is_done(job):
                return job
            left_s = poll_interval if deadline is None else deadline - monotonic()
            if left_s <= 0:
                raise WaitTimeoutError(f"Job timed out after {timeout} seconds", result=job)
            await sleep(min(poll_interval, left_s))

    async def cancel_job(self, job_id: str, *, request_timeout: float | None = None) -> types.Job:
        """Cancel a job that has not ended.

        Args:
            job_id: The job.
            request_timeout: Seconds for this call.

        Returns:
            The job.

        Raises:
            ConflictError: The job has already ended.
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 19, item 11.
        """
        path = f"/api/jobs/{check.segment(job_id, 'job_id')}/cancel"
        job: types.Job = await self._send(Call("POST", path, timeout_s=request_timeout))
        return job

    async def cancel_batch(self, batch_id: str, *, request_timeout: float | None = None) -> types.BatchProgress:
        """Cancel those jobs of a batch that have not ended.

        Args:
            batch_id: The batch.
            request_timeout: Seconds for this call.

        Returns:
            The counts; cancelled jobs are among the failed ones.

        Raises:
            NotFoundError: There is no such batch.
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 19, item 26.
        """
        path = f"/api/jobs/batch/{check.segment(batch_id, 'batch_id')}/cancel"
        progress: types.BatchProgress = await self._send(Call("POST", path, timeout_s=request_timeout))
        return progress

    async def delete_job(self, job_id: str, *, request_timeout: float | None = None) -> types.Message:
        """Delete a job with its results.

        Args:
            job_id: The job.
            request_timeout: Seconds for this call.

        Returns:
            A message.

        Raises:
            NotFoundError: There is no such job.
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 19, item 11.
        """
        path = f"/api/jobs/{check.segment(job_id, 'job_id')}"
        message: types.Message = await self._send(Call("DELETE", path, timeout_s=request_timeout))
        return message

    async def compare_jobs(
        self, job_id: str, other_job_id: str, *, request_timeout: float | None = None
    ) -> types.JobComparison:
        """Compare the results of two completed jobs.

        Args:
            job_id: A job, usually the newer one.
            other_job_id: Another one.
            request_timeout: Seconds for this call.

        Returns:
            Whether content and structure match, a similarity, and the changes in words.

        Raises:
            NotFoundError: One of the jobs does not exist.
            InvalidRequestError: One of them is not completed.

        Reference: Meter, section 8.5.
        """
        path = f"/api/jobs/{check.segment(job_id, 'job_id')}/compare/{check.segment(other_job_id, 'other_job_id')}"
        comparison: types.JobComparison = await self._send(Call("GET", path, timeout_s=request_timeout))
        return comparison

    async def get_strategy_history(
        self, strategy_id: str, *, request_timeout: float | None = None
    ) -> list[types.JobHistoryEntry]:
        """List the runs of a strategy in short, newest first.

        Args:
            strategy_id: The strategy.
            request_timeout: Seconds for this call.

        Returns:
            One entry a job, with `has_changes` against the run before.

        Raises:
            NotFoundError: There is no such strategy.

        Reference: Meter, section 8.6.
        """
        path = f"/api/jobs/strategies/{check.segment(strategy_id, 'strategy_id')}/history"
        history: list[types.JobHistoryEntry] = await self._send(Call("GET", path, timeout_s=request_timeout))
        return history


def _job_is_done(job: types.Job) -> bool:
    """Whether a job is completed. Raises for every other way to end, so that nobody waits for ever."""
    status = job.get("status")
    if status == "completed":
        return True
    if status in ONGOING:
        return False
    if status in ("cancelled", "canceled") or job.get("error_code") == "cancelled":
        raise JobCancelledError("Job was cancelled", result=job)
    if status == "failed":
        raise JobFailedError(f"Job failed: {job.get('error')}", result=job)
    raise OutcomeError(f"Job has the unknown status {status!r}", result=job)
