"""Output schemas: the shape and types that items must have, and the coercion of what was read to them.

Two notations are read: field names with type strings (nested objects, and a wrapper with one list), and plain
JSON Schema. Extraction works on flat names joined by `_`; `apply` nests them to the schema's shape again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import cast

from meterhouse.extraction.model import Item
from meterhouse.kernel.errors import Invalid, Issue

TYPES = ("string", "number", "float", "integer", "int", "boolean", "array")
DEPTH_MAX = 8
FIELDS_MAX = 200

_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0"})
_NUMBER = re.compile(r"[-+−]?\d[\d.,'’]*(?:[ \u00a0\u202f]\d{3}(?!\d)[\d.,]*)*|[-+−]?[.,]\d+")
_NUMBER_CHARS_MAX = 200
_URL_KEYS = ("url", "link", "href")

Shape = Mapping[str, object]  # a type string or another Shape under each key
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class OutputSchema:
    """A checked schema. `wrapper` is the key of the one top-level list, where there is one."""

    shape: Shape
    wrapper: str | None = None

    @classmethod
    def parse(cls, schema: object) -> OutputSchema:
        """Check a schema in either notation; raises `Invalid` with an issue that names the faulty field."""
        if not isinstance(schema, Mapping) or not schema:
            raise _refused((), "an object with at least one field is needed")
        if _is_json_schema(schema):
            return _from_json_schema(schema)
        if len(schema) == 1:
            key, value = next(iter(schema.items()))
            if _is_list(value) and len(value) == 1 and isinstance(value[0], Mapping):
                return cls(_shape(value[0], (key, 0), 1), str(key))
        return cls(_shape(schema, (), 0))

    def flat_types(self) -> dict[str, str]:
        """The type of every leaf under its flat name."""
        flat = dict(_leaves(self.shape, ""))
        if len(flat) > FIELDS_MAX:
            raise _refused((), f"more than {FIELDS_MAX} fields")
        return flat

    def apply(self, items: Sequence[Item]) -> list[Item]:
        """Coerce flat items, nest them to the shape, and wrap them. Fields outside the schema are dropped."""
        shaped: list[Item] = [_nest(self.shape, item, "") for item in items]
        return shaped if self.wrapper is None else [{self.wrapper: shaped}]


def is_url_field(name: str) -> bool:
    """True for field names that ask for an address rather than a text."""
    folded = name.casefold()
    return any(part in folded for part in _URL_KEYS)


def coerce(value: object, kind: str) -> object:
    """A value as the schema's type, or `None` when it cannot be read as one."""
    if kind == "array":
        return _as_list(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = value[0] if len(value) == 1 else ", ".join(str(one) for one in value) or None
    if value is None:
        return None
    if kind == "string":
        return _as_text(value)
    if kind == "boolean":
        return _as_boolean(value)
    number = parse_number(value)
    if number is None:
        return None
    if kind in {"integer", "int"}:
        return int(number.to_integral_value(ROUND_HALF_UP))
    return float(number)


def parse_number(value: object) -> Decimal | None:
    """The one number in a value: currency signs, group separators and words around it are taken off."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float | Decimal):
        number = Decimal(str(value))
        return number if number.is_finite() else None
    if not isinstance(value, str) or len(value) > _NUMBER_CHARS_MAX:
        return None
    text = unicodedata.normalize("NFKC", value)
    found = _NUMBER.findall(text)
    if len(found) != 1:
        return None
    try:
        return Decimal(_plain(found[0]))
    except InvalidOperation:
        return None


def _plain(digits: str) -> str:
    """Group separators out, the decimal separator a point; of two kinds the last is the decimal one."""
    digits = re.sub(r"[\s'’]", "", digits.replace("−", "-")).rstrip(".,")
    dot, comma = digits.rfind("."), digits.rfind(",")
    if dot >= 0 and comma >= 0:
        group, decimal = (",", ".") if dot > comma else (".", ",")
        return digits.replace(group, "").replace(decimal, ".")
    if digits.count(".") > 1:
        return digits.replace(".", "")
    if digits.count(",") == 1:
        whole, _, rest = digits.partition(",")
        if len(rest) != 3 or whole.lstrip("+-") in {"", "0"}:
            return digits.replace(",", ".")
    return digits.replace(",", "")


def _as_text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) or None


def _as_boolean(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    text = str(value).strip().casefold()
    return True if text in _TRUE else False if text in _FALSE else None


def _as_list(value: object) -> list[object] | None:
    if value is None:
        return None
    if isinstance(value, str):
        parts = [part.strip() for part in value.split(",")]
        return [part for part in parts if part]
    if isinstance(value, Sequence):
        return list(value)
    return [value]


def _nest(shape: Shape, item: Item, prefix: str) -> Item:
    shaped: Item = {}
    for key, kind in shape.items():
        name = f"{prefix}{key}"
        if isinstance(kind, str):
            shaped[key] = coerce(item.get(name), kind)
        else:
            shaped[key] = _nest(cast(Shape, kind), item, f"{name}_")
    return shaped


def _leaves(shape: Shape, prefix: str) -> Iterator[tuple[str, str]]:
    for key, kind in shape.items():
        if isinstance(kind, str):
            yield f"{prefix}{key}", kind
        else:
            yield from _leaves(cast(Shape, kind), f"{prefix}{key}_")


def _shape(schema: Mapping[object, object], path: Path, depth: int) -> dict[str, object]:
    if depth > DEPTH_MAX:
        raise _refused(path, f"nested deeper than {DEPTH_MAX} levels")
    shape: dict[str, object] = {}
    for key, value in schema.items():
        where = (*path, str(key))
        if isinstance(value, str):
            shape[str(key)] = _known(value, where)
        elif isinstance(value, Mapping) and value:
            shape[str(key)] = _shape(value, where, depth + 1)
        elif (
            isinstance(value, list | tuple) and len(value) <= 1 and all(isinstance(one, str) for one in value)
        ):
            shape[str(key)] = "array" if not value or _known(value[0], (*where, 0)) else ""
        else:
            raise _refused(where, "a type name or an object of fields is needed")
    return shape


def _known(kind: object, where: Path) -> str:
    if kind not in TYPES:
        raise _refused(where, f"the type {kind!r} is not known; one of {', '.join(TYPES)} is needed")
    return str(kind)


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def _is_json_schema(schema: Mapping[object, object]) -> bool:
    if isinstance(schema.get("properties"), Mapping):
        return True
    return schema.get("type") == "array" and isinstance(schema.get("items"), Mapping)


def _from_json_schema(schema: Mapping[object, object]) -> OutputSchema:
    if schema.get("type") == "array":
        items = schema["items"]
        if isinstance(items, Mapping) and isinstance(items.get("properties"), Mapping):
            return OutputSchema(_json_shape(items, ("items",), 0))
        raise _refused(("items",), "an object with properties is needed")
    properties = cast(Mapping[str, object], schema["properties"])
    if len(properties) == 1:
        key, value = next(iter(properties.items()))
        inner = value.get("items") if isinstance(value, Mapping) and value.get("type") == "array" else None
        if isinstance(inner, Mapping) and isinstance(inner.get("properties"), Mapping):
            return OutputSchema(_json_shape(inner, ("properties", key, "items"), 1), str(key))
    return OutputSchema(_json_shape(schema, (), 0))


def _json_shape(schema: Mapping[object, object], path: Path, depth: int) -> dict[str, object]:
    if depth > DEPTH_MAX:
        raise _refused(path, f"nested deeper than {DEPTH_MAX} levels")
    shape: dict[str, object] = {}
    for key, value in cast(Mapping[object, object], schema["properties"]).items():
        where = (*path, "properties", str(key))
        if not isinstance(value, Mapping):
            raise _refused(where, "a schema is needed")
        if isinstance(value.get("properties"), Mapping):
            shape[str(key)] = _json_shape(value, where, depth + 1)
            continue
        kind = value.get("type", "string")
        if _is_list(kind):
            kind = next((one for one in cast(Sequence[object], kind) if one != "null"), "string")
        shape[str(key)] = _known(kind, (*where, "type"))
    return shape


def _refused(path: Path, message: str) -> Invalid:
    where = ".".join(str(step) for step in path) or "output_schema"
    return Invalid(
        f"The output schema cannot be used: {where}: {message}.",
        issues=(Issue(("output_schema", *path), message),),
    )
