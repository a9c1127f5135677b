"""Walk the metering operations with an old `polar_sdk`; run as a program, one release per process.

All releases are installed under one module name, so the test starts this file with the release's folder as
`PYTHONPATH`. Arguments: release, base URL, key, a word that keeps this run's data apart.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from polar_sdk import Polar, models

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY_START = NOON.replace(hour=0)
DAY_END = NOON.replace(hour=23, minute=59, second=59)


def items_of(answer: Any) -> list[Any]:
    """The items of a list: later releases answer with the page itself."""
    return list(getattr(answer, "result", answer).items)


def numbers(answer: Any) -> list[float]:
    return [item.quantity for item in answer.quantities]


def walk(polar: Polar, release: str, word: str) -> None:
    """What every old release can do."""
    name = f"ai-{word}"
    meter = polar.meters.create(
        request={
            "name": f"Tokens {word}",
            "filter": {
                "conjunction": "and",
                "clauses": [{"property": "name", "operator": "eq", "value": name}],
            },
            "aggregation": {"func": "sum", "property": "metadata.tokens"},
            "metadata": {"word": word},
        }
    )
    assert meter.name == f"Tokens {word}"
    assert meter.filter_.clauses[0].value == name
    assert meter.aggregation.property == "tokens"
    assert polar.meters.get(id=meter.id).id == meter.id
    assert meter.id in [m.id for m in items_of(polar.meters.list(query=f"tokens {word}"))]
    assert [m.id for m in items_of(polar.meters.list(metadata={"word": word}))] == [meter.id]

    events = [
        {"name": name, "external_customer_id": f"u1-{word}", "timestamp": NOON, "metadata": {"tokens": 20}},
        {"name": name, "external_customer_id": f"u2-{word}", "timestamp": NOON, "metadata": {"tokens": 10}},
        {"name": name, "external_customer_id": f"u1-{word}", "metadata": {"model": "lite", "cached": True}},
    ]
    assert polar.events.ingest(request={"events": events}).inserted == 3
    listed = items_of(polar.events.list(external_customer_id=f"u1-{word}", sorting=["timestamp"]))
    assert [event.metadata for event in listed] == [{"tokens": 20}, {"model": "lite", "cached": True}]
    assert polar.events.get(id=listed[0].id).external_customer_id == f"u1-{word}"

    asked = {"id": meter.id, "start_timestamp": DAY_START, "end_timestamp": DAY_END, "interval": "day"}
    assert numbers(polar.meters.quantities(**asked)) == [30]
    assert numbers(polar.meters.quantities(**asked, external_customer_id=f"u2-{word}")) == [10]

    renamed = polar.meters.update(id=meter.id, meter_update={"name": f"Renamed {word}"})
    assert renamed.name == f"Renamed {word}"
    assert renamed.modified_at is not None
    customers(polar, release, word)
    refusals(polar)
    if release == "0.16.11":
        with_meter_events(polar, meter, word)
    else:
        with_timezone_and_archive(polar, meter, name, asked)


def customers(polar: Polar, release: str, word: str) -> None:
    """Customers by either id; the events that carry one of them are theirs, earlier ones included."""
    made = polar.customers.create(
        request={
            "email": f"{word}@old.example",
            "external_id": f"u1-{word}",
            "name": "Old",
            "billing_address": {"country": "DE", "city": "Bonn"},
            "metadata": {"word": word},
        }
    )
    assert (made.email, made.external_id, made.billing_address.city) == (
        f"{word}@old.example",
        f"u1-{word}",
        "Bonn",
    )
    assert made.avatar_url.startswith("https://")
    assert polar.customers.get(id=made.id).id == made.id
    assert [c.id for c in items_of(polar.customers.list(email=made.email.upper()))] == [made.id]
    assert [c.id for c in items_of(polar.customers.list(query=word, sorting=["-name"]))] == [made.id]
    assert polar.customers.get_external(external_id=made.external_id).id == made.id
    renamed = polar.customers.update(id=made.id, customer_update={"name": "New"})
    assert (renamed.name, renamed.email) == ("New", made.email)
    changes = "customer_update" if release == "0.16.11" else "customer_update_external_id"
    again = polar.customers.update_external(
        external_id=made.external_id, **{changes: {"email": f"{word}@new.example"}}
    )
    assert (again.email, again.email_verified) == (f"{word}@new.example", False)
    events = items_of(polar.events.list(customer_id=made.id))
    assert {event.customer.id for event in events} == {made.id}
    assert {event.external_customer_id for event in events} == {made.external_id}
    polar.events.ingest(request={"events": [{"name": f"by-id-{word}", "customer_id": made.id}]})
    (by_id,) = items_of(polar.events.list(external_customer_id=made.external_id, limit=1))
    assert (by_id.customer_id, by_id.external_customer_id) == (made.id, None)
    other = polar.customers.create(request={"email": f"{word}@other.example", "external_id": f"other-{word}"})
    polar.customers.delete_external(external_id=other.external_id)
    polar.customers.delete(id=made.id)
    try:
        polar.customers.get(id=made.id)
    except models.ResourceNotFound:
        return
    raise AssertionError("a deleted customer was found")


def refusals(polar: Polar) -> None:
    """Errors arrive as the exceptions that programs catch."""
    try:
        polar.meters.get(id="00000000-0000-4000-8000-000000000000")
    except models.ResourceNotFound:
        pass
    else:
        raise AssertionError("a meter that does not exist was found")
    try:
        polar.events.ingest(
            request={
                "events": [
                    {
                        "name": "late",
                        "external_customer_id": "u",
                        "timestamp": datetime.now(UTC) + timedelta(days=1),
                    }
                ]
            }
        )
    except models.HTTPValidationError as refused:
        detail = refused.data.detail if hasattr(refused, "data") else refused.detail
        assert detail is not None
        assert detail[0].type == "value_error"
    else:
        raise AssertionError("an event of tomorrow was accepted")


def with_meter_events(polar: Polar, meter: Any, word: str) -> None:
    """The shape of 0.15.0 to 0.16.11: a meter lists the events it counts; pages are followed with `next`."""
    first = polar.meters.events(id=meter.id, limit=1)
    assert [event.metadata for event in items_of(first)] in ([{"tokens": 20}], [{"tokens": 10}])
    second = first.next()
    assert second is not None
    assert len(items_of(second)) == 1
    assert second.next() is None or items_of(second.next()) == []


def with_timezone_and_archive(polar: Polar, meter: Any, name: str, asked: dict[str, Any]) -> None:
    """The shape of 0.29.0 and later."""
    assert meter.unit == "scalar"
    york = {
        **asked,
        "start_timestamp": DAY_START - timedelta(hours=19),
        "end_timestamp": DAY_START + timedelta(hours=5),
        "timezone": "America/New_York",
    }
    answer = polar.meters.quantities(**york)
    assert numbers(answer) == [0, 30]
    assert answer.quantities[1].timestamp == DAY_START + timedelta(hours=5)
    largest = polar.meters.quantities(**asked, customer_aggregation_function="max")
    assert (numbers(largest), largest.total) == ([20], 20)

    assert polar.meters.update(id=meter.id, meter_update={"is_archived": True}).archived_at is not None
    assert items_of(polar.meters.list(query=meter.name.split()[-1], is_archived=False)) == []
    assert polar.meters.update(id=meter.id, meter_update={"is_archived": False}).archived_at is None

    cost = {"_cost": {"amount": "0.25", "currency": "usd"}}
    once = {"name": name, "external_customer_id": "cost", "external_id": name, "metadata": cost}
    answer = polar.events.ingest(request={"events": [once, once]})
    assert (answer.inserted, answer.duplicates) == (1, 1)
    (event,) = items_of(polar.events.list(name=name, external_customer_id="cost"))
    assert event.metadata["_cost"].amount == "0.25"
    assert (event.label, event.child_count, event.parent_id) == (name, 0, None)
    (counted,) = items_of(polar.events.list_names(query=name))
    assert (counted.label, counted.occurrences) == (name, 4)


if __name__ == "__main__":
    release, base_url, key, word = sys.argv[1:]
    walk(Polar(access_token=key, server_url=base_url), release, word)
    print("walked")
