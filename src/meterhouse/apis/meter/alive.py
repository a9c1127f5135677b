"""The answers of `execute_job`: at once when the job ends soon, else kept alive with white space."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from meterhouse.apis.call import json_response
from meterhouse.apis.meter.convert import job_to_wire
from meterhouse.apis.payload import encode_json
from meterhouse.kernel.errors import NotFound
from meterhouse.monitoring.model import Job, JobStatus

PING_S = 5.0

Wait = Callable[[float], Awaitable[Job]]


def executed_response(job: Job) -> Response:
    """The job as an answer: 200 completed, 422 failed, 504 not ended in time.

    The published client raises only for an error status and shows `detail`; the job's fields are beside it.
    """
    if job.status is JobStatus.COMPLETED:
        return json_response(job_to_wire(job), 200)
    if job.status is JobStatus.FAILED:
        return json_response({"detail": job.error, **job_to_wire(job)}, 422)
    detail = f"The job {job.id} has not ended in time. It goes on; ask for it again under its id."
    return json_response({"detail": detail, **job_to_wire(job)}, 504)


class ExecutedJobResponse(Response):
    """A 200 that sends white space until the job has ended, and then the job.

    The status is already out when the job fails or takes too long, so the body is then left without its
    end: the connection closes, and clients report an error instead of a result (reference, 8.2).
    """

    def __init__(self, wait: Wait, *, timeout_s: float) -> None:
        super().__init__(media_type="application/json")
        self._wait = wait
        self._timeout_s = timeout_s
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        left_s = self._timeout_s
        while left_s > 0:
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            try:
                job = await self._wait(min(PING_S, left_s))
            except NotFound:  # deleted while it ran
                return
            if job.status is JobStatus.COMPLETED:
                await send(
                    {"type": "http.response.body", "body": encode_json(job_to_wire(job)), "more_body": False}
                )
                return
            if job.status.is_final or await request.is_disconnected():
                return
            left_s -= PING_S
