"""Domain results as the Meter facade writes them. Ids go by both documented names (reference, 2.4)."""

from __future__ import annotations

from meterhouse.extraction.stored import StoredStrategy
from meterhouse.monitoring.model import (
    BatchProgress,
    Comparison,
    CreatedBatch,
    HistoryEntry,
    Job,
    JobStatus,
)

Wire = dict[str, object]


def strategy_to_wire(strategy: StoredStrategy) -> Wire:
    """A strategy in full, which fits every documented shape of a strategy."""
    return {
        "id": strategy.id,
        "strategy_id": strategy.id,
        "name": strategy.name,
        "description": strategy.description,
        "url": strategy.url,
        "strategy": strategy.document,
        "preview_data": strategy.preview,
        "attempts": strategy.attempts,
        "scraper_type": strategy.kind,
        "api_parameters": strategy.api_parameters,
        "output_schema": strategy.output_schema,
        "filter_config": strategy.filter_config,
        "change_rules": strategy.change_rules,
        "strategy_group_id": strategy.group_id,
        "created_at": strategy.created_at,
        "updated_at": strategy.updated_at,
    }


def generated_to_wire(strategy: StoredStrategy) -> Wire:
    """A strategy just made or changed, with the remarks of the making."""
    return {**strategy_to_wire(strategy), "notes": strategy.notes}


def job_to_wire(job: Job, *, with_results: bool = True) -> Wire:
    """A job in full. `results` stays a list also when the output schema wraps the items (reference, 5)."""
    wire: Wire = {
        "id": job.id,
        "job_id": job.id,
        "batch_id": job.batch_id,
        "schedule_id": job.schedule_id,
        "strategy_id": job.strategy_id,
        "url": job.url,
        "status": job.status,
        "parameters": job.parameters,
        "max_pages": job.max_pages,
        "results": _results(job),
        "item_count": job.item_count,
        "content_hash": job.content_hash,
        "structural_signature": job.structural_signature,
        "has_changes": job.has_changes,
        "previous_job_id": job.previous_job_id,
        "error": job.error,
        "error_code": job.error_code,
        "evidence": job.evidence,
        "lost_fields": job.lost_fields,
        "http_status": job.http_status,
        "retries": job.retries,
        "max_retries": job.retries_max,
        "last_error": job.last_error,
        "next_attempt_at": job.next_at if job.status is JobStatus.PENDING else None,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "completed_at": job.completed_at,
    }
    if not with_results:
        del wire["results"], wire["structural_signature"]
    return wire


def batch_to_wire(batch: CreatedBatch) -> Wire:
    return {
        "batch_id": batch.id,
        "job_count": len(batch.job_ids),
        "job_ids": batch.job_ids,
        "status": "pending",
        "strategy_id": batch.strategy_id,
        "created_at": batch.created_at,
    }


def progress_to_wire(progress: BatchProgress) -> Wire:
    return {
        "batch_id": progress.id,
        "total": progress.total,
        "pending": progress.pending,
        "running": progress.running,
        "completed": progress.completed,
        "failed": progress.failed,
        "progress_percent": progress.percent,
        "job_ids": progress.job_ids,
    }


def comparison_to_wire(comparison: Comparison) -> Wire:
    return {
        "content_hash_match": comparison.content_hash_match,
        "structural_match": comparison.structural_match,
        "semantic_similarity": comparison.semantic_similarity,
        "item_count_diff": comparison.item_count_diff,
        "changes": comparison.changes,
        "structural_changes": comparison.structural_changes,
    }


def history_to_wire(entry: HistoryEntry) -> Wire:
    return {
        "id": entry.job_id,
        "job_id": entry.job_id,
        "status": entry.status,
        "item_count": entry.item_count,
        "has_changes": entry.has_changes,
        "created_at": entry.created_at,
    }


def _results(job: Job) -> object:
    if job.results is None or job.wrapper is None:
        return job.results
    return [{job.wrapper: job.results}]
