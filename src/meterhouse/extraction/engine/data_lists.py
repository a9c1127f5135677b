"""Lists that stand in data for scripts and machines only: embedded state and JSON-LD.

Such a list has a path of keys. Lists on the way have no number in it: a path leads to all objects that can be
reached by its keys, and `*` stands for any key of an object whose members are records.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from meterhouse.extraction.engine.document import Document
from meterhouse.extraction.engine.lexicon import fold
from meterhouse.extraction.engine.record_fields import map_fields
from meterhouse.extraction.engine.record_reading import read_records
from meterhouse.extraction.engine.records import Record, escaped, is_alike, steps_of
from meterhouse.extraction.engine.request import Wish
from meterhouse.extraction.engine.structured import blocks_of
from meterhouse.extraction.model import Container, ContainerSource, Field, Item

SOURCES: tuple[ContainerSource, ...] = ("state", "jsonld")
RECORDS_MAX = 20_000
NODES_MAX = 200_000
DEPTH_MAX = 16
PATHS_MAX = 300
MEMBERS_MIN = 2
SAME_SHARE_MIN = 0.5


@dataclass(frozen=True)
class DataList:
    """A list in the data of a page, with the fields that answer the wish and how well they do."""

    source: ContainerSource
    path: str
    fields: Mapping[str, Field]
    items: Sequence[Item] = field(repr=False)
    score: float = 0.0

    @property
    def container(self) -> Container:
        """The container of a strategy that reads the list; its fullest field tells a record from nothing."""
        full = max(self.fields, key=lambda name: sum(1 for item in self.items if item.get(name)))
        return Container(self.path, "each", (full,), source=self.source)


def records_at(document: Document, source: str, path: str) -> list[Record]:
    """The records that a path of keys leads to."""
    steps = steps_of(path)
    found: list[Record] = []
    for name, value in blocks_of(document, source):
        if not name:
            found += _members(value, steps)
        elif steps[0] == escaped(name):
            found += _members(value, steps[1:])
        if len(found) > RECORDS_MAX:
            break
    return found[:RECORDS_MAX]


def _members(value: object, steps: Sequence[str], depth: int = 0) -> Iterator[Record]:
    if depth > DEPTH_MAX:
        return
    if isinstance(value, list):
        for one in value:
            yield from _members(one, steps, depth + 1)
    elif isinstance(value, Mapping):
        if not steps:
            yield value
        elif steps[0] == "*":
            for one in value.values():
                yield from _members(one, steps[1:], depth + 1)
        elif steps[0] in value:
            yield from _members(value[steps[0]], steps[1:], depth + 1)


def lists_in(document: Document, source: str) -> dict[str, list[Record]]:
    """Every list of two or more objects, under its path."""
    found: dict[str, list[Record]] = {}
    budget = iter(range(NODES_MAX))
    for name, value in blocks_of(document, source):
        _gather(value, escaped(name), found, budget, listed=source == "jsonld")
    return {path: records for path, records in found.items() if len(records) >= MEMBERS_MIN}


def _gather(
    value: object,
    path: str,
    found: dict[str, list[Record]],
    budget: Iterator[int],
    *,
    listed: bool,
    depth: int = 0,
) -> None:
    if depth > DEPTH_MAX or next(budget, None) is None:
        return
    if isinstance(value, list):
        for one in value:
            _gather(one, path, found, budget, listed=True, depth=depth + 1)
    elif isinstance(value, Mapping):
        if listed and path and (path in found or len(found) < PATHS_MAX):
            found.setdefault(path, []).append(value)
        alike = is_alike(value)
        for key, one in value.items():
            step = "*" if alike else escaped(str(key))
            _gather(one, f"{path}.{step}".lstrip("."), found, budget, listed=alike, depth=depth + 1)


def best_data_list(document: Document, wish: Wish, shown: Sequence[Item]) -> DataList | None:
    """The list that answers the wish best. `shown` are the items that the markup gives, if it gives any:
    then the data must hold the same records."""
    found: list[DataList] = []
    for source in SOURCES:
        for path, records in lists_in(document, source).items():
            fields, answered = map_fields(records, wish, shown, document.base)
            items = read_records(fields, records, document.base) if fields else []
            if len(items) >= MEMBERS_MIN and _same_records(shown, items):
                score = answered + 0.1 * math.log2(len(items))
                found.append(DataList(source, path, fields, items, score))
    return max(found, key=lambda one: one.score, default=None)


def _same_records(shown: Sequence[Item], items: Sequence[Item]) -> bool:
    """True when most records of the page have a text that stands in the data as well."""
    if not shown:
        return True
    known = {fold(str(value)) for item in items for value in item.values() if value not in (None, "")}
    hits = sum(1 for item in shown if any(fold(str(value)) in known for value in item.values() if value))
    return hits >= SAME_SHARE_MIN * len(shown)


def answered_by(items: Sequence[Item], wish: Wish) -> float:
    """How many of the wanted fields have values, each by the share of items that have one."""
    if not items:
        return 0.0
    names = [one.name for one in wish.fields]
    return sum(sum(1 for item in items if item.get(name)) for name in names) / len(items)
