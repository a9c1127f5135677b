"""Example values made from schemas: small, believable, and accepted by the schema they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from meterhouse.apis.dialect import Direction
from meterhouse.console.reference.schemas import CONDITIONS, Form, SchemaBook, demands, kind_of

DEPTH_MAX = 6  # deeper objects hold only what they must
FULL_DEPTH = {"request": 0, "response": 3}  # down to where optional fields are shown
ITEMS_MAX = 3

_FORMATS = {
    "date-time": "2026-01-31T09:30:00Z",
    "date": "2026-01-31",
    "uuid": "01975a3e-8f6b-7c1d-9e2f-3a4b5c6d7e8f",
    "uuid4": "01975a3e-8f6b-7c1d-9e2f-3a4b5c6d7e8f",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "duration": "P1M",
}
# Texts by field name, lower case and without underscores; used where the schema allows them.
_NAMES = {
    "url": "https://example.com/products",
    "webhookurl": "https://example.com/hook",
    "successurl": "https://example.com/done",
    "name": "Tokens used",
    "displayname": "Ada Lovelace",
    "description": "product names and prices",
    "slug": "tokens_total",
    "key": "tokens_total",
    "featurekey": "tokens_total",
    "eventtype": "prompt",
    "valueproperty": "$.tokens",
    "type": "prompt",
    "source": "my-service",
    "subject": "customer-1",
    "specversion": "1.0",
    "timezone": "Europe/Vienna",
    "email": "ada@example.com",
    "currency": "USD",
    "country": "AT",
    "cronexpression": "0 9 * * 1",
    "externalid": "customer-1",
    "externalcustomerid": "customer-1",
    "amount": "12.50",
    "property": "tokens",
    "feedback": "also take the rating",
}
_NUMBERS = {"intervalseconds": 3600, "httpstatus": 200}
_PATTERNS = (
    "tokens_total",
    "01JZ8V3K5T9QW2X4Y6A8B0C1D2",
    "USD",
    "AT",
    "12.50",
    "P1M",
    "txcd_10000000",
    "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "10",
    "a",
)


class Sampler:
    """Makes examples from the schemas of one document."""

    def __init__(self, book: SchemaBook) -> None:
        self._book = book

    def sample(self, schema: Any, direction: Direction, *, name: str = "") -> Any:
        """An example of a schema. A request holds only what must be sent, an answer all that may come."""
        return self._value(schema, direction, name, 0, ())

    def _value(self, schema: Any, direction: Direction, name: str, depth: int, path: tuple[str, ...]) -> Any:
        form = self._book.form(schema)
        if form.name is not None:
            if path.count(form.name) > 1 or depth > DEPTH_MAX * 2:
                return None if form.is_nullable else {}
            path = (*path, form.name)
        plain = form.schema
        for known in _declared(plain):
            return known
        if form.options and not plain.get("properties"):
            return self._option(form, direction, name, depth, path)
        kind = kind_of(plain)
        if kind == "object":
            made = self._object(plain, direction, depth, path)
            if not form.options or demands(plain):
                return made
            extra = self._value(form.options[0], direction, name, depth, path)
            return made | (extra if isinstance(extra, dict) else {})
        if kind == "array":
            return self._array(plain, direction, name, depth, path)
        return _scalar(plain, kind, name)

    def _option(self, form: Form, direction: Direction, name: str, depth: int, path: tuple[str, ...]) -> Any:
        """The first alternative, marked as the discriminator wants it."""
        option = form.options[0]
        value = self._value(option, direction, name, depth, path)
        rule = form.schema.get("discriminator")
        if isinstance(rule, Mapping) and isinstance(value, dict):
            reference = option.get("$ref")
            marks = [mark for mark, ref in rule.get("mapping", {}).items() if ref == reference]
            if marks:
                return {rule["propertyName"]: marks[0]} | value | {rule["propertyName"]: marks[0]}
        return value

    def _object(
        self, schema: Mapping[str, Any], direction: Direction, depth: int, path: tuple[str, ...]
    ) -> dict[str, Any]:
        fields: Mapping[str, Any] = schema.get("properties", {})
        made = {
            key: self._value(fields[key], direction, key, depth + 1, path)
            for key in self._wanted(schema, direction, depth)
        }
        for key in _then_required(schema, made):
            if key in fields:
                made[key] = self._value(fields[key], direction, key, depth + 1, path)
        more = schema.get("additionalProperties")
        if not made and not schema.get("properties") and isinstance(more, Mapping) and more:
            made["model"] = self._value(more, direction, "model", depth + 1, path)
        return made

    def _wanted(self, schema: Mapping[str, Any], direction: Direction, depth: int) -> Iterator[str]:
        """The fields to show: what is required, plus optional ones near the top or where nothing is."""
        required, excluded = _chosen(schema)
        least = max(int(schema.get("minProperties", 0)), 2 if not required and depth == 0 else 0)
        given = 0
        for key, sub in schema.get("properties", {}).items():
            form = self._book.form(sub)
            if key in excluded or (direction == "request" and form.schema.get("readOnly") is True):
                continue
            is_shown = depth < FULL_DEPTH[direction] and form.schema.get("deprecated") is not True
            if key in required or is_shown or given < least:
                given += 1
                yield key

    def _array(
        self, schema: Mapping[str, Any], direction: Direction, name: str, depth: int, path: tuple[str, ...]
    ) -> list[Any]:
        if prefix := schema.get("prefixItems"):
            return [self._value(sub, direction, name, depth + 1, path) for sub in prefix]
        if depth > DEPTH_MAX and not schema.get("minItems"):
            return []
        count = min(max(1, int(schema.get("minItems", 1))), ITEMS_MAX)
        return [self._value(schema.get("items"), direction, name, depth + 1, path)] * count


def _chosen(schema: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """What an object must have, taking the first of every choice, and what is out because of that."""
    required = set(schema.get("required", ()))
    excluded: set[str] = set()
    for rule in (schema, *schema.get(CONDITIONS, ())):
        for index, fields in enumerate(demands(rule) or ()):
            (required if index == 0 else excluded).update(fields)
    return frozenset(required), frozenset(excluded - required)


def _then_required(schema: Mapping[str, Any], made: Mapping[str, Any]) -> Iterator[str]:
    """The fields that the values so far make necessary (`if`/`then` on one another)."""
    for rule in (schema, *schema.get(CONDITIONS, ())):
        tests = rule.get("if", {}).get("properties", {})
        if tests and all(name in made and _meets(made[name], test) for name, test in tests.items()):
            yield from (name for name in rule.get("then", {}).get("required", ()) if name not in made)


def _meets(value: Any, test: Mapping[str, Any]) -> bool:
    return value in test.get("enum", [test.get("const")])


def _declared(schema: Mapping[str, Any]) -> Iterator[Any]:
    """The examples that a schema carries itself."""
    if "const" in schema:
        yield schema["const"]
    if "example" in schema:
        yield schema["example"]
    if schema.get("examples"):
        yield next(iter(schema["examples"]))
    if schema.get("default") is not None:
        yield schema["default"]
    if schema.get("enum"):
        yield schema["enum"][0]


def _scalar(schema: Mapping[str, Any], kind: str, name: str) -> Any:
    kind = kind.split(" or ", maxsplit=1)[0]
    if kind in ("integer", "number"):
        return _NUMBERS.get(_plain(name)) or _number(schema)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    if kind == "any":
        return _NAMES.get(_plain(name), {})
    return _text(schema, name)


def _number(schema: Mapping[str, Any]) -> int | float:
    for key in ("exclusiveMinimum", "minimum"):
        bound = schema.get(key)
        if isinstance(bound, int | float) and not isinstance(bound, bool) and bound >= 1:
            return bound + 1 if key == "exclusiveMinimum" or schema.get("exclusiveMinimum") is True else bound
    highest = schema.get("maximum")
    return highest if isinstance(highest, int | float) and highest < 1 else 1


def _text(schema: Mapping[str, Any], name: str) -> str:
    pattern = schema.get("pattern")
    candidates = [_FORMATS.get(str(schema.get("format")), ""), _NAMES.get(_plain(name), "")]
    if name.lower().endswith("id") and not pattern:
        candidates.append(_FORMATS["uuid"])
    candidates += _PATTERNS if pattern else ("text",)
    for candidate in candidates:
        if candidate and _fits(candidate, schema, pattern):
            return candidate
    return "a" * int(schema.get("minLength", 1))


def _fits(candidate: str, schema: Mapping[str, Any], pattern: str | None) -> bool:
    if not schema.get("minLength", 0) <= len(candidate) <= schema.get("maxLength", len(candidate)):
        return False
    return pattern is None or re.search(pattern, candidate) is not None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
