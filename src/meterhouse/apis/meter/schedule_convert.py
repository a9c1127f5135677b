"""Schedules, changes and webhook messages as the Meter facade writes them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from meterhouse.apis.meter.convert import Wire, job_to_wire
from meterhouse.monitoring.changes import Changelog, ChangelogEntry
from meterhouse.monitoring.model import Job, Modified
from meterhouse.monitoring.schedules_model import Saved, Schedule


def schedule_to_wire(schedule: Schedule) -> Wire:
    """A schedule without its secret, which is only ever shown by `saved_to_wire`."""
    webhook = schedule.webhook
    return {
        "id": schedule.id,
        "schedule_id": schedule.id,
        "strategy_id": schedule.strategy_id,
        "url": None if schedule.has_url_list else schedule.urls[0],
        "urls": schedule.urls if schedule.has_url_list else None,
        "schedule_type": schedule.recurrence.kind,
        "interval_seconds": schedule.recurrence.interval_s,
        "cron_expression": schedule.recurrence.cron,
        "timezone": schedule.recurrence.timezone,
        "enabled": schedule.enabled,
        "webhook_url": webhook.url if webhook else None,
        "webhook_metadata": webhook.metadata if webhook else None,
        "webhook_type": webhook.type if webhook else None,
        "webhook_only_changes": webhook is not None and webhook.only_changes,
        "parameters": schedule.parameters,
        "next_run_at": schedule.next_at,
        "last_run_at": schedule.last_run_at,
        "last_batch_id": schedule.last_batch_id,
        "last_skipped_at": schedule.last_skipped_at,
        "strategy_group_id": schedule.group_id,
        "created_at": schedule.created_at,
        "updated_at": schedule.updated_at,
    }


def saved_to_wire(saved: Saved) -> Wire:
    """A schedule as just written; a secret that was made on the way is shown this once."""
    wire = schedule_to_wire(saved.schedule)
    return {**wire, "webhook_secret": saved.new_secret} if saved.new_secret else wire


def changes_to_wire(schedule_id: UUID, found: Sequence[Job], *, marked_seen: bool) -> Wire:
    return {
        "schedule_id": schedule_id,
        "changes": [job_to_wire(job) for job in found],
        "count": len(found),
        "marked_seen": marked_seen,
    }


def changelog_to_wire(
    schedule_id: UUID, changelog: Changelog, *, limit: int, offset: int, include_items: bool
) -> Wire:
    return {
        "schedule_id": schedule_id,
        "entries": [entry_to_wire(entry, include_items=include_items) for entry in changelog.entries],
        "total": changelog.total,
        "limit": limit,
        "offset": offset,
    }


def entry_to_wire(entry: ChangelogEntry, *, include_items: bool) -> Wire:
    wire: Wire = {
        "id": entry.job_id,
        "job_id": entry.job_id,
        "url": entry.url,
        "completed_at": entry.completed_at,
        "item_count": entry.item_count,
        "new_items_count": len(entry.new_items),
        "removed_items_count": len(entry.removed_items),
        "modified_items_count": len(entry.modified_items),
    }
    if include_items:
        wire["new_items"] = entry.new_items
        wire["removed_items"] = entry.removed_items
        wire["modified_items"] = [modified_to_wire(one) for one in entry.modified_items]
    return wire


def modified_to_wire(one: Modified) -> Wire:
    return {
        "before": one.before,
        "after": one.after,
        "fields": {change.name: {"before": change.before, "after": change.after} for change in one.fields},
    }
