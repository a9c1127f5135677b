"""Query parameters: read from the query string as the contract declares them.

Arrays come as repeated keys (or with commas where the contract says `explode: false`), objects as
`name[key]=value`, some as JSON. The published OpenMeter client writes objects as the text of a Python
dictionary, `filterGroupBy={'model': 'x'}`; that form is read too.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from meterhouse.apis.faults import RequestIssue
from meterhouse.apis.payload import check_json, is_storable
from meterhouse.apis.validation import Check, parse_date_time

Kind = Literal["scalar", "array", "object", "json"]
Pairs = Sequence[tuple[str, str]]

_INTEGER = re.compile(r"[+-]?\d{1,30}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_INT64 = 2**63
_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on", "t", "y"), True),
    **dict.fromkeys(("false", "0", "no", "off", "f", "n"), False),
}
_BLANK_OFFSET = re.compile(r" (\d\d:?\d\d)$")
_OBJECT_TEXT_MAX = 65_536


@dataclass(frozen=True)
class Shape:
    """What a parameter's schema accepts: `types` are those of the value, of an item or of a member."""

    kind: Kind
    types: frozenset[str]
    is_date_time: bool = False
    lists_inside: bool = False  # an object whose members are lists


@dataclass(frozen=True)
class Parameter:
    """One declared parameter. `check` holds its compiled schema."""

    name: str
    location: str
    required: bool
    shape: Shape
    comma_separated: bool
    check: Callable[[], Check]


def shape_of(schema: Any, resolve: Callable[[Any], Any], *, is_json: bool) -> Shape:
    """Find out what a parameter's (converted) schema accepts."""
    if is_json:
        return Shape("json", frozenset())
    forms = [form for form in _forms(schema, resolve) if _types(form) != {"null"}]
    for form in forms:
        if "array" in _types(form):
            items = _forms(form.get("items", {}), resolve)
            return Shape("array", _all_types(items), _any_date_time(items))
    for form in forms:
        if "object" in _types(form):
            members = _forms(form.get("additionalProperties", {}), resolve)
            items = [item for member in members for item in _forms(member.get("items", {}), resolve)]
            types = _all_types([*members, *items])
            return Shape("object", types - {"array"}, lists_inside="array" in types)
    return Shape("scalar", _all_types(forms), _any_date_time(forms))


def _forms(schema: Any, resolve: Callable[[Any], Any]) -> list[Mapping[str, Any]]:
    """Flatten references and compositions into the plain schemas that a value may meet."""
    schema = resolve(schema)
    if not isinstance(schema, Mapping):
        return []
    nested = [sub for key in ("anyOf", "oneOf", "allOf") for sub in schema.get(key, [])]
    own = [schema] if "type" in schema or "enum" in schema or not nested else []
    return own + [form for sub in nested for form in _forms(sub, resolve)]


def _types(form: Mapping[str, Any]) -> set[str]:
    declared = form.get("type", "string" if "enum" in form else [])
    return {declared} if isinstance(declared, str) else set(declared)


def _all_types(forms: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(kind for form in forms for kind in _types(form)) - {"null"}


def _any_date_time(forms: Sequence[Mapping[str, Any]]) -> bool:
    return any(form.get("format") == "date-time" for form in forms)


def raw_query(parameters: Sequence[Parameter], pairs: Pairs) -> dict[str, Any]:
    """Collect the declared parameters as text: lists of it for arrays, dictionaries for objects."""
    raw: dict[str, Any] = {}
    for parameter in parameters:
        texts = [value for key, value in pairs if key in (parameter.name, parameter.name + "[]")]
        if parameter.shape.kind == "object":
            members = _members(parameter.name, pairs)
            if members:
                raw[parameter.name] = members
            elif texts:
                raw[parameter.name] = texts[-1]
        elif texts:
            raw[parameter.name] = _split(parameter, texts) if parameter.shape.kind == "array" else texts[-1]
    return raw


def _split(parameter: Parameter, texts: list[str]) -> list[str]:
    if not parameter.comma_separated:
        return texts
    return [part for text in texts for part in text.split(",")]


def _members(name: str, pairs: Pairs) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {}
    for key, value in pairs:
        if key.startswith(name + "[") and key.endswith("]") and len(key) > len(name) + 2:
            member = key[len(name) + 1 : -1].removesuffix("][")
            members.setdefault(member, []).append(value)
    return members


def read_query(parameters: Sequence[Parameter], pairs: Pairs) -> tuple[dict[str, Any], list[RequestIssue]]:
    """Read and check the declared parameters; undeclared ones are ignored, absent ones stay absent.

    Integers, numbers, booleans and instants arrive as such (instants aware), arrays as lists.
    """
    values: dict[str, Any] = {}
    issues: list[RequestIssue] = [
        RequestIssue(("query", key), "contains characters that cannot be stored", input=None)
        for key, value in pairs
        if not (is_storable(key) and is_storable(value))
    ]
    raw = raw_query(parameters, pairs)
    for parameter in parameters:
        at = ("query", parameter.name)
        if parameter.name not in raw:
            if parameter.required:
                issues.append(RequestIssue(at, "is required", code="missing"))
            continue
        value, found = _read(parameter, raw[parameter.name], at)
        issues += found
        values[parameter.name] = value
    return values, issues


def _read(parameter: Parameter, raw: Any, at: tuple[str, ...]) -> tuple[Any, list[RequestIssue]]:
    shape = parameter.shape
    try:
        value = _coerce_all(shape, raw)
    except ValueError as error:
        return None, [RequestIssue(at, str(error), code="type", input=raw)]
    if issues := parameter.check().issues(value, at):
        return None, issues
    return (_instants(value) if shape.is_date_time else value), []


def _coerce_all(shape: Shape, raw: Any) -> Any:
    if shape.kind == "array":
        return [_coerce(shape, text) for text in raw]
    if shape.kind == "json":
        return _read_object(raw)
    if shape.kind == "object":
        if isinstance(raw, str):
            return _read_object(raw)
        return {name: _coerce_member(shape, texts) for name, texts in raw.items()}
    return _coerce(shape, raw)


def _coerce_member(shape: Shape, texts: list[str]) -> Any:
    if shape.lists_inside:
        return [_coerce(shape, text) for text in texts]
    return _coerce(shape, texts[-1])


def _coerce(shape: Shape, text: str) -> Any:
    """Read text as the narrowest declared type. Raises `ValueError` with the sentence to show."""
    if shape.is_date_time:  # `+` in an unescaped offset has been read as a blank
        return _BLANK_OFFSET.sub(r"+\1", text)
    if not shape.types or "string" in shape.types:
        return text
    if "integer" in shape.types and _INTEGER.fullmatch(text):
        if -_INT64 <= (number := int(text)) < _INT64:
            return number
        raise ValueError("is out of range")
    if "number" in shape.types and _NUMBER.fullmatch(text):
        return float(text)
    if "boolean" in shape.types and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    names = {"integer": "an integer", "number": "a number", "boolean": "true or false"}
    wanted = [name for kind, name in names.items() if kind in shape.types]
    raise ValueError(f"must be {' or '.join(wanted) or 'of another form'}")


def _read_object(text: str) -> Any:
    if len(text) > _OBJECT_TEXT_MAX:
        raise ValueError("is too long")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = _read_python_object(text)
    return check_json(value)


def _read_python_object(text: str) -> dict[str, Any]:
    try:
        value = ast.literal_eval(text)  # literals only: nothing is executed
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        value = None
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return value
    raise ValueError("must be a JSON object")


def _instants(value: Any) -> Any:
    if isinstance(value, list):
        return [_instants(item) for item in value]
    try:
        return parse_date_time(value)
    except (ValueError, TypeError):  # another allowed form of the parameter
        return value
