"""The first paths of metering with the published `openmeter` client, blocking and asynchronous."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import openmeter
import openmeter.aio
import pytest
import pytest_asyncio
from corehttp.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from openmeter.models import Event
from tests.openmeter_client import cloud_event, fresh
from tests.server import ServerProcess
from tests.wire.recorder import Recorder

T = datetime(2026, 3, 1, tzinfo=UTC)
CLIENT = f"openmeter {version('openmeter')}"


@pytest.fixture
def client(recorder: Recorder, server: ServerProcess) -> Iterator[Any]:
    with openmeter.Client(endpoint=recorder.url_for(CLIENT), token=server.api_key) as opened:
        yield opened


@pytest_asyncio.fixture
async def async_client(recorder: Recorder, server: ServerProcess) -> AsyncIterator[Any]:
    endpoint = recorder.url_for(f"{CLIENT}, asynchronous")
    async with openmeter.aio.Client(endpoint=endpoint, token=server.api_key) as opened:
        yield opened


def definition(name: str, **rest: object) -> dict[str, object]:
    """A SUM meter on events of its own name."""
    meter = {"slug": name, "eventType": name, "aggregation": "SUM", "valueProperty": "$.value"}
    return meter | {"groupBy": {"model": "$.model"}} | rest


def five_subjects(name: str) -> list[dict[str, Any]]:
    """The second worked example: five subjects, 100 each at T, T+1min, T+1h, T+1day."""
    offsets = (timedelta(0), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))
    return [
        cloud_event(
            name,
            {"value": 100, "model": f"m{number % 2}"},
            subject=f"c{number}",
            time=(T + offset).isoformat(),
        )
        for number in range(1, 6)
        for offset in offsets
    ]


@pytest.fixture
def counted(client: Any) -> str:
    """A meter over the five subjects."""
    name = fresh()
    client.meters.create(definition(name))
    client.events.ingest_events(five_subjects(name))
    return name


def values(answer: Any) -> list[float]:
    return [row["value"] for row in answer["data"]]


def test_a_meter_lives_and_dies(client: Any) -> None:
    name = fresh()
    made = client.meters.create(definition(name, description="Tokens", metadata={"team": "ai"}))
    assert (made.slug, made.name, made.aggregation, made.event_type) == (name, name, "SUM", name)
    assert len(made.id) == 26
    assert client.meters.get(name) == client.meters.get(made.id) == made
    assert made in client.meters.list()
    changed = client.meters.update(name, {"name": "Tokens", "groupBy": {"region": "$.region"}})
    assert (changed.name, changed.group_by, changed.description) == ("Tokens", {"region": "$.region"}, None)
    assert changed.updated_at > changed.created_at == made.created_at
    assert client.meters.update(made.id, {}).name == name
    client.meters.delete(name)
    with pytest.raises(ResourceNotFoundError):
        client.meters.get(name)
    with pytest.raises(ResourceNotFoundError):
        client.meters.delete(name)
    assert client.meters.get(made.id).deleted_at is not None
    client.meters.delete(made.id)
    assert client.meters.create(definition(name)).id != made.id


def test_a_slug_is_unique_among_the_living(client: Any) -> None:
    name = fresh()
    client.meters.create(definition(name))
    with pytest.raises(ResourceExistsError) as refused:
        client.meters.create(definition(name))
    assert "meter with the same slug already exists" in str(refused.value)


def test_every_way_to_ingest(client: Any) -> None:
    name = fresh()
    client.meters.create(definition(name))
    client.events.ingest_event(cloud_event(name, {"value": 1}))
    client.events.ingest_events([cloud_event(name, {"value": 2}), cloud_event(name, {"value": 4})])
    client.events.ingest_events_json([cloud_event(name, {"value": 8})])
    model = Event(
        id=str(uuid4()), source="tests", specversion="1.0", type=name, subject="u", data={"value": 16}
    )
    client.events.ingest_events_json(model)
    client.events.ingest_event(model)
    assert values(client.meters.query_json(name)) == [31]


def test_a_repeated_event_counts_once(client: Any) -> None:
    name = fresh()
    client.meters.create({"slug": name, "eventType": name, "aggregation": "COUNT"})
    repeated = cloud_event(name)
    for second in range(5):
        times = (f"2026-03-01T00:00:{(second * 200 + n) % 60:02}Z" for n in range(200))
        client.events.ingest_events([{**repeated, "time": time} for time in times])
    client.events.ingest_event({**repeated, "subject": "another", "data": {"other": 1}})
    assert values(client.meters.query_json(name)) == [1]


@pytest.mark.parametrize(
    ("aggregation", "path", "expected"),
    [
        ("SUM", "$.value", 123.45678901234568),
        ("COUNT", None, 3),
        ("AVG", "$.value", 61.72839450617284),
        ("MIN", "$.value", 0.4567890123456789),
        ("MAX", "$.value", 123),
        ("UNIQUE_COUNT", "$.name", 2),
        ("LATEST", "$.value", 0.4567890123456789),
    ],
)
def test_the_first_worked_example(client: Any, aggregation: str, path: str | None, expected: float) -> None:
    name = fresh()
    meter = {"slug": name, "eventType": name, "aggregation": aggregation}
    client.meters.create(meter if path is None else meter | {"valueProperty": path})
    data = (
        {"value": 123, "name": 1},
        {"value": "0.4567890123456789", "name": "a"},
        {"value": None, "name": None},
    )
    client.events.ingest_events(
        [cloud_event(name, item, time=f"2026-03-01T00:0{n}:00Z") for n, item in enumerate(data)]
    )
    assert values(client.meters.query_json(name)) == [expected]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (None, [2000]),
        ("MINUTE", [500] * 4),
        ("HOUR", [1000, 500, 500]),
        ("DAY", [1500, 500]),
        ("MONTH", [2000]),
    ],
)
def test_the_second_worked_example(
    client: Any, counted: str, window: str | None, expected: list[float]
) -> None:
    to = T + timedelta(days=1, minutes=1)
    answer = client.meters.query_json(counted, from_parameter=T, to=to, window_size=window)
    assert values(answer) == expected
    assert answer.from_property == T
    assert answer.to == to
    assert answer.window_size == window
    body: dict[str, Any] = {"from": T, "to": to}
    assert client.meters.query(counted, body | ({"windowSize": window} if window else {})) == answer


def test_subjects_and_group_filters(client: Any, counted: str) -> None:
    picked = client.meters.query_json(counted, subject=["c1", "c2"])
    assert [(row.subject, row.value) for row in picked.data] == [("c1", 400), ("c2", 400)]
    grouped = client.meters.query_json(counted, group_by=["model"])
    assert [(row.subject, row.group_by, row.value) for row in grouped.data] == [
        (None, {"model": "m0"}, 800),
        (None, {"model": "m1"}, 1200),
    ]
    assert values(client.meters.query_json(counted, filter_group_by={"model": "m1"})) == [1200]
    wanted = {"model": {"$in": ["m0", "it's"]}}
    assert values(client.meters.query(counted, {"filterGroupBy": {"model": ["m0", "m1"]}})) == [2000]
    assert values(client.meters.query(counted, {"advancedMeterGroupByFilters": wanted})) == [800]
    assert values(client.meters.query_json(counted, advanced_meter_group_by_filters=wanted)) == [800]
    assert client.meters.list_subjects(counted) == ["c1", "c2", "c3", "c4", "c5"]
    assert client.meters.list_subjects(counted, to=T) == []
    assert client.meters.list_group_by_values(counted, "model", from_parameter=T) == ["m0", "m1"]


def test_csv(client: Any, counted: str) -> None:
    plain = "2026-03-01T00:00:00Z,2026-03-02T00:01:00Z"
    assert client.meters.query_csv_post(counted) == f"window_start,window_end,value\n{plain},2000.000000\n"
    answer = client.meters.query_csv(counted, subject=["c1"], group_by=["model", "subject"])
    assert answer == f"window_start,window_end,subject,model,value\n{plain},c1,m1,400.000000\n"


def test_windows_of_a_time_zone(client: Any) -> None:
    name = fresh()
    client.meters.create(definition(name))
    times = ("2026-03-28T22:59:59Z", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59Z", "2026-03-29T22:00:00Z")
    client.events.ingest_events([cloud_event(name, {"value": 1}, time=time) for time in times])
    answer = client.meters.query_json(name, window_size="DAY", window_time_zone="Europe/Berlin")
    assert [(row.value, row.window_end - row.window_start) for row in answer.data] == [
        (1, timedelta(hours=24)),
        (2, timedelta(hours=23)),
        (1, timedelta(hours=24)),
    ]


def test_events_are_listed(client: Any) -> None:
    name = fresh()
    client.events.ingest_events([cloud_event(name, {"value": n}, subject=f"{name}-{n}") for n in range(5)])
    client.events.ingest_event(cloud_event(name, subject=f"{name}-0"))
    ((first, second),) = [client.events.list(subject=f"{name}-0", limit=2)]
    assert {first.event.type, second.event.type} == {name}
    assert "no meter found for event type" in first.validation_error
    wanted = {"type": {"$eq": name}}
    found = list(client.events_v2.list(filter=wanted, limit=2))
    assert len(found) == len({item.event.id for item in found}) == 6
    assert [item.event.id for item in client.events_v2.list(filter=wanted)] == [x.event.id for x in found]


def test_refusals(client: Any, recorder: Recorder) -> None:
    with pytest.raises(HttpResponseError, match="value property is required") as refused:
        client.meters.create({"slug": fresh(), "eventType": "x", "aggregation": "SUM"})
    assert refused.value.status_code == 400
    with pytest.raises(ResourceNotFoundError):
        client.meters.query_json(fresh())
    with pytest.raises(HttpResponseError) as bad_event:
        client.events.ingest_event(cloud_event("x", id=""))
    assert bad_event.value.status_code == 400
    with openmeter.Client(endpoint=recorder.url_for(CLIENT), token="sk_live_nobody") as stranger:
        with pytest.raises(ClientAuthenticationError):
            stranger.meters.list()
        with pytest.raises(ClientAuthenticationError):
            stranger.events.ingest_event(cloud_event("x"))


async def test_the_asynchronous_client(async_client: Any) -> None:
    name, meters, events = fresh(), async_client.meters, async_client.events
    made = await meters.create(definition(name))
    await events.ingest_event(cloud_event(name, {"value": 1, "model": "a"}))
    assert values(await meters.query_json(name)) == [1]
    await events.ingest_events(five_subjects(name)[1:])
    await events.ingest_events_json([cloud_event(name, {"value": 99}, subject="c1", time=T.isoformat())])
    assert values(await meters.query(name, {"from": T, "to": T + timedelta(days=9)})) == [1999]
    assert values(await meters.query_json(name, filter_group_by={"model": "a"})) == [1]
    assert (await meters.query_csv(name, subject=["c2"])).endswith(",c2,400.000000\n")
    assert (await meters.query_csv_post(name)).startswith("window_start,window_end,value\n")
    assert await meters.list_subjects(name) == ["c1", "c2", "c3", "c4", "c5", "u"]
    assert await meters.list_group_by_values(name, "model", from_parameter=T) == ["a", "m0", "m1"]
    listed = [item async for item in async_client.events_v2.list(filter={"type": {"$eq": name}}, limit=10)]
    assert len(listed) == 21
    assert len(await events.list(subject="u", limit=1)) == 1
    assert (await meters.update(made.id, {"name": "New"})).name == (await meters.get(name)).name == "New"
    assert name in [meter.slug for meter in await meters.list()]
    await meters.delete(name)
    with pytest.raises(ResourceNotFoundError):
        await meters.get(name)
