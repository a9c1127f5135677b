"""An in-process stand-in for everything behind the facades, for tests that need none of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

import httpx
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from meterhouse.apis.facade import Facade
from meterhouse.apis.server import Server
from meterhouse.apis.services import Limits, Services
from meterhouse.identity.model import ALL_SCOPES, Principal
from meterhouse.kernel.clock import SystemClock
from meterhouse.kernel.errors import DependencyFailed, Unauthenticated
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Fetched, FetchLimits, Rows
from meterhouse.platform.telemetry import RequestMetrics

KEY = "sk_live_test_of_all_scopes"
ORGANISATION_ID = UUID("01900000-0000-7000-8000-000000000001")


class InMemoryAuthenticator:
    """Knows the keys that were added, nothing else."""

    def __init__(self) -> None:
        self._principals: dict[str, Principal] = {}
        self.add(KEY)

    def add(self, token: str, scopes: Iterable[str] = (ALL_SCOPES,)) -> str:
        self._principals[token] = Principal(new_id(), ORGANISATION_ID, frozenset(scopes))
        return token

    async def authenticate(self, token: str | None) -> Principal:
        principal = self._principals.get(token or "")
        if principal is None:
            raise Unauthenticated("unknown key")
        return principal


class Absent:
    """A platform of which every part is away."""

    def begin(self) -> AbstractAsyncContextManager[Any]:
        raise DependencyFailed("There is no database here.", retryable=True)

    def read(self) -> AbstractAsyncContextManager[Any]:
        return self.begin()

    async def query(self, sql: str, parameters: Any = None, *, timeout_s: float = 30.0) -> Rows:
        raise DependencyFailed("There is no event store here.", retryable=True)

    async def command(self, sql: str) -> None:
        raise DependencyFailed("There is no event store here.", retryable=True)

    async def insert_json_lines(self, table: str, lines: bytes) -> None:
        raise DependencyFailed("There is no event store here.", retryable=True)

    async def ping(self) -> None:
        raise DependencyFailed("There is no event store here.", retryable=True)

    async def close(self) -> None:
        return

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Any = None,
        body: bytes | None = None,
        limits: FetchLimits | None = None,
    ) -> Fetched:
        raise DependencyFailed("There is no network here.")

    async def enqueue(
        self, connection: Any, task: str, *, key: str | None = None, **arguments: object
    ) -> None:
        raise DependencyFailed("There is no queue here.")

    async def submit(self, events: Sequence[Any]) -> list[bool]:
        return [True for _ in events]


def absent_services(
    authenticator: InMemoryAuthenticator | None = None, limits: Limits | None = None
) -> Services:
    absent = Absent()
    return Services(
        database=absent,
        events=absent,
        fetcher=absent,
        queue=absent,
        clock=SystemClock(),
        ingestor=absent,
        authenticator=authenticator or InMemoryAuthenticator(),
        balances=absent,
        consumer=absent,
        limits=limits or Limits(),
    )


def outer_app() -> Starlette:
    return Starlette(routes=[Route("/livez", lambda request: PlainTextResponse("ok"))])


def server_of(
    *facades: Facade, services: Services | None = None, metrics: RequestMetrics | None = None
) -> Server:
    """The root application over these facades, with nothing behind them unless given."""
    return Server(
        services or absent_services(),
        facades={facade.name: facade for facade in facades},
        outer=outer_app(),
        metrics=metrics or RequestMetrics(),
    )


def client_of(server: Server, *, key: str | None = KEY) -> httpx.AsyncClient:
    """A client that calls the application in this process."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(server), base_url="http://meterhouse", headers=headers
    )
