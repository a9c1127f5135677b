"""Repeatable requests: the same `Idempotency-Key` gives the same answer for a day (reference, 2.5)."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    Uuid,
    select,
    update,
)
from sqlalchemy import delete as sql_delete
from sqlalchemy.dialects.postgresql import JSON, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from meterhouse.apis.call import Call
from meterhouse.apis.faults import BadRequest
from meterhouse.kernel.errors import Conflict, Invalid
from meterhouse.platform.metadata import metadata

KEPT = timedelta(hours=24)
# A request that has no answer after this time died with its process.
LOST_AFTER = timedelta(minutes=5)
KEY_LENGTH_MAX = 255
RETRY_AFTER_S = 5

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("organisation_id", Uuid, ForeignKey("organisations.id"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    # The answer; none while the request runs.
    Column("status", Integer),
    Column("headers", JSON(none_as_null=True)),
    Column("body", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False, index=True),
)


async def once(call: Call, work: Callable[[Call], Awaitable[Response]]) -> Response:
    """Do the work of a request, or give the answer that its key got before.

    Raises `Invalid` for a key that came with another body, `Conflict` while the first request runs. A
    request that fails leaves no answer behind: its key may be tried again.
    """
    key = call.request.headers.get("idempotency-key", "").strip()
    if not key:
        return await work(call)
    if len(key) > KEY_LENGTH_MAX:
        raise BadRequest(f"Idempotency-Key has at most {KEY_LENGTH_MAX} characters.")
    async with call.services.database.begin() as connection:
        answered = await _claim(connection, call, key, call.services.clock.now())
    if answered is not None:
        return _replayed(answered)
    try:
        response = await work(call)
    except BaseException:
        async with call.services.database.begin() as connection:
            await connection.execute(sql_delete(idempotency_keys).where(*_is(call, key)))
        raise
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    async with call.services.database.begin() as connection:
        answer = {"status": response.status_code, "headers": headers, "body": bytes(response.body)}
        await connection.execute(update(idempotency_keys).where(*_is(call, key)).values(**answer))
    return response


async def _claim(connection: AsyncConnection, call: Call, key: str, now: datetime) -> Row[Any] | None:
    """Take the key for this request; the earlier answer when there is one."""
    await connection.execute(sql_delete(idempotency_keys).where(idempotency_keys.c.created_at <= now - KEPT))
    request_hash = hashlib.sha256(call.raw_body).digest()
    claimed = await connection.scalar(
        insert(idempotency_keys)
        .values(
            organisation_id=call.principal.organisation_id,
            key=key,
            request_hash=request_hash,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(idempotency_keys.c.key)
    )
    if claimed is not None:
        return None
    statement = select(idempotency_keys).where(*_is(call, key)).with_for_update()
    found = (await connection.execute(statement)).first()
    if found is not None and found.request_hash != request_hash:
        raise Invalid("Idempotency-Key reused with a different request body.", code="idempotency_key_reused")
    if found is not None and found.status is not None:
        return found
    if found is not None and found.created_at <= now - LOST_AFTER:
        await connection.execute(update(idempotency_keys).where(*_is(call, key)).values(created_at=now))
        return None
    raise Conflict(
        "Idempotent request still in progress. Retry shortly.", details={"retry_after_s": RETRY_AFTER_S}
    )


def _replayed(row: Row[Any]) -> Response:
    return Response(row.body, row.status, {**row.headers, "idempotent-replayed": "true"})


def _is(call: Call, key: str) -> tuple[Any, Any]:
    return (
        idempotency_keys.c.organisation_id == call.principal.organisation_id,
        idempotency_keys.c.key == key,
    )
