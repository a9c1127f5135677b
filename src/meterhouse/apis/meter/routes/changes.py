"""Changes of schedules: unseen ones, acknowledgement, changelog (reference, 12)."""

from __future__ import annotations

from meterhouse.apis.call import Call
from meterhouse.apis.meter import facade
from meterhouse.apis.meter.inputs import page_of
from meterhouse.apis.meter.schedule_convert import changelog_to_wire, changes_to_wire
from meterhouse.apis.meter.schedule_inputs import ids_of, keywords_of
from meterhouse.monitoring import changes

CHANGELOG_LIMIT_MAX = 100


@facade.operation("get_schedule_changes", scopes=("schedules:read",))
async def get_schedule_changes(call: Call) -> object:
    schedule_id = call.path_id("schedule_id")
    # Whoever only asks for headers never sees the changes.
    mark_seen = call.query.get("mark_seen", True) and call.request.method != "HEAD"
    async with call.services.database.begin() as connection:
        found = await changes.take_changes(
            connection,
            organisation_id=call.principal.organisation_id,
            schedule_id=schedule_id,
            keywords=keywords_of(call),
            mark_seen=mark_seen,
            now=call.services.clock.now(),
        )
    return changes_to_wire(schedule_id, found, marked_seen=mark_seen)


@facade.operation("acknowledge_schedule_changes", scopes=("schedules:read",))
async def acknowledge_schedule_changes(call: Call) -> object:
    schedule_id = call.path_id("schedule_id")
    async with call.services.database.begin() as connection:
        count = await changes.acknowledge(
            connection,
            organisation_id=call.principal.organisation_id,
            schedule_id=schedule_id,
            job_ids=ids_of(call.body, "job_ids"),
            now=call.services.clock.now(),
        )
    return {"schedule_id": schedule_id, "acknowledged": count}


@facade.operation("reopen_schedule_changes", scopes=("schedules:read",))
async def reopen_schedule_changes(call: Call) -> object:
    schedule_id = call.path_id("schedule_id")
    async with call.services.database.begin() as connection:
        count = await changes.reopen(
            connection,
            organisation_id=call.principal.organisation_id,
            schedule_id=schedule_id,
            job_ids=ids_of(call.body, "job_ids"),
        )
    return {"schedule_id": schedule_id, "reopened": count}


@facade.operation("get_schedule_changelog", scopes=("schedules:read",))
async def get_schedule_changelog(call: Call) -> object:
    schedule_id = call.path_id("schedule_id")
    limit, offset = page_of(call, maximum=CHANGELOG_LIMIT_MAX)
    found = await changes.get_changelog(
        call.services.database,
        organisation_id=call.principal.organisation_id,
        schedule_id=schedule_id,
        keywords=keywords_of(call),
        limit=limit,
        offset=offset,
    )
    return changelog_to_wire(
        schedule_id,
        found,
        limit=limit,
        offset=offset,
        include_items=call.query.get("include_items", True),
    )
