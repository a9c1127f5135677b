"""Pages that are not modified, are rebuilt, or lose a field: none of these is a change of the records."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select
from tests.integration.monitoring.conftest import Bench
from tests.pages import SHOP, shop_page

from meterhouse.extraction import service as extraction
from meterhouse.monitoring.changes import difference
from meterhouse.monitoring.model import Job, JobStatus
from meterhouse.monitoring.rules import STANDARD
from meterhouse.monitoring.tables import jobs

PRICES = (199, 249, 299, 349)
REBUILT = (
    shop_page(*PRICES)
    .replace('<li class="product">', '<div class="tile"><b>')
    .replace("</li>", "</b></div>")
    .replace('class="price"', 'class="amount"')
    .replace('class="title"', 'class="label"')
)


def verdict(job: Job) -> tuple[JobStatus, bool | None, int | None]:
    return job.status, job.has_changes, job.item_count


class TestNotModified:
    async def test_the_page_is_not_read_again(self, bench: Bench) -> None:
        bench.fetcher.headers |= {"etag": '"1"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
        strategy = await bench.generate()
        first, second = await bench.run(strategy), await bench.run(strategy)
        assert bench.fetcher.conditions[-1] == {
            "if-none-match": '"1"',
            "if-modified-since": "Thu, 01 Jan 2026 00:00:00 GMT",
        }
        assert verdict(second) == (JobStatus.COMPLETED, False, 3)
        assert (second.results, second.content_hash) == (first.results, first.content_hash)
        assert (second.http_status, second.previous_job_id) == (304, first.id)
        third = await bench.run(strategy)
        assert (third.http_status, third.previous_job_id) == (304, second.id)

    async def test_a_change_is_read(self, bench: Bench) -> None:
        bench.fetcher.headers["etag"] = '"1"'
        strategy = await bench.generate()
        await bench.run(strategy)
        bench.fetcher.pages[SHOP], bench.fetcher.headers["etag"] = shop_page(1, 2, 3), '"2"'
        assert verdict(await bench.run(strategy)) == (JobStatus.COMPLETED, True, 3)

    async def test_no_site_is_believed_for_longer_than_a_day(self, bench: Bench) -> None:
        bench.fetcher.headers["etag"] = '"for ever"'
        strategy = await bench.generate()
        await bench.run(strategy)
        bench.fetcher.pages[SHOP] = shop_page(1, 2, 3)
        bench.wait(hours=23)
        assert (await bench.run(strategy)).http_status == 304
        bench.wait(hours=1)
        assert verdict(await bench.run(strategy)) == (JobStatus.COMPLETED, True, 3)

    async def test_another_version_of_the_strategy_reads_for_itself(self, bench: Bench) -> None:
        bench.fetcher.headers["etag"] = '"1"'
        strategy = await bench.generate()
        (name,) = [key for key in ((await bench.run(strategy)).results or [])[0] if "price" in key]
        await extraction.update_filter(
            bench.database,
            bench.runner.sources.extractor,
            organisation_id=bench.organisation_id,
            strategy_id=strategy.id,
            filter_config={"conditions": [{"field": name, "operator": "gt", "value": 200}]},
            clock=bench.clock,
        )
        job = await bench.run(strategy)
        assert (job.http_status, job.item_count) == (200, 2)

    async def test_several_pages_are_read_always(self, bench: Bench) -> None:
        bench.fetcher.headers["etag"] = '"1"'
        strategy = await bench.generate()
        for _ in range(2):
            assert (await bench.run(strategy, max_pages=2)).http_status == 200


class TestRebuilt:
    async def test_items_go_on_and_nothing_has_changed(self, bench: Bench) -> None:
        bench.fetcher.pages[SHOP] = shop_page(*PRICES)
        strategy = await bench.generate()
        first = await bench.run(strategy)
        bench.fetcher.pages[SHOP] = REBUILT
        mended = await bench.run(strategy)
        assert verdict(mended) == (JobStatus.COMPLETED, False, 4)
        assert (mended.results, mended.previous_job_id) == (first.results, first.id)
        assert mended.evidence is not None
        assert mended.evidence["repair"]["how"] in ("mined", "alternates")  # type: ignore[index]
        plain = await bench.run(strategy)
        assert (verdict(plain), plain.evidence) == ((JobStatus.COMPLETED, False, 4), None)
        bench.fetcher.pages[SHOP] = REBUILT.replace("$199.00", "$189.00")
        assert verdict(await bench.run(strategy)) == (JobStatus.COMPLETED, True, 4)

    async def test_other_records_fail_with_evidence_and_the_plan_stays(self, bench: Bench) -> None:
        bench.fetcher.pages[SHOP] = shop_page(*PRICES)
        strategy = await bench.generate()
        await bench.run(strategy)
        bench.fetcher.pages[SHOP] = REBUILT.replace("Phone", "Pedal boat").replace("$", "No. ")
        failed = await bench.run(strategy)
        assert (failed.status, failed.error_code, failed.has_changes) == (
            JobStatus.FAILED,
            "structure_changed",
            None,
        )
        assert failed.evidence
        bench.fetcher.pages[SHOP] = shop_page(*PRICES)
        assert verdict(await bench.run(strategy)) == (JobStatus.COMPLETED, False, 4)


class TestLost:
    async def test_a_field_that_goes_and_comes_back_is_no_change(self, bench: Bench) -> None:
        bench.fetcher.pages[SHOP] = shop_page(*PRICES)
        strategy = await bench.generate()
        await bench.run(strategy)
        without = re.sub('"price">.*?<', '"price">on request<', shop_page(*PRICES))
        bench.fetcher.pages[SHOP] = without
        lost, again = await bench.run(strategy), await bench.run(strategy)
        assert verdict(lost) == verdict(again) == (JobStatus.COMPLETED, False, 4)
        (name,) = lost.lost_fields or ()
        assert (lost.evidence or {})["lost"] == [name]
        bench.fetcher.pages[SHOP] = shop_page(*PRICES)
        back = await bench.run(strategy)
        assert (verdict(back), back.lost_fields) == ((JobStatus.COMPLETED, False, 4), None)

    async def test_what_else_changes_is_a_change_and_only_that_is_shown(self, bench: Bench) -> None:
        bench.fetcher.pages[SHOP] = shop_page(*PRICES)
        strategy = await bench.generate()
        first = await bench.run(strategy)
        without = re.sub('"price">.*?<', '"price">on request<', shop_page(*PRICES))
        bench.fetcher.pages[SHOP] = without.replace("Phone D", "Phone Z")
        changed = await bench.run(strategy)
        assert verdict(changed) == (JobStatus.COMPLETED, True, 4)
        found = difference(changed.results or [], first.results, changed.lost_fields or (), STANDARD)
        assert (found.unchanged, len(found.new_items), len(found.removed_items)) == (3, 1, 1)


@pytest.mark.parametrize("page", [429, 403, 500, "<html><body></body></html>"])
async def test_nothing_read_is_nothing_changed(bench: Bench, page: int | str) -> None:
    strategy = await bench.generate()
    await bench.run(strategy)
    good = bench.fetcher.pages[SHOP]
    bench.fetcher.pages[SHOP] = page
    failed = await bench.run(strategy)
    assert (failed.status, failed.has_changes) == (JobStatus.FAILED, None)
    bench.fetcher.pages[SHOP] = good
    assert verdict(await bench.run(strategy)) == (JobStatus.COMPLETED, False, 3)
    async with bench.database.begin() as connection:
        read_at = await connection.scalar(select(jobs.c.read_at).where(jobs.c.id == failed.id))
    assert read_at is None
    assert bench.clock.now() - failed.created_at < timedelta(minutes=1)
