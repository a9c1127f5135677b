"""Each facade's wording of every error, checked against its contract where the contract has a schema."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.apis.contracts import METER, OPENMETER, POLAR

from meterhouse.apis import faults
from meterhouse.apis.errors import ErrorShape
from meterhouse.apis.faults import (
    ActionNotPermitted,
    BadRequest,
    BodyTooLarge,
    LengthRequired,
    MalformedBody,
    MethodNotAllowed,
    OperationNotServed,
    RequestInvalid,
    RequestIssue,
    RouteNotFound,
    UnsupportedMediaType,
)
from meterhouse.apis.meter.errors import MeterErrors
from meterhouse.apis.openmeter.errors import OpenMeterErrors
from meterhouse.apis.polar.errors import PolarErrors
from meterhouse.kernel import errors as kernel
from meterhouse.kernel.errors import (
    Conflict,
    DependencyFailed,
    Forbidden,
    Invalid,
    InvariantBroken,
    Issue,
    LimitExceeded,
    MeterhouseError,
    NotFound,
    PreconditionFailed,
    RateLimited,
    Unauthenticated,
)
from meterhouse.platform.ports import FetchFailed

LIMIT_FAULT = RequestIssue(("query", "limit"), "must be an integer", code="type", input="x")
NAME_FAULT = Issue(("clauses", 0, "name"), "is taken", code="taken", input="a")

# error, then the status on Meter, OpenMeter and Polar
STATUS = [
    (NotFound("Meter tokens not found"), 404, 404, 404),
    (Conflict("The slug tokens is taken"), 409, 409, 409),
    (Invalid("no", issues=[NAME_FAULT]), 422, 400, 422),
    (Invalid("no"), 422, 400, 422),
    (BadRequest("no"), 400, 400, 422),
    (RequestInvalid("limit: no", issues=[LIMIT_FAULT]), 400, 400, 422),
    (RequestInvalid("limit: no", issues=[RequestIssue(("query", "limit"), "-", "maximum")]), 422, 400, 422),
    (MalformedBody("The body is not valid JSON", offset=3), 400, 400, 422),
    (UnsupportedMediaType("no"), 400, 400, 422),
    (Unauthenticated("Invalid or missing API key", code="missing_key"), 401, 401, 401),
    (Unauthenticated("Invalid or missing API key", code="invalid_key"), 401, 401, 401),
    (Forbidden("This key lacks the scope"), 403, 403, 403),
    (ActionNotPermitted("not yours"), 403, 403, 403),
    (RouteNotFound("There is no such route."), 404, 404, 404),
    (MethodNotAllowed("PUT is not allowed", allow=("GET", "POST")), 405, 405, 405),
    (PreconditionFailed("The plan is archived"), 409, 412, 409),
    (LengthRequired("no"), 411, 411, 411),
    (BodyTooLarge("Request body exceeded the maximum allowed size of 5 bytes."), 413, 413, 413),
    (LimitExceeded("At most 80 nodes"), 422, 413, 422),
    (RateLimited("Too many", retry_after_s=7), 429, 429, 429),
    (OperationNotServed("not yet"), 501, 501, 501),
    (DependencyFailed("The engine is away", retryable=True), 503, 503, 503),
    (DependencyFailed("The remote server refused"), 503, 424, 503),
    (FetchFailed("The page timed out", reason="timeout"), 422, 424, 503),
    (InvariantBroken("balance of customer 7 is negative"), 500, 500, 500),
    (MeterhouseError("something"), 500, 500, 500),
]
ERRORS = [row[0] for row in STATUS]


def answer(shape: ErrorShape, error: MeterhouseError) -> tuple[int, dict[str, str], Any]:
    response = shape.answer(error, "request-1")
    return response.status_code, dict(response.headers), json.loads(bytes(response.body))


@pytest.mark.parametrize(("error", "meter", "openmeter", "polar"), STATUS, ids=[repr(e) for e in ERRORS])
def test_statuses(error: MeterhouseError, meter: int, openmeter: int, polar: int) -> None:
    shapes: list[ErrorShape] = [MeterErrors(), OpenMeterErrors(), PolarErrors()]
    assert [answer(shape, error)[0] for shape in shapes] == [meter, openmeter, polar]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_meter_always_has_a_readable_detail(error: MeterhouseError) -> None:
    status, headers, body = answer(MeterErrors(), error)
    assert METER.operations["create_job"].check_response(status, headers["content-type"], body) == []
    assert isinstance(body["detail"], str)
    assert body["request_id"] == "request-1"


def test_meter_names_fields() -> None:
    _, _, body = answer(MeterErrors(), RequestInvalid("bad", issues=[LIMIT_FAULT]))
    assert body["detail"] == "limit: must be an integer"
    [told] = body["errors"]
    assert told == {"in": "query", "field": "limit", "message": "must be an integer", "code": "type"}
    _, _, body = answer(MeterErrors(), Invalid("Refused.", issues=[NAME_FAULT]))
    assert (body["detail"], body["errors"][0]["field"]) == ("Refused.", "clauses[0].name")


def test_meter_answers_a_malformed_id_like_an_unknown_one() -> None:
    status, _, body = answer(MeterErrors(), MeterErrors().malformed_id("strategy_id", "x"))
    assert (status, body["detail"]) == (404, "Strategy not found")


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_openmeter_answers_problems(error: MeterhouseError) -> None:
    status, headers, body = answer(OpenMeterErrors(), error)
    assert headers["content-type"] == "application/problem+json"
    assert OPENMETER.operations["createMeter"].check_response(status, headers["content-type"], body) == []
    assert body["type"] == "about:blank"
    assert body["status"] == status
    assert body["instance"] == "urn:request:request-1"


def test_openmeter_prefixes_details_by_kind() -> None:
    assert answer(OpenMeterErrors(), NotFound("meter x"))[2]["detail"] == "not found error: meter x"
    assert answer(OpenMeterErrors(), Conflict("taken"))[2]["detail"] == "conflict error: taken"
    assert answer(OpenMeterErrors(), Invalid("bad"))[2]["detail"] == "validation error: bad"
    assert answer(OpenMeterErrors(), PreconditionFailed("no"))[2]["detail"] == "precondition failed error: no"


def test_openmeter_points_into_the_body() -> None:
    _, _, body = answer(OpenMeterErrors(), Invalid("bad", issues=[NAME_FAULT]))
    assert body["extensions"]["validationErrors"] == [
        {"code": "taken", "message": "is taken", "severity": "critical", "field": "$.clauses[0].name"}
    ]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_polar_bodies_fit_the_contract_where_it_has_one(error: MeterhouseError) -> None:
    status, headers, body = answer(PolarErrors(), error)
    operation = POLAR.operations["meters:update"]
    assert headers["content-type"] == "application/json"
    if str(status) in operation.responses and not isinstance(error, RouteNotFound):
        assert operation.check_response(status, headers["content-type"], body) == []


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (NotFound("Meter 7"), {"error": "ResourceNotFound", "detail": "Not found"}),
        (RouteNotFound("x"), {"detail": "Not Found"}),
        (MethodNotAllowed("x"), {"detail": "Method Not Allowed"}),
        (LengthRequired("x"), {"error": "LengthRequired", "detail": "A Content-Length header is required."}),
        (Unauthenticated("x", code="missing_key"), {"error": "Unauthorized", "detail": "Unauthorized"}),
        (ActionNotPermitted("Not yours"), {"error": "NotPermitted", "detail": "Not yours"}),
        (
            Unauthenticated("x", code="invalid_key"),
            {
                "error": "invalid_token",
                "error_description": "The access token provided is expired, revoked, malformed, or invalid "
                "for other reasons.",
            },
        ),
        (
            Forbidden("x"),
            {
                "error": "insufficient_scope",
                "error_description": "The request requires higher privileges than provided by the access "
                "token.",
            },
        ),
        (
            Conflict("Several.", code="ambiguous_external_meter_id"),
            {"error": "AmbiguousExternalMeterID", "detail": "Several."},
        ),
    ],
    ids=repr,
)
def test_polar_bodies_are_those_its_clients_parse(error: MeterhouseError, body: dict[str, Any]) -> None:
    assert answer(PolarErrors(), error)[2] == body


def test_polar_challenges() -> None:
    missing = answer(PolarErrors(), Unauthenticated("x", code="missing_key"))[1]["www-authenticate"]
    invalid = answer(PolarErrors(), Unauthenticated("x", code="invalid_key"))[1]["www-authenticate"]
    assert missing == 'Bearer realm="polar"'
    assert invalid.startswith('Bearer realm="polar", error="invalid_token", error_description="The access')


def test_polar_items() -> None:
    schema = answer(PolarErrors(), RequestInvalid("x", issues=[LIMIT_FAULT]))[2]
    assert schema == {
        "error": "RequestValidationError",
        "detail": [{"type": "type", "loc": ["query", "limit"], "msg": "must be an integer", "input": "x"}],
    }
    rule = answer(PolarErrors(), Invalid("x", issues=[NAME_FAULT]))[2]
    assert rule["error"] == "PolarRequestValidationError"
    assert rule["detail"][0]["loc"] == ["body", "clauses", 0, "name"]
    malformed = answer(PolarErrors(), MalformedBody("x", offset=12))[2]["detail"][0]
    assert (malformed["type"], malformed["loc"], malformed["msg"]) == (
        "json_invalid",
        ["body", 12],
        "JSON decode error",
    )


@pytest.mark.parametrize("text", ["x", "", "{0190163d-8694-7de3-8f3a-2c9e3f1f6a01}"])
def test_polar_refuses_malformed_path_ids(text: str) -> None:
    status, _, body = answer(PolarErrors(), PolarErrors().malformed_id("id", text))
    [item] = body["detail"]
    assert (status, item["type"], item["loc"]) == (422, "uuid_parsing", ["path", "id"])
    assert item["msg"].startswith("Input should be a valid UUID")


@pytest.mark.parametrize("shape", [MeterErrors(), OpenMeterErrors(), PolarErrors()], ids=repr)
def test_what_is_ours_stays_ours(shape: ErrorShape) -> None:
    error = InvariantBroken("balance of customer 7 is negative", details={"sql": "SELECT"})
    text = bytes(shape.answer(error, "request-1").body).decode()
    assert "customer" not in text
    assert "SELECT" not in text
    assert "request-1" in text


@pytest.mark.parametrize("shape", [MeterErrors(), OpenMeterErrors(), PolarErrors()], ids=repr)
def test_headers_that_mean_the_same_everywhere(shape: ErrorShape) -> None:
    assert answer(shape, RateLimited("x", retry_after_s=7))[1]["retry-after"] == "7"
    assert answer(shape, Conflict("x", details={"retry_after_s": 5}))[1]["retry-after"] == "5"
    assert answer(shape, MethodNotAllowed("x", allow=("GET",)))[1]["allow"] == "GET"


def documented_errors() -> list[type[MeterhouseError]]:
    found = [
        kind
        for module in (kernel, faults)
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, MeterhouseError) and kind is not MeterhouseError
    ]
    return [*found, FetchFailed]


@pytest.mark.parametrize("kind", documented_errors(), ids=lambda kind: kind.__name__)
def test_every_code_is_documented(kind: type[MeterhouseError]) -> None:
    page = (Path(__file__).parents[3] / "docs" / "errors.md").read_text()
    assert f"`{kind.default_code}`" in page
