"""What can be done to the credit of an entitlement: grant it, void a grant, reset usage (openmeter 4.3, 4.5).

Each function is one use case inside the caller's transaction, and holds the entitlement's row: what changes
a balance's rules happens one after another. Each moves the entitlement's `revision` on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.entitlements.convert import grant_to_row
from meterhouse.entitlements.crossings import mark_changed
from meterhouse.entitlements.drafts import GrantDraft
from meterhouse.entitlements.engine import cadence_at, last_reset_at, usage_period_at
from meterhouse.entitlements.model import Entitlement, EntitlementType, Grant, Reset
from meterhouse.entitlements.queries import (
    get_customer_entitlement,
    get_entitlement,
    get_grant,
    resets_of,
)
from meterhouse.entitlements.rules import Path, cadence_from, check_grant, check_managed, ended
from meterhouse.entitlements.tables import entitlements, grants, resets
from meterhouse.kernel.clock import Clock, format_instant
from meterhouse.kernel.errors import Invalid, Issue, LimitExceeded
from meterhouse.kernel.ids import new_id
from meterhouse.kernel.periods import minute_floor

LIVE_GRANTS_MAX = 1_000
RESETS_MAX = 10_000


def grant_from(
    draft: GrantDraft, entitlement: Entitlement, *, not_before: datetime, now: datetime, at: Path = ()
) -> Grant:
    """A checked grant. `at` is where the draft lies in what was asked. Raises `Invalid`."""
    check_grant(draft, not_before=not_before, at=at)
    effective_at = minute_floor(draft.effective_at)
    recurrence = None
    if draft.recurrence is not None:
        recurrence = cadence_from(draft.recurrence, anchor=effective_at, at=(*at, "recurrence"))
    return Grant(
        id=new_id(),
        entitlement_id=entitlement.id,
        amount=draft.amount,
        effective_at=effective_at,
        created_at=now,
        modified_at=now,
        priority=draft.priority or 0,
        expiration=draft.expiration,
        expires_at=draft.expiration.after(effective_at) if draft.expiration else None,
        recurrence=recurrence,
        min_rollover=draft.min_rollover,
        max_rollover=draft.amount if draft.max_rollover is None else draft.max_rollover,
        metadata=draft.metadata,
        annotations=draft.annotations,
    )


def period_start(entitlement: Entitlement, resets: Sequence[Reset], now: datetime) -> datetime:
    """When the current usage period of a metered entitlement began; measuring may begin within a minute."""
    return usage_period_at(entitlement, resets, max(now, entitlement.measure_usage_from or now)).start


async def create_grant(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    customer_id: UUID,
    id_or_feature_key: str,
    draft: GrantDraft,
    clock: Clock,
) -> Grant:
    """Give credit to an active metered entitlement (openmeter 4.3).

    Raises `NotFound`, `PreconditionFailed` when it has ended, `Forbidden` when a subscription manages it,
    `Invalid` with the faults, `LimitExceeded` beyond 1,000 grants that have not ended.
    """
    now = clock.now()
    entitlement = await _changeable(connection, organisation_id, customer_id, id_or_feature_key, now)
    given = await resets_of(connection, entitlement_ids=[entitlement.id])
    start = period_start(entitlement, given[entitlement.id], now)
    grant = grant_from(draft, entitlement, not_before=start, now=now)
    await _refuse_too_many(connection, entitlement, now)
    row = grant_to_row(grant, organisation_id=organisation_id)
    await connection.execute(insert(grants).values(**row))
    await _move_on(connection, entitlement, now)
    return grant


async def void_grant(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    grant_id: UUID,
    at: datetime | None = None,
    clock: Clock,
) -> Grant:
    """End a grant now or earlier in this period (openmeter 4.3). What it has paid for stays paid.

    Raises `NotFound`, or `Invalid` when it is void already or `at` lies in the future or an earlier period.
    """
    found = await get_grant(connection, organisation_id=organisation_id, grant_id=grant_id)
    entitlement = await get_entitlement(
        connection, organisation_id=organisation_id, entitlement_id=found.entitlement_id, lock=True
    )
    grant = await get_grant(connection, organisation_id=organisation_id, grant_id=grant_id)
    now = clock.now()
    if grant.voided_at is not None or grant.deleted_at is not None:
        raise Invalid(f"grant is already voided: {grant.id}", code="grant_voided")
    voided_at = minute_floor(at or now)
    given = await resets_of(connection, entitlement_ids=[entitlement.id])
    start = period_start(entitlement, given[entitlement.id], now)
    if voided_at > now:
        raise _refused("at", "must not lie in the future", "in_future")
    if voided_at < start:
        text = f"must not lie before the current usage period, which began at {format_instant(start)}"
        raise _refused("at", text, "before_current_period")
    await connection.execute(
        update(grants).where(grants.c.id == grant.id).values(voided_at=voided_at, modified_at=now)
    )
    await _move_on(connection, entitlement, now)
    return replace(grant, voided_at=voided_at, modified_at=now)


async def reset_usage(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    customer_id: UUID,
    id_or_feature_key: str,
    effective_at: datetime | None = None,
    retain_anchor: bool = False,
    preserve_overage: bool | None = None,
    clock: Clock,
) -> Reset:
    """Begin a new usage period now, or earlier in the current one (openmeter 4.5).

    Without `retain_anchor` periods are counted from the reset on. Raises `NotFound`, `PreconditionFailed`,
    `Forbidden`, or `Invalid` when it lies in the future or not after the last reset.
    """
    now = clock.now()
    entitlement = await _changeable(connection, organisation_id, customer_id, id_or_feature_key, now)
    given = (await resets_of(connection, entitlement_ids=[entitlement.id]))[entitlement.id]
    at = minute_floor(effective_at or now)
    last = last_reset_at(entitlement, given, now)
    if at > now:
        raise _refused("effectiveAt", "must not lie in the future", "in_future")
    if at <= last:
        text = f"must lie after the last reset, which was at {format_instant(last)}, by at least a minute"
        raise _refused("effectiveAt", text, "before_last_reset")
    if len(given) >= RESETS_MAX:
        raise LimitExceeded(f"an entitlement is reset at most {RESETS_MAX} times", code="too_many_resets")
    reset = Reset(
        at=at,
        anchor=cadence_at(entitlement, given, at).anchor if retain_anchor else at,
        preserve_overage=entitlement.preserve_overage_at_reset
        if preserve_overage is None
        else preserve_overage,
    )
    row = {"id": new_id(), "entitlement_id": entitlement.id, "created_at": now, **vars(reset)}
    await connection.execute(insert(resets).values(**row))
    await _move_on(connection, entitlement, now)
    return reset


async def _changeable(
    connection: AsyncConnection, organisation_id: UUID, customer_id: UUID, named: str, now: datetime
) -> Entitlement:
    """A customer's metered entitlement, active and locked until the transaction ends."""
    entitlement = await get_customer_entitlement(
        connection,
        organisation_id=organisation_id,
        customer_id=customer_id,
        id_or_feature_key=named,
        at=now,
        lock=True,
    )
    if not entitlement.is_active(now):
        raise ended(named)
    check_managed(entitlement.subscription_id)
    if entitlement.type is not EntitlementType.METERED:
        text = f"the entitlement is {entitlement.type}; only a metered one has credit and usage"
        raise Invalid(text, code="entitlement_not_metered")
    return entitlement


async def _refuse_too_many(connection: AsyncConnection, entitlement: Entitlement, now: datetime) -> None:
    query = (
        select(func.count())
        .select_from(grants)
        .where(
            grants.c.entitlement_id == entitlement.id,
            grants.c.voided_at.is_(None),
            or_(grants.c.expires_at.is_(None), grants.c.expires_at > now),
        )
    )
    count: int = (await connection.execute(query)).scalar_one()
    if count >= LIVE_GRANTS_MAX:
        text = f"an entitlement has at most {LIVE_GRANTS_MAX} grants that have not ended; void some"
        raise LimitExceeded(text, code="too_many_grants")


async def _move_on(connection: AsyncConnection, entitlement: Entitlement, now: datetime) -> None:
    await connection.execute(
        update(entitlements)
        .where(entitlements.c.id == entitlement.id)
        .values(revision=entitlements.c.revision + 1, modified_at=now)
    )
    await mark_changed(connection, entitlement, now=now)


def _refused(field: str, message: str, code: str) -> Invalid:
    return Invalid(f"{field} {message}", issues=(Issue((field,), message, code),))
