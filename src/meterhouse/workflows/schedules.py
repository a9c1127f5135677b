"""Use cases of workflow schedules: create, list, change, delete (reference, 14.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.kernel.errors import NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.kernel.recurrence import Recurrence
from meterhouse.monitoring.schedules import change_webhook
from meterhouse.monitoring.schedules_model import ScheduleChange, Unset, WebhookRequest, endpoint_from_row
from meterhouse.webhooks import service as webhooks
from meterhouse.webhooks.model import Endpoint
from meterhouse.workflows import queries
from meterhouse.workflows.tables import workflow_schedules


@dataclass(frozen=True)
class WorkflowSchedule:
    """A workflow and a recurrence. `next_at` is the next planned time, `None` while disabled.

    `last_skipped_at` is the last planned time that passed without a run: the run before had not ended, or
    the workflow was disabled.
    """

    id: UUID
    organisation_id: UUID
    workflow_id: UUID
    recurrence: Recurrence
    enabled: bool
    next_at: datetime | None
    created_at: datetime
    updated_at: datetime
    last_run_at: datetime | None = None
    last_run_id: UUID | None = None
    last_skipped_at: datetime | None = None
    webhook: Endpoint | None = None


@dataclass(frozen=True)
class SavedSchedule:
    """A schedule as just written. `new_secret` is shown this once: the secret that was made for it."""

    schedule: WorkflowSchedule
    new_secret: str | None = None


async def create_schedule(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    workflow_id: UUID,
    recurrence: Recurrence,
    webhook: WebhookRequest | None,
    now: datetime,
) -> SavedSchedule:
    """Create a schedule. Raises `NotFound`, or `Invalid` for a webhook that cannot be."""
    await queries.get_summary(
        connection, organisation_id=organisation_id, workflow_id=workflow_id, for_update=True
    )
    endpoint: Endpoint | None = None
    secret: str | None = None
    if webhook is not None:
        endpoint, secret = webhooks.endpoint_of(
            webhook.url,
            kind=webhook.type,
            secret=webhook.secret,
            metadata=webhook.metadata,
            only_changes=webhook.only_changes,
        )
    schedule = WorkflowSchedule(
        id=new_id(),
        organisation_id=organisation_id,
        workflow_id=workflow_id,
        recurrence=recurrence,
        enabled=True,
        next_at=recurrence.first(now),
        created_at=now,
        updated_at=now,
        webhook=endpoint,
    )
    await connection.execute(insert(workflow_schedules).values(_to_row(schedule)))
    return SavedSchedule(schedule, secret)


async def list_schedules(
    connection: AsyncConnection, *, organisation_id: UUID, workflow_id: UUID
) -> list[WorkflowSchedule]:
    """All schedules of a workflow, newest first. Raises `NotFound`."""
    await queries.get_summary(connection, organisation_id=organisation_id, workflow_id=workflow_id)
    rows = await connection.execute(
        select(workflow_schedules)
        .where(workflow_schedules.c.workflow_id == workflow_id)
        .order_by(workflow_schedules.c.created_at.desc(), workflow_schedules.c.id.desc())
    )
    return [from_row(row) for row in rows]


async def update_schedule(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    workflow_id: UUID,
    schedule_id: UUID,
    change: ScheduleChange,
    now: datetime,
) -> SavedSchedule:
    """Change timing, webhook or `enabled`, as `change` names them. Raises `NotFound` or `Invalid`."""
    before = await _locked(connection, organisation_id, workflow_id, schedule_id)
    webhook, secret = change_webhook(before.webhook, change)
    after = replace(_retimed(before, change, now), webhook=webhook, updated_at=now)
    await connection.execute(
        update(workflow_schedules).where(workflow_schedules.c.id == before.id).values(_to_row(after))
    )
    if webhook is not None and webhook.secret and before.webhook and before.webhook.secret != webhook.secret:
        await webhooks.replace_secret(connection, owner_id=before.id, secret=webhook.secret)
    return SavedSchedule(after, secret)


async def delete_schedule(
    connection: AsyncConnection, *, organisation_id: UUID, workflow_id: UUID, schedule_id: UUID
) -> None:
    """Stop future runs; those that were started run to their end. Raises `NotFound`."""
    found = await _locked(connection, organisation_id, workflow_id, schedule_id)
    await connection.execute(delete(workflow_schedules).where(workflow_schedules.c.id == found.id))


def from_row(row: Row[Any]) -> WorkflowSchedule:
    return WorkflowSchedule(
        id=row.id,
        organisation_id=row.organisation_id,
        workflow_id=row.workflow_id,
        recurrence=Recurrence(row.interval_s, row.cron, row.timezone),
        enabled=row.enabled,
        next_at=row.next_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_run_at=row.last_run_at,
        last_run_id=row.last_run_id,
        last_skipped_at=row.last_skipped_at,
        webhook=endpoint_from_row(row),
    )


async def _locked(
    connection: AsyncConnection, organisation_id: UUID, workflow_id: UUID, schedule_id: UUID
) -> WorkflowSchedule:
    await queries.get_summary(connection, organisation_id=organisation_id, workflow_id=workflow_id)
    row = (
        await connection.execute(
            select(workflow_schedules)
            .where(workflow_schedules.c.workflow_id == workflow_id, workflow_schedules.c.id == schedule_id)
            .with_for_update()
        )
    ).first()
    if row is None:
        raise NotFound("Workflow schedule not found")
    return from_row(row)


def _retimed(before: WorkflowSchedule, change: ScheduleChange, now: datetime) -> WorkflowSchedule:
    """The schedule with its new times. Planned anew when timing changes or it is switched on."""
    old = before.recurrence
    interval_s = None if isinstance(change.interval_s, Unset) else change.interval_s
    cron = None if isinstance(change.cron, Unset) else change.cron
    if interval_s is None and cron is None:
        interval_s, cron = old.interval_s, old.cron
    recurrence = Recurrence.checked(
        interval_s=interval_s,
        cron=cron,
        timezone=old.timezone if isinstance(change.timezone, Unset) else change.timezone,
    )
    enabled = before.enabled if isinstance(change.enabled, Unset) else change.enabled
    next_at = before.next_at
    if not enabled:
        next_at = None
    elif next_at is None or recurrence != old:
        next_at = recurrence.first(now)
    return replace(before, recurrence=recurrence, enabled=enabled, next_at=next_at)


def _to_row(schedule: WorkflowSchedule) -> Mapping[str, object]:
    webhook = schedule.webhook
    return {
        "id": schedule.id,
        "organisation_id": schedule.organisation_id,
        "workflow_id": schedule.workflow_id,
        "interval_s": schedule.recurrence.interval_s,
        "cron": schedule.recurrence.cron,
        "timezone": schedule.recurrence.timezone,
        "enabled": schedule.enabled,
        "next_at": schedule.next_at,
        "last_run_at": schedule.last_run_at,
        "last_run_id": schedule.last_run_id,
        "last_skipped_at": schedule.last_skipped_at,
        "webhook_url": webhook.url if webhook else None,
        "webhook_type": webhook.type if webhook else None,
        "webhook_secret": webhook.secret if webhook else None,
        "webhook_metadata": dict(webhook.metadata) if webhook and webhook.metadata else None,
        "webhook_only_changes": webhook is not None and webhook.only_changes,
        "created_at": schedule.created_at,
        "updated_at": schedule.updated_at,
    }
