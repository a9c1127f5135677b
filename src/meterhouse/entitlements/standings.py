"""Balances that are asked for again and again: exact at once, without asking the event store.

A standing is kept per entitlement and hears of every event that this process stores, before the event's
sender does. Where that is not enough it is brought up to date from the store, or given up:

- another process may store events too: what is newer than the standing is read before each answer;
- a block ends with an unknown outcome, an event comes too late, something is corrected: the store is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Protocol
from uuid import UUID

from meterhouse.entitlements.audience import Audience, Common, Place, Watch, common_of
from meterhouse.entitlements.engine import run
from meterhouse.entitlements.engine.timeline import minute, plan_rules
from meterhouse.entitlements.model import ZERO, Balance
from meterhouse.entitlements.snapshots import Snapshot, find_snapshots, save_snapshot
from meterhouse.entitlements.standing import WATCHABLE, Held, Lost, Standing
from meterhouse.entitlements.terms import Terms
from meterhouse.kernel.errors import MeterhouseError
from meterhouse.kernel.exact import decimal_from
from meterhouse.kernel.periods import Period, minute_floor
from meterhouse.platform.ports import Database, EventStore
from meterhouse.usage.block import EventRow
from meterhouse.usage.engine.sharing import Wish
from meterhouse.usage.model import Correction
from meterhouse.usage.queries import (
    corrections_made,
    has_usage_before,
    newest_event,
    recent_usages,
    usage_by_minute,
    values_in_ranges,
)

log = logging.getLogger(__name__)

STANDINGS_MAX = 20_000
LATENESS = timedelta(days=1)
ALIKE_MAX = 500  # entitlements that are read together
SNAPSHOT_STEP = timedelta(hours=6)
Listener = Callable[[Sequence[EventRow], Sequence[Correction]], None]


class Ingest(Protocol):
    """What is heard of events on their way into the store; see `usage.ingest.Ingestor`."""

    @property
    def reached(self) -> int | None: ...

    def subscribe(self, listener: Listener) -> None: ...


class Standings:
    """All standings of this process; see the module."""

    def __init__(self, database: Database, store: EventStore, ingest: Ingest) -> None:
        self._database = database
        self._store = store
        self._ingest = ingest
        self._watches: OrderedDict[UUID, Watch] = OrderedDict()
        self._by_place: dict[Place, dict[Common, Audience]] = {}
        self._untyped = 0
        self._saving: set[asyncio.Task[None]] = set()
        self._heard = ingest.reached or 0
        self._unsure_at: int | None = None
        ingest.subscribe(self._listen)

    async def balance(
        self, terms: Terms, at: datetime, *, now: datetime, is_running: bool = False
    ) -> Balance:
        """The balance at a full minute: every event acknowledged before the call counts.

        `is_running` leaves out what happens at that minute itself.
        """
        rules = terms.rules
        assert rules is not None
        if at >= minute_floor(now) and self._is_watchable(terms, now):
            try:
                return await self._watched(terms, at, now, is_running)
            except Lost:
                self._forget(terms.entitlement.id)
        (snapshot,) = await self._find_snapshots([terms], at)
        start = None if snapshot is None else snapshot.state
        planned = plan_rules(rules, at, start=start, is_running=is_running)
        return run(planned, await self.usages(terms, planned.ranges)).balance

    async def prepare(self, terms: Sequence[Terms], *, now: datetime) -> None:
        """Make the standings that are missing, by one reading for each customer and meter.

        Only saves time: what cannot be had now is left to `balance`.
        """
        alike: dict[Common, list[Terms]] = {}
        for each in terms:
            watch = self._watches.get(each.entitlement.id)
            is_wanted = watch is None or watch.terms is not each
            if is_wanted and self._is_watchable(each, now):
                assert each.usage is not None
                alike.setdefault(common_of(each.usage), []).append(each)
        with suppress(Lost):
            self._check_sure()
            for some in alike.values():
                if len(some) > 1:
                    for start in range(0, len(some), ALIKE_MAX):
                        await self._begin(some[start : start + ALIKE_MAX], now)

    def at_hand(self, terms: Terms, at: datetime, *, now: datetime) -> Balance | None:
        """As `balance`, when that takes no reading; else `None`."""
        watch = self._watches.get(terms.entitlement.id)
        if watch is None or watch.terms is not terms or watch.standing is None:
            return None
        if self._ingest.reached is None or self._ingest.reached == self._unsure_at:
            return None
        try:
            return watch.standing.balance(at, now=now)
        except Lost:
            return None

    @staticmethod
    def _is_watchable(terms: Terms, now: datetime) -> bool:
        rules = terms.rules
        if rules is None or rules.aggregation not in WATCHABLE:
            return False
        return minute_floor(now) >= _measured_from(terms)

    async def usages(
        self, terms: Terms, ranges: Sequence[Period], *, upto: int | None = None
    ) -> list[Decimal]:
        """What the store says of ranges: zero where nothing qualifies."""
        assert terms.usage is not None
        found = await values_in_ranges(
            self._store,
            terms.usage.meter,
            customer=terms.usage.customer,
            group_filters=terms.usage.group_filters,
            ranges=ranges,
            upto=upto,
        )
        return [_amount(value) for value in found]

    def forget_all(self) -> None:
        """Ask the store anew from now on."""
        for entitlement_id in list(self._watches):
            self._forget(entitlement_id)

    async def _watched(self, terms: Terms, at: datetime, now: datetime, is_running: bool) -> Balance:
        self._check_sure()
        watch = self._watches.get(terms.entitlement.id)
        if watch is None or watch.terms is not terms:
            (watch,) = await self._begin([terms], now)
        else:
            self._watches.move_to_end(terms.entitlement.id)
        if watch.making is not None:
            await asyncio.shield(watch.making)
        if watch.standing is None or self._watches.get(terms.entitlement.id) is not watch:
            raise Lost
        if self._ingest.reached is None:
            await self._catch_up(watch)
        return watch.standing.balance(at, now=now, is_running=is_running)

    def _check_sure(self) -> None:
        """After a block with an unknown outcome nothing is sure until another is stored."""
        if self._unsure_at is not None:
            if self._ingest.reached == self._unsure_at:
                raise Lost
            self._unsure_at = None

    async def _begin(self, terms: Sequence[Terms], now: datetime) -> list[Watch]:
        """Begin to watch entitlements of one customer with one meter; they are read together."""
        reached, version = self._ingest.reached, 0
        if reached is None:
            version = await corrections_made(self._store, terms[0].entitlement.organisation_id)
            reached = await newest_event(self._store)
        watches = [Watch(each, reached, version) for each in terms]
        for watch in watches:
            entitlement_id = watch.terms.entitlement.id
            self._forget(entitlement_id)
            self._watches[entitlement_id] = watch
            self._untyped += watch.is_untyped
            self._place(watch)
        while len(self._watches) > STANDINGS_MAX:
            self._forget(next(iter(self._watches)))
        making = asyncio.create_task(self._make(watches, now))
        for watch in watches:
            watch.making = making
        return watches

    async def _make(self, watches: Sequence[Watch], now: datetime) -> None:
        """Read up to the event that had been reached when they began; the rest is heard of."""
        try:
            standings = await self._read(watches, minute_floor(now))
        except BaseException:
            for watch in watches:
                self._forget_watch(watch)
            raise
        for watch, standing in zip(watches, standings, strict=True):
            try:
                watch.stand(standing)
            except Lost:
                self._forget_watch(watch)
            watch.making = None

    async def _read(self, watches: Sequence[Watch], present: datetime) -> list[Standing]:
        snapshots = await self._find_snapshots([watch.terms for watch in watches], present)
        organisation_id = watches[0].terms.entitlement.organisation_id
        corrections = await corrections_made(self._store, organisation_id)
        # Standing a day back, late events can still be taken in.
        cut = (present - LATENESS).replace(minute=0)
        plans, wishes = [], []
        for watch, snapshot in zip(watches, snapshots, strict=True):
            assert watch.terms.rules is not None
            start = None if snapshot is None else snapshot.state
            plans.append(plan_rules(watch.terms.rules, present, start=start, cut=cut))
            wishes.append(Wish(replace(watch.usage, upto=watch.upto), plans[-1].ranges))
        found = await recent_usages(self._store, wishes, from_at=present)
        standings = []
        for watch, planned, (values, tail) in zip(watches, plans, found, strict=True):
            usages = [_amount(value) for value in values]
            state = run(planned, usages).state
            if not state.is_initial and state.at - planned.start.at >= SNAPSHOT_STEP:
                self._save(watch.terms, Snapshot(state, watch.upto, corrections))
            # What lies between the last change and the present minute is the last stretch.
            folded = Held(usages[-1]) if state.at < present and usages[-1] else None
            standing = Standing(watch.terms, state, minute(present), folded, {})
            standing.add_minutes(tail)
            standings.append(standing)
        return standings

    async def _find_snapshots(self, terms: Sequence[Terms], before: datetime) -> list[Snapshot | None]:
        """For each of one customer's entitlements with one meter the newest snapshot that is still true."""
        async with self._database.begin() as connection:
            kept = await find_snapshots(connection, terms, before=before)
        if not kept:
            return [None] * len(terms)
        corrections = await corrections_made(self._store, terms[0].entitlement.organisation_id)
        usage = terms[0].usage
        assert usage is not None
        # Whether late events came is asked once for all: which of their filters these pass is not looked at.
        late: dict[tuple[int, datetime], bool] = {}
        found: list[Snapshot | None] = []
        for each in terms:
            found.append(None)
            for snapshot in kept.get(each.entitlement.id, ()):
                asked = snapshot.upto, snapshot.state.at
                if snapshot.corrections == corrections and asked not in late:
                    newer = replace(usage, after=snapshot.upto)
                    late[asked] = await has_usage_before(self._store, newer, to_at=snapshot.state.at)
                if not late.get(asked, True) and snapshot.corrections == corrections:
                    found[-1] = snapshot
                    break
        return found

    def _save(self, terms: Terms, snapshot: Snapshot) -> None:
        """Keep a snapshot in the background; nobody needs to wait for it, nor hear that it failed."""

        async def save() -> None:
            try:
                async with self._database.begin() as connection:
                    await save_snapshot(connection, terms, snapshot)
            except MeterhouseError as failure:
                log.warning("a snapshot of a balance was not kept: %s", failure)

        task = asyncio.create_task(save())
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def settled(self) -> None:
        """Wait for what goes on in the background."""
        await asyncio.gather(*self._saving)

    async def _catch_up(self, watch: Watch) -> None:
        """Take in what others stored. Raises `Lost` when somebody corrected something."""
        asked = asyncio.get_running_loop().time()
        async with watch.turn:
            if watch.caught_up_at > asked:
                return
            began = asyncio.get_running_loop().time()
            organisation_id = watch.terms.entitlement.organisation_id
            if await corrections_made(self._store, organisation_id) != watch.version:
                raise Lost
            newest = await newest_event(self._store, known=watch.upto)
            if newest > watch.upto:
                assert watch.terms.usage is not None
                assert watch.standing is not None
                usage = replace(watch.terms.usage, after=watch.upto, upto=newest)
                watch.standing.add_minutes(await usage_by_minute(self._store, usage))
                watch.upto = newest
            watch.caught_up_at = began

    def _listen(self, rows: Sequence[EventRow], corrections: Sequence[Correction]) -> None:
        if corrections:
            self.forget_all()
        reached = self._ingest.reached
        if reached is None or not rows:
            return
        if reached - self._heard < len(rows):
            self._unsure_at = reached
            self.forget_all()
            return
        self._heard = reached
        if self._watches:
            self._tell(rows)

    def _place(self, watch: Watch) -> None:
        common, places = watch.audience, watch.places
        audience = self._by_place.get(places[0], {}).get(common) or Audience(watch)
        audience.join(watch)
        for place in places:
            self._by_place.setdefault(place, {})[common] = audience

    def _tell(self, rows: Sequence[EventRow]) -> None:
        by_place = self._by_place
        for row in rows:
            owner = row[9] or row[3]
            audiences = by_place.get((row[1], owner, row[2]))
            if audiences:
                self._hear(audiences, row)
            if self._untyped and (untyped := by_place.get((row[1], owner, None))):
                self._hear(untyped, row)

    def _hear(self, audiences: dict[Common, Audience], row: EventRow) -> None:
        for audience in list(audiences.values()):
            try:
                heard = audience.hear(row)
            except Exception:
                log.exception("an event could not be taken into balances; they will be asked for anew")
                heard = []
                for watch in list(audience.watches.values()):
                    self._forget_watch(watch)
            for watch, added in heard:
                try:
                    watch.take(added)
                except Lost:
                    self._forget_watch(watch)

    def _forget(self, entitlement_id: UUID) -> None:
        watch = self._watches.get(entitlement_id)
        if watch is not None:
            self._forget_watch(watch)

    def _forget_watch(self, watch: Watch) -> None:
        entitlement_id = watch.terms.entitlement.id
        if self._watches.get(entitlement_id) is not watch:
            return
        del self._watches[entitlement_id]
        self._untyped -= watch.is_untyped
        common = watch.audience
        for place in watch.places:
            audiences = self._by_place.get(place, {})
            if (audience := audiences.get(common)) is not None:
                audience.leave(watch)
                if not audience.watches:
                    del audiences[common]
            if not audiences:
                self._by_place.pop(place, None)


def _amount(value: Fraction | None) -> Decimal:
    return ZERO if value is None else decimal_from(value)


def _measured_from(terms: Terms) -> datetime:
    measured_from = terms.entitlement.measure_usage_from
    assert measured_from is not None
    return measured_from
