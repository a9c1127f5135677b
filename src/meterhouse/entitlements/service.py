"""What can be done to entitlements. Each function is one use case inside the caller's transaction.

Whatever begins or ends an entitlement holds the customer's row first and the entitlement's row second, so
that requests which race take turns and a customer never has two entitlements to one feature, nor a gap
between one and the next that overrides it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.catalog.model import Feature
from meterhouse.catalog.queries import features_of_meter, get_feature
from meterhouse.catalog.service import refuse_meter_change
from meterhouse.customers.model import Customer
from meterhouse.customers.queries import get_customer
from meterhouse.entitlements.convert import entitlement_to_row, grant_to_row
from meterhouse.entitlements.crossings import mark_changed
from meterhouse.entitlements.drafts import EntitlementDraft, GrantDraft
from meterhouse.entitlements.grants import grant_from, period_start
from meterhouse.entitlements.model import Entitlement, EntitlementType, Grant
from meterhouse.entitlements.queries import (
    EntitlementCriteria,
    find_entitlement,
    get_customer_entitlement,
    get_entitlement,
    has_active_entitlements,
)
from meterhouse.entitlements.rules import (
    cadence_from,
    check_draft,
    check_managed,
    ended,
    measured_from,
)
from meterhouse.entitlements.tables import entitlements, grants
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Conflict, Invalid, Issue, NotFound, PreconditionFailed
from meterhouse.kernel.ids import new_id, parse_id
from meterhouse.usage.model import Meter

ISSUE_PRIORITY = 1


async def create_entitlement(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    customer_id: UUID,
    draft: EntitlementDraft,
    clock: Clock,
) -> Entitlement:
    """Give a customer an entitlement from now on (openmeter 4.2), with the grants that belong to it.

    Raises `NotFound` for customer or feature, `PreconditionFailed` for a deleted customer, `Invalid` with
    the faults, and `Conflict` with `conflicting_entity_id` when the customer has one for that feature key.
    """
    customer = await _live_customer(connection, organisation_id, customer_id)
    feature = await _live_feature(connection, organisation_id, draft)
    return await _begin(connection, customer, feature, draft, clock.now())


async def override_entitlement(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    customer_id: UUID,
    id_or_feature_key: str,
    draft: EntitlementDraft,
    clock: Clock,
) -> Entitlement:
    """End an entitlement now and begin another to the same feature at the same instant (openmeter 4.2).

    Raises as `create_entitlement`; `NotFound` for no such entitlement, `Forbidden` when a subscription
    manages it, `PreconditionFailed` when it has ended, `Conflict` when another request has just ended it.
    """
    found = await _named(connection, organisation_id, customer_id, id_or_feature_key, clock.now())
    customer = await _live_customer(connection, organisation_id, customer_id)
    before = await get_entitlement(
        connection, organisation_id=organisation_id, entitlement_id=found.id, lock=True
    )
    now = max(clock.now(), before.active_from)  # another process's clock may be ahead
    if not before.is_active(now):
        if found.is_active(now):
            text = f"entitlement {id_or_feature_key[:100]} was ended by another request; look at it again"
            raise Conflict(text, code="entitlement_ended")
        raise ended(id_or_feature_key)
    check_managed(before.subscription_id)
    feature = await _live_feature(connection, organisation_id, draft)
    if feature.key != before.feature_key:
        field = "featureId" if draft.feature_id is not None else "featureKey"
        text = f"an override stays with the feature {before.feature_key}; {feature.key} is another one"
        raise Invalid(text, issues=(Issue((field,), text, "feature_mismatch"),))
    await connection.execute(
        update(entitlements)
        .where(entitlements.c.id == before.id)
        .values(active_to=now, modified_at=now, revision=entitlements.c.revision + 1)
    )
    return await _begin(connection, customer, feature, draft, now)


async def delete_entitlement(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    customer_id: UUID,
    id_or_feature_key: str,
    clock: Clock,
) -> Entitlement:
    """End an entitlement now (openmeter 4.2); it stays readable by its id, and its history with it.

    Raises `NotFound`, `Forbidden` when a subscription manages it, `PreconditionFailed` when it has ended.
    """
    await _live_customer(connection, organisation_id, customer_id)
    now = clock.now()
    found = await get_customer_entitlement(
        connection,
        organisation_id=organisation_id,
        customer_id=customer_id,
        id_or_feature_key=id_or_feature_key,
        at=now,
        lock=True,
    )
    if not found.is_active(now):
        raise ended(id_or_feature_key)
    check_managed(found.subscription_id)
    await connection.execute(
        update(entitlements)
        .where(entitlements.c.id == found.id)
        .values(deleted_at=now, modified_at=now, revision=entitlements.c.revision + 1)
    )
    return replace(found, deleted_at=now, modified_at=now)


async def _named(
    connection: AsyncConnection, organisation_id: UUID, customer_id: UUID, named: str, at: datetime
) -> Entitlement:
    """The entitlement as it is before anything is locked. One of another customer is `Invalid`."""
    try:
        return await get_customer_entitlement(
            connection,
            organisation_id=organisation_id,
            customer_id=customer_id,
            id_or_feature_key=named,
            at=at,
        )
    except NotFound:
        if await _is_of_another(connection, organisation_id, named):
            text = f"entitlement {named[:100]} belongs to another customer"
            raise Invalid(text, code="customer_mismatch") from None
        raise


async def _is_of_another(connection: AsyncConnection, organisation_id: UUID, named: str) -> bool:
    entitlement_id = parse_id(named)
    if entitlement_id is None:
        return False
    found = await find_entitlement(connection, organisation_id=organisation_id, entitlement_id=entitlement_id)
    return found is not None


async def _live_customer(connection: AsyncConnection, organisation_id: UUID, customer_id: UUID) -> Customer:
    """The customer, locked: who begins or ends its entitlements takes turns until the transaction ends."""
    customer = await get_customer(
        connection, organisation_id=organisation_id, id_or_key=str(customer_id), lock=True
    )
    if customer.deleted_at is not None:
        raise PreconditionFailed(f"customer is deleted: {customer_id}", code="customer_deleted")
    return customer


async def _live_feature(
    connection: AsyncConnection, organisation_id: UUID, draft: EntitlementDraft
) -> Feature:
    named = draft.feature_id if draft.feature_id is not None else draft.feature_key
    if named is None:
        text = "featureId or featureKey is required"
        raise Invalid(text, issues=(Issue(("featureKey",), text, "missing"),))
    feature = await get_feature(connection, organisation_id=organisation_id, id_or_key=named, lock=True)
    if feature.archived_at is not None:
        raise NotFound(f"feature is archived: {named[:100]}", code="feature_not_found")
    return feature


async def _begin(
    connection: AsyncConnection,
    customer: Customer,
    feature: Feature,
    draft: EntitlementDraft,
    now: datetime,
) -> Entitlement:
    check_draft(draft, feature)
    entitlement = _entitlement_from(draft, customer, feature, now)
    given = _first_grants(entitlement, draft, now)
    await _refuse_second(connection, entitlement)
    try:
        async with connection.begin_nested():
            await connection.execute(insert(entitlements).values(**entitlement_to_row(entitlement)))
    except IntegrityError as error:
        raise _conflict(entitlement, None) from error
    if given:
        rows = [grant_to_row(grant, organisation_id=customer.organisation_id) for grant in given]
        await connection.execute(insert(grants), rows)
    await mark_changed(connection, entitlement, now=now)
    return entitlement


def _entitlement_from(
    draft: EntitlementDraft, customer: Customer, feature: Feature, now: datetime
) -> Entitlement:
    period = None
    if draft.usage_period is not None:
        period = cadence_from(draft.usage_period, anchor=now, at=("usagePeriod",))
    entitlement = Entitlement(
        id=new_id(),
        organisation_id=customer.organisation_id,
        customer_id=customer.id,
        feature_id=feature.id,
        feature_key=feature.key,
        type=draft.type,
        created_at=now,
        active_from=now,
        modified_at=now,
        usage_period=period,
        config=draft.config,
        subscription_id=draft.subscription_id,
        metadata=draft.metadata,
    )
    if draft.type is not EntitlementType.METERED or period is None:
        return entitlement
    priority = draft.issue_after_reset_priority
    return replace(
        entitlement,
        measure_usage_from=measured_from(draft, period, now=now),
        is_soft_limit=bool(draft.is_soft_limit),
        preserve_overage_at_reset=bool(draft.preserve_overage_at_reset),
        issue_after_reset=draft.issue_after_reset,
        issue_after_reset_priority=None
        if draft.issue_after_reset is None
        else ISSUE_PRIORITY
        if priority is None
        else priority,
    )


def _first_grants(entitlement: Entitlement, draft: EntitlementDraft, now: datetime) -> list[Grant]:
    """The grants asked for, or the one that every reset restores to its amount."""
    amount, start = entitlement.issue_after_reset, entitlement.measure_usage_from
    if amount and start is not None:
        issued = GrantDraft(
            amount=amount,
            effective_at=start,
            priority=entitlement.issue_after_reset_priority,
            min_rollover=amount,
            max_rollover=amount,
            annotations={"issueAfterReset": True},
        )
        return [grant_from(issued, entitlement, not_before=start, now=now)]
    if not draft.grants:
        return []
    start = period_start(entitlement, (), now)
    return [
        grant_from(asked, entitlement, not_before=start, now=now, at=("grants", index))
        for index, asked in enumerate(draft.grants)
    ]


async def _refuse_second(connection: AsyncConnection, entitlement: Entitlement) -> None:
    """Raise `Conflict` when another is active at any time at which the new one will be."""
    columns = entitlements.c
    start, end = entitlement.active_from, entitlement.active_to
    query = select(columns.id).where(
        columns.customer_id == entitlement.customer_id,
        columns.feature_key == entitlement.feature_key,
        or_(columns.active_to.is_(None), columns.active_to > start),
        or_(columns.deleted_at.is_(None), columns.deleted_at > start),
    )
    if end is not None:
        query = query.where(columns.active_from < end)
    other: UUID | None = (await connection.execute(query.limit(1))).scalar()
    if other is not None:
        raise _conflict(entitlement, other)


def _conflict(entitlement: Entitlement, other: UUID | None) -> Conflict:
    return Conflict(
        f"the customer already has an entitlement to the feature {entitlement.feature_key}; "
        "override or delete it",
        code="entitlement_conflict",
        details={} if other is None else {"conflicting_entity_id": other},
    )


async def guard_customer(
    connection: AsyncConnection, *, organisation_id: UUID, customer: Customer, clock: Clock
) -> None:
    """Keep a customer while it has active entitlements (openmeter 3.2). Raises `Conflict`."""
    criteria = EntitlementCriteria(customer_ids=(customer.id,), active_at=clock.now())
    if await has_active_entitlements(connection, organisation_id=organisation_id, criteria=criteria):
        raise Conflict(
            f"customer {customer.key or customer.id} has active entitlements; delete them first",
            code="customer_entitled",
        )


async def guard_meter(
    connection: AsyncConnection, *, meter: Meter, changed: Meter | None, clock: Clock
) -> None:
    """Keep a meter, and the group-bys that filters need, while active entitlements rest on them.

    Their features may be archived by then (openmeter 2.1). Raises `Conflict`.
    """
    organisation_id = meter.organisation_id
    for feature in await features_of_meter(connection, organisation_id=organisation_id, meter_id=meter.id):
        criteria = EntitlementCriteria(features=(str(feature.id),), active_at=clock.now())
        if await has_active_entitlements(connection, organisation_id=organisation_id, criteria=criteria):
            refuse_meter_change(meter, changed, [feature], by="entitlement to")
