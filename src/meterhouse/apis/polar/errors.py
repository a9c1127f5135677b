"""The Polar facade's errors: the bodies that its published clients parse, byte for byte where they do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

from meterhouse.apis.call import json_response, pydantic_issues
from meterhouse.apis.errors import by_class, common_headers
from meterhouse.apis.faults import (
    ActionNotPermitted,
    BodyTooLarge,
    LengthRequired,
    MalformedBody,
    MethodNotAllowed,
    RequestInvalid,
    RequestIssue,
    RouteNotFound,
    summary,
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

# status and the name under `error`; an empty name means a body of its own
KINDS: dict[type[MeterhouseError], tuple[int, str]] = {
    MeterhouseError: (500, "InternalServerError"),
    InvariantBroken: (500, "InternalServerError"),
    Invalid: (422, "PolarRequestValidationError"),
    RequestInvalid: (422, "RequestValidationError"),
    MalformedBody: (422, "RequestValidationError"),
    LengthRequired: (411, "LengthRequired"),
    Unauthenticated: (401, ""),
    Forbidden: (403, ""),
    ActionNotPermitted: (403, "NotPermitted"),
    NotFound: (404, "ResourceNotFound"),
    RouteNotFound: (404, ""),
    MethodNotAllowed: (405, ""),
    Conflict: (409, "Conflict"),
    PreconditionFailed: (409, "PreconditionFailed"),
    LimitExceeded: (422, "PolarRequestValidationError"),
    BodyTooLarge: (413, "RequestBodyTooLarge"),
    RateLimited: (429, "RateLimited"),
    NotImplementedYet: (501, "NotImplemented"),
    DependencyFailed: (503, "ServiceUnavailable"),
}
NAMES = {
    "ambiguous_external_meter_id": "AmbiguousExternalMeterID",
    "credit_external_id_conflict": "CustomerMeterCreditExternalIDConflict",
    "credit_not_reversible": "CustomerMeterCreditNotReversible",
}

_INVALID_TOKEN = "The access token provided is expired, revoked, malformed, or invalid for other reasons."  # noqa: S105
_INSUFFICIENT_SCOPE = "The request requires higher privileges than provided by the access token."
_uuid: TypeAdapter[UUID] = TypeAdapter(UUID)


class PolarErrors:
    """Words errors for the Polar facade."""

    def answer(self, error: MeterhouseError, request_id: str) -> Response:
        status, name = by_class(KINDS, error)
        headers = common_headers(error)
        if status == 401:
            return _unauthenticated(error, headers)
        if status == 403 and not name:
            return _oauth(403, "insufficient_scope", _INSUFFICIENT_SCOPE, headers)
        if status in (404, 405) and not name:
            return json_response(
                {"detail": "Not Found" if status == 404 else "Method Not Allowed"}, status, headers=headers
            )
        body: dict[str, object] = {"error": NAMES.get(error.code, name), "detail": _detail(error, status)}
        if status >= 500:
            body["request_id"] = request_id
        return json_response(body, status, headers=headers)

    def malformed_id(self, name: str, text: str) -> MeterhouseError:
        try:
            _uuid.validate_python(text)
        except ValidationError as error:
            issues = pydantic_issues(error, "path")
            issues = [
                RequestIssue(("path", name, *i.path[1:]), i.message, i.code, i.input, i.ctx) for i in issues
            ]
        else:  # a spelling that pydantic knows and we do not, such as braces
            issues = [RequestIssue(("path", name), "Input should be a valid UUID", "uuid_parsing", text)]
        return RequestInvalid(summary(issues), issues=issues)


def _unauthenticated(error: MeterhouseError, headers: dict[str, str]) -> Response:
    if error.code == "missing_key":
        headers["www-authenticate"] = 'Bearer realm="polar"'
        return json_response({"error": "Unauthorized", "detail": "Unauthorized"}, 401, headers=headers)
    return _oauth(401, "invalid_token", _INVALID_TOKEN, headers)


def _oauth(status: int, error: str, description: str, headers: dict[str, str]) -> Response:
    headers["www-authenticate"] = f'Bearer realm="polar", error="{error}", error_description="{description}"'
    return json_response({"error": error, "error_description": description}, status, headers=headers)


def _detail(error: MeterhouseError, status: int) -> object:
    if status == 500:
        return "Internal server error"
    if isinstance(error, NotFound):
        return "Not found"
    if isinstance(error, LengthRequired):
        return "A Content-Length header is required."
    if isinstance(error, MalformedBody):
        return [_malformed(error)]
    if isinstance(error, Invalid):
        return [_item(issue) for issue in error.issues] or [_item(Issue((), error.message))]
    if status == 422:
        return [_item(Issue((), error.message))]
    return error.message


def _item(issue: Issue) -> dict[str, Any]:
    path = issue.path if isinstance(issue, RequestIssue) else ("body", *issue.path)
    item: dict[str, Any] = {"type": issue.code, "loc": list(path), "msg": issue.message, "input": issue.input}
    if isinstance(issue, RequestIssue) and issue.ctx is not None:
        item["ctx"] = issue.ctx
    return item


def _malformed(error: MalformedBody) -> dict[str, Any]:
    return {
        "type": "json_invalid",
        "loc": ["body", error.offset],
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": error.message},
    }
