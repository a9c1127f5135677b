"""Usage events before they are sent: what they lack is added, what is wrong is told at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

from .errors import ArgumentError

SPECVERSION = "1.0"


def completed(event: Any, *, source: str | None = None, event_id: str | None = None) -> dict[str, Any]:
    """The event with what the wire requires: `specversion`, an `id`, and the buffer's `source` if it has none.

    Raises `ArgumentError` for what the server would refuse together with the whole batch.
    """
    if not isinstance(event, Mapping):
        raise ArgumentError(f"An event must be a mapping, not {type(event).__name__}.")
    whole = {"specversion": SPECVERSION, **event}
    if whole.get("id") is None:
        whole["id"] = str(uuid4()) if event_id is None else event_id
    if whole.get("source") is None and source is not None:
        whole["source"] = source
    for name in ("id", "source", "type", "subject"):
        value = whole.get(name)
        if not isinstance(value, str) or not value:
            raise ArgumentError(f"The event needs {name}, a text that is not empty; it has {value!r}.")
    data = whole.get("data")
    if data is not None and not isinstance(data, Mapping):
        raise ArgumentError(f"The event's data must be a mapping, not {type(data).__name__}.")
    time = whole.get("time")
    if isinstance(time, datetime) and time.tzinfo is None:
        raise ArgumentError("The event's time has no time zone; add one, such as timezone.utc.")
    return whole


def now() -> str:
    """The present instant as events carry it."""
    return datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
