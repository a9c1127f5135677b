"""Cursors of the event list: opaque to clients, base64 of `<instant>,<row id as ULID>` (openmeter 1.5)."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from meterhouse.kernel.clock import format_instant
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.kernel.ids import parse_ulid, to_ulid
from meterhouse.usage.model import Cursor

_LENGTH_MAX = 200


def format_cursor(cursor: Cursor) -> str:
    """Spell a cursor."""
    return base64.b64encode(f"{format_instant(cursor.time)},{to_ulid(cursor.uid)}".encode()).decode()


def parse_cursor(text: str) -> Cursor:
    """Read a cursor. Raises `Invalid` for anything that `format_cursor` did not write."""
    try:
        if len(text) > _LENGTH_MAX:
            raise ValueError("too long")
        instant, _, ulid = base64.b64decode(text, validate=True).decode("ascii").partition(",")
        uid, time = parse_ulid(ulid), datetime.fromisoformat(instant)
        if uid is None or time.tzinfo is None:
            raise ValueError("no row id or no offset")
    except (ValueError, binascii.Error):
        message = "invalid cursor: use the nextCursor of an earlier answer as it is"
        raise Invalid(message, issues=(Issue(("cursor",), message, "invalid_cursor"),)) from None
    return Cursor(time, uid)
