"""The recorder itself: what it forwards, and that it notices departures from a contract."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.wire.recorder import Exercise, Recorder, Recording, find_operation
from tests.wire.threads import listen


async def echo(request: Request) -> Response:
    headers = [[name.decode(), value.decode()] for name, value in request.headers.raw]
    body = await request.body()
    return JSONResponse(
        {"method": request.method, "target": str(request.url.query), "headers": headers, "size": len(body)},
        headers={"x-odd": "1", "polar-version": "2026-10"},
    )


async def page(request: Request) -> Response:
    content = b'{"items": [], "pagination": {"total_count": 0, "max_page": 0}}'
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            gzip.compress(content), headers={"content-encoding": "gzip"}, media_type="application/json"
        )
    return Response(content, media_type="application/json")


async def wrong(request: Request) -> Response:
    return JSONResponse({"items": 7})


async def slow(request: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        for part in (b" ", b" ", b'{"detail": "x"}'):
            yield part

    return StreamingResponse(chunks(), status_code=404, media_type="application/json")


async def broken(request: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"["
        raise RuntimeError("the upstream died")

    return StreamingResponse(chunks(), media_type="application/json")


@pytest.fixture(scope="module")
def seen() -> Recording:
    return Recording()


@pytest.fixture(scope="module")
def through(seen: Recording) -> Iterator[httpx.Client]:
    upstream = listen(
        Starlette(
            routes=[
                Route("/echo", echo, methods=["GET", "POST", "DELETE"]),
                Route("/v1/meters/", page),
                Route("/v1/customers/", wrong),
                Route("/api/jobs", slow),
                Route("/api/schedules", broken),
            ]
        )
    )
    recorder = Recorder(upstream.base_url, seen)
    with httpx.Client(base_url=recorder.url_for("a client 1.0")) as client:
        yield client
    recorder.close()
    upstream.close()


def test_a_request_passes_unchanged(through: httpx.Client) -> None:
    answer = through.post(
        "/echo?a=%2F&b=x+y&c[d]=%00", content=b"x" * 200_000, headers={"Authorization": "Bearer k"}
    )
    told = answer.json()
    assert told["size"] == 200_000
    assert told["target"] == "a=%2F&b=x+y&c[d]=%00"
    assert ["authorization", "Bearer k"] in told["headers"]
    assert answer.headers["x-odd"] == "1"
    assert "server" not in answer.headers


def test_streamed_and_absent_bodies_pass(through: httpx.Client) -> None:
    streamed = through.post("/echo", content=(b"x" * 1000 for _ in range(50))).json()
    assert streamed["size"] == 50_000
    assert ["transfer-encoding", "chunked"] in streamed["headers"]
    assert through.delete("/echo").json()["size"] == 0


def test_compressed_answers_are_checked_in_the_clear(through: httpx.Client, seen: Recording) -> None:
    for encoding in ("gzip", "identity"):
        answer = through.get("/v1/meters/", headers={"accept-encoding": encoding})
        assert json.loads(answer.content)["items"] == []
    assert seen.take_violations() == []
    assert Exercise("polar", "meters:list", 200, "a client 1.0") in seen.exercises


def test_departures_are_noted_and_do_not_count(through: httpx.Client, seen: Recording) -> None:
    assert through.get("/v1/customers/").json() == {"items": 7}
    told = seen.take_violations()
    assert any("customers:list 200" in line for line in told)
    assert not any(exercise.operation == "customers:list" for exercise in seen.exercises)


def test_leading_white_space_is_json(through: httpx.Client, seen: Recording) -> None:
    assert through.get("/api/jobs").content == b'  {"detail": "x"}'
    assert seen.take_violations() == []
    [noted] = [exercise for exercise in seen.exercises if exercise.operation == "list_jobs"]
    assert not noted.succeeded


def test_an_answer_cut_short_reaches_the_client_as_such(through: httpx.Client, seen: Recording) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        through.get("/api/schedules")
    assert not any(exercise.operation == "list_schedules" for exercise in seen.exercises)


def test_only_contract_paths_are_noted() -> None:
    assert find_operation("GET", "/livez") is None
    assert find_operation("GET", "/api/v10/meters") is None
    found = find_operation("GET", "/api/v1/meters/tokens")
    assert found is not None
    assert (found[0], found[1].id) == ("openmeter", "getMeter")
