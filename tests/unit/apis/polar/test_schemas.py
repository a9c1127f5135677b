"""Polar's bodies and queries: what is read, what is refused, and under which location."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from meterhouse.apis.polar.schemas.common import OFFSET_MAX, ListQuery
from meterhouse.apis.polar.schemas.events import (
    EventCreateCustomer,
    EventCreateExternalCustomer,
    EventMetadata,
    read_event,
)
from meterhouse.apis.polar.schemas.meters import (
    Filter,
    FilterClause,
    MeterCreate,
    MetersQuery,
    MeterUpdate,
    QuantitiesQuery,
)
from meterhouse.usage.drafts import CLOCK_TOLERANCE

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
UUID7 = "01900000-0000-7000-8000-000000000001"
METER: dict[str, Any] = {
    "name": "Tokens",
    "filter": {"conjunction": "and", "clauses": []},
    "aggregation": {"func": "count"},
}
QUANTITIES = {
    "start_timestamp": "2023-01-01T00:00:00Z",
    "end_timestamp": "2023-01-01T00:00:00Z",
    "interval": "day",
}


def faults(model: type[BaseModel] | None, value: object) -> list[tuple[str, tuple[int | str, ...]]]:
    """The faults of a body; without a model, of an event."""
    with pytest.raises(ValidationError) as refused:
        read_event(value, now=NOW) if model is None else model.model_validate(value)
    return [(item["type"], item["loc"]) for item in refused.value.errors()]


@pytest.mark.parametrize(
    ("sent", "read"), [("5", "5"), (5, 5), (5.0, 5), (True, True), (False, False), (1, 1), ("", "")]
)
def test_a_clause_keeps_the_type_of_its_value(sent: object, read: object) -> None:
    value = FilterClause.model_validate({"property": "a", "operator": "eq", "value": sent}).value
    assert value == read
    assert type(value) is type(read)


@pytest.mark.parametrize("sent", [1.5, None, [], {}, 2**31, -(2**31) - 1, "x" * 1001, "\x00"])
def test_other_values_of_a_clause_are_refused_in_both_branches(sent: object) -> None:
    clause = {"property": "a", "operator": "eq", "value": sent}
    found = faults(Filter, {"conjunction": "and", "clauses": [clause]})
    assert any(loc[:4] == ("clauses", 0, "FilterClause", "value") for _, loc in found)
    assert ("missing", ("clauses", 0, "Filter", "conjunction")) in found
    assert ("missing", ("clauses", 0, "Filter", "clauses")) in found


def test_labels_belong_to_custom_units() -> None:
    assert faults(MeterCreate, METER | {"unit": "custom"}) == [("value_error", ())]
    assert faults(MeterCreate, METER | {"custom_label": "x"}) == [("value_error", ())]
    assert MeterCreate.model_validate(METER | {"custom_multiplier": 3}).custom_multiplier == 3
    assert MeterCreate.model_validate(METER | {"unit": "custom", "custom_label": "x"}).custom_label == "x"
    assert MeterUpdate.model_validate({"unit": "custom"}).model_fields_set == {"unit"}


@pytest.mark.parametrize("value", [None, [], {}, "", "x" * 501, float("inf")])
def test_metadata_values_of_meters(value: object) -> None:
    assert faults(MeterCreate, METER | {"metadata": {"k": value}})[0][1][:2] == ("metadata", "k")


def test_metadata_keeps_its_types() -> None:
    sent = {"s": "1", "i": 1, "f": 1.0, "b": True, "big": 2**70}
    read = MeterCreate.model_validate(METER | {"metadata": sent}).metadata
    assert {key: type(value) for key, value in read.items()} == {k: type(v) for k, v in sent.items()}


def test_ids_of_any_version_are_read() -> None:
    event = read_event({"name": "ai", "customer_id": UUID7}, now=NOW)
    assert isinstance(event, EventCreateCustomer)


def test_a_well_formed_customer_id_wins_and_a_malformed_one_does_not_matter() -> None:
    both = {"name": "ai", "external_customer_id": "x"}
    for more in ({}, {"timestamp": NOW}):
        event = read_event(both | more | {"customer_id": UUID7}, now=NOW)
        assert isinstance(event, EventCreateCustomer)
        event = read_event(both | more | {"customer_id": "none"}, now=NOW)
        assert isinstance(event, EventCreateExternalCustomer)


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (1_772_409_620, datetime(2026, 3, 2, 0, 0, 20, tzinfo=UTC)),
        (1_772_409_620_000, datetime(2026, 3, 2, 0, 0, 20, tzinfo=UTC)),
        ("2026-03-02T01:00:20+01:00", datetime(2026, 3, 2, 0, 0, 20, tzinfo=UTC)),
        (NOW + CLOCK_TOLERANCE, NOW),
    ],
)
def test_timestamps_of_events(sent: object, read: datetime) -> None:
    sent_event = {"name": "ai", "external_customer_id": "u", "timestamp": sent}
    assert read_event(sent_event, now=NOW).timestamp == read


@pytest.mark.parametrize("sent", [NOW + CLOCK_TOLERANCE + timedelta(microseconds=1), "1899-12-31T23:59:59Z"])
def test_timestamps_that_no_event_has(sent: object) -> None:
    event = {"name": "ai", "external_customer_id": "u", "timestamp": sent}
    assert ("value_error", ("EventCreateExternalCustomer", "timestamp")) in faults(None, event)


def test_structured_metadata_drops_other_keys() -> None:
    read = EventMetadata.model_validate({"_cost": {"amount": "1.5", "currency": "usd", "x": 1}, "cost": 2})
    assert read.cost is not None
    assert read.cost.model_dump().keys() == {"amount", "currency"}
    assert read.__pydantic_extra__ == {"cost": 2}


@pytest.mark.parametrize("amount", ["123456", "0.1234567890123", "NaN", True, None, [], "x"])
def test_amounts_that_do_not_fit(amount: object) -> None:
    assert faults(EventMetadata, {"_cost": {"amount": amount, "currency": "usd"}})


@pytest.mark.parametrize(
    ("page", "limit", "offset", "size"),
    [("1", "10", 0, 10), ("3", "500", 200, 100), (str(10**40), "100", OFFSET_MAX, 100)],
)
def test_pages(page: str, limit: str, offset: int, size: int) -> None:
    query = ListQuery.model_validate({"page": page, "limit": limit})
    assert (query.offset, query.size) == (offset, size)


@pytest.mark.parametrize("text", ["true", "1", "YES", "on", "T"])
def test_booleans_in_queries(text: str) -> None:
    assert MetersQuery.model_validate({"is_archived": text}).is_archived is True


def test_a_bare_metadata_parameter_is_ignored() -> None:
    assert MetersQuery.model_validate({"metadata": "x"}).metadata == {}


def test_questions() -> None:
    query = QuantitiesQuery.model_validate(
        QUANTITIES | {"exernal_customer_id": ["a"], "timezone": "Asia/Tokyo"}
    )
    assert (query.external_ids, query.timezone) == (["a"], "Asia/Tokyo")
    assert QuantitiesQuery.model_validate(QUANTITIES).external_ids is None
    both = {"external_customer_id": ["b"], "exernal_customer_id": ["a"]}
    assert QuantitiesQuery.model_validate(QUANTITIES | both).external_ids == ["b", "a"]
    assert faults(QuantitiesQuery, QUANTITIES | {"timezone": "utc+1"}) == [("TimeZoneName", ("timezone",))]
    early = QUANTITIES | {"start_timestamp": "2022-12-31T23:59:59Z"}
    assert faults(QuantitiesQuery, early) == [("greater_than_equal", ("start_timestamp",))]
