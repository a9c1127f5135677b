"""Reads of entitlements, grants and resets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.entitlements.convert import entitlement_from_row, grant_from_row, reset_from_row
from meterhouse.entitlements.model import Entitlement, EntitlementType, Grant, Reset
from meterhouse.entitlements.tables import entitlements, grants, resets
from meterhouse.kernel.errors import NotFound
from meterhouse.kernel.ids import parse_id

SHOWN_MAX = 100

EntitlementSort = Literal["created_at", "modified_at"]
GrantSort = Literal["id", "created_at", "modified_at", "effective_at"]


@dataclass(frozen=True)
class EntitlementCriteria:
    """Which entitlements to list; all parts AND, each has any of what it names.

    `features` are ids or keys. `active_at` keeps those active then.
    """

    features: tuple[str, ...] | None = None
    customer_ids: tuple[UUID, ...] | None = None
    types: tuple[EntitlementType, ...] | None = None
    active_at: datetime | None = None
    include_deleted: bool = False


@dataclass(frozen=True)
class GrantCriteria:
    """Which grants to list; all parts AND.

    `include_deleted` adds voided ones and, without `entitlement_id`, those of deleted entitlements.
    """

    entitlement_id: UUID | None = None
    features: tuple[str, ...] | None = None
    customer_ids: tuple[UUID, ...] | None = None
    include_deleted: bool = False


async def find_entitlement(
    connection: AsyncConnection, *, organisation_id: UUID, entitlement_id: UUID, lock: bool = False
) -> Entitlement | None:
    """An entitlement by its id, whatever its state. `lock` holds the row until the transaction ends."""
    query = select(entitlements).where(
        entitlements.c.organisation_id == organisation_id, entitlements.c.id == entitlement_id
    )
    row = (await connection.execute(query.with_for_update() if lock else query)).mappings().first()
    return entitlement_from_row(row) if row is not None else None


async def find_entitlements(
    connection: AsyncConnection, *, organisation_id: UUID, ids: Collection[UUID]
) -> dict[UUID, Entitlement]:
    """Entitlements by their ids, whatever their state; unknown ids are left out."""
    query = select(entitlements).where(
        entitlements.c.organisation_id == organisation_id, entitlements.c.id.in_(ids)
    )
    found = map(entitlement_from_row, (await connection.execute(query)).mappings())
    return {entitlement.id: entitlement for entitlement in found}


async def get_entitlement(
    connection: AsyncConnection, *, organisation_id: UUID, entitlement_id: UUID, lock: bool = False
) -> Entitlement:
    """As `find_entitlement`. Raises `NotFound`."""
    found = await find_entitlement(
        connection, organisation_id=organisation_id, entitlement_id=entitlement_id, lock=lock
    )
    if found is None:
        raise entitlement_not_found(str(entitlement_id))
    return found


async def find_customer_entitlement(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    customer_id: UUID,
    id_or_feature_key: str,
    at: datetime,
    lock: bool = False,
) -> Entitlement | None:
    """A customer's entitlement by its id, whatever its state, or the one to a feature active at `at`."""
    named: list[ColumnElement[bool]] = [
        is_active(at) & (entitlements.c.feature_key == _storable(id_or_feature_key))
    ]
    entitlement_id = parse_id(id_or_feature_key)
    if entitlement_id is not None:
        named.insert(0, entitlements.c.id == entitlement_id)
    if lock:  # who waited for one that was meanwhile overridden sees its successor only when looking again
        named.append(named[-1])
    for condition in named:
        query = select(entitlements).where(
            entitlements.c.organisation_id == organisation_id,
            entitlements.c.customer_id == customer_id,
            condition,
        )
        row = (await connection.execute(query.with_for_update() if lock else query)).mappings().first()
        if row is not None:
            return entitlement_from_row(row)
    return None


async def get_customer_entitlement(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    customer_id: UUID,
    id_or_feature_key: str,
    at: datetime,
    lock: bool = False,
) -> Entitlement:
    """As `find_customer_entitlement`. Raises `NotFound`."""
    found = await find_customer_entitlement(
        connection,
        organisation_id=organisation_id,
        customer_id=customer_id,
        id_or_feature_key=id_or_feature_key,
        at=at,
        lock=lock,
    )
    if found is None:
        raise entitlement_not_found(id_or_feature_key)
    return found


def entitlement_not_found(named: str) -> NotFound:
    return NotFound(f"entitlement not found: {named[:SHOWN_MAX]}", code="entitlement_not_found")


async def list_entitlements(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    criteria: EntitlementCriteria | None = None,
    sort: EntitlementSort = "created_at",
    is_descending: bool = False,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[Entitlement], int]:
    """One page of entitlements and how many there are in all."""
    wanted = criteria or EntitlementCriteria()
    query = select(entitlements).where(
        entitlements.c.organisation_id == organisation_id, *_entitlement_conditions(wanted)
    )
    total: int = (await connection.execute(select(func.count()).select_from(query.subquery()))).scalar_one()
    ordered = [entitlements.c[sort], entitlements.c.id]
    rows = (await connection.execute(_page(query, ordered, is_descending, limit, offset))).mappings()
    return [entitlement_from_row(row) for row in rows], total


def _entitlement_conditions(criteria: EntitlementCriteria) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if criteria.features is not None:
        conditions.append(_of_features(criteria.features))
    if criteria.customer_ids is not None:
        conditions.append(entitlements.c.customer_id.in_(criteria.customer_ids))
    if criteria.types is not None:
        conditions.append(entitlements.c.type.in_([kind.value for kind in criteria.types]))
    if criteria.active_at is not None:
        conditions.append(is_active(criteria.active_at))
    if not criteria.include_deleted:
        conditions.append(entitlements.c.deleted_at.is_(None))
    return conditions


async def has_active_entitlements(
    connection: AsyncConnection, *, organisation_id: UUID, criteria: EntitlementCriteria
) -> bool:
    """Whether any entitlement meets the criteria."""
    query = select(entitlements.c.id).where(
        entitlements.c.organisation_id == organisation_id, *_entitlement_conditions(criteria)
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def grants_of(
    connection: AsyncConnection, *, entitlement_ids: Collection[UUID]
) -> dict[UUID, tuple[Grant, ...]]:
    """All grants of entitlements, ended ones too, oldest first: the balance of any time needs them."""
    query = select(grants).where(grants.c.entitlement_id.in_(entitlement_ids))
    rows = (await connection.execute(query.order_by(grants.c.created_at, grants.c.id))).mappings()
    found: dict[UUID, list[Grant]] = defaultdict(list)
    for row in rows:
        found[row["entitlement_id"]].append(grant_from_row(row))
    return {entitlement_id: tuple(found[entitlement_id]) for entitlement_id in entitlement_ids}


async def resets_of(
    connection: AsyncConnection, *, entitlement_ids: Collection[UUID]
) -> dict[UUID, tuple[Reset, ...]]:
    """All resets of entitlements that somebody asked for, in the order in which they happened."""
    query = select(resets).where(resets.c.entitlement_id.in_(entitlement_ids)).order_by(resets.c.at)
    found: dict[UUID, list[Reset]] = defaultdict(list)
    for row in (await connection.execute(query)).mappings():
        found[row["entitlement_id"]].append(reset_from_row(row))
    return {entitlement_id: tuple(found[entitlement_id]) for entitlement_id in entitlement_ids}


async def get_grant(connection: AsyncConnection, *, organisation_id: UUID, grant_id: UUID) -> Grant:
    """A grant by its id, voided ones too. Raises `NotFound`."""
    query = select(grants).where(grants.c.organisation_id == organisation_id, grants.c.id == grant_id)
    row = (await connection.execute(query)).mappings().first()
    if row is None:
        raise grant_not_found(str(grant_id))
    return grant_from_row(row)


def grant_not_found(named: str) -> NotFound:
    return NotFound(f"grant not found: {named[:SHOWN_MAX]}", code="grant_not_found")


async def list_grants(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    criteria: GrantCriteria | None = None,
    sort: GrantSort = "effective_at",
    is_descending: bool = False,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[Grant], int]:
    """One page of grants and how many there are in all."""
    wanted = criteria or GrantCriteria()
    query = (
        select(grants)
        .join(entitlements, entitlements.c.id == grants.c.entitlement_id)
        .where(grants.c.organisation_id == organisation_id, *_grant_conditions(wanted))
    )
    total: int = (await connection.execute(select(func.count()).select_from(query.subquery()))).scalar_one()
    rows = (
        await connection.execute(_page(query, [grants.c[sort], grants.c.id], is_descending, limit, offset))
    ).mappings()
    return [grant_from_row(row) for row in rows], total


def _grant_conditions(criteria: GrantCriteria) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if criteria.entitlement_id is not None:
        conditions.append(grants.c.entitlement_id == criteria.entitlement_id)
    if criteria.features is not None:
        conditions.append(_of_features(criteria.features))
    if criteria.customer_ids is not None:
        conditions.append(entitlements.c.customer_id.in_(criteria.customer_ids))
    if not criteria.include_deleted:
        conditions += [grants.c.deleted_at.is_(None), grants.c.voided_at.is_(None)]
        if criteria.entitlement_id is None:
            conditions.append(entitlements.c.deleted_at.is_(None))
    return conditions


def _page(
    query: Select[Any], order: Sequence[ColumnElement[Any]], is_descending: bool, limit: int, offset: int
) -> Select[Any]:
    ordered = [column.desc() if is_descending else column.asc() for column in order]
    return query.order_by(*ordered).limit(limit).offset(offset)


def is_active(at: datetime) -> ColumnElement[bool]:
    """A condition on rows of `entitlements`."""
    columns = entitlements.c
    return and_(
        columns.active_from <= at,
        or_(columns.active_to.is_(None), columns.active_to > at),
        or_(columns.deleted_at.is_(None), columns.deleted_at > at),
    )


def _of_features(ids_or_keys: Collection[str]) -> ColumnElement[bool]:
    ids = [feature_id for feature_id in map(parse_id, ids_or_keys) if feature_id is not None]
    keys = [_storable(text) for text in ids_or_keys]
    return or_(entitlements.c.feature_key.in_(keys), entitlements.c.feature_id.in_(ids))


def _storable(text: str) -> str:
    """PostgreSQL holds no U+0000, and so nothing stored can match it."""
    return text.replace("\x00", "\ufffd")
