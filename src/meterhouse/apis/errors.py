"""What every facade's error shape has in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from starlette.responses import Response

from meterhouse.apis.faults import MethodNotAllowed
from meterhouse.kernel.errors import MeterhouseError, RateLimited

T = TypeVar("T")


class ErrorShape(Protocol):
    """How one facade words refusals."""

    def answer(self, error: MeterhouseError, request_id: str) -> Response:
        """Write an error in the facade's shape. Never raises; faults of ours show only the request id."""
        ...

    def malformed_id(self, name: str, text: str) -> MeterhouseError:
        """The error for a path parameter `name` that should be an id and is none."""
        ...


def by_class(table: Mapping[type[MeterhouseError], T], error: MeterhouseError) -> T:
    """Look an error up by its nearest class; `MeterhouseError` itself must be in the table."""
    return next(table[kind] for kind in type(error).__mro__ if kind in table)


def common_headers(error: MeterhouseError) -> dict[str, str]:
    """Headers that mean the same on every facade: `Allow`, and `Retry-After` in whole seconds."""
    headers: dict[str, str] = {}
    if isinstance(error, MethodNotAllowed):
        headers["allow"] = ", ".join(error.allow)
    if isinstance(error, RateLimited):
        headers["retry-after"] = str(error.retry_after_s)
    elif isinstance(seconds := error.details.get("retry_after_s"), int):
        headers["retry-after"] = str(seconds)
    return headers
