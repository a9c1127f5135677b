"""One call: what goes on the wire and how it may be treated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Union
from uuid import UUID

from ._query import instant
from .errors import ArgumentError

JSON_TYPE = "application/json"

Query = Union[list[tuple[str, str]], Mapping[str, Any]]

_SAFE_METHODS = ("GET", "HEAD")


class Call:
    """A request before it is sent. `safe` calls may be repeated without harm; where `redirects` is set, a redirect
    is the result that was asked for."""

    __slots__ = (
        "accept",
        "content",
        "content_type",
        "headers",
        "method",
        "path",
        "query",
        "redirects",
        "safe",
        "timeout_s",
    )

    def __init__(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content: bytes | None = None,
        content_type: str = JSON_TYPE,
        accept: str | None = None,
        safe: bool | None = None,
        redirects: bool = False,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.query = query
        self.content = content if body is None else encoded(body)
        self.content_type = content_type
        self.accept = accept
        self.safe = method in _SAFE_METHODS if safe is None else safe
        self.redirects = redirects
        self.headers = headers
        self.timeout_s = timeout_s


def encoded(body: Any) -> bytes:
    """Compact UTF-8 JSON. Raises `ArgumentError` for what JSON cannot say, NaN included."""
    try:
        return _encode(body).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(f"The body cannot be written as JSON: {error}.") from error


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, (date, Decimal, UUID)):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain).encode
