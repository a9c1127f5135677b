"""The routes beside the facades: health, metrics and the test clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from meterhouse.kernel.clock import TestClock, format_instant
from meterhouse.kernel.errors import Conflict, DependencyFailed

Probe = Callable[[], Awaitable[None]]
ClockMove = Callable[[datetime], Awaitable[None]]

PROBE_TIMEOUT_S = 5.0
CLOCK_BODY_BYTES_MAX = 1024


def health_routes(probes: Mapping[str, Probe], metrics: Callable[[], tuple[bytes, str]]) -> list[Route]:
    """`/livez` (the process runs), `/readyz` (migrated, and each engine answers), `/metrics`."""

    async def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_: Request) -> Response:
        results = await asyncio.gather(*(_probe(probe) for probe in probes.values()))
        checks = dict(zip(probes, results, strict=True))
        ready = all(result == "ok" for result in results)
        return JSONResponse(
            {"status": "ready" if ready else "not ready", "checks": checks}, status_code=200 if ready else 503
        )

    async def render_metrics(_: Request) -> Response:
        body, content_type = metrics()
        return Response(body, media_type=content_type)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", render_metrics)]


async def _probe(probe: Probe) -> str:
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            await probe()
    except TimeoutError:
        return f"no answer within {PROBE_TIMEOUT_S:g} s"
    except DependencyFailed as error:
        return error.message
    return "ok"


class _ClockBody(msgspec.Struct, forbid_unknown_fields=True):
    now: datetime


def clock_routes(clock: TestClock, move: ClockMove) -> list[Route]:
    """`GET` and `PUT /testing/clock`, served only where METERHOUSE_TEST_CLOCK is set.

    No key is asked for: setting the switch is the permission, and it belongs on no production server.
    """
    turn = asyncio.Lock()

    async def get_clock(_: Request) -> Response:
        return JSONResponse({"now": format_instant(clock.now())})

    async def put_clock(request: Request) -> Response:
        raw = await request.body()
        if len(raw) > CLOCK_BODY_BYTES_MAX:
            return JSONResponse({"detail": "The body is too large."}, status_code=413)
        try:
            wanted = msgspec.json.decode(raw, type=_ClockBody).now
            if wanted.tzinfo is None:
                raise msgspec.ValidationError("`now` needs an offset or Z")
        except msgspec.DecodeError as error:
            detail = f'Send {{"now": "2026-01-31T00:00:00Z"}}: {error}.'
            return JSONResponse({"detail": detail}, status_code=400)
        async with turn:
            try:
                await move(wanted)
            except Conflict as error:
                return JSONResponse({"detail": error.message}, status_code=409)
        return JSONResponse({"now": format_instant(clock.now())})

    return [
        Route("/testing/clock", get_clock, methods=["GET"]),
        Route("/testing/clock", put_clock, methods=["PUT"]),
    ]
