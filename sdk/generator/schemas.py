"""Typed mappings from the schemas of a contract."""

from __future__ import annotations

import keyword
import re
from typing import Any

from .contracts import Contract

SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}

# Answers with one of two forms, as one mapping that has the keys of both: `result["job_id"]` has to work
# without asking first which form it is.
MERGED = {
    "meter": {
        "CreatedJobOrBatch": ("CreatedJob", "CreatedBatch"),
        "WorkflowOutput": ("WorkflowOutputGrouped", "WorkflowOutputFlat"),
    }
}

HEAD = '''"""Results and arguments of the {title} operations, as typed mappings.

Generated from the contract by `generate.py`. Keys that an answer may lack are marked as not required.
"""

from __future__ import annotations

import typing as t

'''
TITLES = {"meter": "Meter", "openmeter": "OpenMeter", "polar": "Polar"}


def module(contract: Contract) -> str:
    """The text of the module with the types of one contract."""
    writer = Writer(contract)
    merged = MERGED.get(contract.name, {})
    for name, schema in contract.schemas.items():
        if name not in merged:
            writer.define(class_name(name), schema)
    for name, parts in merged.items():
        fields: dict[str, str] = {}
        for part in parts:
            members, _ = writer.members(contract.schemas[part], class_name(part))
            fields.update(members)
        writer.blocks.append(typed_dict(name, fields, set()))
    return HEAD.format(title=TITLES[contract.name]) + "\n\n".join(writer.blocks) + "\n"


def class_name(name: str) -> str:
    """A schema's name as a class name."""
    return re.sub(r"\W", "_", name).strip("_")


class Writer:
    """Collects the definitions of a module."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.blocks: list[str] = []
        self.taken = {class_name(name) for name in contract.schemas}

    def define(self, name: str, schema: dict[str, Any]) -> None:
        """Add a class for an object, an alias for anything else."""
        if self.is_object(schema):
            fields, required = self.members(schema, name)
            self.blocks.append(typed_dict(name, fields, required))
        else:
            text = self.expression(schema, name)
            alias = f"t.Union[{text}]" if text.startswith('"') else text  # a bare text would be no alias
            self.blocks.append(f"{name} = {alias}\n")

    def is_object(self, schema: dict[str, Any]) -> bool:
        if "properties" in schema:
            return True
        parts = [self.contract.resolved(part) for part in schema.get("allOf", ())]
        return len(parts) > 1 and any(self.is_object(part) for part in parts)

    def members(self, schema: dict[str, Any], owner: str) -> tuple[dict[str, str], set[str]]:
        """The fields of an object with their types, and those that are always there."""
        fields: dict[str, str] = {}
        required = set(schema.get("required", ()))
        for part in schema.get("allOf", ()):
            more, needed = self.members(self.contract.resolved(part), owner)
            fields.update(more)
            required |= needed
        for key, value in schema.get("properties", {}).items():
            inner = f"{owner}{_camel(key)}"
            fields[key] = self.expression(value, inner)
        return fields, {key for key in required if key in fields}

    def expression(self, schema: Any, inner: str) -> str:
        """A type expression. Names are quoted, so that order does not matter; `inner` names nested objects."""
        if not isinstance(schema, dict) or not schema:
            return "t.Any"
        if "$ref" in schema:
            return f'"{class_name(schema["$ref"].rpartition("/")[2])}"'
        if "const" in schema:
            return _literal([schema["const"]])
        if "enum" in schema:
            return _literal(schema["enum"])
        for word in ("oneOf", "anyOf"):
            if word in schema and "properties" not in schema:
                parts = [self.expression(part, f"{inner}{n}") for n, part in enumerate(schema[word], 1)]
                return _union(parts)
        return self._plain(schema, inner)

    def _plain(self, schema: dict[str, Any], inner: str) -> str:
        if "allOf" in schema and not self.is_object(schema):
            return self.expression(schema["allOf"][0], inner)
        kind = schema.get("type")
        if isinstance(kind, list):
            return _union([self.expression({**schema, "type": one}, inner) for one in kind])
        if self.is_object(schema):
            while inner in self.taken:
                inner += "_"
            self.taken.add(inner)
            self.define(inner, schema)
            return f'"{inner}"'
        if kind == "array":
            return f"t.List[{self.expression(schema.get('items'), f'{inner}Item')}]"
        if kind == "object" or "additionalProperties" in schema:
            values = schema.get("additionalProperties")
            return f"t.Dict[str, {self.expression(values, f'{inner}Value')}]"
        return SCALARS.get(kind or "", "t.Any")


def typed_dict(name: str, fields: dict[str, str], required: set[str]) -> str:
    """A class definition that Python 3.9 understands, which knows no `NotRequired`."""
    always = {key: value for key, value in fields.items() if key in required}
    maybe = {key: value for key, value in fields.items() if key not in required}
    if not always:
        return _definition(name, maybe, total=False)
    if not maybe:
        return _definition(name, always, total=True)
    base = f"_{name}Required"
    if all(_is_name(key) for key in maybe):
        return _definition(base, always, total=True) + "\n\n" + _class(name, maybe, total=False, base=base)
    other = f"_{name}Optional"
    return "\n\n".join(
        [
            _definition(base, always, total=True),
            _definition(other, maybe, total=False),
            f"class {name}({base}, {other}):\n    pass\n",
        ]
    )


def _definition(name: str, fields: dict[str, str], *, total: bool) -> str:
    if all(_is_name(key) for key in fields):
        return _class(name, fields, total=total)
    members = ", ".join(f"{key!r}: {value}" for key, value in fields.items())
    return f'{name} = t.TypedDict("{name}", {{{members}}}{"" if total else ", total=False"})\n'


def _class(name: str, fields: dict[str, str], *, total: bool, base: str = "t.TypedDict") -> str:
    lines = [f"class {name}({base}{'' if total else ', total=False'}):"]
    lines += [f"    {key}: {value}" for key, value in fields.items()] or ["    pass"]
    return "\n".join(lines) + "\n"


def _is_name(key: str) -> bool:
    return key.isidentifier() and not keyword.iskeyword(key)


def _camel(key: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"\W|_", key))


def _literal(values: list[Any]) -> str:
    known = [value for value in values if value is None or isinstance(value, (str, int, bool))]
    return f"t.Literal[{', '.join(repr(value) for value in known)}]" if known else "t.Any"


def _union(parts: list[str]) -> str:
    distinct = list(dict.fromkeys(parts))
    if "t.Any" in distinct:
        return "t.Any"
    return distinct[0] if len(distinct) == 1 else f"t.Union[{', '.join(distinct)}]"
