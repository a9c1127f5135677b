"""Faults of the transport: what a request can get wrong before any use case is reached.

They extend the domain errors so that a facade has one place, its `errors.py`, where every refusal gets
its wire shape.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from meterhouse.kernel.errors import (
    Forbidden,
    Invalid,
    Issue,
    LimitExceeded,
    MeterhouseError,
    NotFound,
    NotImplementedYet,
)


@dataclass(frozen=True)
class RequestIssue(Issue):
    """A fault found by a schema. `path` starts with its location: `body`, `query`, `path` or `header`."""

    ctx: Mapping[str, object] | None = None


@dataclass
class RequestInvalid(Invalid):
    """The request does not fit the contract; every issue is a `RequestIssue`."""

    default_code = "request_invalid"

    __str__ = MeterhouseError.__str__


@dataclass
class MalformedBody(Invalid):
    """The body is not the JSON it should be; `offset` is where reading stopped."""

    offset: int = 0

    default_code = "malformed_body"

    __str__ = MeterhouseError.__str__


class UnsupportedMediaType(Invalid):
    """The body's content type is none that the operation reads."""

    default_code = "unsupported_media_type"


class BadRequest(Invalid):
    """An input that a handler refuses with 400 where the facade would say 422 to other invalid input."""

    default_code = "bad_request"


class LengthRequired(Invalid):
    """A body without a declared length, on a facade that insists on one."""

    default_code = "length_required"


class BodyTooLarge(LimitExceeded):
    """The body is larger than the facade accepts, as declared or as counted while reading."""

    default_code = "body_too_large"


class RouteNotFound(NotFound):
    """No operation of the facade lives at this path."""

    default_code = "route_not_found"


@dataclass
class MethodNotAllowed(MeterhouseError):
    """The path exists, the method does not; `allow` lists those that do."""

    allow: Sequence[str] = ()

    default_code = "method_not_allowed"

    __str__ = MeterhouseError.__str__


class OperationNotServed(NotImplementedYet):
    """The contract documents the operation, this version does not serve it."""

    default_code = "not_implemented"


class ActionNotPermitted(Forbidden):
    """The key's scopes allow the operation, a rule forbids it on this object."""

    default_code = "not_permitted"


class ClientGone(Exception):
    """The client closed the connection before the exchange was complete."""


def summary(issues: Sequence[Issue], *, limit: int = 5) -> str:
    """Say in one readable line what is wrong: `limit: must be at most 1000; name: is required`."""
    told = [f"{field_name(issue)}: {issue.message}" for issue in issues[:limit]]
    if len(issues) > limit:
        told.append(f"and {len(issues) - limit} more")
    return "; ".join(told)


def field_name(issue: Issue) -> str:
    """Name the field of an issue as a caller would write it: `nodes[0].strategy_id`."""
    _, path = split_location(issue)
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    return name or "body"


def split_location(issue: Issue) -> tuple[str, tuple[str | int, ...]]:
    """Split an issue's path into its location and the path within; domain issues are about the body."""
    if isinstance(issue, RequestIssue) and issue.path:
        return str(issue.path[0]), issue.path[1:]
    return "body", issue.path


@contextlib.contextmanager
def fields_named(names: Mapping[str, tuple[str, ...]]) -> Iterator[None]:
    """Say in the interface's own field names what a context finds wrong in a body.

    `names` maps a name of ours to the path that stands for it; names that are missing are the same.
    """
    try:
        yield
    except Invalid as error:
        if not error.issues or any(isinstance(issue, RequestIssue) for issue in error.issues):
            raise
        issues = [
            replace(issue, path=tuple(step for part in issue.path for step in _named(part, names)))
            for issue in error.issues
        ]
        raise Invalid(summary(issues), error.code, issues=issues) from error


def _named(part: str | int, names: Mapping[str, tuple[str, ...]]) -> tuple[str | int, ...]:
    return names.get(part, (part,)) if isinstance(part, str) else (part,)
