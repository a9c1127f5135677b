"""OpenAPI schemas (3.0 and 3.1) written as JSON Schema 2020-12.

What differs: `nullable` and boolean `exclusiveMinimum` of 3.0; a `oneOf` with a `discriminator` becomes the
keyword `discriminator` of `validation.Checker`, so that only the branch meant is checked and its faults
are reported; `$` in a pattern means the very end of the text, not also the place before a newline.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Direction = Literal["request", "response"]

_MAPS = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SINGLES = frozenset(
    {"items", "additionalProperties", "not", "if", "then", "else", "propertyNames", "contains"}
)
_IGNORED = frozenset(
    {
        "nullable",
        "discriminator",
        "title",
        "description",
        "example",
        "examples",
        "default",
        "deprecated",
        "xml",
    }
)
_COMPOSED = frozenset({"allOf", "anyOf", "oneOf", "enum", "discriminator", "const"})
_END = re.compile(r"(?<!\\)\$(?=$|\||\))")


@dataclass(frozen=True)
class Dialect:
    """How to convert: `base` prefixes references, `patterns` replaces some (exact text to exact text)."""

    base: str
    direction: Direction
    patterns: Mapping[str, str]

    def convert(self, schema: Any) -> Any:
        """Return the schema in JSON Schema 2020-12; booleans mean what they mean there."""
        if not isinstance(schema, Mapping):
            return schema
        if isinstance(schema.get("$ref"), str):
            return {"$ref": self.base + schema["$ref"]}
        out = {
            key: self._convert_keyword(key, value)
            for key, value in schema.items()
            if key not in _IGNORED and not key.startswith("x-")
        }
        self._restate_bounds(out)
        if self.direction == "request":
            self._excuse_read_only(schema, out)
        if isinstance(schema.get("discriminator"), Mapping):
            self._restate_discriminator(schema, out)
        return _allow_null(out) if schema.get("nullable") is True else out

    def _convert_keyword(self, key: str, value: Any) -> Any:
        if key in _MAPS and isinstance(value, Mapping):
            return {name: self.convert(sub) for name, sub in value.items()}
        if key in _LISTS and isinstance(value, list):
            return [self.convert(sub) for sub in value]
        if key in _SINGLES:
            return self.convert(value)
        if key == "pattern":
            return _END.sub(r"\\Z", self.patterns.get(value, value))
        return value

    @staticmethod
    def _restate_bounds(out: dict[str, Any]) -> None:
        for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if isinstance(out.get(exclusive), bool) and out.pop(exclusive) and inclusive in out:
                out[exclusive] = out.pop(inclusive)

    @staticmethod
    def _excuse_read_only(schema: Mapping[str, Any], out: dict[str, Any]) -> None:
        """Let a request carry read-only properties in any form, and never require them."""
        names = {
            name
            for name, sub in schema.get("properties", {}).items()
            if isinstance(sub, Mapping) and sub.get("readOnly") is True
        }
        if names:
            out["properties"] |= {name: {"readOnly": True} for name in names}
            out["required"] = [name for name in out.get("required", []) if name not in names]

    def _restate_discriminator(self, schema: Mapping[str, Any], out: dict[str, Any]) -> None:
        branches = out.pop("oneOf", None) or out.pop("anyOf", [])
        refs = [branch["$ref"] for branch in branches if "$ref" in branch]
        mapping = {ref.rsplit("/", 1)[-1]: ref for ref in refs}
        if declared := schema["discriminator"].get("mapping"):
            mapping = {value: self.base + ref for value, ref in declared.items()}
        out["discriminator"] = {
            "propertyName": schema["discriminator"]["propertyName"],
            "mapping": {value: {"$ref": ref} for value, ref in mapping.items()},
        }


def _allow_null(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str) and not _COMPOSED & schema.keys():
        return schema | {"type": [schema["type"], "null"]}
    read_only = {"readOnly": True} if schema.get("readOnly") is True else {}
    return {"anyOf": [schema, {"type": "null"}], **read_only}
