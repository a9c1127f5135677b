"""Why an event is not counted: events explain themselves when they are listed (openmeter 1.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meterhouse.usage.engine.compile import NUMERIC
from meterhouse.usage.engine.documents import parse_document
from meterhouse.usage.engine.explain import Verdict, explain, value_rejection
from meterhouse.usage.model import Event, Meter


@dataclass(frozen=True)
class Explanation:
    """What a meter makes of an event. An archived meter goes on counting, but not for customer meters."""

    meter: Meter
    verdict: Verdict


def explanations(event: Event, meters: Iterable[Meter]) -> list[Explanation]:
    """What each of the event's organisation's meters makes of it, counting ones first."""
    document = parse_document(event.data)
    found = [Explanation(meter, explain(event, meter, document)) for meter in meters]
    return sorted(found, key=lambda item: not item.verdict.is_counted)


def validation_error(event: Event, meters: Sequence[Meter], *, has_customer: bool = True) -> str | None:
    """All that OpenMeter says about a listed event, joined by newlines; `None` when nothing is wrong.

    `meters` are the live meters of the organisation, of which those speak that ask for the event's type and
    need a number: `count` takes any event, and for `unique` a missing value is a value (openmeter 2.2).
    `has_customer` tells whether a customer owns the subject, which is only a remark: the event counts anyway.
    """
    interested = [meter for meter in meters if meter.event_type == event.type]
    document = parse_document(event.data) if interested else None
    found = [value_rejection(event, meter, document) for meter in interested if meter.aggregation in NUMERIC]
    reasons = [rejection.reason for rejection in found if rejection is not None]
    if not interested:
        reasons.append(f"no meter found for event type: {event.type}")
    if not has_customer:
        reasons.append(f"no customer found for event subject: {event.subject}")
    return "\n".join(dict.fromkeys(reasons)) or None
