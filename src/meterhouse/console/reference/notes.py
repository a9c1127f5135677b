"""What a schema demands beside its type, in a few words each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

ENUM_SHOWN_MAX = 16
TEXT_SHOWN_MAX = 120

_BOUNDS = (
    ("minLength", "at least {} characters"),
    ("maxLength", "at most {} characters"),
    ("minItems", "at least {} items"),
    ("maxItems", "at most {} items"),
    ("minProperties", "at least {} keys"),
    ("maxProperties", "at most {} keys"),
)


def notes_of(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """The conditions on a value, most important first."""
    return tuple(_notes(schema))


def _notes(schema: Mapping[str, Any]) -> Iterator[str]:
    if schema.get("readOnly") is True:
        yield "read only"
    if "const" in schema:
        yield f"always {_text(schema['const'])}"
    if isinstance(values := schema.get("enum"), list):
        yield _enumeration(values)
    if schema.get("format"):
        yield str(schema["format"])
    yield from _range(schema)
    for key, wording in _BOUNDS:
        if key in schema:
            count = schema[key]
            yield wording.format(count) if count != 1 else wording.format(count).removesuffix("s")
    if schema.get("pattern"):
        yield f"matches {_cut(str(schema['pattern']))}"
    if schema.get("default") is not None:
        yield f"default {_text(schema['default'])}"
    if schema.get("description"):
        yield _cut(str(schema["description"]))


def _enumeration(values: list[Any]) -> str:
    shown = ", ".join(_text(value) for value in values[:ENUM_SHOWN_MAX] if value is not None)
    rest = len(values) - ENUM_SHOWN_MAX
    return f"one of {shown}" + (f" and {rest} more" if rest > 0 else "")


def _range(schema: Mapping[str, Any]) -> Iterator[str]:
    """The bounds of a number. OpenAPI 3.0 writes an exclusive bound as a flag beside the inclusive one."""
    yield from _bound(schema, "minimum", "exclusiveMinimum", "at least", "more than")
    yield from _bound(schema, "maximum", "exclusiveMaximum", "at most", "less than")


def _bound(
    schema: Mapping[str, Any], key: str, exclusive_key: str, inclusive: str, exclusive: str
) -> Iterator[str]:
    flag = schema.get(exclusive_key)
    if key in schema:
        yield f"{exclusive if flag is True else inclusive} {schema[key]}"
    if flag is not None and not isinstance(flag, bool):
        yield f"{exclusive} {flag}"


def _text(value: object) -> str:
    return _cut(value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_SHOWN_MAX else text[: TEXT_SHOWN_MAX - 1] + "…"
