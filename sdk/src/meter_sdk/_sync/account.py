# Generated from _async by generate.py.
"""What is documented or missed beside the published client: quota, audit, discovery, manifests, webhook tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import _arguments as check
from .._call import Call
from .._unset import given
from ..errors import ArgumentError
from .operations import Operations
from .pages import by_offset, size_of

if TYPE_CHECKING:
    from ..types import meter as types

DISCOVERY_METHODS = {
    "sitemap": ("sitemap_url",),
    "pagination": ("url_template",),
    "link_pattern": ("seed_url", "link_pattern"),
}
DISCOVERY_OPTIONS = (
    "sitemap_url",
    "url_template",
    "seed_url",
    "link_pattern",
    "navigation_pattern",
    "url_pattern",
    "start_index",
    "step",
    "max_pages",
    "max_depth",
    "max_urls",
)


class Account(Operations):
    """The account and one-off tools. Reference: Meter, sections 11.5, 16 and 19, item 11."""

    def get_quota(self, *, request_timeout: float | None = None) -> types.AccountQuota:
        """Get how many strategies were made and may be made.

        Args:
            request_timeout: Seconds for this call.

        Returns:
            `strategy_quota`; a limit of -1 means none.

        Raises:
            NotSupportedError: The server does not have this call.

        Reference: Meter, sections 2.5 and 16.
        """
        quota: types.AccountQuota = self._send(Call("GET", "/api/account/quota", timeout_s=request_timeout))
        return quota

    def list_strategy_audit(self, limit: int = 100, offset: int = 0, *, request_timeout: float | None = None) -> Any:
        """List when strategies were made and deleted.

        Args:
            limit: How many at most.
            offset: How many to skip.
            request_timeout: Seconds for this call.

        Returns:
            The entries, whose form the reference leaves open.

        Raises:
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 16.
        """
        query = check.page(limit, offset)
        return self._send(Call("GET", "/api/strategies/audit", query=query, timeout_s=request_timeout))

    def test_webhook(
        self,
        webhook_url: str,
        webhook_secret: str | None = None,
        webhook_type: str | None = None,
        webhook_metadata: Mapping[str, Any] | None = None,
        *,
        request_timeout: float | None = None,
    ) -> types.WebhookTestResult:
        """Send a sample notification to an address.

        Args:
            webhook_url: Where to send it.
            webhook_secret: Sent as `X-Webhook-Secret`.
            webhook_type: As for `create_schedule`.
            webhook_metadata: Copied into the payload as `metadata`.
            request_timeout: Seconds for this call.

        Returns:
            Whether the receiver answered with 2xx, and with which status.

        Raises:
            ArgumentError: An argument is malformed.
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 11.5.
        """
        body = check.webhook(
            url=check.text(webhook_url, "webhook_url"),
            metadata=webhook_metadata,
            secret=webhook_secret,
            kind=webhook_type,
        )
        tested: types.WebhookTestResult = self._send(
            Call("POST", "/api/webhooks/test", body=body, timeout_s=request_timeout)
        )
        return tested

    def start_discovery(self, method: str, *, request_timeout: float | None = None, **options: Any) -> types.Discovery:
        """Look for the pages of a site.

        Args:
            method: `sitemap` (with `sitemap_url`), `pagination` (`url_template` with `{n}`) or
                `link_pattern` (`seed_url` and `link_pattern`).
            request_timeout: Seconds for this call.
            options: What the method needs, and `url_pattern`, `max_urls`, `start_index`, `step`, `max_pages`,
                `navigation_pattern`, `max_depth`.

        Returns:
            The discovery with its `discovery_id`.

        Raises:
            ArgumentError: An option is missing or unknown.
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 16.
        """
        check.choice(method, "method", tuple(DISCOVERY_METHODS))
        unknown = sorted(set(options) - set(DISCOVERY_OPTIONS))
        if unknown:
            raise ArgumentError(f"There is no option {unknown[0]!r}; known are {', '.join(DISCOVERY_OPTIONS)}.")
        for name in DISCOVERY_METHODS[method]:
            check.text(options.get(name, ""), name)
        body = {"discovery": {"method": method, **given(**options)}}
        started: types.Discovery = self._send(Call("POST", "/discover", body=body, timeout_s=request_timeout))
        return started

    def get_discovery(self, discovery_id: str, *, request_timeout: float | None = None) -> types.Discovery:
        """Tell how far a discovery is.

        Args:
            discovery_id: The discovery.
            request_timeout: Seconds for this call.

        Returns:
            The discovery with its `status`.

        Raises:
            NotFoundError: There is no such discovery.

        Reference: Meter, section 16.
        """
        path = f"/discover/{check.segment(discovery_id, 'discovery_id')}"
        discovery: types.Discovery = self._send(Call("GET", path, timeout_s=request_timeout))
        return discovery

    def list_discovery_urls(
        self,
        discovery_id: str,
        limit: int = 1000,
        offset: int = 0,
        *,
        request_timeout: float | None = None,
    ) -> list[str]:
        """List the pages that a discovery found.

        Args:
            discovery_id: The discovery.
            limit: How many at most, up to 10,000.
            offset: How many to skip.
            request_timeout: Seconds for this call.

        Returns:
            The addresses; `iter_discovery_urls` walks through all.

        Raises:
            NotFoundError: There is no such discovery.
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 16.
        """
        path = f"/discover/{check.segment(discovery_id, 'discovery_id')}/urls"
        query = check.page(limit, offset)
        answer = self._send(Call("GET", path, query=query, timeout_s=request_timeout))
        return list(answer.get("urls") or []) if isinstance(answer, Mapping) else list(answer)

    def execute_discovery(
        self,
        discovery_id: str,
        strategy_id: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        request_timeout: float | None = None,
    ) -> types.CreatedBatch:
        """Run a strategy on every page that a discovery found.

        Args:
            discovery_id: The discovery, which must have ended.
            strategy_id: The strategy to run.
            parameters: Overrides of an API strategy's parameters.
            request_timeout: Seconds for this call.

        Returns:
            The batch of jobs.

        Raises:
            ConflictError: The discovery is still running, or found nothing.
            NotFoundError: There is no such discovery or strategy.
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 16.
        """
        check.mapping_or_none(parameters, "parameters")
        path = f"/discover/{check.segment(discovery_id, 'discovery_id')}/execute"
        body = {"strategy_id": check.identifier(strategy_id, "strategy_id"), **given(parameters=parameters)}
        batch: types.CreatedBatch = self._send(Call("POST", path, body=body, timeout_s=request_timeout))
        return batch

    def schedule_discovery(
        self,
        discovery_id: str,
        strategy_id: str,
        interval_seconds: int | None = None,
        cron_expression: str | None = None,
        webhook_url: str | None = None,
        webhook_metadata: Mapping[str, Any] | None = None,
        webhook_secret: str | None = None,
        webhook_type: str | None = None,
        *,
        timezone: str | None = None,
        request_timeout: float | None = None,
    ) -> types.Schedule:
        """Run a strategy on the pages that a discovery found, again and again.

        Args:
            discovery_id: The discovery, which must have ended.
            strategy_id: The strategy to run.
            interval_seconds: Seconds between runs, at least 60; or else
            cron_expression: five fields, such as `0 9 * * *`.
            webhook_url: Where to tell of each run.
            webhook_metadata: Copied into each payload as `metadata`.
            webhook_secret: Sent as `X-Webhook-Secret`; made by the server if not given.
            webhook_type: As for `create_schedule`.
            timezone: IANA name for the cron expression.
            request_timeout: Seconds for this call.

        Returns:
            The schedule. A generated `webhook_secret` is shown only here.

        Raises:
            ArgumentError: Both or neither of a pair, or a malformed argument.
            ConflictError: The discovery is still running, or found nothing.
            NotFoundError: There is no such discovery or strategy.
            NotSupportedError: The server does not have this call.

        Reference: Meter, sections 10 and 16.
        """
        path = f"/discover/{check.segment(discovery_id, 'discovery_id')}/schedule"
        body = {
            "strategy_id": check.identifier(strategy_id, "strategy_id"),
            **check.one_timing(interval_seconds, cron_expression),
            **check.webhook(url=webhook_url, metadata=webhook_metadata, secret=webhook_secret, kind=webhook_type),
            **given(timezone=timezone),
        }
        schedule: types.Schedule = self._send(Call("POST", path, body=body, timeout_s=request_timeout))
        return schedule

    def iter_discovery_urls(self, discovery_id: str, page_size: int = 1000) -> Iterator[str]:
        """Walk through all pages that a discovery found, fetching `page_size` at a time.

        Reference: Meter, section 16.
        """

        def fetch(limit: int, offset: int) -> list[Any]:
            return self.list_discovery_urls(discovery_id, limit, offset)

        return by_offset(fetch, size_of(page_size))

    def compare_manifest(
        self,
        job_id: str,
        items: Sequence[Mapping[str, Any]],
        match_fields: Sequence[str],
        threshold: float = 80,
        *,
        request_timeout: float | None = None,
    ) -> dict[str, Any]:
        """Match a list of known items against the results of a job.

        Args:
            job_id: The completed job.
            items: What is known.
            match_fields: The fields by which items are recognised.
            threshold: How alike they must be, from 0 to 100.
            request_timeout: Seconds for this call.

        Returns:
            The items that were matched, added and removed.

        Raises:
            ArgumentError: An argument is malformed.
            NotFoundError: There is no such job.
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 16.
        """
        if isinstance(match_fields, str) or not match_fields:
            raise ArgumentError("match_fields must be a list of at least one field.")
        if not 0 <= threshold <= 100:
            raise ArgumentError(f"threshold must be from 0 to 100, not {threshold}.")
        body = {
            "job_id": check.identifier(job_id, "job_id"),
            "items": [check.mapping(item, "items") for item in items],
            "match_fields": list(match_fields),
            "threshold": threshold,
        }
        compared: dict[str, Any] = self._send(
            Call("POST", "/api/manifests/compare", body=body, safe=True, timeout_s=request_timeout)
        )
        return compared
