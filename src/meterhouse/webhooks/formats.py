"""A notice in the words of each kind of receiver, within its size limits. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from meterhouse.kernel.clock import format_instant
from meterhouse.webhooks.engine import email_address
from meterhouse.webhooks.model import Delivery, Endpoint, Letter, Notice, WebhookType

SLACK_TEXT_MAX = 2_900
DISCORD_TEXT_MAX = 1_900
WORKFLOW_TEXT_MAX = 2_900
EMAIL_TEXT_MAX = 100_000
SUBJECT_MAX = 200


def body_of(endpoint: Endpoint, notice: Notice) -> str:
    """The body of one message, as JSON text. The body of an email holds `to`, `subject` and `text`."""
    if endpoint.type is WebhookType.EMAIL:
        return _json({"to": email_address(endpoint.url), **_email(notice)})
    return _json(_FORMATS[endpoint.type](notice))


def letter_of(delivery: Delivery) -> Letter:
    """The email that a delivery holds; empty where it was never worded."""
    return read_letter(delivery.body or "{}")


def read_letter(body: str) -> Letter:
    """The email in a body that `body_of` wrote."""
    content = json.loads(body)
    return Letter(*(str(content.get(name, "")) for name in ("to", "subject", "text")))


def _standard(notice: Notice) -> Mapping[str, object]:
    return notice.payload


def _slack(notice: Notice) -> Mapping[str, object]:
    text = "\n".join(
        [f"*{_slack_text(notice.title)}*", _slack_text(notice.url), _slack_text(notice.summary)]
        + [_slack_text(line) for line in _lines(notice)]
    )
    shown = _cut(text, SLACK_TEXT_MAX)
    section = {"type": "section", "text": {"type": "mrkdwn", "text": shown}}
    return {"text": _cut(f"{notice.title}: {notice.summary}", SLACK_TEXT_MAX), "blocks": [section]}


def _slack_workflow(notice: Notice) -> Mapping[str, object]:
    """Workflows take flat variables, each a text."""
    return {
        "title": _cut(notice.title, WORKFLOW_TEXT_MAX),
        "url": notice.url,
        "summary": _cut(notice.summary, WORKFLOW_TEXT_MAX),
        "details": _cut("\n".join(_lines(notice)), WORKFLOW_TEXT_MAX),
        "status": str(notice.payload.get("status", "")),
    }


def _discord(notice: Notice) -> Mapping[str, object]:
    text = "\n".join([f"**{notice.title}**", notice.url, notice.summary, *_lines(notice)])
    # Text from a page must not call people.
    return {"content": _cut(text, DISCORD_TEXT_MAX), "allowed_mentions": {"parse": []}}


def _email(notice: Notice) -> Mapping[str, object]:
    text = "\n".join([notice.title, notice.url, "", notice.summary, *_lines(notice)])
    subject = " ".join(f"{notice.title}: {notice.summary}".split())
    return {"subject": _cut(subject, SUBJECT_MAX), "text": _cut(text, EMAIL_TEXT_MAX)}


_FORMATS: Mapping[WebhookType, Callable[[Notice], Mapping[str, object]]] = {
    WebhookType.STANDARD: _standard,
    WebhookType.SLACK: _slack,
    WebhookType.SLACK_WORKFLOW: _slack_workflow,
    WebhookType.DISCORD: _discord,
}


def _lines(notice: Notice) -> Iterator[str]:
    for heading, lines in notice.items:
        if lines:
            yield f"{heading}:"
            yield from (f"- {line}" for line in lines)


def _slack_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a payload holds a {type(value).__name__}")
