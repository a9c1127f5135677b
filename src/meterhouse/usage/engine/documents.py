"""An event's data as plain Python values: how the slow evaluator reads what the engine reads by SQL."""

from __future__ import annotations

import json
import math
import re
from decimal import ROUND_DOWN, Context, Decimal
from fractions import Fraction

from meterhouse.usage.engine.compile import GRID_BELOW, GRID_FROM, GRID_SCALE, GRID_TEXT_MAX
from meterhouse.usage.engine.decode import from_double
from meterhouse.usage.engine.jsonpath import Path, Wildcard

_NUMERIC_TEXT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SIXTY_FOUR_BITS = range(-(2**63), 2**64)
_EXACT = Context(prec=1000)


class Missing:
    """There is no value at the path."""


MISSING = Missing()


def parse_document(data: str) -> object:
    """Read the data; unreadable data, as one with a number beyond doubles, has nothing in it."""
    try:
        document: object = json.loads(
            data, object_pairs_hook=Members, parse_float=_number, parse_constant=_refuse
        )
        json.dumps(document, ensure_ascii=False).encode()  # refuses half of a surrogate pair
    except (ValueError, RecursionError):
        return MISSING
    return document


class Members(dict[str, object]):
    """A JSON object: the first of equal names counts, but its text keeps all `pairs`."""

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(reversed(pairs))  # of equal names the last one given wins
        self.pairs = pairs


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("beyond doubles")
    return number


def _refuse(name: str) -> object:
    raise ValueError(name)


def at(document: object, path: Path) -> object:
    """The value at a path, or `MISSING`; wildcards give the first scalar that they lead to."""
    found = [document]
    for step in path.steps:
        if step is Wildcard.EACH:
            found = [element for value in found if isinstance(value, list) for element in value]
        else:
            found = [_member(value, step) for value in found]
    if Wildcard.EACH not in path.steps:
        return found[0]
    scalars = (value for value in found if not isinstance(value, (Members, list, Missing)))
    return next(scalars, MISSING)


def _member(value: object, step: object) -> object:
    if isinstance(step, str) and isinstance(value, Members):
        return value.get(step, MISSING)
    if isinstance(step, int) and isinstance(value, list) and step < len(value):
        return value[step]
    return MISSING


def is_number(value: object) -> bool:
    """Whether a value is a JSON number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def text_of(value: object) -> str:
    """The string form; empty for nothing and for null."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Missing):
        return ""
    return spell(value)


def spell(value: object) -> str:
    """A value as compact JSON, numbers as the engine spells them."""
    if isinstance(value, float):
        return _spell_double(value)
    if isinstance(value, int) and not isinstance(value, bool) and value not in _SIXTY_FOUR_BITS:
        return str(value)
    if isinstance(value, Members):
        members = (f"{json.dumps(k, ensure_ascii=False)}:{_nested(v)}" for k, v in value.pairs)
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_nested(element) for element in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _nested(value: object) -> str:
    long = is_number(value) and isinstance(value, int) and value not in _SIXTY_FOUR_BITS
    return f'"{value}"' if long else spell(value)


def _spell_double(number: float) -> str:
    """The shortest digits; an exponent below 1e-6 and from 1e21 on."""
    digits = Decimal(repr(number)).normalize(_EXACT)
    if number == 0 or 1e-6 <= abs(number) < 1e21:
        return "-0" if str(number) == "-0.0" else format(digits, "f")
    sign, figures, exponent = digits.as_tuple()
    assert isinstance(exponent, int)
    first, rest = str(figures[0]), "".join(map(str, figures[1:]))
    point = f".{rest}" if rest else ""
    return f"{'-' if sign else ''}{first}{point}e{exponent + len(figures) - 1}"


def number_of(value: object, *, reads_texts: bool) -> tuple[float, Fraction] | None:
    """A usable number as its nearest double and as the exact amount that sums add up; else `None`.

    `reads_texts` is OpenMeter's reading, in which numeric texts are numbers too.
    """
    if isinstance(value, str):
        if not reads_texts or not _NUMERIC_TEXT.fullmatch(value):
            return None
    elif not is_number(value):
        return None
    digits = text_of(value)
    number = float(digits)
    return (number, _amount(number, digits)) if math.isfinite(number) else None


def _amount(number: float, digits: str) -> Fraction:
    if number == 0:
        return Fraction(0)
    size = abs(number)
    if float(GRID_FROM) <= size < float(GRID_BELOW) and len(digits) <= GRID_TEXT_MAX:
        step = Decimal(1).scaleb(-GRID_SCALE)
        return Fraction(Decimal(digits).quantize(step, rounding=ROUND_DOWN, context=_EXACT))
    return Fraction(number)


def chosen_of(value: object, *, reads_texts: bool) -> Fraction | None:
    """A usable number as `min`, `max` and `latest` give it: the decimal that its double is written as."""
    read = number_of(value, reads_texts=reads_texts)
    return None if read is None else from_double(read[0])


def identity_of(value: object) -> tuple[str, object] | None:
    """Equal for equal JSON values; `None` for nothing and null."""
    if value is None or isinstance(value, Missing):
        return None
    if isinstance(value, bool):
        return ("bool", value)
    if is_number(value):
        return ("number", text_of(value) if value != 0 else "0")
    if isinstance(value, str):
        return ("text", value)
    return ("json", spell(value))
