"""Every operation is there under its documented name and sends what its contract says."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
from collections.abc import Iterator
from functools import reduce
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from tests.sdk.ours import ROOT, SDK, sdk

CONTRACTS = ROOT / "src" / "meterhouse" / "apis"
NAMES: list[dict[str, Any]] = json.loads((SDK / "generator" / "names.json").read_text())
BODY = {"text": "ü", "number": 1}
EVENT = {"specversion": "1.0", "id": "1", "source": "s", "type": "t", "subject": "x"}


class Operation:
    """An operation as its contract has it."""

    def __init__(self, contract: dict[str, Any], method: str, path: str, raw: dict[str, Any]) -> None:
        self.id: str = raw["operationId"]
        self.method = method.upper()
        self.path = path
        parameters = [resolved(contract, one) for one in raw.get("parameters", [])]
        self.query = {one["name"]: one for one in parameters if one["in"] == "query"}
        self.media = list(resolved(contract, raw.get("requestBody", {})).get("content", {}))
        self.success = min(status for status in raw["responses"] if status[0] in "23")

    def matches(self, path: str) -> bool:
        return re.fullmatch(re.sub(r"{\w+}", "[^/]+", self.path), path) is not None


def resolved(contract: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in value:
        return value
    found: dict[str, Any] = reduce(lambda node, key: node[key], value["$ref"][2:].split("/"), contract)
    return found


def operations(name: str) -> dict[str, Operation]:
    contract = json.loads((CONTRACTS / name / "contract.json").read_text())
    return {
        raw["operationId"]: Operation(contract, method, path, raw)
        for path, item in contract["paths"].items()
        for method, raw in item.items()
        if isinstance(raw, dict) and "operationId" in raw
    }


OPENMETER = operations("openmeter")
POLAR = operations("polar")
CASES = [
    (row["name"], row["args"], OPENMETER[row["operation"]], row.get("content_type")) for row in NAMES
] + [(f"polar.{operation.id.replace(':', '.')}", [], operation, None) for operation in POLAR.values()]


def method_of(client: Any, name: str) -> Any:
    return reduce(getattr, name.split("."), client)


def value_for(parameter: dict[str, Any]) -> Any:
    """A value of a query parameter, and so that lists and mappings have two members."""
    if parameter.get("style") == "deepObject":
        return {"k1": ["a", "b"], "k2": "c"}
    if "content" in parameter:
        return {"id": {"$eq": "a"}}
    schema = parameter["schema"]
    kinds = json.dumps(schema)
    if schema.get("type") == "array" or '"type": "array"' in kinds:
        return ["a", "b"]
    return {"boolean": True, "integer": 7}.get(schema.get("type"), "2026-01-01T00:00:00Z")


def expected_query(operation: Operation, values: dict[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        if operation.query[name].get("style") == "deepObject":
            pairs += [(f"{name}[k1]", "a"), (f"{name}[k1]", "b"), (f"{name}[k2]", "c")]
        elif isinstance(value, dict):
            pairs.append((name, json.dumps(value)))
        elif isinstance(value, list):
            pairs += [(name, one) for one in value]
        else:
            pairs.append((name, {True: "true", 7: "7"}.get(value, value)))
    return pairs


def arguments_for(method: Any, operation: Operation) -> tuple[list[Any], dict[str, Any]]:
    """Positional arguments, and the query parameters under their wire names."""
    count = len(re.findall(r"{\w+}", operation.path))
    positional: list[Any] = [f"id {number}" for number in range(count)]
    parameters = list(inspect.signature(method).parameters)
    if operation.id == "invoicePendingLinesAction":
        positional.append("customer 1")
    elif operation.media:
        positional.append(
            [EVENT] if parameters[count] == "events" else EVENT if parameters[count] == "event" else BODY
        )
    values = {name: value_for(raw) for name, raw in operation.query.items() if not name.startswith("exernal")}
    return positional, values


def check(
    request: httpx.Request, operation: Operation, content_type: str | None, values: dict[str, Any]
) -> None:
    assert request.method == operation.method
    path = request.url.raw_path.decode().partition("?")[0]
    assert operation.matches(path), path
    assert "%20" in path or "{" not in operation.path
    assert parse_qsl(request.url.query.decode()) == expected_query(operation, values)
    if operation.media:
        assert request.headers["content-type"] == (content_type or operation.media[0])
        assert json.loads(request.content) in (
            BODY,
            EVENT,
            [EVENT],
            {"events": [EVENT]},
            {"customerId": "customer 1"},
        )
    else:
        assert not request.content
    assert request.headers["authorization"] == "Bearer sk_live_x"


@pytest.mark.parametrize(
    ("name", "args", "operation", "content_type"), CASES, ids=[case[0] for case in CASES]
)
def test_it_sends_what_the_contract_says(
    wire: Any, client: Any, name: str, args: list[str], operation: Operation, content_type: str | None
) -> None:
    method = method_of(client, name)
    positional, values = arguments_for(method, operation)
    wire.answers = [httpx.Response(int(operation.success.replace("XX", "00")))] * 2
    options = {"params": values} if values else {}
    method(*positional, **options)
    check(wire.requests[-1], operation, content_type, values)
    by_keyword = {
        ("from_" if wire_name == "from" else snake(wire_name)): value for wire_name, value in values.items()
    }
    method(*positional, **by_keyword)
    check(wire.requests[-1], operation, content_type, values)


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


@pytest.mark.parametrize(
    ("name", "args", "operation", "content_type"), CASES, ids=[case[0] for case in CASES]
)
def test_documented_arguments_come_first(
    client: Any, name: str, args: list[str], operation: Operation, content_type: str | None
) -> None:
    parameters = list(inspect.signature(method_of(client, name)).parameters.values())
    assert [parameter.name for parameter in parameters[: len(args)]] == args
    assert parameters[-1].name == "request_timeout"


@pytest.mark.parametrize(
    ("name", "args", "operation", "content_type"), CASES, ids=[case[0] for case in CASES]
)
def test_a_server_without_it_is_a_clear_error(
    wire: Any, client: Any, name: str, args: list[str], operation: Operation, content_type: str | None
) -> None:
    detail = f"not implemented error: The operation {operation.id} is not implemented."
    wire.answers = [httpx.Response(501, json={"detail": detail, "extensions": {"code": "not_implemented"}})]
    method = method_of(client, name)
    positional, values = arguments_for(method, operation)
    with pytest.raises(sdk.errors.NotSupportedError, match=operation.id) as raised:
        method(*positional, **({"params": values} if values else {}))
    assert raised.value.status == 501
    assert raised.value.code == "not_implemented"
    assert not raised.value.retryable
    assert len(wire.requests) == 1


def test_the_asynchronous_client_sends_the_same(wire: Any) -> None:
    async def send_all() -> None:
        async with sdk.AsyncMeterClient(
            "sk_live_x", "http://server.test", transport=wire.transport
        ) as client:
            for name, _, operation, content_type in CASES:
                method = method_of(client, name)
                positional, values = arguments_for(method, operation)
                wire.answers = [httpx.Response(int(operation.success.replace("XX", "00")))]
                await method(*positional, **({"params": values} if values else {}))
                check(wire.requests[-1], operation, content_type, values)

    asyncio.run(send_all())


def test_every_operation_of_the_contracts_is_there() -> None:
    assert {row["operation"] for row in NAMES} == set(OPENMETER)
    assert {operation.id for _, _, operation, _ in CASES} == set(OPENMETER) | set(POLAR)


def methods(kind: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every public method of a namespace and of those in it."""
    for name, value in inspect.getmembers(type(kind)):
        if name.startswith("_"):
            continue
        if isinstance(value, property):
            yield from methods(getattr(kind, name), f"{path}{name}.")
        elif inspect.isfunction(value):
            yield f"{path}{name}", value


def test_every_method_is_documented(client: Any) -> None:
    found = dict(methods(client))
    assert len(found) > 280
    for name, method in found.items():
        text = inspect.getdoc(method) or ""
        assert text, name
        if name in ("close", "with_options"):
            continue
        assert "Reference: " in text, name
        for parameter in list(inspect.signature(method).parameters)[1:]:
            is_told = (
                f"{parameter}:" in text or "arguments are those" in text or "Arguments and errors" in text
            )
            assert is_told or name.rpartition(".")[2].startswith(
                ("iter_", "update_workflow_schedule", "schedule_")
            ), (
                name,
                parameter,
            )


def test_unknown_parameters_are_refused(client: Any, wire: Any) -> None:
    with pytest.raises(sdk.errors.ArgumentError, match="windowsize"):
        client.meters.query_json("m", {"windowsize": "DAY"})
    with pytest.raises(TypeError):
        client.meters.query_json("m", windowsize="DAY")
    with pytest.raises(sdk.errors.ArgumentError, match="params"):
        client.meters.query_json("m", ["DAY"])
    assert wire.requests == []


def test_instants_need_a_zone(client: Any, wire: Any) -> None:
    from datetime import datetime, timedelta, timezone

    at = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    client.meters.query_json("m", from_=at)
    assert wire.query == {"from": "2026-01-01T10:00:00Z"}
    with pytest.raises(sdk.errors.ArgumentError, match="time zone"):
        client.meters.query_json("m", from_=datetime(2026, 1, 1))


class TestMetersUnite:
    def test_a_definition_in_either_form(self, client: Any, wire: Any) -> None:
        client.meters.create({"slug": "m", "eventType": "t", "aggregation": "COUNT"})
        client.meters.create({"name": "mmm", "filter": {}, "aggregation": {"func": "count"}})
        assert [request.url.path for request in wire.requests] == ["/api/v1/meters", "/v1/meters/"]

    def test_a_change_in_either_form(self, client: Any, wire: Any) -> None:
        client.meters.update("m", {"name": "n"})
        client.meters.update("m", {"is_archived": True})
        assert [(request.method, request.url.path) for request in wire.requests] == [
            ("PUT", "/api/v1/meters/m"),
            ("PATCH", "/v1/meters/m"),
        ]

    def test_an_id_in_either_spelling(self, client: Any, wire: Any) -> None:
        client.meters.get("01J0000000000000000000000A")
        client.meters.get("01a1fa15-1762-72ce-bfec-e1a340ceb67b")
        assert [request.url.path for request in wire.requests] == [
            "/api/v1/meters/01J0000000000000000000000A",
            "/v1/meters/01a1fa15-1762-72ce-bfec-e1a340ceb67b",
        ]

    def test_polar_operations(self, client: Any, wire: Any) -> None:
        client.meters.quantities(
            "m", start_timestamp="a", end_timestamp="b", interval="day", metadata={"k": "v"}
        )
        assert wire.requests[-1].url.path == "/v1/meters/m/quantities"
        assert wire.query == {
            "start_timestamp": "a",
            "end_timestamp": "b",
            "interval": "day",
            "metadata[k]": "v",
        }
        client.meters.events("m", limit=5)
        assert wire.requests[-1].url.path == "/v1/meters/m/events"
        client.events.ingest([{"name": "n", "external_customer_id": "c"}])
        assert wire.body == {"events": [{"name": "n", "external_customer_id": "c"}]}
        assert wire.requests[-1].url.path == "/v1/events/ingest"
        with pytest.raises(sdk.errors.ArgumentError):
            client.events.ingest("no events")


class TestEvents:
    def test_what_is_missing_is_added(self, client: Any, wire: Any) -> None:
        client.events.ingest_event({"source": "s", "type": "t", "subject": "x"})
        assert wire.body["specversion"] == "1.0"
        assert len(wire.body["id"]) == 36

    @pytest.mark.parametrize(
        "event",
        [
            {"source": "s", "type": "t"},
            {"source": "", "type": "t", "subject": "x"},
            {"source": "s", "type": "t", "subject": 7},
            {"source": "s", "type": "t", "subject": "x", "data": "text"},
            {"source": "s", "type": "t", "subject": "x", "data": {"n": float("nan")}},
            {"source": "s", "type": "t", "subject": "x", "data": {"n": object()}},
            "no event",
        ],
    )
    def test_a_wrong_event_is_refused_here(self, client: Any, wire: Any, event: Any) -> None:
        with pytest.raises(sdk.errors.ArgumentError):
            client.events.ingest_event(event)
        assert wire.requests == []

    def test_a_list_needs_events(self, client: Any) -> None:
        for events in ([], {}, "abc"):
            with pytest.raises(sdk.errors.ArgumentError):
                client.events.ingest_events(events)
