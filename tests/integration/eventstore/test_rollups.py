"""Answers from rollups, corrections included: whatever happened before, they are those of the evaluator."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
import pytest
from tests.integration.eventstore.conftest import opened_shared
from tests.integration.eventstore.serving import Counting, Server, serving
from tests.thoroughness import examples
from tests.usage_factory import NOW, event, openmeter, polar

from meterhouse.kernel.errors import Conflict, DependencyFailed, NotFound
from meterhouse.platform.events import ClickHouseEventStore
from meterhouse.usage import newest, owner_hours
from meterhouse.usage.answers import Answers, Concern
from meterhouse.usage.block import EventRow, rows_from_events
from meterhouse.usage.engine.evaluate import evaluate_meter_query, evaluate_quantities
from meterhouse.usage.lineage import lineages
from meterhouse.usage.model import (
    Aggregation,
    Clause,
    Correction,
    Event,
    EventCriteria,
    EventSearch,
    Filter,
    Identities,
    Meter,
    MeterQuery,
    QuantityQuery,
    Window,
)
from meterhouse.usage.names import NameSearch, list_names
from meterhouse.usage.queries import (
    group_by_values,
    has_match,
    list_events,
    list_subjects,
    quantities,
    query_meter,
    recent,
    search_events,
    values_in_ranges,
)
from meterhouse.usage.rollups import RollupLimits, Rollups
from meterhouse.usage.view import EventView

EVERYTHING = EventCriteria()
START = datetime(2026, 3, 1, tzinfo=UTC)
VALUES = [
    '{"a":1}',
    '{"a":"2.5","g":"x"}',
    '{"a":0.1,"g":"y"}',
    '{"a":1e30}',
    '{"a":-7,"g":"x"}',
    "{}",
    '{"a":null}',
]
ALL_AGGREGATIONS = list(Aggregation)


def some_event(chance: random.Random, organisation: UUID, number: int) -> Event:
    """Mostly recent, sometimes late by years or from the future; few owners, so that hours are shared."""
    age = chance.choice([0, 1, 2, 30, 61, 3600, 86_400, -400 * 86_400, 3000 * 86_400])
    subject, customer = chance.choice([("s1", ""), ("s1", ""), ("s2", ""), ("", "c1")])
    return event(
        chance.choice(VALUES),
        organisation_id=organisation,
        id=f"e{number}",
        time=START + timedelta(seconds=chance.randrange(4 * 3600) - age),
        subject=subject,
        customer_id=customer,
        type=chance.choice(["ai", "ai", "ai", "other"]),
    )


def questions(chance: random.Random) -> list[MeterQuery]:
    whole = chance.choice([None, Window.MINUTE, Window.HOUR, Window.DAY, Window.MONTH])
    zone = chance.choice(["UTC", "Europe/Berlin", "Asia/Kathmandu"])
    bounds = chance.choice([(0, 4 * 3600), (3600, 7200), (61, 3 * 3600 + 7), (60, 180), (-86_400, 86_400)])
    span = {"from_at": START + timedelta(seconds=bounds[0]), "to_at": START + timedelta(seconds=bounds[1])}
    owner = chance.choice([{}, {"subjects": ("s1",)}, {"customers": {"c1": ("s1",), "c2": ("s2",)}}])
    groups = chance.choice([(), ("g",)])
    return [
        MeterQuery(window=whole, zone=zone, group_by=groups, **owner),
        MeterQuery(window=whole, zone=zone, group_by=groups, **span, **owner),
        # Asked again and again, so that the answers are remembered.
        MeterQuery(),
        MeterQuery(window=Window.DAY, subjects=("s1",)),
        MeterQuery(window=Window.DAY, customers={"c1": ("s2",)}),
    ]


async def compare(
    server: Server, meters: Sequence[Meter], standing: Sequence[Event], chance: random.Random
) -> None:
    for meter in meters:
        if meter.dialect == "polar":
            days = timedelta(days=1)
            asked = QuantityQuery(START - days, START + days, chance.choice(["hour", "day"]))
            named = replace(asked, identities=Identities(("c1",), ("s1",)))
            for one in (asked, named, replace(named, customer_function="max")):
                assert await quantities(server.view, meter, one) == evaluate_quantities(meter, one, standing)
            continue
        for question in questions(chance):
            rows = await query_meter(server.view, meter, question, now=NOW)
            assert rows == evaluate_meter_query(meter, question, standing, now=NOW), (
                meter.aggregation,
                question,
            )


async def happen(
    server: Server, meters: Sequence[Meter], standing: dict[str, Event], chance: random.Random, number: int
) -> None:
    """One thing that changes events or what is derived from them."""
    organisation = meters[0].organisation_id
    known = sorted(standing)
    match chance.choice(["store", "store", "carry on", "delete", "replace", "drop", "resend"]):
        case "store":
            events = [
                some_event(chance, organisation, 100 * number + index)
                for index in range(chance.randrange(1, 12))
            ]
            await server.ingestor.submit(events)
            standing |= {one.id: one for one in events}
        case "carry on":
            await server.rollups.carry_on(chance.choice(meters))
        case "delete" if known:
            id = chance.choice(known)
            await server.corrections.delete(organisation_id=organisation, source="test", id=id, by="key")
            del standing[id]
            assert not await server.corrections.delete(
                organisation_id=organisation, source="test", id=id, by="key"
            )
        case "replace" if known:
            other = replace(some_event(chance, organisation, 0), id=chance.choice(known))
            standing[other.id] = await server.corrections.replace(other, by="key")
        case "drop" if not server.ingestor.is_shared:
            await server.rollups.drop(chance.choice(meters))
        case "resend" if known:
            assert await server.ingestor.submit([standing[chance.choice(known)]]) == [False]
        case _:
            pass


@pytest.mark.parametrize("seed", range(examples(1)))
async def test_answers_are_exact_whatever_happened(store: ClickHouseEventStore, seed: int) -> None:
    """Events late and early, corrections, rollups partly made, dropped and made again, and restarts."""
    chance = random.Random(seed)
    organisation = uuid4()
    meters: list[Meter] = [
        openmeter(aggregation, "$.a", organisation_id=organisation, group_by={"g": "$.g"})
        for aggregation in chance.sample(ALL_AGGREGATIONS, 2)
    ]
    meters.append(
        polar(chance.choice([Aggregation.SUM, Aggregation.UNIQUE]), "a", organisation_id=organisation)
    )
    standing: dict[str, Event] = {}
    for life in range(2):
        async with serving(store) as server:
            for number in range(6):
                await happen(server, meters, standing, chance, 10 * life + number)
                if number in (2, 4):
                    await compare(server, meters, list(standing.values()), chance)
            for meter in meters:
                await server.rollups.carry_on(meter)
            await compare(server, meters, list(standing.values()), chance)


def stored_without_saying_so(store: ClickHouseEventStore) -> Callable[..., Awaitable[None]]:
    insert = store.insert_arrow

    async def stored(table: str, block: pa.RecordBatch, *, timeout_s: float = 30.0) -> None:
        await insert(table, block, timeout_s=timeout_s)
        raise DependencyFailed("The engine did not answer.", retryable=True)

    return stored


@pytest.mark.parametrize(
    ("events_url", "rows_max"), [("embedded", 15), ("server", 20_000)], indirect=["events_url"]
)
@pytest.mark.parametrize("seed", range(examples(1)))
async def test_the_newest_events_of_named_owners(
    store: ClickHouseEventStore, monkeypatch: pytest.MonkeyPatch, seed: int, rows_max: int
) -> None:
    """From memory as far as that goes back, else from the store; after restarts and failures too."""
    monkeypatch.setattr(newest, "ROWS_MAX", rows_max)
    chance, found = random.Random(seed), Counter[bool]()
    find = newest.NewestEvents.find

    def counted(self: newest.NewestEvents, **asked: Any) -> list[EventRow] | None:
        rows = find(self, **asked)
        found[rows is not None] += 1
        return rows

    monkeypatch.setattr(newest.NewestEvents, "find", counted)
    organisation = uuid4()
    meters = [
        openmeter(aggregation, "$.a", organisation_id=organisation, group_by={"g": "$.g"})
        for aggregation in (Aggregation.SUM, Aggregation.MAX)
    ]
    named = Filter("and", (Clause("name", "eq", "ai"),))
    meters.append(polar(Aggregation.SUM, "a", organisation_id=organisation, filter=named))
    standing: list[Event] = []
    for life in range(2):
        async with serving(store) as server:
            for number in range(8):
                if number in (1, 5):
                    await server.rollups.carry_on(meters[0])
                count = chance.randrange(1, 12)
                events = [
                    some_event(chance, organisation, 1000 * life + 100 * number + i) for i in range(count)
                ]
                if number == 3:
                    with monkeypatch.context() as patch, pytest.raises(DependencyFailed):
                        patch.setattr(store, "insert_arrow", stored_without_saying_so(store))
                        await server.ingestor.submit(events)
                await server.ingestor.submit(events)
                standing += events
                await compare(server, meters, standing, chance)
            for meter in meters:
                await server.rollups.carry_on(meter)
    assert found[True] > 10
    assert found[False] > 10


class Dashboard:
    """Asks about one owner, a longer range each time, and compares with the evaluator."""

    def __init__(self, server: Server, store: ClickHouseEventStore) -> None:
        self.counting = Counting(store)
        self.server = server
        server.rollups.owners = None
        self.meter = openmeter(Aggregation.SUM, "$.a", organisation_id=uuid4(), group_by={"g": "$.g"})
        self.view = EventView(
            self.counting,  # type: ignore[arg-type]
            server.corrections,
            server.rollups,
            newest=server.ingestor.newest,
        )
        self.standing: list[Event] = []
        self.turns = 0

    async def store(self, *events: Event) -> None:
        owned = [replace(one, organisation_id=self.meter.organisation_id) for one in events]
        await self.server.ingestor.submit(owned)
        self.standing += owned

    async def ask(self) -> int:
        """How often the engine was asked for one answer."""
        self.turns += 1
        question = MeterQuery(
            from_at=START - timedelta(days=1),
            to_at=START + timedelta(days=self.turns),
            window=Window.DAY if self.turns % 2 else None,
            subjects=("u",),
            group_by=("g",),
        )
        before = self.counting.asked
        rows = await query_meter(self.view, self.meter, question, now=NOW)
        assert rows == evaluate_meter_query(self.meter, question, self.standing, now=NOW)
        return self.counting.asked - before


@asynccontextmanager
async def a_dashboard(store: ClickHouseEventStore) -> AsyncIterator[Dashboard]:
    """One whose owner's hours are in memory."""
    async with serving(store) as server:
        dashboard = Dashboard(server, store)
        await dashboard.store(*(event('{"a":1}', time=START + n * timedelta(minutes=9)) for n in range(20)))
        await server.rollups.carry_on(dashboard.meter)
        await dashboard.store(event('{"a":2,"g":"x"}', time=START))
        for _ in range(owner_hours.ASKED_BEFORE + 1):
            assert await dashboard.ask() > 0
        assert await dashboard.ask() == 0
        yield dashboard


async def test_values_beyond_decimals_are_asked_for_once_they_were_met(store: ClickHouseEventStore) -> None:
    async with serving(store) as server:
        dashboard = Dashboard(server, store)
        for data, asked in (('{"a":1}', 1), ('{"a":1e300}', 2), ('{"a":-1e300}', 1)):
            subject = f"u{data}"
            await dashboard.store(event(data, time=START, subject=subject))
            await server.rollups.carry_on(dashboard.meter)
            before = dashboard.counting.asked
            question = MeterQuery(subjects=(subject,))
            rows = await query_meter(dashboard.view, dashboard.meter, question, now=NOW)
            assert rows == evaluate_meter_query(dashboard.meter, question, dashboard.standing, now=NOW)
            assert dashboard.counting.asked - before == asked


async def test_quantities_of_a_customer_asked_about_again_come_from_memory(
    store: ClickHouseEventStore,
) -> None:
    named = Filter("and", (Clause("name", "eq", "api.request"),))
    async with serving(store) as server:
        dashboard = Dashboard(server, store)
        dashboard.meter = polar(Aggregation.SUM, "a", organisation_id=uuid4(), filter=named)
        owners = (("u", ""), ("", "c1"), ("v", ""), ("", "c2"))
        for number in range(8):
            for subject, customer_id in owners:
                at = START + number * timedelta(minutes=50)
                await dashboard.store(
                    event(
                        f'{{"a":{number}}}',
                        time=at,
                        subject=subject,
                        customer_id=customer_id,
                        type="api.request",
                    )
                )
        await server.rollups.carry_on(dashboard.meter)
        asked = []
        for day in range(5):
            question = QuantityQuery(
                START, START + timedelta(days=day), "day", identities=Identities(("c1",), ("u",))
            )
            await dashboard.store(
                event('{"a":0.5}', time=START + timedelta(hours=day), subject="u", type="api.request")
            )
            before = dashboard.counting.asked
            found = await quantities(dashboard.view, dashboard.meter, question)
            assert found == evaluate_quantities(dashboard.meter, question, dashboard.standing)
            asked.append(dashboard.counting.asked - before)
        assert asked[0] > 0
        assert asked[3:] == [0, 0]


async def test_an_owner_asked_about_again_is_answered_from_memory(store: ClickHouseEventStore) -> None:
    async with a_dashboard(store) as dashboard:
        late = event('{"a":5}', time=START - timedelta(hours=7))
        await dashboard.store(event('{"a":"0.25"}', time=START), late, event('{"a":1}', subject="other"))
        assert await dashboard.ask() == 0
        await dashboard.server.rollups.carry_on(dashboard.meter)
        await dashboard.store(event('{"a":3}', time=START + timedelta(hours=1)))
        assert await dashboard.ask() == 0
        assert await dashboard.ask() == 0


async def test_hours_in_memory_do_not_outlive_what_they_cannot_hold(store: ClickHouseEventStore) -> None:
    """A number too small for them, and more events than questions."""
    async with a_dashboard(store) as dashboard:
        await dashboard.store(event('{"a":5e-324}', time=START))
        assert await dashboard.ask() > 0
        assert await dashboard.ask() > 0
    async with a_dashboard(store) as dashboard:
        await dashboard.store(*(event('{"a":1}', time=START) for _ in range(owner_hours.WAITING_MAX + 1)))
        assert await dashboard.ask() > 0


async def test_hours_in_memory_after_a_block_with_an_unknown_outcome(
    store: ClickHouseEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_dashboard(store) as dashboard:
        events = [event('{"a":7}', organisation_id=dashboard.meter.organisation_id, time=START)]
        with monkeypatch.context() as patch, pytest.raises(DependencyFailed):
            patch.setattr(store, "insert_arrow", stored_without_saying_so(store))
            await dashboard.server.ingestor.submit(events)
        await dashboard.store(*events)
        assert await dashboard.ask() > 0
        await dashboard.server.rollups.carry_on(dashboard.meter)
        assert [await dashboard.ask() > 0 for _ in range(3)] == [True, False, False]


async def test_hours_that_cannot_be_loaded_are_asked_for_later(store: ClickHouseEventStore) -> None:
    async with a_dashboard(store) as dashboard:
        dashboard.server.ingestor.newest.begin(dashboard.server.ingestor.reached or 0)
        await dashboard.server.rollups.carry_on(dashboard.meter)
        dashboard.counting.fails = True
        with pytest.raises(DependencyFailed):
            await dashboard.ask()
        dashboard.counting.fails = False
        assert await dashboard.ask() > 0


async def test_corrected_events_are_not_taken_from_hours_in_memory(store: ClickHouseEventStore) -> None:
    async with a_dashboard(store) as dashboard:
        gone = dashboard.standing.pop(3)
        await dashboard.server.corrections.delete(
            organisation_id=gone.organisation_id, source=gone.source, id=gone.id, by="key"
        )
        assert await dashboard.ask() > 0
        other = replace(dashboard.standing[0], data='{"a":100}')
        dashboard.standing[0] = await dashboard.server.corrections.replace(other, by="key")
        assert await dashboard.ask() > 0


async def test_several_servers_on_one_store_stay_right(events_url: str) -> None:
    """Each goes by what it knows of rollups; events and corrections of the others count at once."""
    turn = asyncio.Lock()

    @asynccontextmanager
    async def lock() -> AsyncIterator[None]:
        async with turn:
            yield

    chance = random.Random(5)
    organisation = uuid4()
    meters = [openmeter(Aggregation.SUM, "$.a", organisation_id=organisation, group_by={"g": "$.g"})]
    standing: dict[str, Event] = {}
    async with (
        opened_shared(events_url) as store,
        opened_shared(events_url) as other_store,
        serving(store, lock) as one,
        serving(other_store, lock) as other,
    ):
        for number in range(8):
            server = chance.choice([one, other])
            await happen(server, meters, standing, chance, number)
            await compare(chance.choice([one, other]), meters, list(standing.values()), chance)
        await asyncio.gather(one.rollups.carry_on(meters[0]), other.rollups.carry_on(meters[0]))
        await compare(one, meters, list(standing.values()), chance)
        await compare(other, meters, list(standing.values()), chance)


async def test_events_come_in_and_are_asked_for_at_once_while_rollups_are_made(
    store: ClickHouseEventStore,
) -> None:
    """An acknowledged event is in the next answer, whatever goes on beside it."""
    meter = openmeter(Aggregation.COUNT, organisation_id=uuid4())
    async with serving(store) as server:
        limits = RollupLimits(batch_events_max=20, fold_batches=2)
        server.rollups = server.view.rollups = Rollups(store, lambda: server.ingestor.reached, limits=limits)
        acknowledged = 0

        async def send() -> None:
            nonlocal acknowledged
            for number in range(30):
                batch = [event(organisation_id=meter.organisation_id, id=f"{number}-{i}") for i in range(5)]
                await server.ingestor.submit(batch)
                acknowledged += 5

        async def ask() -> None:
            for _ in range(15):
                before = acknowledged
                for question in (MeterQuery(), MeterQuery(subjects=("u",))):
                    (row,) = await query_meter(server.view, meter, question, now=NOW)
                    assert before <= row.exact <= 150

        async def carry_on() -> None:
            for _ in range(8):
                await server.rollups.carry_on(meter)
                await asyncio.sleep(0)

        await asyncio.gather(send(), ask(), carry_on())
        (row,) = await query_meter(server.view, meter, MeterQuery(), now=NOW)
        assert row.exact == 150


async def test_a_batch_that_fails_on_the_way_is_neither_lost_nor_counted_twice(
    store: ClickHouseEventStore,
) -> None:
    meter = openmeter(Aggregation.COUNT, organisation_id=uuid4())

    class Breaking:
        fails = ""

        async def command(self, sql: str, *arguments: object, **named: object) -> None:
            if "INSERT INTO rollups" not in sql or self.fails != "before":
                await store.command(sql, *arguments, **named)  # type: ignore[arg-type]
            if "INSERT INTO rollups" in sql and self.fails:
                raise DependencyFailed("The engine did not answer.")

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

    async with serving(store) as server:
        await server.ingestor.submit([event(organisation_id=meter.organisation_id) for _ in range(5)])
        breaking = Breaking()
        rollups = Rollups(breaking, lambda: server.ingestor.reached)  # type: ignore[arg-type]
        view = EventView(store, server.corrections, rollups)
        for breaking.fails in ("before", "after"):
            with pytest.raises(DependencyFailed):
                await rollups.carry_on(meter)
            assert [row.exact for row in await query_meter(view, meter, MeterQuery(), now=NOW)] == [5]
        breaking.fails = ""
        await rollups.carry_on(meter)
        rollup = await rollups.find(meter, is_corrected=False)
        assert rollup is not None
        assert rollup.reaches_all
        assert [row.exact for row in await query_meter(view, meter, MeterQuery(), now=NOW)] == [5]


async def test_a_rollup_with_a_hole_is_made_anew(store: ClickHouseEventStore) -> None:
    meter = openmeter(Aggregation.COUNT, organisation_id=uuid4())
    async with serving(store) as server:
        await server.ingestor.submit([event(organisation_id=meter.organisation_id) for _ in range(20)])
        await server.rollups.carry_on(meter)
        await store.command("ALTER TABLE rollups DELETE WHERE since = 8 SETTINGS mutations_sync = 1")
        fresh = Server(store)
        fresh.rollups = Rollups(store, lambda: server.ingestor.reached)
        assert await fresh.rollups.find(meter, is_corrected=False) is None
        await fresh.rollups.carry_on(meter)
        view = EventView(store, server.corrections, fresh.rollups)
        assert [row.exact for row in await query_meter(view, meter, MeterQuery(), now=NOW)] == [20]


async def test_small_batches_are_folded_and_dropped_later(store: ClickHouseEventStore) -> None:
    organisation = uuid4()
    meters = [
        openmeter(aggregation, "$.a", organisation_id=organisation, group_by={"g": "$.g"})
        for aggregation in ALL_AGGREGATIONS
    ]
    chance = random.Random(7)
    events = [some_event(chance, organisation, number) for number in range(12)]
    async with serving(store) as server:
        limits = RollupLimits(fold_batches=3, drop_after_s=0.0)
        server.rollups = server.view.rollups = Rollups(store, lambda: server.ingestor.reached, limits=limits)
        for start in range(0, 12, 3):
            await server.ingestor.submit(events[start : start + 3])
            for meter in meters:
                await server.rollups.carry_on(meter)
        for meter in meters:
            asked = MeterQuery(window=Window.HOUR, group_by=("g",))
            rows = await query_meter(server.view, meter, asked, now=NOW)
            assert rows == evaluate_meter_query(meter, asked, events, now=NOW)
        tiers = await store.query(
            "SELECT tier, count() FROM rollups WHERE level = 0 GROUP BY tier ORDER BY tier"
        )
        assert [tuple(row) for row in tiers.rows] == [(0, len(meters)), (1, len(meters))]


async def test_what_is_folded_is_dropped_while_more_is_folded_all_the_time(
    store: ClickHouseEventStore,
) -> None:
    meter = openmeter(Aggregation.COUNT, organisation_id=uuid4())
    limits = RollupLimits(fold_batches=1, drop_after_s=0.25)
    async with serving(store) as server:
        rollups = Rollups(store, lambda: server.ingestor.reached, limits=limits)
        for _ in range(8):
            await server.ingestor.submit([event(organisation_id=meter.organisation_id) for _ in range(3)])
            await rollups.carry_on(meter)
            await asyncio.sleep(0.1)
        small = await store.query("SELECT min(epoch), max(epoch) FROM rollups WHERE tier = 0")
        assert small.rows[0][0] >= 3
        assert small.rows[0][1] == 7


async def test_a_rollup_that_is_made_anew_keeps_what_has_the_number_of_an_epoch_from_before(
    store: ClickHouseEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter = openmeter(Aggregation.COUNT, organisation_id=uuid4())
    limits = RollupLimits(fold_batches=1, drop_after_s=0.2)
    async with serving(store) as server:
        rollups = server.rollups = server.view.rollups = Rollups(
            store, lambda: server.ingestor.reached, limits=limits
        )

        async def away(*_: object, **__: object) -> None:
            raise DependencyFailed("The engine is away.", retryable=True)

        async def another_batch() -> None:
            await server.ingestor.submit([event(organisation_id=meter.organisation_id) for _ in range(3)])
            await rollups.carry_on(meter)

        for _ in range(5):
            await another_batch()
        await store.command("ALTER TABLE rollups DELETE WHERE tier = 1 SETTINGS mutations_sync = 1")
        with monkeypatch.context() as patch, pytest.raises(DependencyFailed):
            patch.setattr(store, "command", away)
            await another_batch()
        await another_batch()
        await asyncio.sleep(0.25)
        await another_batch()
        (row,) = await query_meter(server.view, meter, MeterQuery(window=Window.MONTH), now=NOW)
        assert row.exact == 24


async def test_what_is_folded_becomes_one_part_when_there_is_nothing_else_to_do(
    store: ClickHouseEventStore,
) -> None:
    meter = openmeter(Aggregation.COUNT, organisation_id=uuid4())
    limits = RollupLimits(events_min=1, batch_events_max=6, large_batch_events=6, pause_s=0.01)
    parts = (
        "SELECT count() FROM system.parts WHERE active AND database = currentDatabase() AND table = 'rollups'"
    )
    async with serving(store) as server:
        rollups = Rollups(store, lambda: server.ingestor.reached, limits=limits)
        server.rollups = server.view.rollups = rollups
        for _ in range(4):
            await server.ingestor.submit([event(organisation_id=meter.organisation_id) for _ in range(6)])
            await rollups.carry_on(meter)
        await rollups.start()
        async with asyncio.timeout(20):
            while (await store.query(parts)).rows[0][0] != 1:
                await asyncio.sleep(0.05)
        await rollups.stop()
        (row,) = await query_meter(server.view, meter, MeterQuery(), now=NOW)
        assert row.exact == 24


async def test_a_rollup_no_smaller_than_its_events_is_given_up(store: ClickHouseEventStore) -> None:
    meter = openmeter(Aggregation.COUNT, organisation_id=uuid4(), group_by={"g": "$.g"})
    limits = RollupLimits(judged_from_events=10)
    async with serving(store) as server:
        rollups = Rollups(store, lambda: server.ingestor.reached, limits=limits)
        events = [event({"g": index}, organisation_id=meter.organisation_id) for index in range(20)]
        await server.ingestor.submit(events)
        await rollups.carry_on(meter)
        assert await rollups.find(meter, is_corrected=False) is None
        assert (await store.query("SELECT count() FROM rollups")).rows[0][0] == 0


async def test_one_that_is_far_behind_takes_larger_steps_once_it_was_judged(
    store: ClickHouseEventStore,
) -> None:
    meter = openmeter(Aggregation.COUNT, organisation_id=uuid4())
    limits = RollupLimits(batch_events_max=5, catch_up_events=10, judged_max=1, judged_from_events=5)
    async with serving(store) as server:
        rollups = Rollups(store, lambda: server.ingestor.reached, limits=limits)
        await server.ingestor.submit([event(organisation_id=meter.organisation_id) for _ in range(40)])
        await rollups.carry_on(meter)
        marks = await store.query("SELECT n FROM rollups WHERE level = 0 AND n > 0 ORDER BY since")
        assert [row[0] for row in marks.rows] == [5, 10, 10, 5, 5, 5]
        server.view.rollups = rollups
        (row,) = await query_meter(server.view, meter, MeterQuery(), now=NOW)
        assert row.exact == 40


async def test_corrections_are_on_record_and_heard_of(store: ClickHouseEventStore) -> None:
    organisation = uuid4()
    heard: list[Correction] = []
    async with serving(store) as server:
        server.ingestor.subscribe(lambda rows, corrections: heard.extend(corrections))
        first = event('{"a":1}', organisation_id=organisation, id="x", parent_id="p", member_id="m")
        await server.ingestor.submit([first])
        second = replace(first, data='{"a":2}', subject="v", uid=uuid4(), parent_id="", member_id="")
        stands = await server.corrections.replace(second, by="k1", reason="typo")
        assert (stands.data, stands.subject, stands.parent_id, stands.member_id) == ('{"a":2}', "v", "p", "m")
        assert await server.corrections.replace(replace(second, uid=uuid4()), by="k1") == stands
        await server.corrections.delete(organisation_id=organisation, source="test", id="x", by="k2")
        criteria = recent(EVERYTHING, now=NOW)
        assert await list_events(server.view, organisation_id=organisation, criteria=criteria) == []
        back = await server.corrections.replace(second, by="k1")
        assert await list_events(server.view, organisation_id=organisation, criteria=criteria) == [back]
        entry = event(organisation_id=organisation, id="credit", origin="system")
        await server.ingestor.submit([entry])
        with pytest.raises(Conflict, match="reverse the credit"):
            await server.corrections.replace(replace(entry, data='{"a":2}', origin="user"), by="k1")
        trail = await server.corrections.trail(organisation_id=organisation)
        assert [(entry.by, entry.reason, entry.correction.after is None) for entry in trail] == [
            ("k1", "", False),
            ("k2", "", True),
            ("k1", "typo", False),
        ]
        assert [entry.correction.before.data for entry in trail] == ['{"a":2}', '{"a":2}', '{"a":1}']
        assert [correction.id for correction in heard] == [entry.correction.id for entry in reversed(trail)]
        older = await server.corrections.trail(
            organisation_id=organisation, before=trail[0].correction.id, limit=1
        )
        assert older == trail[1:2]
        assert await server.corrections.trail(organisation_id=uuid4()) == []
        with pytest.raises(NotFound):
            await server.corrections.delete(organisation_id=uuid4(), source="test", id="x", by="k")


async def test_one_of_many_deletions_at_once_is_recorded(store: ClickHouseEventStore) -> None:
    organisation = uuid4()
    async with serving(store) as server:
        await server.ingestor.submit([event(organisation_id=organisation, id="x")])
        done = await asyncio.gather(
            *(
                server.corrections.delete(organisation_id=organisation, source="test", id="x", by=str(number))
                for number in range(8)
            )
        )
        assert sum(one is not None for one in done) == 1
        assert len(await server.corrections.trail(organisation_id=organisation)) == 1


async def test_a_correction_that_may_be_stored_counts_once_when_repeated(store: ClickHouseEventStore) -> None:
    meter = openmeter(Aggregation.COUNT, organisation_id=uuid4())

    class Breaking:
        async def insert_arrow(self, table: str, *arguments: object, **named: object) -> None:
            await store.insert_arrow(table, *arguments, **named)  # type: ignore[arg-type]
            raise DependencyFailed("The engine did not answer.")

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

    async with serving(store) as server:
        await server.ingestor.submit([event(organisation_id=meter.organisation_id, id=id) for id in "xy"])
        gone = {"organisation_id": meter.organisation_id, "source": "test", "id": "x", "by": "k"}
        server.corrections._store = Breaking()  # type: ignore[assignment]
        with pytest.raises(DependencyFailed):
            await server.corrections.delete(**gone)  # type: ignore[arg-type]
        server.corrections._store = store
        assert await server.corrections.delete(**gone) is None  # type: ignore[arg-type]
        (row,) = await query_meter(server.view, meter, MeterQuery(), now=NOW)
        assert row.exact == 1


async def test_every_kind_of_question_follows_corrections(store: ClickHouseEventStore) -> None:
    """Names, parents and descendants, searches, subjects and values of group-bys, and usage in ranges."""
    organisation = uuid4()
    meter = openmeter(Aggregation.SUM, "$.a", organisation_id=organisation, group_by={"g": "$.g"})
    async with serving(store) as server:
        view = server.view
        root = event({"a": 1, "g": "x"}, organisation_id=organisation, id="root", subject="s1")
        child = event(
            {"a": 2, "g": "y"},
            organisation_id=organisation,
            id="child",
            parent_id=str(root.uid),
            subject="s2",
        )
        await server.ingestor.submit([root, child])
        await server.rollups.carry_on(meter)

        async def answers() -> list[object]:
            names, _ = await list_names(view, organisation_id=organisation, search=NameSearch())
            found = await search_events(view, organisation_id=organisation, search=EventSearch(meter=meter))
            (lineage,) = (await lineages(view, organisation_id=organisation, events=[stored])).values()
            everybody = Identities((), ("s1", "s2", "s3"))
            return [
                [(name.name, name.occurrences) for name in names],
                found.total_count,
                lineage.descendants,
                await list_subjects(view, meter),
                await group_by_values(view, meter, key="g", now=NOW, from_at=START),
                await values_in_ranges(view, meter, customer=everybody, ranges=[(START, NOW)]),
                await has_match(view, meter),
            ]

        (stored,) = [
            e
            for e in await list_events(view, organisation_id=organisation, criteria=EVERYTHING)
            if e.id == "root"
        ]
        assert await answers() == [[("ai", 2)], 2, 1, ["s1", "s2"], ["x", "y"], [3], True]
        other = replace(child, data='{"a":5,"g":"z"}', subject="s3", type="ai")
        await server.corrections.replace(other, by="k")
        assert await answers() == [[("ai", 2)], 2, 1, ["s1", "s3"], ["x", "z"], [6], True]
        await server.corrections.delete(organisation_id=organisation, source="test", id="child", by="k")
        assert await answers() == [[("ai", 1)], 1, 0, ["s1"], ["x"], [1], True]
        await server.corrections.delete(organisation_id=organisation, source="test", id="root", by="k")
        assert (await answers())[1:] == [0, 0, [], [], [None], False]


async def test_an_answer_is_remembered_until_something_concerns_it(store: ClickHouseEventStore) -> None:
    meter = openmeter(Aggregation.COUNT, organisation_id=uuid4())
    asked = MeterQuery(subjects=("s1",))

    class Counting:
        queries = 0

        async def query(self, sql: str, *arguments: object, **named: object) -> object:
            self.queries += "countIf" in sql or "count() AS n" in sql
            return await store.query(sql, *arguments, **named)  # type: ignore[arg-type]

        def __getattr__(self, name: str) -> object:
            return getattr(store, name)

    async with serving(store) as server:
        counting = Counting()
        view = EventView(counting, server.corrections, server.rollups, server.view.answers)  # type: ignore[arg-type]

        async def answer() -> list[int]:
            return [int(row.exact) for row in await query_meter(view, meter, asked, now=NOW)]

        one = event(organisation_id=meter.organisation_id, subject="s1", id="1")
        await server.ingestor.submit([one])
        assert [await answer(), await answer()] == [[1], [1]]
        assert counting.queries == 1
        await server.ingestor.submit([replace(one, id="2", subject="s2"), replace(one, id="3", type="other")])
        assert await answer() == [1]
        assert counting.queries == 1
        await server.ingestor.submit([replace(one, id="4")])
        assert await answer() == [2]
        await server.corrections.replace(replace(one, id="2", subject="s1"), by="k")
        assert await answer() == [3]
        await server.corrections.delete(organisation_id=meter.organisation_id, source="test", id="1", by="k")
        assert await answer() == [2]


def test_what_is_told_while_an_answer_is_looked_for_strikes_it_out() -> None:
    organisation = uuid4()
    (row,) = rows_from_events([event(organisation_id=organisation, subject="s1")])
    for subjects, is_struck in ((None, True), (frozenset({"s1"}), True), (frozenset({"s2"}), False)):
        answers = Answers(is_shared=False)
        entry = answers.enter((1, "q"), Concern(organisation, "ai", subjects))
        answers.hear([row], ())
        answers.keep(entry, [{"n": 1}])
        assert (answers.find((1, "q")) is None) == is_struck
    many = Answers(is_shared=False)
    for number in range(60):
        many.keep(many.enter((number, "q"), Concern(organisation, "ai")), [{"n": 1}] * 2_000)
    assert [many.find((number, "q")) is not None for number in (9, 10, 59)] == [False, True, True]
    many.keep(many.enter((99, "q"), Concern(organisation, "ai")), [{"n": 1}] * 2_001)
    assert many.find((99, "q")) is None
    shared = Answers(is_shared=True)
    assert shared.enter((1, "q"), Concern(organisation, "ai")) is None
