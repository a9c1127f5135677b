"""A column: one way to read a field over a sample of records, and what speaks for it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass, replace

from lxml.html import HtmlElement

from meterhouse.extraction.engine.kinds import kinds_of
from meterhouse.extraction.model import Field

LINK_ATTRS = ("href", "src", "data-src")


@dataclass(frozen=True)
class Column:
    """One way to read a field over the sample: the values, the nodes, and words found near it.

    `own` are words of the element's own names, `near` those of its ancestors inside the record, `said`
    those a reader sees as its label or column header. `listed` is a value of one of several alike things on a
    page that is about something else.
    """

    field: Field
    values: tuple[str | None, ...]
    nodes: tuple[HtmlElement | None, ...]
    own: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()
    said: tuple[str, ...] = ()
    headed: bool = False
    depth: int = 0
    place: float = 0.0
    breadth: float = 1.0
    repeats: float = 1.0
    derived: int = 0
    lead: str = ""
    listed: bool = False
    alternates: tuple[Field, ...] = ()
    kinds: Counter[str] = dataclasses.field(default_factory=Counter, compare=False)

    @property
    def present(self) -> list[str]:
        return [value for value in self.values if value]

    @property
    def fill(self) -> float:
        return len(self.present) / max(1, len(self.values))


def finish(column: Column) -> Column:
    kinds: Counter[str] = Counter()
    for value in column.present:
        kinds.update(kinds_of(value))
    return replace(column, kinds=kinds)
