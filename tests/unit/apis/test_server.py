"""The root application with a few handlers and nothing behind them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs
from tests.fakes.http import KEY, InMemoryAuthenticator, absent_services, client_of, server_of
from tests.unit.apis.contracts import meter_facade, openmeter_facade, polar_facade

from meterhouse.apis.call import Call
from meterhouse.apis.facade import Facade
from meterhouse.apis.payload import read_body
from meterhouse.apis.services import Limits
from meterhouse.kernel.errors import Conflict, InvariantBroken
from meterhouse.platform.telemetry import RequestMetrics, configure_logging, render_metrics

ID = "0190163d-8694-7de3-8f3a-2c9e3f1f6a01"


class NewMeter(BaseModel):
    name: str = Field(min_length=3)


class MeterPage(BaseModel):
    page: int = Field(1, gt=0)
    sorting: list[str] = Field(default_factory=list)
    metadata: dict[str, list[str]] = Field(default_factory=dict)


def facades() -> list[Facade]:
    meter, openmeter, polar = meter_facade(), openmeter_facade(), polar_facade()

    @meter.operation("refine_strategy", scopes=("strategies:write",))
    async def refine(call: Call) -> object:
        return {
            "id": call.path_id("strategy_id"),
            "body": call.body,
            "ours": call.principal.key_id is not None,
        }

    @meter.operation("list_jobs")
    async def list_jobs(call: Call) -> object:
        return [call.query]

    @meter.operation("get_job")
    async def get_job(call: Call) -> object:
        raise {"conflict": Conflict("in the way"), "bug": KeyError("secret"), "broken": InvariantBroken("s")}[
            call.path["job_id"]
        ]

    @openmeter.operation("createMeter")
    async def create_meter(call: Call) -> object:
        return call.body

    @openmeter.operation("deleteMeter")
    async def delete_meter(call: Call) -> None:
        return None

    @openmeter.operation("queryMeter")
    async def query_meter(call: Call) -> object:
        kind = call.accepts("application/json", "text/csv")
        return call.text("a,b\n", media_type=kind) if kind == "text/csv" else call.query

    @openmeter.operation("queryPortalMeter", is_public=True)
    async def portal(call: Call) -> object:
        return {}

    @openmeter.hot("ingestEvents", scopes=("events:write",))
    async def ingest(scope: Scope, receive: Receive, send: Send) -> None:
        size = len(await read_body(receive))
        await Response(f"{size} {scope['meterhouse'].request_id}", 204 if size == 0 else 200)(
            scope, receive, send
        )

    @polar.operation("meters:create")
    async def polar_create(call: Call) -> object:
        return call.parse_body(NewMeter)

    @polar.operation("meters:list")
    async def polar_list(call: Call) -> object:
        return call.parse_query(MeterPage)

    return [meter, openmeter, polar]


@pytest.fixture
def authenticator() -> InMemoryAuthenticator:
    return InMemoryAuthenticator()


@pytest.fixture
def metrics() -> RequestMetrics:
    return RequestMetrics()


@pytest.fixture
def server(authenticator: InMemoryAuthenticator, metrics: RequestMetrics) -> Any:
    limits = Limits(meter_body_bytes=1000, openmeter_body_bytes=1000)
    return server_of(*facades(), services=absent_services(authenticator, limits), metrics=metrics)


@pytest.fixture
def http(server: Any) -> httpx.AsyncClient:
    return client_of(server)


async def test_a_handler_gets_a_checked_call(http: httpx.AsyncClient) -> None:
    answer = await http.post(f"/api/strategies/{ID}/refine", json={"feedback": "more"})
    assert answer.status_code == 200
    assert answer.json() == {"id": ID, "body": {"feedback": "more"}, "ours": True}


async def test_the_success_status_is_the_contracts(http: httpx.AsyncClient) -> None:
    body = {"slug": "tokens", "eventType": "e", "aggregation": "COUNT"}
    assert (await http.post("/api/v1/meters", json=body)).status_code == 201
    deleted = await http.delete("/api/v1/meters/tokens")
    assert (deleted.status_code, deleted.content) == (204, b"")


async def test_query_values_arrive_coerced(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/jobs?limit=5&unknown=1")).json() == [{"limit": 5}]


async def test_csv_on_request(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/v1/meters/tokens/query", headers={"accept": "text/csv"})
    assert (answer.text, answer.headers["content-type"]) == ("a,b\n", "text/csv; charset=utf-8")
    assert (await http.get("/api/v1/meters/tokens/query", headers={"accept": "*/*"})).json() == {}


async def test_authentication_comes_before_any_check(server: Any) -> None:
    async with client_of(server, key=None) as http:
        assert (await http.post("/api/v1/meters", content=b"{")).status_code == 401
        assert (await http.get("/api/jobs?limit=x")).status_code == 401
        assert (await http.post("/v1/meters/", json={})).status_code == 401
        assert (await http.get("/api/v1/portal/meters/tokens/query")).status_code == 200


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "bearer", "Bearer ", "Basic abc", KEY, "Bearer \xe9", f"Bearer {KEY} x"]
)
async def test_wrong_credentials_are_all_alike(server: Any, header: str) -> None:
    async with client_of(server, key=None) as http:
        bodies = set()
        for path in ("/api/jobs", "/api/v1/meters", "/v1/meters/"):
            answer = await http.get(path, headers={"authorization": header.encode("latin-1")})
            assert answer.status_code == 401
            bodies.add(answer.headers["www-authenticate"].split(",")[0])
        assert bodies == {"Bearer", 'Bearer realm="polar"'}


async def test_the_scheme_is_read_in_any_case(server: Any) -> None:
    async with client_of(server, key=None) as http:
        answer = await http.get("/api/jobs", headers={"authorization": f"bearer   {KEY}"})
        assert answer.status_code == 200


async def test_two_credentials_are_none(server: Any) -> None:
    async with client_of(server, key=None) as http:
        headers = [("authorization", f"Bearer {KEY}"), ("authorization", f"Bearer {KEY}")]
        assert (await http.get("/api/jobs", headers=headers)).status_code == 401


async def test_scopes_are_needed(server: Any, authenticator: InMemoryAuthenticator) -> None:
    async with client_of(server, key=authenticator.add("reader", ["meters:read"])) as http:
        refine = await http.post(f"/api/strategies/{ID}/refine", json={"feedback": "x"})
        assert (refine.status_code, refine.json()["code"]) == (403, "forbidden")
        assert "strategies:write" in refine.json()["detail"]
        assert (await http.post("/api/v1/events", json={})).status_code == 403
        assert (await http.get("/v1/meters/")).status_code == 200, "the contract's own scopes"
        create = await http.post("/v1/meters/", json={"name": "abc"})
        assert create.json()["error"] == "insufficient_scope"


async def test_what_has_no_handler_answers_501(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/schedules")).status_code == 501
    assert (await http.get("/v1/customers/")).json()["error"] == "NotImplemented"
    assert (await http.get("/api/v1/plans")).json()["detail"].startswith("not implemented error: ")


async def test_unknown_routes_and_methods(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/nonsense")).json()["code"] == "route_not_found"
    assert (await http.get("/api/v1/nonsense")).json()["title"] == "Not Found"
    assert (await http.get("/api/v10/meters")).json()["code"] == "route_not_found"
    assert (await http.get("/v1/nonsense")).json() == {"detail": "Not Found"}
    refused = await http.put("/api/jobs")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    options = await http.options("/v1/meters/")
    assert (options.status_code, options.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


async def test_head_is_get_without_a_body(http: httpx.AsyncClient) -> None:
    answer = await http.head("/api/jobs?limit=5")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(b'[{"limit":5}]'))


async def test_polar_redirects_to_the_other_slash(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/meters?page=2")
    assert (answer.status_code, answer.headers["location"]) == (307, "/v1/meters/?page=2")
    assert (await http.get("/api/jobs/")).status_code == 404, "no redirect: that client follows none"


async def test_the_contract_is_published(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/swagger.json")).json()["openapi"] == "3.0.0"
    assert (await http.delete("/api/swagger.json")).headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", None, "APPLICATION/JSON"]
)
async def test_json_is_read_with_and_without_its_type(
    http: httpx.AsyncClient, content_type: str | None
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    answer = await http.post(f"/api/strategies/{ID}/refine", content=b'{"feedback": "x"}', headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"[" * 500, None),
        (b'{"feedback": "\\u0000"}', None),
        (b"\xff", None),
        (b'{"feedback": 7}', None),
        (b"null", None),
    ],
)
async def test_bad_bodies_are_400(http: httpx.AsyncClient, content: bytes, content_type: str | None) -> None:
    headers = {"content-type": content_type} if content_type else {}
    for path in (f"/api/strategies/{ID}/refine", "/api/v1/meters"):
        answer = await http.post(path, content=content, headers=headers)
        assert answer.status_code == 400, answer.text


async def test_polar_bodies_fail_as_pydantic_says(http: httpx.AsyncClient) -> None:
    async def items(**kwargs: Any) -> list[tuple[str, list[Any]]]:
        answer = await http.post("/v1/meters/", **kwargs)
        assert answer.status_code == 422
        assert answer.json()["error"] == "RequestValidationError"
        return [(item["type"], item["loc"]) for item in answer.json()["detail"]]

    assert await items(json={}) == [("missing", ["body", "name"])]
    assert await items(json={"name": "x"}) == [("string_too_short", ["body", "name"])]
    assert await items(content=b"") == [("missing", ["body"])]
    assert await items(content=b"{x") == [("json_invalid", ["body", 1])]
    assert await items(content=b"a=b", headers={"content-type": "text/plain"}) == [
        ("model_attributes_type", ["body"])
    ]
    assert await items(json={"name": "a\x00b"}) == [("value_error", ["body", "name"])]


async def test_polar_queries_fail_as_pydantic_says(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/meters/?page=0")
    [item] = answer.json()["detail"]
    assert item == {
        "type": "greater_than",
        "loc": ["query", "page"],
        "msg": "Input should be greater than 0",
        "input": "0",
        "ctx": {"gt": 0},
    }
    answer = await http.get("/v1/meters/?page=2&sorting=-name&metadata[a]=b")
    assert answer.json() == {"page": 2, "sorting": ["-name"], "metadata": {"a": ["b"]}}
    assert (await http.get("/v1/meters/?sorting=%00")).status_code == 422


async def test_polar_versions_are_echoed(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/meters/", headers={"polar-version": "2027-01"})
    assert answer.headers["polar-version"] == "2027-01"
    assert answer.headers["cache-control"] == "private, no-store"
    assert (await http.get("/v1/meters/")).headers["polar-version"] == "2026-10"
    refused = await http.get("/v1/meters/", headers={"polar-version": "soon"})
    assert (refused.status_code, refused.json()) == (404, {"detail": "Not Found"})
    assert refused.headers["cache-control"] == "private, no-store"


async def stream(size: int) -> Any:
    for _ in range(size // 100):
        yield b"x" * 100


async def test_bodies_are_bounded_as_declared_and_as_read(http: httpx.AsyncClient) -> None:
    for path in ("/api/v1/meters", "/api/v1/events", f"/api/strategies/{ID}/refine"):
        declared = await http.post(path, content=b"x" * 1001)
        assert declared.status_code == 413
        streamed = await http.post(path, content=stream(2000))
        assert streamed.status_code == 413
    polar = await http.post("/v1/meters/", content=b"x" * 10_485_761)
    assert polar.json() == {
        "error": "RequestBodyTooLarge",
        "detail": "Request body exceeded the maximum allowed size of 10485760 bytes.",
    }
    assert (await http.post("/v1/meters/", content=stream(100))).status_code == 411


async def test_hot_routes_have_the_facades_errors(http: httpx.AsyncClient, server: Any) -> None:
    answer = await http.post("/api/v1/events", content=b"123", headers={"x-request-id": "mine"})
    assert answer.text == "3 mine"
    async with client_of(server, key=None) as stranger:
        refused = await stranger.post("/api/v1/events", content=b"123")
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"


async def test_request_ids_are_taken_over_when_sane(http: httpx.AsyncClient) -> None:
    assert (await http.get("/livez", headers={"x-request-id": "a-1"})).headers["x-request-id"] == "a-1"
    for odd in ("", "a b", "x" * 129, "é", '"'):
        answer = await http.get("/livez", headers={"x-request-id": odd.encode()})
        assert answer.headers["x-request-id"] not in ("", odd)
    answer = await http.get("/api/v1/nonsense", headers={"x-request-id": "a-1"})
    assert answer.json()["instance"] == "urn:request:a-1"


async def test_faults_of_ours_show_a_request_id_and_nothing_else(http: httpx.AsyncClient) -> None:
    for job in ("bug", "broken"):
        with capture_logs() as logs:
            answer = await http.get(f"/api/jobs/{job}")
        assert answer.status_code == 500
        assert answer.json()["detail"] == "Internal server error"
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
        assert [entry["event"] for entry in logs] == ["request_failed", "request"]
        assert logs[0]["log_level"] == "error"
    assert (await http.get("/api/jobs/conflict")).json()["detail"] == "in the way"


async def test_one_line_per_request_without_the_key(http: httpx.AsyncClient) -> None:
    with capture_logs() as logs:
        await http.get(f"/api/jobs/{ID}?token={KEY}")
    [line] = [entry for entry in logs if entry["event"] == "request"]
    assert line["route"] == "/api/jobs/{job_id}"
    assert (line["method"], line["facade"], line["operation"]) == ("GET", "meter", "get_job")
    assert {"status", "ms", "request_id"} <= line.keys()
    assert KEY not in str(logs[-1])
    assert ID not in str(logs[-1])


async def test_requests_are_counted_by_operation(http: httpx.AsyncClient, metrics: RequestMetrics) -> None:
    await http.get("/api/jobs")
    await http.get("/api/nonsense/7")
    await http.get("/livez")
    text = render_metrics(metrics.registry)[0].decode()
    assert 'meterhouse_http_requests_total{facade="meter",operation="list_jobs",status="200"} 1.0' in text
    assert 'operation="unmatched",status="404"' in text
    assert 'facade="outer"' in text
    assert "nonsense" not in text


async def call_directly(server: Any, messages: list[Message], path: str = "/api/v1/events") -> list[Message]:
    sent: list[Message] = []
    headers = [(b"authorization", f"Bearer {KEY}".encode())]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": headers}  # fmt: skip

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await server(scope, receive, send)
    return sent


@pytest.mark.parametrize("path", ["/api/v1/events", "/api/v1/meters"])
async def test_a_client_that_leaves_is_no_error(server: Any, path: str) -> None:
    messages: list[Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    with capture_logs() as logs:
        assert await call_directly(server, messages, path) == []
    assert [(entry["event"], entry["log_level"], entry["status"]) for entry in logs] == [
        ("request", "info", 499)
    ]


async def test_a_broken_pipe_while_answering_is_no_error(server: Any) -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        raise BrokenPipeError

    scope = {"type": "http", "method": "GET", "path": "/api/jobs", "query_string": b"", "headers": []}
    with capture_logs() as logs:
        await asyncio.wait_for(server(scope, receive, send), timeout=5)
    assert [entry["log_level"] for entry in logs] == ["info"]


def test_a_handler_for_nothing_stops_the_start() -> None:
    facade = meter_facade()

    @facade.operation("get_nothing")
    async def get_nothing(call: Call) -> None: ...

    with pytest.raises(ValueError, match="get_nothing"):
        server_of(facade)


def test_two_handlers_for_one_operation_stop_the_start() -> None:
    facade = meter_facade()
    facade.operation("get_job")(get_none)
    with pytest.raises(ValueError, match="two handlers"):
        facade.operation("get_job")(get_none)


def test_a_hot_route_with_path_parameters_stops_the_start() -> None:
    facade = meter_facade()

    @facade.hot("get_job")
    async def hot(scope: Scope, receive: Receive, send: Send) -> None: ...

    with pytest.raises(ValueError, match="path parameters"):
        facade.check()


async def get_none(call: Call) -> None: ...


def test_logs_are_json_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    import structlog

    configure_logging()
    try:
        structlog.get_logger("x").info("hello", key_id=1)
        line = json.loads(capsys.readouterr().err)
        assert (line["event"], line["level"], line["key_id"]) == ("hello", "info", 1)
    finally:
        structlog.reset_defaults()
