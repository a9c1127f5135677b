"""Pure look-ups in upstream items: paths with dots and `[*]`, and the combinations of several of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from meterhouse.kernel.errors import LimitExceeded
from meterhouse.workflows.model import Item, Mapped

COMBINATIONS_MAX = 10_000
_STEP = re.compile(r"\[(\*|\d+)\]|([^.\[\]]+)")

Scalar = str | int | float | bool
Places = Mapping[str, int]


@dataclass(frozen=True)
class Found:
    """A value and, for each list passed on the way to it, which element was taken."""

    value: Scalar
    places: Places


def find_values(item: Item, path: str) -> list[Scalar]:
    """The plain values at a path, in order. Missing ones, nulls and objects give none."""
    return [found.value for found in _find(item, path)]


def combine(item: Item, mappings: Sequence[Mapped]) -> list[dict[str, Scalar]]:
    """The parameters that one item gives: one value per mapping, in all combinations that belong together.

    Values from the same list belong together element by element. A mapping without any value is left
    out; an item without any at all gives nothing. Raises `LimitExceeded` for too many combinations.
    """
    rows: list[tuple[dict[str, Scalar], dict[str, int]]] = [({}, {})]
    for mapping in mappings:
        values = _find(item, mapping.source_field)
        if values:
            rows = list(islice(_joined(rows, mapping.target_param, values), COMBINATIONS_MAX + 1))
        if len(rows) > COMBINATIONS_MAX:
            raise LimitExceeded(
                f"One upstream item gives more than {COMBINATIONS_MAX} combinations of parameters; "
                "map fewer lists in one node."
            )
    return [parameters for parameters, _ in rows if parameters]


def _joined(
    rows: Sequence[tuple[dict[str, Scalar], dict[str, int]]], name: str, values: Sequence[Found]
) -> Iterator[tuple[dict[str, Scalar], dict[str, int]]]:
    for parameters, places in rows:
        for found in values:
            if all(places.get(path, at) == at for path, at in found.places.items()):
                yield {**parameters, name: found.value}, {**places, **found.places}


def _find(item: Item, path: str) -> list[Found]:
    if path in item:  # the exact key first, as in filters
        return list(_plain(item[path], path, {}))
    steps = [star or name for star, name in _STEP.findall(path)]
    stars = [bool(star) for star, _ in _STEP.findall(path)]
    return list(_walk(item, list(zip(steps, stars, strict=True)), "", {}))


def _walk(value: object, steps: list[tuple[str, bool]], passed: str, places: Places) -> Iterator[Found]:
    if not steps:
        yield from _plain(value, passed, places)
        return
    (step, is_index), rest = steps[0], steps[1:]
    if not is_index:
        if isinstance(value, Mapping):
            yield from _walk(value.get(step), rest, f"{passed}.{step}", places)
    elif isinstance(value, list | tuple):
        chosen = enumerate(value) if step == "*" else [(int(step), v) for v in value[int(step) :][:1]]
        for at, one in chosen:
            taken = {**places, passed: at} if step == "*" else places
            yield from _walk(one, rest, f"{passed}[{step}]", taken)


def _plain(value: object, passed: str, places: Places) -> Iterator[Found]:
    """A value as found; a list of plain values counts as its elements."""
    if isinstance(value, str | int | float | bool):
        if value != "":
            yield Found(value, places)
    elif isinstance(value, list | tuple):
        for at, one in enumerate(value):
            if isinstance(one, str | int | float | bool) and one != "":
                yield Found(one, {**places, passed: at})
