"""Every kind of refusal of the Polar reference (section 2): status, body, type and location."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

METER: dict[str, Any] = {
    "name": "Refused",
    "filter": {"conjunction": "and", "clauses": [{"property": "name", "operator": "eq", "value": "none"}]},
    "aggregation": {"func": "count"},
}
QUANTITIES = {
    "start_timestamp": "2026-03-02T00:00:00Z",
    "end_timestamp": "2026-03-02T00:00:00Z",
    "interval": "day",
}
NOBODY = "00000000-0000-4000-8000-000000000000"


def clause(**changes: Any) -> dict[str, Any]:
    node = {"property": "a", "operator": "eq", "value": "x"} | changes
    return {"conjunction": "and", "clauses": [node]}


def told(answer: httpx.Response, error: str = "RequestValidationError") -> list[tuple[str, list[Any]]]:
    assert answer.status_code == 422, answer.text
    body = answer.json()
    assert body["error"] == error
    for item in body["detail"]:
        assert isinstance(item["msg"], str)
        assert item.keys() >= {"type", "loc", "msg", "input"}
    return [(item["type"], item["loc"]) for item in body["detail"]]


CREATE_FAULTS = [
    ({"name": "ab"}, "string_too_short", ["body", "name"]),
    ({"name": 5}, "string_type", ["body", "name"]),
    ({"aggregation": {"func": "median"}}, "union_tag_invalid", ["body", "aggregation"]),
    ({"aggregation": {}}, "union_tag_not_found", ["body", "aggregation"]),
    ({"aggregation": {"func": "sum"}}, "missing", ["body", "aggregation", "sum", "property"]),
    ({"aggregation": {"func": "unique"}}, "missing", ["body", "aggregation", "unique", "property"]),
    ({"filter": {"conjunction": "xor", "clauses": []}}, "enum", ["body", "filter", "conjunction"]),
    (
        {"filter": clause(operator="is")},
        "enum",
        ["body", "filter", "clauses", 0, "FilterClause", "operator"],
    ),
    (
        {"filter": clause(value=1.5)},
        "int_from_float",
        ["body", "filter", "clauses", 0, "FilterClause", "value"],
    ),
    ({"filter": clause(value=None)}, "missing", ["body", "filter", "clauses", 0, "Filter", "clauses"]),
    ({"filter": clause(value=2**31)}, "less_than_equal", ["body", "filter", "clauses", 0, "FilterClause"]),
    ({"filter": clause(value="x" * 1001)}, "string_too_long", ["body", "filter", "clauses", 0]),
    ({"metadata": {"k" * 41: 1}}, "string_too_long", ["body", "metadata", "k" * 41, "[key]"]),
    ({"metadata": {str(n): n for n in range(51)}}, "too_long", ["body", "metadata"]),
    ({"metadata": {"k": None}}, "string_type", ["body", "metadata", "k"]),
    ({"metadata": None}, "dict_type", ["body", "metadata"]),
    ({"unit": "litre"}, "enum", ["body", "unit"]),
    ({"unit": "custom"}, "value_error", ["body"]),
    ({"custom_label": "x"}, "value_error", ["body"]),
    ({"custom_multiplier": 0}, "greater_than", ["body", "custom_multiplier"]),
    ({"name": "a\u0000bc"}, "value_error", ["body", "name"]),
]


@pytest.mark.parametrize(("change", "kind", "loc"), CREATE_FAULTS, ids=lambda value: str(value)[:40])
def test_a_bad_meter_is_refused_where_it_is_bad(
    change: dict[str, Any], kind: str, loc: list[Any], http: httpx.Client
) -> None:
    faults = told(http.post("/v1/meters/", json=METER | change))
    assert any(found == kind and at[: len(loc)] == loc for found, at in faults), faults


def test_all_faults_are_told_together(http: httpx.Client) -> None:
    faults = told(http.post("/v1/meters/", json={"unit": 1}))
    assert faults == [
        ("missing", ["body", "name"]),
        ("missing", ["body", "filter"]),
        ("missing", ["body", "aggregation"]),
        ("enum", ["body", "unit"]),
    ]


def test_what_looks_odd_and_is_allowed(http: httpx.Client) -> None:
    body = METER | {
        "filter": clause(property="metadata.metadata.a", value=2.0),
        "aggregation": {"func": "count", "property": "dropped"},
        "custom_multiplier": 5,
        "something_else": [1, 2],
        "organization_id": None,
    }
    meter = http.post("/v1/meters/", json=body).json()
    assert meter["filter"]["clauses"] == [{"property": "metadata.a", "operator": "eq", "value": 2}]
    assert (meter["aggregation"], meter["custom_multiplier"]) == ({"func": "count"}, 5)


def test_updates(http: httpx.Client) -> None:
    meter = http.post("/v1/meters/", json=METER | {"metadata": {"a": 1}}).json()
    url = f"/v1/meters/{meter['id']}"
    assert http.patch(url, json={}).json() == meter
    assert told(http.patch(url, json={"name": None})) == [("string_type", ["body", "name"])]
    assert told(http.patch(url, json={"metadata": None})) == [("dict_type", ["body", "metadata"])]
    changed = http.patch(url, json={"unit": "custom", "is_archived": None, "metadata": {}}).json()
    assert (changed["unit"], changed["archived_at"], changed["metadata"]) == ("custom", None, {})
    replaced = http.patch(
        url, json={"filter": {"conjunction": "or", "clauses": []}, "aggregation": None}
    ).json()
    assert replaced["filter"] == {"conjunction": "or", "clauses": []}
    assert http.patch(f"/v1/meters/{NOBODY}", json={"name": "Nobody"}).status_code == 404


@pytest.mark.parametrize("path", ["meters/{}", "meters/{}/quantities", "meters/{}/events", "events/{}"])
def test_unknown_and_malformed_ids(path: str, http: httpx.Client) -> None:
    missing = http.get("/v1/" + path.format(NOBODY), params=QUANTITIES)
    assert missing.status_code == 404
    assert missing.json() == {"error": "ResourceNotFound", "detail": "Not found"}
    assert told(http.get("/v1/" + path.format("nonsense"), params=QUANTITIES)) == [
        ("uuid_parsing", ["path", "id"])
    ]


LIST_FAULTS = [
    ("meters/", {"page": 0}, "greater_than", ["query", "page"]),
    ("meters/", {"limit": 0}, "greater_than", ["query", "limit"]),
    ("meters/", {"limit": "abc"}, "int_parsing", ["query", "limit"]),
    ("meters/", {"sorting": "size"}, "enum", ["query", "sorting", 0]),
    ("meters/", {"is_archived": "perhaps"}, "bool_parsing", ["query", "is_archived"]),
    ("meters/", {"organization_id": "x"}, "uuid_parsing", ["query", "organization_id"]),
    ("events/", {"start_timestamp": "2026-03-02T00:00:00"}, "timezone_aware", ["query", "start_timestamp"]),
    ("events/", {"depth": 6}, "less_than_equal", ["query", "depth"]),
    ("events/", {"source": "nobody"}, "enum", ["query", "source", 0]),
    ("events/", {"filter": "{"}, "json_invalid", []),
    ("events/", {"filter": '{"conjunction":"and"}'}, "missing", ["query", "filter", "clauses"]),
    ("events/", {"name": "a\u0000"}, "value_error", ["query", "name"]),
    ("events/names", {"sorting": "size"}, "enum", ["query", "sorting", 0]),
]


@pytest.mark.parametrize(("path", "query", "kind", "loc"), LIST_FAULTS, ids=lambda value: str(value)[:40])
def test_a_bad_list_is_refused(
    path: str, query: dict[str, Any], kind: str, loc: list[Any], http: httpx.Client
) -> None:
    ((found, at),) = told(http.get(f"/v1/{path}", params=query))
    assert (found, at[: len(loc)]) == (kind, loc)


QUANTITY_FAULTS = [
    ({"start_timestamp": None}, "missing", "start_timestamp"),
    ({"start_timestamp": "2022-12-31T23:59:59Z"}, "greater_than_equal", "start_timestamp"),
    ({"end_timestamp": "2026-03-02T00:00:00"}, "timezone_aware", "end_timestamp"),
    ({"interval": "minute"}, "enum", "interval"),
    ({"timezone": "europe/berlin"}, "TimeZoneName", "timezone"),
    ({"customer_id": "x"}, "uuid_parsing", "customer_id"),
    ({"customer_aggregation_function": "last"}, "enum", "customer_aggregation_function"),
]


@pytest.mark.parametrize(("change", "kind", "field"), QUANTITY_FAULTS)
def test_a_bad_question_is_refused_before_the_meter_is_looked_up(
    change: dict[str, Any], kind: str, field: str, http: httpx.Client
) -> None:
    params = {key: value for key, value in (QUANTITIES | change).items() if value is not None}
    ((found, at),) = told(http.get(f"/v1/meters/{NOBODY}/quantities", params=params))
    assert (found, at[:2]) == (kind, ["query", field])


def test_rules_of_event_lists(http: httpx.Client) -> None:
    error = "PolarRequestValidationError"
    unknown = http.get("/v1/events/", params={"meter_id": NOBODY})
    assert told(unknown, error) == [("meter_id", ["query", "meter_id"])]
    assert told(http.get("/v1/events/", params={"query": "ab"}), error) == [("query", ["query", "query"])]


@pytest.mark.parametrize("path", ["meters/", "events/", "events/names"])
def test_another_organisation_is_an_empty_page(path: str, http: httpx.Client) -> None:
    answer = http.get(f"/v1/{path}", params={"organization_id": NOBODY})
    assert answer.json() == {"items": [], "pagination": {"total_count": 0, "max_page": 0}}


def test_a_key_implies_its_organisation(http: httpx.Client) -> None:
    error = "PolarRequestValidationError"
    own = http.post("/v1/meters/", json=METER).json()["organization_id"]
    for named in (own, str(uuid4())):
        refused = http.post("/v1/meters/", json=METER | {"organization_id": named})
        assert told(refused, error) == [("organization_token", ["body", "organization_id"])]
        event = {"name": "ai", "external_customer_id": "u"}
        batch = {"events": [event, event | {"organization_id": named}]}
        refused = http.post("/v1/events/ingest", json=batch)
        assert told(refused, error) == [("organization_token", ["body", "events", 1, "organization_id"])]
    assert http.get("/v1/meters/", params={"organization_id": [NOBODY, own]}).json()["items"]


INGEST_FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"name": None}, "string_type", "name"),
    ({"name": "x" * 129}, "string_too_long", "name"),
    ({"timestamp": "2026-03-02T00:00:00"}, "timezone_aware", "timestamp"),
    ({"timestamp": "9999-12-31T23:59:59Z"}, "value_error", "timestamp"),
    ({"timestamp": "1899-12-31T23:59:59Z"}, "value_error", "timestamp"),
    ({"metadata": {"k": None}}, "string_type", "metadata"),
    ({"metadata": {"k": []}}, "string_type", "metadata"),
    ({"metadata": {"k": ""}}, "string_too_short", "metadata"),
    ({"metadata": {"k": "x" * 501}}, "string_too_long", "metadata"),
    ({"metadata": {"_cost": {"amount": 1}}}, "missing", "metadata"),
    ({"metadata": {"_cost": {"amount": 100000, "currency": "usd"}}}, "decimal_whole_digits", "metadata"),
    ({"metadata": {"_cost": {"amount": 1, "currency": "eur"}}}, "string_pattern_mismatch", "metadata"),
    ({"metadata": {"_llm": {"vendor": "v"}}}, "missing", "metadata"),
]


@pytest.mark.parametrize(("change", "kind", "field"), INGEST_FAULTS, ids=lambda value: str(value)[:40])
def test_a_bad_event_is_refused_in_both_forms(
    change: dict[str, Any], kind: str, field: str, http: httpx.Client
) -> None:
    event = {"name": "ai", "external_customer_id": "u"} | change
    faults = told(http.post("/v1/events/ingest", json={"events": [event]}))
    for form in ("EventCreateCustomer", "EventCreateExternalCustomer"):
        loc = ["body", "events", 0, form, field]
        assert any(found == kind and at[:5] == loc for found, at in faults), faults


def test_bodies_that_are_none(http: httpx.Client) -> None:
    assert told(http.post("/v1/events/ingest", json={})) == [("missing", ["body", "events"])]
    assert told(http.post("/v1/events/ingest", json=[1])) != []
    assert told(http.post("/v1/events/ingest", content=b'{"events": [')) == [("json_invalid", ["body", 12])]


def test_scopes_and_keys(stranger: httpx.Client) -> None:
    answer = stranger.get("/v1/meters/")
    assert answer.status_code == 401
    assert answer.json() == {"error": "Unauthorized", "detail": "Unauthorized"}
    wrong = stranger.get("/v1/events/names", headers={"authorization": "Bearer polar_oat_none"})
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_token")
