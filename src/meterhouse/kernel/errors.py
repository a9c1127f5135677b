"""The domain errors. They know no HTTP: each facade maps them to its own wire shape.

A message says what happened, to which object, and what to do next.

    MeterhouseError
    ├── NotFound            the object does not exist, or belongs to someone else
    ├── Conflict            another object or a running operation is in the way
    ├── Invalid             the input is understood and refused; `issues` name the fields
    ├── Unauthenticated     no key, or a key that is unknown or revoked
    ├── Forbidden           a valid key without the needed scope
    ├── RateLimited         too many requests; `retry_after_s` says when to come back
    ├── PreconditionFailed  the object is in a state that does not allow this
    ├── LimitExceeded       a bound on size, depth or count was passed
    ├── DependencyFailed    an engine or a remote server did not do its part
    ├── NotImplementedYet   a documented operation that this version does not serve
    └── InvariantBroken     a fault of ours
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Issue:
    """One fault in an input: where (`path` of keys and indexes), what, and a stable `code`."""

    path: tuple[str | int, ...]
    message: str
    code: str = "value_error"
    input: object = None


@dataclass(eq=False)
class MeterhouseError(Exception):
    """Base of all domain errors: a sentence for humans plus machine-readable details."""

    message: str
    code: str = ""
    details: Mapping[str, object] = field(default_factory=dict)
    retryable: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.message)
        self.code = self.code or type(self).default_code

    default_code = "error"

    def __str__(self) -> str:
        return self.message


class NotFound(MeterhouseError):
    default_code = "not_found"


class Conflict(MeterhouseError):
    default_code = "conflict"


@dataclass(eq=False)
class Invalid(MeterhouseError):
    issues: Sequence[Issue] = ()

    default_code = "invalid"

    __str__ = MeterhouseError.__str__


class Unauthenticated(MeterhouseError):
    default_code = "unauthenticated"


class Forbidden(MeterhouseError):
    default_code = "forbidden"


@dataclass(eq=False)
class RateLimited(MeterhouseError):
    retry_after_s: int = 1

    default_code = "rate_limited"

    __str__ = MeterhouseError.__str__


class PreconditionFailed(MeterhouseError):
    default_code = "precondition_failed"


class LimitExceeded(MeterhouseError):
    default_code = "limit_exceeded"


class DependencyFailed(MeterhouseError):
    default_code = "dependency_failed"


class NotImplementedYet(MeterhouseError):
    default_code = "not_implemented"


class InvariantBroken(MeterhouseError):
    default_code = "invariant_broken"
