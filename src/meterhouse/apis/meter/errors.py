"""The Meter facade's errors: `{"detail": "<readable sentence>"}` with machine-readable company.

The published client shows `detail` and nothing else, so it is one string for every status. A fault in a
field is 400, an input that is understood and refused is 422.
"""

from __future__ import annotations

from starlette.responses import Response

from meterhouse.apis.call import json_response
from meterhouse.apis.errors import by_class, common_headers
from meterhouse.apis.faults import (
    BadRequest,
    BodyTooLarge,
    LengthRequired,
    MalformedBody,
    MethodNotAllowed,
    RequestInvalid,
    UnsupportedMediaType,
    field_name,
    split_location,
    summary,
)
from meterhouse.kernel.errors import (
    Conflict,
    DependencyFailed,
    Forbidden,
    Invalid,
    InvariantBroken,
    LimitExceeded,
    MeterhouseError,
    NotFound,
    NotImplementedYet,
    PreconditionFailed,
    RateLimited,
    Unauthenticated,
)
from meterhouse.platform.ports import FetchFailed

STATUS: dict[type[MeterhouseError], int] = {
    MeterhouseError: 500,
    InvariantBroken: 500,
    MalformedBody: 400,
    RequestInvalid: 400,
    UnsupportedMediaType: 400,
    BadRequest: 400,
    LengthRequired: 411,
    Invalid: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    Conflict: 409,
    PreconditionFailed: 409,
    BodyTooLarge: 413,
    LimitExceeded: 422,
    RateLimited: 429,
    NotImplementedYet: 501,
    FetchFailed: 422,  # the page named in the request could not be read; nothing of ours is down
    DependencyFailed: 503,
}


class MeterErrors:
    """Words errors for the Meter facade."""

    def answer(self, error: MeterhouseError, request_id: str) -> Response:
        status = _status(error)
        body: dict[str, object] = {
            "detail": _detail(error, status),
            "code": error.code,
            "request_id": request_id,
        }
        if isinstance(error, Invalid) and error.issues:
            body["errors"] = [
                {
                    "in": split_location(issue)[0],
                    "field": field_name(issue),
                    "message": issue.message,
                    "code": issue.code,
                }
                for issue in error.issues
            ]
        headers = common_headers(error)
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        return json_response(body, status, headers=headers)

    def malformed_id(self, name: str, text: str) -> MeterhouseError:
        noun = name.removesuffix("_id").removeprefix("other_").replace("_", " ").capitalize()
        return NotFound(f"{noun} not found")


def _status(error: MeterhouseError) -> int:
    """A value out of its documented range is refused with 422, any other misfit with 400."""
    if isinstance(error, RequestInvalid) and error.issues and all(i.code == "maximum" for i in error.issues):
        return 422
    return by_class(STATUS, error)


def _detail(error: MeterhouseError, status: int) -> str:
    if status == 500:
        return "Internal server error"
    if isinstance(error, RequestInvalid) and error.issues:
        return summary(error.issues)
    return error.message or "Request refused"
