"""Customer meters, state and credits over HTTP (polar 10 and 11.4): always fresh, always exact."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class Desk:
    """One customer, and meters over events of one name of its own."""

    http: httpx.Client
    word: str
    customer: str

    def meter(self, func: str = "sum", **rest: Any) -> str:
        clauses = [{"property": "name", "operator": "eq", "value": self.word}]
        aggregation = {"func": func} if func == "count" else {"func": func, "property": "v"}
        body = {
            "name": f"{func} {self.word}",
            "filter": {"conjunction": "and", "clauses": clauses},
            "aggregation": aggregation,
        }
        answer = self.http.post("/v1/meters/", json=body | rest)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def use(self, *values: Any, by: str = "key", **rest: Any) -> None:
        """One event per value, by the customer under one of its identifiers."""
        owner = {"customer_id": self.customer} if by == "id" else {"external_customer_id": self.word}
        events = [{"name": self.word, "metadata": {"v": value}} | owner | rest for value in values]
        answer = self.http.post("/v1/events/ingest", json={"events": events})
        assert answer.status_code == 200, answer.text

    def system(self, name: str, at: datetime, **data: Any) -> None:
        """An event of the system, as billing makes them; it comes in through a file."""
        times = {"time": at.isoformat(), "ingested_at": at.isoformat()}
        self.send({"type": name, "origin": "system", "data": data} | times)

    def send(self, *rows: dict[str, Any]) -> None:
        """Events that name the customer by our id, through a file."""
        owned = {"source": "tests", "subject": "", "customer_id": self.customer}
        lines = "\n".join(json.dumps({"id": str(uuid4())} | owned | row) for row in rows)
        answer = self.http.post("/api/v1/events/import?format=jsonl", content=lines)
        assert answer.status_code == 200, answer.text

    def reset(self, meter: str, at: datetime | None = None) -> None:
        self.system("meter.reset", at or self.now(), meter_id=meter)

    def now(self) -> datetime:
        """The server's time, which may be a test clock's: that of a fresh event."""
        event = {"name": f"clock {self.word}", "external_customer_id": "clock", "external_id": str(uuid4())}
        self.http.post("/v1/events/ingest", json={"events": [event]})
        (stored, *_) = self.http.get("/v1/events/", params={"name": event["name"]}).json()["items"]
        return datetime.fromisoformat(stored["timestamp"])

    def credit(self, meter: str, units: int, **rest: Any) -> dict[str, Any]:
        body = {"customer_id": self.customer, "meter_id": meter, "units": units} | rest
        answer = self.http.post("/v1/customer-meters/credits", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def rows(self, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for page in itertools.count(1):
            query = {"customer_id": self.customer, "limit": 100, "page": page} | params
            answer = self.http.get("/v1/customer-meters/", params=query)
            assert answer.status_code == 200, answer.text
            found += answer.json()["items"]
            if page >= answer.json()["pagination"]["max_page"]:
                return found
        raise AssertionError

    def numbers(self, meter: str) -> tuple[Any, Any, Any]:
        """Consumed, credited, balance."""
        (row,) = self.rows(meter_id=meter)
        return row["consumed_units"], row["credited_units"], row["balance"]


@pytest.fixture
def desk(http: httpx.Client) -> Desk:
    word = f"c-{uuid4().hex[:12]}"
    body = {"name": f"Customer {word}", "external_id": word, "email": f"{word}@example.com"}
    answer = http.post("/v1/customers/", json=body)
    assert answer.status_code == 201, answer.text
    return Desk(http, word, answer.json()["id"])


def test_usage_and_credits_make_a_balance(desk: Desk) -> None:
    meter = desk.meter()
    desk.use(15, 25)
    assert desk.credit(meter, 50)["metadata"]["units"] == 50
    assert desk.numbers(meter) == (40, 50, 10)
    desk.use(0, 20.5)
    assert desk.numbers(meter) == (60.5, 50, -10.5)


def test_a_reset_begins_a_new_period(desk: Desk) -> None:
    meter, other = desk.meter(), desk.meter()
    desk.use(10)
    desk.reset(meter)
    desk.use(20)
    desk.credit(meter, 10)
    desk.credit(other, 1_000)
    assert desk.numbers(meter) == (20, 10, -10)
    assert desk.numbers(other) == (30, 1_000, 970)
    desk.reset(meter)
    assert desk.numbers(meter) == (0, 0, 0)
    desk.reset(meter)
    desk.use(20)
    desk.credit(meter, 30)
    assert desk.numbers(meter) == (20, 30, 10)


def test_an_old_event_that_arrives_late_counts_in_the_new_period(desk: Desk) -> None:
    meter = desk.meter()
    desk.use(1)
    desk.reset(meter)
    desk.use(7, timestamp="2026-01-01T00:00:00Z")
    assert desk.numbers(meter) == (7, 0, -7)


@pytest.mark.parametrize(("units", "total"), [((100, -150, 50), 50), ((30, 40, 30), 100)])
def test_credits_are_a_running_sum_that_never_falls_below_zero(
    desk: Desk, units: tuple[int, ...], total: int
) -> None:
    meter = desk.meter()
    for amount in units:
        desk.credit(meter, amount)
    assert desk.numbers(meter) == (0, total, total)


def test_both_identifiers_are_one_customer(desk: Desk) -> None:
    unique, largest, count = desk.meter("unique"), desk.meter("max"), desk.meter("count")
    desk.use("a", "b", by="id")
    desk.use("b", "c")
    assert desk.numbers(unique)[0] == 3
    desk.use(50, by="id")
    desk.use(80)
    assert desk.numbers(largest)[0] == 80
    assert desk.numbers(count)[0] == 6


def test_events_before_the_customer_and_of_others(desk: Desk) -> None:
    meter = desk.meter("count")
    desk.use(0, 1)
    foreign = {"name": desk.word, "external_customer_id": "somebody else"}
    desk.http.post("/v1/events/ingest", json={"events": [foreign]})
    assert desk.numbers(meter)[0] == 2


def test_rows_exist_once_the_customer_has_an_event(desk: Desk) -> None:
    first = desk.meter()
    assert desk.rows() == []
    desk.use(5, name="something else")
    rows = {row["meter_id"]: row for row in desk.rows()}
    assert (rows[first]["consumed_units"], rows[first]["modified_at"]) == (0, None)
    late = desk.meter("max")
    (row,) = desk.rows(meter_id=late)
    assert row["consumed_units"] == 0
    assert desk.http.get(f"/v1/customer-meters/{row['id']}").json() == row
    assert [row["customer"]["external_id"], row["meter"]["id"]] == [desk.word, late]
    desk.use(3)
    (changed,) = desk.rows(meter_id=late)
    assert changed["modified_at"] > changed["created_at"]
    assert changed["customer"]["first_user_event_at"] is not None
    assert {key: changed[key] for key in ("id", "created_at")} == {
        key: row[key] for key in ("id", "created_at")
    }


def test_archived_meters_are_only_shown_when_named(desk: Desk) -> None:
    meter = desk.meter()
    desk.use(5)
    assert desk.http.patch(f"/v1/meters/{meter}", json={"is_archived": True}).status_code == 200
    assert meter not in [row["meter_id"] for row in desk.rows()]
    assert desk.numbers(meter)[0] == 5
    assert desk.http.patch(f"/v1/meters/{meter}", json={"is_archived": False}).status_code == 200
    assert meter in [row["meter_id"] for row in desk.rows()]


def test_filters_are_joined_by_and(desk: Desk) -> None:
    meter = desk.meter(external_id=f"m-{desk.word}")
    desk.use(1)
    http = desk.http
    listed = lambda **query: http.get("/v1/customer-meters/", params=query).json()["items"]  # noqa: E731
    both = {"customer_id": desk.customer, "external_customer_id": desk.word}
    assert len(listed(meter_id=meter, **both)) == 1
    assert listed(meter_id=meter, customer_id=desk.customer, external_customer_id="other") == []
    assert len(listed(external_meter_id=f"m-{desk.word}", external_customer_id=desk.word)) == 1
    assert listed(external_meter_id="other", external_customer_id=desk.word) == []
    assert listed(meter_id=meter, customer_id=[desk.customer, NOBODY])[0]["meter_id"] == meter
    assert listed(meter_id=meter, organization_id=NOBODY) == []
    assert http.get(f"/v1/customer-meters/{NOBODY}").status_code == 404


def test_rows_are_sorted_by_every_key(desk: Desk) -> None:
    meters = [desk.meter(name=f"{letter} {desk.word}") for letter in ("bb", "aa", "cc")]
    desk.use(5)
    for meter, units in zip(meters, (1, 3, 2), strict=True):
        desk.credit(meter, units)
    named = dict(zip(meters, "bac", strict=True))

    def order(*sorting: str) -> str:
        rows = desk.rows(sorting=list(sorting), meter_id=meters)
        return "".join(named[row["meter_id"]] for row in rows)

    assert order("meter_name") == "abc"
    assert order("-meter_name") == "cba"
    assert order("credited_units") == "bca"
    assert order("-balance") == "acb"
    assert order("consumed_units", "-meter_name") == "cba"
    assert order("customer_name", "meter_name") == "abc"
    assert order("-modified_at") == "cab"
    assert order("customer_id", "meter_id") == "bac"
    assert order("created_at", "meter_name") in ("abc", "bac")
    answer = desk.http.get(
        "/v1/customer-meters/", params={"customer_id": desk.customer, "limit": 2, "page": 2}
    )
    assert answer.json()["pagination"]["total_count"] >= 3


def test_the_state_of_a_customer_is_fresh(desk: Desk) -> None:
    meter = desk.meter()
    http = desk.http

    def active(path: str) -> dict[str, Any]:
        state = http.get(f"/v1/customers/{path}/state").json()
        assert (state["active_subscriptions"], state["granted_benefits"]) == ([], [])
        assert (state["id"], state["external_id"]) == (desk.customer, desk.word)
        return {row["meter_id"]: row for row in state["active_meters"]}

    assert active(desk.customer) == {}
    desk.use(2)
    desk.credit(meter, 5)
    for path in (desk.customer, f"external/{desk.word}"):
        row = active(path)[meter]
        assert (row["consumed_units"], row["credited_units"], row["balance"]) == (2, 5, 3)
        assert "customer" not in row
    for path in (NOBODY, "external/nobody"):
        assert http.get(f"/v1/customers/{path}/state").status_code == 404


def test_a_credit_is_an_event_of_the_system(desk: Desk) -> None:
    meter = desk.meter()
    event = desk.credit(meter, 10, rollover=True)
    assert (event["name"], event["source"], event["label"]) == ("meter.credited", "system", "Meter Credited")
    assert (event["customer_id"], event["external_customer_id"]) == (desk.customer, None)
    expected = {"meter_id": meter, "units": 10, "rollover": True, "reason": "manual"}
    assert event["metadata"] == expected
    listed = desk.http.get("/v1/events/", params={"source": "system", "customer_id": desk.customer}).json()
    assert [item["id"] for item in listed["items"]] == [event["id"]]
    desk.reset(meter)
    names = desk.http.get(
        "/v1/events/names", params={"source": "system", "customer_id": desk.customer}
    ).json()["items"]
    assert {name["name"]: name["label"] for name in names} == {
        "meter.credited": "Meter Credited",
        "meter.reset": "Meter Reset",
    }


def test_system_events_count_where_a_filter_matches_them(desk: Desk) -> None:
    clauses = [
        {"property": "name", "operator": "eq", "value": "meter.credited"},
        {"property": "source", "operator": "eq", "value": "system"},
    ]
    body = {
        "name": "credits",
        "filter": {"conjunction": "and", "clauses": clauses},
        "aggregation": {"func": "sum", "property": "units"},
    }
    counting = desk.http.post("/v1/meters/", json=body).json()["id"]
    event = desk.credit(desk.meter(), 12)
    day = {
        "start_timestamp": event["timestamp"],
        "end_timestamp": event["timestamp"],
        "interval": "day",
        "customer_id": desk.customer,
    }
    answer = desk.http.get(f"/v1/meters/{counting}/quantities", params=day)
    assert answer.json()["total"] == 12
    assert desk.numbers(counting)[0] == 0  # customer meters count what users did


def test_an_external_id_makes_a_credit_once(desk: Desk) -> None:
    meter, key = desk.meter(external_id=f"m-{desk.word}"), f"order-{desk.word}"
    first = desk.credit(meter, 10, external_id=key)
    assert desk.credit(meter, 10, external_id=key) == first
    by_names = {"external_customer_id": desk.word, "external_meter_id": f"m-{desk.word}"}
    body = by_names | {"units": 10, "external_id": key}
    assert desk.http.post("/v1/customer-meters/credits", json=body).json() == first
    assert desk.numbers(meter) == (0, 10, 10)
    for change in ({"units": 11}, {"rollover": True}):
        answer = desk.http.post("/v1/customer-meters/credits", json=body | change)
        assert (answer.status_code, answer.json()["error"]) == (409, "CustomerMeterCreditExternalIDConflict")


def test_one_external_id_at_once_is_one_credit(desk: Desk) -> None:
    meter, key = desk.meter(), f"order-{desk.word}"
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: desk.credit(meter, 10, external_id=key)["id"], range(8)))
    assert len(set(found)) == 1
    assert desk.numbers(meter) == (0, 10, 10)


def reverse(desk: Desk, credit: str) -> httpx.Response:
    return desk.http.post(f"/v1/customer-meters/credits/{credit}/reverse")


def test_a_credit_is_reversed_once_as_far_as_it_is_unused(desk: Desk) -> None:
    meter = desk.meter()
    desk.use(30)
    credit = desk.credit(meter, 100)
    answer = reverse(desk, credit["id"])
    assert answer.status_code == 201, answer.text
    assert answer.json()["metadata"]["units"] == -70
    assert answer.json()["parent_id"] == credit["id"]
    assert desk.numbers(meter) == (30, 30, 0)
    for path in (credit["id"], answer.json()["id"]):
        refused = reverse(desk, path)
        assert (refused.status_code, refused.json()["error"]) == (409, "CustomerMeterCreditNotReversible")
    assert desk.numbers(meter) == (30, 30, 0)


def test_what_cannot_be_reversed(desk: Desk) -> None:
    meter = desk.meter()
    earlier = desk.credit(meter, 10)["id"]
    desk.reset(meter)
    used = desk.credit(meter, 5)["id"]
    desk.use(5)
    for credit in (earlier, used):
        assert reverse(desk, credit).status_code == 409
    ours = desk.http.get("/v1/events/", params={"external_customer_id": desk.word}).json()["items"][0]["id"]
    for missing in (ours, NOBODY):
        assert reverse(desk, missing).status_code == 404
    old = desk.now() - timedelta(days=8)
    fresh = desk.meter()
    desk.system("meter.credited", old, meter_id=fresh, units=9, rollover=False, reason="manual")
    listed = desk.http.get("/v1/events/", params={"source": "system", "customer_id": desk.customer}).json()
    (credit,) = [item["id"] for item in listed["items"] if item["metadata"].get("units") == 9]
    assert desk.numbers(fresh) == (5, 9, 4)
    assert reverse(desk, credit).status_code == 409


def test_reversals_at_once_take_nothing_twice(desk: Desk) -> None:
    meter = desk.meter()
    desk.use(100)
    credits = [desk.credit(meter, 60)["id"] for _ in range(3)]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda credit: reverse(desk, credit), credits * 2))
    taken = sorted(answer.json()["metadata"]["units"] for answer in answers if answer.status_code == 201)
    assert taken == [-60, -20]
    assert desk.numbers(meter) == (100, 100, 0)


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"customer_id": NOBODY}, "customer_id"),
        ({"meter_id": NOBODY}, "meter_id"),
        ({"units": 2**60}, "units"),
        ({"units": "x"}, "units"),
        ({"meter_id": None}, "meter_id"),
    ],
)
def test_bad_credits_are_refused(desk: Desk, change: dict[str, Any], loc: str) -> None:
    body = {"customer_id": desk.customer, "meter_id": desk.meter(), "units": 1} | change
    answer = desk.http.post("/v1/customer-meters/credits", json=body)
    assert answer.status_code == 422
    assert any(loc in item["loc"] for item in answer.json()["detail"])


def test_meters_have_external_ids(desk: Desk) -> None:
    http, key = desk.http, f"m-{desk.word}"
    meter = desk.meter(external_id=f" {key} ")
    found = http.get(f"/v1/meters/external/{key}").json()
    assert (found["id"], found["external_id"]) == (meter, key)
    assert [item["id"] for item in http.get("/v1/meters/", params={"external_id": key}).json()["items"]] == [
        meter
    ]
    assert http.get("/v1/meters/", params={"external_id": "none"}).json()["items"] == []
    assert http.get("/v1/meters/external/none").status_code == 404
    other = desk.meter()
    for answer in (
        http.patch(f"/v1/meters/{other}", json={"external_id": key}),
        http.post("/v1/meters/", json={**_count("again"), "external_id": key}),
    ):
        assert answer.status_code == 422
        (item,) = answer.json()["detail"]
        assert (item["loc"], item["msg"]) == (
            ["body", "external_id"],
            "A meter with this external ID already exists.",
        )
    assert http.patch(f"/v1/meters/{meter}", json={"external_id": None}).json()["external_id"] is None
    assert http.patch(f"/v1/meters/{other}", json={"external_id": key}).json()["external_id"] == key


def _count(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "filter": {"conjunction": "and", "clauses": []},
        "aggregation": {"func": "count"},
    }
