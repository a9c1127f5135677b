"""Whose events are: customers in event lists and in questions to meters (openmeter 1.3 to 1.5, 2.2, 3.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import httpx
import openmeter
import pytest
from corehttp.exceptions import HttpResponseError, ResourceNotFoundError
from tests.openmeter_client import Desk, cloud_event, fresh, problem
from tests.server import ServerProcess
from tests.wire.recorder import Recorder

CLIENT = f"openmeter {version('openmeter')}"


@pytest.fixture
def client(recorder: Recorder, server: ServerProcess) -> Iterator[Any]:
    with openmeter.Client(endpoint=recorder.url_for(CLIENT), token=server.api_key) as opened:
        yield opened


@pytest.fixture
def desk(http: httpx.Client) -> Desk:
    return Desk(http)


def customer(client: Any, key: str | None, *subjects: str) -> str:
    body = {"name": "N", "usageAttribution": {"subjectKeys": list(subjects)}}
    return str(client.customers.create(body | ({"key": key} if key else {})).id)


def test_events_name_their_customers(client: Any, desk: Desk) -> None:
    name, key, subject = fresh(), fresh("k"), fresh("s")
    desk.send(*(cloud_event(name, subject=s) for s in (key, subject, "nobody")))
    remark = "no customer found for event subject"
    told = {item["event"]["subject"]: item for item in desk.listed(name)}
    assert all(remark in told[s]["validationError"] for s in (key, subject, "nobody"))
    owner = customer(client, key, subject)  # made later than its events
    told = {item["event"]["subject"]: item for item in desk.listed(name)}
    assert told[key]["customerId"] == told[subject]["customerId"] == owner
    assert "customerId" not in told["nobody"]
    assert [remark in told[s]["validationError"] for s in (key, subject, "nobody")] == [False, False, True]
    first = client.events.list(customer_id=[owner])
    assert sorted(item.event.subject for item in first) == sorted([key, subject])
    assert {item.customer_id for item in first} == {owner}
    wanted = {"customerId": {"$in": [owner]}, "type": {"$eq": name}}
    assert len(list(client.events_v2.list(filter=wanted))) == 2
    client.customers.delete(owner)
    assert "customerId" not in desk.listed(name)[0]
    for listing in (
        lambda: client.events.list(customer_id=[owner]),
        lambda: list(client.events_v2.list(filter=wanted)),
    ):
        with pytest.raises(HttpResponseError, match="customers not found") as refused:
            listing()
        assert refused.value.status_code == 400


def test_questions_about_customers(client: Any, desk: Desk) -> None:
    meter, mark = desk.meter(groupBy={"model": "$.model"}), fresh()
    one = customer(client, f"{mark}-1", f"{mark}-1a", f"{mark}-1b")
    two = customer(client, None, f"{mark}-2")
    values = {f"{mark}-1": 1, f"{mark}-1a": 2, f"{mark}-1b": 4, f"{mark}-2": 8, f"{mark}-3": 16}
    desk.send(*(cloud_event(meter, {"value": v, "model": "m"}, subject=s) for s, v in values.items()))

    def asked(**params: Any) -> list[tuple[Any, ...]]:
        rows = client.meters.query_json(meter, **params).data
        return sorted((row.customer_id, row.subject, dict(row.group_by), row.value) for row in rows)

    assert asked(filter_customer_id=[one]) == [(one, None, {}, 7)]
    assert asked(filter_customer_id=[one, two]) == sorted([(one, None, {}, 7), (two, None, {}, 8)])
    assert asked(filter_customer_id=[one], group_by=["customer_id", "model"]) == [
        (one, None, {"model": "m"}, 7)
    ]
    assert asked(filter_customer_id=[one], subject=[f"{mark}-1a", f"{mark}-2"]) == [
        (one, f"{mark}-1a", {}, 2)
    ]
    assert len(asked(filter_customer_id=[one], group_by=["subject"])) == 3
    body = {"filterCustomerId": [two]}
    assert [(row.customer_id, row.value) for row in client.meters.query(meter, body).data] == [(two, 8)]
    table = client.meters.query_csv(meter, filter_customer_id=[two], group_by=["model"])
    assert table.splitlines()[0] == "window_start,window_end,model,customer_id,value"
    assert table.splitlines()[1].endswith(f",m,{two},8.000000")
    with pytest.raises(HttpResponseError, match="requires filterCustomerId"):
        client.meters.query_json(meter, group_by=["customer_id"])
    client.customers.delete(two)
    with pytest.raises(ResourceNotFoundError, match=two):
        client.meters.query_json(meter, filter_customer_id=[one, two])


def test_a_key_goes_before_a_subject_key(client: Any, desk: Desk) -> None:
    meter, shared = desk.meter(), fresh("shared")
    by_key = customer(client, shared)
    by_subject = customer(client, None, shared, f"{shared}-own")
    desk.send(
        cloud_event(meter, {"value": 1}, subject=shared),
        cloud_event(meter, {"value": 2}, subject=f"{shared}-own"),
    )
    for ids in ([by_key], [by_subject], [by_key, by_subject], [by_subject, by_key]):
        rows = client.meters.query_json(meter, filter_customer_id=ids).data
        expected = {by_key: 1, by_subject: 2}
        assert {row.customer_id: row.value for row in rows} == {id: expected[id] for id in ids}
    assert {item["customerId"] for item in desk.listed(meter)} == {by_key, by_subject}
    client.customers.delete(by_key)
    rows = client.meters.query_json(meter, filter_customer_id=[by_subject]).data
    assert [row.value for row in rows] == [3]


def test_display_names_in_csv(client: Any, desk: Desk) -> None:
    meter, subject = desk.meter(), fresh("s")
    desk.send(*(cloud_event(meter, {"value": 1}, subject=s) for s in (subject, f"{subject}-other")))
    asked = {"group_by": ["subject"], "filter_group_by": None}
    assert client.meters.query_csv(meter, **asked).startswith("window_start,window_end,subject,value\n")
    client.subjects.upsert([{"key": subject, "displayName": 'The "first", one'}])
    table = client.meters.query_csv(meter, **asked).splitlines()
    assert table[0] == "window_start,window_end,subject,subject_display_name,value"
    assert table[1].endswith(f',{subject},"The ""first"", one",1.000000')
    assert table[2].endswith(f",{subject}-other,,1.000000")


def test_hostile_ids(http: httpx.Client, desk: Desk) -> None:
    meter = desk.meter()
    for text in ("'", "x" * 10_000, "00000000-0000-0000-0000-000000000000", "", "%"):
        desk.query(meter, filterCustomerId=text, status=404)
        problem(http.get("/api/v1/events", params={"customerId": text}), 400)
        problem(
            http.get("/api/v2/events", params={"filter": json.dumps({"customerId": {"$in": [text]}})}), 400
        )
    desk.ask(meter, {"filterCustomerId": ["x" * 1_000_000]}, status=404)
