"""Differences as short sentences for people, one per line of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from meterhouse.monitoring.model import Diff, Item, Signature
from meterhouse.monitoring.noise import canonical, normal_value

LINES_MAX = 50
SHOWN_CHARS = 80


def describe_diff(difference: Diff) -> tuple[str, ...]:
    """What happened to the items: counts first, then each changed field; empty when nothing did."""
    counts = (
        (len(difference.added), "added"),
        (len(difference.removed), "removed"),
        (len(difference.modified), "modified"),
        (difference.moved if difference.is_ordered else 0, "moved"),
    )
    lines = [f"{_items(count)} {verb}" for count, verb in counts if count]
    details = [
        f"{change.name} of {label}: {_shown(change.before)} -> {_shown(change.after)}"
        for one in difference.modified
        for label in [_label(one.after, difference.key)]
        for change in one.fields
    ]
    if len(details) > LINES_MAX:
        details = [*details[:LINES_MAX], f"and {len(details) - LINES_MAX} more"]
    return (*lines, *details)


def describe_structure(new: Signature, old: Signature, difference: Diff) -> tuple[str, ...]:
    """What happened to the shape: number of items, fields and their types, order."""
    grown = cast(int, new["item_count"]) - cast(int, old["item_count"])
    lines = [f"{_items(abs(grown))} {'added' if grown > 0 else 'removed'}"] if grown else []
    if new["item_count"] and old["item_count"]:
        lines += _describe_fields(_fields(new), _fields(old), new["item_count"], old["item_count"])
    if difference.moved:
        lines.append(f"{_items(difference.moved)} moved")
    return tuple(lines)


def _fields(signature: Signature) -> Mapping[str, Mapping[str, object]]:
    return cast(Mapping[str, Mapping[str, object]], signature["fields"])


def _describe_fields(
    new: Mapping[str, Mapping[str, object]],
    old: Mapping[str, Mapping[str, object]],
    new_count: object,
    old_count: object,
) -> Iterator[str]:
    nothing: Mapping[str, object] = {"types": [], "present": 0}
    for name in sorted({*new, *old}):
        now, before = new.get(name, nothing), old.get(name, nothing)
        if not now["present"] and not before["present"]:
            continue
        if not before["present"]:
            yield f"field {name} appeared"
        elif not now["present"]:
            yield f"field {name} disappeared"
        else:
            yield from _describe_field(name, now, before, new_count, old_count)


def _describe_field(
    name: str, now: Mapping[str, object], before: Mapping[str, object], new_count: object, old_count: object
) -> Iterator[str]:
    types, types_before = _types(now), _types(before)
    if types != types_before:
        yield f"field {name} changed type: {types_before} -> {types}"
    full, full_before = now["present"] == new_count, before["present"] == old_count
    if full_before and not full:
        yield f"field {name} is now missing in some items ({now['present']} of {new_count} have it)"
    elif full and not full_before:
        yield f"field {name} is now present in every item"
    if now.get("length") != before.get("length") and "length" in now and "length" in before:
        yield f"field {name} changed list length: {_range(before['length'])} -> {_range(now['length'])}"


def _types(field: Mapping[str, object]) -> str:
    return "/".join(kind for kind in cast(list[str], field["types"]) if kind != "null")


def _range(bounds: object) -> str:
    low, high = cast(tuple[int, int], bounds)
    return str(low) if low == high else f"{low} to {high}"


def _items(count: int) -> str:
    return f"{count} item{'' if count == 1 else 's'}"


def item_line(item: Item) -> str:
    """One item in one line: its name, and a few of its other values."""
    label = _label(item, ())
    named = label != "an item"
    rest = [f"{name} {_shown(value)}" for name, value in item.items() if value is not None]
    shown = [text for text in rest if not (named and text.endswith(label))][:4]
    return ", ".join([label.strip('"'), *shown] if named else shown)


def _label(item: Item, key: tuple[str, ...]) -> str:
    for name in ("title", "name", "headline", "heading", *key):
        value = item.get(name)
        if isinstance(value, str) and value.strip():
            return _shown(value)
    return _shown(item.get(key[0])) if key else "an item"


def _shown(value: object) -> str:
    normal = normal_value(value)
    text = f'"{normal}"' if isinstance(normal, str) else canonical(normal)
    return text if len(text) <= SHOWN_CHARS else text[: SHOWN_CHARS - 1] + "…"
