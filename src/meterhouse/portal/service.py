"""What can be done to portal tokens. Each function is one use case inside the caller's transaction."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_keep
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.customers.rules import SUBJECT_KEY_MAX
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Invalid, Issue, NotFound
from meterhouse.kernel.ids import new_id, parse_id
from meterhouse.portal import engine
from meterhouse.portal.model import PortalToken
from meterhouse.portal.tables import portal_secrets, portal_tokens
from meterhouse.usage.queries import find_meter

LIFETIME = timedelta(hours=1)
SLUGS_MAX = 100


@dataclass(frozen=True)
class CreatedToken:
    """A fresh token together with its text, which exists nowhere else."""

    token: PortalToken
    text: str


async def create_token(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    subject: str,
    allowed_meter_slugs: Sequence[str] | None,
    expires_at: datetime | None,
    clock: Clock,
) -> CreatedToken:
    """Let a subject read its usage (openmeter 9.1): of these meters, or of all when none are named.

    Raises `Invalid` for an empty list of slugs, a subject that is empty or too long, and an end that is
    past; `NotFound` for an unknown slug.
    """
    now = clock.now().replace(microsecond=0)  # tokens carry whole seconds
    end = now + LIFETIME if expires_at is None else expires_at.replace(microsecond=0)
    slugs = tuple(dict.fromkeys(allowed_meter_slugs or ()))
    _check(subject, allowed_meter_slugs, slugs, is_past=end <= clock.now())
    for slug in slugs:
        await _check_meter(connection, organisation_id, slug)
    token = PortalToken(new_id(), organisation_id, subject, slugs, created_at=now, expires_at=end)
    text = engine.sign(token, await _ensure_secret(connection))
    await connection.execute(
        insert(portal_tokens).values(
            id=token.id,
            organisation_id=organisation_id,
            subject=subject,
            allowed_meter_slugs=list(slugs),
            token_hash=engine.digest(text),
            created_at=now,
            expires_at=end,
        )
    )
    return CreatedToken(token, text)


async def invalidate_tokens(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    token_id: str | None = None,
    subject: str | None = None,
    clock: Clock,
) -> None:
    """End a token by its id, or all of a subject; given both, the token only if it is the subject's.

    What is not there is ended already. Raises `Invalid` when neither is given.
    """
    if not token_id and not subject:
        raise Invalid("name the tokens by id or by subject", code="missing")
    chosen = (portal_tokens.c.organisation_id == organisation_id) & portal_tokens.c.invalidated_at.is_(None)
    if token_id:
        chosen &= portal_tokens.c.id == parse_id(token_id)
    if subject:
        chosen &= portal_tokens.c.subject == subject
    await connection.execute(update(portal_tokens).where(chosen).values(invalidated_at=clock.now()))


def _check(subject: str, given: Sequence[str] | None, slugs: Sequence[str], *, is_past: bool) -> None:
    issues = []
    if not 1 <= len(subject) <= SUBJECT_KEY_MAX:
        issues.append(Issue(("subject",), f"must have 1 to {SUBJECT_KEY_MAX} characters", "invalid_subject"))
    if given is not None and not 1 <= len(slugs) <= SLUGS_MAX:
        text = f"must name 1 to {SLUGS_MAX} meters; leave it out to allow all"
        issues.append(Issue(("allowed_meter_slugs",), text, "invalid_slugs"))
    if is_past:
        issues.append(Issue(("expires_at",), "must lie in the future", "past"))
    if issues:
        raise Invalid("; ".join(issue.message for issue in issues), issues=issues)


async def _check_meter(connection: AsyncConnection, organisation_id: UUID, slug: str) -> None:
    meter = await find_meter(connection, organisation_id=organisation_id, id_or_slug=slug)
    if meter is None or meter.slug != slug or meter.deleted_at is not None:
        raise NotFound(f"meter not found: {slug[:100]}", code="meter_not_found")


async def _ensure_secret(connection: AsyncConnection) -> bytes:
    """The secret of this installation, made on first use; of several made at once the first one stays."""
    fresh = {"id": 1, "secret": secrets.token_bytes(engine.SECRET_BYTES)}
    known = select(portal_secrets.c.secret)
    secret = (await connection.execute(known)).scalar()
    if secret is None:
        await connection.execute(insert_or_keep(portal_secrets).values(fresh).on_conflict_do_nothing())
        secret = (await connection.execute(known)).scalar_one()
    return bytes(secret)
