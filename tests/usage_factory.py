"""Events and meters for usage tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from meterhouse.kernel.ids import new_id
from meterhouse.usage.model import Aggregation, Clause, Event, Filter, Meter

ORGANISATION = UUID("01900000-0000-7000-8000-000000000001")
NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def event(
    data: Mapping[str, object] | str | None = None,
    *,
    time: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC),
    type: str = "ai",
    subject: str = "u",
    organisation_id: UUID = ORGANISATION,
    **rest: Any,
) -> Event:
    """An event; `data` as an object or as the exact JSON text."""
    text = data if isinstance(data, str) else "" if data is None else json.dumps(data)
    given = {"source": "test", "id": str(uuid4()), "ingested_at": NOW, "uid": new_id()} | rest
    return Event(organisation_id=organisation_id, type=type, subject=subject, time=time, data=text, **given)


def openmeter(
    aggregation: Aggregation = Aggregation.SUM,
    value: str | None = "$.value",
    *,
    organisation_id: UUID = ORGANISATION,
    event_type: str = "ai",
    **rest: Any,
) -> Meter:
    """An OpenMeter meter on one event type."""
    meter = polar(aggregation, None, organisation_id=organisation_id)
    path = None if aggregation is Aggregation.COUNT else value
    tree = Filter("and", (Clause("name", "eq", event_type),))
    return replace(meter, dialect="openmeter", value_path=path, filter=tree, **rest)


def polar(
    aggregation: Aggregation = Aggregation.COUNT,
    property: str | None = None,
    *clauses: Clause | Filter,
    organisation_id: UUID = ORGANISATION,
    **rest: Any,
) -> Meter:
    """A Polar meter whose filter ANDs the clauses."""
    meter = Meter(
        id=new_id(),
        organisation_id=organisation_id,
        dialect="polar",
        slug="tested",
        name="Tested",
        description=None,
        filter=Filter("and", clauses),
        aggregation=aggregation,
        value_path=property,
        group_by={},
        event_from=None,
        metadata={},
        unit="scalar",
        custom_label=None,
        custom_multiplier=None,
        is_frozen=False,
        created_at=NOW,
        modified_at=None,
        archived_at=None,
        deleted_at=None,
    )
    return replace(meter, **rest)
