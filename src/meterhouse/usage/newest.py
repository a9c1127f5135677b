"""The newest events, kept in memory by the one process that stores events.

Rollups lack the events of the last seconds. A question about named owners finds them here instead of asking
the engine, which has them in many small parts.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from meterhouse.usage.block import EventRow

ROWS_MAX = 20_000  # a rollup that is carried on lacks about half as many
BYTES_MAX = 16_000_000


@dataclass(frozen=True)
class _Block:
    """Rows that were stored together, numbered from `first` on."""

    first: int
    rows: Sequence[EventRow]

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @cached_property
    def size(self) -> int:
        return sum(len(row[14]) for row in self.rows)

    @cached_property
    def places(self) -> Mapping[tuple[bytes, str, str], Sequence[int]]:
        """Where the rows of an organisation, type and subject are; made once somebody asks."""
        found = defaultdict(list)
        for place, row in enumerate(self.rows):
            found[row[1], row[2], row[3]].append(place)
        return found


class NewestEvents:
    """All events with a `seq` above some number, the oldest given up first."""

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()
        self._floor = 0
        self._rows = self._size = 0

    def begin(self, floor: int) -> None:
        """Forget everything; all events above `floor` will be added."""
        self._blocks.clear()
        self._floor, self._rows, self._size = floor, 0, 0

    def add(self, first: int, rows: Sequence[EventRow]) -> None:
        """Take in rows that are stored, with the numbers from `first` on."""
        block = _Block(first, rows)
        self._blocks.append(block)
        self._rows += len(rows)
        self._size += block.size
        while self._rows > ROWS_MAX or self._size > BYTES_MAX:
            oldest = self._blocks.popleft()
            self._floor = oldest.last
            self._rows -= len(oldest.rows)
            self._size -= oldest.size

    def find(
        self, *, after: int, organisation_id: UUID, event_type: str, subjects: Collection[str]
    ) -> list[EventRow] | None:
        """Events of one type and some subjects above `after`; `None` when some may be missing."""
        if after < self._floor:
            return None
        found = []
        for block in self._blocks:
            if block.last <= after:
                continue
            for subject in subjects:
                places = block.places.get((organisation_id.bytes, event_type, subject), ())
                found += [block.rows[place] for place in places if block.first + place > after]
        return found
