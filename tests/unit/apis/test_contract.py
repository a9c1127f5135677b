from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.unit.apis.contracts import ALL, METER, OPENMETER, POLAR

from meterhouse.apis.contract import Contract
from meterhouse.apis.dialect import Dialect
from meterhouse.apis.faults import RequestInvalid, field_name

ID = "0190163d-8694-7de3-8f3a-2c9e3f1f6a01"


def refused(contract: Contract, operation: str, body: Any, kind: str = "application/json") -> dict[str, str]:
    with pytest.raises(RequestInvalid) as caught:
        contract.operations[operation].check_body(body, kind)
    return {field_name(issue): issue.message for issue in caught.value.issues}


@pytest.mark.parametrize(("name", "count"), [("meter", 56), ("openmeter", 153), ("polar", 25)])
def test_every_operation_of_a_contract_is_read(name: str, count: int) -> None:
    """The published operations; what an extension adds to them, rather than restates, is counted apart."""
    contract = ALL[name]
    published = json.loads(contract.file.read_bytes())["paths"]
    methods = ("get", "put", "post", "patch", "delete")
    assert sum(method in item for item in published.values() for method in methods) == count
    added = {} if contract.extensions is None else json.loads(contract.extensions.read_bytes())["paths"]
    # An extension that repeats a published operation widens it, and adds none.
    new = sum(method not in published.get(path, {}) for path, item in added.items() for method in item)
    assert len(contract.operations) == count + new


@pytest.mark.parametrize("contract", ALL.values(), ids=ALL)
def test_every_schema_is_valid_and_resolves(contract: Contract) -> None:
    for operation in contract.operations.values():
        for schema in operation.request_bodies.values():
            Draft202012Validator.check_schema(operation._requests.convert(schema))
            operation._requests.compile(schema).issues({"type": "?"}, ())
        for answers in operation.responses.values():
            for schema in answers.values():
                Draft202012Validator.check_schema(operation._answers.convert(schema))
                operation._answers.compile(schema).issues([{}], ())


def test_the_status_and_the_scopes_come_from_the_contract() -> None:
    assert OPENMETER.operations["createMeter"].success_status == 201
    assert OPENMETER.operations["ingestEvents"].success_status == 204
    assert POLAR.operations["meters:list"].scopes == ("meters:read", "meters:write")
    assert OPENMETER.operations["appStripeWebhook"].is_public
    assert not OPENMETER.operations["createMeter"].is_public


def test_faults_name_their_fields() -> None:
    told = refused(METER, "generate_strategy", {"url": 5, "name": "", "description": "x"})
    assert told == {"url": "must be a string, not an integer", "name": "must not be empty"}
    assert refused(METER, "create_job", []) == {"body": "must be an object, not a list"}
    assert refused(METER, "create_job", {"strategy_id": ID}) == {"body": "needs one of url, urls"}
    assert refused(METER, "create_job", {"strategy_id": ID, "url": "b", "urls": ["c"]}) == {
        "body": "takes exactly one of url, urls"
    }


def test_an_empty_description_is_only_allowed_for_content() -> None:
    body = {"url": "https://a.example", "name": "n", "description": ""}
    assert refused(METER, "generate_strategy", body) == {"description": "must not be empty"}
    content = body | {"scraper_type": "content"}
    assert METER.operations["generate_strategy"].check_body(content, "application/json") == content


def test_a_discriminator_chooses_the_branch_whose_faults_are_told() -> None:
    assert refused(OPENMETER, "createEntitlement", {}) == {"type": "is required"}
    assert refused(OPENMETER, "createEntitlement", {"type": "free"}) == {
        "type": "must be one of metered, static, boolean"
    }
    assert refused(OPENMETER, "createEntitlement", {"type": "static", "config": 4}) == {
        "config": "must be a string, not an integer"
    }


def test_read_only_fields_are_accepted_and_dropped() -> None:
    body = {"id": 7, "subject": "customer-1", "token": "x", "createdAt": "whenever"}
    checked = OPENMETER.operations["createPortalToken"].check_body(body, "application/json")
    assert checked == {"subject": "customer-1"}


def test_unknown_fields_are_tolerated() -> None:
    body = {"feedback": "more", "mood": "fine"}
    assert METER.operations["refine_strategy"].check_body(body, "application/json") == body


def test_ids_in_requests_come_in_either_spelling() -> None:
    operation = OPENMETER.operations["listFeatures"]
    schema = {"type": "string", "pattern": "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$"}
    ulid, uuid = "01G65Z755AFWAKHE12NY0CQ9FH", "0190163d-8694-7de3-8f3a-2c9e3f1f6a01"
    check = operation._requests.compile(schema)
    assert check.issues(ulid, ()) == check.issues(uuid, ()) == []
    assert check.issues("nonsense", ()) != []
    assert operation._answers.compile(schema).issues(uuid, ()) != [], "answers only ever hold ULIDs"


def convert(schema: dict[str, Any]) -> Any:
    return Dialect(base="urn:x", direction="response", patterns={}).convert(schema)


@pytest.mark.parametrize(
    ("openapi", "json_schema"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"type": "string", "enum": ["a"], "nullable": True},
            {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
        ),
        (
            {"allOf": [{"$ref": "#/a"}], "nullable": True},
            {"anyOf": [{"allOf": [{"$ref": "urn:x#/a"}]}, {"type": "null"}]},
        ),
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}),
        ({"maximum": 1, "exclusiveMaximum": False}, {"maximum": 1}),
        ({"exclusiveMinimum": 0}, {"exclusiveMinimum": 0}),
        ({"pattern": "^a$|^b$"}, {"pattern": r"^a\Z|^b\Z"}),
        ({"pattern": r"^\$5$"}, {"pattern": r"^\$5\Z"}),
        ({"properties": {"nullable": {"type": "string"}}}, {"properties": {"nullable": {"type": "string"}}}),
    ],
)
def test_openapi_3_0_is_restated(openapi: dict[str, Any], json_schema: dict[str, Any]) -> None:
    assert convert(openapi) == json_schema


def test_a_newline_after_a_pattern_is_no_match() -> None:
    told = refused(OPENMETER, "createMeter", {"slug": "tokens\n", "eventType": "e", "aggregation": "COUNT"})
    assert "slug" in told


def test_answers_are_checked_by_status_and_content_type() -> None:
    operation = POLAR.operations["meters:list"]
    page = {"items": [], "pagination": {"total_count": 0, "max_page": 0}}
    assert operation.check_response(200, "application/json", page) == []
    assert operation.check_response(200, "application/json", {"items": []}) != []
    assert operation.check_response(200, "text/html", None) != []
    assert operation.check_response(418, "application/json", {}) != []
    assert OPENMETER.operations["ingestEvents"].check_response(204, "", None) == []
    assert OPENMETER.operations["ingestEvents"].check_response(204, "", {}) != []


def test_deeply_nested_filters_do_not_exhaust_the_stack() -> None:
    nested: dict[str, Any] = {"$eq": "x"}
    for _ in range(500):
        nested = {"$and": [nested]}
    schema = {"$ref": "#/components/schemas/FilterString"}
    issues = (
        OPENMETER.operations["listEventsV2"]._requests.compile(schema).issues(nested, ("query", "filter"))
    )
    assert [issue.code for issue in issues] in (["too_deep"], [])
