"""First questions about owners, from all owners' hours in memory: right, and the engine is asked nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from tests.integration.eventstore.serving import Counting, Server, serving
from tests.usage_factory import NOW, event, openmeter

from meterhouse.kernel.errors import DependencyFailed
from meterhouse.platform.events import ClickHouseEventStore
from meterhouse.usage import all_owners
from meterhouse.usage.engine.evaluate import evaluate_meter_query
from meterhouse.usage.engine.rollups import definition_of
from meterhouse.usage.model import Aggregation, Event, Meter, MeterQuery, StringFilter, Window
from meterhouse.usage.queries import query_meter
from meterhouse.usage.view import EventView

START = datetime(2026, 3, 1, tzinfo=UTC)
FIRST = ("a", "b", "c", "d", "e", "f")


pytestmark = pytest.mark.parametrize("events_url", ["embedded"], indirect=True)  # memory is what is tested


class Asker:
    """Stores events, asks about one owner after another and compares with the evaluator."""

    def __init__(self, server: Server, store: ClickHouseEventStore) -> None:
        self.server = server
        self.counting = Counting(store)
        newest = server.ingestor.newest
        self.view = EventView(self.counting, server.corrections, server.rollups, newest=newest)  # type: ignore[arg-type]
        self.organisation = uuid4()
        self.meter = self.a_meter(Aggregation.SUM)
        self.standing: list[Event] = []

    def a_meter(self, aggregation: Aggregation) -> Meter:
        group_by = {"g": "$.g", "h": "$.h"}
        return openmeter(aggregation, "$.a", organisation_id=self.organisation, group_by=group_by)

    async def store(self, *events: Event) -> None:
        owned = [replace(one, organisation_id=self.organisation) for one in events]
        await self.server.ingestor.submit(owned)
        self.standing += owned

    async def ask(self, owner: str, **rest: object) -> int:
        """How often the engine was asked for one answer."""
        question = replace(MeterQuery(window=Window.DAY, subjects=(owner,)), **rest)  # type: ignore[arg-type]
        before = self.counting.asked
        rows = await query_meter(self.view, self.meter, question, now=NOW)
        assert rows == evaluate_meter_query(self.meter, question, self.standing, now=NOW)
        return self.counting.asked - before

    async def carry_on(self) -> None:
        await self.server.rollups.carry_on(self.meter)

    async def load(self) -> None:
        """Have owners asked about often enough, and their hours loaded."""
        await self.carry_on()
        assert [await self.ask(owner) > 0 for owner in FIRST[: all_owners.ASKED_MIN]] == [True] * 3
        await self.carry_on()


def some(owner: str, data: str = '{"a":1}', hours: float = 0) -> Event:
    return event(data, subject=owner, time=START + timedelta(hours=hours))


@pytest_asyncio.fixture
async def asker(store: ClickHouseEventStore) -> AsyncIterator[Asker]:
    async with serving(store) as server:
        asker = Asker(server, store)
        for owner in FIRST:
            await asker.store(*(some(owner, f'{{"a":{n}.5,"g":"{n % 2}"}}', 5 * n) for n in range(7)))
        yield asker


async def test_a_first_question_about_an_owner(asker: Asker) -> None:
    await asker.store(event('{"a":2}', subject="", customer_id="c1", time=START), some("", '{"a":5}'))
    await asker.load()
    assert [await asker.ask(owner) for owner in ("d", "e", "nobody")] == [0, 0, 0]
    assert await asker.ask("") > 0
    customers = {"c1": ("f", "g"), "c2": ("b",)}
    assert [await asker.ask(subject, customers=customers) for subject in ("f", "")] == [0, 0]
    assert await asker.ask("", subjects=None, customers=customers) == 0
    assert await asker.ask("", subjects=None, customers={"c1": ("", "f")}) == 0


async def test_events_and_batches_that_came_since(asker: Asker) -> None:
    await asker.load()
    for turn in range(8):
        owner = f"new-{turn}"
        await asker.store(some("f", hours=turn), some(owner, '{"a":"0.1"}'), some(owner, "{}", -3000 * 24))
        if turn % 3:
            await asker.carry_on()  # which folds small batches again and again
        assert await asker.ask(owner) == 0
    assert await asker.ask("f") == 0


async def test_texts_that_are_no_unicode(asker: Asker) -> None:
    await asker.store(some("d", '{"a":1,"g":"\\ud800"}'), some("e", '{"a":1,"g":"\\u0000é"}'))
    await asker.carry_on()
    for owner in "abc":
        await asker.ask(owner, group_by=("g",))
    await asker.carry_on()
    assert [await asker.ask(owner, group_by=("g",)) for owner in "def"] == [0, 0, 0]


async def test_ranges_that_cut_an_hour(asker: Asker) -> None:
    await asker.store(some("d", hours=200.1), some("d", hours=200.8), some("e", hours=200.2))
    await asker.load()
    middle = START + timedelta(hours=200.5)
    assert await asker.ask("d", window=None) == 0
    assert [await asker.ask("d", **{bound: middle}) > 0 for bound in ("from_at", "to_at")] == [True, True]
    assert [await asker.ask("e", **{bound: middle}) for bound in ("from_at", "to_at")] == [0, 0]


async def test_several_owners_with_and_without_fractions(asker: Asker) -> None:
    await asker.load()
    whole = [f"whole-{n}" for n in range(6)]
    await asker.store(*(some(owner) for owner in whole))
    await asker.carry_on()
    assert await asker.ask("", subjects=("d", *whole)) == 0


@pytest.mark.parametrize("group_by", [("g",), ("h", "g"), ("g", "subject")])
async def test_each_choice_of_group_bys_has_hours_of_its_own(asker: Asker, group_by: tuple[str, ...]) -> None:
    await asker.store(some("d", '{"a":3,"g":"x","h":"y"}'), some("d", '{"a":4,"g":"y","h":"x"}'))
    await asker.load()
    assert [await asker.ask(owner, group_by=group_by) > 0 for owner in "abc"] == [True] * 3
    await asker.carry_on()
    assert await asker.ask("d", group_by=group_by) == 0
    assert await asker.ask("d") == 0
    assert await asker.ask("e", group_filters={"g": StringFilter("in", ("0",))}) > 0


@pytest.mark.parametrize(
    "aggregation", [Aggregation.AVG, Aggregation.COUNT, Aggregation.MIN, Aggregation.MAX]
)
async def test_other_aggregations(asker: Asker, aggregation: Aggregation) -> None:
    asker.meter = asker.a_meter(aggregation)
    await asker.store(some("d", "{}", 900), some("d", '{"a":-0.001}', 1), some("d", '{"a":1e-300}', 1))
    await asker.load()
    # A double this small is no whole number of the unit in which hours are kept.
    is_kept = aggregation in (Aggregation.COUNT, Aggregation.MIN)
    assert [await asker.ask(owner) == 0 for owner in "ed"] == [True, is_kept]


@pytest.mark.parametrize(
    "data", ['{"a":1e300}', '{"a":9007199254740992}', '{"a":-1e18}', '{"a":0.0000000000000000001}']
)
async def test_owners_whose_amounts_do_not_fit(asker: Asker, data: str) -> None:
    await asker.store(some("d", data, 3))
    await asker.load()
    await asker.store(some("d"))
    assert await asker.ask("d") > 0
    assert await asker.ask("e") == 0


@pytest.mark.parametrize("others", [0, 60])
async def test_an_amount_that_comes_to_too_much_does_not_fit(asker: Asker, others: int) -> None:
    """It is left out when an owner's hours are put together, or when long runs are joined."""
    await asker.store(some("d", '{"a":8e15}'))
    await asker.load()
    await asker.store(some("d", '{"a":8e15}'), *(some(f"more-{n}") for n in range(others)))
    await asker.carry_on()
    assert await asker.ask("d") > 0
    assert await asker.ask("e") == 0


async def test_answers_while_hours_are_loaded(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_owners, "STEP_EVENTS", 1)
    await asker.carry_on()
    owners = asker.server.rollups.owners
    assert owners is not None
    for owner in "abc":
        await asker.ask(owner)
    definition, upto = definition_of(asker.meter), asker.server.ingestor.reached
    assert upto is not None
    steps = 1
    while await owners.carry_on(definition, upto):
        steps += 1
        assert await asker.ask(f"{steps}") > 0
    assert steps > 3
    assert await asker.ask("d") == 0


@pytest.mark.parametrize("batches", [0, 1])
async def test_hours_that_were_left_behind_are_loaded_anew(asker: Asker, batches: int) -> None:
    """Where they end may lie within what was folded meanwhile."""
    await asker.load()
    for _ in range(batches):
        await asker.store(some("d"))
        await asker.carry_on()
    owners, asker.server.rollups.owners = asker.server.rollups.owners, None
    for turn in range(5):
        await asker.store(*(some("d", hours=turn) for _ in range(3)))
        await asker.carry_on()
    asker.server.rollups.owners = owners
    await asker.carry_on()
    await asker.store(some("d"), some("e"))
    assert [await asker.ask(owner) for owner in "de"] == [0, 0]


@pytest.mark.parametrize(
    ("name", "value"), [("CELLS_READ_MAX", 5), ("CELLS_KEPT_MAX", 100), ("SERIES_CELLS", 10**6)]
)
async def test_too_many_hours_are_left_to_the_engine(
    asker: Asker, monkeypatch: pytest.MonkeyPatch, name: str, value: int
) -> None:
    monkeypatch.setattr(all_owners, name, value)
    await asker.load()
    assert await asker.ask("d") > 0
    monkeypatch.undo()
    await asker.carry_on()
    assert await asker.ask("e") > 0  # for a while it is not tried again
    monkeypatch.setattr(all_owners, "_now", lambda: 1e12)
    for owner in "def":
        await asker.ask(owner)
    await asker.carry_on()
    assert await asker.ask("f") == 0


async def test_hours_that_cannot_be_loaded_are_left_to_the_engine(
    asker: Asker, store: ClickHouseEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise DependencyFailed("The engine has no memory left.", code="events_memory")

    with monkeypatch.context() as patch:
        patch.setattr(store, "query_arrow", fail)
        await asker.load()
    assert await asker.ask("d") > 0


async def test_hours_nobody_asks_for_make_room(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    await asker.load()
    first, asker.meter = asker.meter, asker.a_meter(Aggregation.MAX)
    monkeypatch.setattr(all_owners, "CELLS_KEPT_MAX", 160)
    await asker.load()
    assert await asker.ask("d") == 0
    asker.meter = first
    assert await asker.ask("e") > 0


async def test_hours_that_are_not_asked_for_are_given_up(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asker.load()
    monkeypatch.setattr(all_owners, "_now", lambda: 1e12)
    await asker.store(some("a"))
    await asker.carry_on()
    assert [await asker.ask(owner) > 0 for owner in "def"] == [True] * 3
