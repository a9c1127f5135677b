"""What customers may use now, at another time, and how it came to that (openmeter 3.3, 4.2, 4.6).

Balances are current: an event that was acknowledged before the question counts in the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.entitlements.engine import Outcome, last_reset_at, run, usage_period_at
from meterhouse.entitlements.engine.history import plan_history, tell_history
from meterhouse.entitlements.engine.timeline import plan_rules
from meterhouse.entitlements.explain import CountedEvent, Explanation, explain
from meterhouse.entitlements.model import Balance, Entitlement, EntitlementType, History, Value
from meterhouse.entitlements.queries import entitlement_not_found
from meterhouse.entitlements.standings import Ingest, Standings
from meterhouse.entitlements.terms import Asked, Found, Terms, TermsReader
from meterhouse.kernel.clock import Clock, format_instant
from meterhouse.kernel.errors import Invalid, Issue, NotFound, PreconditionFailed
from meterhouse.kernel.exact import decimal_from
from meterhouse.kernel.periods import Period, minute_ceil, minute_floor
from meterhouse.platform.ports import Database, EventStore
from meterhouse.usage.block import rows_from_events
from meterhouse.usage.engine.ranges import COUNTS, Usage
from meterhouse.usage.engine.reading import RowReader
from meterhouse.usage.engine.windows import covering
from meterhouse.usage.engine.zones import check_zone, zone_table
from meterhouse.usage.model import EventCriteria, StoredEvent, StringFilter, Window
from meterhouse.usage.queries import list_events

LATEST = datetime(2299, 12, 31, tzinfo=UTC)
CHECKS_MAX = 1_000
WINDOWS_MAX = 10_000
EVENTS_LOOKED_AT_MAX, EVENTS_SHOWN_MAX = 100, 20
SHOWN_MAX = 100


@dataclass(frozen=True)
class Check:
    """One question of many: may this customer use that feature?"""

    customer: str
    feature: str


class Balances:
    """Answers about balances; one per process."""

    def __init__(self, database: Database, store: EventStore, ingest: Ingest, clock: Clock) -> None:
        self._clock = clock
        self._store = store
        self._terms = TermsReader(database)
        self._standings = Standings(database, store, ingest)

    async def running_value(
        self, connection: AsyncConnection, *, organisation_id: UUID, customer_id: UUID, entitlement_id: UUID
    ) -> tuple[Terms, Value]:
        """Terms and value in the minute that is not over yet, for whoever holds the entitlement's row.

        A reset at the end of this minute is left out: what is used now is used before it.
        """
        now = self._clock.now()
        asked = Asked(organisation_id, str(customer_id), str(entitlement_id), now)
        found = _live(await self._terms.find_within(connection, asked), str(customer_id))
        terms = found.terms[0]
        if terms.rules is None or not terms.entitlement.is_active(now):
            return terms, await self.value_of(terms, at=now)
        balance = await self._standings.balance(terms, _full_minute(now), now=now, is_running=True)
        return terms, _metered(terms.entitlement, now, balance)

    async def value(
        self, *, organisation_id: UUID, customer: str, feature: str, at: datetime | None = None
    ) -> Value:
        """What an entitlement allows at `at`, by default now.

        `customer` is an id or a key, `feature` a feature's key or the id of an entitlement. Raises `NotFound`
        for either, `PreconditionFailed` for a deleted customer, `Invalid` for a time out of range.
        """
        terms = await self.terms(organisation_id=organisation_id, customer=customer, feature=feature, at=at)
        return await self.value_of(terms, at=at)

    async def access(self, *, organisation_id: UUID, customer: str) -> dict[str, Value]:
        """What a customer may use now, by feature key. Raises as `value` for the customer."""
        now = self._clock.now()
        found = await self._terms.find(Asked(organisation_id, customer, None, now))
        terms = _live(found, customer).terms
        values = await self._values(terms, now)
        return {each.entitlement.feature_key: value for each, value in zip(terms, values, strict=True)}

    async def check(self, *, organisation_id: UUID, checks: Sequence[Check]) -> list[Value | None]:
        """Many values at once, in order; `None` where the customer is unknown or has no such entitlement."""
        if len(checks) > CHECKS_MAX:
            text = f"at most {CHECKS_MAX} checks can be made at once"
            raise Invalid(text, issues=(Issue(("checks",), text, "too_many"),))
        now = self._clock.now()
        asked = [Asked(organisation_id, check.customer, check.feature, now) for check in checks]
        found = await self._terms.find_all(asked)
        terms = [each.terms[0] if each and each.terms and not each.is_deleted else None for each in found]
        values = iter(await self._values([each for each in terms if each is not None], now))
        return [None if each is None else next(values) for each in terms]

    async def _values(self, terms: Sequence[Terms], now: datetime) -> list[Value]:
        """Values of now: those that are in memory at once, the others side by side."""
        values = [self._value_at_hand(each, now) for each in terms]
        missing = [place for place, value in enumerate(values) if value is None]
        await self._standings.prepare([terms[place] for place in missing], now=now)
        read = await asyncio.gather(*(self.value_of(terms[place], at=now) for place in missing))
        for place, value in zip(missing, read, strict=True):
            values[place] = value
        return [value for value in values if value is not None]

    def _value_at_hand(self, terms: Terms, now: datetime) -> Value | None:
        entitlement = terms.entitlement
        if not entitlement.is_active(now):
            return Value(entitlement, now, has_access=False)
        if entitlement.type is not EntitlementType.METERED or terms.rules is None:
            return Value(entitlement, now, has_access=True, config=entitlement.config)
        balance = self._standings.at_hand(terms, _full_minute(now), now=now)
        return None if balance is None else _metered(entitlement, now, balance)

    async def terms(
        self, *, organisation_id: UUID, customer: str, feature: str, at: datetime | None = None
    ) -> Terms:
        """What is behind a value: by feature key the entitlement active at `at`, or else the one active now.

        Raises `NotFound` and `PreconditionFailed`.
        """
        now = self._clock.now()
        for moment in (now,) if at is None else (at, now):
            found = await self._terms.find(Asked(organisation_id, customer, feature, moment))
            if terms := _live(found, customer).terms:
                return terms[0]
        raise entitlement_not_found(feature)

    async def value_of(self, terms: Terms, *, at: datetime | None = None) -> Value:
        """What an entitlement allows at `at`, by default now; nothing when it is not active then."""
        now = self._clock.now()
        wanted = now if at is None else at
        entitlement = terms.entitlement
        if not entitlement.is_active(wanted):
            return Value(entitlement, wanted, has_access=False)
        if entitlement.type is not EntitlementType.METERED or terms.rules is None:
            return Value(entitlement, wanted, has_access=True, config=entitlement.config)
        balance = await self._standings.balance(terms, _full_minute(wanted), now=now)
        return _metered(entitlement, wanted, balance)

    async def prepared(
        self, *, organisation_id: UUID, owned: Sequence[tuple[UUID, UUID]]
    ) -> list[Terms | None]:
        """The terms of entitlements, by customer and id, whose values are wanted next; `None` without any."""
        now = self._clock.now()
        asked = [Asked(organisation_id, str(customer), str(each), now) for customer, each in owned]
        found = await self._terms.find_all(asked)
        terms = [each.terms[0] if each and each.terms and not each.is_deleted else None for each in found]
        await self._standings.prepare([each for each in terms if each is not None], now=now)
        return terms

    async def last_value(self, terms: Terms, *, since: datetime) -> Value | None:
        """The value with which the usage period of `since` ended; `None` while that goes on."""
        now, entitlement = self._clock.now(), terms.entitlement
        if terms.rules is None or not entitlement.is_active(now):
            return None
        period = usage_period_at(entitlement, terms.rules.resets, since)
        if period.end > _full_minute(now):
            return None
        balance = await self._standings.balance(terms, period.end, now=now, is_running=True)
        return _metered(entitlement, period.end, replace(balance, period=period))

    async def settled(self) -> None:
        """Wait for what is done after an answer, as keeping snapshots."""
        await self._standings.settled()

    async def history(
        self,
        terms: Terms,
        *,
        window: Window,
        zone: str = "UTC",
        from_at: datetime | None = None,
        to_at: datetime | None = None,
    ) -> History:
        """Usage by windows and the burn-down by segments, by default since the last reset until now.

        Raises `Invalid` for what has no balance, for a time before measuring starts and for too many windows.
        """
        entitlement, rules = terms.entitlement, terms.rules
        if rules is None or entitlement.measure_usage_from is None:
            raise Invalid("only a metered entitlement has a history", code="not_metered")
        now = self._clock.now()
        to = minute_ceil(now) if to_at is None else _full_minute(to_at)
        start = last_reset_at(entitlement, rules.resets, now) if from_at is None else minute_floor(from_at)
        if start < entitlement.measure_usage_from:
            begin = format_instant(entitlement.measure_usage_from)
            raise _refused("from", f"from must not be before usage is measured, which is {begin}")
        if to < start:
            raise _refused("to", "to must not be before from")
        check_zone(zone, field=("windowTimeZone",))
        bounds = covering(zone_table(zone), window, start, to, limit=WINDOWS_MAX)
        if len(bounds) > WINDOWS_MAX:
            raise _refused("windowSize", f"a history has at most {WINDOWS_MAX} windows; ask for less")
        planned = plan_history(rules, start, to, [Period(*bound) for bound in bounds])
        return tell_history(planned, await self._standings.usages(terms, planned.ranges))

    async def explained_value(
        self, *, organisation_id: UUID, customer: str, feature: str, at: datetime | None = None
    ) -> tuple[Value, Explanation | None]:
        """As `value`, with what is behind the balance of an active metered entitlement.

        Rules, grants, what happened in the usage period, and the newest events that count in it.
        """
        terms = await self.terms(organisation_id=organisation_id, customer=customer, feature=feature, at=at)
        wanted = self._clock.now() if at is None else at
        if terms.rules is None or not terms.entitlement.is_active(wanted):
            return await self.value_of(terms, at=wanted), None
        explanation = await self._explain(terms, wanted)
        return _metered(terms.entitlement, wanted, explanation.balance), explanation

    async def _explain(self, terms: Terms, wanted: datetime) -> Explanation:
        assert terms.usage is not None
        outcome = await self.outcome(terms, _full_minute(wanted))
        start, end = outcome.balance.period.start, outcome.balance.at
        customers = {str(terms.customer.id): terms.usage.customer.external_ids}
        kind = terms.usage.meter.event_type
        texts = {} if kind is None else {"type": StringFilter("eq", kind)}
        found = await list_events(
            self._store,
            organisation_id=terms.entitlement.organisation_id,
            criteria=EventCriteria(from_at=start, to_at=end, customers=customers, texts=texts),
            limit=EVENTS_LOOKED_AT_MAX,
        )
        return explain(terms, outcome, tuple(_counted(terms.usage, found)[:EVENTS_SHOWN_MAX]))

    async def outcome(self, terms: Terms, at: datetime) -> Outcome:
        """A whole run up to a full minute, with its segments and books, from the store."""
        assert terms.rules is not None
        planned = plan_rules(terms.rules, at)
        return run(planned, await self._standings.usages(terms, planned.ranges), is_detailed=True)


def _metered(entitlement: Entitlement, at: datetime, balance: Balance) -> Value:
    has_access = entitlement.is_soft_limit or balance.balance > 0
    return Value(entitlement, at, has_access, balance=balance)


def _counted(usage: Usage, events: Sequence[StoredEvent]) -> list[CountedEvent]:
    reader, counted = RowReader(usage), []
    for event, row in zip(events, rows_from_events(events), strict=True):
        added = reader.read(row)
        if added is not None:
            is_count = usage.meter.aggregation in COUNTS
            amount = Decimal(added.parts.count) if is_count else decimal_from(added.parts.amount)
            counted.append(CountedEvent(event, amount))
    return counted


def _live(found: Found | None, customer: str) -> Found:
    if found is None:
        raise NotFound(f"customer not found: {customer[:SHOWN_MAX]}", code="customer_not_found")
    if found.is_deleted:
        raise PreconditionFailed(f"customer is deleted: {customer[:SHOWN_MAX]}", code="customer_deleted")
    return found


def _full_minute(at: datetime) -> datetime:
    """The minute at whose start everything of the present one has happened. Raises `Invalid`."""
    if at > LATEST:
        raise _refused("time", f"no balance is known after {LATEST.year}")
    return minute_ceil(at)


def _refused(field: str, message: str) -> Invalid:
    return Invalid(message, issues=(Issue((field,), message, "invalid_time"),))
