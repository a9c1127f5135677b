"""Scans: which balances have changed, which thresholds they have crossed by that, and what is kept no longer.

What comes in by ingest is found by its number in the event store, so nothing is added to the way of an event,
and nothing is lost by a process that ends at any point: the cursor moves on together with the marks, and a
mark ends together with the crossings that were found.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.customers.queries import owners_of
from meterhouse.entitlements import crossings
from meterhouse.entitlements.balance import Balances
from meterhouse.entitlements.consume import delete_old_keys
from meterhouse.entitlements.crossings import Check, Crossing, ThresholdRule, ThresholdRules
from meterhouse.entitlements.engine.thresholds import Threshold, ThresholdKind, is_news, standing
from meterhouse.entitlements.model import Value
from meterhouse.entitlements.standings import Ingest
from meterhouse.entitlements.terms import Terms
from meterhouse.kernel.errors import MeterhouseError
from meterhouse.kernel.ids import new_id, parse_id
from meterhouse.platform.ports import Database, EventStore
from meterhouse.usage.arrivals import Arrival, corrections_since, events_since
from meterhouse.usage.queries import newest_event
from meterhouse.usage.view import corrections_of

log = logging.getLogger(__name__)

EVENTS_AT_ONCE_MAX = 200_000
CHECKS_AT_ONCE_MAX = 200
CHECKING_MAX_S = 0.5  # in one pass; what is left waits for the next
DELETED_AT_ONCE_MAX = 1_000
_KINDS: tuple[ThresholdKind, ...] = ("usage", "balance")


class EntitlementTasks:
    """See the module. `rules` says which thresholds there are."""

    def __init__(
        self,
        database: Database,
        store: EventStore,
        ingest: Ingest,
        balances: Balances,
        *,
        keys_kept_for: timedelta,
        rules: ThresholdRules = crossings.standard_rules,
    ) -> None:
        self._database = database
        self._store = store
        self._ingest = ingest
        self._balances = balances
        self._keys_kept_for = keys_kept_for
        self._rules = rules
        self._seen = (-1, -1)

    @property
    def scans(self) -> Mapping[str, Callable[[datetime], Awaitable[int]]]:
        return {
            "entitlements.changed": self.mark_used,
            "entitlements.thresholds": self.check,
            "entitlements.keys": self.delete_keys,
        }

    async def mark_used(self, now: datetime) -> int:
        """Mark the balances of which events were stored or corrected since the last look."""
        newest, version = await self._newest()
        if (newest, version) == self._seen:
            return 0
        async with self._database.begin() as connection:
            before = await crossings.read_cursor(connection)
        upto = min(newest, before[0] + EVENTS_AT_ONCE_MAX)
        after = max(upto, before[0]), max(version, before[1])
        came = await events_since(self._store, after=before[0], upto=after[0])
        came += await corrections_since(self._store, after=before[1], upto=after[1])
        marked = 0
        if after != before:
            async with self._database.begin() as connection:
                if not await crossings.move_cursor(connection, before, after):
                    return 0
                marked = await _mark(connection, came, now)
        self._seen = after
        return marked or int(upto < newest)

    async def _newest(self) -> tuple[int, int]:
        reached = self._ingest.reached
        if reached is None:
            reached = await newest_event(self._store, known=max(self._seen[0], 0))
        return reached, (await corrections_of(self._store).now()).version

    async def check(self, now: datetime) -> int:
        """Hold marked balances against the thresholds, those that have waited longest first."""
        loop = asyncio.get_running_loop()
        until, checked = loop.time() + CHECKING_MAX_S, 0
        while loop.time() < until:
            async with self._database.begin() as connection:
                checks = await crossings.next_checks(connection, now=now, limit=CHECKS_AT_ONCE_MAX)
            if not checks:
                break
            await self._tell(checks, await self._values(checks), now)
            checked += len(checks)
        return checked

    async def _values(self, checks: Sequence[Check]) -> dict[UUID, list[Value]]:
        """The values to look at, by entitlement. Raises what may go well another time."""
        by_organisation: dict[UUID, list[Check]] = defaultdict(list)
        for check in checks:
            by_organisation[check.organisation_id].append(check)
        found = {}
        for organisation_id, some in by_organisation.items():
            owned = [(check.customer_id, check.entitlement_id) for check in some]
            terms = await self._balances.prepared(organisation_id=organisation_id, owned=owned)
            for check, each in zip(some, terms, strict=True):
                found[check.entitlement_id] = await self._values_of(each, check) if each is not None else []
                await asyncio.sleep(0)  # whoever asks for a balance meanwhile need not wait for all
        return found

    async def _values_of(self, terms: Terms, check: Check) -> list[Value]:
        """The value at the end of the usage period in which it changed, if that is over, and the one now."""
        try:
            last = await self._balances.last_value(terms, since=check.since)
            return [*([last] if last is not None else []), await self._balances.value_of(terms)]
        except MeterhouseError as failure:
            if failure.retryable:
                raise
            log.warning("the balance of entitlement %s has no value: %s", check.entitlement_id, failure)
            return []

    async def _tell(self, checks: Sequence[Check], values: Mapping[UUID, list[Value]], now: datetime) -> None:
        """Keep what is news and end the checks, in one step."""
        async with self._database.begin() as connection:
            taken = await crossings.take_checks(connection, checks, now=now)
            starts = {
                value.balance.period.start for some in values.values() for value in some if value.balance
            }
            told = dict(await crossings.last_told(connection, taken, starts))
            rules: dict[UUID, Sequence[ThresholdRule]] = {}
            found: list[tuple[Crossing, int]] = []
            for check in checks:
                if check.entitlement_id not in taken:
                    continue  # changed meanwhile, or somebody else's
                if check.organisation_id not in rules:
                    rules[check.organisation_id] = await self._rules(connection, check.organisation_id)
                for value in values[check.entitlement_id]:
                    found += _news(value, rules[check.organisation_id], told, now)
            await crossings.record(connection, found)

    async def delete_keys(self, now: datetime) -> int:
        """Forget first answers to idempotency keys after their time."""
        async with self._database.begin() as connection:
            before = now - self._keys_kept_for
            return await delete_old_keys(connection, before=before, limit=DELETED_AT_ONCE_MAX)


async def _mark(connection: AsyncConnection, came: Sequence[Arrival], now: datetime) -> int:
    """Mark the balances that rest on what came; tells how many."""
    by_organisation: dict[UUID, list[Arrival]] = defaultdict(list)
    for arrival in came:
        by_organisation[arrival.organisation_id].append(arrival)
    marked = 0
    for organisation_id, some in by_organisation.items():
        subjects = {arrival.subject for arrival in some if not arrival.customer_id}
        owners = await owners_of(connection, organisation_id=organisation_id, subjects=subjects)
        used: dict[tuple[UUID, str], crossings.Span] = {}
        for arrival in some:
            owner = owners.get(arrival.subject)
            customer_id = (
                parse_id(arrival.customer_id) if arrival.customer_id else owner.id if owner else None
            )
            if customer_id is not None:
                place = customer_id, arrival.type
                first, last = used.get(place, (arrival.first_at, arrival.last_time))
                used[place] = min(first, arrival.first_at), max(last, arrival.last_time)
        if used:
            marked += await crossings.mark_used(
                connection, organisation_id=organisation_id, used=used, now=now
            )
    return marked


def _news(
    value: Value,
    rules: Sequence[ThresholdRule],
    told: dict[tuple[UUID, datetime, UUID, ThresholdKind], tuple[Threshold, int]],
    now: datetime,
) -> list[tuple[Crossing, int]]:
    """What is to be told of a value, with its number; `told` learns of it."""
    entitlement, balance, found = value.entitlement, value.balance, []
    if entitlement is None or balance is None:
        return []
    for rule in rules:
        if not rule.covers(entitlement):
            continue
        crossed = standing(rule.thresholds, balance)
        for kind in _KINDS:
            place = entitlement.id, balance.period.start, rule.id, kind
            last, number = told.get(place, (None, 0))
            threshold = crossed.of(kind)
            if threshold is None or not is_news(last, threshold):
                continue
            told[place] = threshold, number + 1
            crossing = Crossing(
                id=new_id(),
                organisation_id=entitlement.organisation_id,
                customer_id=entitlement.customer_id,
                entitlement_id=entitlement.id,
                feature_id=entitlement.feature_id,
                feature_key=entitlement.feature_key,
                rule_id=rule.id,
                threshold=threshold,
                value=value,
                created_at=now,
            )
            found.append((crossing, number + 1))
    return found
