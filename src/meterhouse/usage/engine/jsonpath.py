"""Where in an event's data a value lies: OpenMeter's JSONPath and Polar's dotted paths, read into one type.

OpenMeter's restricted JSONPath knows `$`, `.name`, `["any name"]`, `['any name']`, `[0]` and `[*]`.
A Polar path splits at dots and knows names only; one leading `metadata.` is dropped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum

from meterhouse.kernel.errors import Invalid, Issue

LENGTH_MAX = 1000
DEPTH_MAX = 32
WILDCARDS_MAX = 4
INDEX_DIGITS_MAX = 6

_NAME = re.compile(r"\.([A-Za-z_\u0080-\U0010ffff][A-Za-z0-9_\-\u0080-\U0010ffff]*)")
_INDEX = re.compile(rf"\[\s*(\d{{1,{INDEX_DIGITS_MAX}}})\s*\]")
_WILDCARD = re.compile(r"\[\s*\*\s*\]|\.\*")
_DOUBLE_QUOTED = re.compile(r'\[\s*("(?:[^"\\\x00-\x1f]|\\.)*")\s*\]')
_SINGLE_QUOTED = re.compile(r"\[\s*'((?:[^'\\\x00-\x1f]|\\['\\])*)'\s*\]")


class Wildcard(Enum):
    """Every element of an array; the first one under which the rest of the path finds a scalar counts."""

    EACH = "*"


Step = str | int | Wildcard


@dataclass(frozen=True)
class Path:
    """Steps from the root of the data: member names, zero-based indexes of arrays, wildcards."""

    steps: tuple[Step, ...]

    @property
    def is_plain(self) -> bool:
        """Whether the path only names members."""
        return all(isinstance(step, str) for step in self.steps)


def parse_jsonpath(text: str, *, field: tuple[str | int, ...] = ()) -> Path:
    """Read OpenMeter's restricted JSONPath (openmeter 2.1). Raises `Invalid`, naming `field`."""
    _check_text(text, field)
    if not text.startswith("$"):
        raise _invalid("A JSONPath must start with $.", text, field)
    steps: list[Step] = []
    position = 1
    while position < len(text):
        step, position = _next_step(text, position, field)
        steps.append(step)
    return _bounded(steps, text, field)


def _next_step(text: str, position: int, field: tuple[str | int, ...]) -> tuple[Step, int]:
    if match := _NAME.match(text, position):
        return match[1], match.end()
    if match := _INDEX.match(text, position):
        return int(match[1]), match.end()
    if match := _WILDCARD.match(text, position):
        return Wildcard.EACH, match.end()
    if match := _DOUBLE_QUOTED.match(text, position):
        try:
            name: str = json.loads(match[1])
        except ValueError:
            name = "\ud800"
        if not is_unicode(name):
            raise _invalid("A quoted name in this JSONPath has a bad escape.", text, field)
        return name, match.end()
    if match := _SINGLE_QUOTED.match(text, position):
        return re.sub(r"\\(.)", r"\1", match[1]), match.end()
    raise _invalid(
        f'This JSONPath cannot be read at character {position + 1}: use $.a.b, $.a[0], $.a[*] or $["a b"].',
        text,
        field,
    )


def is_unicode(text: str) -> bool:
    """Whether a text can be written down: it holds no half of a surrogate pair."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def strip_metadata(text: str) -> str:
    """Drop one leading `metadata.`, as Polar does when it stores a property (polar 4.2)."""
    return text.removeprefix("metadata.")


def parse_dotted(text: str, *, field: tuple[str | int, ...] = ()) -> Path:
    """Read Polar's dotted path (polar 5.1). Raises `Invalid`, naming `field`."""
    _check_text(text, field)
    return _bounded(list[Step](strip_metadata(text).split(".")), text, field)


def _check_text(text: str, field: tuple[str | int, ...]) -> None:
    if not text:
        raise _invalid("A path must not be empty.", text, field)
    if len(text) > LENGTH_MAX:
        raise _invalid(f"A path may have at most {LENGTH_MAX} characters.", text[:100], field)
    if "\x00" in text:
        raise _invalid("A path must not contain the character U+0000.", text, field)
    if not is_unicode(text):
        raise _invalid("A path must be valid Unicode.", None, field)


def _bounded(steps: list[Step], text: str, field: tuple[str | int, ...]) -> Path:
    if len(steps) > DEPTH_MAX:
        raise _invalid(f"A path may have at most {DEPTH_MAX} steps.", text, field)
    if steps.count(Wildcard.EACH) > WILDCARDS_MAX:
        raise _invalid(f"A path may have at most {WILDCARDS_MAX} wildcards.", text, field)
    if any("\x00" in step for step in steps if isinstance(step, str)):
        raise _invalid("A path must not contain the character U+0000.", text, field)
    return Path(tuple(steps))


def _invalid(message: str, text: str | None, field: tuple[str | int, ...]) -> Invalid:
    return Invalid(message, issues=(Issue(field, message, "invalid_path", text),))
