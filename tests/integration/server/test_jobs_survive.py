"""`kill -9` in the middle of a job: nothing is lost, nothing stays stuck, and usage counts once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from meter_sdk import MeterClient
from tests.pages import shop_page
from tests.server import ServerProcess
from tests.site import Site


@pytest.fixture
def site() -> Iterator[Site]:
    opened = Site()
    opened.pages["/phones"] = shop_page(199, 249, 299)
    yield opened
    opened.close()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ServerProcess]:
    started = ServerProcess(tmp_path / "data")
    try:
        yield started.start()
    finally:
        started.close()


def test_jobs_cut_off_by_kill_9_end_after_the_next_start(process: ServerProcess, site: Site) -> None:
    with MeterClient(process.api_key, process.base_url) as client:
        strategy = client.generate_strategy(site.url("/phones"), "phone titles and prices", "Phones")
        site.delay_s = 3.0
        batch = client.create_job(strategy["strategy_id"], urls=[site.url("/phones")] * 20)
        time.sleep(1.0)
        assert client.get_batch_progress(batch["batch_id"])["running"] > 0
    process.kill()
    site.delay_s = 0.0
    process.start()
    with MeterClient(process.api_key, process.base_url) as client:
        ended = [client.wait_for_job(job_id, 0.05, timeout=30) for job_id in batch["job_ids"]]
        assert all(job["item_count"] == 3 and job["has_changes"] is False for job in ended)
        progress = client.get_batch_progress(batch["batch_id"])
        assert (progress["completed"], progress["total"]) == (20, 20)
