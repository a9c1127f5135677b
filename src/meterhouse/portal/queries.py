"""Reads of portal tokens."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.portal import engine
from meterhouse.portal.model import PortalToken
from meterhouse.portal.tables import portal_secrets, portal_tokens


async def authenticate(connection: AsyncConnection, *, text: str, now: datetime) -> PortalToken:
    """The token behind a presented text. Raises `Unauthenticated` unless it is ours and still good."""
    secret = (await connection.execute(select(portal_secrets.c.secret))).scalar()
    if secret is None:  # then no token was ever made
        raise engine.refused("the portal token has a wrong signature")
    claimed = engine.verify(text, secret, now=now)
    query = select(portal_tokens).where(
        portal_tokens.c.id == claimed.id, portal_tokens.c.organisation_id == claimed.organisation_id
    )
    row = (await connection.execute(query)).first()
    if row is None or not hmac.compare_digest(row.token_hash, engine.digest(text)):
        raise engine.refused("the portal token is unknown")
    if row.invalidated_at is not None:
        raise engine.refused("the portal token was invalidated")
    return _from_row(row)


async def list_tokens(
    connection: AsyncConnection, *, organisation_id: UUID, limit: int = 25
) -> list[PortalToken]:
    """Tokens that were not invalidated, newest first."""
    query = (
        select(portal_tokens)
        .where(portal_tokens.c.organisation_id == organisation_id, portal_tokens.c.invalidated_at.is_(None))
        .order_by(portal_tokens.c.created_at.desc(), portal_tokens.c.id.desc())
        .limit(limit)
    )
    return [_from_row(row) for row in await connection.execute(query)]


def _from_row(row: Row[Any]) -> PortalToken:
    return PortalToken(
        id=row.id,
        organisation_id=row.organisation_id,
        subject=row.subject,
        allowed_meter_slugs=tuple(row.allowed_meter_slugs),
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
