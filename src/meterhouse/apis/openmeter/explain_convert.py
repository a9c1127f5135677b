"""What is behind a balance, in OpenMeter's spelling."""

from __future__ import annotations

from meterhouse.apis.openmeter.numbers import number_to_wire
from meterhouse.apis.openmeter.value_convert import period_to_wire
from meterhouse.entitlements.engine.burn import Ledger
from meterhouse.entitlements.explain import CountedEvent, Explanation, GrantStanding
from meterhouse.entitlements.model import Segment
from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.ids import to_ulid


def explanation_to_wire(explanation: Explanation) -> dict[str, object]:
    """Write an explanation beside the value that it explains."""
    return {
        "sentences": list(explanation.sentences),
        "period": period_to_wire(explanation.balance.period),
        "grants": [_grant(standing) for standing in explanation.grants],
        "segments": [_segment(segment) for segment in explanation.segments],
        "events": [_event(counted) for counted in explanation.events],
        "books": _books(explanation.ledger),
    }


def _grant(standing: GrantStanding) -> dict[str, object]:
    grant = standing.grant
    wire = {
        "id": to_ulid(grant.id),
        "status": standing.status,
        "place": standing.place,
        "amount": number_to_wire(grant.amount),
        "priority": grant.priority,
        "effectiveAt": format_instant(grant.effective_at),
        "endsAt": None if grant.ends_at is None else format_instant(grant.ends_at),
        "balance": number_to_wire(standing.balance),
        "usedInPeriod": number_to_wire(standing.used_in_period),
        "sentence": standing.sentence,
    }
    return {key: value for key, value in wire.items() if value is not None}


def _segment(segment: Segment) -> dict[str, object]:
    used = segment.grant_usages.items()
    return {
        "period": period_to_wire(segment.period),
        "usage": number_to_wire(segment.usage),
        "overage": number_to_wire(segment.overage),
        "balanceAtStart": number_to_wire(segment.balance_at_start),
        "balanceAtEnd": number_to_wire(segment.balance_at_end),
        "isReset": segment.is_reset,
        "grantUsages": {to_ulid(grant_id): number_to_wire(amount) for grant_id, amount in used},
    }


def _event(counted: CountedEvent) -> dict[str, object]:
    event = counted.event
    return {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "subject": event.subject,
        "time": format_instant(event.time),
        "countsFor": number_to_wire(counted.counts_for),
    }


def _books(ledger: Ledger) -> dict[str, object]:
    return {
        "given": number_to_wire(ledger.given),
        "used": number_to_wire(ledger.used),
        "expired": number_to_wire(ledger.expired),
        "voided": number_to_wire(ledger.voided),
        "lapsed": number_to_wire(ledger.lapsed),
        "overageForgiven": number_to_wire(ledger.forgiven),
    }
