"""Discovery of a site's pages, what is done with them, and comparison with a manifest (reference, 16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from meterhouse.apis.call import Call
from meterhouse.apis.faults import BadRequest
from meterhouse.apis.meter import facade
from meterhouse.apis.meter.convert import Wire, batch_to_wire
from meterhouse.apis.meter.inputs import body_id, page_of, without_nulls
from meterhouse.apis.meter.routes.schedules import refusing
from meterhouse.apis.meter.schedule_convert import saved_to_wire
from meterhouse.apis.meter.schedule_inputs import restate_schedule, schedule_of
from meterhouse.discovery import service
from meterhouse.discovery.model import URLS_MAX, Discovery, Method, Search
from meterhouse.kernel.errors import Conflict, PreconditionFailed
from meterhouse.monitoring import manifest, schedules
from meterhouse.monitoring import service as monitoring

URLS_DEFAULT = 1_000
THRESHOLD_DEFAULT = 80
_NAMES = {
    "sitemap_url": "root_url",
    "url_template": "root_url",
    "seed_url": "root_url",
    "url_pattern": "pattern",
    "link_pattern": "pattern",
    "navigation_pattern": "navigation",
}


def _restate(body: Any) -> Any:
    """A search without the fields that are `null`."""
    if isinstance(body, dict) and isinstance(body.get("discovery"), dict):
        return {**body, "discovery": without_nulls(body["discovery"])}
    return body


@facade.operation("start_discovery", scopes=("jobs:write",), restate=_restate)
async def start_discovery(call: Call) -> Response:
    services = call.services
    async with services.database.begin() as connection:
        started = await service.start_discovery(
            connection,
            services.queue,
            organisation_id=call.principal.organisation_id,
            search=_search_of(call.body["discovery"]),
            now=services.clock.now(),
        )
    return call.json(_to_wire(started), status=202)


@facade.operation("get_discovery", scopes=("jobs:read",))
async def get_discovery(call: Call) -> object:
    async with call.services.database.begin() as connection:
        return _to_wire(await _found(call, connection))


@facade.operation("list_discovery_urls", scopes=("jobs:read",))
async def list_discovery_urls(call: Call) -> object:
    limit, offset = page_of(call, default=URLS_DEFAULT, maximum=URLS_MAX)
    async with call.services.database.begin() as connection:
        found = await _found(call, connection)
        urls = await service.list_urls(
            connection,
            organisation_id=found.organisation_id,
            discovery_id=found.id,
            limit=limit,
            offset=offset,
        )
    return {
        "discovery_id": found.id,
        "status": found.status,
        "urls": urls,
        "total": found.urls_found,
        "limit": limit,
        "offset": offset,
    }


@facade.operation("execute_discovery", scopes=("jobs:write",), restate=without_nulls)
async def execute_discovery(call: Call) -> object:
    """One job for each address that was found, as one batch."""
    services = call.services
    async with services.database.begin() as connection:
        urls = await _urls(call, connection)
        batch = await refusing(
            monitoring.create_batch(
                connection,
                organisation_id=call.principal.organisation_id,
                strategy_id=body_id(call, "strategy_id"),
                urls=urls,
                parameters=call.body.get("parameters"),
                now=services.clock.now(),
            )
        )
    return batch_to_wire(batch)


@facade.operation("schedule_discovery", scopes=("schedules:write",), restate=restate_schedule)
async def schedule_discovery(call: Call) -> object:
    """A schedule on the addresses that were found."""
    async with call.services.database.begin() as connection:
        urls = await _urls(call, connection)
        request = schedule_of(call.body, body_id(call, "strategy_id"), url=None, urls=urls)
        saved = await refusing(
            schedules.create_schedule(
                connection,
                organisation_id=call.principal.organisation_id,
                request=request,
                now=call.services.clock.now(),
            )
        )
    return saved_to_wire(saved)


@facade.operation("compare_manifest", scopes=("jobs:read",), restate=without_nulls)
async def compare_manifest(call: Call) -> object:
    body, known = call.body, call.body["items"]
    try:
        compared, found = await manifest.compare_manifest(
            call.services.database,
            organisation_id=call.principal.organisation_id,
            job_id=body_id(call, "job_id"),
            known=known,
            fields=body["match_fields"],
            threshold=body.get("threshold", THRESHOLD_DEFAULT),
        )
    except PreconditionFailed as error:
        raise BadRequest(error.message) from error
    return {
        "job_id": body_id(call, "job_id"),
        "threshold": body.get("threshold", THRESHOLD_DEFAULT),
        "matched": [
            {
                "manifest_item": known[match.known],
                "item": found[match.found],
                "score": match.score,
                "field": match.field,
            }
            for match in compared.matched
        ],
        "added": [found[at] for at in compared.added],
        "removed": [known[at] for at in compared.removed],
        "matched_count": len(compared.matched),
        "added_count": len(compared.added),
        "removed_count": len(compared.removed),
    }


async def _found(call: Call, connection: Any) -> Discovery:
    return await service.get_discovery(
        connection,
        organisation_id=call.principal.organisation_id,
        discovery_id=call.path_id("discovery_id"),
    )


async def _urls(call: Call, connection: Any) -> list[str]:
    """All addresses of a discovery that has ended."""
    found = await _found(call, connection)
    if not found.status.is_final:
        raise Conflict(f"The discovery is still {found.status}; wait until it is completed.")
    if not found.urls_found:
        raise Conflict("The discovery found no addresses; look at its warnings, and start another one.")
    return await service.list_urls(
        connection,
        organisation_id=found.organisation_id,
        discovery_id=found.id,
        limit=URLS_MAX,
        offset=0,
    )


def _search_of(given: Mapping[str, Any]) -> Search:
    names = {
        name: one for name, one in given.items() if name in _NAMES or name in Search.__dataclass_fields__
    }
    values = {_NAMES.get(name, name): one for name, one in names.items() if name != "method"}
    return Search(method=Method(given["method"]), **values)


def _to_wire(discovery: Discovery) -> Wire:
    return {
        "discovery_id": discovery.id,
        "id": discovery.id,
        "status": discovery.status,
        "discovery_method": discovery.search.method,
        "root_url": discovery.search.root_url,
        "urls_found": discovery.urls_found,
        "pages_read": discovery.pages_read,
        "error": discovery.error,
        "warnings": discovery.warnings,
        "created_at": discovery.created_at,
        "started_at": discovery.started_at,
        "completed_at": discovery.completed_at,
    }
