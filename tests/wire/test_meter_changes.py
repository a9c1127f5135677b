"""Unseen changes, acknowledgement and the changelog, through the published client."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from meter_sdk import MeterError
from tests.wire.clocked import Watched


@pytest.fixture
def schedule(world: Watched) -> str:
    """A schedule that has its baseline and found two changes: Phone B dearer, then Phone D new."""
    made = world.client.create_schedule(world.strategy(), url=world.site.url("/phones"), interval_seconds=60)
    for prices in ((199, 249, 299), (199, 259, 299), (199, 259, 299), (199, 259, 299, 349)):
        world.price(*prices)
        world.move(seconds=61)
    return str(made["id"])


def ids(changes: dict[str, Any]) -> list[str]:
    return [job["job_id"] for job in changes["changes"]]


class TestChanges:
    def test_are_given_out_once_oldest_first(self, world: Watched, schedule: str) -> None:
        newest, _, older, _ = world.jobs(schedule)
        peeked = world.client.get_schedule_changes(schedule, mark_seen=False)
        assert (ids(peeked), peeked["count"], peeked["marked_seen"]) == (
            [older["id"], newest["id"]],
            2,
            False,
        )
        taken = world.client.get_schedule_changes(schedule)
        assert (taken["changes"], taken["marked_seen"]) == (peeked["changes"], True)
        assert taken["changes"][1]["results"][3] == {"title": "Phone D", "price": 349}
        again = world.client.get_schedule_changes(schedule)
        assert (again["changes"], again["count"], again["marked_seen"]) == ([], 0, True)

    def test_readers_at_the_same_time_share_them(self, world: Watched, schedule: str) -> None:
        with ThreadPoolExecutor(8) as pool:
            answers = pool.map(lambda _: world.raw.get(f"/api/schedules/{schedule}/changes"), range(8))
        given_out = [job for answer in answers for job in ids(answer.json())]
        assert len(given_out) == len(set(given_out)) == 2

    def test_a_filter_keeps_items_and_marks_what_it_returns(self, world: Watched, schedule: str) -> None:
        found = world.client.get_schedule_changes(schedule, filter='+"phone d"')
        (job,) = found["changes"]
        assert (job["results"], job["item_count"]) == ([{"title": "Phone D", "price": 349}], 1)
        rest = world.client.get_schedule_changes(schedule)
        assert rest["count"] == 1
        assert rest["changes"][0]["item_count"] == 3

    def test_acknowledging_what_was_processed(self, world: Watched, schedule: str) -> None:
        first, second = ids(world.client.get_schedule_changes(schedule, mark_seen=False))
        path = f"/api/schedules/{schedule}/changes/acknowledge"
        assert world.raw.post(path, json={"job_ids": [first]}).json()["acknowledged"] == 1
        assert world.raw.post(path, json={"job_ids": [first]}).json()["acknowledged"] == 0
        assert ids(world.client.get_schedule_changes(schedule, mark_seen=False)) == [second]
        refused = world.raw.post(path, json={"job_ids": [second, str(uuid.uuid4())]})
        assert (refused.status_code, "Nothing was marked" in refused.json()["detail"]) == (404, True)
        assert world.client.get_schedule_changes(schedule)["count"] == 1

    def test_what_was_seen_by_mistake_is_given_out_again(self, world: Watched, schedule: str) -> None:
        first, second = ids(world.client.get_schedule_changes(schedule))
        path = f"/api/schedules/{schedule}/changes/reopen"
        assert world.raw.post(path, json={"job_ids": [second]}).json()["reopened"] == 1
        assert world.raw.post(path, json={"job_ids": [second]}).json()["reopened"] == 0
        assert ids(world.client.get_schedule_changes(schedule)) == [second]
        refused = world.raw.post(path, json={"job_ids": [first, str(uuid.uuid4())]})
        assert (refused.status_code, "Nothing was marked" in refused.json()["detail"]) == (404, True)

    def test_asking_for_headers_marks_nothing(self, world: Watched, schedule: str) -> None:
        world.raw.head(f"/api/schedules/{schedule}/changes")
        assert world.client.get_schedule_changes(schedule)["count"] == 2


class TestChangelog:
    def test_newest_first_with_items(self, world: Watched, schedule: str) -> None:
        world.client.get_schedule_changes(schedule)
        found = world.client.get_schedule_changelog(schedule)
        assert (found["total"], found["limit"], found["offset"]) == (2, 20, 0)
        newest, older = found["entries"]
        assert (newest["new_items"], newest["removed_items"]) == ([{"title": "Phone D", "price": 349}], [])
        assert (older["new_items_count"], older["removed_items_count"], older["item_count"]) == (1, 1, 3)
        (modified,) = older["modified_items"]
        assert modified["fields"] == {"price": {"before": 249, "after": 259}}

    def test_pages_and_brevity(self, world: Watched, schedule: str) -> None:
        (entry,) = world.client.get_schedule_changelog(schedule, limit=1, offset=1, include_items=False)[
            "entries"
        ]
        assert "new_items" not in entry
        assert entry["new_items_count"] == 1
        assert world.client.get_schedule_changelog(schedule, offset=2)["entries"] == []
        assert world.raw.get(f"/api/schedules/{schedule}/changelog?limit=101").status_code == 422

    def test_a_filter_counts_what_it_keeps(self, world: Watched, schedule: str) -> None:
        found = world.client.get_schedule_changelog(schedule, filter="259")
        assert found["total"] == 1
        (entry,) = found["entries"]
        assert (entry["new_items"], entry["removed_items_count"]) == ([{"title": "Phone B", "price": 259}], 0)
        assert world.client.get_schedule_changelog(schedule, filter="nothing")["entries"] == []


def test_an_unknown_schedule(world: Watched) -> None:
    unknown = str(uuid.uuid4())
    for calling in (world.client.get_schedule_changes, world.client.get_schedule_changelog):
        with pytest.raises(MeterError, match="Schedule not found"):
            calling(unknown)
    acknowledged = world.raw.post(
        f"/api/schedules/{unknown}/changes/acknowledge", json={"job_ids": [unknown]}
    )
    assert acknowledged.status_code == 404
