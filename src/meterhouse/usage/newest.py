"""The newest events, kept in memory by the one process that stores events.

Rollups lack the events of the last seconds. A question about named owners finds them here instead of asking
the engine, which has them in many small parts.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from meterhouse.usage.block import EventRow

ROWS_MAX = 20_000  # a rollup that is carried on lacks about half as many
BYTES_MAX = 16_000_000
BLOCK_ROWS = 500  # smaller ones are joined, because each costs every question a look


class _Block:
    """Rows that were stored one after another, numbered from `first` on."""

    def __init__(self, first: int, rows: Iterable[EventRow]) -> None:
        self.first = first
        self.rows = list(rows)
        self._places: dict[tuple[bytes, str, str], list[int]] = defaultdict(list)
        self._placed = 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1

    @property
    def places(self) -> Mapping[tuple[bytes, str, str], Sequence[int]]:
        """Where the rows of an organisation, type and subject are; brought up to date when somebody asks."""
        for place in range(self._placed, len(self.rows)):
            row = self.rows[place]
            self._places[row[1], row[2], row[3]].append(place)
        self._placed = len(self.rows)
        return self._places


class Follower(Protocol):
    """Who keeps in step with the events that are stored."""

    def add(self, rows: Sequence[EventRow], /) -> None:
        """Take in rows that are stored; must be quick and raise nothing."""

    def forget(self) -> None:
        """It is not known what was stored."""


class NewestEvents:
    """All events with a `seq` above some number, the oldest given up first."""

    def __init__(self) -> None:
        self._blocks: deque[_Block] = deque()
        self._floor = 0
        self._rows = self._size = 0
        self._followers: list[Follower] = []

    def follow(self, follower: Follower) -> None:
        """Tell `follower` of all that is added from now on."""
        self._followers.append(follower)

    def begin(self, floor: int) -> None:
        """Forget everything; all events above `floor` will be added."""
        self._blocks.clear()
        self._floor, self._rows, self._size = floor, 0, 0
        for follower in self._followers:
            follower.forget()

    def add(self, first: int, rows: Sequence[EventRow]) -> None:
        """Take in rows that are stored, with the numbers from `first` on."""
        newest = self._blocks[-1] if self._blocks else None
        if newest is not None and newest.last + 1 == first and len(newest.rows) < BLOCK_ROWS:
            newest.rows += rows
        else:
            self._blocks.append(_Block(first, rows))
        self._rows += len(rows)
        self._size += _size(rows)
        while self._rows > ROWS_MAX or self._size > BYTES_MAX:
            oldest = self._blocks.popleft()
            self._floor = oldest.last
            self._rows -= len(oldest.rows)
            self._size -= _size(oldest.rows)
        for follower in self._followers:
            follower.add(rows)

    def reaches(self, after: int) -> bool:
        """Whether all events above `after` are here."""
        return after >= self._floor

    def find(
        self, *, after: int, organisation_id: UUID, event_type: str, subjects: Collection[str]
    ) -> list[EventRow] | None:
        """Events of one type and some subjects above `after`; `None` when some may be missing."""
        if not self.reaches(after):
            return None
        found: list[EventRow] = []
        for block in reversed(self._blocks):
            if block.last <= after:
                break
            for subject in subjects:
                places = block.places.get((organisation_id.bytes, event_type, subject), ())
                found += [block.rows[place] for place in places if block.first + place > after]
        return found


def _size(rows: Iterable[EventRow]) -> int:
    return sum(len(row[14]) for row in rows)
