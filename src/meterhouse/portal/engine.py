"""Pure: JSON Web Tokens signed with HMAC and SHA-256 (RFC 7519; openmeter 9.1). No other kind is read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from meterhouse.kernel.errors import Unauthenticated
from meterhouse.kernel.ids import parse_id, to_ulid
from meterhouse.portal.model import PortalToken

ISSUER = "openmeter"
SECRET_BYTES = 32
TOKEN_MAX = 16_384
"""No token of ours is longer."""

_SECOND_MAX = 253_402_300_800  # the year 10000
_HEADER = {"alg": "HS256", "typ": "JWT"}


def sign(token: PortalToken, secret: bytes) -> str:
    """Write a token as the text that its holder presents."""
    claims = {
        "iss": ISSUER,
        "sub": token.subject,
        "iat": int(token.created_at.timestamp()),
        "exp": int(token.expires_at.timestamp()),
        "Namespace": to_ulid(token.organisation_id),
        "Id": to_ulid(token.id),
        "AllowedMeterSlugs": list(token.allowed_meter_slugs),
    }
    signed = f"{_encoded(_json(_HEADER))}.{_encoded(_json(claims))}"
    return f"{signed}.{_encoded(_signature(signed, secret))}"


def verify(text: str, secret: bytes, *, now: datetime) -> PortalToken:
    """Read a presented text. Raises `Unauthenticated` with what is wrong with it.

    Nothing of the claims is looked at before the signature is found right.
    """
    if len(text) > TOKEN_MAX or text.count(".") != 2 or not text.isascii():
        raise refused("the portal token is no JSON Web Token")
    signed, _, signature = text.rpartition(".")
    header, payload = signed.split(".")
    if _object(header).get("alg") != _HEADER["alg"]:
        raise refused("the portal token is not signed with HS256")
    if not hmac.compare_digest(_decoded(signature), _signature(signed, secret)):
        raise refused("the portal token has a wrong signature")
    token = _token(_object(payload))
    if token.is_expired(now):
        raise refused("the portal token is expired")
    return token


def digest(text: str) -> bytes:
    """What is kept of a token's text."""
    return hashlib.sha256(text.encode()).digest()


def refused(message: str) -> Unauthenticated:
    return Unauthenticated(message, code="invalid_portal_token")


def _token(claims: dict[str, Any]) -> PortalToken:
    if claims.get("iss") != ISSUER:
        raise refused("the portal token has a wrong issuer")
    subject, slugs = claims.get("sub"), claims.get("AllowedMeterSlugs") or []
    if not isinstance(subject, str) or not subject:
        raise refused("the portal token has an empty subject")
    token_id, organisation_id = (parse_id(str(claims.get(name))) for name in ("Id", "Namespace"))
    if token_id is None or organisation_id is None or not isinstance(slugs, list):
        raise refused("the portal token lacks a claim")
    created_at, expires_at = _instant(claims, "iat"), _instant(claims, "exp")
    return PortalToken(token_id, organisation_id, subject, tuple(map(str, slugs)), created_at, expires_at)


def _instant(claims: dict[str, Any], name: str) -> datetime:
    second = claims.get(name)
    if type(second) is not int or not 0 <= second < _SECOND_MAX:
        raise refused(f"the portal token lacks the claim {name}")
    return datetime.fromtimestamp(second, UTC)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _signature(signed: str, secret: bytes) -> bytes:
    return hmac.digest(secret, signed.encode(), "sha256")


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise refused("the portal token is no JSON Web Token") from None


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise refused("the portal token is no JSON Web Token")
    return value
