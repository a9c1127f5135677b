"""From an answer's status, headers and bytes to a result or to the error that fits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import time
from typing import Any

from .errors import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    MeterError,
    NotFoundError,
    NotSupportedError,
    PermissionDeniedError,
    RateLimitError,
    RedirectError,
    ServerError,
    UnexpectedResponseError,
)

SENTENCE_LENGTH_MAX = 600
ISSUES_SHOWN_MAX = 5

_BY_STATUS: dict[int, type[MeterError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: NotSupportedError,
    408: ServerError,
    409: ConflictError,
    410: NotFoundError,
    412: ConflictError,
    425: ServerError,
    429: RateLimitError,
    501: NotSupportedError,
}


def result_of(content: bytes, content_type: str, *, method: str, url: str, as_text: bool = False) -> Any:
    """The decoded body of a success: JSON, or text where text was asked for; `{}` for an empty one.

    Raises `UnexpectedResponseError` for anything else, such as a page that a proxy put in between.
    """
    if as_text and "json" not in content_type and "html" not in content_type:
        return content.decode("utf-8", "replace")
    if not content or content.isspace():
        return "" if as_text else {}
    try:
        return json.loads(content)
    except ValueError as error:
        raise UnexpectedResponseError(
            f"Request failed: {url} answered with {_kind(content, content_type)} instead of JSON; "
            "check base_url and any proxy in between.",
            status=200,
            body=content.decode("utf-8", "replace"),
            method=method,
            url=url,
        ) from error


def error_of(status: int, headers: Mapping[str, str], content: bytes, *, method: str, url: str) -> MeterError:
    """The error that fits an answer that is no success."""
    body = _decoded(content)
    facts = {
        "status": status,
        "body": body,
        "request_id": _request_id(headers, body),
        "retry_after": _retry_after(headers.get("retry-after")),
        "method": method,
        "url": url,
        "headers": headers,
    }
    if 300 <= status < 400:
        return RedirectError(f"Request failed: {_redirect(headers, url)}", **facts)
    code = _code(body)
    kind = _BY_STATUS.get(status) or (ServerError if status >= 500 else InvalidRequestError)
    if code == "route_not_found":  # a 404 of the server, not of an object
        kind = NotSupportedError
    sentence = _sentence(status, body, content, headers.get("content-type", ""))
    error = kind(f"API error: {sentence}", code=code, **facts)
    if kind is ConflictError and error.retry_after is not None:
        error.retryable = True  # "still in progress", as for a repeated Idempotency-Key
    return error


def _decoded(content: bytes) -> Any:
    """JSON if it is some, else the text."""
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")


def _code(body: Any) -> str | None:
    """The stable code, which each interface keeps in another place."""
    if not isinstance(body, Mapping):
        return None
    extensions = body.get("extensions")
    places = (body.get("code"), extensions.get("code") if isinstance(extensions, Mapping) else None)
    for value in (*places, body.get("error")):
        if isinstance(value, str):
            return value
    return None


def _request_id(headers: Mapping[str, str], body: Any) -> str | None:
    """The id under which the server's log knows the request."""
    known = headers.get("x-request-id")
    if known is None and isinstance(body, Mapping):
        instance = body.get("instance")
        known = body.get("request_id") or (instance.rpartition(":")[2] if isinstance(instance, str) else None)
    return known if isinstance(known, str) else None


def _retry_after(value: str | None) -> float | None:
    """Seconds from a `Retry-After`, which holds seconds or a date."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except (TypeError, ValueError, OverflowError):
        return None


def _sentence(status: int, body: Any, content: bytes, content_type: str) -> str:
    """What happened, in one line."""
    if isinstance(body, Mapping):
        for key in ("detail", "error_description", "message", "title", "error"):
            found = _line(body.get(key))
            if found:
                return found
    reason = _reason(status)
    if isinstance(body, str) and body.strip():
        return f"the server answered {reason} with {_kind(content, content_type)}, not with an error of the API."
    return f"the server answered {reason} without a reason."


def _line(value: Any) -> str:
    """One line from a text or from a list of validation issues; empty if there is nothing readable."""
    if isinstance(value, str):
        return _shortened(" ".join(value.split()))
    if isinstance(value, list):
        issues = [found for found in map(_issue, value) if found]
        more = len(issues) - ISSUES_SHOWN_MAX
        shown = "; ".join(issues[:ISSUES_SHOWN_MAX])
        return _shortened(f"{shown}; and {more} more" if more > 0 else shown)
    if isinstance(value, Mapping):
        return _issue(value)
    return ""


def _issue(issue: Any) -> str:
    if not isinstance(issue, Mapping):
        return str(issue)
    text = next((str(issue[key]) for key in ("msg", "message", "detail") if issue.get(key)), "")
    place = issue.get("loc") or issue.get("field")
    where = ".".join(str(part) for part in place) if isinstance(place, (list, tuple)) else place
    return f"{where}: {text}" if where and text else text or str(where or "")


def _shortened(text: str) -> str:
    return text if len(text) <= SENTENCE_LENGTH_MAX else f"{text[: SENTENCE_LENGTH_MAX - 1]}…"


def _kind(content: bytes, content_type: str) -> str:
    """What a body is, for a sentence."""
    kind = content_type.partition(";")[0].strip().lower()
    if "html" in kind or content.lstrip()[:1] == b"<":
        return "an HTML page"
    if "json" in kind:
        return "broken JSON"
    return f"{kind or 'text'} that is no JSON"


def _redirect(headers: Mapping[str, str], url: str) -> str:
    target = headers.get("location")
    if not target:
        return f"{url} answers with a redirect; check base_url."
    return f"{url} redirects to {_shortened(target)}; set base_url to the address that answers itself."


def _reason(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
