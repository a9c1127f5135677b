"""Pure rules about keys: how a secret is made, shown and hashed, and which scopes exist."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable

from meterhouse.identity.model import ALL_SCOPES
from meterhouse.kernel.errors import Invalid, Issue

SECRET_PREFIX = "sk_live_"  # noqa: S105 - the public beginning of every key
SECRET_BYTES = 32
SHOWN_CHARS = len(SECRET_PREFIX) + 4
SECRET_LENGTH_MIN = 16
SECRET_LENGTH_MAX = 200
NAME_LENGTH_MAX = 200

RESOURCES = (
    "strategies",
    "jobs",
    "schedules",
    "workflows",
    "meters",
    "events",
    "customers",
    "customer_meters",
    "entitlements",
    "subscriptions",
    "billing",
    "notifications",
    "portal",
)
SCOPES = frozenset(f"{resource}:{verb}" for resource in RESOURCES for verb in ("read", "write"))


def new_secret() -> str:
    """Make a key of 256 random bits."""
    return SECRET_PREFIX + secrets.token_urlsafe(SECRET_BYTES)


def hash_secret(secret: str) -> bytes:
    """The form in which a key is stored and looked up."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def shown_prefix(secret: str) -> str:
    """What may be shown of a key after its creation."""
    return f"{secret[:SHOWN_CHARS]}…"


def check_given_secret(secret: str) -> str:
    """Accept a key chosen by the operator. Raises `Invalid` when it is too easy to guess or unusable."""
    if not SECRET_LENGTH_MIN <= len(secret) <= SECRET_LENGTH_MAX or not secret.isascii() or " " in secret:
        raise Invalid(
            f"METERHOUSE_API_KEY needs {SECRET_LENGTH_MIN} to {SECRET_LENGTH_MAX} ASCII characters without "
            "spaces. Leave it unset to have a key generated."
        )
    return secret


def check_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """Accept scopes (`*` is all of them). Raises `Invalid` naming the unknown ones."""
    wanted = frozenset(scopes)
    if not wanted:
        raise Invalid(
            "A key needs at least one scope; use * for all of them.", issues=(Issue(("scopes",), "empty"),)
        )
    if unknown := sorted(wanted - SCOPES - {ALL_SCOPES}):
        raise Invalid(
            f"There is no scope {', '.join(unknown)}. Known are * and: {', '.join(sorted(SCOPES))}.",
            issues=tuple(Issue(("scopes",), "unknown scope", input=name) for name in unknown),
        )
    return frozenset({ALL_SCOPES}) if ALL_SCOPES in wanted else wanted


def check_name(name: str) -> str:
    """Accept the name of a key. Raises `Invalid`."""
    cleaned = name.strip()
    if not cleaned or len(cleaned) > NAME_LENGTH_MAX or "\x00" in cleaned:
        raise Invalid(
            f"A key's name needs 1 to {NAME_LENGTH_MAX} characters.", issues=(Issue(("name",), "bad name"),)
        )
    return cleaned
