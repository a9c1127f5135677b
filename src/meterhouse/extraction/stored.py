"""Strategies as they are kept: the plan, what it was made from, and what it showed when it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from meterhouse.extraction.model import Item, Kind
from meterhouse.kernel.errors import Invalid


@dataclass(frozen=True)
class StrategyRequest:
    """What somebody asks for. `kind` is a demand for that kind of strategy; `None` leaves the choice."""

    url: str
    description: str
    name: str
    kind: Kind | None = None
    output_schema: Mapping[str, object] | None = None
    filter_config: Mapping[str, object] | None = None
    group_id: UUID | None = None


@dataclass(frozen=True)
class StoredStrategy:
    """A strategy of an organisation.

    `version` counts the states of the plan and of its filter: results of different versions are not
    compared with each other. `preview` is a sample of the items, after the filter.
    """

    id: UUID
    organisation_id: UUID
    name: str
    description: str
    url: str
    kind: Kind
    document: Mapping[str, object]
    version: int
    output_schema: Mapping[str, object] | None
    filter_config: Mapping[str, object] | None
    preview: Sequence[Item]
    attempts: int
    created_at: datetime
    updated_at: datetime
    group_id: UUID | None = None


@dataclass(frozen=True)
class LogEntry:
    """What became of a strategy: made or deleted. Kept when the strategy is gone."""

    id: UUID
    strategy_id: UUID
    name: str
    action: str
    at: datetime


@dataclass(frozen=True)
class StrategyGroup:
    """A named set of strategies. A strategy is in one group at most."""

    id: UUID
    organisation_id: UUID
    name: str
    description: str | None
    strategy_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Progress:
    """How far a group's regeneration is. `errors` name the members that keep their old plan, and why."""

    total: int
    completed: int
    errors: tuple[tuple[UUID, str], ...]
    has_begun: bool

    @property
    def status(self) -> str:
        ended = self.completed + len(self.errors)
        if not self.total:
            return "idle"
        if ended < self.total:
            return "running" if self.has_begun else "pending"
        return "completed" if self.completed else "failed"

    @property
    def percent(self) -> float:
        """Share of members that have ended, 0 to 100; never 100 before the last one."""
        if not self.total:
            return 0.0
        ended = self.completed + len(self.errors)
        return 100.0 if ended == self.total else min(99.9, round(100 * ended / self.total, 1))


@dataclass(frozen=True)
class Extracted:
    """The items of one run, after coercion and filter. `wrapper` is the key the schema wants around them."""

    items: Sequence[Item]
    wrapper: str | None = None
    notes: tuple[str, ...] = ()


@dataclass
class PageNotFetched(Invalid):
    """There is no page to work on. `reason` says why in one word, `status` what the site answered, if it did.

    This is no fault of the server: the address may be wrong, or the site may refuse.
    """

    url: str = ""
    reason: str = "connect"
    status: int | None = None

    default_code = "page_not_fetched"

    __str__ = Invalid.__str__
