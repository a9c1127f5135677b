"""Reading what a request to the Meter facade brings, where the contract alone does not say it all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from meterhouse.apis.call import Call
from meterhouse.apis.faults import RequestInvalid, RequestIssue, summary
from meterhouse.kernel.ids import parse_id

LIMIT_DEFAULT = 20
LIMIT_MAX = 1000
OFFSET_MAX = 2**31

_COMPARED = (
    ("job_id", "other_job_id"),
    ("job_id_1", "job_id_2"),
    ("job_a", "job_b"),
    ("job_id_a", "job_id_b"),
)
_AGO = re.compile(r"(\d{1,9})\s*([mhdw])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def page_of(call: Call, *, default: int = LIMIT_DEFAULT, maximum: int = LIMIT_MAX) -> tuple[int, int]:
    """`limit` and `offset` with their defaults. Raises `RequestInvalid` above the maxima (reference, 2.4)."""
    limit, offset = call.query.get("limit", default), call.query.get("offset", 0)
    bounded = (("limit", limit, maximum), ("offset", offset, OFFSET_MAX))
    issues = [
        RequestIssue(("query", name), f"must be at most {most}", code="maximum", input=value)
        for name, value, most in bounded
        if value > most
    ]
    if issues:
        raise RequestInvalid(summary(issues), issues=issues)
    return limit, offset


def query_id(call: Call, name: str) -> UUID | None:
    """An id in the query, `None` without one. Raises `RequestInvalid` for something else."""
    text = call.request.query_params.get(name)
    return None if not text else _id(text, ("query", name))


def body_id(call: Call, name: str) -> UUID:
    """A required id in the body. Raises `RequestInvalid` for something else."""
    return _id(call.body[name], ("body", name))


def compared_ids(body: Mapping[str, Any]) -> tuple[UUID, UUID]:
    """The two jobs of a comparison: `job_ids`, or a pair of fields. Raises `RequestInvalid`."""
    listed = body.get("job_ids")
    if isinstance(listed, list) and len(listed) == 2:
        return _id(listed[0], ("body", "job_ids")), _id(listed[1], ("body", "job_ids"))
    for one, other in _COMPARED:
        if one in body or other in body:
            return _id(body.get(one), ("body", one)), _id(body.get(other), ("body", other))
    raise _refused(("body", "job_ids"), "must be a list of two job ids", listed)


def query_flag(call: Call, name: str, default: bool) -> bool:
    """A flag in the query. Raises `RequestInvalid` for anything but true and false."""
    text = call.request.query_params.get(name, "").lower()
    if text in ("", "true", "1", "false", "0"):
        return text in ("true", "1") if text else default
    raise _refused(("query", name), "must be true or false", text)


def query_number(call: Call, name: str, *, minimum: int, maximum: int) -> int | None:
    """A number that the contract does not know. Raises `RequestInvalid` for anything outside its bounds."""
    text = call.request.query_params.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or not minimum <= int(text[:12]) <= maximum:
        raise _refused(("query", name), f"must be {minimum} to {maximum}", text)
    return int(text)


def since_of(call: Call) -> datetime | None:
    """`since` as an instant: ISO 8601 (naive means UTC), or an age such as `24h` or `7d` (reference, 8.4)."""
    text = str(call.query.get("since", "")).strip()
    if not text:
        return None
    try:
        if ago := _AGO.fullmatch(text):
            return call.services.clock.now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        # A `+` in an offset that was not percent-encoded arrives as a blank.
        instant = datetime.fromisoformat(re.sub(r" (\d\d:?\d\d)$", r"+\1", text))
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refused(
            ("query", "since"),
            "must be an ISO 8601 time or an age: a whole number followed by m, h, d or w, as in 24h",
            text,
            code="maximum",  # understood as a time and refused: 422
        ) from None


def without_nulls(body: Any) -> Any:
    """A body whose fields that are `null` count as left out."""
    return {name: one for name, one in body.items() if one is not None} if isinstance(body, dict) else body


def restate_generation(body: Any) -> Any:
    """A generation request as the contract has it: a bare condition wrapped into a filter (reference, 6)."""
    kept = without_nulls(body)
    if isinstance(kept, dict) and "filter_config" in kept:
        return {**kept, "filter_config": wrapped(kept["filter_config"])}
    return kept


def restate_update(body: Any) -> Any:
    """An update as the contract has it. Published clients cannot send `null`: other nothings clear too."""
    if not isinstance(body, dict) or "filter_config" not in body:
        return body
    config = body["filter_config"]
    return {**body, "filter_config": None if config in ("", {}) else wrapped(config)}


def filter_of(config: Mapping[str, object] | None) -> Mapping[str, object] | None:
    """A filter as it is stored; one without conditions keeps everything and is none (reference, 4.4)."""
    return config if config is not None and config["conditions"] else None


def wrapped(config: object) -> object:
    """A bare condition as the filter that it stands for; anything else as it is."""
    if isinstance(config, dict) and "field" in config and "conditions" not in config:
        return {"mode": "all", "conditions": [config]}
    return config


def _id(text: object, path: tuple[str, ...]) -> UUID:
    value = parse_id(text) if isinstance(text, str) else None
    if value is None:
        raise _refused(path, "must be an id (a UUID)", text)
    return value


def _refused(
    path: tuple[str, ...], message: str, value: object, *, code: str = "value_error"
) -> RequestInvalid:
    issue = RequestIssue(path, message, code=code, input=value)
    return RequestInvalid(summary([issue]), issues=[issue])
