"""Checks of values against the contract's schemas, with faults told as `RequestIssue`s."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry

from meterhouse.apis.faults import RequestIssue

ISSUES_MAX = 50

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_UUID = re.compile(
    r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE | re.ASCII
)
_DURATION = re.compile(
    r"P(?=.)(\d+(\.\d+)?Y)?(\d+(\.\d+)?M)?(\d+(\.\d+)?W)?(\d+(\.\d+)?D)?"
    r"(T(?=.)(\d+(\.\d+)?H)?(\d+(\.\d+)?M)?(\d+(\.\d+)?S)?)?",
    re.ASCII,
)
_INTEGERS = {
    "uint8": (0, 2**8),
    "int16": (-(2**15), 2**15),
    "int32": (-(2**31), 2**31),
    "uint32": (0, 2**32),
    "int64": (-(2**63), 2**63),
    "uint64": (0, 2**64),
}
_TYPE_NAMES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}

_formats = FormatChecker(formats=())


def parse_date_time(text: str) -> datetime:
    """Read an RFC 3339 instant; any offset, which must be there. Raises `ValueError` for other text."""
    if not _DATE_TIME.fullmatch(text):
        raise ValueError("not an RFC 3339 instant")
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.upper()))


def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        parse_date_time(value)
    except ValueError:
        return False
    return True


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return not isinstance(value, str) or pattern.fullmatch(value) is not None


def _declare_formats() -> None:
    _formats.checks("date-time")(_is_date_time)
    _formats.checks("duration")(lambda value: _matches(_DURATION, value))
    for name in ("uuid", "uuid4"):  # any version: every facade accepts ids of all of them
        _formats.checks(name)(lambda value: _matches(_UUID, value))
    for name, (low, high) in _INTEGERS.items():
        _formats.checks(name)(
            lambda value, low=low, high=high: not isinstance(value, int) or low <= value < high
        )


_declare_formats()


def _discriminate(
    validator: Any, rule: Mapping[str, Any], instance: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """Check an object against the one branch that its discriminating property names."""
    if not isinstance(instance, dict):
        if "type" not in schema:  # else that keyword reports it
            yield ValidationError(
                "not an object", validator="type", validator_value="object", instance=instance
            )
        return
    name = rule["propertyName"]
    if name not in instance:
        yield ValidationError(
            "missing", validator="required", validator_value=[name], instance=instance, schema=schema
        )
        return
    tag = instance[name]
    branch = rule["mapping"].get(tag) if isinstance(tag, str) else None
    if branch is None:
        yield ValidationError(
            "no such branch", validator="enum", validator_value=[*rule["mapping"]], instance=tag, path=[name]
        )
        return
    yield from validator.descend(instance, branch, schema_path=tag)


Checker: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"discriminator": _discriminate}
)


class Check:
    """One compiled schema."""

    def __init__(self, schema: Any, registry: Registry[Any]) -> None:
        self._validator = Checker(schema, registry=registry, format_checker=_formats)

    def issues(self, value: Any, at: Sequence[str | int]) -> list[RequestIssue]:
        """Tell what does not fit, at most `ISSUES_MAX` faults, their paths starting with `at`."""
        try:
            found = [
                issue
                for error in islice(self._validator.iter_errors(value), ISSUES_MAX)
                for issue in explain(error)
            ]
        except RecursionError:
            return [RequestIssue(tuple(at), "nests too deep to be checked", code="too_deep")]
        prefix = tuple(at)
        mistyped = {issue.path for issue in found if issue.code == "type"}
        told = {
            (issue.path, issue.message): issue
            for issue in found
            if issue.code == "type" or issue.path not in mistyped  # the rest follows from the wrong type
        }
        return [
            RequestIssue((*prefix, *issue.path), issue.message, issue.code, issue.input)
            for issue in islice(told.values(), ISSUES_MAX)
        ]


def explain(error: Any) -> Iterator[RequestIssue]:
    """Turn one validation error into issues that name the field at fault and say what it should be."""
    path = tuple(error.absolute_path)
    rule, wanted, value = error.validator, error.validator_value, error.instance
    if rule in ("anyOf", "oneOf"):
        yield from _explain_alternatives(error, path)
    elif rule == "required":
        for name in wanted:
            if name not in value:
                yield RequestIssue((*path, name), "is required", code="missing", input=None)
    elif rule == "dependentRequired":
        for given, others in wanted.items():
            for name in others:
                if given in value and name not in value:
                    yield RequestIssue((*path, name), f"is required with {given}", code="missing", input=None)
    elif rule == "additionalProperties" and wanted is False:
        for name in value:
            if name not in error.schema.get("properties", {}):
                yield RequestIssue((*path, name), "is not a known field", code="extra_forbidden", input=None)
    else:
        yield RequestIssue(path, _sentence(str(rule), wanted, value), code=str(rule), input=value)


def _explain_alternatives(error: Any, path: tuple[str | int, ...]) -> Iterator[RequestIssue]:
    """Report the branch that comes closest: right type first, then fewest faults."""
    branches: dict[int, list[Any]] = {}
    for child in error.context or ():
        branches.setdefault(int(child.relative_schema_path[0]), []).append(child)
    if not branches:
        yield RequestIssue(path, _more_than_one(error.validator_value), code="one_of", input=error.instance)
        return
    telling = {
        index: children
        for index, children in branches.items()
        if not any(child.validator == "type" and not child.relative_path for child in children)
    }
    if not telling:
        types = [kind for children in branches.values() for kind in _wanted_types(children)]
        yield RequestIssue(
            path,
            f"must be {_any_type(types)}, not {_type_of(error.instance)}",
            code="type",
            input=error.instance,
        )
        return
    if len(telling) > 1 and all(_only_lacks(children) for children in telling.values()):
        names = [
            name for children in telling.values() for child in children for name in child.validator_value
        ]
        yield RequestIssue(path, f"needs one of {', '.join(dict.fromkeys(names))}", code="missing")
        return
    closest = min(telling.values(), key=len)
    for child in closest:
        yield from explain(child)


def _more_than_one(branches: Sequence[Any]) -> str:
    """Name the fields that exclude each other, where the forms differ in nothing else."""
    if all(isinstance(branch, dict) and branch.keys() == {"required"} for branch in branches):
        names = dict.fromkeys(name for branch in branches for name in branch["required"])
        return f"takes exactly one of {', '.join(names)}"
    return "fits more than one of the allowed forms"


def _only_lacks(errors: Sequence[Any]) -> bool:
    return all(error.validator == "required" and not error.relative_path for error in errors)


def _wanted_types(errors: Sequence[Any]) -> Iterator[str]:
    for error in errors:
        if error.validator == "type":
            yield from (
                [error.validator_value] if isinstance(error.validator_value, str) else error.validator_value
            )


def _any_type(types: Sequence[str]) -> str:
    return " or ".join(dict.fromkeys(_TYPE_NAMES.get(kind, kind) for kind in types)) or "of another type"


def _type_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a string", int: "an integer", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def _sentence(rule: str, wanted: Any, value: Any) -> str:
    match rule:
        case "type":
            types = [wanted] if isinstance(wanted, str) else wanted
            return f"must be {_any_type(types)}, not {_type_of(value)}"
        case "enum":
            return f"must be one of {', '.join(str(item) for item in wanted)}"
        case "const":
            return f"must be {wanted}"
        case "format":
            return f"must be a valid {wanted}"
        case "pattern":
            return f"must match {wanted.replace(chr(92) + 'Z', '$')}"
        case "minLength" | "minItems" if wanted == 1:
            return "must not be empty"
        case "minLength":
            return f"must have at least {wanted} characters"
        case "maxLength":
            return f"must have at most {wanted} characters"
        case "minItems" | "minProperties":
            return f"must have at least {wanted} entries"
        case "maxItems" | "maxProperties":
            return f"must have at most {wanted} entries"
        case "minimum":
            return f"must be at least {wanted}"
        case "maximum":
            return f"must be at most {wanted}"
        case "exclusiveMinimum":
            return f"must be greater than {wanted}"
        case "exclusiveMaximum":
            return f"must be less than {wanted}"
        case _:
            return "is not allowed here in this form"
