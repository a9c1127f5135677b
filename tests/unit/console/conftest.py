"""A console on memory: keys, a clock and rows that tests put there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette

from meterhouse.apis.meter import facade as meter
from meterhouse.apis.openmeter import facade as openmeter
from meterhouse.apis.polar import facade as polar
from meterhouse.apis.services import Services
from meterhouse.console.overview import EmailRow, EventRow, JobRow, Listing, MeterRow, StrategyRow
from meterhouse.console.routes import console_routes
from meterhouse.identity.model import ApiKey, Principal
from meterhouse.kernel.clock import TestClock
from meterhouse.kernel.errors import Unauthenticated
from meterhouse.kernel.ids import new_id

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
KEY = "sk_live_" + "a" * 43
ORIGIN = "http://meterhouse.test"
FACADES = {facade.name: facade for facade in (meter, openmeter, polar)}


@dataclass
class FakeKeys:
    """`Authenticator` and `KeyRing` in memory."""

    clock: TestClock
    keys: dict[str, ApiKey] = field(default_factory=dict)
    secret: bytes | None = None
    down: Exception | None = None

    def add(self, secret: str, **changes: Any) -> ApiKey:
        key = ApiKey(
            id=new_id(),
            organisation_id=new_id(),
            name="first key",
            prefix=f"{secret[:12]}…",
            scopes=frozenset({"*"}),
            created_at=NOW,
            expires_at=None,
            last_used_at=None,
            revoked_at=None,
        )
        self.keys[secret] = replace(key, **changes)
        return self.keys[secret]

    def change(self, secret: str, **changes: Any) -> None:
        self.keys[secret] = replace(self.keys[secret], **changes)

    async def authenticate(self, token: str | None) -> Principal:
        key = self.keys.get(token or "")
        if key is None or not key.is_usable(self.clock.now()):
            raise Unauthenticated("Invalid or missing API key")
        return Principal(key.id, key.organisation_id, key.scopes)

    async def ensure_secret(self, now: datetime) -> bytes:
        self.secret = self.secret or b"s" * 32
        return self.secret

    async def find_secret(self) -> bytes | None:
        if self.down is not None:
            raise self.down
        return self.secret

    async def find_key(self, key_id: UUID) -> ApiKey | None:
        return next((key for key in self.keys.values() if key.id == key_id), None)


@dataclass
class FakeSource:
    """`OverviewSource` in memory. `problems` are raised instead of an answer, by section."""

    rows: dict[UUID, dict[str, list[Any]]] = field(default_factory=dict)
    problems: dict[str, Exception] = field(default_factory=dict)

    def _read(self, section: str, organisation_id: UUID, limit: int) -> Listing[Any]:
        if section in self.problems:
            raise self.problems[section]
        rows = self.rows.get(organisation_id, {}).get(section, [])
        return Listing(rows[:limit], has_more=len(rows) > limit)

    async def strategies(self, organisation_id: UUID, limit: int) -> Listing[StrategyRow]:
        return self._read("strategies", organisation_id, limit)

    async def jobs(self, organisation_id: UUID, limit: int) -> Listing[JobRow]:
        return self._read("jobs", organisation_id, limit)

    async def meters(self, organisation_id: UUID, limit: int) -> Listing[MeterRow]:
        return self._read("meters", organisation_id, limit)

    async def events(self, organisation_id: UUID, limit: int) -> Listing[EventRow]:
        return self._read("events", organisation_id, limit)

    async def outbox(self, organisation_id: UUID, limit: int) -> Listing[EmailRow]:
        return self._read("outbox", organisation_id, limit)


class Stage:
    """One process of the console, and everything a test turns."""

    def __init__(self, clock: TestClock, keys: FakeKeys, source: FakeSource) -> None:
        self.clock = clock
        self.keys = keys
        self.source = source
        nothing = cast(Any, None)
        services = Services(nothing, nothing, nothing, nothing, clock, nothing, keys, nothing, nothing)
        self.app = Starlette(routes=console_routes(services, FACADES, source=source, ring=keys))

    def browser(self, base_url: str = ORIGIN) -> httpx.AsyncClient:
        """A client with a cookie jar of its own."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=base_url)


@pytest.fixture
def stage() -> Stage:
    clock = TestClock(NOW)
    return Stage(clock, FakeKeys(clock), FakeSource())


@pytest.fixture
async def browser(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    async with stage.browser() as opened:
        yield opened


async def sign_in(browser: httpx.AsyncClient, key: str = KEY, **headers: str) -> httpx.Response:
    """Send the form as a browser does from the console's own page."""
    origin = str(browser.base_url).rstrip("/")
    return await browser.post("/console/sign-in", data={"key": key}, headers={"Origin": origin} | headers)
