"""Meters, questions, answers and events to and from OpenMeter's words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.usage_factory import NOW, event, openmeter, polar

from meterhouse.apis.openmeter import facade
from meterhouse.apis.openmeter.convert import (
    aggregation_from_wire,
    aggregation_to_wire,
    answer_to_wire,
    criteria_from_wire,
    event_to_wire,
    meter_from_wire,
    meter_to_wire,
    question_from_wire,
    recent_criteria_from_wire,
)
from meterhouse.customers.model import Customer
from meterhouse.kernel.errors import Invalid
from meterhouse.kernel.ids import new_id, parse_id, to_ulid
from meterhouse.usage.engine.cursors import format_cursor
from meterhouse.usage.model import (
    Aggregation,
    Clause,
    Cursor,
    EventCriteria,
    Filter,
    Meter,
    MeterQuery,
    QueryRow,
    StoredEvent,
    StringFilter,
    TimeFilter,
    Window,
)

T = datetime(2026, 3, 1, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)
SECONDS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)).map(
    lambda instant: instant.replace(microsecond=0)
)
SLUGS = st.from_regex(r"[a-z0-9]{1,10}(_[a-z0-9]{1,10}){0,2}", fullmatch=True)
GROUPS = st.dictionaries(
    st.from_regex(r"[a-zA-Z_][0-9a-zA-Z_]{0,8}", fullmatch=True), st.just("$.g"), max_size=3
)


def stored(data: str = "", **rest: Any) -> StoredEvent:
    return StoredEvent(**vars(event(data, **rest)), stored_at=NOW)


def contract_issues(operation: str, body: object, status: int = 200) -> list[object]:
    """How a body departs from what the contract declares for an operation's answer."""
    wire = json.loads(msgspec.json.encode(body))
    return list(facade.contract.operations[operation].check_response(status, "application/json", wire))


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["SUM", "COUNT", "UNIQUE_COUNT", "AVG", "MIN", "MAX", "LATEST"]))
    given = {"slug": draw(SLUGS), "name": draw(TEXTS), "eventType": draw(TEXTS), "aggregation": kind}
    if kind != "COUNT":
        given["valueProperty"] = draw(st.sampled_from(["$.value", '$["a b"][0]', "$.a[*].b"]))
    optional = st.fixed_dictionaries(
        {},
        optional={
            "description": TEXTS,
            "groupBy": GROUPS.filter(bool),
            "metadata": st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=3),
            "eventFrom": SECONDS.map(lambda instant: instant.isoformat().replace("+00:00", "Z")),
        },
    )
    return given | draw(optional)


def as_stored(draft: Any) -> Meter:
    """The meter that a draft becomes."""
    return replace(openmeter(), **{key: value for key, value in vars(draft).items() if value is not None})


@given(definitions())
def test_a_definition_comes_back(wire: dict[str, Any]) -> None:
    meter = as_stored(meter_from_wire(wire))
    meter = replace(meter, value_path=wire.get("valueProperty"), description=wire.get("description"))
    written = meter_to_wire(meter)
    assert {key: written[key] for key in wire} == wire
    assert written.keys() - wire.keys() == {"id", "createdAt", "updatedAt"}
    assert parse_id(str(written["id"])) == meter.id
    assert contract_issues("createMeter", written, 201) == []


@given(st.sampled_from(Aggregation))
def test_aggregations_come_back(aggregation: Aggregation) -> None:
    assert aggregation_from_wire(aggregation_to_wire(aggregation)) is aggregation


def test_a_polar_meter_in_openmeter_words() -> None:
    meter = polar(
        Aggregation.UNIQUE,
        "user.first name",
        Clause("name", "eq", "login"),
        metadata={"a": 1, "b": True, "c": "x", "d": 1.5},
        modified_at=NOW + timedelta(seconds=1),
        deleted_at=NOW,
    )
    wire = meter_to_wire(meter)
    assert wire["aggregation"] == "UNIQUE_COUNT"
    assert wire["eventType"] == "login"
    assert wire["valueProperty"] == '$.user["first name"]'
    assert wire["metadata"] == {"a": "1", "b": "true", "c": "x", "d": "1.5"}
    assert wire["updatedAt"] == "2026-03-10T12:00:01Z"
    assert wire["deletedAt"] == "2026-03-10T12:00:00Z"
    assert contract_issues("getMeter", wire) == []


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "from": SECONDS,
            "to": SECONDS,
            "windowSize": st.sampled_from(["MINUTE", "HOUR", "DAY", "MONTH"]),
        },
    )
)
def test_a_question_is_repeated_in_its_answer(wire: dict[str, Any]) -> None:
    question = question_from_wire(wire, "query", customers=None)
    answer = answer_to_wire(question, [])
    assert answer.pop("data") == []
    assert question_from_wire(answer, "body", customers=None) == question
    assert contract_issues("queryMeter", answer | {"data": []}) == []


def test_a_question() -> None:
    wire = {
        "from": "2026-03-01T01:00:00.999+01:00",
        "windowSize": "DAY",
        "windowTimeZone": "Europe/Berlin",
        "subject": ["a", "b", "a"],
        "groupBy": ["x", "x", "subject"],
        "filterGroupBy": {"x": ["1", "2"], "y": "3"},
    }
    assert question_from_wire(wire, "body", customers={"c": ("k",)}) == MeterQuery(
        from_at=T,
        window=Window.DAY,
        zone="Europe/Berlin",
        subjects=("a", "b"),
        customers={"c": ("k",)},
        group_by=("x", "subject"),
        group_filters={"x": StringFilter("in", ("1", "2")), "y": StringFilter("eq", "3")},
    )
    assert question_from_wire({"subject": [], "groupBy": []}, "body", customers=None) == MeterQuery()


@pytest.mark.parametrize("offset", [timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))])
def test_instants_beyond_the_calendar_are_refused(offset: timezone) -> None:
    for instant in (datetime(1, 1, 1, tzinfo=offset), datetime(9999, 12, 31, 23, tzinfo=offset)):
        if instant.year == 1 and offset.utcoffset(None) < timedelta(0):
            continue
        if instant.year == 9999 and offset.utcoffset(None) > timedelta(0):
            continue
        with pytest.raises(Invalid, match="years 1 to 9999"):
            question_from_wire({"from": instant}, "query", customers=None)


def test_rows() -> None:
    end = T + timedelta(hours=1)
    rows = [
        QueryRow(Fraction(1, 3), T, end),
        QueryRow(Fraction(10**400), T, end, subject="s", customer_id=str(new_id()), group_by={"g": ""}),
    ]
    wire = answer_to_wire(MeterQuery(), rows)
    assert contract_issues("queryMeter", wire) == []
    plain, grouped = json.loads(msgspec.json.encode(wire))["data"]
    assert plain == {
        "value": 1 / 3,
        "windowStart": "2026-03-01T00:00:00Z",
        "windowEnd": "2026-03-01T01:00:00Z",
        "subject": None,
        "groupBy": {},
    }
    assert grouped["value"] == 1.7976931348623157e308
    assert (grouped["subject"], grouped["groupBy"]) == ("s", {"g": ""})
    assert parse_id(grouped["customerId"])


@given(
    st.dictionaries(TEXTS, st.none() | st.booleans() | TEXTS | st.integers() | st.lists(TEXTS), max_size=4)
)
def test_data_come_back_as_sent(data: dict[str, Any]) -> None:
    text = json.dumps(data)
    wire = event_to_wire(stored(text), customer=None, validation_error=None)
    encoded = msgspec.json.encode(wire).decode()
    assert text in encoded
    assert json.loads(encoded)["event"]["data"] == data
    assert contract_issues("listEventsV2", {"items": [wire]}) == []


ENDLESS = "9" * 5000
LARGE = str(10**400)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        (f'{{"a": {LARGE}, "b": 1.10}}', f'{{"a": {LARGE}, "b": 1.10}}'),
        (
            f'{{"a": {ENDLESS}, "b": "{ENDLESS}", "c": 1e400, "d": 1.50, "e": {LARGE}}}',
            f'{{"a": null, "b": "{ENDLESS}", "c": null, "d": 1.5, "e": {LARGE}}}',
        ),
    ],
    ids=["repeated key", "large integer", "endless integer"],
)
def test_data_that_readers_may_not_take(text: str, shown: str) -> None:
    wire = event_to_wire(stored(text), customer=None, validation_error=None)
    assert f'"data":{shown}' in msgspec.json.encode(wire).decode()


def test_an_event_in_whole_seconds() -> None:
    wire = event_to_wire(stored(time=T.replace(microsecond=999_999)), customer=None, validation_error="why")
    assert wire["validationError"] == "why"
    inner = wire["event"]
    assert isinstance(inner, dict)
    assert inner["time"] == "2026-03-01T00:00:00Z"
    assert "data" not in inner
    assert "datacontenttype" not in inner


def test_an_event_of_a_customer() -> None:
    owner = Customer(
        id=new_id(),
        organisation_id=new_id(),
        key="k",
        name="N",
        description=None,
        subject_keys=(),
        primary_email=None,
        currency=None,
        billing_address=None,
        metadata={},
        tax_id=None,
        locale=None,
        first_event_at=None,
        created_at=T,
        modified_at=None,
        deleted_at=None,
    )
    wire = event_to_wire(stored(), customer=owner, validation_error=None)
    assert wire["customerId"] == to_ulid(owner.id)
    assert contract_issues("listEvents", [wire]) == []


def test_an_event_that_names_its_customer_by_id() -> None:
    customer = UUID("0190163d-8694-7de3-8f3a-2c9e3f1f6a01")
    for named, subject in ((str(customer), to_ulid(customer)), ("odd", "odd")):
        wire = event_to_wire(stored(subject="", customer_id=named), customer=None, validation_error=None)
        inner = wire["event"]
        assert isinstance(inner, dict)
        assert inner["subject"] == subject


def test_criteria_of_the_first_list() -> None:
    query = {"from": T, "to": T, "ingestedAtFrom": T, "ingestedAtTo": T, "id": "i", "subject": "s"}
    assert recent_criteria_from_wire(query, customers=None) == EventCriteria(T, T, T, T, "i", "s")
    assert recent_criteria_from_wire({}, customers=None) == EventCriteria()


def test_criteria_of_the_second_list() -> None:
    cursor = Cursor(T, new_id())
    query = {
        "cursor": format_cursor(cursor),
        "filter": {"id": {"$eq": "a"}, "ingestedAt": {"$gt": "2026-03-01T00:00:00Z"}},
    }
    assert criteria_from_wire(query, customers={}) == EventCriteria(
        customers={},
        texts={"id": StringFilter("eq", "a")},
        times={"ingested_at": TimeFilter("gt", T)},
        after=cursor,
    )
    assert criteria_from_wire({"cursor": ""}, customers=None) == EventCriteria()


def test_the_event_type_is_the_filter() -> None:
    draft = meter_from_wire({"slug": "s", "eventType": "t", "aggregation": "COUNT", "metadata": None})
    assert draft.filter == Filter("and", (Clause("name", "eq", "t"),))
    assert (draft.name, draft.metadata, draft.group_by) == (None, {}, {})
