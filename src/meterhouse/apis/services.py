"""What handlers may use: one object, built in the composition root and passed with every call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from meterhouse.apis.turns import Turns
from meterhouse.customers.service import DeletionGuard
from meterhouse.entitlements.balance import Balances
from meterhouse.entitlements.consume import Consumer
from meterhouse.extraction.extractor import Extractor
from meterhouse.identity.model import Principal
from meterhouse.kernel.clock import Clock
from meterhouse.monitoring.signals import JobSignals
from meterhouse.platform.ports import Browser, Database, EventStore, Fetcher, Mailer, Model, NoBrowser, Queue
from meterhouse.usage.block import EventRow
from meterhouse.usage.known import KnownMeters
from meterhouse.usage.service import MeterGuard

MEBIBYTE = 1024 * 1024


class Authenticator(Protocol):
    """Finds the caller behind a bearer token."""

    async def authenticate(self, token: str | None) -> Principal:
        """Raise `Unauthenticated` for no token (`None`) and for unknown or revoked ones, all alike."""
        ...


class EventSink(Protocol):
    """Accepts usage events."""

    async def submit(self, events: Sequence[Any]) -> list[bool]:
        """Store a batch; on return it is on disk. Tell for each event whether it was new."""
        ...

    async def submit_rows(self, rows: list[EventRow]) -> list[bool]:
        """Like `submit`, for rows that are checked already."""
        ...


@dataclass(frozen=True)
class Limits:
    """Bounds on what a request may bring. Polar's body bound is part of its documented interface."""

    meter_body_bytes: int = 32 * MEBIBYTE
    openmeter_body_bytes: int = 32 * MEBIBYTE
    polar_body_bytes: int = 10_485_760
    file_bytes: int = 64 * 1024 * MEBIBYTE  # of bodies that are read piece by piece

    def body_bytes(self, facade: str) -> int:
        bound: int = getattr(self, f"{facade}_body_bytes")
        return bound


@dataclass(frozen=True)
class Services:
    """The platform and the contexts' running parts, as a handler sees them.

    `customer_guards` may refuse the deletion of a customer that something depends on.
    """

    database: Database
    events: EventStore
    fetcher: Fetcher
    queue: Queue
    clock: Clock
    ingestor: EventSink
    authenticator: Authenticator
    balances: Balances
    consumer: Consumer
    limits: Limits = field(default_factory=Limits)
    extractor: Extractor = field(default_factory=Extractor)
    signals: JobSignals = field(default_factory=JobSignals)
    browser: Browser = field(default_factory=NoBrowser)
    model: Model | None = None
    meter_guards: Sequence[MeterGuard] = ()
    customer_guards: Sequence[DeletionGuard] = ()
    mailer: Mailer | None = None
    known_meters: KnownMeters = field(default_factory=KnownMeters)
    turns: Turns = field(default_factory=Turns)
