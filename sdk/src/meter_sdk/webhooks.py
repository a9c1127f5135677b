"""Checking that a webhook comes from the server, and was not sent before.

    from meter_sdk import webhooks

    payload = webhooks.verify_secret(request.headers, request.body, secret="whsec_…")       # collecting
    payload = webhooks.verify_standard(request.headers, request.body, secret="whsec_…")     # Standard Webhooks

Give the body as bytes, exactly as it came. Reference: Meter, section 11; OpenMeter, section 8.5.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from time import time
from typing import Any

from .errors import WebhookVerificationError

TOLERANCE_S = 300
_PREFIX = "whsec_"


def verify_secret(headers: Mapping[str, str], body: bytes | str, secret: str | Iterable[str]) -> Any:
    """Check the `X-Webhook-Secret` of a job's or workflow's notification.

    Args:
        headers: The request's headers, in any case.
        body: The request's body.
        secret: The schedule's secret; several while it is being replaced.

    Returns:
        The payload, decoded.

    Raises:
        WebhookVerificationError: The header is missing or has another secret, or the body is no JSON.

    Reference: Meter, sections 11.2 and 11.4.
    """
    sent = _header(headers, "x-webhook-secret")
    if sent is None:
        raise WebhookVerificationError("The request has no X-Webhook-Secret header.")
    known = [candidate.encode() for candidate in _secrets(secret)]
    # All are compared, so that the time taken tells nothing.
    fits = [hmac.compare_digest(sent.encode(), candidate) for candidate in known]
    if not any(fits):
        raise WebhookVerificationError("The X-Webhook-Secret is not the one of this schedule.")
    return _payload(body)


def verify_standard(
    headers: Mapping[str, str],
    body: bytes | str,
    secret: str | Iterable[str],
    *,
    tolerance: float = TOLERANCE_S,
) -> Any:
    """Check the signature of a notification that follows Standard Webhooks.

    Args:
        headers: The request's headers, in any case: `webhook-id`, `webhook-timestamp` and `webhook-signature`
            (or the same beginning with `svix-`).
        body: The request's body, exactly as it came.
        secret: `whsec_` and base64; several while it is being replaced.
        tolerance: Seconds by which the timestamp may differ from now, against replayed requests.

    Returns:
        The payload, decoded.

    Raises:
        WebhookVerificationError: A header is missing, the time is off, no signature fits, or the body is no JSON.

    Reference: OpenMeter, section 8.5.
    """
    names = ("id", "timestamp", "signature")
    found = {name: _header(headers, f"webhook-{name}") or _header(headers, f"svix-{name}") for name in names}
    missing = [name for name in names if not found[name]]
    if missing:
        raise WebhookVerificationError(f"The request has no webhook-{missing[0]} header.")
    _check_time(str(found["timestamp"]), tolerance)
    signed = f"{found['id']}.{found['timestamp']}.".encode() + _bytes(body)
    expected = [_signature(candidate, signed) for candidate in _secrets(secret)]
    sent = [text.partition(",")[2] for text in str(found["signature"]).split() if text.partition(",")[0] == "v1"]
    fits = [hmac.compare_digest(one.encode(), other.encode()) for one in sent for other in expected]
    if not any(fits):
        raise WebhookVerificationError("No signature of the request fits the secret.")
    return _payload(body)


def sign_standard(secret: str, message_id: str, timestamp: int, body: bytes | str) -> str:
    """The `webhook-signature` of a message, for tests of receivers."""
    return f"v1,{_signature(secret, f'{message_id}.{timestamp}.'.encode() + _bytes(body))}"


def _signature(secret: str, signed: bytes) -> str:
    return base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret[len(_PREFIX) :] if secret.startswith(_PREFIX) else secret, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WebhookVerificationError("The secret is not whsec_ and base64, as Standard Webhooks want it.") from error


def _check_time(timestamp: str, tolerance: float) -> None:
    try:
        difference = abs(time() - int(timestamp))
    except ValueError as error:
        raise WebhookVerificationError("The webhook-timestamp is no number of seconds.") from error
    if difference > tolerance:
        raise WebhookVerificationError(
            f"The webhook-timestamp is {difference:.0f} seconds away from now; this may be a replay."
        )


def _secrets(secret: str | Iterable[str]) -> list[str]:
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if not secrets or not all(secrets):
        raise WebhookVerificationError("There is no secret to check against.")
    return secrets


def _header(headers: Mapping[str, str], name: str) -> str | None:
    for key, value in headers.items():
        if key.lower().replace("_", "-") in (name, f"http-{name}"):  # WSGI has HTTP_X_WEBHOOK_SECRET
            return value
    return None


def _bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _payload(body: bytes | str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise WebhookVerificationError("The request's body is no JSON.") from error


__all__ = ["TOLERANCE_S", "sign_standard", "verify_secret", "verify_standard"]
