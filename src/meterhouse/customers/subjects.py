"""What can be done to subjects. Each function is one use case inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from meterhouse.customers.model import Subject
from meterhouse.customers.queries import find_subjects, get_subject
from meterhouse.customers.rules import NAME_MAX, SUBJECT_KEY_MAX, TEXT_MAX, take_turn
from meterhouse.customers.tables import customer_subjects, subjects
from meterhouse.kernel.clock import Clock
from meterhouse.kernel.errors import Invalid, Issue
from meterhouse.kernel.ids import new_id

STRIPE_PREFIX = "cus_"
ISSUES_MAX = 100
UPSERT_MAX = 10_000


class SubjectChanges(TypedDict, total=False):
    """The properties that an upsert names: null clears one, a missing one keeps its value."""

    display_name: str | None
    metadata: Mapping[str, object] | None
    stripe_customer_id: str | None


async def upsert_subjects(
    connection: AsyncConnection,
    *,
    organisation_id: UUID,
    drafts: Sequence[tuple[str, SubjectChanges]],
    clock: Clock,
) -> list[Subject]:
    """Create or change subjects, named by key (openmeter 3.1), in order; later ones of a key come last.

    Returns what became of each. Raises `Invalid` with all faults, and then nothing is changed.
    """
    if len(drafts) > UPSERT_MAX:
        raise Invalid(f"At most {UPSERT_MAX} subjects at once; send them in several requests.")
    issues = [issue for index, draft in enumerate(drafts) for issue in _issues(index, *draft)]
    if issues:
        raise Invalid("; ".join(issue.message for issue in issues[:5]), issues=issues[:ISSUES_MAX])
    await take_turn(connection, organisation_id)
    keys, now = [key for key, _ in drafts], clock.now()
    created = await ensure_subjects(connection, organisation_id=organisation_id, keys=keys, now=now)
    known = await find_subjects(connection, organisation_id=organisation_id, keys=keys)
    for key, changes in drafts:
        changed = replace(known[key], **changes)
        if changed != known[key]:
            known[key] = changed if key in created else replace(changed, modified_at=now)
            await _save(connection, known[key])
    return [known[key] for key in keys]


async def ensure_subjects(
    connection: AsyncConnection, *, organisation_id: UUID, keys: Sequence[str], now: datetime
) -> set[str]:
    """See to it that live subjects with these keys exist; tells which were made. The caller has the turn."""
    known = await find_subjects(connection, organisation_id=organisation_id, keys=keys)
    missing = [key for key in dict.fromkeys(keys) if key not in known]
    if missing:
        rows = [
            {"id": new_id(), "organisation_id": organisation_id, "key": key, "created_at": now}
            for key in missing
        ]
        await connection.execute(insert(subjects), rows)
    return set(missing)


async def delete_subject(
    connection: AsyncConnection, *, organisation_id: UUID, id_or_key: str, clock: Clock
) -> None:
    """Delete softly; the key no longer belongs to the customer that had it (openmeter 3.1).

    A second delete by id does nothing. Raises `NotFound`, so also for a second delete by key.
    """
    await take_turn(connection, organisation_id)
    subject = await get_subject(connection, organisation_id=organisation_id, id_or_key=id_or_key)
    if subject.deleted_at is not None:
        return
    await connection.execute(
        update(subjects).where(subjects.c.id == subject.id).values(deleted_at=clock.now())
    )
    assigned = (
        (customer_subjects.c.organisation_id == organisation_id)
        & (customer_subjects.c.subject_key == subject.key)
        & customer_subjects.c.deleted_at.is_(None)
    )
    await connection.execute(delete(customer_subjects).where(assigned))


async def _save(connection: AsyncConnection, subject: Subject) -> None:
    await connection.execute(
        update(subjects)
        .where(subjects.c.id == subject.id)
        .values(
            display_name=subject.display_name,
            metadata=subject.metadata,
            stripe_customer_id=subject.stripe_customer_id,
            modified_at=subject.modified_at,
        )
    )


def _issues(index: int, key: str, changes: SubjectChanges) -> list[Issue]:
    issues = []
    if not 1 <= len(key) <= SUBJECT_KEY_MAX:
        issues.append(Issue((index, "key"), f"must have 1 to {SUBJECT_KEY_MAX} characters", "invalid_key"))
    stripe, name = changes.get("stripe_customer_id"), changes.get("display_name")
    if stripe is not None and not stripe.startswith(STRIPE_PREFIX):
        text = f"must start with {STRIPE_PREFIX}"
        issues.append(Issue((index, "stripe_customer_id"), text, "invalid_stripe_customer_id", stripe[:100]))
    if stripe is not None and len(stripe) > NAME_MAX:
        text = f"must have at most {NAME_MAX} characters"
        issues.append(Issue((index, "stripe_customer_id"), text, "too_long"))
    if name is not None and len(name) > TEXT_MAX:
        text = f"must have at most {TEXT_MAX} characters"
        issues.append(Issue((index, "display_name"), text, "too_long"))
    return issues
