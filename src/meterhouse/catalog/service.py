"""What can be done to features. Each function is one use case inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.catalog.convert import feature_to_row
from meterhouse.catalog.model import (
    MEASURABLE,
    Feature,
    FeatureDraft,
    LlmUnitCost,
    ManualUnitCost,
)
from meterhouse.catalog.queries import features_of_meter, find_feature, get_feature
from meterhouse.catalog.tables import features
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Conflict, Invalid, Issue, NotFound
from meterhouse.kernel.ids import new_id, parse_ulid
from meterhouse.usage.model import Meter
from meterhouse.usage.queries import find_meter
from meterhouse.usage.service import freeze_meter

_NAMED_MAX = 5


async def create_feature(
    connection: AsyncConnection, *, organisation_id: UUID, draft: FeatureDraft, clock: Clock
) -> Feature:
    """Store a feature (openmeter 4.1). The meter behind it keeps its definition from now on.

    Raises `Invalid` with all faults, `NotFound` for an unknown meter, and `Conflict` with
    `conflicting_entity_id` when a live feature has the key.
    """
    meter = await _meter_of(connection, organisation_id, draft, clock)
    _refuse(_faults(draft, meter))
    now = clock.now()
    feature = Feature(
        id=new_id(),
        organisation_id=organisation_id,
        key=draft.key,
        name=draft.name,
        meter_id=meter.id if meter else None,
        meter_slug=meter.slug if meter else None,
        filters=draft.filters,
        unit_cost=draft.unit_cost,
        metadata=draft.metadata,
        created_at=now,
        modified_at=now,
    )
    try:
        async with connection.begin_nested():  # so that a conflict leaves the caller's transaction usable
            await connection.execute(insert(features).values(**feature_to_row(feature)))
    except IntegrityError as error:
        raise await _key_conflict(connection, organisation_id, draft.key) from error
    return feature


async def _meter_of(
    connection: AsyncConnection, organisation_id: UUID, draft: FeatureDraft, clock: Clock
) -> Meter | None:
    """The meter that the draft names, locked so that it is not deleted meanwhile."""
    if draft.meter_slug is None:
        return None
    meter = await find_meter(
        connection, organisation_id=organisation_id, id_or_slug=draft.meter_slug, lock=True
    )
    if meter is None or meter.deleted_at is not None:
        raise NotFound(f"meter not found: {draft.meter_slug[:100]}", code="meter_not_found")
    if not meter.is_frozen and meter.dialect == "polar":
        await freeze_meter(connection, organisation_id=organisation_id, id_or_slug=str(meter.id), clock=clock)
    return meter


async def _key_conflict(connection: AsyncConnection, organisation_id: UUID, key: str) -> Conflict:
    holder = await find_feature(connection, organisation_id=organisation_id, id_or_key=key)
    details = {"conflicting_entity_id": holder.id} if holder is not None else {}
    return Conflict(
        f"feature with key {key} already exists; archive it first to use its key again",
        code="feature_key_conflict",
        details=details,
    )


def _faults(draft: FeatureDraft, meter: Meter | None) -> list[Issue]:
    faults: list[Issue] = []
    if parse_ulid(draft.key) is not None:
        faults.append(Issue(("key",), "feature key must not be a valid ULID", "invalid_key", draft.key))
    if meter is not None and meter.aggregation not in MEASURABLE:
        text = f"meter {meter.slug} has the aggregation {meter.aggregation}; features need SUM, COUNT, "
        faults.append(Issue(("meterSlug",), text + "UNIQUE_COUNT, LATEST or MAX", "unsupported_aggregation"))
    if meter is None and draft.filters:
        faults.append(Issue(("filters",), "filters need a meter", "meter_required"))
    if meter is not None:
        faults += [
            Issue(
                ("filters", key),
                f"{key[:64]!r} is not a group-by key of meter {meter.slug}",
                "unknown_group_by",
            )
            for key in draft.filters
            if key not in meter.group_by
        ]
    return faults + _unit_cost_faults(draft, meter)


def _unit_cost_faults(draft: FeatureDraft, meter: Meter | None) -> list[Issue]:
    match draft.unit_cost:
        case ManualUnitCost(amount) if amount < 0:
            return [Issue(("unitCost", "amount"), "must not be negative", "minimum")]
        case LlmUnitCost() if meter is None:
            return [Issue(("unitCost",), "a unit cost of type llm needs a meter", "meter_required")]
        case LlmUnitCost(provider, provider_at, model, model_at, token, token_at) if meter is not None:
            return [
                *_source_faults("provider", provider, provider_at, meter.group_by),
                *_source_faults("model", model, model_at, meter.group_by),
                *_source_faults("tokenType", token, token_at, meter.group_by),
            ]
        case _:
            return []


def _source_faults(
    name: str, fixed: str | None, group_key: str | None, group_by: Mapping[str, str]
) -> list[Issue]:
    """Faults of a value that is either fixed or held by a group-by."""
    at = ("unitCost", f"{name}Property")
    if bool(fixed) == bool(group_key):
        text = f"give exactly one of {name} and {name}Property"
        return [Issue(("unitCost", name), text, "one_of")]
    if group_key and group_key not in group_by:
        return [Issue(at, f"{group_key[:64]!r} is not a group-by key of the meter", "unknown_group_by")]
    return []


def _refuse(faults: list[Issue]) -> None:
    if faults:
        raise Invalid("; ".join(fault.message for fault in faults[:_NAMED_MAX]), issues=tuple(faults))


async def archive_feature(
    connection: AsyncConnection, *, organisation_id: UUID, id_or_key: str, clock: Clock
) -> None:
    """Archive a feature (openmeter 4.1): its key is free again, entitlements to it go on.

    A second time by id does nothing. Raises `NotFound`.
    """
    feature = await get_feature(connection, organisation_id=organisation_id, id_or_key=id_or_key)
    now = clock.now()
    await connection.execute(
        update(features)
        .where(features.c.id == feature.id, features.c.archived_at.is_(None))
        .values(archived_at=now, modified_at=now)
    )


async def guard_meter(connection: AsyncConnection, *, meter: Meter, changed: Meter | None) -> None:
    """Keep a meter, and the group-bys that filters need, while live features use them (openmeter 2.1).

    `changed` is the meter as it is to be, `None` when it is to be deleted. Raises `Conflict`.
    """
    used_by = await features_of_meter(connection, organisation_id=meter.organisation_id, meter_id=meter.id)
    refuse_meter_change(
        meter, changed, [feature for feature in used_by if feature.archived_at is None], by="feature"
    )


def refuse_meter_change(meter: Meter, changed: Meter | None, used_by: list[Feature], *, by: str) -> None:
    """Raise `Conflict` when a change takes from features what they need. `by` says who needs the features."""
    if changed is None:
        for feature in used_by:
            raise Conflict(
                f"meter {meter.slug} is used by the active {by} {feature.key} and cannot be deleted",
                code="meter_in_use",
            )
        return
    for feature in used_by:
        lost = [key for key in feature.filters if key not in changed.group_by]
        if lost:
            raise Conflict(
                f"group-by {lost[0]} of meter {meter.slug} is used by the filters of the active {by} "
                f"{feature.key} and cannot be removed",
                code="group_by_in_use",
            )
