"""JSON answers: read within bounds, walked by keys, taken apart into the values of their records."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from meterhouse.extraction.engine.document import decode, squeeze
from meterhouse.extraction.model import ExtractionFailed
from meterhouse.extraction.plan import Keys, Scalar

DEPTH_MAX = 8
LEAVES_MAX = 300
VALUES_MAX = 200

# What some servers put before an answer so that it is no script.
_GUARD = re.compile(r"^\ufeff?\s*\)\]\}'[^\n]{0,20}\n?")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_STEP = re.compile(r"(?<!\\)\.")
MISSING = object()

Record = Mapping[str, object]


def read_json(text: str | bytes) -> object:
    """Read an answer. Raises `ExtractionFailed` for anything that is not JSON of a sane size and depth."""
    try:
        return json.loads(_GUARD.sub("", decode(text)))
    except (ValueError, RecursionError) as fault:
        raise ExtractionFailed(
            "The answer is not JSON.", reason="unreadable", evidence={"fault": str(fault)[:200]}
        ) from fault


def at(value: object, keys: Keys) -> object:
    """What lies at a path of keys; `MISSING` when nothing does."""
    for key in keys:
        inside = isinstance(value, Mapping) and key in value
        if isinstance(value, list) and isinstance(key, int):
            inside = -len(value) <= key < len(value)
        if not inside:
            return MISSING
        value = value[key]  # type: ignore[index]
    return value


def records_of(value: object, *, single: bool = False) -> list[Record]:
    """The records in what a path leads to: a list of objects, an object of objects, or one object."""
    if isinstance(value, Mapping):
        if single:
            return [value]
        value = list(value.values())
    if not isinstance(value, list):
        return []
    return [one for one in value if isinstance(one, Mapping)]


def leaves_of(record: Record) -> dict[str, list[Scalar]]:
    """Every value of a record under its dotted path; the values inside lists share one path."""
    found: dict[str, list[Scalar]] = {}
    _gather(record, "", found, 0)
    return found


def _gather(value: object, path: str, found: dict[str, list[Scalar]], depth: int) -> None:
    if depth > DEPTH_MAX or len(found) > LEAVES_MAX:
        return
    if isinstance(value, Mapping):
        for key, one in value.items():
            _gather(one, f"{path}.{escaped(str(key))}".lstrip("."), found, depth + 1)
    elif isinstance(value, list):
        for one in value[:VALUES_MAX]:
            _gather(one, path, found, depth + 1)
    elif isinstance(value, str | int | float):
        found.setdefault(path, []).append(value)


def values_at(record: Record, path: str) -> list[Scalar]:
    """The values at a dotted path, through lists; a step that is a number picks one element of a list."""
    values: list[object] = [record]
    for step in steps_of(path):
        values = [inner for value in values for inner in _inside(value, step)][:VALUES_MAX]
    found: list[Scalar] = []
    for value in values:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str | int | float):
                found.append(one)
    return found[:VALUES_MAX]


def _inside(value: object, step: str) -> Iterator[object]:
    if isinstance(value, Mapping):
        if step in value:
            yield value[step]
    elif isinstance(value, list):
        if step.isascii() and step.isdigit():
            yield from value[int(step[:9]) :][:1]
        else:
            for one in value:
                yield from _inside(one, step)


@lru_cache(maxsize=2_000)
def steps_of(path: str) -> tuple[str, ...]:
    """The keys of a dotted path."""
    return tuple(step.replace("\\.", ".") for step in _STEP.split(path))


def last_step(path: str) -> str:
    return steps_of(path)[-1]


def escaped(key: str) -> str:
    """A key as a step of a path."""
    return key.replace(".", "\\.")


def plain(value: Scalar) -> Scalar:
    """A value as a reader sees it: markup and entities in texts resolved, white space collapsed."""
    if not isinstance(value, str):
        return value
    text = _TAG.sub(" ", value) if "<" in value else value
    return squeeze(html.unescape(text) if "&" in text else text) or None


def as_text(value: Scalar) -> str:
    """A value as it is compared with the text of a page."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(plain(value) or "")


def texts_of(values: Sequence[Scalar]) -> list[str]:
    return [text for value in values if (text := as_text(value))]


def is_alike(value: Mapping[object, object]) -> bool:
    """True for an object that is really a list: under each key an object with the same members."""
    members = [one for one in value.values() if isinstance(one, Mapping)]
    if len(members) < 3 or len(members) < len(value):
        return False
    first = set(members[0])
    return all(len(first & set(one)) * 2 >= max(len(first), len(one)) for one in members[1:20])
