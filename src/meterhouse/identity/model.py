"""Who is calling: organisations, API keys and what a key may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterhouse.kernel.errors import Forbidden

ALL_SCOPES = "*"


@dataclass(frozen=True)
class Principal:
    """The caller behind a request: one API key of one organisation."""

    key_id: UUID
    organisation_id: UUID
    scopes: frozenset[str]

    def has_any(self, scopes: Iterable[str]) -> bool:
        """Whether the key holds one of `scopes` (or all of them)."""
        return ALL_SCOPES in self.scopes or any(scope in self.scopes for scope in scopes)

    def require_any(self, scopes: Iterable[str]) -> None:
        """Raise `Forbidden` unless the key holds one of `scopes` (or all of them)."""
        wanted = tuple(scopes)
        if not wanted or self.has_any(wanted):
            return
        raise Forbidden(
            f"This API key lacks the scope {' or '.join(wanted)}. Use a key that has it, or make one with "
            f"`meterhouse keys create --scope {wanted[0]}`."
        )


@dataclass(frozen=True)
class ApiKey:
    """A key as it may be shown: never the secret, only its prefix."""

    id: UUID
    organisation_id: UUID
    name: str
    prefix: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    def is_usable(self, now: datetime) -> bool:
        """Whether the key opens anything at `now`."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
