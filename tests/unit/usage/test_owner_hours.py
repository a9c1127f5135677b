"""What is kept of owners' hours, and when they are given up. The answers are tested with the engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tests.usage_factory import event, openmeter

from meterhouse.usage import owner_hours
from meterhouse.usage.block import EventRow, rows_from_events
from meterhouse.usage.engine.hours import Hours, hourly
from meterhouse.usage.model import Aggregation, Meter, MeterQuery
from meterhouse.usage.owner_hours import Held, Key, OwnerHours

DAY = datetime(2026, 10, 30, tzinfo=UTC)


@pytest.fixture
def meter() -> Meter:
    return openmeter(Aggregation.COUNT, organisation_id=uuid4())


def rows(meter: Meter, subject: str, count: int = 1, data: str = "{}") -> list[EventRow]:
    events = [
        event(data, organisation_id=meter.organisation_id, subject=subject, time=DAY + timedelta(hours=hour))
        for hour in range(count)
    ]
    return rows_from_events(events)


def enter(kept: OwnerHours, meter: Meter, subject: str, lacked: int = 0) -> tuple[Key, Held]:
    assert meter.event_type is not None
    key = (1, subject)
    place = (meter.organisation_id.bytes, meter.event_type, subject)
    hours = Hours(meter, hourly(MeterQuery(subjects=(subject,))))
    return key, kept.enter(key, [place], hours, rows(meter, subject, lacked))


async def load(kept: OwnerHours, meter: Meter, subject: str, lacked: int = 0) -> Key:
    key, held = enter(kept, meter, subject, lacked)
    assert await kept.fill(held, []) is held.hours
    return key


async def test_hours_are_due_at_the_third_question() -> None:
    kept = OwnerHours()
    assert [kept.is_due((1, one)) for one in "abababa"] == [False, False, False, False, True, True, True]


async def test_hours_are_not_found_before_they_are_loaded(meter: Meter) -> None:
    kept = OwnerHours()
    key, held = enter(kept, meter, "a")
    assert kept.find(key) is None
    kept.add(rows(meter, "a", 3))
    found = await kept.fill(held, [])
    assert found is not None
    assert len(found) == 3
    assert kept.find(key) is found


async def test_hours_that_were_forgotten_meanwhile_are_of_no_use(meter: Meter) -> None:
    kept = OwnerHours()
    key, held = enter(kept, meter, "a")
    kept.forget()
    assert await kept.fill(held, []) is None
    _, again = enter(kept, meter, "a")
    _, third = enter(kept, meter, "a")
    assert await kept.fill(again, []) is None
    assert await kept.fill(third, []) is third.hours
    assert kept.find(key) is third.hours


@pytest.mark.parametrize("uses", [0, 1, 2])
async def test_hours_that_did_not_pay_are_left_to_rest(meter: Meter, uses: int) -> None:
    kept = OwnerHours()
    key = await load(kept, meter, "a")
    for _ in range(owner_hours.ASKED_BEFORE):
        assert not kept.is_due(key)
    for _ in range(uses):
        assert kept.find(key) is not None
    kept.add(rows(meter, "a", owner_hours.WAITING_MAX + 1))
    assert kept.find(key) is None
    assert kept.is_due(key) == (uses >= owner_hours.PAID_USES)


async def test_an_event_that_takes_much_room_is_not_kept(meter: Meter) -> None:
    kept = OwnerHours()
    key = await load(kept, meter, "a")
    other = await load(kept, meter, "b")
    kept.add(rows(meter, "a", data=f'{{"a":"{"x" * owner_hours.WAITING_BYTES_MAX}"}}'))
    assert kept.find(key) is None
    assert kept.find(other) is not None


async def test_the_longest_unused_are_forgotten_first(meter: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner_hours, "HELD_MAX", 3)
    kept = OwnerHours()
    keys = [await load(kept, meter, subject) for subject in "abc"]
    assert kept.find(keys[0]) is not None
    keys.append(await load(kept, meter, "d"))
    assert [kept.find(key) is not None for key in keys] == [True, False, True, True]


async def test_cells_and_waiting_events_are_bounded(meter: Meter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner_hours, "CELLS_KEPT_MAX", 10)
    monkeypatch.setattr(owner_hours, "WAITING_KEPT_MAX", 10)
    kept = OwnerHours()
    keys = [await load(kept, meter, subject, 4) for subject in "abc"]
    assert [kept.find(key) is not None for key in keys] == [False, True, True]
    kept.add([*rows(meter, "b", 6), *rows(meter, "c", 6)])
    assert [kept.find(key) is not None for key in keys] == [False, False, True]
    kept.add(rows(meter, "c", 10))
    found = kept.find(keys[2])
    assert found is not None
    assert len(found) == 10
