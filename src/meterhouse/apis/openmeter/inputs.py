"""What several OpenMeter handlers read from a call."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.apis.call import Call
from meterhouse.apis.faults import RequestIssue
from meterhouse.kernel.errors import Invalid, NotFound
from meterhouse.platform.ports import EventStore
from meterhouse.usage.attribution import customers_named
from meterhouse.usage.definition import is_expressible_as
from meterhouse.usage.model import Meter
from meterhouse.usage.progress import Asker, watched
from meterhouse.usage.queries import get_meter


@contextlib.contextmanager
def faults_in(location: str) -> Iterator[None]:
    """Say of the faults that usage finds in a question that they lie in the query, if it came in one."""
    try:
        yield
    except Invalid as error:
        if location == "body" or any(isinstance(issue, RequestIssue) for issue in error.issues):
            raise
        issues = [
            RequestIssue((location, *issue.path), issue.message, issue.code, issue.input)
            for issue in error.issues
        ]
        raise Invalid(error.message, error.code, issues=issues) from error


async def meter_of(call: Call, connection: AsyncConnection) -> Meter:
    """The meter that the path names. Raises `NotFound`, also for one that OpenMeter has no words for."""
    id_or_slug = call.path["meterIdOrSlug"]
    meter = await get_meter(connection, organisation_id=call.principal.organisation_id, id_or_slug=id_or_slug)
    if not is_expressible_as(meter, "openmeter"):
        raise NotFound(f"meter not found: {id_or_slug[:100]}", code="meter_not_found")
    return meter


async def customers_of(
    call: Call, connection: AsyncConnection, ids: Sequence[str] | None
) -> Mapping[str, tuple[str, ...]] | None:
    """The named customers with their subjects; `None` when none are named.

    Raises `NotFound` naming those that do not exist.
    """
    if not ids:
        return None
    return await customers_named(connection, organisation_id=call.principal.organisation_id, ids=ids)


def store_of(call: Call, organisation_id: UUID, client_id: str | None) -> EventStore:
    """The events to ask; under a client's id, the progress of what is asked can be read."""
    services = call.services
    if client_id is None:
        return services.events
    asker = Asker(services.database, services.clock, organisation_id, client_id)
    return watched(services.events, asker)
