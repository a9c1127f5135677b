"""OpenMeter's filter objects (`{"$eq": "x"}`, `{"$and": […]}`) read into filters of usage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast
from uuid import UUID

from meterhouse.apis.faults import RequestIssue
from meterhouse.apis.validation import parse_date_time
from meterhouse.kernel.errors import Invalid
from meterhouse.kernel.ids import parse_id
from meterhouse.usage.model import StringFilter, StringOperator, TimeFilter

At = tuple[str | int, ...]

FILTERS_MAX = 100
NESTING_MAX = 5
EVENT_NESTING_MAX = 1

_TEXT_OPERATORS = frozenset(
    {"$eq", "$ne", "$in", "$nin", "$like", "$nlike", "$ilike", "$nilike", "$gt", "$gte", "$lt", "$lte"}
)
_TIME_OPERATORS = frozenset({"$gt", "$gte", "$lt", "$lte"})
_CONJUNCTIONS = frozenset({"$and", "$or"})


@dataclass
class _Budget:
    """How many more filters one object may hold, so that no question grows without bound."""

    left: int = FILTERS_MAX

    def spend(self, at: At) -> None:
        self.left -= 1
        if self.left < 0:
            raise refused(at, f"holds more than {FILTERS_MAX} filters", "filter_too_large")


def refused(at: At, message: str, code: str = "invalid_filter") -> Invalid:
    """The error for a fault at a place in the request: `at` starts with `body` or `query`."""
    name = ".".join(str(part) for part in at[1:])
    return Invalid(f"{name}: {message}", issues=(RequestIssue(at, message, code),))


def instant_from_wire(value: str | datetime, at: At) -> datetime:
    """Read an instant that fits the contract, in UTC. Raises `Invalid` beyond the years 1 to 9999."""
    try:
        return (parse_date_time(value) if isinstance(value, str) else value).astimezone(UTC)
    except (OverflowError, ValueError):
        raise refused(at, "must lie in the years 1 to 9999", "time_range") from None


def second_from_wire(value: str | datetime | None, at: At) -> datetime | None:
    """Read an instant in the whole seconds in which events and questions count time."""
    return None if value is None else instant_from_wire(value, at).replace(microsecond=0)


def object_from_wire(value: Any, at: At) -> Mapping[str, Any]:
    """Refuse JSON that is no object; the contract leaves the type of such parameters open."""
    if not isinstance(value, dict):
        raise refused(at, "must be a JSON object", "type")
    return value


def string_filter_from_wire(
    wire: Any, at: At, *, nesting_max: int = NESTING_MAX, budget: _Budget | None = None
) -> StringFilter:
    """Read a string filter. Raises `Invalid` unless it has at most one operator with a usable operand.

    Without an operator it matches everything.
    """
    budget = budget or _Budget()
    budget.spend(at)
    operator, operand = _only_operator(wire, at, _TEXT_OPERATORS)
    if operator in _CONJUNCTIONS:
        parts = tuple(
            string_filter_from_wire(part, here, nesting_max=nesting_max - 1, budget=budget)
            for part, here in _parts(operand, (*at, operator), nesting_max)
        )
        return StringFilter(_conjunction(operator), parts)
    name = cast(StringOperator, operator[1:])
    if isinstance(operand, list):
        return StringFilter(name, tuple(operand))
    if operand == "":
        raise refused((*at, operator), "must not be empty", "too_short")
    return StringFilter(name, operand)


def time_filter_from_wire(
    wire: Any, at: At, *, nesting_max: int = EVENT_NESTING_MAX, budget: _Budget | None = None
) -> TimeFilter:
    """Read a time filter, as `string_filter_from_wire` reads a string filter."""
    budget = budget or _Budget()
    budget.spend(at)
    operator, operand = _only_operator(wire, at, _TIME_OPERATORS)
    if operator in _CONJUNCTIONS:
        parts = tuple(
            time_filter_from_wire(part, here, nesting_max=nesting_max - 1, budget=budget)
            for part, here in _parts(operand, (*at, operator), nesting_max)
        )
        return TimeFilter(_conjunction(operator), parts)
    name = cast(Literal["gt", "gte", "lt", "lte"], operator[1:])
    return TimeFilter(name, instant_from_wire(operand, (*at, operator)))


def ids_from_wire(wire: Any, at: At) -> tuple[UUID, ...] | None:
    """Read `{"$in": [ids]}`; `None` without an operator. Raises `Invalid` for what is no id."""
    operator, operand = _only_operator(wire, at, frozenset({"$in"}), conjunctions=frozenset())
    if operator != "$in":
        return None
    ids = tuple(parse_id(text) for text in operand)
    if None in ids:
        raise refused((*at, "$in"), "must hold ids", "invalid_id")
    return tuple(id for id in ids if id is not None)


def _only_operator(
    wire: Any, at: At, known: frozenset[str], *, conjunctions: frozenset[str] = _CONJUNCTIONS
) -> tuple[str, Any]:
    """The one operator of a filter and its operand; null counts as absent, and absent as an empty `$and`."""
    given = {name: operand for name, operand in object_from_wire(wire, at).items() if operand is not None}
    for name in given:
        if name not in known | conjunctions:
            raise refused(at, f"has the unknown operator {name[:32]}")
    if len(given) > 1:
        raise refused(at, "must have exactly one operator")
    return next(iter(given.items()), ("$and", []))


def _parts(operand: list[Any], at: At, nesting_max: int) -> Iterator[tuple[Any, At]]:
    if operand and nesting_max < 1:
        raise refused(at, "nests too deep", "filter_too_deep")
    return ((part, (*at, index)) for index, part in enumerate(operand))


def _conjunction(operator: str) -> Literal["and", "or"]:
    return "and" if operator == "$and" else "or"
