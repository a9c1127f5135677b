"""Output schemas and filters kept in step with the fields of a strategy that is being changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from meterhouse.extraction.schema import OutputSchema

Shape = dict[str, object]


def without(schema: Mapping[str, object], name: str) -> dict[str, object]:
    """The schema without the field of this flat name; objects left empty go too."""
    parsed = OutputSchema.parse(schema)
    return _written(_pruned(parsed.shape, name, ""), parsed.wrapper)


def with_type(schema: Mapping[str, object], name: str, kind: str) -> dict[str, object]:
    """The schema with this type for a field, which is added at the top when it is new."""
    parsed = OutputSchema.parse(schema)
    if name not in parsed.flat_types():
        return _written({**parsed.shape, name: kind}, parsed.wrapper)
    return _written(_retyped(parsed.shape, name, kind, ""), parsed.wrapper)


def renamed(schema: Mapping[str, object], old: str, new: str) -> dict[str, object]:
    """The schema with a field under another name, in its place if it stands at the top."""
    parsed = OutputSchema.parse(schema)
    kind = parsed.flat_types().get(old, "string")
    if old in parsed.shape:
        shape: Shape = {new if key == old else key: value for key, value in parsed.shape.items()}
    else:
        shape = {**_pruned(parsed.shape, old, ""), new: kind}
    return _written(shape, parsed.wrapper)


def fields_of(filter_config: Mapping[str, object] | None) -> set[str]:
    """The fields that a filter speaks of, by their first step."""
    return set(_named(filter_config)) if filter_config else set()


def with_renamed_field(filter_config: Mapping[str, object], old: str, new: str) -> dict[str, object]:
    """The filter speaking of a field under its new name."""
    changed: dict[str, object] = dict(filter_config)
    if changed.get("field") == old:
        changed["field"] = new
    conditions = changed.get("conditions")
    if isinstance(conditions, list | tuple):
        changed["conditions"] = [
            with_renamed_field(one, old, new) if isinstance(one, Mapping) else one for one in conditions
        ]
    return changed


def _named(config: Mapping[str, object]) -> Iterator[str]:
    if isinstance(config.get("field"), str):
        yield str(config["field"])
    conditions = config.get("conditions")
    for one in conditions if isinstance(conditions, list | tuple) else ():
        if isinstance(one, Mapping):
            yield from _named(one)


def _written(shape: Mapping[str, object], wrapper: str | None) -> dict[str, object]:
    return dict(shape) if wrapper is None else {wrapper: [dict(shape)]}


def _pruned(shape: Mapping[str, object], name: str, prefix: str) -> Shape:
    kept: Shape = {}
    for key, value in shape.items():
        if isinstance(value, Mapping):
            inner = _pruned(value, name, f"{prefix}{key}_")
            if inner:
                kept[key] = inner
        elif f"{prefix}{key}" != name:
            kept[key] = value
    return kept


def _retyped(shape: Mapping[str, object], name: str, kind: str, prefix: str) -> Shape:
    changed: Shape = {}
    for key, value in shape.items():
        if isinstance(value, Mapping):
            changed[key] = _retyped(value, name, kind, f"{prefix}{key}_")
        else:
            changed[key] = kind if f"{prefix}{key}" == name else value
    return changed
