"""Webhook messages as the Meter facade writes them. Secrets are never among them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from meterhouse.apis.meter.convert import Wire
from meterhouse.webhooks import service
from meterhouse.webhooks.model import Attempt, Delivery, DeliveryStatus, Result


def delivery_to_wire(delivery: Delivery) -> Wire:
    return {
        "id": delivery.id,
        "delivery_id": delivery.id,
        "schedule_id": delivery.owner_id,
        "job_id": delivery.subject_id,
        "webhook_type": delivery.endpoint.type,
        "webhook_url": delivery.endpoint.url,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "next_attempt_at": delivery.next_at if delivery.status is DeliveryStatus.PENDING else None,
        "created_at": delivery.created_at,
        "ended_at": delivery.ended_at,
    }


def detail_to_wire(delivery: Delivery, attempts: Sequence[Attempt]) -> Wire:
    return {
        **delivery_to_wire(delivery),
        "body": json.loads(delivery.body) if delivery.body is not None else None,
        "attempt_log": [
            {
                "number": attempt.number,
                "at": attempt.at,
                "status_code": attempt.status_code or 0,
                "error": attempt.error,
                "duration_ms": attempt.duration_ms,
            }
            for attempt in attempts
        ],
    }


def email_to_wire(delivery: Delivery) -> Wire:
    letter = service.letter_of(delivery)
    return {
        "id": delivery.id,
        "schedule_id": delivery.owner_id,
        "job_id": delivery.subject_id,
        "to": letter.to,
        "subject": letter.subject,
        "text": letter.text,
        "created_at": delivery.created_at,
    }


def test_to_wire(result: Result) -> Wire:
    message = "Webhook delivered successfully" if result.succeeded else result.error
    return {"success": result.succeeded, "status_code": result.status_code, "message": message}
