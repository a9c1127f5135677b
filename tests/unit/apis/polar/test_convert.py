"""Meters and events to and from Polar's bodies."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from tests.usage_factory import NOW, event, openmeter, polar

from meterhouse.apis.payload import encode_json
from meterhouse.apis.polar import convert
from meterhouse.apis.polar.schemas.common import ListQuery
from meterhouse.apis.polar.schemas.events import EventMetadata, read_event
from meterhouse.apis.polar.schemas.meters import MeterCreate, MeterUpdate
from meterhouse.usage.lineage import Lineage
from meterhouse.usage.model import Aggregation, Clause, Filter, StoredEvent

LLM = {"vendor": "v", "model": "m", "input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
METER_KEYS = {
    "id",
    "created_at",
    "modified_at",
    "name",
    "unit",
    "custom_label",
    "custom_multiplier",
    "filter",
    "aggregation",
    "organization_id",
    "archived_at",
    "external_id",
    "metadata",
}
EVENT_KEYS = {
    "id",
    "timestamp",
    "organization_id",
    "customer_id",
    "external_customer_id",
    "customer",
    "member_id",
    "external_member_id",
    "child_count",
    "parent_id",
    "label",
    "name",
    "source",
    "metadata",
}


def stored(data: Any = None, **rest: Any) -> StoredEvent:
    return StoredEvent(**vars(event(data, **rest)), stored_at=NOW)


def test_a_meter_is_read_as_a_draft() -> None:
    inner = {"conjunction": "or", "clauses": [{"property": "b", "operator": "gte", "value": 1}]}
    first = {"property": "metadata.a", "operator": "like", "value": "x"}
    sent = MeterCreate.model_validate(
        {
            "name": "Tokens",
            "filter": {"conjunction": "and", "clauses": [first, inner]},
            "aggregation": {"func": "unique", "property": "u"},
        }
    )
    draft = convert.meter_from_wire(sent)
    assert draft.filter == Filter(
        "and", (Clause("metadata.a", "like", "x"), Filter("or", (Clause("b", "gte", 1),)))
    )
    assert (draft.dialect, draft.aggregation, draft.value_path) == ("polar", Aggregation.UNIQUE, "u")


@pytest.mark.parametrize(
    ("sent", "changes"),
    [
        ({}, {}),
        ({"unit": None, "is_archived": None}, {}),
        ({"custom_label": None, "filter": None}, {"custom_label": None, "filter": None}),
        ({"aggregation": {"func": "count"}}, {"aggregation": (Aggregation.COUNT, None)}),
        ({"unit": "token", "is_archived": False}, {"unit": "token", "is_archived": False}),
        ({"filter": {"conjunction": "or", "clauses": []}}, {"filter": Filter("or")}),
    ],
)
def test_only_fields_that_were_sent_change(sent: dict[str, Any], changes: dict[str, Any]) -> None:
    assert convert.changes_from_wire(MeterUpdate.model_validate(sent)) == changes


def test_a_meter_has_every_field() -> None:
    wire = convert.meter_to_wire(polar(Aggregation.SUM, "tokens", Clause("model", "eq", "a")))
    assert wire.keys() == METER_KEYS
    assert wire["aggregation"] == {"func": "sum", "property": "tokens"}
    assert wire["filter"] == {
        "conjunction": "and",
        "clauses": [{"property": "model", "operator": "eq", "value": "a"}],
    }


def test_a_meter_of_the_other_facade_is_told_in_polars_words() -> None:
    wire = convert.meter_to_wire(openmeter(Aggregation.AVG, "$.usage.tokens", group_by={"m": "$.model"}))
    assert wire["aggregation"] == {"func": "avg", "property": "usage.tokens"}
    assert convert.meter_to_wire(openmeter(Aggregation.COUNT))["aggregation"] == {"func": "count"}


def test_an_event_has_every_field() -> None:
    parent = UUID(int=7)
    wire = convert.event_to_wire(stored({"a": 1}, subject="u", member_id=""), Lineage(parent, 3), None)
    assert wire.keys() == EVENT_KEYS
    assert (wire["customer_id"], wire["external_customer_id"], wire["customer"]) == (None, "u", None)
    assert (wire["parent_id"], wire["child_count"], wire["source"]) == (parent, 3, "user")


def test_identifiers_are_told_as_ingested() -> None:
    by_id = convert.event_to_wire(stored(customer_id="c", subject="", member_id="m"), Lineage(), None)
    assert (by_id["customer_id"], by_id["external_customer_id"], by_id["member_id"]) == ("c", None, "m")
    empty = convert.event_to_wire(stored(subject="", external_member_id="em"), Lineage(), None)
    assert (empty["customer_id"], empty["external_customer_id"]) == (None, "")
    assert (empty["member_id"], empty["external_member_id"]) == (None, "em")


@pytest.mark.parametrize(
    ("amount", "text", "back"),
    [
        ("0.250000000001", "0.250000000001", "0.250000000001"),
        ("12345.123456789012", "12345.123456789012", "12345.123456789012"),
        ("1.50", "1.5", "1.5"),
        (100, "100", "100"),
        ("1e2", "100", "100"),
        (0, "0", "0"),
        ("0.000000000001", "0.000000000001", "0.000000000001"),
        (-3, "-3", "-3"),
    ],
)
def test_amounts_are_stored_as_numbers_and_told_as_texts(amount: Any, text: str, back: str) -> None:
    sent = EventMetadata.model_validate({"_cost": {"amount": amount, "currency": "usd"}})
    kept = convert.metadata_to_text(sent)
    assert kept == f'{{"_cost":{{"amount":{text},"currency":"usd"}}}}'
    assert convert.metadata_to_wire(kept) == {"_cost": {"amount": back, "currency": "usd"}}


def test_metadata_survives_the_way_in_and_out() -> None:
    sent = {
        "s": 'ü"\\',
        "i": 2**70,
        "f": 1.5,
        "b": False,
        "_llm": LLM,
        "": 1,
        "_cost": {"amount": "1", "currency": "usd"},
    }
    back = convert.metadata_to_wire(convert.metadata_to_text(EventMetadata.model_validate(sent)))
    assert back == sent | {"_llm": LLM | {"prompt": None, "response": None}}
    assert json.loads(encode_json(back)) == back


def test_cached_tokens_are_kept_when_given() -> None:
    text = convert.metadata_to_text(EventMetadata.model_validate({"_llm": LLM | {"cached_input_tokens": 5}}))
    assert convert.metadata_to_wire(text)["_llm"]["cached_input_tokens"] == 5  # type: ignore[index]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("", {}),
        ("[1]", {}),
        ('{"a":null,"b":[1,2.5],"c":{"d":"x"}}', {"b": "[1,2.5]", "c": '{"d":"x"}'}),
        ('{"_cost":5,"_llm":"x"}', {}),
        ('{"_cost":{"amount":"5","currency":"usd"}}', {}),
        ('{"_cost":{"amount":true,"currency":"usd"}}', {}),
        ('{"_cost":{"amount":1e999999999,"currency":"usd"}}', {}),
        ('{"_cost":{"amount":1e-999999999,"currency":"usd"}}', {"_cost": {"amount": "0", "currency": "usd"}}),
        ('{"_cost":{"amount":1,"currency":"eur"}}', {}),
        ('{"_cost":{"amount":100000,"currency":"usd"}}', {}),
        ('{"_llm":{"vendor":"v"}}', {}),
        ('{"a":1e999}', {"a": "inf"}),
    ],
)
def test_data_from_elsewhere_never_breaks_a_client(data: str, shown: dict[str, object]) -> None:
    assert convert.metadata_to_wire(data) == shown


def test_an_integer_of_any_length_is_told() -> None:
    assert convert.metadata_to_wire('{"a":' + "9" * 5_000 + "}") == {"a": "inf"}


def test_an_event_is_read_as_a_draft() -> None:
    body = {
        "name": "ai",
        "external_customer_id": "u",
        "external_id": "e",
        "parent_id": "p",
        "external_member_id": "m",
    }
    draft = convert.event_from_wire(read_event(body, now=NOW))
    assert (draft.name, draft.external_id, draft.parent, draft.time) == ("ai", "e", "p", None)
    assert (draft.external_customer_id, draft.external_member_id, draft.customer_id) == ("u", "m", None)
    assert draft.data == "{}"


@pytest.mark.parametrize(
    ("total", "limit", "pages"), [(0, 10, 0), (1, 10, 1), (10, 10, 1), (11, 10, 2), (101, 500, 2)]
)
def test_the_envelope(total: int, limit: int, pages: int) -> None:
    wire = convert.page_to_wire([], total, ListQuery(limit=limit))
    assert wire["pagination"] == {"total_count": total, "max_page": pages}


def test_sorting_keys() -> None:
    assert convert.key_and_direction("-last_seen") == ("last_seen", True)
    assert convert.key_and_direction("name") == ("name", False)


def test_a_system_event_says_so() -> None:
    assert convert.event_to_wire(replace(stored(), origin="system"), Lineage(), None)["source"] == "system"
