"""Query strings as the contracts write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from json import dumps
from typing import Any

from .errors import ArgumentError

# How a parameter is written when it is not a plain value: see `style` of the contracts.
REPEATED, DEEP, JSON = "repeated", "deep", "json"


def instant(value: datetime) -> str:
    """RFC 3339 in UTC. A naive instant would be read in the server's zone, so it is refused."""
    if value.tzinfo is None:
        raise ArgumentError(f"The instant {value.isoformat()} has no time zone; add one, such as timezone.utc.")
    return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def scalar(value: Any) -> str:
    """One value of a query."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def merged(params: Mapping[str, Any] | None, fields: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Parameters from a mapping (wire or Python names) and from keywords, under their wire names.

    Raises `ArgumentError` for unknown names, which the server would ignore without a word.
    """
    merged = {wire: value for wire, value in fields.items() if value is not None}
    if params is None:
        return merged
    if not isinstance(params, Mapping):
        raise ArgumentError(f"params must be a mapping, not {type(params).__name__}.")
    for name, value in params.items():
        wire = name if name in fields else names.get(name)
        if wire is None:
            raise ArgumentError(f"There is no parameter {name!r}; known are {', '.join(fields)}.")
        if value is not None:
            merged[wire] = value
    return merged


def encoded(values: Mapping[str, Any], styles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Name and text of each part of the query, in order. `None` is left out."""
    pairs: list[tuple[str, str]] = []
    for name, value in values.items():
        if value is None:
            continue
        style = styles.get(name)
        if style is None:
            pairs.append((name, scalar(value)))
        elif style == JSON:
            pairs.append((name, value if isinstance(value, str) else dumps(value, default=scalar)))
        elif style == DEEP:
            pairs.extend(_deep(name, value))
        else:
            pairs.extend((name, scalar(item)) for item in _items(value))
    return pairs


def _deep(name: str, value: Any) -> Iterable[tuple[str, str]]:
    if not isinstance(value, Mapping):
        raise ArgumentError(f"{name} must be a mapping, not {type(value).__name__}.")
    for key, member in value.items():
        for item in _items(member):
            yield f"{name}[{key}]", scalar(item)


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
        return (value,)
    return value
