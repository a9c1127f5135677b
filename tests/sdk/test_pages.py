"""Iterators over pages, whichever way a list is paged."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from tests.sdk.ours import sdk


class TestPages:
    def test_offsets(self, client: Any, wire: Any) -> None:
        wire.answers = [[{"n": 1}, {"n": 2}], [{"n": 3}]]
        assert [job["n"] for job in client.iter_jobs("s", page_size=2)] == [1, 2, 3]
        assert [dict(request.url.params)["offset"] for request in wire.requests] == ["0", "2"]

    @pytest.mark.parametrize(
        ("call", "key"),
        [
            (lambda c: c.iter_strategies(2), None),
            (lambda c: c.iter_workflows(2), None),
            (lambda c: c.iter_workflow_runs("w", 2), None),
            (lambda c: c.iter_strategy_groups(2), None),
            (lambda c: c.iter_schedule_changelog("c", page_size=2), "entries"),
        ],
    )
    def test_every_list_of_collecting(self, client: Any, wire: Any, call: Any, key: str | None) -> None:
        pages: list[Any] = [[{}, {}], [{}, {}], []]
        wire.answers = [{key: page} if key else page for page in pages]
        assert len(list(call(client))) == 4
        assert len(wire.requests) == 3

    def test_nothing_is_fetched_before_it_is_needed(self, client: Any, wire: Any) -> None:
        wire.answers = [[{}, {}]] * 10
        iterator = client.iter_jobs(page_size=2)
        assert wire.requests == []
        assert len(list(itertools.islice(iterator, 3))) == 3
        assert len(wire.requests) == 2

    def test_numbered_pages(self, client: Any, wire: Any) -> None:
        wire.answers = [
            {"items": [1, 2], "page": 1, "pageSize": 2, "totalCount": 3},
            {"items": [3], "page": 2, "pageSize": 2, "totalCount": 3},
        ]
        assert list(client.billing.iter_invoices(page_size=2, include_deleted=True)) == [1, 2, 3]
        assert wire.query == {"includeDeleted": "true", "page": "2", "pageSize": "2"}

    def test_a_full_last_page_asks_no_more(self, client: Any, wire: Any) -> None:
        wire.answers = [{"items": [1, 2], "page": 1, "pageSize": 2, "totalCount": 2}]
        assert list(client.customer.iter_all(page_size=2)) == [1, 2]
        assert len(wire.requests) == 1

    def test_bare_lists(self, client: Any, wire: Any) -> None:
        wire.answers = [[1, 2], [3]]
        assert list(client.meters.iter_all(page_size=2)) == [1, 2, 3]

    def test_cursors(self, client: Any, wire: Any) -> None:
        wire.answers = [{"items": [1], "nextCursor": "c"}, {"items": []}]
        assert list(client.events_v2.iter_all(page_size=1)) == [1]
        assert wire.query == {"cursor": "c", "limit": "1"}

    def test_polar_pages(self, client: Any, wire: Any) -> None:
        wire.answers = [
            {"items": [1], "pagination": {"total_count": 2, "max_page": 2}},
            {"items": [2], "pagination": {"total_count": 2, "max_page": 2}},
        ]
        assert list(client.polar.meters.iter_all(page_size=1, query="q")) == [1, 2]
        wire.answers = [{"items": [1], "pagination": {"total_count": 1, "max_page": 1}}]
        assert list(client.meters.iter_events("m")) == [1]

    def test_asynchronously(self, wire: Any) -> None:
        wire.answers = [[1, 2], [3]]

        async def walk() -> list[Any]:
            async with sdk.AsyncMeterClient("k", "http://server.test", transport=wire.transport) as client:
                return [job async for job in client.iter_jobs(page_size=2)]

        assert asyncio.run(walk()) == [1, 2, 3]
