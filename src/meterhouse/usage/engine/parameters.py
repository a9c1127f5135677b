"""Bound parameters of one query: whatever a user sent travels here and never in SQL text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from meterhouse.kernel.errors import Invalid
from meterhouse.usage.engine.jsonpath import is_unicode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The instant of a number of microseconds since 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def digits(number: int) -> str:
    """A 64-bit integer that was computed here, written out; what somebody sent is bound instead.

    Each bound one costs the planner a fifth of a millisecond.
    """
    assert type(number) is int, number
    assert -(2**63) <= number < 2**63, number
    return str(number) if number >= 0 else f"({number})"


def _writable(text: str) -> str:
    if not is_unicode(text):
        raise Invalid("A text in this query is not valid Unicode: it holds half of a surrogate pair.")
    return text


@dataclass
class Parameters:
    """Hands out `{p0:Type}` placeholders and remembers their values; equal values share one."""

    values: dict[str, object] = field(default_factory=dict)
    _names: dict[tuple[str, object], str] = field(default_factory=dict)

    def _bind(self, value: object, kind: str) -> str:
        key = (kind, tuple(value) if isinstance(value, list) else value)
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"p{len(self._names)}"
            self.values[name] = value
        return f"{{{name}:{kind}}}"

    def text(self, value: str) -> str:
        """Bind a text. Raises `Invalid` for half of a surrogate pair, as `texts` does."""
        return self._bind(_writable(value), "String")

    def texts(self, values: Iterable[str]) -> str:
        """Bind a list of texts."""
        return self._bind([_writable(value) for value in values], "Array(String)")

    def integer(self, value: int) -> str:
        """Bind a 64-bit integer."""
        return self._bind(value, "Int64")

    def integers(self, values: Iterable[int]) -> str:
        """Bind a list of 64-bit integers."""
        return self._bind(list(values), "Array(Int64)")

    def uuid(self, value: UUID) -> str:
        """Bind an id."""
        return self._bind(str(value), "UUID")

    def instant(self, value: datetime) -> str:
        """Bind an instant with microseconds."""
        return f"fromUnixTimestamp64Micro({self.integer(to_micros(value))}, 'UTC')"
