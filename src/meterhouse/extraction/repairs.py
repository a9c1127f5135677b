"""After a run that found its page changed: a repaired strategy to keep, lost fields to leave out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.extraction import queries
from meterhouse.extraction.filters import Filter
from meterhouse.extraction.model import ExtractionFailed, Item, Repair
from meterhouse.extraction.storable import storable_items
from meterhouse.extraction.stored import StoredStrategy
from meterhouse.extraction.tables import strategies
from meterhouse.kernel.errors import NotFound


async def store_repair(
    connection: AsyncConnection, strategy: StoredStrategy, repaired: Repair, *, now: datetime
) -> bool:
    """Keep the repaired plan for the next run; `False` when the strategy was changed or deleted meanwhile.

    `strategy` is what the run was begun with. Its version stays: the records are the same, so results from
    before and after are compared as ever.
    """
    try:
        found = await queries.get_strategy(
            connection,
            organisation_id=strategy.organisation_id,
            strategy_id=strategy.id,
            lock="change",
        )
    except NotFound:
        return False
    if found.version != strategy.version or found.document != strategy.document:
        return False
    (document,) = storable_items([repaired.strategy.to_document()])
    await connection.execute(
        update(strategies).where(strategies.c.id == strategy.id).values(document=document, updated_at=now)
    )
    return True


def without_fields(
    items: Sequence[Mapping[str, object]], names: Collection[str], *, joined_by: str = "_"
) -> list[Item]:
    """The items without some fields, such as those that a run lost. Names within names are joined."""
    left_out = frozenset(names)
    return [_without(item, left_out, "", joined_by) for item in items]


def check_filter(keep: Filter, lost: Iterable[str], url: str) -> None:
    """Refuse to filter by values that the page no longer gives: what is left would mean nothing."""
    names = set(lost)
    gone = sorted(one for one in keep.fields() if one in names or one.replace(".", "_") in names)
    if gone:
        raise ExtractionFailed(
            f"The page no longer gives {', '.join(gone)}, by which the items are filtered.",
            reason="structure_changed",
            evidence={"url": url, "lost": sorted(names), "filtered_by": gone},
        )


def _without(item: Mapping[str, object], left_out: frozenset[str], prefix: str, joined_by: str) -> Item:
    if not left_out:
        return dict(item)
    kept: Item = {}
    for key, value in item.items():
        name = f"{prefix}{key}"
        if name in left_out:
            continue
        if isinstance(value, Mapping):
            kept[key] = _without(value, left_out, f"{name}{joined_by}", joined_by)
        else:
            kept[key] = value
    return kept
