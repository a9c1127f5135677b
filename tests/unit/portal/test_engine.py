"""Tokens that say what they should, and texts that are no tokens of ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meterhouse.kernel.errors import Unauthenticated
from meterhouse.kernel.ids import new_id, to_ulid
from meterhouse.portal.engine import TOKEN_MAX, sign, verify
from meterhouse.portal.model import PortalToken

T = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = b"s" * 32
TOKEN = PortalToken(new_id(), new_id(), "subject ü", ("a", "b"), T, T + timedelta(hours=1))
CLAIMS: dict[str, Any] = {
    "iss": "openmeter",
    "sub": "s",
    "iat": int(T.timestamp()),
    "exp": int(T.timestamp()) + 60,
    "Namespace": to_ulid(new_id()),
    "Id": to_ulid(new_id()),
    "AllowedMeterSlugs": [],
}


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(claims: object, header: object = None, secret: bytes = SECRET) -> str:
    text = f"{part({'alg': 'HS256'} if header is None else header)}.{part(claims)}"
    return f"{text}.{part(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def test_a_token_reads_back() -> None:
    text = sign(TOKEN, SECRET)
    assert verify(text, SECRET, now=T) == TOKEN
    header, claims = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in text.split(".")[:2])
    assert header == {"alg": "HS256", "typ": "JWT"}
    assert claims == {
        "iss": "openmeter",
        "sub": "subject ü",
        "iat": 1772323200,
        "exp": 1772326800,
        "Namespace": to_ulid(TOKEN.organisation_id),
        "Id": to_ulid(TOKEN.id),
        "AllowedMeterSlugs": ["a", "b"],
    }
    assert TOKEN.allows("a")
    assert not TOKEN.allows("c")
    anything = PortalToken(new_id(), new_id(), "s", (), T, T)
    assert anything.allows("c")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON Web Token"),
        ("sk_live_something", "no JSON Web Token"),
        ("a.b.c.d", "no JSON Web Token"),
        ("..", "no JSON Web Token"),
        ("a.b.c", "no JSON Web Token"),
        ("é.é.é", "no JSON Web Token"),
        (f"{part([])}.{part({})}.{part(b'x')}", "no JSON Web Token"),
        (f"{part(b'[' * 5000)}.{part({})}.{part(b'x')}", "no JSON Web Token"),
        ("x" * (TOKEN_MAX + 1), "no JSON Web Token"),
        (f"{part({'alg': 'none'})}.{part(CLAIMS)}.", "not signed with HS256"),
        (signed(CLAIMS, {"alg": "HS512"}), "not signed with HS256"),
        (signed(CLAIMS, {"alg": None}), "not signed with HS256"),
        (signed(CLAIMS, secret=b"t" * 32), "wrong signature"),
        (signed(CLAIMS).rsplit(".", 1)[0] + ".", "wrong signature"),
        (signed(CLAIMS)[:-3], "wrong signature"),
        (signed(CLAIMS)[:-2], "no JSON Web Token"),
        (signed([]), "no JSON Web Token"),
        (signed(CLAIMS | {"iss": "other"}), "wrong issuer"),
        (signed({k: v for k, v in CLAIMS.items() if k != "iss"}), "wrong issuer"),
        (signed(CLAIMS | {"sub": ""}), "empty subject"),
        (signed(CLAIMS | {"sub": 5}), "empty subject"),
        (signed({k: v for k, v in CLAIMS.items() if k != "exp"}), "lacks the claim exp"),
        (signed(CLAIMS | {"exp": "soon"}), "lacks the claim exp"),
        (signed(CLAIMS | {"exp": 10**30}), "lacks the claim exp"),
        (signed(CLAIMS | {"exp": True}), "lacks the claim exp"),
        (signed(CLAIMS | {"iat": None}), "lacks the claim iat"),
        (signed(CLAIMS | {"Id": "nobody"}), "lacks a claim"),
        (signed(CLAIMS | {"Namespace": None}), "lacks a claim"),
        (signed(CLAIMS | {"AllowedMeterSlugs": "a"}), "lacks a claim"),
        (signed(CLAIMS | {"exp": int(T.timestamp())}), "expired"),
    ],
)
def test_what_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Unauthenticated, match=reason):
        verify(text, SECRET, now=T)


def test_it_ends_at_its_second() -> None:
    text = sign(TOKEN, SECRET)
    verify(text, SECRET, now=TOKEN.expires_at - timedelta(microseconds=1))
    with pytest.raises(Unauthenticated, match="expired"):
        verify(text, SECRET, now=TOKEN.expires_at)


@given(st.integers(0, len(sign(TOKEN, SECRET)) - 1), st.characters())
@example(at=40, character="\ud800")
@example(at=40, character="é")
def test_any_change_breaks_it(at: int, character: str) -> None:
    text = sign(TOKEN, SECRET)
    changed = text[:at] + character + text[at + 1 :]
    try:
        assert verify(changed, SECRET, now=T) == TOKEN
    except Unauthenticated:
        return
    # The last letter of a part may have spare bits; then the bytes are the same.
    assert base64.urlsafe_b64decode(changed.rsplit(".", 1)[1] + "=") == base64.urlsafe_b64decode(
        text.rsplit(".", 1)[1] + "="
    )
