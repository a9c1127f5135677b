"""Jobs beyond the first paths: cancelled, deleted, put off, not modified, and what is said of bad pages."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from meter_sdk import MeterClient, MeterError
from tests.pages import shop_page
from tests.sdk.ours import sdk
from tests.server import ServerProcess
from tests.site import Site
from tests.wire.recorder import Recorder

RUNNING = "running"


@pytest.fixture
def site() -> Iterator[Site]:
    opened = Site()
    opened.pages["/phones"] = shop_page(199, 249, 299)
    yield opened
    opened.close()


@pytest.fixture
def client(server: ServerProcess, recorder: Recorder) -> Iterator[MeterClient]:
    with MeterClient(server.api_key, recorder.url_for("meter-sdk 0.8.0")) as opened:
        yield opened


@pytest.fixture
def strategy(client: MeterClient, site: Site) -> dict[str, Any]:
    made: dict[str, Any] = client.generate_strategy(
        site.url("/phones"),
        "phone titles and prices",
        "Phones",
        output_schema={"title": "string", "price": "number"},
    )
    return made


def until(http: httpx.Client, job_id: str, status: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found: dict[str, Any] = http.get(f"/api/jobs/{job_id}").json()
        if found["status"] == status:
            return found
        time.sleep(0.02)
    raise AssertionError(f"the job did not become {status}: {found}")


class TestCancelling:
    def test_a_running_job(
        self, server: ServerProcess, http: httpx.Client, strategy: dict[str, Any], site: Site
    ) -> None:
        site.delay_s = 5.0
        created = http.post(
            "/api/jobs", json={"strategy_id": strategy["id"], "url": site.url("/phones")}
        ).json()
        until(http, created["id"], RUNNING)
        with sdk.MeterClient(server.api_key, server.base_url) as ours:
            cancelled = ours.cancel_job(created["id"])
            with pytest.raises(sdk.errors.JobCancelledError, match="cancelled"):
                ours.wait_for_job(created["id"])
            with pytest.raises(sdk.errors.ConflictError, match="already ended"):
                ours.cancel_job(created["id"])
        assert (cancelled["status"], cancelled["error_code"]) == ("failed", "cancelled")
        answer = http.post(f"/api/jobs/{created['id']}/cancel")
        assert (answer.status_code, "nothing to cancel" in answer.json()["detail"]) == (409, True)

    def test_who_waits_is_told(
        self, client: MeterClient, http: httpx.Client, strategy: dict[str, Any], site: Site
    ) -> None:
        site.delay_s = 5.0
        said: list[str] = []

        def execute() -> None:
            with pytest.raises(MeterError) as raised:
                client.execute_job(strategy["id"], site.url("/phones"))
            said.append(str(raised.value))

        waiting = threading.Thread(target=execute)
        waiting.start()
        query = {"strategy_id": strategy["id"], "status": RUNNING}
        while not (found := http.get("/api/jobs", params=query).json()):
            time.sleep(0.02)
        assert http.post(f"/api/jobs/{found[0]['id']}/cancel").status_code == 200
        waiting.join(timeout=4)
        assert said == ["API error: The job was cancelled."]

    def test_a_batch_and_deletion(
        self, server: ServerProcess, http: httpx.Client, strategy: dict[str, Any], site: Site
    ) -> None:
        site.delay_s = 5.0
        urls = [site.url("/phones")] * 3
        batch = http.post("/api/jobs", json={"strategy_id": strategy["id"], "urls": urls}).json()
        progress = http.post(f"/api/jobs/batch/{batch['batch_id']}/cancel").json()
        assert (progress["failed"], progress["progress_percent"]) == (3, 100.0)
        assert http.post(f"/api/jobs/batch/{uuid.uuid4()}/cancel").status_code == 404
        with sdk.MeterClient(server.api_key, server.base_url) as ours:
            again = ours.create_job(strategy["id"], urls=urls, max_retries=0, max_pages=1)
            assert ours.cancel_batch(again["batch_id"])["failed"] == 3
        first, second, _ = batch["job_ids"]
        assert http.delete(f"/api/jobs/{first}").json() == {"message": "Job deleted successfully"}
        with sdk.MeterClient(server.api_key, server.base_url) as ours:
            ours.delete_job(second)
            with pytest.raises(sdk.errors.NotFoundError, match="Job not found"):
                ours.delete_job(second)
        assert http.get(f"/api/jobs/{first}").status_code == 404


class TestSites:
    def test_a_page_that_is_not_modified(
        self, client: MeterClient, strategy: dict[str, Any], site: Site
    ) -> None:
        site.headers["etag"] = '"one"'
        first = client.execute_job(strategy["id"], site.url("/phones"))
        second = client.execute_job(strategy["id"], site.url("/phones"))
        assert (first["http_status"], second["http_status"]) == (200, 304)
        assert (second["results"], second["content_hash"], second["has_changes"]) == (
            first["results"],
            first["content_hash"],
            False,
        )

    def test_one_that_wants_to_be_left_alone(
        self, client: MeterClient, http: httpx.Client, strategy: dict[str, Any], site: Site
    ) -> None:
        site.pages["/busy"], site.headers["retry-after"] = 429, "600"
        body = {"strategy_id": strategy["id"], "url": site.url("/busy"), "max_retries": 2}
        job_id = http.post("/api/jobs", json=body).json()["id"]
        deadline = time.monotonic() + 20
        while not (job := http.get(f"/api/jobs/{job_id}").json())["retries"] and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (job["status"], job["error"], job["max_retries"]) == ("pending", None, 2)
        assert "429 Too Many Requests" in job["last_error"]
        assert job["next_attempt_at"] > job["created_at"]
        with pytest.raises(MeterError, match=r"asked to be left alone until .*Z"):
            client.execute_job(strategy["id"], site.url("/phones"))
        answer = http.post(
            "/api/jobs/execute", json={"strategy_id": strategy["id"], "url": site.url("/phones")}
        )
        assert (answer.status_code, 0 < int(answer.headers["retry-after"]) <= 600) == (429, True)
        assert http.post(f"/api/jobs/{job_id}/cancel").status_code == 200


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "answered 401 Unauthorized. The page needs a login"),
        (403, "answered 403 Forbidden. The site refuses automated visits"),
        (404, "answered 404 Not Found. Check the address."),
        (410, "answered 410 Gone. Check the address."),
        (429, "answered 429 Too Many Requests. The site asks for fewer requests; try again later."),
        (500, "answered 500 Internal Server Error. Try again later."),
        (503, "answered 503 Service Unavailable. Try again later."),
    ],
)
def test_what_is_said_of_a_page_that_cannot_be_had(
    client: MeterClient,
    strategy: dict[str, Any],
    site: Site,
    status: int,
    words: str,
) -> None:
    site.pages["/page"] = status
    with pytest.raises(MeterError) as raised:
        client.execute_job(strategy["id"], site.url("/page"))
    assert str(raised.value) == f"API error: The page {site.url('/page')} {words}" + (
        ", which this server does not have." if status == 401 else " to it." if status == 403 else ""
    )


class TestRefusals:
    """What a user of the published client reads names the field and what to do."""

    def test_of_jobs_and_batches(
        self, client: MeterClient, http: httpx.Client, strategy: dict[str, Any], site: Site
    ) -> None:
        good, unknown = site.url("/phones"), str(uuid.uuid4())
        refused: list[tuple[Any, str]] = [
            (lambda: client.create_job(strategy["id"], urls=[good, "nowhere"]), r"urls\[1\].*http"),
            (lambda: client.create_job(strategy["id"], urls=[good] * 10_001), "at most 10000 addresses"),
            (lambda: client.create_job(strategy["id"], urls="x"), "urls: must be"),
            (lambda: client.create_job(strategy["id"], url=good, parameters=[1]), "parameters: must be"),
            (lambda: client.execute_job(strategy["id"], ""), "url"),
            (lambda: client.execute_job("", good), "strategy_id"),
            (lambda: client.get_batch_progress(unknown), "Batch not found"),
            (lambda: client.compare_jobs(unknown, unknown), "Job not found"),
            (lambda: client.list_jobs(status="done"), "status: must be one of"),
            (lambda: client.list_jobs(since="soon"), "since: must be an ISO 8601 time or an age"),
            (lambda: client.list_jobs(limit=1001), "limit: must be at most 1000"),
            (lambda: client.list_jobs(strategy_id="x"), "strategy_id: must be an id"),
        ]
        for calling, words in refused:
            with pytest.raises(MeterError, match=words):
                calling()
        for body, words in (
            ({"url": good, "max_retries": 11}, "max_retries must be a whole number from 0 to 10"),
            ({"urls": [good], "max_retries": "2"}, "max_retries must be"),
        ):
            answer = http.post("/api/jobs", json={"strategy_id": strategy["id"], **body})
            assert (answer.status_code, words in answer.json()["detail"]) == (422, True), answer.text
        for path in (f"/api/jobs/{unknown}/cancel", f"/api/jobs/batch/{unknown}/cancel"):
            assert http.post(path).status_code == 404
        assert http.delete("/api/jobs/x").json()["detail"] == "Job not found"
