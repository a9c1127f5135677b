"""Use cases of schedules: create, get, list, change, delete, and a new secret for the webhook."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import service as extraction
from meterhouse.kernel.errors import Invalid, Issue, LimitExceeded, NotFound, PreconditionFailed
from meterhouse.kernel.ids import new_id
from meterhouse.kernel.recurrence import Recurrence
from meterhouse.monitoring.schedules_model import (
    UNSET,
    Saved,
    Schedule,
    ScheduleChange,
    ScheduleRequest,
    Unset,
    WebhookRequest,
    schedule_from_row,
    schedule_to_row,
)
from meterhouse.monitoring.service import check_strategy
from meterhouse.monitoring.tables import schedules
from meterhouse.webhooks import service as webhooks
from meterhouse.webhooks.model import Endpoint

URLS_MAX = 1_000
READ_AT_ONCE = 250


async def create_schedule(
    connection: AsyncConnection, *, organisation_id: UUID, request: ScheduleRequest, now: datetime
) -> Saved:
    """Create a schedule (reference, 10.1). Raises `NotFound`, `Invalid` or `LimitExceeded`."""
    urls, recurrence, webhook, secret = check_request(request)
    errand = extraction.Errand(urls[0], request.parameters)
    await check_strategy(connection, organisation_id, request.strategy_id, errand)
    due = now if request.runs_at_once else recurrence.first(now)
    schedule = Schedule(
        id=new_id(),
        organisation_id=organisation_id,
        strategy_id=request.strategy_id,
        group_id=request.group_id,
        urls=urls,
        has_url_list=request.urls is not None,
        parameters=request.parameters or None,
        recurrence=recurrence,
        enabled=request.enabled,
        next_at=due if request.enabled else None,
        last_run_at=None,
        last_batch_id=None,
        last_skipped_at=None,
        webhook=webhook,
        created_at=now,
        updated_at=now,
    )
    await connection.execute(insert(schedules).values(schedule_to_row(schedule)))
    return Saved(schedule, secret)


def check_request(
    request: ScheduleRequest,
) -> tuple[tuple[str, ...], Recurrence, Endpoint | None, str | None]:
    """Addresses, recurrence and webhook of a new schedule, and the secret that was made for the webhook.

    Raises `Invalid` or `LimitExceeded`.
    """
    urls = _checked_urls(request.url, request.urls)
    recurrence = Recurrence.checked(
        interval_s=request.interval_s, cron=request.cron, timezone=request.timezone
    )
    return urls, recurrence, *_endpoint(request.webhook)


async def get_schedule(
    connection: AsyncConnection, *, organisation_id: UUID, schedule_id: UUID, lock: bool = False
) -> Schedule:
    """One schedule. Raises `NotFound`, also for somebody else's."""
    statement = select(schedules).where(
        schedules.c.organisation_id == organisation_id, schedules.c.id == schedule_id
    )
    row = (await connection.execute(statement.with_for_update() if lock else statement)).first()
    if row is None:
        raise NotFound("Schedule not found")
    return schedule_from_row(row)


async def list_schedules(
    connection: AsyncConnection, *, organisation_id: UUID, limit: int | None = None, offset: int = 0
) -> AsyncIterator[list[Schedule]]:
    """The schedules of an organisation, newest first, some at a time: there may be very many."""
    statement = (
        select(schedules)
        .where(schedules.c.organisation_id == organisation_id)
        .order_by(schedules.c.created_at.desc(), schedules.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    if limit is not None and limit <= READ_AT_ONCE:
        yield [schedule_from_row(row) for row in await connection.execute(statement)]
        return
    result = await connection.stream(statement)
    async for rows in result.partitions(READ_AT_ONCE):
        yield [schedule_from_row(row) for row in rows]


async def update_schedule(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    schedule_id: UUID,
    change: ScheduleChange,
    now: datetime,
) -> Saved:
    """Change what `change` names (reference, 10.3). Raises `NotFound`, `Invalid` or `LimitExceeded`."""
    before = await get_schedule(connection, organisation_id=organisation_id, schedule_id=schedule_id)
    if change == ScheduleChange():
        return Saved(before)
    if not isinstance(change.parameters, Unset):  # the strategy is locked before its schedules, everywhere
        errand = extraction.Errand(before.urls[0], change.parameters)
        await check_strategy(connection, organisation_id, before.strategy_id, errand)
    before = await get_schedule(
        connection, organisation_id=organisation_id, schedule_id=schedule_id, lock=True
    )
    after = _retimed(before, change, now)
    if not isinstance(change.url, Unset) or not isinstance(change.urls, Unset):
        url = None if isinstance(change.url, Unset) else change.url
        urls = None if isinstance(change.urls, Unset) else change.urls
        after = replace(after, urls=_checked_urls(url, urls), has_url_list=urls is not None)
    if not isinstance(change.parameters, Unset):
        after = replace(after, parameters=change.parameters or None)
    webhook, secret = change_webhook(before.webhook, change)
    after = replace(after, webhook=webhook, updated_at=now)
    await _save(connection, after)
    await _follow_secret(connection, before, after)
    return Saved(after, secret)


async def delete_schedule(connection: AsyncConnection, *, organisation_id: UUID, schedule_id: UUID) -> None:
    """Stop future runs. Jobs that were made stay, and run to their end. Raises `NotFound`."""
    found = await get_schedule(
        connection, organisation_id=organisation_id, schedule_id=schedule_id, lock=True
    )
    await connection.execute(delete(schedules).where(schedules.c.id == found.id))


async def regenerate_secret(
    connection: AsyncConnection, *, organisation_id: UUID, schedule_id: UUID, now: datetime
) -> str:
    """A new webhook secret, valid at once in place of the old one.

    Raises `NotFound`, or `PreconditionFailed` when the schedule has no webhook.
    """
    before = await get_schedule(
        connection, organisation_id=organisation_id, schedule_id=schedule_id, lock=True
    )
    if before.webhook is None:
        raise PreconditionFailed(
            "The schedule has no webhook. Set webhook_url first; a secret comes with it."
        )
    secret = webhooks.new_secret()
    after = replace(before, webhook=replace(before.webhook, secret=secret), updated_at=now)
    await _save(connection, after)
    await _follow_secret(connection, before, after)
    return secret


def change_webhook(before: Endpoint | None, change: ScheduleChange) -> tuple[Endpoint | None, str | None]:
    """The webhook after a change, and the secret that was made on the way (reference, 10.3)."""
    given = (
        change.webhook_url,
        change.webhook_type,
        change.webhook_secret,
        change.webhook_metadata,
        change.webhook_only_changes,
    )
    if all(isinstance(one, Unset) for one in given):
        return before, None
    url = before.url if isinstance(change.webhook_url, Unset) and before else change.webhook_url
    if isinstance(url, Unset):
        raise _refused("webhook_url", "the schedule has no webhook; give webhook_url to set one")
    if not url:
        return None, None
    kept_type = before.type if before and url == before.url else None
    kept_secret = before.secret if before else None
    kept_metadata = before.metadata if before else None
    only_changes = change.webhook_only_changes
    if isinstance(only_changes, Unset):
        only_changes = before is not None and before.only_changes
    wanted = WebhookRequest(
        url=url,
        type=kept_type if isinstance(change.webhook_type, Unset) else change.webhook_type,
        secret=kept_secret if isinstance(change.webhook_secret, Unset) else change.webhook_secret,
        metadata=kept_metadata if isinstance(change.webhook_metadata, Unset) else change.webhook_metadata,
        only_changes=bool(only_changes),
    )
    return _endpoint(wanted)


def _retimed(before: Schedule, change: ScheduleChange, now: datetime) -> Schedule:
    """The schedule with its new times. Planned anew when timing changes or it is switched on."""
    old = before.recurrence
    enabled = before.enabled if isinstance(change.enabled, Unset) else change.enabled
    timed = (change.interval_s, change.cron)
    zone = old.timezone if isinstance(change.timezone, Unset) else change.timezone
    if all(isinstance(one, Unset) for one in timed):
        recurrence = Recurrence.checked(interval_s=old.interval_s, cron=old.cron, timezone=zone)
    else:
        interval_s, cron = (None if isinstance(one, Unset) else one for one in timed)
        recurrence = Recurrence.checked(
            interval_s=interval_s if isinstance(interval_s, int) else None,
            cron=cron if isinstance(cron, str) else None,
            timezone=zone,
        )
    if not enabled:
        next_at = None
    elif before.next_at is None or recurrence != old:
        next_at = recurrence.first(now)
    else:
        next_at = before.next_at
    return replace(before, recurrence=recurrence, enabled=enabled, next_at=next_at)


def _checked_urls(url: str | None, urls: Sequence[str] | None) -> tuple[str, ...]:
    if (url is None) == (urls is None):
        raise _refused("url", "give exactly one of url and urls")
    if url is not None:
        return (extraction.check_url(url),)
    wanted = urls or ()
    if not wanted:
        raise _refused("urls", "is empty; give at least one address")
    if len(wanted) > URLS_MAX:
        raise LimitExceeded(f"A schedule has at most {URLS_MAX} addresses, and these are {len(wanted)}.")
    return tuple(extraction.check_url(one, name=f"urls[{at}]") for at, one in enumerate(wanted))


def _endpoint(request: WebhookRequest | None) -> tuple[Endpoint | None, str | None]:
    if request is None:
        return None, None
    return webhooks.endpoint_of(
        request.url,
        kind=request.type,
        secret=request.secret,
        metadata=request.metadata,
        only_changes=request.only_changes,
    )


async def _save(connection: AsyncConnection, schedule: Schedule) -> None:
    values = {name: value for name, value in schedule_to_row(schedule).items() if name != "id"}
    await connection.execute(update(schedules).where(schedules.c.id == schedule.id).values(values))


async def _follow_secret(connection: AsyncConnection, before: Schedule, after: Schedule) -> None:
    """Messages that still wait are sent with the new secret: the old one is invalid at once."""
    old, new = before.webhook, after.webhook
    if old is not None and new is not None and old.secret != new.secret and new.secret:
        await webhooks.replace_secret(connection, owner_id=after.id, secret=new.secret)


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", issues=(Issue((field,), message),))


__all__ = [
    "UNSET",
    "Saved",
    "Schedule",
    "ScheduleChange",
    "ScheduleRequest",
    "WebhookRequest",
    "change_webhook",
    "check_request",
    "create_schedule",
    "delete_schedule",
    "get_schedule",
    "list_schedules",
    "regenerate_secret",
    "update_schedule",
]
