"""Ingest (openmeter 1.1): the hot route of the server."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from meterhouse.apis.facade import HOT_KEY, Hot
from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.ingest import rows_from_wire
from meterhouse.apis.payload import read_body

LARGE_BODY = 16_384  # reading more takes long enough for others to notice
_NO_CONTENT = Response(status_code=204)


@facade.hot("ingestEvents", scopes=("events:write",))
async def ingest(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 204 when every event of the request is on disk, whether it was new or a repeat."""
    hot: Hot = scope[HOT_KEY]
    services = hot.services
    body = await read_body(receive)
    if len(body) > LARGE_BODY:
        await services.turns.take()
    rows = rows_from_wire(_content_type(scope), body, hot.principal.organisation_id, services.clock.now())
    await services.ingestor.submit_rows(rows)
    await _NO_CONTENT(scope, receive, send)


def _content_type(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"content-type":
            text: str = value.decode("latin-1")
            return text
    return None
