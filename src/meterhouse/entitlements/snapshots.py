"""States of the engine at rest, so that a balance need not begin where measuring does.

A snapshot says what it was computed from: rules (`basis`), events up to a `seq`, and corrections. It stands
for the start of a run only while all of this is still true of the time before it: the same rules, no event
from before it that was stored since, no correction since. Otherwise it is passed over. So snapshots may be
deleted, or never written, and no answer changes.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.entitlements.model import Grant, State
from meterhouse.entitlements.tables import snapshots
from meterhouse.entitlements.terms import Terms
from meterhouse.usage.engine.rollups import definition_of

KEPT_MAX = 3
"""Per entitlement: the newest, and some for when a late event makes it useless."""


@dataclass(frozen=True)
class Snapshot:
    """A state, and what it was computed from besides the rules."""

    state: State
    upto: int
    corrections: int


def basis_of(terms: Terms, at: datetime) -> str:
    """A number for everything that a state at `at` follows from besides events: rules, meter and customer.

    What only matters later is left out, so that a new grant does not make older snapshots useless.
    """
    rules, usage = terms.rules, terms.usage
    assert rules is not None
    assert usage is not None
    essence = (
        definition_of(usage.meter),
        sorted(usage.customer.customer_ids),
        sorted(usage.customer.external_ids),
        sorted((key, repr(wanted)) for key, wanted in usage.group_filters.items()),
        rules.entitlement.usage_period,
        rules.entitlement.measure_usage_from,
        rules.entitlement.preserve_overage_at_reset,
        sorted((reset.at, reset.anchor, reset.preserve_overage) for reset in rules.resets if reset.at < at),
        [_essence(grant, at) for grant in rules.ranked if grant.effective_at < at],
    )
    return hashlib.blake2b(repr(essence).encode("utf-8", "replace"), digest_size=16).hexdigest()


def _essence(grant: Grant, at: datetime) -> tuple[object, ...]:
    end = grant.ends_at
    return (
        grant.id,
        grant.amount,
        grant.priority,
        grant.effective_at,
        grant.expires_at,
        grant.created_at,
        end if end is not None and end < at else None,
        grant.recurrence,
        grant.min_rollover,
        grant.max_rollover,
    )


async def find_snapshots(
    connection: AsyncConnection, terms: Sequence[Terms], *, before: datetime
) -> dict[UUID, list[Snapshot]]:
    """Snapshots of entitlements under the present rules, newest first; those without any are left out."""
    asked = {each.entitlement.id: each for each in terms}
    query = (
        select(snapshots)
        .where(snapshots.c.entitlement_id.in_(asked), snapshots.c.at <= before)
        .order_by(snapshots.c.at.desc())
    )
    found: dict[UUID, list[Snapshot]] = defaultdict(list)
    for row in (await connection.execute(query)).mappings():
        state, entitlement_id = _state_from(row["at"].astimezone(UTC), row["state"]), row["entitlement_id"]
        if row["basis"] == basis_of(asked[entitlement_id], state.at):
            found[entitlement_id].append(Snapshot(state, row["upto"], row["corrections"]))
    return found


async def save_snapshot(connection: AsyncConnection, terms: Terms, snapshot: Snapshot) -> None:
    """Keep a snapshot, and of the older ones only a few."""
    values = {
        "basis": basis_of(terms, snapshot.state.at),
        "upto": snapshot.upto,
        "corrections": snapshot.corrections,
        "state": _state_to_row(snapshot.state),
    }
    entitlement_id = terms.entitlement.id
    made = insert(snapshots).values(entitlement_id=entitlement_id, at=snapshot.state.at, **values)
    await connection.execute(made.on_conflict_do_update(index_elements=["entitlement_id", "at"], set_=values))
    kept = (
        select(snapshots.c.at)
        .where(snapshots.c.entitlement_id == entitlement_id)
        .order_by(snapshots.c.at.desc())
        .limit(KEPT_MAX)
    )
    await connection.execute(
        delete(snapshots).where(snapshots.c.entitlement_id == entitlement_id, snapshots.c.at.not_in(kept))
    )


def _state_to_row(state: State) -> dict[str, Any]:
    return {
        "period_start": state.period_start.isoformat(),
        "balances": {str(grant_id): str(amount) for grant_id, amount in state.balances.items()},
        "burnt": {str(grant_id): str(amount) for grant_id, amount in state.burnt.items()},
        "usage": str(state.usage),
        "overage": str(state.overage),
    }


def _state_from(at: datetime, row: Mapping[str, Any]) -> State:
    return State(
        at=at,
        period_start=datetime.fromisoformat(row["period_start"]),
        balances={UUID(key): Decimal(amount) for key, amount in row["balances"].items()},
        burnt={UUID(key): Decimal(amount) for key, amount in row["burnt"].items()},
        usage=Decimal(row["usage"]),
        overage=Decimal(row["overage"]),
    )
