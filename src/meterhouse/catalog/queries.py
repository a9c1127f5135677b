"""Reads of features."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.catalog.convert import feature_from_row
from meterhouse.catalog.model import Feature
from meterhouse.catalog.tables import features
from meterhouse.kernel.errors import NotFound
from meterhouse.kernel.ids import parse_id

FeatureSort = Literal["id", "key", "name", "created_at", "modified_at"]


@dataclass(frozen=True)
class FeatureCriteria:
    """Which features to list; all parts AND. `meter_slugs` has any of them."""

    meter_slugs: tuple[str, ...] | None = None
    include_archived: bool = False


measured = select(features.c.id, features.c.meter_id).subquery("feature")
"""Which meter features rest on, for queries of others that need it in the same statement."""


async def find_feature(
    connection: AsyncConnection, *, organisation_id: UUID, id_or_key: str, lock: bool = False
) -> Feature | None:
    """A feature by id in either spelling (also an archived one), or the live one of a key.

    `lock` keeps it from being archived until the transaction ends.
    """
    feature_id = parse_id(id_or_key)
    by_key = (features.c.key == id_or_key.replace("\x00", "\ufffd")) & features.c.archived_at.is_(None)
    for found in (by_key,) if feature_id is None else (features.c.id == feature_id, by_key):
        query = select(features).where(features.c.organisation_id == organisation_id, found)
        if lock:
            query = query.with_for_update(read=True)
        row = (await connection.execute(query)).mappings().first()
        if row is not None:
            return feature_from_row(dict(row))
    return None


async def get_feature(
    connection: AsyncConnection, *, organisation_id: UUID, id_or_key: str, lock: bool = False
) -> Feature:
    """As `find_feature`. Raises `NotFound`."""
    feature = await find_feature(connection, organisation_id=organisation_id, id_or_key=id_or_key, lock=lock)
    if feature is None:
        raise NotFound(f"feature not found: {id_or_key[:100]}", code="feature_not_found")
    return feature


async def find_features(
    connection: AsyncConnection, *, organisation_id: UUID, ids: Collection[UUID]
) -> dict[UUID, Feature]:
    """Features by id, archived ones too; unknown ids are left out."""
    if not ids:
        return {}
    query = select(features).where(features.c.organisation_id == organisation_id, features.c.id.in_(ids))
    rows = (await connection.execute(query)).mappings()
    return {row["id"]: feature_from_row(dict(row)) for row in rows}


async def list_features(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    criteria: FeatureCriteria | None = None,
    sort: FeatureSort = "key",
    is_descending: bool = False,
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[Feature], int]:
    """One page of features and how many there are in all."""
    wanted = criteria or FeatureCriteria()
    conditions: list[ColumnElement[bool]] = [features.c.organisation_id == organisation_id]
    if not wanted.include_archived:
        conditions.append(features.c.archived_at.is_(None))
    if wanted.meter_slugs is not None:
        conditions.append(features.c.meter_slug.in_(wanted.meter_slugs))
    order = [features.c[sort], features.c.id]
    query = (
        select(features)
        .where(*conditions)
        .order_by(*(column.desc() if is_descending else column.asc() for column in order))
        .limit(limit)
        .offset(offset)
    )
    rows = (await connection.execute(query)).mappings()
    count = select(func.count()).select_from(features).where(*conditions)
    total: int = (await connection.execute(count)).scalar_one()
    return [feature_from_row(dict(row)) for row in rows], total


async def features_of_meter(
    connection: AsyncConnection, *, organisation_id: UUID, meter_id: UUID
) -> list[Feature]:
    """All features of a meter, archived ones too."""
    query = select(features).where(
        features.c.organisation_id == organisation_id, features.c.meter_id == meter_id
    )
    rows = (await connection.execute(query.order_by(features.c.key))).mappings()
    return [feature_from_row(dict(row)) for row in rows]
