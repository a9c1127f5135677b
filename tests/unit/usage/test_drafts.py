"""What makes an event of Polar's interface acceptable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from tests.usage_factory import NOW, ORGANISATION

from meterhouse.kernel.errors import Invalid
from meterhouse.usage.drafts import CLOCK_TOLERANCE, EventDraft, accepted_time, events_from_drafts

CUSTOMER = UUID(int=5)


def test_a_clock_may_be_slightly_ahead() -> None:
    assert accepted_time(NOW + CLOCK_TOLERANCE, now=NOW) == NOW
    assert accepted_time(NOW - timedelta(days=9999), now=NOW) == NOW - timedelta(days=9999)
    for refused in (NOW + CLOCK_TOLERANCE + timedelta(microseconds=1), datetime(1899, 12, 31, tzinfo=UTC)):
        with pytest.raises(Invalid):
            accepted_time(refused, now=NOW)


def test_a_draft_becomes_an_event() -> None:
    draft = EventDraft("ai", external_id="e", parent="p", external_customer_id="u", external_member_id="m")
    (event,) = events_from_drafts([draft], organisation_id=ORGANISATION, now=NOW)
    assert (event.type, event.source, event.id, event.subject) == ("ai", "polar", "e", "u")
    assert (event.time, event.ingested_at, event.origin) == (NOW, NOW, "user")
    assert (event.parent_id, event.customer_id, event.external_member_id) == ("p", "", "m")


def test_a_customer_of_ours_leaves_the_subject_empty() -> None:
    (event,) = events_from_drafts(
        [EventDraft("ai", customer_id=CUSTOMER)], organisation_id=ORGANISATION, now=NOW
    )
    assert (event.customer_id, event.subject) == (str(CUSTOMER), "")


def test_events_without_an_external_id_are_never_repeats() -> None:
    events = events_from_drafts([EventDraft("ai")] * 2, organisation_id=ORGANISATION, now=NOW)
    assert events[0].id == str(events[0].uid) != events[1].id


def test_an_event_that_names_itself_has_no_parent() -> None:
    draft = EventDraft("ai", external_id="s", parent="s")
    (event,) = events_from_drafts([draft], organisation_id=ORGANISATION, now=NOW)
    assert event.parent_id == ""
