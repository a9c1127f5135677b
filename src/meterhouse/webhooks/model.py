"""The words of webhooks as plain frozen data: where to, what about, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

Metadata = Mapping[str, object]


class WebhookType(StrEnum):
    """The format of a message, after the kind of receiver."""

    STANDARD = "standard"
    SLACK = "slack"
    SLACK_WORKFLOW = "slack_workflow"
    DISCORD = "discord"
    EMAIL = "email"


class DeliveryStatus(StrEnum):
    """`pending` until the receiver took it or it is given up; an email waits in the `outbox`."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    OUTBOX = "outbox"


@dataclass(frozen=True)
class Endpoint:
    """Where messages go. `secret` proves to the receiver who sent them.

    `only_changes`: what went well and changed nothing is not told. People are never told of it.
    """

    url: str
    type: WebhookType
    secret: str | None = None
    metadata: Metadata | None = None
    only_changes: bool = False

    @property
    def wants_every_run(self) -> bool:
        return self.type is WebhookType.STANDARD and not self.only_changes


@dataclass(frozen=True)
class Notice:
    """One event, as a program reads it (`payload`) and as a person reads it (the rest).

    `items` are groups of lines under a heading, such as new items.
    """

    payload: Mapping[str, object]
    title: str
    url: str
    summary: str
    items: Sequence[tuple[str, Sequence[str]]] = ()


@dataclass(frozen=True)
class Subject:
    """What one message is about, for a receiver that wants `metadata` with it."""

    id: UUID
    metadata: Metadata | None = None


class Renderer(Protocol):
    """Words notices, one per subject and in their order; `None` where the subject is gone.

    Called outside any transaction, with a few subjects at once.
    """

    async def __call__(self, subjects: Sequence[Subject]) -> Sequence[Notice | None]: ...


@dataclass(frozen=True)
class Delivery:
    """One message to one endpoint. `body` is set by the first attempt and stays the same from then on."""

    id: UUID
    organisation_id: UUID
    source: str
    subject_id: UUID
    owner_id: UUID
    endpoint: Endpoint
    host: str
    status: DeliveryStatus
    attempts: int
    next_at: datetime
    created_at: datetime
    ended_at: datetime | None = None
    body: str | None = None


@dataclass(frozen=True)
class Letter:
    """What an email says, and to whom."""

    to: str
    subject: str
    text: str


@dataclass(frozen=True)
class Attempt:
    """One try: `status_code` is what the receiver answered, `error` why there was no good answer."""

    number: int
    at: datetime
    status_code: int | None
    error: str | None
    duration_ms: int


@dataclass(frozen=True)
class Result:
    """What one request came to. `status_code` 0: no answer. `is_final`: trying again is in vain."""

    status_code: int
    error: str | None = None
    is_final: bool = False
    duration_ms: int = 0
    retry_after_s: int | None = None

    @property
    def succeeded(self) -> bool:
        return self.error is None


@dataclass(frozen=True)
class DeliveryFilter:
    """Which deliveries to list; what is `None` does not restrict."""

    owner_id: UUID | None = None
    status: DeliveryStatus | None = None
