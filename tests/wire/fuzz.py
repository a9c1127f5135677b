"""Requests made from a contract: mostly of the right shape, with hostile values strewn in.

A generator is a plain `random.Random` with a seed, so that a failure names the request to repeat. Identifiers
that the server handed out are used again, so that requests reach what they would otherwise never find.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from meterhouse.apis.contract import Operation

NESTING = "[" * 64 + "]" * 64
DEEP = '{"a":' * 200 + "1" + "}" * 200
WIDE = {f"k{number}": number for number in range(10_000)}
LARGE = "x" * 1_000_000
TEXTS = [
    *(
        "",
        " ",
        "'",
        '"',
        "\\",
        "\\'",
        "%",
        "_",
        "\x00",
        "\n",
        "\u202e\ufeff",
        "𝔘",
        "\ud800",
        "$",
        "$.a",
        "$..*",
    ),
    *("a'; DROP TABLE events; --", "' OR 1=1 /*", "{p0:String}", "%(x)s ${y} {{z}}", "../../etc/passwd"),
    *("$['a", '$["a"]["b"]', "$.a[*].b", "$.a[99999999999]", "a.b..c", "metadata.", "." * 300, "x" * 300),
    *("null", "true", "NaN", "-0", "1e999", "0x10", "١", "00000000-0000-4000-8000-000000000000"),
    *("01ARZ3NDEKTSV4RRFFQ69G5FAV", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", "{}", "[]", '{"$eq":"x"}', "<script>"),
]
INSTANTS = [
    *("2026-03-02T12:00:00Z", "1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "1900-01-01T00:00:00Z"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999999Z"),
    *("2026-03-29T02:30:00+01:00", "2026-02-30T00:00:00Z", "2026-03-02", "2024-06-01T00:00:00+23:59"),
]
NUMBERS = [0, 1, -1, 2, 10, 100, 2**31, 2**53 + 1, 2**63, -(2**64), 10**400, 0.1, -1e-320, 1.7e308, 1e21]

CLEAN_SHARE = 0.35
"""How many requests have nothing hostile in them, so that there is something to be hostile to."""


@dataclass
class Pool:
    """Identifiers that the server gave out, by the resource: by changes, which are ours, and by reads."""

    own: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)

    def learn(self, operation: Operation, answer: Any) -> None:
        known = (self.seen if operation.method == "GET" else self.own).setdefault(
            resource(operation.path), []
        )
        known += [text for text in _identifiers(answer, 0) if text not in known[-200:]]

    def everything_own(self) -> list[str]:
        return [text for known in self.own.values() for text in known]


def resource(path: str) -> str:
    """What a path is about: its last part that is neither a parameter nor a way to look something up."""
    parts = [part for part in path.split("/") if part and not part.startswith("{") and part not in _LOOK_UPS]
    return parts[-1] if parts else ""


_LOOK_UPS = ("external",)


def _identifiers(value: Any, depth: int) -> Iterable[str]:
    if isinstance(value, dict) and depth < 4:
        for key, member in value.items():
            if isinstance(member, str) and (key.lower().endswith(("id", "key", "slug")) or key == "name"):
                yield member
            yield from _identifiers(member, depth + 1)
    elif isinstance(value, list):
        for member in value[:20]:
            yield from _identifiers(member, depth + 1)


@dataclass
class Request:
    """One request to send."""

    method: str
    path: str
    query: list[tuple[str, str]]
    body: bytes | None
    content_type: str


class Fuzzer:
    """Makes requests to the operations of one contract."""

    def __init__(self, document: Mapping[str, Any], seed: str, pool: Pool) -> None:
        self._components = document["components"]
        self._random = random.Random(seed)
        self._pool = pool
        self._is_clean = False

    def request(self, operation: Operation, source: Mapping[str, Any], shared: Iterable[Any]) -> Request:
        """A request to the operation that the document describes by `source` and its path's parameters."""
        self._is_clean = self._random.random() < CLEAN_SHARE
        path, query, is_read = operation.path, list[tuple[str, str]](), operation.method == "GET"
        for raw in (*shared, *source.get("parameters", ())):
            parameter = self._resolve(raw)
            if parameter["in"] == "path":
                before, name, after = path.partition(f"{{{parameter['name']}}}")
                chosen = self._identifier(resource(before), is_read=is_read)
                path = before + (_escaped(chosen) if name else "") + after
            elif parameter["in"] == "query" and (parameter.get("required") or self._chance(0.4)):
                query += self._parameter(parameter)
        body, content_type = self._body(source)
        return Request(operation.method, path, query, body, content_type)

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _is_hostile(self, share: float) -> bool:
        return not self._is_clean and self._chance(share)

    def _identifier(self, kind: str, *, is_read: bool) -> str:
        known = self._pool.own.get(kind, []) + (self._pool.seen.get(kind, []) if is_read else [])
        if known and self._chance(0.8):
            return self._random.choice(known)
        return self._random.choice([*self._pool.everything_own(), *TEXTS]) or "x"

    def _parameter(self, parameter: Mapping[str, Any]) -> list[tuple[str, str]]:
        name = parameter["name"]
        if "content" in parameter:
            (media,) = parameter["content"].values()
            return [(name, _written(self._value(media["schema"], 0)))]
        value = self._value(parameter["schema"], 0)
        if isinstance(value, list):
            return [(name, _plain(item)) for item in value[:3]]
        if isinstance(value, dict):
            return [(f"{name}[{key}]", _plain(item)) for key, item in list(value.items())[:3]]
        return [(name, _plain(value))]

    def _body(self, source: Mapping[str, Any]) -> tuple[bytes | None, str]:
        content = self._resolve(source.get("requestBody", {})).get("content", {})
        if not content or self._is_hostile(0.03):
            return None, ""
        content_type = self._random.choice(list(content))
        if not content_type.endswith("json"):
            return self._random.choice([*TEXTS, "id,source,type,subject\n1,s,t,u\n"]).encode(
                "utf-8", "replace"
            ), (content_type)
        if self._is_hostile(0.05):
            raw = self._random.choice([NESTING, DEEP, "{", '{"a":1,"a":2}', "[1e999]", '"\\ud800"', "\xff"])
            return raw.encode("latin-1"), content_type
        value = self._value(content[content_type].get("schema", {}), 0)
        return _written(value).encode("utf-8", "surrogatepass"), content_type

    def _resolve(self, node: Any) -> Any:
        while isinstance(node, Mapping) and "$ref" in node:
            _, _, kind, name = node["$ref"].split("/", 3)
            node = self._components[kind][name]
        return node

    def _value(self, schema: Any, depth: int) -> Any:
        """A value that mostly fits a schema."""
        if self._is_hostile(0.05) or depth > 8:
            return self._odd()
        schema = self._resolve(schema)
        for joined in ("oneOf", "anyOf"):
            if joined in schema:
                return self._value(self._random.choice(schema[joined]), depth + 1)
        if "allOf" in schema:
            parts = [self._value(part, depth + 1) for part in schema["allOf"]]
            objects = [part for part in parts if isinstance(part, dict)]
            return {key: value for part in objects for key, value in part.items()} if objects else parts[0]
        if "enum" in schema or "const" in schema:
            return self._random.choice(schema.get("enum") or [schema["const"]])
        return self._typed(schema, depth)

    def _typed(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else None)
        match kind[0] if isinstance(kind, list) else kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                count = self._random.choice([0, 1, 1, 2, 3])
                return [self._value(schema.get("items", {}), depth + 1) for _ in range(count)]
            case "integer" | "number":
                low = int(schema.get("minimum", 0))
                return self._random.choice([low, low + 1, *(() if self._is_clean else NUMBERS)])
            case "boolean":
                return self._chance(0.5)
            case "string":
                return self._text(schema)
            case "null":
                return None
            case _:
                return self._odd()

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        made = {
            name: self._value(member, depth + 1)
            for name, member in schema.get("properties", {}).items()
            if self._chance((1.0 if self._is_clean else 0.97) if name in required else 0.3)
        }
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping) and not self._is_clean:
            made |= {self._random.choice(TEXTS): self._value(more, depth + 1) for _ in range(2)}
        return made

    def _text(self, schema: Mapping[str, Any]) -> str:
        if schema.get("format") == "date-time":
            return self._random.choice(INSTANTS[:1] if self._is_clean else INSTANTS)
        own = self._pool.everything_own()
        if own and self._chance(0.2):
            return self._random.choice(own)
        fresh = f"fuzz_{self._random.randrange(10**9)}"
        if schema.get("format") == "email" and self._chance(0.8):
            return f"{fresh}@example.com"
        if str(schema.get("pattern", "")).startswith("^\\$") and self._chance(0.7):
            return "$.v"
        return fresh if self._is_clean or self._chance(0.3) else self._random.choice(TEXTS)

    def _odd(self) -> Any:
        if self._chance(0.02):
            return self._random.choice([LARGE, WIDE])
        choices: list[Any] = [None, True, [], {}, [[]], {"": {}}, *NUMBERS]
        return self._random.choice([*choices, *TEXTS])


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else _written(value)


def _written(value: Any) -> str:
    return (
        json.dumps(value, ensure_ascii=True) if _has_halves(value) else json.dumps(value, ensure_ascii=False)
    )


def _has_halves(value: Any) -> bool:
    return "\\ud8" in json.dumps(value)


def _escaped(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "replace"))
