"""What belongs to one host, and how long it asks to be left alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit


def host_of(url: str) -> str:
    """The host of an absolute address, `name` or `name:port`, lower case; empty when there is none."""
    try:
        return urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return ""


def wait_asked_for(retry_after: str, now: datetime) -> timedelta | None:
    """What a `Retry-After` header asks for, in seconds or as a date (RFC 9110, 10.2.3); `None` if nothing."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return max(timedelta(0), at - now)
