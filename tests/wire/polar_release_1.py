"""Walk the metering operations with one `polar` 1.x; run as a program, with `polar_release_0`'s arguments.

The newest release shares the tests' environment, so `test_polar_sdk` calls `walk` itself.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import Any

START, END, NOON = "2026-03-02T00:00:00Z", "2026-03-02T23:59:59Z", "2026-03-02T12:00:00Z"
VERSIONS = {"1.0.0": "v2026_04", "1.0.3a5": "v2027_01"}


def walk(polar: Any, customer_id: str, external_id: str, word: str) -> Any:
    """What every release and every version can do; the meter is returned."""
    clauses = [{"property": "name", "operator": "eq", "value": word}]
    meter = polar.meters.create(
        name=f"Meter {word}",
        filter={"conjunction": "and", "clauses": clauses},
        aggregation={"func": "sum", "property": "tokens"},
    )
    assert polar.meters.get(meter.id) == meter
    assert polar.meters.update(meter.id, metadata={"word": word}).metadata == {"word": word}
    assert [found.id for found in polar.meters.iter_list(metadata={"word": word})] == [meter.id]
    parent = {
        "name": word,
        "external_customer_id": external_id,
        "external_id": f"p-{word}",
        "timestamp": NOON,
    }
    child = {"name": word, "customer_id": customer_id, "parent_id": f"p-{word}", "timestamp": NOON}
    events = [parent | {"metadata": {"tokens": 20}}, child | {"metadata": {"tokens": 2.5}}]
    answer = polar.events.ingest(events=[*events, events[0]])
    assert (answer.inserted, answer.duplicates) == (2, 1)
    (root,) = polar.events.list(name=word, depth=0).items
    (below,) = polar.events.list(parent_id=root.id, depth=1).items
    assert (root.child_count, below.parent_id) == (1, root.id)
    assert root.customer.id == below.customer.id == customer_id
    assert polar.events.get(root.id).metadata == {"tokens": 20}
    asked = {"start_timestamp": START, "end_timestamp": END, "interval": "day"}
    assert polar.meters.quantities(meter.id, **asked, external_customer_id=external_id).total == 22.5
    assert [found.occurrences for found in polar.events.iter_list_names(query=word)] == [2]
    (row,) = polar.customer_meters.list(customer_id=customer_id, meter_id=meter.id).items
    assert (row.consumed_units, row.credited_units, row.balance) == (22.5, 0, -22.5)
    assert polar.customer_meters.get(row.id).meter.id == meter.id
    (credit,) = polar.events.list(source="system", customer_id=customer_id, sorting=["timestamp"]).items[:1]
    assert (credit.name, credit.metadata.units) == ("meter.credited", 10)
    customers(polar, customer_id, external_id, word)
    return meter


def customers(polar: Any, customer_id: str, external_id: str, word: str) -> None:
    made = polar.customers.create(email=f"{word}@example.com", name="New", type="individual")
    assert polar.customers.get(made.id) == made
    assert [found.id for found in polar.customers.iter_list(email=f"{word}@example.com")] == [made.id]
    polar.customers.delete(made.id)
    assert polar.customers.get_external(external_id).id == customer_id
    for state in (polar.customers.get_state(customer_id), polar.customers.get_state_external(external_id)):
        assert 10 in [row.credited_units for row in state.active_meters]


def credits(polar: Any, meter: Any, customer_id: str, external_id: str, word: str) -> None:
    """What only 2027-01 of the pre-release can do."""
    named = polar.meters.update(meter.id, external_id=word)
    assert polar.meters.get_external(word) == named
    given = {"units": 100, "external_id": f"credit-{word}"}
    credit = polar.customer_meters.credits(customer_id=customer_id, meter_id=meter.id, **given)
    again = polar.customer_meters.credits(external_customer_id=external_id, external_meter_id=word, **given)
    assert credit == again
    (row,) = polar.customer_meters.list(external_meter_id=word, external_customer_id=external_id).items
    assert (row.credited_units, row.balance) == (100, 77.5)
    reversal = polar.customer_meters.reverse_credit(credit.id)
    assert (reversal.metadata.units, reversal.parent_id) == (-77, credit.id)


async def metering(module: Any, base_url: str, key: str, meter_id: str, external_id: str, word: str) -> None:
    """The helper that buffers events and reads balances."""
    async with (
        module.PolarAsync(key, base_url=base_url, timeout=30) as polar,
        polar.metering(outpost=False) as helper,
    ):
        actor = await helper.actor(external_customer_id=external_id)
        await actor.track(name=word, metadata={"tokens": 1})
        await helper.flush()
        row = await actor.meter(meter_id)
        assert row is not None
        assert row.consumed_units == 23.5


def main(release: str, base_url: str, key: str, customer_id: str, external_id: str) -> None:
    module, word = importlib.import_module(f"polar.{VERSIONS[release]}"), f"new-{external_id}"
    with module.Polar(key, base_url=base_url, timeout=30) as polar:
        meter = walk(polar, customer_id, external_id, word)
        if release == "1.0.3a5":
            credits(polar, meter, customer_id, external_id, word)
            asyncio.run(metering(module, base_url, key, meter.id, external_id, word))


if __name__ == "__main__":
    main(*sys.argv[1:])
    print("walked")
