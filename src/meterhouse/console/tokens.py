"""The text in the session cookie: a key's id and an end, signed by the server.

It needs no row of its own, so that sessions survive restarts and every process knows them. It opens
nothing by itself: the key it names is looked up with every request.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import UTC, datetime
from uuid import UUID

# A signature made here for another purpose, or with other fields, is none of these.
_PURPOSE = b"meterhouse console session 1\x00"
_ID_BYTES = 16
_END_BYTES = 8
_MAC_BYTES = 32
_TOKEN_BYTES = _ID_BYTES + _END_BYTES + _MAC_BYTES
TOKEN_CHARS = -(-_TOKEN_BYTES * 4 // 3)


def issue_token(secret: bytes, key_id: UUID, ends_at: datetime) -> str:
    """Sign in the key `key_id` until `ends_at` (whole seconds)."""
    payload = key_id.bytes + int(ends_at.timestamp()).to_bytes(_END_BYTES)
    return urlsafe_b64encode(payload + _sign(secret, payload)).rstrip(b"=").decode("ascii")


def read_token(secret: bytes, token: str, now: datetime) -> UUID | None:
    """The key that a token names; `None` when the token is over, or was not made with this secret."""
    if len(token) != TOKEN_CHARS or not token.isascii():
        return None
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (NotBase64, ValueError):
        return None
    if len(raw) != _TOKEN_BYTES:
        return None
    payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _sign(secret, payload)):
        return None
    ends_at = datetime.fromtimestamp(int.from_bytes(payload[_ID_BYTES:]), UTC)
    return UUID(bytes=payload[:_ID_BYTES]) if now < ends_at else None


def _sign(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, _PURPOSE + payload, hashlib.sha256)
