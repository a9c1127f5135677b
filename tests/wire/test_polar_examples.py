"""The worked examples of the Polar reference (section 12) over HTTP.

All tests share one organisation, so each example's events carry a mark and each meter asks for it.
Examples with customers of ours (E33, E34) are in `test_polar_customers`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.polar_examples import EXAMPLES, Example

from meterhouse.usage.convert import filter_to_json
from meterhouse.usage.model import Aggregation, Event

D = datetime(2026, 3, 2, tzinfo=UTC)
RUN = uuid4().hex[:12]
LLM = {"vendor": "v", "input_tokens": 1, "output_tokens": 1}


def event_to_wire(event: Event, mark: str) -> dict[str, Any]:
    metadata = json.loads(event.data) | {"mark": mark}
    if "_llm" in metadata:
        metadata["_llm"] |= LLM
    return {
        "name": event.type,
        "external_customer_id": event.subject,
        "timestamp": event.time.isoformat(),
        "metadata": metadata,
    }


def meter_to_wire(example: Example, mark: str) -> dict[str, Any]:
    meter = example.meter
    aggregation: dict[str, Any] = {"func": meter.aggregation.value}
    if meter.aggregation is not Aggregation.COUNT:
        aggregation["property"] = meter.value_path
    marked = {"property": "metadata.mark", "operator": "eq", "value": mark}
    tree = {"conjunction": "and", "clauses": [marked, filter_to_json(meter.filter)]}
    return {"name": f"Example {example.id}", "filter": tree, "aggregation": aggregation}


def query_to_wire(example: Example) -> list[tuple[str, Any]]:
    query = example.query
    pairs: list[tuple[str, Any]] = [
        ("start_timestamp", query.start_at.isoformat()),
        ("end_timestamp", query.end_at.isoformat()),
        ("interval", query.interval),
        ("timezone", query.zone),
    ]
    if query.customer_function is not None:
        pairs.append(("customer_aggregation_function", query.customer_function))
    for key, texts in query.metadata.items():
        pairs += [(f"metadata[{key}]", text) for text in texts]
    if query.identities is not None:
        pairs += [("external_customer_id", text) for text in query.identities.external_ids]
    return pairs


def is_without_customers(example: Example) -> bool:
    return not any(event.customer_id for event in example.events)


PLAIN = [example for example in EXAMPLES if is_without_customers(example)]


@pytest.fixture(scope="module")
def marks(server: Any) -> dict[str, str]:
    """The mark of each example, all their events ingested at once."""
    found = {example.id: f"{RUN}-{example.id}" for example in PLAIN}
    events = [event_to_wire(event, found[e.id]) for e in PLAIN for event in e.events]
    headers = {"authorization": f"Bearer {server.api_key}"}
    with httpx.Client(base_url=server.base_url, headers=headers, timeout=60, trust_env=False) as client:
        answer = client.post("/v1/events/ingest", json={"events": events})
    assert answer.json() == {"inserted": len(events), "duplicates": 0}, answer.text[:2000]
    return found


@pytest.mark.parametrize("example", PLAIN, ids=lambda example: example.id)
def test_example(example: Example, marks: dict[str, str], http: httpx.Client) -> None:
    made = http.post("/v1/meters/", json=meter_to_wire(example, marks[example.id]))
    assert made.status_code == 201, made.text
    answer = http.get(f"/v1/meters/{made.json()['id']}/quantities", params=query_to_wire(example))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert [item["quantity"] for item in body["quantities"]] == example.quantities
    assert body["total"] == example.total
    if example.listed is not None:
        listed = [datetime.fromisoformat(item["timestamp"]) for item in body["quantities"]]
        assert listed == [datetime.fromisoformat(text.replace("Z", "+00:00")) for text in example.listed]


def event(**rest: Any) -> dict[str, Any]:
    return {"name": f"ai-{RUN}", "external_customer_id": "u", **rest}


def ingest(http: httpx.Client, *events: dict[str, Any]) -> tuple[int, int]:
    answer = http.post("/v1/events/ingest", json={"events": events})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["inserted"], body["duplicates"]


def listed(http: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = http.get("/v1/events/", params=query).json()["items"]
    return items


def test_e35_repeats_are_skipped_and_the_first_stays(http: httpx.Client) -> None:
    name, key = uuid4().hex, uuid4().hex
    first = event(name=name, external_id=key, metadata={"n": 1})
    assert ingest(http, first, event(name=name, external_id=key, metadata={"n": 2})) == (1, 1)
    assert ingest(http, event(name="other", external_id=key), event(name=name, external_id=key)) == (0, 2)
    assert [e["metadata"] for e in listed(http, name=name)] == [{"n": 1}]
    equal = [event(name=name), event(name=name)]
    assert [ingest(http, *equal), ingest(http, *equal)] == [(2, 0), (2, 0)]
    assert ingest(http, *(event(name=name) for _ in range(500))) == (500, 0)
    assert ingest(http) == (0, 0)


def test_e36_one_bad_event_stores_none(http: httpx.Client) -> None:
    name = uuid4().hex
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    batch = [event(name=name), event(name=name, timestamp=tomorrow), event(name=name)]
    answer = http.post("/v1/events/ingest", json={"events": batch})
    assert answer.status_code == 422
    item = answer.json()["detail"][0]
    assert item["loc"][:3] == ["body", "events", 1]
    assert (item["type"], item["msg"]) == ("value_error", "Value error, Timestamp must be in the past.")
    assert listed(http, name=name) == []


def test_a_clock_that_is_slightly_ahead_is_put_right(http: httpx.Client) -> None:
    name = uuid4().hex
    ahead = datetime.now(UTC) + timedelta(seconds=3)
    assert ingest(http, event(name=name, timestamp=ahead.isoformat())) == (1, 0)
    (stored,) = listed(http, name=name)
    assert datetime.fromisoformat(stored["timestamp"]) < ahead


def test_e37_unknown_customers_are_named(http: httpx.Client) -> None:
    batch = [{"name": "ai", "customer_id": str(uuid4())} for _ in range(2)]
    answer = http.post("/v1/events/ingest", json={"events": batch})
    assert answer.status_code == 422
    assert answer.json()["error"] == "PolarRequestValidationError"
    assert [(i["type"], i["loc"], i["msg"]) for i in answer.json()["detail"]] == [
        ("customer_id", ["body", "events", index, "customer_id"], "Customer not found.") for index in range(2)
    ]


def test_e39_an_event_needs_one_customer(http: httpx.Client) -> None:
    answer = http.post("/v1/events/ingest", json={"events": [{"name": "ai"}]})
    assert answer.status_code == 422
    assert [(item["type"], item["loc"]) for item in answer.json()["detail"]] == [
        ("missing", ["body", "events", 0, "EventCreateCustomer", "customer_id"]),
        ("missing", ["body", "events", 0, "EventCreateExternalCustomer", "external_customer_id"]),
    ]
    name = uuid4().hex
    assert ingest(http, event(name=name, customer_id="no id at all")) == (1, 0)
    (stored,) = listed(http, name=name)
    assert (stored["customer_id"], stored["external_customer_id"]) == (None, "u")


def test_e41_spans_are_bounded(http: httpx.Client) -> None:
    body = {
        "name": "Bounded",
        "filter": {"conjunction": "and", "clauses": [{"property": "name", "operator": "eq", "value": RUN}]},
        "aggregation": {"func": "count"},
    }
    meter_id = http.post("/v1/meters/", json=body).json()["id"]

    def ask(interval: str, start: str, end: str) -> httpx.Response:
        params = {
            "interval": interval,
            "start_timestamp": f"{start}T00:00:00Z",
            "end_timestamp": f"{end}T00:00:00Z",
        }
        return http.get(f"/v1/meters/{meter_id}/quantities", params=params)

    assert len(ask("day", "2024-01-01", "2025-01-01").json()["quantities"]) == 367
    for refused in (
        ask("day", "2024-01-01", "2025-01-02"),
        ask("hour", "2026-03-01", "2026-03-09"),
        ask("day", "2026-03-02", "2026-03-01"),
    ):
        assert refused.status_code == 422
        assert refused.json()["error"] == "PolarRequestValidationError"
        (item,) = refused.json()["detail"]
        assert (item["type"], item["loc"], len(item["input"])) == ("value_error", ["query"], 3)
        assert item["msg"].startswith("The interval is too small for the given date range.")
