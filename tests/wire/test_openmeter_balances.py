"""Balances with the published client: worked examples of openmeter 4.8, lived through by the clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import openmeter
import pytest
from tests.openmeter_client import cloud_event
from tests.server import ServerProcess
from tests.wire.clocked import clock_of
from tests.wire.conftest import HTTP_TEST
from tests.wire.entitled import CLIENT, Shop, opened_shop

DAY = 24.0
MINUTE = 1 / 60
SECOND = MINUTE / 60


@dataclass
class Story:
    """A shop whose time is counted in hours from the start of an entitlement, at a full hour."""

    shop: Shop
    server: ServerProcess
    start: datetime
    entitlement: Any = None

    @classmethod
    def begin(cls, client: Any, server: ServerProcess, *, aggregation: str = "SUM", **rest: object) -> Story:
        start = clock_of(server).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        story = cls(opened_shop(client, aggregation=aggregation), server, clock_of(server, move_to=start))
        story.entitlement = story.shop.create(**rest)
        return story

    def at(self, hours: float) -> datetime:
        return self.start + timedelta(seconds=round(hours * 3600))

    def move(self, hours: float) -> None:
        clock_of(self.server, move_to=self.at(hours))

    def grants(self, *wanted: tuple[float, float, dict[str, Any]]) -> list[str]:
        """Grant amounts, each from so many hours on."""
        made = [
            self.shop.grant(amount, effectiveAt=self.at(hours).isoformat(), **rest)
            for amount, hours, rest in wanted
        ]
        return [str(grant.id) for grant in made]

    def use(self, *usage: tuple[float, float]) -> None:
        """Report usage: when, and how much."""
        event_type = self.shop.feature.meter_slug
        events = [
            cloud_event(event_type, {"value": amount}, subject=self.shop.key, time=self.at(hours).isoformat())
            for hours, amount in usage
        ]
        self.shop.client.events.ingest_events(events)

    def reset(self, hours: float, **body: object) -> None:
        self.move(hours)
        self.shop.reset(**body)

    def value(self, hours: float) -> dict[str, Any]:
        """The value at a later time."""
        self.move(hours)
        return self.now()

    def now(self) -> dict[str, Any]:
        return dict(self.shop.value())

    def history(self, **rest: Any) -> Any:
        operations = self.shop.client.customer_entitlement_v2
        return operations.get_customer_entitlement_history(
            self.shop.key, self.shop.feature.key, window_size="HOUR", **rest
        )


@pytest.fixture
def begin(clocked_server: ServerProcess, recorder_of: Any) -> Iterator[Any]:
    endpoint = recorder_of(clocked_server.base_url).url_for(CLIENT)
    with openmeter.Client(endpoint=endpoint, token=clocked_server.api_key) as client:
        yield lambda **rest: Story.begin(client, clocked_server, **rest)


def numbers(value: dict[str, Any], *names: str) -> Sequence[float]:
    return [value[name] for name in names or ("usage", "balance", "overage")]


def test_usage_without_grants_is_overage(begin: Any) -> None:
    """Example 1."""
    story = begin()
    story.reset(1)
    story.use((1 + MINUTE, 600))
    value = story.value(2)
    assert numbers(value) == [600, 0, 600]
    assert (value["hasAccess"], value["grantBalances"]) == (False, {})


def test_a_grant_counts_from_when_it_takes_effect(begin: Any) -> None:
    """Example 2."""
    story = begin()
    first, second = story.grants((1000, 0, {}), (1000, 2, {}))
    story.use((MINUTE, 100), (1 + MINUTE, 100))
    value = story.value(1)
    assert numbers(value) == [100, 900, 0]
    assert (value["hasAccess"], value["grantBalances"]) == (True, {first: 900})
    value = story.value(3)
    assert numbers(value, "usage", "balance", "totalAvailableGrantAmount") == [200, 1800, 2000]
    assert value["grantBalances"] == {first: 800, second: 1000}


def test_a_void_grant_stays_burnt(begin: Any) -> None:
    """Example 5, its first segment told by the history."""
    story = begin()
    (grant,) = story.grants((100, 0, {}))
    story.use((0.5, 50), (1.5, 50))
    story.move(1)
    story.shop.client.grants.delete(grant)
    value = story.value(5 * DAY)
    assert numbers(value) == [100, 0, 50]
    segments = story.history()["burndownHistory"]
    assert [segment["usage"] for segment in segments] == [50, 50]
    assert [segment["grantUsages"] for segment in segments] == [[{"grantId": grant, "usage": 50}], []]
    assert [segment["overage"] for segment in segments] == [0, 50]


def test_recurring_grants(begin: Any) -> None:
    """Examples 6 and 15."""
    story = begin()
    story.grants((100, 0, {"recurrence": {"interval": "DAY"}}))
    story.use((1, 120))
    assert story.value(DAY + 1)["balance"] == 80
    story = begin()
    story.grants((100, 0, {"recurrence": {"interval": "DAY"}}))
    story.use((1, 100), (DAY + 1, 90), (2 * DAY + 1, 80))
    value = story.value(3 * DAY)
    assert numbers(value, "usage", "balance", "totalAvailableGrantAmount") == [270, 100, 370]


def test_priorities_and_a_recurrence_of_another_rhythm(begin: Any) -> None:
    """Examples 7 and 8, one after the other."""
    story = begin()
    weekly = {"interval": "WEEK", "anchor": story.at(3 * DAY).isoformat()}
    first, second = story.grants((80, 0, {"priority": 3}), (100, DAY, {"priority": 1, "recurrence": weekly}))
    story.use((1, 20), (DAY - SECOND, 20), (DAY, 20), (3 * DAY, 20))
    assert story.value(10 * DAY - 1)["grantBalances"] == {first: 40, second: 80}
    assert story.value(10 * DAY)["grantBalances"] == {first: 40, second: 100}


@pytest.mark.parametrize(
    ("used", "preserve", "expected"),
    [
        (600, False, {"balance": 500, "overage": 0, "grants": [400, 100]}),
        (2100, True, {"balance": 400, "overage": 0, "grants": [0, 400]}),
        (2600, True, {"balance": 0, "overage": 100, "grants": [0, 0]}),
    ],
)
def test_resets_roll_over(begin: Any, used: float, preserve: bool, expected: dict[str, Any]) -> None:
    """Examples 10, 11 and 12."""
    story = begin()
    rest = {"minRolloverAmount": 500, "maxRolloverAmount": 500} if preserve else {"maxRolloverAmount": 100}
    grants = story.grants(
        (1000, 2, {"priority": 1, "maxRolloverAmount": 1000}), (1000, 2, {"priority": 3} | rest)
    )
    story.use((MINUTE, used))
    story.reset(5, preserveOverage=preserve)
    value = story.now()
    assert numbers(value) == [0, expected["balance"], expected["overage"]]
    assert value["grantBalances"] == dict(zip(grants, expected["grants"], strict=True))


def test_what_does_not_roll_over_and_what_comes_with_the_reset(begin: Any) -> None:
    """Examples 13 and 14."""
    story = begin()
    expiring = {"maxRolloverAmount": 1000, "expiration": {"duration": "HOUR", "count": 5}}
    story.grants((1000, 0, {"maxRolloverAmount": 0}), (1000, 0, expiring))
    story.reset(5)
    assert story.now()["balance"] == 0
    story.grants((1000, 5, {}))
    assert story.now()["balance"] == story.value(5 + MINUTE)["balance"] == 1000


def test_a_gauge_is_held_against_its_limits(begin: Any) -> None:
    """Example 16."""
    story = begin(aggregation="LATEST")
    story.grants(
        (50, 0, {"expiration": {"duration": "HOUR", "count": 1}}), (100, 0, {}), (75, 1, {}), (200, 4, {})
    )
    story.use((0, 15), (1, 30), (2, 10), (3, 20))
    value = story.value(3)
    assert numbers(value, "usage", "balance", "totalAvailableGrantAmount") == [25, 165, 190]
    first, second = story.history()["burndownHistory"]
    assert numbers(first, "balanceAtStart", "usage", "balanceAtEnd") == [150, 15, 135]
    assert numbers(second, "balanceAtStart", "usage", "balanceAtEnd") == [175, 10, 165]


def test_a_history_by_hours(begin: Any) -> None:
    """Example 17."""
    story = begin()
    story.grants((10_000, 0, {}), (10_000, 3, {}), (10_000, 5.5, {}))
    story.use(*((hours + MINUTE, 100) for hours in (0, 2, 3, 5)), (8 + MINUTE, 1100), (12 - SECOND, 100))
    story.move(12)
    history = story.history(from_parameter=story.start, to=story.at(12))
    windows = history["windowedHistory"]
    assert [datetime.fromisoformat(window["period"]["from"]) for window in windows] == [
        story.at(hour) for hour in range(12)
    ]
    assert [window["usage"] for window in windows] == [100, 0, 100, 100, 0, 100, 0, 0, 1100, 0, 0, 100]
    starts = [10_000, 9_900, 9_900, 19_800, 19_700, 19_700, 29_600, 29_600, 29_600, 28_500, 28_500, 28_500]
    assert [window["balanceAtStart"] for window in windows] == starts
    assert len(history["burndownHistory"]) == 3


def test_overage_is_burnt_from_the_next_grant(begin: Any) -> None:
    """Example 19."""
    story = begin()
    first, second = story.grants((500, 0, {"recurrence": {"interval": "MONTH"}}), (8000, 2, {}))
    story.use((1, 1000), (3, 1000))
    value = story.value(4)
    assert numbers(value) == [2000, 6500, 0]
    assert value["grantBalances"] == {first: 0, second: 6500}


def test_what_each_period_brings(begin: Any) -> None:
    """Example 20, and a grant that every period restores."""
    story = begin(usagePeriod={"interval": "DAY"}, issue={"amount": 10})
    story.use((1, 7), (DAY + 1, 25))
    assert numbers(story.value(2)) == [7, 3, 0]
    assert numbers(story.value(DAY)) == [0, 10, 0]
    assert numbers(story.value(DAY + 2)) == [25, 0, 15]
    assert numbers(story.value(2 * DAY + 2)) == [0, 10, 0]
    story = begin()
    anchor = (story.at(13 * MINUTE) - timedelta(days=1)).isoformat()
    body = story.shop.metered(usagePeriod={"interval": "DAY", "anchor": anchor})
    story.move(MINUTE)
    story.shop.client.customer_entitlements_v2.override(story.shop.key, story.shop.feature.key, body)
    lasting = {"maxRolloverAmount": 20, "expiration": {"duration": "DAY", "count": 1}}
    story.grants((10, MINUTE, {"maxRolloverAmount": 0}), (20, MINUTE, lasting))
    assert story.value(10 * MINUTE)["balance"] == 30
    assert story.value(1)["balance"] == 20
    assert story.value(2 * DAY)["balance"] == 0


def test_a_late_event_changes_what_came_after_it(begin: Any) -> None:
    story = begin()
    story.grants((100, 0, {"expiration": {"duration": "HOUR", "count": 2}}), (100, 0, {}))
    story.use((3, 30))
    assert story.value(4)["balance"] == 70
    story.use((1, 120))
    assert numbers(story.now()) == [150, 50, 0]


def test_what_an_entitlement_that_has_ended_allows(begin: Any) -> None:
    story = begin()
    key, feature = story.shop.key, story.shop.feature.key
    story.grants((5, 0, {}))
    assert story.now()["hasAccess"] is True
    named = story.entitlement["id"]
    assert dict(story.shop.value(named, time=story.at(-1))) == {"hasAccess": False}
    story.move(1)
    story.shop.client.customer_entitlements_v2.delete(key, feature)
    assert dict(story.shop.value(named)) == {"hasAccess": False}
    assert story.shop.value(feature, time=story.at(0.5))["balance"] == 5
    assert dict(story.shop.client.customer_entitlement.get_customer_entitlement_value(key, feature)) == {
        "hasAccess": False
    }


def test_crossed_thresholds_are_listed_once(begin: Any, recorder_of: Any) -> None:
    """Of an extension of ours, driven by the clock: each crossing with the value with which it was found."""
    story = begin()
    story.grants((100, 0, {}))
    story.use((0, 81))
    story.move(1)
    story.use((1, 18), (1, 3))
    story.move(2)
    path = f"/api/v2/customers/{story.shop.key}/entitlements/{story.shop.feature.key}/crossings"
    headers = {"Authorization": f"Bearer {story.server.api_key}"}
    url = recorder_of(story.server.base_url).url_for(HTTP_TEST) + path
    page = httpx.get(url, headers=headers).json()
    crossed = [(item["threshold"]["type"], item["threshold"]["value"]) for item in page["items"]]
    assert sorted(crossed) == [("balance_value", 0), ("usage_percentage", 80), ("usage_percentage", 100)]
    first = page["items"][-1]
    assert first["threshold"] == {"type": "usage_percentage", "value": 80}
    assert numbers(first["value"]) == [81, 19, 0]
    assert (first["featureKey"], first["entitlementId"]) == (story.shop.feature.key, story.entitlement["id"])
    assert first["usagePeriod"]["from"] == story.start.isoformat().replace("+00:00", "Z")
    second = httpx.get(url, headers=headers, params={"page": 2, "pageSize": 2}).json()
    assert (second["items"], second["totalCount"]) == ([first], 3)
    missing = httpx.get(url.replace(story.shop.feature.key, "nothing"), headers=headers)
    assert (missing.status_code, missing.json()["extensions"]["code"]) == (404, "entitlement_not_found")
