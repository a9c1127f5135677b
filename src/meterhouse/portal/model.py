"""Portal tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class PortalToken:
    """A token as it may be shown: never its text. No allowed slugs means all meters."""

    id: UUID
    organisation_id: UUID
    subject: str
    allowed_meter_slugs: tuple[str, ...]
    created_at: datetime
    expires_at: datetime

    def is_expired(self, now: datetime) -> bool:
        return now >= self.expires_at

    def allows(self, slug: str) -> bool:
        """Whether the token may read the meter of this slug."""
        return not self.allowed_meter_slugs or slug in self.allowed_meter_slugs
