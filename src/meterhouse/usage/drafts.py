"""Events as Polar's interface offers them, and what makes them acceptable (polar 8.2 to 8.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.kernel.ids import new_id
from meterhouse.usage.block import EARLIEST
from meterhouse.usage.model import Event

POLAR_SOURCE = "polar"
"""The source of every event that came in through Polar's interface: its external ids are one name space."""

CLOCK_TOLERANCE = timedelta(seconds=5)
"""How far a producer's clock may be ahead. Older clients repeat a refused batch for ever, so a clock that
is slightly wrong must not block them; the event is then dated now."""


@dataclass(frozen=True)
class EventDraft:
    """An event to be. Exactly one of `customer_id` and `external_customer_id` is given.

    `external_id` is the key that repeats are found by; without one the event is never a repeat.
    `parent` is an event's id or external id. `data` is a JSON object as text.
    """

    name: str
    time: datetime | None = None
    external_id: str | None = None
    parent: str | None = None
    customer_id: UUID | None = None
    external_customer_id: str | None = None
    member_id: UUID | None = None
    external_member_id: str | None = None
    data: str = "{}"


def accepted_time(sent: datetime, *, now: datetime) -> datetime:
    """The time that an event gets for the one that was sent: never after `now`.

    Raises `Invalid` for a time beyond the clock tolerance, and for one before the year 1900.
    """
    if sent > now + CLOCK_TOLERANCE:
        raise _refused("Timestamp must be in the past.")
    if sent < EARLIEST:
        raise _refused("Timestamp must not lie before the year 1900.")
    return min(sent, now)


def _refused(text: str) -> Invalid:
    return Invalid(text, issues=(Issue(("timestamp",), text),))


def events_from_drafts(drafts: Sequence[EventDraft], *, organisation_id: UUID, now: datetime) -> list[Event]:
    """Make the events to store, in the order of the drafts. Their times have been accepted before."""
    return [_event(draft, organisation_id, now) for draft in drafts]


def _event(draft: EventDraft, organisation_id: UUID, now: datetime) -> Event:
    uid = new_id()
    event_id = str(uid) if draft.external_id is None else draft.external_id
    # An event that names itself as its parent has none.
    parent = "" if draft.parent is None or draft.parent == draft.external_id else draft.parent
    return Event(
        organisation_id=organisation_id,
        type=draft.name,
        source=POLAR_SOURCE,
        id=event_id,
        subject=draft.external_customer_id or "",
        time=draft.time or now,
        ingested_at=now,
        uid=uid,
        data=draft.data,
        customer_id=str(draft.customer_id or ""),
        member_id=str(draft.member_id or ""),
        external_member_id=draft.external_member_id or "",
        parent_id=parent,
    )
