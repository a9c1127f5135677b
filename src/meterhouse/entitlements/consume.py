"""Check and consume in one step: of those who ask for the last credit, one gets it.

Whoever consumes holds the entitlement's row until the event is on disk and its effect is known. So all who
consume of one entitlement take turns, in one process or in many, and with those who change its grants.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.entitlements.balance import Balances
from meterhouse.entitlements.consumption import SOURCE, event_of, id_of
from meterhouse.entitlements.convert import value_from_row, value_to_row
from meterhouse.entitlements.model import Entitlement, EntitlementType, Value
from meterhouse.entitlements.queries import get_entitlement
from meterhouse.entitlements.rules import amount_issues
from meterhouse.entitlements.tables import consumptions
from meterhouse.entitlements.terms import Terms
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Conflict, Invalid, Issue
from meterhouse.platform.ports import Database, EventStore
from meterhouse.usage.model import Event, EventCriteria, StringFilter
from meterhouse.usage.queries import list_events

AT_ONCE_MAX = 4
"""Each holds a connection of the pool while the writer of events may need one."""
KEY_LENGTH_MAX = 200
OVERRIDES_MAX = 3
"""How often another entitlement may take the place of the one in hand before we give up."""


class EventSink(Protocol):
    """Stores events; see `usage.ingest.Ingestor`."""

    async def submit(self, events: Sequence[Any]) -> list[bool]: ...


@dataclass(frozen=True)
class Consumption:
    """What somebody wants to use up. The same `key` again is the same wish."""

    amount: Decimal
    key: str | None = None
    metadata: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Consumed:
    """Whether it was allowed, and the value after it. `is_repeat`: this is the answer of the first time."""

    allowed: bool
    value: Value
    is_repeat: bool = False


class Consumer:
    """Consumes for one process; see the module."""

    def __init__(
        self, database: Database, store: EventStore, sink: EventSink, balances: Balances, clock: Clock
    ) -> None:
        self._database = database
        self._store = store
        self._sink = sink
        self._balances = balances
        self._clock = clock
        self._at_once = asyncio.Semaphore(AT_ONCE_MAX)
        self._turns: dict[UUID, _Turn] = {}

    async def consume(
        self, *, organisation_id: UUID, customer: str, feature: str, wanted: Consumption
    ) -> Consumed:
        """Use up an amount if the balance (or a soft limit) allows it: all of it, or nothing.

        `customer` and `feature` are as in `Balances.value`, which also says what is raised for them. Raises
        `Invalid` for an amount that cannot be, `PreconditionFailed` for a meter that cannot be told an
        amount, and `Conflict` for a key that was used for another wish.
        """
        _check(wanted)
        for _ in range(OVERRIDES_MAX):
            terms = await self._balances.terms(
                organisation_id=organisation_id, customer=customer, feature=feature
            )
            value = Value(terms.entitlement, self._clock.now(), has_access=False)
            if terms.entitlement.type is not EntitlementType.METERED:
                value = await self._balances.value_of(terms)
                return Consumed(value.has_access, value)
            consumed = await self._in_turn(terms.entitlement, wanted)
            if consumed is not None:
                return consumed
        return Consumed(False, value)

    async def _in_turn(self, entitlement: Entitlement, wanted: Consumption) -> Consumed | None:
        """Consume while nobody else does; `None` when the entitlement has ended by then."""
        turn = self._turns.setdefault(entitlement.id, _Turn())
        turn.waiting += 1
        try:
            async with turn.lock, self._at_once, self._database.begin() as connection:
                held = await get_entitlement(
                    connection,
                    organisation_id=entitlement.organisation_id,
                    entitlement_id=entitlement.id,
                    lock=True,
                )
                if not held.is_active(self._clock.now()):
                    return None
                return await self._consume(connection, entitlement, wanted)
        finally:
            turn.waiting -= 1
            if not turn.waiting:
                self._turns.pop(entitlement.id, None)

    async def _consume(
        self, connection: AsyncConnection, entitlement: Entitlement, wanted: Consumption
    ) -> Consumed:
        """Runs while the entitlement's row is held."""
        first = await _first_answer(connection, entitlement, wanted)
        if first is not None:
            return first
        terms, before = await self._running(connection, entitlement)
        event = event_of(
            terms,
            wanted.amount,
            id=id_of(entitlement.id, wanted.key),
            metadata=wanted.metadata,
            now=self._clock.now(),
        )
        allowed = _is_allowed(before, wanted.amount)
        if not allowed and wanted.key is not None:
            # The first time may have stored the event and ended before its answer was.
            allowed = await self._is_stored(event)
        after = before
        if allowed:
            await self._sink.submit([event])
            _, after = await self._running(connection, entitlement)
        if wanted.key is not None:
            await _remember(connection, entitlement, wanted, allowed, after, self._clock.now())
        return Consumed(allowed, after)

    async def _running(self, connection: AsyncConnection, entitlement: Entitlement) -> tuple[Terms, Value]:
        return await self._balances.running_value(
            connection,
            organisation_id=entitlement.organisation_id,
            customer_id=entitlement.customer_id,
            entitlement_id=entitlement.id,
        )

    async def _is_stored(self, event: Event) -> bool:
        texts = {"id": StringFilter("eq", event.id), "source": StringFilter("eq", SOURCE)}
        found = await list_events(
            self._store,
            organisation_id=event.organisation_id,
            criteria=EventCriteria(texts=texts),
            limit=1,
        )
        return bool(found)


class _Turn:
    """Who of this process is next; only that one holds a connection."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting = 0


def _check(wanted: Consumption) -> None:
    issues = amount_issues(("amount",), wanted.amount)
    if wanted.amount <= 0:
        issues = [Issue(("amount",), "the amount to consume must be positive", "amount_must_be_positive")]
    if wanted.key is not None and not (0 < len(wanted.key) <= KEY_LENGTH_MAX and wanted.key.isprintable()):
        text = f"a key has 1 to {KEY_LENGTH_MAX} printable characters"
        issues.append(Issue(("idempotencyKey",), text, "length"))
    if issues:
        raise Invalid("; ".join(issue.message for issue in issues), issues=tuple(issues))


def _is_allowed(value: Value, amount: Decimal) -> bool:
    if value.balance is None:
        return False
    assert value.entitlement is not None
    return value.entitlement.is_soft_limit or value.balance.balance >= amount


def _digest_of(wanted: Consumption) -> str:
    """Equal for the same wish."""
    wish = json.dumps([str(wanted.amount.normalize()), wanted.metadata or {}], sort_keys=True)
    return hashlib.blake2b(wish.encode(), digest_size=16).hexdigest()


async def _first_answer(
    connection: AsyncConnection, entitlement: Entitlement, wanted: Consumption
) -> Consumed | None:
    """What was answered to this key before. Raises `Conflict` when it was another wish."""
    if wanted.key is None:
        return None
    query = select(consumptions.c.digest, consumptions.c.answer).where(
        consumptions.c.entitlement_id == entitlement.id, consumptions.c.key == wanted.key
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    if row.digest != _digest_of(wanted):
        raise Conflict(
            f"the key {wanted.key[:100]} was used for another amount or other metadata; take a new key",
            code="idempotency_key_reused",
        )
    return Consumed(row.answer["allowed"], value_from_row(row.answer, entitlement), is_repeat=True)


async def _remember(
    connection: AsyncConnection,
    entitlement: Entitlement,
    wanted: Consumption,
    allowed: bool,
    value: Value,
    now: datetime,
) -> None:
    answer = {"allowed": allowed, **value_to_row(value)}
    await connection.execute(
        insert(consumptions).values(
            entitlement_id=entitlement.id,
            key=wanted.key,
            digest=_digest_of(wanted),
            answer=answer,
            created_at=now,
        )
    )


async def delete_old_keys(connection: AsyncConnection, *, before: datetime, limit: int) -> int:
    """Forget the first answers to keys from before an instant, the oldest first; tells how many.

    Their events stay, and still follow from their keys: such a key again consumes nothing a second time.
    """
    place = tuple_(consumptions.c.entitlement_id, consumptions.c.key)
    old = (
        select(consumptions.c.entitlement_id, consumptions.c.key)
        .where(consumptions.c.created_at < before)
        .order_by(consumptions.c.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    deleted = await connection.execute(delete(consumptions).where(place.in_(select(old))))
    return deleted.rowcount
