"""Filters as SQL conditions: Polar's clause tree, OpenMeter's string and time filters, identities."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.usage.engine import columns, values
from meterhouse.usage.engine.jsonpath import Path, parse_dotted, strip_metadata
from meterhouse.usage.engine.parameters import Parameters
from meterhouse.usage.model import Clause, Filter, Identities, StringFilter, TimeFilter

EVERYTHING = "1"
NOTHING = "0"
FILTER_DEPTH_MAX = 50
FILTER_CLAUSES_MAX = 200  # the engine parses at most 256 KiB of SQL, a clause takes up to 1 KiB of it
TEXT_FILTER_DEPTH_MAX = 10

RawOf = Callable[[Path], str]
"""Names the column that holds the raw value at a path."""

_COMPARE = {"eq": "=", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def check_filter(tree: Filter, *, field: tuple[str | int, ...] = ()) -> None:
    """Refuse, with `Invalid`, a tree that is too deep or large, or that has a hostile property."""
    budget = FILTER_CLAUSES_MAX
    pending: list[tuple[Clause | Filter, tuple[str | int, ...], int]] = [(tree, field, 1)]
    while pending:
        node, at, depth = pending.pop()
        budget -= 1
        if depth > FILTER_DEPTH_MAX or budget < 0:
            message = f"A filter may be {FILTER_DEPTH_MAX} levels deep and hold {FILTER_CLAUSES_MAX} clauses."
            raise Invalid(message, issues=(Issue(field, message, "filter_too_large"),))
        if isinstance(node, Clause):
            parse_dotted(node.property, field=(*at, "property"))
        else:
            pending += [(c, (*at, "clauses", i), depth + 1) for i, c in enumerate(node.clauses)]


def tree_condition(tree: Filter, parameters: Parameters, raw_of: RawOf) -> str:
    """A Polar filter (polar 5). An empty `and` and an empty `or` both match everything."""
    if not tree.clauses:
        return EVERYTHING
    parts = (
        tree_condition(node, parameters, raw_of)
        if isinstance(node, Filter)
        else clause_condition(node, parameters, raw_of)
        for node in tree.clauses
    )
    return "(" + f" {tree.conjunction.upper()} ".join(parts) + ")"


def required_type(tree: Filter) -> str | None:
    """An event type that every match must have, so that the table's order can serve the query."""
    if tree.conjunction == "and" or len(tree.clauses) == 1:
        for node in tree.clauses:
            match node:
                case Clause(property, "eq", str(event_type)) if strip_metadata(property) == "name":
                    return event_type
    return None


def clause_condition(clause: Clause, parameters: Parameters, raw_of: RawOf) -> str:
    """One clause of a Polar filter: event properties by polar 5.2, metadata by the table of polar 5.3."""
    match strip_metadata(clause.property):
        case "name":
            return _own_text_condition(columns.TYPE, clause, parameters)
        case "source":
            return _own_text_condition(f"toString({columns.ORIGIN})", clause, parameters)
        case "timestamp":
            return _timestamp_condition(clause, parameters)
        case _:
            raw = raw_of(parse_dotted(clause.property))
            if clause.operator in ("like", "not_like"):
                return _contains_condition(raw, clause, parameters)
            return _metadata_condition(raw, clause, parameters)


def _own_text_condition(column: str, clause: Clause, parameters: Parameters) -> str:
    if not isinstance(clause.value, str):
        return NOTHING
    value = parameters.text(clause.value)
    if clause.operator in ("like", "not_like"):
        return f"position({column}, {value}) {'>' if clause.operator == 'like' else '='} 0"
    return f"{column} {_COMPARE[clause.operator]} {value}"


def _timestamp_condition(clause: Clause, parameters: Parameters) -> str:
    if isinstance(clause.value, (bool, str)):
        return NOTHING
    second = unix_second()
    if clause.operator in ("like", "not_like"):
        needle = parameters.text(str(clause.value))
        return f"position(toString({second}), {needle}) {'>' if clause.operator == 'like' else '='} 0"
    return f"{second} {_COMPARE[clause.operator]} {parameters.integer(clause.value)}"


def unix_second() -> str:
    """The Unix second of an event, rounded down before 1970 too."""
    micros = f"toUnixTimestamp64Micro({columns.TIME})"
    return f"intDiv({micros} - positiveModulo({micros}, 1000000), 1000000)"


def needle(value: str | int | bool) -> str:
    """The text that a clause value stands for when it meets a text: booleans are `t` and `f`."""
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def _contains_condition(raw: str, clause: Clause, parameters: Parameters) -> str:
    found = ">" if clause.operator == "like" else "="
    wanted = parameters.text(needle(clause.value))
    return f"({raw} NOT IN ('', 'null') AND position({values.text(raw)}, {wanted}) {found} 0)"


def _metadata_condition(raw: str, clause: Clause, parameters: Parameters) -> str:
    operator, value = _COMPARE[clause.operator], clause.value
    if isinstance(value, bool) and clause.operator not in ("eq", "ne"):
        return NOTHING
    is_text = f"(startsWith({raw}, '\"') AND NOT {values.is_long_integer(raw)})"
    branches = [f"{is_text} AND JSONExtractString({raw}) {operator} {parameters.text(needle(value))}"]
    if not isinstance(value, str):
        number = f"toFloat64OrZero({values.number_text(raw)})"
        wanted = parameters.integer(int(value))
        branches.append(f"{values.number_text(raw)} != '' AND {number} {operator} {wanted}")
    if isinstance(value, bool):
        spelt = parameters.text("true" if value else "false")
        branches.append(f"{raw} IN ('true', 'false') AND {raw} {operator} {spelt}")
    return "(" + " OR ".join(f"({branch})" for branch in branches) + ")"


def metadata_conditions(
    metadata: Mapping[str, tuple[str, ...]], parameters: Parameters, raw_of: RawOf
) -> list[str]:
    """Polar's `metadata[key]=value` (polar 3): the text of a literal top-level scalar is one of the given."""
    conditions = []
    for key, wanted in metadata.items():
        raw = raw_of(Path((key,)))
        is_scalar = (
            f"{raw} NOT IN ('', 'null') AND NOT startsWith({raw}, '{{') AND NOT startsWith({raw}, '[')"
        )
        conditions.append(f"({is_scalar} AND has({parameters.texts(wanted)}, {values.text(raw)}))")
    return conditions


def identity_condition(identities: Identities, parameters: Parameters) -> str:
    """Events of any of the customers (polar 7.5).

    The first half restates the second for the table's order, by the invariant that an event naming a
    customer by our id has no subject.
    """
    ids = parameters.texts(identities.customer_ids)
    externals = parameters.texts(identities.external_ids)
    subjects = parameters.texts(dict.fromkeys((*identities.external_ids, "")))
    own = f"({columns.SUBJECT} = '' AND {columns.CUSTOMER} != '' AND has({ids}, {columns.CUSTOMER}))"
    foreign = f"({columns.CUSTOMER} = '' AND has({externals}, {columns.SUBJECT}))"
    return f"({columns.SUBJECT} IN {subjects} AND ({own} OR {foreign}))"


def string_condition(expression: str, wanted: StringFilter, parameters: Parameters, depth: int = 1) -> str:
    """An OpenMeter string filter on a text expression.

    Raises `Invalid` for a broken `like` pattern and beyond ten levels of `and` and `or`.
    """
    _check_depth(depth)
    match wanted.operator, wanted.value:
        case ("and" | "or") as conjunction, tuple(parts):
            filters = [part for part in parts if isinstance(part, StringFilter)]
            conditions = [string_condition(expression, part, parameters, depth + 1) for part in filters]
            return "(" + f" {conjunction.upper()} ".join(conditions) + ")" if conditions else EVERYTHING
        case ("in" | "nin") as operator, tuple(members):
            found = f"has({parameters.texts([m for m in members if isinstance(m, str)])}, {expression})"
            return found if operator == "in" else f"NOT {found}"
        case ("like" | "nlike" | "ilike" | "nilike") as operator, str(pattern):
            _check_pattern(pattern)
            word = "ILIKE" if "ilike" in operator else "LIKE"
            negated = "NOT " if operator.startswith("n") else ""
            return f"{expression} {negated}{word} {parameters.text(pattern)}"
        case operator, str(value):
            return f"{expression} {_COMPARE[operator]} {parameters.text(value)}"
    raise Invalid(f"The filter operator {wanted.operator} needs another kind of operand.")


def _check_depth(depth: int) -> None:
    if depth > TEXT_FILTER_DEPTH_MAX:
        raise Invalid(f"A filter may nest at most {TEXT_FILTER_DEPTH_MAX} levels of $and and $or.")


def _check_pattern(pattern: str) -> None:
    if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
        raise Invalid("A like pattern must not end in a lone backslash; write it twice to mean itself.")


def time_condition(column: str, wanted: TimeFilter, parameters: Parameters, depth: int = 1) -> str:
    """An OpenMeter time filter on an instant column. Raises `Invalid` beyond ten levels."""
    _check_depth(depth)
    if isinstance(wanted.value, tuple):
        parts = [time_condition(column, part, parameters, depth + 1) for part in wanted.value]
        return "(" + f" {wanted.operator.upper()} ".join(parts) + ")" if parts else EVERYTHING
    return f"{column} {_COMPARE[wanted.operator]} {parameters.instant(wanted.value)}"
