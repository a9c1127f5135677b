"""What can be done to meters. Each function is one use case inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from sqlalchemy import Insert, Update, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Conflict, Invalid, Issue, NotFound
from meterhouse.kernel.ids import new_id
from meterhouse.usage.convert import meter_to_row
from meterhouse.usage.definition import (
    Faults,
    aggregation_faults,
    check_definition,
    check_group_by,
    filter_faults,
    normalised,
    refuse,
    text_faults,
)
from meterhouse.usage.model import Aggregation, Clause, Dialect, Filter, Meter
from meterhouse.usage.queries import get_meter
from meterhouse.usage.tables import meters


class Unset:
    """The type of `UNSET`, the mark of a field that a partial update does not mention."""


UNSET: Final = Unset()
EXTERNAL_ID_TAKEN = "A meter with this external ID already exists."
FROZEN = "This field can't be updated because the meter is already aggregating events."


class MeterGuard(Protocol):
    """Refuses changes to a meter that others depend on, by raising `Conflict`."""

    async def __call__(self, connection: AsyncConnection, *, meter: Meter, changed: Meter | None) -> None:
        """`changed` is the meter as it is to be, `None` when it is to be deleted; its row is locked."""
        ...


@dataclass(frozen=True)
class MeterDraft:
    """A meter to be. Without a slug one is generated; without a name the slug is the name."""

    dialect: Dialect
    filter: Filter
    aggregation: Aggregation
    slug: str | None = None
    name: str | None = None
    description: str | None = None
    value_path: str | None = None
    group_by: Mapping[str, str] = field(default_factory=dict)
    event_from: datetime | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)
    unit: str = "scalar"
    custom_label: str | None = None
    custom_multiplier: int | None = None
    is_frozen: bool = False
    external_id: str | None = None


def event_type_filter(event_type: str) -> Filter:
    """The filter of an OpenMeter meter."""
    return Filter("and", (Clause("name", "eq", event_type),))


async def create_meter(
    connection: AsyncConnection, *, organisation_id: UUID, draft: MeterDraft, clock: Clock
) -> Meter:
    """Store a meter (openmeter 2.1, polar 4.2). Events stored before it count at once.

    `draft.is_frozen` says whether a stored event already matched (`queries.has_match`).
    Raises `Invalid` with all faults, or when a live meter has the external id, and `Conflict` when one has
    the slug.
    """
    meter_id = new_id()
    slug = draft.slug if draft.slug is not None else f"meter_{meter_id.hex}"
    given = {**vars(draft), "slug": slug, "name": draft.name if draft.name is not None else slug}
    meter = normalised(
        Meter(
            id=meter_id,
            organisation_id=organisation_id,
            created_at=clock.now(),
            modified_at=None,
            archived_at=None,
            deleted_at=None,
            **given,
        )
    )
    check_definition(meter)
    await _write(connection, insert(meters).values(**meter_to_row(meter)), meter)
    return meter


async def _write(connection: AsyncConnection, statement: Insert | Update, meter: Meter) -> None:
    try:
        async with connection.begin_nested():  # so that a conflict leaves the caller's transaction usable
            await connection.execute(statement)
    except IntegrityError as error:
        if "external_id" in str(error.orig):
            raise Invalid(
                EXTERNAL_ID_TAKEN,
                issues=[Issue(("external_id",), EXTERNAL_ID_TAKEN, "value_error", meter.external_id)],
            ) from error
        raise Conflict(
            f"meter with the same slug already exists: {meter.slug}", code="meter_slug_conflict"
        ) from error


async def replace_meter(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    id_or_slug: str,
    name: str | None,
    description: str | None,
    metadata: Mapping[str, object],
    group_by: Mapping[str, str],
    clock: Clock,
    guards: Sequence[MeterGuard] = (),
) -> Meter:
    """Replace what OpenMeter lets change (openmeter 2.1): no name means the slug, the rest is cleared.

    Raises `NotFound`, `Invalid` for a bad description or group-by, or what a guard raises.
    """
    meter = await _get_live(connection, organisation_id, id_or_slug)
    faults: Faults = []
    if description == "":
        faults.append(Issue(("description",), "description must not be empty", "too_short"))
    jsonpath = meter.value_path if meter.dialect == "openmeter" else None
    check_group_by(group_by, jsonpath, faults)
    changed = replace(
        meter,
        name=name if name is not None else meter.slug,
        description=description,
        metadata=metadata,
        group_by=group_by,
    )
    refuse(faults + text_faults(changed))
    for guard in guards:
        await guard(connection, meter=meter, changed=changed)
    return await _save(connection, changed, clock)


async def update_meter(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    id_or_slug: str,
    clock: Clock,
    name: str | Unset = UNSET,
    metadata: Mapping[str, object] | Unset = UNSET,
    unit: str | Unset = UNSET,
    custom_label: str | Unset | None = UNSET,
    custom_multiplier: int | Unset | None = UNSET,
    filter: Filter | Unset | None = UNSET,
    aggregation: tuple[Aggregation, str | None] | Unset | None = UNSET,
    is_archived: bool | Unset = UNSET,
    external_id: str | Unset | None = UNSET,
) -> Meter:
    """Change the given fields (polar 4.3). Nothing given is a no-op.

    `filter` and `aggregation` (function and property) are refused once the definition is frozen, even
    unchanged or null. Raises `NotFound`, or `Invalid` with one issue per field.
    """
    meter = await _get_live(connection, organisation_id, id_or_slug)
    _refuse_frozen(meter, filter=filter, aggregation=aggregation)
    changes: dict[str, object] = {
        key: value
        for key, value in {
            "name": name,
            "metadata": metadata,
            "unit": unit,
            "custom_label": custom_label,
            "custom_multiplier": custom_multiplier,
            "external_id": external_id,
            "filter": filter if filter is not None else UNSET,
        }.items()
        if not isinstance(value, Unset)
    }
    if aggregation is not None and not isinstance(aggregation, Unset):
        changes["aggregation"], changes["value_path"] = aggregation
    if not isinstance(is_archived, Unset):
        changes["archived_at"] = clock.now() if is_archived else None
    if not changes:
        return meter
    changed = normalised(replace(meter, **changes))  # type: ignore[arg-type]
    _check_update(changed, changes)
    return await _save(connection, changed, clock)


def _refuse_frozen(meter: Meter, **given: object) -> None:
    present = [key for key, value in given.items() if not isinstance(value, Unset)]
    # An OpenMeter meter's definition never changes, whichever facade asks.
    if present and (meter.is_frozen or meter.dialect == "openmeter"):
        raise Invalid(FROZEN, issues=tuple(Issue((key,), FROZEN, "forbidden", given[key]) for key in present))


def _check_update(meter: Meter, changes: Mapping[str, object]) -> None:
    faults: Faults = []
    if "name" in changes and len(meter.name) < 3:
        text = "String should have at least 3 characters"
        faults.append(Issue(("name",), text, "string_too_short", meter.name))
    if "filter" in changes:
        faults += filter_faults(meter.filter)
    if "aggregation" in changes:
        faults += aggregation_faults(meter.aggregation, meter.value_path)
    refuse(faults + text_faults(meter))


async def freeze_meter(
    connection: AsyncConnection, *, organisation_id: UUID, id_or_slug: str, clock: Clock
) -> None:
    """Fix a meter's filter and aggregation for good, because its quantities have been used."""
    meter = await _get_live(connection, organisation_id, id_or_slug)
    await connection.execute(update(meters).where(meters.c.id == meter.id).values(is_frozen=True))


async def delete_meter(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    id_or_slug: str,
    clock: Clock,
    guards: Sequence[MeterGuard] = (),
) -> None:
    """Delete softly: the id stays readable, the slug is free again.

    A second delete by id does nothing. Raises `NotFound`, so also for a second delete by slug, or what
    a guard raises.
    """
    meter = await get_meter(connection, organisation_id=organisation_id, id_or_slug=id_or_slug, lock=True)
    if meter.deleted_at is not None:
        return
    for guard in guards:
        await guard(connection, meter=meter, changed=None)
    await connection.execute(update(meters).where(meters.c.id == meter.id).values(deleted_at=clock.now()))


async def _get_live(connection: AsyncConnection, organisation_id: UUID, id_or_slug: str) -> Meter:
    """The meter, locked until the transaction ends; a deleted one can be read but not changed."""
    meter = await get_meter(connection, organisation_id=organisation_id, id_or_slug=id_or_slug, lock=True)
    if meter.deleted_at is not None:
        raise NotFound(f"meter not found: {id_or_slug}", code="meter_not_found")
    return meter


async def _save(connection: AsyncConnection, meter: Meter, clock: Clock) -> Meter:
    saved = replace(meter, modified_at=clock.now())
    await _write(
        connection, update(meters).where(meters.c.id == saved.id).values(**meter_to_row(saved)), saved
    )
    return saved
