"""When a new meter's definition is fixed from the start (polar 4.3)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from meterhouse.platform.ports import EventStore
from meterhouse.usage.definition import aggregation_faults, filter_faults, refuse, stripped
from meterhouse.usage.queries import has_event
from meterhouse.usage.service import MeterDraft


async def settled(store: EventStore, *, organisation_id: UUID, draft: MeterDraft) -> MeterDraft:
    """The draft, frozen when an event that is stored already matches it. Events that come later never freeze.

    Raises `Invalid` for a filter or an aggregation that no meter can have.
    """
    refuse(filter_faults(draft.filter) + aggregation_faults(draft.aggregation, draft.value_path))
    matched = await has_event(store, organisation_id=organisation_id, filter=stripped(draft.filter))
    return replace(draft, is_frozen=matched)
