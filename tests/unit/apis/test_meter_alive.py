"""The answers of `execute_job`, as messages: early status, white space, and an end or none."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from meterhouse.apis.meter import alive
from meterhouse.kernel.errors import NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.monitoring.model import Job, JobStatus

SCOPE = {"type": "http", "headers": [], "method": "POST", "path": "/api/jobs/execute"}


def job(status: JobStatus, error: str | None = None) -> Job:
    now = datetime(2026, 1, 15, tzinfo=UTC)
    return Job(new_id(), new_id(), new_id(), "https://shop.example/", status, now, error=error)


async def answered(*states: Job | Exception, gone: bool = False) -> list[dict[str, Any]]:
    """What is sent when waiting gives these states one after another."""
    waiting, sent = iter(states), []

    async def wait(timeout_s: float) -> Job:
        state = next(waiting)
        if isinstance(state, Exception):
            raise state
        return state

    async def receive() -> dict[str, Any]:
        if gone:
            return {"type": "http.disconnect"}
        await asyncio.Event().wait()
        raise AssertionError("a connected client sends nothing more")

    async def send(message: Any) -> None:
        sent.append(message)

    response = alive.ExecutedJobResponse(wait, timeout_s=len(states) * alive.PING_S)
    await response(SCOPE, receive, send)  # type: ignore[arg-type]
    return sent


async def test_white_space_until_the_job_has_ended() -> None:
    done = job(JobStatus.COMPLETED)
    start, *pings, end = await answered(job(JobStatus.PENDING), job(JobStatus.RUNNING), done)
    assert start["status"] == 200
    assert (b"content-type", b"application/json") in start["headers"]
    assert not any(name == b"content-length" for name, _ in start["headers"])
    assert [ping["body"] for ping in pings] == [b" "] * 3
    assert end["more_body"] is False
    body = json.loads(b"".join(part["body"] for part in (*pings, end)))
    assert (body["id"], body["status"]) == (str(done.id), "completed")


@pytest.mark.parametrize(
    "states",
    [
        (job(JobStatus.FAILED, "no page"),),
        (job(JobStatus.RUNNING), NotFound("Job not found")),
        (job(JobStatus.RUNNING), job(JobStatus.RUNNING)),
    ],
    ids=["failed", "deleted", "not in time"],
)
async def test_without_a_result_the_body_has_no_end(states: tuple[Job | Exception, ...]) -> None:
    assert all(message.get("more_body", True) for message in await answered(*states))


async def test_nobody_waits_for_a_client_that_left() -> None:
    assert len(await answered(job(JobStatus.RUNNING), job(JobStatus.COMPLETED), gone=True)) == 2


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (job(JobStatus.COMPLETED), 200),
        (job(JobStatus.FAILED, "no page"), 422),
        (job(JobStatus.RUNNING), 504),
    ],
)
def test_the_status_tells_the_outcome(state: Job, status: int) -> None:
    answer = alive.executed_response(state)
    body = json.loads(bytes(answer.body))
    assert answer.status_code == status
    assert body["job_id"] == str(state.id)
    assert bool(body.get("detail")) is (status != 200)
