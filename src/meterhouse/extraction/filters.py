"""Filter configurations: conditions on items, joined by `all` or `any`, nested as deep as wanted.

A filter is checked when it is written and cannot fail on an item, except by a regular expression
that runs out of time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from meterhouse.extraction import patterns
from meterhouse.extraction.model import Item
from meterhouse.extraction.schema import parse_number
from meterhouse.kernel.errors import Invalid, Issue

DEPTH_MAX = 10
CONDITIONS_MAX = 500

OPERATORS = (
    "contains",
    "not_contains",
    "equals",
    "not_equals",
    "regex_match",
    "exists",
    "not_exists",
    "gt",
    "lt",
)
_WITHOUT_VALUE = frozenset({"exists", "not_exists"})
_NEGATED = {"not_contains": "contains", "not_equals": "equals"}
_MISSING = object()

Mode = Literal["all", "any"]
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Condition:
    """One test of one field."""

    field: str
    operator: str
    value: object = None
    case_sensitive: bool = False

    def holds(self, item: Mapping[str, object]) -> bool:
        value = _look_up(item, self.field)
        if self.operator in _WITHOUT_VALUE:
            return _filled(value) == (self.operator == "exists")
        positive = _NEGATED.get(self.operator)
        if positive is not None:
            return not any(self._test(positive, one) for one in _each(value))
        return any(self._test(self.operator, one) for one in _each(value))

    def _test(self, operator: str, value: object) -> bool:
        if operator in {"gt", "lt"}:
            left, right = parse_number(value), parse_number(self.value)
            if left is None or right is None:
                return False
            return left > right if operator == "gt" else left < right
        if operator == "regex_match":
            return patterns.search(str(self.value), as_text(value), self.case_sensitive) is not None
        text, wanted = as_text(value), as_text(self.value)
        if not self.case_sensitive:
            text, wanted = text.casefold(), wanted.casefold()
        if operator == "contains":
            return wanted in text
        return text == wanted or _same_number(value, self.value)


@dataclass(frozen=True)
class Filter:
    """Conditions and groups under one mode. No conditions keep everything."""

    mode: Mode = "all"
    conditions: tuple[Condition | Filter, ...] = ()

    @classmethod
    def parse(cls, config: object) -> Filter:
        """Check a configuration; a bare condition is wrapped. Raises `Invalid` naming the faulty part."""
        if config is None:
            return cls()
        if not isinstance(config, Mapping):
            raise _refused((), "an object is needed")
        counter = iter(range(CONDITIONS_MAX))
        if "conditions" not in config and "field" in config:
            return cls("all", (_condition(config, (), counter),))
        return _group(config, (), counter, 0)

    def holds(self, item: Mapping[str, object]) -> bool:
        if not self.conditions:
            return True
        verdicts = (one.holds(item) for one in self.conditions)
        return all(verdicts) if self.mode == "all" else any(verdicts)

    def fields(self) -> set[str]:
        """The names of all fields that are looked at, as they were written."""
        inner = (one.fields() if isinstance(one, Filter) else {one.field} for one in self.conditions)
        return set().union(*inner)

    def apply(self, items: Sequence[Item], wrapper: str | None = None) -> list[Item]:
        """The items that hold, in order; with a schema's wrapper, its inner items."""
        if wrapper is None:
            return [item for item in items if self.holds(item)]
        inner = [cast(list[Item], item.get(wrapper) or []) for item in items]
        return [{**item, wrapper: self.apply(some)} for item, some in zip(items, inner, strict=True)]


def as_text(value: object) -> str:
    """A value as it is compared: booleans as `true` and `false`, whole floats without a fraction."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _group(config: Mapping[object, object], path: Path, counter: Iterator[int], depth: int) -> Filter:
    if depth > DEPTH_MAX:
        raise _refused(path, f"groups are nested deeper than {DEPTH_MAX}")
    mode = config.get("mode", "all")
    if mode not in ("all", "any"):
        raise _refused((*path, "mode"), "all or any is needed")
    conditions = config.get("conditions")
    if not isinstance(conditions, list | tuple):
        raise _refused((*path, "conditions"), "a list is needed")
    parts: list[Condition | Filter] = []
    for at, one in enumerate(conditions):
        where = (*path, "conditions", at)
        if not isinstance(one, Mapping):
            raise _refused(where, "a condition or a group is needed")
        if "conditions" in one:
            parts.append(_group(one, where, counter, depth + 1))
        else:
            parts.append(_condition(one, where, counter))
    return Filter(mode, tuple(parts))


def _condition(config: Mapping[object, object], path: Path, counter: Iterator[int]) -> Condition:
    if next(counter, None) is None:
        raise _refused(path, f"more than {CONDITIONS_MAX} conditions")
    field, operator, value = config.get("field"), config.get("operator"), config.get("value")
    if not isinstance(field, str) or not field:
        raise _refused((*path, "field"), "the name of a field is needed")
    if not isinstance(operator, str) or operator not in OPERATORS:
        raise _refused((*path, "operator"), f"one of {', '.join(OPERATORS)} is needed")
    if operator not in _WITHOUT_VALUE and not isinstance(value, str | int | float | bool):
        raise _refused((*path, "value"), f"the operator {operator} needs a value")
    case_sensitive = config.get("case_sensitive", False)
    if not isinstance(case_sensitive, bool):
        raise _refused((*path, "case_sensitive"), "true or false is needed")
    if operator == "regex_match":
        _check_pattern(str(value), (*path, "value"))
    return Condition(field, operator, value, case_sensitive)


def _check_pattern(pattern: str, path: Path) -> None:
    try:
        patterns.check(pattern)
    except Invalid as fault:
        raise _refused(path, fault.message) from fault


def _look_up(item: Mapping[str, object], name: str) -> object:
    """The exact key first, then a dotted path; `None` counts as missing."""
    value = item.get(name, _MISSING)
    if value is _MISSING and "." in name:
        value = item
        for step in name.split("."):
            value = value.get(step, _MISSING) if isinstance(value, Mapping) else _MISSING
    return _MISSING if value is None else value


def _each(value: object) -> Iterator[object]:
    if value is _MISSING:
        return
    if isinstance(value, list | tuple):
        yield from (one for one in value if one is not None)
    else:
        yield value


def _filled(value: object) -> bool:
    return value is not _MISSING and not (isinstance(value, str | list | tuple | Mapping) and len(value) == 0)


def _same_number(value: object, wanted: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    left, right = parse_number(value), parse_number(wanted)
    return left is not None and left == right


def _refused(path: Path, message: str) -> Invalid:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    text = message.rstrip(".")
    return Invalid(
        f"The filter cannot be used: filter_config{''.join(steps)}: {text}.",
        issues=(Issue(("filter_config", *path), text),),
    )
