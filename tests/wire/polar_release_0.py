"""Walk the metering operations with one `polar_sdk` 0.x; run as a program, one release per process.

All releases are installed under one module name, so the test starts this file with the release's folder on
`PYTHONPATH`. Arguments: release, base URL, key, the id of a customer whose external id is the last argument,
which keeps this run's data apart. The customer was credited 10 units on a meter of its own.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from polar_sdk import Polar, models

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY_START = NOON.replace(hour=0)
DAY_END = NOON.replace(hour=23, minute=59, second=59)


class Walk:
    """One release at work, and what its steps leave for later ones."""

    def __init__(self, release: str, base_url: str, key: str, customer_id: str, word: str) -> None:
        self.release = tuple(int(part) for part in release.split("."))
        self.access = {"access_token": key, "server_url": base_url}
        self.polar = Polar(**self.access)
        self.customer_id = customer_id
        self.word = word
        self.name = f"ai-{word}"
        self.meter: Any = None

    def quantities(self, **rest: Any) -> Any:
        asked = {"start_timestamp": DAY_START, "end_timestamp": DAY_END, "interval": "day"} | rest
        return self.polar.meters.quantities(id=self.meter.id, **asked)

    def ingest(self, *events: dict[str, Any]) -> Any:
        named = [{"name": self.name, "timestamp": NOON} | event for event in events]
        return self.polar.events.ingest(request={"events": named})


def items_of(answer: Any) -> list[Any]:
    """The items of a list: 0.28.1 and later answer with the page itself."""
    return list(getattr(answer, "result", answer).items)


def numbers(answer: Any) -> list[float]:
    return [item.quantity for item in answer.quantities]


def meters(walk: Walk) -> None:
    tree = {
        "conjunction": "and",
        "clauses": [{"property": "name", "operator": "eq", "value": walk.name}],
    }
    walk.meter = walk.polar.meters.create(
        request={
            "name": f"Tokens {walk.word}",
            "filter": tree,
            "aggregation": {"func": "sum", "property": "metadata.tokens"},
            "metadata": {"word": walk.word},
        }
    )
    meter = walk.meter
    assert (meter.name, meter.filter_.clauses[0].value) == (f"Tokens {walk.word}", walk.name)
    assert meter.aggregation.property == "tokens"
    assert walk.polar.meters.get(id=meter.id).id == meter.id
    listed = walk.polar.meters.list(query=f"tokens {walk.word}", metadata={"word": walk.word})
    assert [m.id for m in items_of(listed)] == [meter.id]
    renamed = walk.polar.meters.update(id=meter.id, meter_update={"name": f"Renamed {walk.word}"})
    assert renamed.name == f"Renamed {walk.word}"
    assert renamed.modified_at is not None


def events(walk: Walk) -> None:
    counted = walk.ingest(
        {"external_customer_id": walk.word, "metadata": {"tokens": 20}},
        {"external_customer_id": f"other-{walk.word}", "metadata": {"tokens": 10}},
        {"customer_id": walk.customer_id, "metadata": {"model": "lite", "cached": True}},
    )
    assert counted.inserted == 3
    listed = items_of(walk.polar.events.list(external_customer_id=walk.word, source="user"))
    found = {event.id: event for event in listed}
    assert sorted(len(event.metadata) for event in listed) == [1, 2]
    one = walk.polar.events.get(id=listed[0].id)
    assert one.customer.id == found[one.id].customer.id == walk.customer_id
    assert {event.external_customer_id for event in listed} == {walk.word, None}
    assert numbers(walk.quantities()) == [30]


def refusals(walk: Walk) -> None:
    """Errors arrive as the exceptions that programs catch."""
    renamed = walk.release == (0, 27, 0)
    not_found = models.PolarExceptionsResourceNotFound if renamed else models.ResourceNotFound
    try:
        walk.polar.meters.get(id="00000000-0000-4000-8000-000000000000")
    except not_found:
        pass
    else:
        raise AssertionError("a meter that does not exist was found")
    try:
        walk.ingest({"external_customer_id": "u", "timestamp": datetime.now(UTC) + timedelta(days=9_000)})
    except models.HTTPValidationError as refused:
        detail = refused.data.detail if hasattr(refused, "data") else refused.detail
        assert detail is not None
        assert detail[0].type == "value_error"
    else:
        raise AssertionError("an event of the far future was accepted")


def create_customer(walk: Walk, given: dict[str, str]) -> Any:
    kind = {"type": "individual"} if walk.release >= (0, 31) else {}
    argument = "customer_create" if walk.release == (0, 28, 1) else "request"
    return walk.polar.customers.create(**{argument: given | kind})


def customers(walk: Walk) -> None:
    given = {"email": f"new-{walk.word}@example.com", "external_id": f"new-{walk.word}"}
    made = create_customer(walk, given)
    assert made.email == given["email"]
    assert getattr(made, "external_id", given["external_id"]) == given["external_id"]
    assert walk.polar.customers.get(id=made.id).id == made.id
    assert [c.id for c in items_of(walk.polar.customers.list(email=given["email"]))] == [made.id]
    assert walk.polar.customers.update(id=made.id, customer_update={"name": "New"}).name == "New"
    walk.polar.customers.delete(id=made.id)
    assert items_of(walk.polar.customers.list(email=given["email"])) == []


def misspelt_parameter(walk: Walk) -> None:
    assert numbers(walk.quantities(exernal_customer_id=walk.word)) == [20]


def external_ids(walk: Walk) -> None:
    assert numbers(walk.quantities(external_customer_id=f"other-{walk.word}")) == [10]
    customers = walk.polar.customers
    assert customers.get_external(external_id=walk.word).id == walk.customer_id
    method = inspect.signature(customers.update_external)
    argument = next(name for name in method.parameters if name.startswith("customer_update"))
    renamed = customers.update_external(external_id=walk.word, **{argument: {"name": "By its own id"}})
    assert (renamed.id, renamed.name) == (walk.customer_id, "By its own id")
    given = {"email": f"gone-{walk.word}@example.com", "external_id": f"gone-{walk.word}"}
    create_customer(walk, given)
    customers.delete_external(external_id=given["external_id"])
    assert items_of(customers.list(email=given["email"])) == []


def state(walk: Walk) -> None:
    for found in (
        walk.polar.customers.get_state(id=walk.customer_id),
        walk.polar.customers.get_state_external(external_id=walk.word),
    ):
        assert (found.id, found.active_subscriptions) == (walk.customer_id, [])
        if walk.release >= (0, 16, 13):
            assert (20, 0, -20) in {
                (row.consumed_units, row.credited_units, row.balance) for row in found.active_meters
            }


def meter_events(walk: Walk) -> None:
    """A meter lists the events it counts; pages are followed with `next`."""
    first = walk.polar.meters.events(id=walk.meter.id, limit=1)
    assert [event.metadata for event in items_of(first)] in ([{"tokens": 20}], [{"tokens": 10}])
    second = first.next()
    assert second is not None
    assert len(items_of(second)) == 1
    assert second.next() is None or items_of(second.next()) == []


def customer_meters(walk: Walk) -> None:
    (row,) = items_of(walk.polar.customer_meters.list(external_customer_id=walk.word, meter_id=walk.meter.id))
    assert (row.consumed_units, row.credited_units, row.balance) == (20, 0, -20)
    assert walk.polar.customer_meters.get(id=row.id).meter.id == walk.meter.id
    rows = items_of(
        walk.polar.customer_meters.list(customer_id=walk.customer_id, sorting=["-credited_units"])
    )
    assert (rows[0].credited_units, rows[0].balance) == (10, 10)


def names_and_totals(walk: Walk) -> None:
    assert walk.quantities().total == 30
    (counted,) = items_of(walk.polar.events.list_names(query=walk.name))
    assert (counted.name, counted.occurrences) == (walk.name, 3)
    assert len(items_of(walk.polar.events.list(meter_id=walk.meter.id, name=walk.name))) == 2


def filtered_list(walk: Walk) -> None:
    clause = '{"conjunction":"and","clauses":[{"property":"metadata.tokens","operator":"gt","value":10}]}'
    assert len(items_of(walk.polar.events.list(filter_=clause, name=walk.name))) == 1


def system_events(walk: Walk) -> None:
    (event,) = items_of(walk.polar.events.list(source="system", customer_id=walk.customer_id))
    assert (type(event).__name__, event.metadata.units) == ("MeterCreditEvent", 10)


def quantities_by_metadata(walk: Walk) -> None:
    assert numbers(walk.quantities(metadata={"tokens": "10"})) == [10]


def unique(walk: Walk) -> None:
    tree = {"conjunction": "and", "clauses": []}
    request = {
        "name": f"Unique {walk.word}",
        "filter": tree,
        "aggregation": {"func": "unique", "property": "u"},
    }
    assert walk.polar.meters.create(request=request).aggregation.property == "u"


def archive(walk: Walk) -> None:
    meter_id = walk.meter.id
    assert walk.polar.meters.update(id=meter_id, meter_update={"is_archived": True}).archived_at is not None
    assert items_of(walk.polar.meters.list(query=f"renamed {walk.word}", is_archived=False)) == []
    assert walk.polar.meters.update(id=meter_id, meter_update={"is_archived": False}).archived_at is None


def combined_customers(walk: Walk) -> None:
    answer = walk.quantities(customer_aggregation_function="max")
    assert (numbers(answer), answer.total) == ([20], 20)


def costs(walk: Walk) -> None:
    cost = {"_cost": {"amount": "0.25", "currency": "usd"}}
    name = f"cost-{walk.word}"
    once = {"name": name, "external_id": name, "external_customer_id": "cost", "metadata": cost}
    answer = walk.ingest(once, once)
    assert (answer.inserted, answer.duplicates) == (1, 1)
    (event,) = items_of(walk.polar.events.list(name=name))
    assert event.metadata["_cost"].amount == "0.25"


def families(walk: Walk) -> None:
    name, parent = f"family-{walk.word}", f"parent-{walk.word}"
    child = {"name": name, "external_customer_id": "u", "parent_id": parent}
    walk.ingest({"name": name, "external_customer_id": "u", "external_id": parent}, child)
    (found,) = [event for event in items_of(walk.polar.events.list(name=name)) if event.parent_id is None]
    assert (found.child_count, found.label) == (1, name)
    (below,) = items_of(walk.polar.events.list(parent_id=found.id, depth=1))
    assert below.parent_id == found.id


def time_zones(walk: Walk) -> None:
    start = DAY_START - timedelta(hours=19)
    answer = walk.quantities(
        start_timestamp=start, end_timestamp=start + timedelta(days=1), timezone="America/New_York"
    )
    assert numbers(answer) == [0, 30]
    assert answer.quantities[1].timestamp == DAY_START + timedelta(hours=5)


def units(walk: Walk) -> None:
    assert walk.meter.unit == "scalar"


def background(walk: Walk) -> None:
    """The helper that sends in a thread of its own."""
    from polar_sdk.ingestion import Ingestion

    helper = Ingestion(**walk.access, flush_interval=60)
    helper.ingest({"name": f"later-{walk.word}", "external_customer_id": walk.word, "metadata": {"n": 1}})
    helper.close()
    assert len(items_of(walk.polar.events.list(name=f"later-{walk.word}"))) == 1


ALWAYS = (0, 99)
STEPS: list[tuple[Callable[[Walk], None], tuple[int, ...], tuple[int, ...]]] = [
    # step, the first release that has it, the first one that has it no more
    (meters, (0, 15, 0), ALWAYS),
    (events, (0, 15, 0), ALWAYS),
    (customers, (0, 15, 0), ALWAYS),
    (misspelt_parameter, (0, 15, 0), (0, 16, 1)),
    (meter_events, (0, 15, 0), (0, 16, 13)),
    (external_ids, (0, 16, 1), ALWAYS),
    (state, (0, 16, 3), ALWAYS),
    (customer_meters, (0, 16, 13), ALWAYS),
    (names_and_totals, (0, 16, 13), ALWAYS),
    (filtered_list, (0, 17, 0), ALWAYS),
    (background, (0, 17, 2), ALWAYS),
    (system_events, (0, 19, 2), ALWAYS),
    (quantities_by_metadata, (0, 22, 1), ALWAYS),
    (unique, (0, 22, 8), ALWAYS),
    (archive, (0, 23, 0), ALWAYS),
    (combined_customers, (0, 25, 0), ALWAYS),
    (costs, (0, 28, 0), ALWAYS),
    (families, (0, 28, 1), ALWAYS),
    (time_zones, (0, 29, 0), ALWAYS),
    (units, (0, 31, 3), ALWAYS),
    (refusals, (0, 15, 0), ALWAYS),
]


if __name__ == "__main__":
    walk = Walk(*sys.argv[1:])
    for step, since, until in STEPS:
        if since <= walk.release < until:
            step(walk)
    print("walked")
