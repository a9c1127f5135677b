"""Comparing a list of known items with what a job found (reference, 16)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from meterhouse.kernel.errors import Invalid, Issue, LimitExceeded, PreconditionFailed
from meterhouse.monitoring import alike, queries
from meterhouse.monitoring.model import Item, JobStatus
from meterhouse.platform.ports import Database

ManifestComparison = alike.ManifestComparison


async def compare_manifest(
    database: Database,
    *,
    organisation_id: UUID,
    job_id: UUID,
    known: Sequence[Item],
    fields: Sequence[str],
    threshold: float,
) -> tuple[ManifestComparison, Sequence[Item]]:
    """Match known items with the results of a job; returns the comparison and those results.

    Raises `NotFound`, `PreconditionFailed` when the job has no results, `Invalid` naming a field that no item
    has, and `LimitExceeded`.
    """
    if len(known) > alike.ITEMS_MAX:
        raise LimitExceeded(f"A manifest has at most {alike.ITEMS_MAX} items, and this one has {len(known)}.")
    if len(fields) > alike.FIELDS_MAX:
        raise LimitExceeded(f"Items are matched by at most {alike.FIELDS_MAX} fields, not {len(fields)}.")
    async with database.begin() as connection:
        job = await queries.get_job(connection, organisation_id=organisation_id, job_id=job_id)
    if job.status is not JobStatus.COMPLETED or job.results is None:
        raise PreconditionFailed(f"The job {job.id} is {job.status}; only completed jobs can be compared.")
    _check_fields(fields, known, "the manifest")
    _check_fields(fields, job.results, f"the job {job.id}")
    results = list(job.results)
    found = await asyncio.to_thread(
        alike.match_items, known, results, list(dict.fromkeys(fields)), threshold=threshold
    )
    return found, results


def _check_fields(fields: Sequence[str], items: Sequence[Item], where: str) -> None:
    """A field that no item has would never match, and nobody would know why."""
    for name in fields:
        if items and not any(alike.value_text(item, name) for item in items):
            there = ", ".join(sorted({key for item in items for key in item})[:20])
            fault = f"no item of {where} has a value in {name!r}; its fields are {there}"
            raise Invalid(f"match_fields: {fault}.", issues=(Issue(("match_fields",), fault, input=name),))
