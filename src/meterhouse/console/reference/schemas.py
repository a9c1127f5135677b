"""A contract's schemas as people read them: one row per field, indented, with links where it gets deep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from meterhouse.console.reference.notes import notes_of

RESOLVE_MAX = 20  # references and wrappers on the way to one schema; the contracts need four
CONDITIONS = "x-conditions"  # where a merged schema keeps the parts of `allOf` that only set conditions
_WRAPPERS = ("oneOf", "anyOf")
_ANNOTATIONS = ("readOnly", "writeOnly", "deprecated", "default", "nullable", "description")


@dataclass(frozen=True)
class Form:
    """A schema with references followed and `allOf` merged.

    `name` is the component it comes from. `options` are the alternatives of a union, `null` left out.
    """

    schema: Mapping[str, Any]
    name: str | None = None
    is_nullable: bool = False
    options: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Row:
    """One line of a schema's table. `link` names a component that is described elsewhere."""

    depth: int
    name: str
    type: str
    notes: tuple[str, ...] = ()
    is_required: bool = False
    is_deprecated: bool = False
    link: str | None = None


class SchemaBook:
    """The components of one OpenAPI document (3.0 or 3.1)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._components: Mapping[str, Any] = document.get("components", {}).get("schemas", {})
        self._forms: dict[str, Form] = {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._components, key=str.lower))

    def form(self, schema: Any) -> Form:
        """Follow references, merge `allOf` and unwrap unions of one until something stands by itself."""
        if not isinstance(schema, Mapping) or schema.keys() != {"$ref"}:
            return self._form(schema)
        reference = str(schema["$ref"])  # a plain one means the same everywhere
        if reference not in self._forms:
            self._forms[reference] = Form({})  # what a schema that is made of itself finds
            self._forms[reference] = self._form(schema)
        return self._forms[reference]

    def _form(self, schema: Any) -> Form:
        name: str | None = None
        is_nullable = False
        annotations: dict[str, Any] = {}
        for _ in range(RESOLVE_MAX):
            if not isinstance(schema, Mapping):
                return Form({}, name, is_nullable)
            annotations = {key: schema[key] for key in _ANNOTATIONS if key in schema} | annotations
            if "$ref" in schema:
                target = str(schema["$ref"]).rsplit("/", 1)[-1]
                name = name or target
                schema = self._components.get(target, {})
            elif "allOf" in schema:
                merged_name, schema = self._merge(schema)
                name = name or merged_name
            else:
                options, has_null = _options(schema)
                is_nullable = is_nullable or has_null or annotations.get("nullable") is True
                if len(options) != 1 or "properties" in schema:
                    return Form({**schema, **annotations}, name, is_nullable, options)
                schema = options[0]
        return Form({}, name, is_nullable)

    def _merge(self, schema: Mapping[str, Any]) -> tuple[str | None, Mapping[str, Any]]:
        """Join the parts of an `allOf`; a wrapper around one reference keeps that one's name."""
        merged = {key: value for key, value in schema.items() if key != "allOf"}
        properties: dict[str, Any] = {}
        required = list(merged.get("required", ()))
        conditions = [part for part in schema["allOf"] if _is_condition(part)]
        parts = [self.form(part) for part in schema["allOf"] if not _is_condition(part)]
        for part in parts:
            properties |= part.schema.get("properties", {})
            required += part.schema.get("required", ())
            merged = {**part.schema, **merged}
            if part.options and not any(key in merged for key in _WRAPPERS):
                merged["oneOf"] = list(part.options)
        if properties or "properties" in schema:
            merged["properties"] = properties | schema.get("properties", {})
        if required:
            merged["required"] = list(dict.fromkeys(required))
        if conditions:
            merged[CONDITIONS] = [*merged.get(CONDITIONS, ()), *conditions]
        name = parts[0].name if len(parts) == 1 and "properties" not in schema else None
        return name, merged

    def label(self, schema: Any) -> str:
        """Name the type of a schema in a few words."""
        form = self.form(schema)
        text = " or ".join(dict.fromkeys(self._option_label(option) for option in form.options))
        if not form.options or ("properties" in form.schema and form.name):
            text = self._plain_label(form)
        return f"{text} or null" if form.is_nullable else text

    def _option_label(self, option: Any) -> str:
        form = self.form(option)
        if form.options:
            return form.name or "one of several"
        return self._plain_label(form)

    def _plain_label(self, form: Form) -> str:
        kind = kind_of(form.schema)
        if kind == "array":
            return f"list of {self._item_label(form.schema.get('items'))}"
        if kind == "object":
            return form.name or "object"
        return kind

    def _item_label(self, items: Any) -> str:
        form = self.form(items)
        if form.options:
            return form.name or " or ".join(
                dict.fromkeys(self._option_label(option) for option in form.options)
            )
        return self._plain_label(form)

    def rows(self, schema: Any, depth_max: int) -> tuple[Row, ...]:
        """Describe a schema field by field, `depth_max` levels deep; deeper ones are links."""
        return tuple(self._children(self.form(schema), 0, depth_max, frozenset()))

    def conditions(self, schema: Any) -> tuple[str, ...]:
        """Say which fields an object needs together or instead of each other."""
        form = self.form(schema)
        alternatives = [demands(form.schema), *map(demands, form.schema.get(CONDITIONS, ()))]
        return tuple(
            "Give one of: " + "; ".join(" and ".join(fields) for fields in choice)
            for choice in alternatives
            if choice
        )

    def _children(self, form: Form, depth: int, depth_max: int, seen: frozenset[str]) -> Iterator[Row]:
        """The rows below a schema: its fields, its items' fields, or its alternatives."""
        if form.name is not None:
            seen = seen | {form.name}
        required = frozenset(form.schema.get("required", ()))
        for name, sub in form.schema.get("properties", {}).items():
            yield from self._field(name, sub, depth, depth_max, seen, is_required=name in required)
        more = form.schema.get("additionalProperties")
        if isinstance(more, Mapping) and more:
            yield from self._field("any other key", more, depth, depth_max, seen)
        if kind_of(form.schema) == "array":
            yield from self._children_of_items(form.schema, depth, depth_max, seen)
        if any(self._has_fields(self.form(option)) for option in form.options):
            for option in form.options:
                yield from self._field("either", option, depth, depth_max, seen)

    def _children_of_items(
        self, schema: Mapping[str, Any], depth: int, depth_max: int, seen: frozenset[str]
    ) -> Iterator[Row]:
        for index, sub in enumerate(schema.get("prefixItems", ())):
            yield from self._field(f"[{index}]", sub, depth, depth_max, seen)
        items = self.form(schema.get("items"))
        if self._has_fields(items):
            yield from self._children(items, depth, depth_max, seen)

    def _field(
        self,
        name: str,
        schema: Any,
        depth: int,
        depth_max: int,
        seen: frozenset[str],
        *,
        is_required: bool = False,
    ) -> Iterator[Row]:
        form = self.form(schema)
        inner = self._innermost(form)
        is_deep = depth + 1 >= depth_max or (inner.name is not None and inner.name in seen)
        has_fields = self._has_fields(inner)
        yield Row(
            depth=depth,
            name=name,
            type=self.label(schema),
            notes=notes_of(form.schema),
            is_required=is_required,
            is_deprecated=form.schema.get("deprecated") is True,
            link=inner.name if has_fields and is_deep else None,
        )
        if has_fields and not is_deep:
            yield from self._children(form, depth + 1, depth_max, seen)

    def _innermost(self, form: Form) -> Form:
        """What the items of a list (of lists) are; the form itself when it is no list."""
        for _ in range(RESOLVE_MAX):
            if kind_of(form.schema) != "array" or "items" not in form.schema:
                break
            form = self.form(form.schema["items"])
        return form

    def _has_fields(self, form: Form) -> bool:
        if form.schema.get("properties") or form.schema.get("prefixItems"):
            return True
        if isinstance(more := form.schema.get("additionalProperties"), Mapping) and more:
            return self._innermost(self.form(more)).name is not None
        return any(self._has_named_fields(option) for option in form.options)

    def _has_named_fields(self, option: Any) -> bool:
        form = self._innermost(self.form(option))
        return bool(form.schema.get("properties")) or form.name is not None


def kind_of(schema: Mapping[str, Any]) -> str:
    """The JSON type of a resolved schema, guessed from its keywords where none is declared."""
    declared = schema.get("type")
    if isinstance(declared, Sequence) and not isinstance(declared, str):
        named = [str(kind) for kind in declared if kind != "null"]
        return " or ".join(named) or "null"
    if isinstance(declared, str):
        return declared
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    if "const" in schema or "enum" in schema:
        value = schema["const"] if "const" in schema else next(iter(schema["enum"]), None)
        return _JSON_TYPES.get(type(value), "any")
    return "any"


_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def _options(schema: Mapping[str, Any]) -> tuple[tuple[Any, ...], bool]:
    """The alternatives of a union without `null`, and whether `null` was one of them."""
    for key in _WRAPPERS:
        if isinstance(branches := schema.get(key), list):
            options = tuple(branch for branch in branches if not _is_null(branch))
            return options, len(options) < len(branches)
    declared = schema.get("type")
    return (), isinstance(declared, list) and "null" in declared


def _is_condition(part: Any) -> bool:
    """Whether a part of an `allOf` describes no value: "one of these fields", "if this, then that"."""
    return (
        isinstance(part, Mapping)
        and not {"$ref", "allOf", "type", "properties"} & part.keys()
        and ("if" in part or demands(part) is not None)
    )


def demands(schema: Mapping[str, Any]) -> list[list[str]] | None:
    """Read "one of these sets of fields is required"; `None` for a schema that says anything else."""
    for key in _WRAPPERS:
        branches = schema.get(key)
        if isinstance(branches, list) and all(
            isinstance(branch, Mapping) and branch.keys() == {"required"} for branch in branches
        ):
            return [list(branch["required"]) for branch in branches]
    return None


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "null"
