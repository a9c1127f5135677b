"""Strategies as they are kept: the plan, what it was made from, and what it showed when it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from meterhouse.extraction.model import ExtractionFailed, Item, Kind, Repair, Strategy
from meterhouse.extraction.plan import Scalar
from meterhouse.kernel.errors import Invalid

PREVIEW_ITEMS_MAX = 10


@dataclass(frozen=True)
class StrategyRequest:
    """What somebody asks for. `kind` is a demand for that kind of strategy; `None` leaves the choice."""

    url: str
    description: str
    name: str
    kind: Kind | None = None
    output_schema: Mapping[str, object] | None = None
    filter_config: Mapping[str, object] | None = None
    # A wish for the API behind the page; without one that can be used, something else is made.
    force_api: bool = False
    max_pages: int | None = None
    group_id: UUID | None = None
    change_rules: Mapping[str, object] | None = None


@dataclass(frozen=True)
class StoredStrategy:
    """A strategy of an organisation.

    `version` counts the states of the plan, its filter and its change rules: results of different versions
    are not compared with each other. `preview` is a sample of the items, after the filter.
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
    # Which differences of results are no changes; kept for monitoring, which reads and checks them.
    change_rules: Mapping[str, object] | None = None
    # Remarks of the making for whoever asked; they are told once and not kept.
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def api_parameters(self) -> dict[str, Scalar] | None:
        """What jobs may set, with the captured values; `None` for strategies that take no parameters."""
        if self.kind != "api":
            return None
        request = Strategy.from_document(self.document).api
        return request.overridable if request is not None else None


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
    """The items of one run, after coercion and filter. `wrapper` is the key the schema wants around them.

    `lost` names fields (`price_amount` for `amount` within `price`) that the page no longer gives: that they
    are missing is no change of the records, see `without_fields`. `repaired` is set when the strategy as
    stored would not have found these items, see `store_repair`.
    """

    items: Sequence[Item]
    wrapper: str | None = None
    notes: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    repaired: Repair | None = None


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


def preview_of(kind: Kind, items: Sequence[Item]) -> list[Item]:
    """A sample of the items. The docs count the sections of a page by its preview, so it has all of them."""
    return [dict(item) for item in items[: None if kind == "content" else PREVIEW_ITEMS_MAX]]


def explained(error: ExtractionFailed, url: str) -> ExtractionFailed:
    """The same failure, saying on which page and what to do about it."""
    advice = {
        "nothing_found": "Describe it in other words, or check that the page shows it without JavaScript.",
        "structure_changed": "The page was rebuilt or is not the kind of page the strategy was made for; "
        "make a new strategy from it.",
        "empty": "The page may need JavaScript or a login to show its content.",
        "blocked": "The site keeps automated visitors out; ask its owner for access or for another address.",
        "login_required": "The page shows its content to people who are logged in.",
        "consent_wall": "The page asks for consent before it shows its content.",
        "unreadable": "Choose an address that answers with HTML.",
        "too_large": "Choose a page with less on it.",
    }[error.reason]
    return ExtractionFailed(
        f"{url}: {error.message} {advice}",
        details={**error.details, "url": url, "reason": error.reason},
        reason=error.reason,
        evidence=error.evidence,
    )
