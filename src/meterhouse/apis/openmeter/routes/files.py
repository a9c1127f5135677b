"""Events to and from files (an extension): streamed, so that the size of a file never matters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from meterhouse.apis.call import Call, json_response, query_pairs
from meterhouse.apis.facade import HOT_KEY, Hot
from meterhouse.apis.faults import ClientGone, UnsupportedMediaType
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.convert import criteria_from_wire
from meterhouse.apis.openmeter.inputs import faults_in
from meterhouse.apis.openmeter.routes.events import filtered_customers
from meterhouse.apis.services import Services
from meterhouse.identity.model import Principal
from meterhouse.kernel.errors import DependencyFailed, Invalid
from meterhouse.usage.progress import Asker, report
from meterhouse.usage.transfer.export import Export, count_events, export_events
from meterhouse.usage.transfer.imports import ImportCounts, import_events
from meterhouse.usage.transfer.rows import Format, Reception

MEDIA_TYPES: dict[Format, str] = {
    "csv": "text/csv",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
ROWS_HEADER = "x-rows-total"


class _Progress:
    """Tells how far a file is under the id that the client chose, to be read at `/info/progress/{id}`."""

    def __init__(self, services: Services, principal: Principal, client_id: str | None) -> None:
        self._asker = (
            None
            if client_id is None
            else Asker(services.database, services.clock, principal.organisation_id, client_id)
        )

    async def tell(self, done: int, total: int, *, has_failed: bool = False) -> None:
        if self._asker is not None:
            await report(self._asker, done=done, total=total, has_failed=has_failed)


@facade.operation("exportEvents", scopes=("events:read",))
async def export(call: Call) -> Response:
    """All events that the filter means; how many there are goes ahead in a header."""
    format = cast(Format, call.query.get("format", "jsonl"))
    with faults_in("query"):
        criteria = criteria_from_wire(call.query, customers=await filtered_customers(call))
        wanted = Export(call.principal.organisation_id, criteria, call.services.clock.now())
        total = await count_events(call.services.events, wanted)
    progress = _Progress(call.services, call.principal, call.query.get("clientId"))
    pieces = export_events(
        call.services.events, wanted, format, heard=lambda done: progress.tell(done, total)
    )
    headers = {
        ROWS_HEADER: str(total),
        "content-disposition": f'attachment; filename="events.{format}"',
    }
    return StreamingResponse(pieces, headers=headers, media_type=MEDIA_TYPES[format])


@facade.hot("importEvents", scopes=("events:write",), streams=True)
async def import_file(scope: Scope, receive: Receive, send: Send) -> None:
    """Store the events of a file while it arrives; answer when the last one is on disk."""
    hot: Hot = scope[HOT_KEY]
    operation = facade.contract.operations["importEvents"]
    query = operation.read_query(query_pairs(scope["query_string"]))
    reception = Reception(
        hot.principal.organisation_id,
        hot.services.clock.now(),
        may_bring_system_events=hot.principal.has_any(("customers:write",)),
    )
    progress, counts = _Progress(hot.services, hot.principal, query.get("clientId")), ImportCounts()
    try:
        await import_events(
            hot.services.ingestor,
            _chunks(receive),
            format=query.get("format") or _format(scope),
            reception=reception,
            counts=counts,
            heard=lambda counts: progress.tell(counts.rows, counts.total),
        )
    except (Invalid, DependencyFailed):
        await progress.tell(counts.rows, counts.total, has_failed=True)
        raise
    await progress.tell(counts.rows, counts.rows)
    answer = {"rows": counts.rows, "inserted": counts.inserted, "duplicates": counts.duplicates}
    await json_response(answer, 200)(scope, receive, send)


def _format(scope: Scope) -> Format:
    sent = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
    media_type = sent.decode("latin-1").partition(";")[0].strip().lower()
    for format, known in MEDIA_TYPES.items():
        if media_type == known:
            return format
    named, wanted = media_type[:100] or "none", ", ".join(MEDIA_TYPES.values())
    raise UnsupportedMediaType(f"invalid content type: {named}; send {wanted}, or name the format")


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises `ClientGone` when the client leaves before its end."""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
