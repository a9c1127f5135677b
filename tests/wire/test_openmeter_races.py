"""Requests about one entitlement at the same time: one winner each, and a history without gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx
import openmeter
import pytest
from tests.openmeter_client import cloud_event
from tests.server import ServerProcess
from tests.wire.entitled import CLIENT, Shop, now, opened_shop
from tests.wire.recorder import Recorder

MANY = 6


@pytest.fixture
def shop(recorder: Recorder, server: ServerProcess) -> Iterator[Shop]:
    with openmeter.Client(endpoint=recorder.url_for(CLIENT), token=server.api_key) as client:
        yield opened_shop(client)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as pool:
        return [done.result() for done in [pool.submit(call) for call in calls]]


def test_creates_and_overrides(shop: Shop, http: httpx.Client) -> None:
    base = f"/api/v2/customers/{shop.key}/entitlements"
    answers = at_once(*(lambda: http.post(base, json=shop.metered()) for _ in range(MANY)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * (MANY - 1)
    (first,) = (answer.json() for answer in answers if answer.status_code == 201)
    refused = [answer.json()["extensions"] for answer in answers if answer.status_code == 409]
    assert {extensions["conflictingEntityId"] for extensions in refused} == {first["id"]}
    path = f"{base}/{first['id']}/override"
    answers = at_once(*(lambda: http.put(path, json=shop.metered()) for _ in range(MANY)))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 1
    assert set(statuses) <= {201, 409, 412}
    everything = http.get(base, params={"includeDeleted": True}).json()["items"]
    old, new = sorted(everything, key=lambda item: item["activeFrom"])
    assert (old["id"], old["activeTo"]) == (first["id"], new["activeFrom"])
    assert "activeTo" not in new


def test_resets_while_usage_comes_in(shop: Shop, http: httpx.Client) -> None:
    """However they interleave: what is used is counted once, in the period in which it was used."""
    start = now().replace(second=0, microsecond=0) - timedelta(hours=4)
    reset_at = start + timedelta(hours=2)
    shop.create(
        measureUsageFrom=start.isoformat(), usagePeriod={"interval": "DAY", "anchor": start.isoformat()}
    )
    shop.grant(1000, effectiveAt=start.isoformat(), maxRolloverAmount=1000)
    path = f"/api/v2/customers/{shop.key}/entitlements/{shop.feature.key}"
    times = [start + timedelta(minutes=minute) for minute in range(0, 240, 4)]

    def use(part: int) -> int:
        events = [
            cloud_event(shop.feature.meter_slug, {"value": 1}, subject=shop.key, time=time.isoformat())
            for time in times[part::MANY]
        ]
        shop.client.events.ingest_events(events)
        return 204

    def reset() -> int:
        return http.post(f"{path}/reset", json={"effectiveAt": reset_at.isoformat()}).status_code

    statuses = at_once(*(lambda part=part: use(part) for part in range(MANY)), *(reset for _ in range(MANY)))
    assert sorted(statuses[MANY:]) == [204] + [400] * (MANY - 1)
    value = http.get(f"{path}/value").json()
    assert (value["usage"], value["balance"], value["overage"]) == (30, 940, 0)
    span = {"windowSize": "HOUR", "from": start.isoformat()}
    segments = http.get(f"{path}/history", params=span).json()["burndownHistory"]
    assert sum(segment["usage"] for segment in segments) == len(times)
    bounds = [(segment["period"]["from"], segment["period"]["to"]) for segment in segments]
    assert datetime.fromisoformat(bounds[0][0]) == start
    assert [end for _, end in bounds[:-1]] == [begin for begin, _ in bounds[1:]]
    assert reset_at in [datetime.fromisoformat(begin) for begin, _ in bounds]
