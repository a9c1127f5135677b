"""The OpenMeter facade's errors: problem documents (RFC 9457), worded as the original words them."""

from __future__ import annotations

import re
from http import HTTPStatus
from uuid import UUID

from starlette.responses import Response

from meterhouse.apis.call import json_response
from meterhouse.apis.errors import by_class, common_headers
from meterhouse.apis.faults import (
    LengthRequired,
    MethodNotAllowed,
    RequestInvalid,
    RequestIssue,
    RouteNotFound,
    split_location,
)
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
    NotImplementedYet,
    PreconditionFailed,
    RateLimited,
    Unauthenticated,
)
from meterhouse.kernel.ids import to_ulid

PROBLEM = "application/problem+json"
_CAPITAL = re.compile(r"_([a-z])")

# status and the prefix of the detail
KINDS: dict[type[MeterhouseError], tuple[int, str]] = {
    MeterhouseError: (500, ""),
    InvariantBroken: (500, ""),
    Invalid: (400, "validation error: "),
    RequestInvalid: (400, ""),
    LengthRequired: (411, ""),
    Unauthenticated: (401, "unauthorized error: "),
    Forbidden: (403, "forbidden error: "),
    NotFound: (404, "not found error: "),
    RouteNotFound: (404, ""),
    MethodNotAllowed: (405, ""),
    Conflict: (409, "conflict error: "),
    PreconditionFailed: (412, "precondition failed error: "),
    LimitExceeded: (413, "entity too large error: "),
    DependencyFailed: (424, "failed dependency error: "),
    RateLimited: (429, ""),
    NotImplementedYet: (501, "not implemented error: "),
}


class OpenMeterErrors:
    """Words errors for the OpenMeter facade."""

    def answer(self, error: MeterhouseError, request_id: str) -> Response:
        status, prefix = by_class(KINDS, error)
        if isinstance(error, DependencyFailed) and error.retryable:
            status, prefix = 503, ""  # an engine of ours is away for a moment
        extensions: dict[str, object] = {"code": error.code, **_details(error)}
        if isinstance(error, Invalid) and error.issues:
            extensions["validationErrors"] = [_validation_error(issue) for issue in error.issues]
        if status == 500:
            extensions = {}
        headers = common_headers(error)
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        title = HTTPStatus(status).phrase
        problem = {
            "type": "about:blank",
            "title": title,
            "status": status,
            # the contract requires a detail even where nothing may be told
            "detail": title if status == 500 else prefix + error.message,
            "instance": f"urn:request:{request_id}",
            "extensions": extensions,
        }
        return json_response(problem, status, headers=headers, media_type=PROBLEM)

    def malformed_id(self, name: str, text: str) -> MeterhouseError:
        issue = RequestIssue(("path", name), "must be a ULID or a UUID", code="invalid_id", input=text)
        return RequestInvalid(f"{name}: must be a ULID or a UUID", issues=[issue])


def _details(error: MeterhouseError) -> dict[str, object]:
    """What the error tells machines, in this interface's spelling of names and ids."""
    if isinstance(error, DependencyFailed):
        return {}  # these speak of our own engines
    return {
        _CAPITAL.sub(lambda found: found[1].upper(), key): to_ulid(value)
        if isinstance(value, UUID)
        else value
        for key, value in error.details.items()
    }


def _validation_error(issue: Issue) -> dict[str, object]:
    location, path = split_location(issue)
    stated: dict[str, object] = {
        "code": issue.code,
        "message": issue.message,
        "severity": "critical",
        "field": "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path),
    }
    if location != "body":
        stated["in"] = location
    return stated
