"""Data that pages carry for their own scripts: JSON in script elements, variables set to it, streamed parts.

Nothing is evaluated: what is not JSON as it stands is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

SCRIPT_CHARS_MAX = 3_000_000
ASSIGNED_MAX = 20
_DECODER = json.JSONDecoder(strict=False)
_ASSIGNED = re.compile(r"""([A-Za-z_$][\w$]{1,60})(?:["']\])?\s*=\s*(?=[\[{]\s*["\[{])""")
_PARSED = re.compile(r"""([A-Za-z_$][\w$]{1,60})\s*=\s*JSON\.parse\(\s*(?=")""")
_PUSHED = re.compile(r"__next_f\.push\(\s*(?=\[)")
_CHUNK = re.compile(r"^[0-9a-f]+:(?=[\[{])", re.M)


def loads(text: str) -> object:
    """JSON as pages write it: in comments, with a semicolon or commas at the end; `None` if it is none."""
    text = text.strip().removeprefix("<!--").removesuffix("-->").strip().rstrip(";")
    for attempt in (text, re.sub(r",\s*([\]}])", r"\1", text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def script_data(text: str, whole: bool) -> Iterator[tuple[str, object]]:
    """The data in a script with the name it is given there; `whole` for scripts that are JSON themselves."""
    if len(text) > SCRIPT_CHARS_MAX:
        return
    if whole:
        yield "", loads(text)
        return
    if "__next_f" in text:
        return
    end = count = 0
    for found in _ASSIGNED.finditer(text):
        if found.start() < end or count >= ASSIGNED_MAX:
            continue
        count += 1
        value, stop = _decoded(text, found.end())
        if value is not None:
            end = stop
            yield found.group(1), value
    for found in _PARSED.finditer(text):
        value, _ = _decoded(text, found.end())
        if isinstance(value, str):
            yield found.group(1), loads(value)


def streamed_data(texts: list[str]) -> Iterator[object]:
    """The parts of a page that is streamed as numbered lines, pushed as texts one after the other."""
    joined: list[str] = []
    for text in texts:
        if len(text) > SCRIPT_CHARS_MAX:
            continue
        for found in _PUSHED.finditer(text):
            value, _ = _decoded(text, found.end())
            if isinstance(value, list) and len(value) > 1 and isinstance(value[1], str):
                joined.append(value[1])
    stream = "".join(joined)
    for found in _CHUNK.finditer(stream):
        value, _ = _decoded(stream, found.end())
        yield value


def _decoded(text: str, at: int) -> tuple[object, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None, at
