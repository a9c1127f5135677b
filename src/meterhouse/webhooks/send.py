"""One request to one receiver, whatever it does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from meterhouse.kernel.errors import MeterhouseError
from meterhouse.kernel.ids import new_id
from meterhouse.platform.ports import Fetcher, FetchFailed, FetchLimits, Mail, Mailer, MailFailed
from meterhouse.webhooks import engine
from meterhouse.webhooks.formats import body_of, read_letter
from meterhouse.webhooks.model import Endpoint, Notice, Result, WebhookType

TIMEOUT_S = 30.0
LIMITS = FetchLimits(
    connect_timeout_s=10.0, total_timeout_s=TIMEOUT_S, body_bytes_max=1_000_000, redirects_max=0
)
ERROR_LENGTH_MAX = 500
SMTP_OK = 250
_VAIN = ("bad_url", "blocked_address")


@dataclass(frozen=True)
class Carriers:
    """The ways to receivers. Without a mailer emails stay where people can read them."""

    fetcher: Fetcher
    mailer: Mailer | None = None


async def send(carriers: Carriers, endpoint: Endpoint, *, event_id: str, body: str, now: datetime) -> Result:
    """Send a body once. Raises nothing that a receiver could cause."""
    if endpoint.type is not WebhookType.EMAIL:
        return await _post(carriers.fetcher, endpoint, event_id, body, now)
    assert carriers.mailer is not None, "without a mailer emails stay in the outbox"
    return await _mail(carriers.mailer, event_id, body, now)


async def _mail(mailer: Mailer, event_id: str, body: str, now: datetime) -> Result:
    letter = read_letter(body)
    started = time.monotonic()
    try:
        await mailer.send(Mail(event_id, letter.to, letter.subject, letter.text, now))
    except MailFailed as error:
        return Result(error.reply_code, error.message[:ERROR_LENGTH_MAX], error.is_final, _ms(started))
    return Result(SMTP_OK, duration_ms=_ms(started))


def _ms(started: float) -> int:
    return round(1000 * (time.monotonic() - started))


async def _post(fetcher: Fetcher, endpoint: Endpoint, event_id: str, body: str, now: datetime) -> Result:
    """Post a body. Redirects are not followed: they could lead a secret astray."""
    raw = body.encode()
    secret = endpoint.secret if endpoint.type is WebhookType.STANDARD else None
    headers = engine.headers_of(event_id, raw, secret=secret, timestamp=int(now.timestamp()))
    try:
        answer = await fetcher.fetch(endpoint.url, method="POST", headers=headers, body=raw, limits=LIMITS)
    except FetchFailed as error:
        return Result(0, error.message[:ERROR_LENGTH_MAX], is_final=error.reason in _VAIN)
    except MeterhouseError as error:
        return Result(0, error.message[:ERROR_LENGTH_MAX])
    duration_ms = round(1000 * answer.duration_s)
    if 200 <= answer.status < 300:
        return Result(answer.status, duration_ms=duration_ms)
    wait = answer.headers.get("retry-after", "")
    return Result(
        answer.status,
        f"The receiver answered {_status(answer.status)}.",
        is_final=engine.is_final_status(answer.status),
        duration_ms=duration_ms,
        retry_after_s=int(wait) if wait.isascii() and wait.isdigit() and len(wait) < 9 else None,
    )


async def send_test(carriers: Carriers, endpoint: Endpoint, notice: Notice, *, now: datetime) -> Result:
    """Send a sample once, and tell what came of it."""
    if endpoint.type is WebhookType.EMAIL and carriers.mailer is None:
        message = (
            "This server has no mail server (METERHOUSE_SMTP_URL): emails wait in the outbox, "
            "GET /api/webhooks/outbox."
        )
        return Result(0, message, is_final=True)
    return await send(carriers, endpoint, event_id=str(new_id()), body=body_of(endpoint, notice), now=now)


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
