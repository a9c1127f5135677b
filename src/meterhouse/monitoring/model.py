"""The words of monitoring as plain frozen data: jobs, batches, and what differs between two results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from meterhouse.usage.model import Event

Item = Mapping[str, object]
Signature = Mapping[str, object]


class JobStatus(StrEnum):
    """The only four states. Published clients poll until `completed` or `failed`: no other may occur."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (JobStatus.COMPLETED, JobStatus.FAILED)


@dataclass(frozen=True)
class Job:
    """One execution of a strategy on one address.

    `results` are the items themselves; `wrapper` is the key that the output schema wants around them.
    `previous_job_id` is the job that the verdict `has_changes` rests on. `error_code` says in one word
    what `error` says in a sentence, `evidence` with which numbers. `lost_fields` are no longer on the page,
    which is no change. A pending job begins at `next_at` or later; after a failure that may pass
    (`last_error`) it is tried again at most `retries_max` times.
    """

    id: UUID
    organisation_id: UUID
    strategy_id: UUID
    url: str
    status: JobStatus
    created_at: datetime
    strategy_version: int | None = None
    batch_id: UUID | None = None
    schedule_id: UUID | None = None
    parameters: Mapping[str, object] | None = None
    max_pages: int | None = None
    results: Sequence[Item] | None = None
    wrapper: str | None = None
    item_count: int | None = None
    content_hash: str | None = None
    structural_signature: Signature | None = None
    has_changes: bool | None = None
    previous_job_id: UUID | None = None
    error: str | None = None
    error_code: str | None = None
    evidence: Mapping[str, object] | None = None
    lost_fields: Sequence[str] | None = None
    http_status: int | None = None
    retries: int = 0
    retries_max: int = 0
    last_error: str | None = None
    next_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


@dataclass(frozen=True)
class NewJob:
    """A job that is to be created, its address and parameters checked. Urgent ones go first."""

    organisation_id: UUID
    strategy_id: UUID
    url: str
    parameters: Mapping[str, object] | None = None
    batch_id: UUID | None = None
    schedule_id: UUID | None = None
    max_pages: int | None = None
    retries_max: int = 0
    is_urgent: bool = False


@dataclass(frozen=True)
class JobFilter:
    """Which jobs to list; what is `None` does not restrict."""

    strategy_id: UUID | None = None
    schedule_id: UUID | None = None
    batch_id: UUID | None = None
    status: JobStatus | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class HistoryEntry:
    """A job as the history of its strategy shows it."""

    job_id: UUID
    status: JobStatus
    item_count: int | None
    has_changes: bool
    created_at: datetime


@dataclass(frozen=True)
class CreatedBatch:
    """A fresh set of jobs, one per address, in the order of the addresses."""

    id: UUID
    strategy_id: UUID
    job_ids: tuple[UUID, ...]
    created_at: datetime


@dataclass(frozen=True)
class BatchProgress:
    """How far the jobs of one batch are."""

    id: UUID
    pending: int
    running: int
    completed: int
    failed: int
    job_ids: tuple[UUID, ...]

    @property
    def total(self) -> int:
        return self.pending + self.running + self.completed + self.failed

    @property
    def percent(self) -> float:
        """Share of jobs that have ended, 0 to 100 with one decimal; never 100 before the last one ended."""
        if not self.total:
            return 100.0
        ended = self.completed + self.failed
        return 100.0 if ended == self.total else min(99.9, round(100 * ended / self.total, 1))


@dataclass(frozen=True)
class FieldChange:
    """One field of a modified item; a missing field is `None`."""

    name: str
    before: object
    after: object


@dataclass(frozen=True)
class Modified:
    """The same thing in two states."""

    before: Item
    after: Item
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True)
class Diff:
    """What happened from one result to the next.

    Each old item is unchanged, modified or removed, and each new one unchanged, modified or added:
    exactly one of them. `moved` counts unchanged items that left their order; moving alone is no change
    unless `is_ordered`.
    """

    added: tuple[Item, ...] = ()
    removed: tuple[Item, ...] = ()
    modified: tuple[Modified, ...] = ()
    unchanged: int = 0
    moved: int = 0
    key: tuple[str, ...] = field(default=())
    is_ordered: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.removed or self.modified or (self.is_ordered and self.moved))

    @property
    def new_items(self) -> tuple[Item, ...]:
        """Items not there before in this form: a modified item counts as one removed and one new."""
        return (*self.added, *(one.after for one in self.modified))

    @property
    def removed_items(self) -> tuple[Item, ...]:
        return (*self.removed, *(one.before for one in self.modified))


@dataclass(frozen=True)
class Comparison:
    """Two results side by side; counts and changes read from the second job to the first."""

    content_hash_match: bool
    structural_match: bool
    semantic_similarity: float
    item_count_diff: int
    changes: tuple[str, ...]
    structural_changes: tuple[str, ...]


class UsageSink(Protocol):
    """Where usage events go: the ingestor of the usage context."""

    async def submit(self, events: Sequence[Event]) -> Sequence[bool]:
        """Store events; on return they are on disk. `False` marks an event that was there before."""
        ...
