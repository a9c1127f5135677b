"""Schedules as plain frozen data, and what somebody may ask of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from meterhouse.kernel.recurrence import Recurrence
from meterhouse.webhooks.model import Endpoint, WebhookType


class Unset:
    """Stands for a field that a request leaves out, where `None` means to clear it."""


UNSET = Unset()


@dataclass(frozen=True)
class Schedule:
    """A strategy, addresses and a recurrence; each run makes one job per address.

    `next_at` is the next planned time, `None` while disabled. `last_skipped_at` is the last planned time
    that passed without a run because the run before had not ended.
    """

    id: UUID
    organisation_id: UUID
    strategy_id: UUID
    group_id: UUID | None
    urls: tuple[str, ...]
    has_url_list: bool
    parameters: Mapping[str, object] | None
    recurrence: Recurrence
    enabled: bool
    next_at: datetime | None
    last_run_at: datetime | None
    last_batch_id: UUID | None
    last_skipped_at: datetime | None
    webhook: Endpoint | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Saved:
    """A schedule as just written. `new_secret` is shown this once: the secret that was made for it."""

    schedule: Schedule
    new_secret: str | None = None


@dataclass(frozen=True)
class WebhookRequest:
    """The webhook that somebody asks for. Without a type it is told from the address."""

    url: str
    type: str | None = None
    secret: str | None = None
    metadata: Mapping[str, object] | None = None
    only_changes: bool = False


@dataclass(frozen=True)
class ScheduleRequest:
    """A new schedule: exactly one of `url` and `urls`, exactly one of `interval_s` and `cron`.

    `runs_at_once` makes the first run due immediately instead of at the first planned time.
    """

    strategy_id: UUID
    url: str | None = None
    urls: Sequence[str] | None = None
    interval_s: int | None = None
    cron: str | None = None
    timezone: str | None = None
    parameters: Mapping[str, object] | None = None
    webhook: WebhookRequest | None = None
    enabled: bool = True
    runs_at_once: bool = False
    group_id: UUID | None = None

    def of_strategy(self, strategy_id: UUID) -> ScheduleRequest:
        """The same schedule for another strategy."""
        return replace(self, strategy_id=strategy_id)


@dataclass(frozen=True)
class ScheduleChange:
    """What of a schedule is to become what. `UNSET` leaves a field as it is, `None` clears it.

    Clearing `webhook_url` removes the webhook with all that belongs to it; an empty `webhook_secret` asks
    for a new one.
    """

    enabled: bool | Unset = UNSET
    url: str | Unset = UNSET
    urls: Sequence[str] | Unset = UNSET
    interval_s: int | Unset = UNSET
    cron: str | Unset = UNSET
    timezone: str | Unset = UNSET
    parameters: Mapping[str, object] | Unset | None = UNSET
    webhook_url: str | Unset | None = UNSET
    webhook_type: str | Unset | None = UNSET
    webhook_secret: str | Unset | None = UNSET
    webhook_metadata: Mapping[str, object] | Unset | None = UNSET
    webhook_only_changes: bool | Unset | None = UNSET


def schedule_from_row(row: Row[Any]) -> Schedule:
    return Schedule(
        id=row.id,
        organisation_id=row.organisation_id,
        strategy_id=row.strategy_id,
        group_id=row.group_id,
        urls=tuple(row.urls),
        has_url_list=row.has_url_list,
        parameters=row.parameters,
        recurrence=Recurrence(row.interval_s, row.cron, row.timezone),
        enabled=row.enabled,
        next_at=row.next_at,
        last_run_at=row.last_run_at,
        last_batch_id=row.last_batch_id,
        last_skipped_at=row.last_skipped_at,
        webhook=endpoint_from_row(row),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def schedule_to_row(schedule: Schedule) -> dict[str, object]:
    webhook = schedule.webhook
    return {
        "id": schedule.id,
        "organisation_id": schedule.organisation_id,
        "strategy_id": schedule.strategy_id,
        "group_id": schedule.group_id,
        "urls": list(schedule.urls),
        "has_url_list": schedule.has_url_list,
        "parameters": dict(schedule.parameters) if schedule.parameters else None,
        "interval_s": schedule.recurrence.interval_s,
        "cron": schedule.recurrence.cron,
        "timezone": schedule.recurrence.timezone,
        "enabled": schedule.enabled,
        "next_at": schedule.next_at,
        "last_run_at": schedule.last_run_at,
        "last_batch_id": schedule.last_batch_id,
        "last_skipped_at": schedule.last_skipped_at,
        "webhook_url": webhook.url if webhook else None,
        "webhook_type": webhook.type if webhook else None,
        "webhook_secret": webhook.secret if webhook else None,
        "webhook_metadata": dict(webhook.metadata) if webhook and webhook.metadata else None,
        "webhook_only_changes": webhook is not None and webhook.only_changes,
        "created_at": schedule.created_at,
        "updated_at": schedule.updated_at,
    }


def endpoint_from_row(row: Row[Any]) -> Endpoint | None:
    if row.webhook_url is None:
        return None
    return Endpoint(
        row.webhook_url,
        WebhookType(row.webhook_type),
        row.webhook_secret,
        row.webhook_metadata,
        row.webhook_only_changes,
    )
