"""Crossings of thresholds at rest: balances that wait to be looked at, and what was found (openmeter 8.3).

A crossing is the one internal event that notifications follow from. Its number within an entitlement's usage
period, by rule and kind of threshold, is unique in the database, so it is told once whatever happens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.catalog.queries import measured
from meterhouse.entitlements.convert import value_from_row, value_to_row
from meterhouse.entitlements.engine.thresholds import Threshold, ThresholdKind, ThresholdType
from meterhouse.entitlements.model import Entitlement, EntitlementType, Value
from meterhouse.entitlements.queries import is_active
from meterhouse.entitlements.tables import (
    entitlements,
    threshold_checks,
    threshold_crossings,
    threshold_cursor,
)
from meterhouse.kernel.ids import new_id
from meterhouse.kernel.periods import minute_ceil
from meterhouse.usage.queries import find_meters

NEAR, FAR = timedelta(minutes=10), timedelta(hours=1)
_AFTER = timedelta(microseconds=1)

Span = tuple[datetime, datetime]
"""When the first of some events came, and the latest time that they bear."""


@dataclass(frozen=True)
class ThresholdRule:
    """Thresholds that are looked at together: of each kind one counts. `feature_ids` is `None` for all."""

    id: UUID
    thresholds: tuple[Threshold, ...]
    feature_ids: frozenset[UUID] | None = None

    def covers(self, entitlement: Entitlement) -> bool:
        return self.feature_ids is None or entitlement.feature_id in self.feature_ids


ThresholdRules = Callable[[AsyncConnection, UUID], Awaitable[Sequence[ThresholdRule]]]
"""The rules of an organisation, from whoever keeps them; their ids tell them apart for good."""

STANDARD_RULE = ThresholdRule(
    UUID("00000000-0000-7000-8000-000000000001"),
    (
        Threshold(ThresholdType.USAGE_PERCENTAGE, Decimal(80)),
        Threshold(ThresholdType.USAGE_PERCENTAGE, Decimal(100)),
        Threshold(ThresholdType.BALANCE_VALUE, Decimal(0)),
    ),
)


async def standard_rules(_connection: AsyncConnection, _organisation_id: UUID) -> Sequence[ThresholdRule]:
    """What holds everywhere: much of the credit used, more used than there is, and nothing left."""
    return (STANDARD_RULE,)


@dataclass(frozen=True)
class Crossing:
    """A threshold that a balance has crossed: whose, of what, and the value with which it was found."""

    id: UUID
    organisation_id: UUID
    customer_id: UUID
    entitlement_id: UUID
    feature_id: UUID
    feature_key: str
    rule_id: UUID
    threshold: Threshold
    value: Value
    created_at: datetime


@dataclass(frozen=True)
class Check:
    """A balance that changed at `since` or later and is to be looked at from `due_at` on.

    `until` is when it changes for the last time by what is known, as by an event of a time ahead; `token` is
    of the last change.
    """

    organisation_id: UUID
    customer_id: UUID
    entitlement_id: UUID
    since: datetime
    due_at: datetime
    until: datetime
    token: UUID


Told = Mapping[tuple[UUID, datetime, UUID, ThresholdKind], tuple[Threshold, int]]
"""The last threshold told of an entitlement in a usage period, by rule and kind, and its number."""


async def mark(connection: AsyncConnection, checks: Collection[Check]) -> None:
    """Have balances looked at after commit. In one order, so that two who mark never block each other."""
    rows = [vars(check) for check in sorted(checks, key=lambda check: check.entitlement_id)]
    if not rows:
        return
    made = insert(threshold_checks)
    again = made.on_conflict_do_update(
        index_elements=["entitlement_id"],
        set_={
            "since": func.least(threshold_checks.c.since, made.excluded.since),
            "due_at": func.least(threshold_checks.c.due_at, made.excluded.due_at),
            "until": func.greatest(threshold_checks.c.until, made.excluded.until),
            "token": made.excluded.token,
        },
    )
    await connection.execute(again, rows)


async def mark_changed(connection: AsyncConnection, entitlement: Entitlement, *, now: datetime) -> None:
    """Have the balance of a metered entitlement looked at, because its rules have changed."""
    if entitlement.type is EntitlementType.METERED:
        organisation_id, customer_id = entitlement.organisation_id, entitlement.customer_id
        check = Check(organisation_id, customer_id, entitlement.id, now, now, now, new_id())
        await mark(connection, [check])


async def mark_used(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    used: Mapping[tuple[UUID, str], Span],
    now: datetime,
) -> int:
    """Have balances looked at of which events came, by customer and type; tells how many."""
    query = (
        select(entitlements.c.id, entitlements.c.customer_id, measured.c.meter_id)
        .join(measured, measured.c.id == entitlements.c.feature_id)
        .where(
            entitlements.c.customer_id.in_({customer_id for customer_id, _ in used}),
            entitlements.c.type == EntitlementType.METERED.value,
            is_active(now),
        )
    )
    found = (await connection.execute(query)).all()
    meters = await find_meters(
        connection, organisation_id=organisation_id, ids={row.meter_id for row in found if row.meter_id}
    )
    spans: dict[UUID, dict[str, Span]] = defaultdict(dict)
    for (customer_id, kind), span in used.items():
        spans[customer_id][kind] = span
    checks = []
    for row in found:
        wanted = meters[row.meter_id].event_type if row.meter_id in meters else None
        some = [span for kind, span in spans[row.customer_id].items() if wanted in (None, kind)]
        if some:
            since, until = min(first for first, _ in some), max(last for _, last in some)
            checks.append(Check(organisation_id, row.customer_id, row.id, since, now, until, new_id()))
    await mark(connection, checks)
    return len(checks)


async def next_checks(connection: AsyncConnection, *, now: datetime, limit: int) -> list[Check]:
    """Balances to be looked at, those first that have waited longest."""
    due_at = threshold_checks.c.due_at
    query = select(threshold_checks).where(due_at <= now).order_by(due_at).limit(limit)
    rows = (await connection.execute(query)).mappings()
    instants = ("since", "due_at", "until")
    return [Check(**{**row, **{name: row[name].astimezone(UTC) for name in instants}}) for row in rows]


async def take_checks(connection: AsyncConnection, checks: Collection[Check], *, now: datetime) -> set[UUID]:
    """End checks whose balances have not changed since, and tell of which entitlements they were.

    Where more is known to change, the next check is put down at once.
    """
    same = tuple_(threshold_checks.c.entitlement_id, threshold_checks.c.token).in_(
        [(check.entitlement_id, check.token) for check in checks]
    )
    taken = (
        select(threshold_checks.c.entitlement_id)
        .where(same)
        .order_by(threshold_checks.c.entitlement_id)
        .with_for_update(skip_locked=True)
        .cte("taken")
    )
    ended = delete(threshold_checks).where(
        threshold_checks.c.entitlement_id.in_(select(taken.c.entitlement_id))
    )
    done = set(await connection.scalars(ended.returning(threshold_checks.c.entitlement_id)))
    # All of a minute that has begun counts.
    ahead = [check for check in checks if check.entitlement_id in done and check.until >= minute_ceil(now)]
    await mark(connection, [_next(check, now) for check in ahead])
    return done


def _next(check: Check, now: datetime) -> Check:
    """The check after one that was made before the last of its events had its time: in the next minute.

    Clocks are mostly wrong by little. What lies far ahead is looked at every hour only: events of the year
    2200 must not cost a look in every minute until then.
    """
    due_at = minute_ceil(now) if check.until - now < NEAR else min(check.until, now + FAR)
    return replace(check, since=now, due_at=due_at + _AFTER, token=new_id())


async def last_told(
    connection: AsyncConnection, entitlement_ids: Collection[UUID], starts: Collection[datetime]
) -> Told:
    """What was told last of entitlements whose checks are taken, in usage periods that began at `starts`."""
    columns = threshold_crossings.c
    place = (columns.entitlement_id, columns.period_start, columns.rule_id, columns.kind)
    query = (
        select(threshold_crossings)
        .where(columns.entitlement_id.in_(entitlement_ids), columns.period_start.in_(starts))
        .ext(distinct_on(*place))
        .order_by(*place, columns.number.desc())
    )
    found = {}
    for row in (await connection.execute(query)).mappings():
        start, kind = row["period_start"].astimezone(UTC), cast(ThresholdKind, row["kind"])
        found[row["entitlement_id"], start, row["rule_id"], kind] = _threshold_from(row), row["number"]
    return found


async def record(connection: AsyncConnection, crossings: Sequence[tuple[Crossing, int]]) -> None:
    """Keep crossings, each with its number."""
    if crossings:
        rows = [_crossing_to_row(crossing, number) for crossing, number in crossings]
        await connection.execute(insert(threshold_crossings).on_conflict_do_nothing(), rows)


async def list_crossings(
    connection: AsyncConnection, *, entitlement: Entitlement, limit: int = 100, offset: int = 0
) -> tuple[list[Crossing], int]:
    """One page of an entitlement's crossings, the newest first, and how many there are in all."""
    columns = threshold_crossings.c
    query = select(threshold_crossings).where(columns.entitlement_id == entitlement.id)
    total: int = (await connection.execute(select(func.count()).select_from(query.subquery()))).scalar_one()
    newest = query.order_by(columns.created_at.desc(), columns.id.desc()).limit(limit).offset(offset)
    rows = (await connection.execute(newest)).mappings()
    return [_crossing_from(row, entitlement) for row in rows], total


async def read_cursor(connection: AsyncConnection) -> tuple[int, int]:
    """Up to which stored event, and which correction, balances that they changed have been marked."""
    row = (await connection.execute(select(threshold_cursor.c.seq, threshold_cursor.c.corrections))).one()
    return row.seq, row.corrections


async def move_cursor(connection: AsyncConnection, before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Move the cursor on unless another process has."""
    columns = threshold_cursor.c
    moved = await connection.execute(
        update(threshold_cursor)
        .where(columns.seq == before[0], columns.corrections == before[1])
        .values(seq=after[0], corrections=after[1])
    )
    return moved.rowcount == 1


def _crossing_to_row(crossing: Crossing, number: int) -> dict[str, object]:
    assert crossing.value.balance is not None
    names = ("id", "organisation_id", "customer_id", "entitlement_id", "feature_id", "feature_key", "rule_id")
    return {name: getattr(crossing, name) for name in names} | {
        "kind": crossing.threshold.kind,
        "threshold_type": crossing.threshold.type.value,
        "threshold_value": crossing.threshold.value,
        "period_start": crossing.value.balance.period.start,
        "number": number,
        "value": value_to_row(crossing.value),
        "created_at": crossing.created_at,
    }


def _crossing_from(row: Mapping[Any, Any], entitlement: Entitlement) -> Crossing:
    return Crossing(
        id=row["id"],
        organisation_id=row["organisation_id"],
        customer_id=row["customer_id"],
        entitlement_id=row["entitlement_id"],
        feature_id=row["feature_id"],
        feature_key=row["feature_key"],
        rule_id=row["rule_id"],
        threshold=_threshold_from(row),
        value=value_from_row(row["value"], entitlement),
        created_at=row["created_at"].astimezone(UTC),
    )


def _threshold_from(row: Mapping[Any, Any]) -> Threshold:
    return Threshold(ThresholdType(row["threshold_type"]), row["threshold_value"])
