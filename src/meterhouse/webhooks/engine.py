"""The rules of webhooks, pure: which format, which secret, which signatures, when to try again."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.webhooks.model import Endpoint, Metadata, WebhookType

SECRET_PREFIX = "whsec_"  # noqa: S105 - how secrets begin, not one of them
SECRET_BYTES = 32
SECRET_LENGTH_MAX = 500
URL_LENGTH_MAX = 4_000
ATTEMPTS_MAX = 5
BACKOFF_S = (10, 60, 180, 600)

_ADDRESS = re.compile(r"[^@\s,<>\"]{1,64}@[^@\s,<>\"/:]{1,255}\.[^@\s,<>\"/:.]{1,63}")
_SLACK_WORKFLOW = re.compile(r"hooks\.slack\.com/(?:workflows|triggers)/")
_DISCORD = re.compile(r"discord(?:app)?\.com/api/webhooks/")


def endpoint_of(
    url: str,
    *,
    kind: str | None,
    secret: str | None,
    metadata: Metadata | None,
    only_changes: bool = False,
) -> tuple[Endpoint, str | None]:
    """The endpoint that somebody asks for, and the secret that was made for it, if one was.

    Raises `Invalid` naming the field at fault. Whether the target may be reached is judged by what its
    name resolves to at each delivery.
    """
    address = url.strip()
    if secret and not (secret.isascii() and secret.isprintable() and len(secret) <= SECRET_LENGTH_MAX):
        raise _refused("webhook_secret", f"must be at most {SECRET_LENGTH_MAX} printable ASCII characters")
    wanted = WebhookType(kind) if kind else detect_type(address)
    _check_target(address, wanted)
    made = None if secret else new_secret()
    return Endpoint(address, wanted, secret or made, metadata or None, only_changes), made


def detect_type(url: str) -> WebhookType:
    """The format that a receiver's address speaks for (reference, 11.1)."""
    lowered = url.lower()
    if lowered.startswith("mailto:") or _ADDRESS.fullmatch(lowered):
        return WebhookType.EMAIL
    if _SLACK_WORKFLOW.search(lowered):
        return WebhookType.SLACK_WORKFLOW
    if "hooks.slack.com" in lowered:
        return WebhookType.SLACK
    return WebhookType.DISCORD if _DISCORD.search(lowered) else WebhookType.STANDARD


def email_address(url: str) -> str:
    """The address behind `mailto:…` or a bare address."""
    return re.sub(r"^mailto:", "", url.strip(), flags=re.IGNORECASE).partition("?")[0]


def host_of(endpoint: Endpoint) -> str:
    """What shares its fate: receivers at one host wait for each other, and for nobody else."""
    if endpoint.type is WebhookType.EMAIL:
        return "email"
    return urlsplit(endpoint.url).netloc.rpartition("@")[2].lower()


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers_of(event_id: str, body: bytes, *, secret: str | None, timestamp: int) -> dict[str, str]:
    """The headers of a message: the documented secret, ours, and those of Standard Webhooks."""
    headers = {
        "content-type": "application/json",
        "x-webhook-id": event_id,
        "x-webhook-timestamp": str(timestamp),
        "webhook-id": event_id,
        "webhook-timestamp": str(timestamp),
    }
    if secret:
        headers["x-webhook-secret"] = secret
        stamped = f"{timestamp}.".encode() + body
        headers["x-webhook-signature"] = (
            "sha256=" + hmac.new(secret.encode(), stamped, hashlib.sha256).hexdigest()
        )
        signed = f"{event_id}.".encode() + stamped
        digest = hmac.new(signing_key(secret), signed, hashlib.sha256).digest()
        headers["webhook-signature"] = "v1," + base64.b64encode(digest).decode()
    return headers


def signing_key(secret: str) -> bytes:
    """The key that Standard Webhooks libraries derive: the base64 after the prefix, or the text itself."""
    text = secret.removeprefix(SECRET_PREFIX)
    try:
        return base64.b64decode(text, validate=True) or secret.encode()
    except binascii.Error:
        return secret.encode()


def retry_after(attempts: int, *, wanted_s: int | None = None) -> timedelta | None:
    """How long to wait after this many failed attempts; `None` when it is given up."""
    if attempts >= ATTEMPTS_MAX:
        return None
    backoff_s = BACKOFF_S[min(attempts, len(BACKOFF_S)) - 1]
    return timedelta(seconds=max(backoff_s, min(wanted_s or 0, BACKOFF_S[-1])))


def is_final_status(status: int) -> bool:
    """Whether a receiver that answered this will not answer better later."""
    return not (status in (408, 429) or status >= 500)


def _check_target(address: str, kind: WebhookType) -> None:
    if len(address) > URL_LENGTH_MAX:
        raise _refused("webhook_url", f"must be at most {URL_LENGTH_MAX} characters")
    if kind is WebhookType.EMAIL:
        if not _ADDRESS.fullmatch(email_address(address)):
            raise _refused(
                "webhook_url", f"{address[:200]!r} is not an email address such as ops@example.com"
            )
        return
    try:
        parts = urlsplit(address)
        usable = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable or any(ord(char) <= 32 for char in address):
        raise _refused(
            "webhook_url", f"Invalid URL format: {address[:200]!r} is not an http:// or https:// address"
        )


def _refused(field: str, message: str) -> Invalid:
    return Invalid(f"{field}: {message}", issues=(Issue((field,), message),))
