"""The newest Polar client, by each version module that it ships: they differ in paths of imports only."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import pytest
from tests.server import ServerProcess
from tests.wire.polar_release_1 import walk
from tests.wire.recorder import Recorder
from tests.wire.releases import credited_customer

START, END = "2026-03-02T00:00:00Z", "2026-03-02T23:59:59Z"
NOON = "2026-03-02T12:00:00Z"

polar = pytest.importorskip("polar")


@pytest.fixture(params=["v2026_04", "v2026_10", "v2027_01"])
def client(request: pytest.FixtureRequest, recorder: Recorder, server: ServerProcess) -> Iterator[Any]:
    module = importlib.import_module(f"polar.{request.param}")
    url = recorder.url_for(f"polar-sdk {version('polar-sdk')}")
    with module.Polar(server.api_key, base_url=url, timeout=30) as opened:
        yield opened


@pytest.fixture
def name() -> str:
    """A name of events that no other test uses."""
    return f"ai-{uuid4().hex[:12]}"


def errors_of(client: Any) -> Any:
    return importlib.import_module(type(client).__module__.replace(".client", ".errors"))


def create(client: Any, name: str, func: str = "sum", **rest: Any) -> Any:
    """A meter over the events of one name."""
    clauses = [{"property": "name", "operator": "eq", "value": name}]
    aggregation = {"func": func} if func == "count" else {"func": func, "property": "tokens"}
    body = {"name": f"Meter {name}", "filter": {"conjunction": "and", "clauses": clauses}}
    return client.meters.create(**body, aggregation=aggregation, **rest)


def ingest(client: Any, name: str, *metadatas: dict[str, object], **rest: Any) -> Any:
    """One event per metadata, at noon, by customer `u`."""
    event = {"name": name, "external_customer_id": "u", "timestamp": NOON} | rest
    return client.events.ingest(events=[event | {"metadata": metadata} for metadata in metadatas])


def test_a_meter_lives_through_create_get_list_and_update(client: Any, name: str) -> None:
    meter = create(client, name, metadata={"team": name, "rank": 1.5, "on": True}, unit="token")
    assert (meter.name, meter.unit, meter.archived_at) == (f"Meter {name}", "token", None)
    assert meter.metadata == {"team": name, "rank": 1.5, "on": True}
    assert client.meters.get(meter.id) == meter
    assert [m.id for m in client.meters.iter_list(query=name.upper())] == [meter.id]
    assert [m.id for m in client.meters.list(metadata={"team": name, "on": "true"}).items] == [meter.id]

    changed = client.meters.update(meter.id, name="Renamed", metadata={}, is_archived=True)
    assert (changed.name, changed.metadata) == ("Renamed", {})
    assert changed.modified_at is not None
    assert changed.archived_at is not None
    assert client.meters.get(meter.id) == changed


def test_events_are_counted_once_they_are_acknowledged(client: Any, name: str) -> None:
    meter = create(client, name)
    answer = ingest(client, name, {"tokens": 20}, {"tokens": 22.5}, {"tokens": "7"})
    assert (answer.inserted, answer.duplicates) == (3, 0)
    quantities = client.meters.quantities(
        meter.id, start_timestamp=START, end_timestamp=END, interval="day", external_customer_id=["u", "v"]
    )
    assert quantities.total == 42.5
    assert [(q.timestamp, q.quantity) for q in quantities.quantities] == [(START, 42.5)]


def test_listed_events_come_back_whole(client: Any, name: str) -> None:
    llm = {"vendor": "v", "model": "m", "input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    cost = {"amount": "0.250000000001", "currency": "usd"}
    ingest(client, name, {"a": "x", "n": 1, "f": 1.5, "b": True, "_cost": cost, "_llm": llm})
    page = client.events.list(name=name)
    assert (page.pagination.total_count, page.pagination.max_page) == (1, 1)
    (event,) = page.items
    assert (event.name, event.label, event.source, event.child_count) == (name, name, "user", 0)
    assert (event.customer_id, event.external_customer_id, event.customer) == (None, "u", None)
    assert event.timestamp == NOON
    assert {key: event.metadata[key] for key in "anfb"} == {"a": "x", "n": 1, "f": 1.5, "b": True}
    assert event.metadata["_cost"].amount == "0.250000000001"
    assert (event.metadata["_llm"].total_tokens, event.metadata["_llm"].prompt) == (3, None)
    assert client.events.get(event.id) == event


def test_events_are_found_by_every_filter(client: Any, name: str) -> None:
    meter = create(client, name)
    ingest(client, name, {"tokens": 1, "word": "One"}, {"tokens": 2}, {"other": True})
    listed = lambda **query: [e.metadata for e in client.events.list(name=name, **query).items]  # noqa: E731
    assert len(listed()) == 3
    assert sorted(m["tokens"] for m in listed(meter_id=meter.id)) == [1, 2]
    assert listed(metadata={"tokens": 2}) == [{"tokens": 2}]
    clause = '{"conjunction":"and","clauses":[{"property":"metadata.tokens","operator":"lt","value":2}]}'
    assert listed(filter=clause) == [{"tokens": 1, "word": "One"}]
    assert listed(query="one") == [{"tokens": 1, "word": "One"}]
    assert listed(start_timestamp=NOON) == []
    assert len(listed(start_timestamp=START, end_timestamp=END, source=["user"])) == 3
    assert listed(external_customer_id="nobody") == []
    assert client.events.list(name=name, limit=2, page=2).pagination.max_page == 2


def test_event_names_are_counted(client: Any, name: str) -> None:
    ingest(client, name, {}, {})
    (found,) = client.events.iter_list_names(query=name.upper())
    assert (found.name, found.label, found.source, found.occurrences) == (name, name, "user", 2)
    assert (found.first_seen, found.last_seen) == (NOON, NOON)


def test_children_find_parents_that_come_later(client: Any, name: str) -> None:
    """E38."""
    parent, child = f"p-{name}", f"c-{name}"
    ingest(client, name, {"is": "child"}, external_id=child, parent_id=parent)
    assert [e.parent_id for e in client.events.list(name=name).items] == [None]
    ingest(client, name, {"is": "parent"}, external_id=parent)
    (root,) = client.events.list(name=name, depth=0).items
    assert (root.metadata, root.child_count) == ({"is": "parent"}, 1)
    (below,) = client.events.list(name=name, parent_id=root.id, depth=1).items
    assert (below.metadata, below.parent_id) == ({"is": "child"}, root.id)
    ingest(client, name, {"is": "grandchild"}, parent_id=below.id)
    assert client.events.get(root.id).child_count == 2
    assert [client.events.list(name=name, depth=depth).pagination.total_count for depth in range(3)] == [
        1,
        2,
        3,
    ]
    under = lambda **query: client.events.list(name=name, parent_id=root.id, **query).pagination.total_count  # noqa: E731
    assert [under(), under(depth=0), under(depth=2)] == [1, 0, 2]
    ingest(client, name, {"is": "own"}, external_id=f"s-{name}", parent_id=f"s-{name}")
    assert client.events.list(name=name, depth=0).pagination.total_count == 2


def test_a_definition_is_frozen_by_the_events_it_was_made_over(client: Any, name: str) -> None:
    """E40."""
    errors = errors_of(client)
    early = create(client, name)
    ingest(client, name, {"tokens": 1})
    late = create(client, name)
    count = {"func": "count"}
    with pytest.raises(errors.HTTPValidationError) as refused:
        client.meters.update(late.id, aggregation=count, filter={"conjunction": "or", "clauses": []})
    told = {(item.type, *item.loc) for item in refused.value.error.detail}
    assert told == {("forbidden", "body", "filter"), ("forbidden", "body", "aggregation")}
    assert client.meters.update(late.id, name="Renamed").name == "Renamed"
    assert client.meters.update(early.id, aggregation=count).aggregation.func == "count"


def test_refusals_are_raised_as_documented(client: Any, name: str) -> None:
    errors = errors_of(client)
    with pytest.raises(errors.ResourceNotFound):
        client.meters.get(str(uuid4()))
    with pytest.raises(errors.ResourceNotFound):
        client.events.get(str(uuid4()))
    with pytest.raises(errors.HTTPValidationError) as refused:
        ingest(client, name, {"k": None})
    assert refused.value.error.detail[0].loc[:3] == ["body", "events", 0]


@pytest.mark.parametrize("client", ["v2026_10"], indirect=True)
def test_the_walk_of_every_release(client: Any, server: ServerProcess) -> None:
    """By one module: building a client's readers takes seconds, and the modules differ by their names."""
    external_id = uuid4().hex[:12]
    walk(client, credited_customer(server, external_id), external_id, f"new-{external_id}")
