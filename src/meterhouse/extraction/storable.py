"""Extracted values in a form that every store and every JSON reader accepts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from meterhouse.extraction.model import Item

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable_items(items: Sequence[Item]) -> list[Item]:
    """The items without U+0000 and lone surrogates (no store keeps them) and without numbers JSON lacks."""
    return [{storable_text(name): _storable(value) for name, value in item.items()} for item in items]


def storable_text(text: str) -> str:
    return _UNSTORABLE.sub("\ufffd", text)


def _storable(value: object) -> object:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {storable_text(str(name)): _storable(one) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [_storable(one) for one in value]
    return storable_text(str(value))
