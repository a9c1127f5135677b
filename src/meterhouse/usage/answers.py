"""Answers remembered until an event or a correction concerns them.

Only where no other process can store anything: the writer tells of every row before its caller learns that it
is stored, so what is remembered is never older than what anybody knows. An answer is entered before its
question is asked, and what is told meanwhile strikes it out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from meterhouse.usage.block import EventRow
from meterhouse.usage.model import Correction

ANSWERS_MAX = 1_000
ROWS_MAX = 100

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Concern:
    """Which events change an answer: of one organisation and type, and of some subjects if those are known.

    An event that names its customer by our id has no subject, so it concerns whoever asks by customer.
    """

    organisation_id: UUID
    event_type: str
    subjects: frozenset[str] | None = None


@dataclass(eq=False)
class Entry:
    """One answer, or the place of one that is being looked for."""

    key: tuple[int, str]
    concern: Concern
    rows: Rows | None = None


class Answers:
    """Answers by meter definition and question, the longest unused forgotten first."""

    def __init__(self, *, is_shared: bool) -> None:
        self._is_shared = is_shared
        self._entries: OrderedDict[tuple[int, str], Entry] = OrderedDict()

    def find(self, key: tuple[int, str]) -> Rows | None:
        entry = self._entries.get(key)
        if entry is None or entry.rows is None:
            return None
        self._entries.move_to_end(key)
        return entry.rows

    def enter(self, key: tuple[int, str], concern: Concern | None) -> Entry | None:
        """Make a place for an answer before it is looked for; `None` where it cannot be remembered."""
        if self._is_shared or concern is None:
            return None
        entry = self._entries[key] = Entry(key, concern)
        while len(self._entries) > ANSWERS_MAX:
            self._entries.popitem(last=False)
        return entry

    def keep(self, entry: Entry | None, rows: Rows) -> None:
        """Remember an answer, unless something that concerns it was told since it was entered."""
        if entry is None or self._entries.get(entry.key) is not entry:
            return
        if len(rows) > ROWS_MAX:
            del self._entries[entry.key]
        else:
            entry.rows = rows

    def hear(self, rows: Sequence[EventRow], corrections: Sequence[Correction]) -> None:
        """A listener of the ingestor."""
        if not self._entries:
            return
        told = {(row[1], row[2], row[3]) for row in rows}
        for correction in corrections:
            for event in (correction.before, correction.after):
                if event is not None:
                    told.add((event.organisation_id.bytes, event.type, event.subject))
        types = {(organisation, event_type) for organisation, event_type, _ in told}
        struck = [key for key, entry in self._entries.items() if _is_concerned(entry.concern, told, types)]
        for key in struck:
            del self._entries[key]


def _is_concerned(
    concern: Concern, told: Collection[tuple[bytes, str, str]], types: Collection[tuple[bytes, str]]
) -> bool:
    of = (concern.organisation_id.bytes, concern.event_type)
    if of not in types:
        return False
    return concern.subjects is None or any((*of, subject) in told for subject in concern.subjects)
