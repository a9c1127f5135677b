"""SQL expressions that read one value out of an event's raw JSON text.

A value is first taken out as *raw* JSON text, whose first character tells its type; the empty text means
that there is nothing. The engine spells numbers itself: integers of 64 bits as they are, any other number
as the shortest text that reads back as the same double. Longer integers come out quoted, digits unchanged.
"""

from __future__ import annotations

from itertools import groupby

from meterhouse.usage.engine import columns
from meterhouse.usage.engine.jsonpath import Path, Step, Wildcard
from meterhouse.usage.engine.parameters import Parameters

LONG_INTEGER = r"^-?[0-9]{19,}$"
NUMERIC_TEXT = r"^[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?$"
"""What counts as a number in a text: decimal notation without blanks, hexadecimal or named values."""


def raw(path: Path, parameters: Parameters) -> str:
    """The raw JSON text at a path of `data`; empty when there is nothing."""
    if Wildcard.EACH in path.steps:
        return _first_scalar(path, parameters)
    return _walk(columns.DATA, path.steps, parameters)


def _walk(document: str, steps: tuple[Step, ...], parameters: Parameters) -> str:
    """Follow the steps, names in one call per run.

    Indexes go through an array of elements: the engine's own indexing would count an object's members.
    """
    expression = document
    for is_index, run in groupby(steps, key=lambda step: isinstance(step, int)):
        if is_index:
            for index in run:
                assert isinstance(index, int)
                expression = (
                    f"arrayElement(JSONExtractArrayRaw({expression}), {parameters.integer(index + 1)})"
                )
        else:
            names = ", ".join(parameters.text(str(name)) for name in run)
            expression = f"JSONExtractRaw({expression}, {names})"
    return expression


def _first_scalar(path: Path, parameters: Parameters) -> str:
    """The first scalar among all that the wildcards lead to."""
    runs: list[list[Step]] = [[]]
    for step in path.steps:
        if step is Wildcard.EACH:
            runs.append([])
        else:
            runs[-1].append(step)
    found = f"[{_walk(columns.DATA, tuple(runs[0]), parameters)}]"
    for run in runs[1:]:
        elements = f"arrayFlatten(arrayMap(x -> JSONExtractArrayRaw(x), {found}))"
        found = f"arrayMap(x -> {_walk('x', tuple(run), parameters)}, {elements})" if run else elements
    return f"arrayFirst(x -> x != '' AND NOT startsWith(x, '[') AND NOT startsWith(x, '{{'), {found})"


def text(raw_value: str) -> str:
    """The string form of a raw value: a text without its quotes, anything else as spelt; null is empty."""
    plain = f"if({raw_value} = 'null', '', {raw_value})"
    return f"if(startsWith({raw_value}, '\"'), JSONExtractString({raw_value}), {plain})"


def is_long_integer(raw_value: str) -> str:
    """Whether a quoted raw value is an integer of more than 64 bits that the document wrote bare.

    The engine hands such integers out as texts. The document tells them apart: a real text shows up
    in it with its quotes. (One document holding the same digits both ways reads them as text.)
    """
    digits = f"trimBoth({raw_value}, '\"')"
    return (
        f"(startsWith({raw_value}, '\"') AND match({digits}, '{LONG_INTEGER}') "
        f"AND position({columns.DATA}, {raw_value}) = 0)"
    )


def is_bare_number(raw_value: str) -> str:
    """Whether a raw value starts like a number: a minus sign or a digit."""
    return f"({raw_value} >= '-' AND {raw_value} < ':')"


def number_text(raw_value: str) -> str:
    """The digits of a JSON number, or the empty text for any other value (Polar's reading, polar 6)."""
    quoted = f"if({is_long_integer(raw_value)}, trimBoth({raw_value}, '\"'), '')"
    return f"if({is_bare_number(raw_value)}, {raw_value}, {quoted})"


def numeric_text(raw_value: str, text_value: str) -> str:
    """The digits of a number or of a numeric text, else empty (OpenMeter's reading, openmeter 2.2)."""
    return f"if({is_bare_number(raw_value)} OR match({text_value}, '{NUMERIC_TEXT}'), {text_value}, '')"


def identity_text(raw_value: str) -> str:
    """A text that is equal for equal JSON values, and empty for a missing value or null."""
    written = f"if({is_long_integer(raw_value)}, trimBoth({raw_value}, '\"'), {raw_value})"
    return f"multiIf({raw_value} = 'null', '', {raw_value} = '-0', '0', {written})"
