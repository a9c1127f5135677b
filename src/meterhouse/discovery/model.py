"""The words of discoveries as plain frozen data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

URLS_MAX = 10_000
PAGES_MAX = 1_000
DEPTH_MAX = 10


class Method(StrEnum):
    """How addresses are looked for."""

    SITEMAP = "sitemap"
    PAGINATION = "pagination"
    LINK_PATTERN = "link_pattern"


class DiscoveryStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (DiscoveryStatus.COMPLETED, DiscoveryStatus.FAILED)


@dataclass(frozen=True)
class Search:
    """What to look for. `root_url` is the sitemap, the template with `{n}`, or the page to start from.

    `pattern` is what addresses must match, `navigation` what links must match to be followed.
    """

    method: Method
    root_url: str
    pattern: str | None = None
    navigation: str | None = None
    start_index: int = 1
    step: int = 1
    max_pages: int = 100
    max_depth: int = 2
    max_urls: int = 1_000


@dataclass(frozen=True)
class Discovery:
    """One search and how far it is."""

    id: UUID
    organisation_id: UUID
    search: Search
    status: DiscoveryStatus
    urls_found: int
    pages_read: int
    error: str | None
    warnings: Sequence[str]
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True)
class PageToRead:
    """A page, or part of a sitemap, whose turn has come. `depth`: steps from the first."""

    url: str
    depth: int
    number: int


@dataclass(frozen=True)
class Reading:
    """What a page came to: addresses found, pages to read next, or why there is nothing.

    `is_end`: there are no further pages. `mark`: what tells a page from another one of the same list.
    """

    urls: Sequence[str] = ()
    pages: Sequence[str] = ()
    error: str | None = None
    is_end: bool = False
    mark: bytes | None = None
    bytes: int = 0
    spent_ms: int = 0
