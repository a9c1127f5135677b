"""Schedules, watches and changes: strategies that run by themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import _arguments as check
from .._call import Call
from .._config import GENERATE_TIMEOUT_S
from .._unset import UNSET, changed, clearable, given
from ..errors import ArgumentError
from ..workflow import grouped
from .operations import Operations
from .pages import by_offset, size_of

if TYPE_CHECKING:
    from ..types import meter as types

CHANGELOG_LIMIT_MAX = 100


class Schedules(Operations):
    """The schedules of the account. Reference: Meter, sections 10 to 13."""

    async def create_schedule(
        self,
        strategy_id: str,
        url: str | None = None,
        urls: list[str] | None = None,
        interval_seconds: int | None = None,
        cron_expression: str | None = None,
        webhook_url: str | None = None,
        webhook_metadata: Mapping[str, Any] | None = None,
        webhook_secret: str | None = None,
        webhook_type: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        *,
        timezone: str | None = None,
        request_timeout: float | None = None,
    ) -> types.Schedule:
        """Run a strategy on one or several pages, again and again.

        Args:
            strategy_id: The strategy to run.
            url: The page; or else
            urls: the pages, each on every run.
            interval_seconds: Seconds between runs, at least 60; or else
            cron_expression: five fields, such as `0 9 * * *`.
            webhook_url: Where to tell of each run.
            webhook_metadata: Copied into each payload as `metadata`.
            webhook_secret: Sent as `X-Webhook-Secret`; made by the server if not given.
            webhook_type: `standard`, `slack`, `slack_workflow`, `discord` or `email`; seen from the address if
                not given.
            parameters: Overrides of an API strategy's parameters.
            timezone: IANA name for the cron expression.
            request_timeout: Seconds for this call.

        Returns:
            The schedule. A generated `webhook_secret` is shown only here.

        Raises:
            ArgumentError: Both or neither of a pair, or a malformed argument.
            NotFoundError: There is no such strategy.

        Reference: Meter, sections 10.1, 10.2 and 11.
        """
        check.mapping_or_none(parameters, "parameters")
        body = {
            "strategy_id": check.identifier(strategy_id, "strategy_id"),
            **check.one_page_source(url, urls),
            **check.one_timing(interval_seconds, cron_expression),
            **check.webhook(url=webhook_url, metadata=webhook_metadata, secret=webhook_secret, kind=webhook_type),
            **given(parameters=parameters, timezone=timezone),
        }
        schedule: types.Schedule = await self._send(
            Call("POST", "/api/schedules", body=body, timeout_s=request_timeout)
        )
        return schedule

    async def list_schedules(self, *, request_timeout: float | None = None) -> list[types.ScheduleListItem]:
        """List all schedules, newest first.

        Args:
            request_timeout: Seconds for this call.

        Returns:
            The schedules, without their secrets.

        Reference: Meter, section 10.4.
        """
        schedules: list[types.ScheduleListItem] = await self._send(
            Call("GET", "/api/schedules", timeout_s=request_timeout)
        )
        return schedules

    async def get_schedule(self, schedule_id: str, *, request_timeout: float | None = None) -> types.Schedule:
        """Get one schedule.

        Args:
            schedule_id: The schedule.
            request_timeout: Seconds for this call.

        Returns:
            The schedule, without its secret.

        Raises:
            NotFoundError: There is no such schedule.
            NotSupportedError: The server does not have this call.

        Reference: Meter, sections 10.4 and 19, item 11.
        """
        schedule: types.Schedule = await self._send(Call("GET", _path(schedule_id), timeout_s=request_timeout))
        return schedule

    @clearable
    async def update_schedule(
        self,
        schedule_id: str,
        enabled: bool | None = None,
        url: str | None = None,
        urls: list[str] | None = None,
        interval_seconds: int | None = None,
        cron_expression: str | None = None,
        webhook_url: str | None = UNSET,
        webhook_metadata: Mapping[str, Any] | None = UNSET,
        webhook_secret: str | None = UNSET,
        webhook_type: str | None = UNSET,
        parameters: Mapping[str, Any] | None = UNSET,
        *,
        timezone: str | None = None,
        request_timeout: float | None = None,
    ) -> types.Schedule:
        """Change a schedule. What is not given stays.

        Args:
            schedule_id: The schedule.
            enabled: Whether it runs.
            url: Another page; replaces `urls`.
            urls: Other pages; replace `url`.
            interval_seconds: Seconds between runs; replaces a cron expression.
            cron_expression: Five fields; replaces an interval.
            webhook_url: Where to tell of runs; `None` removes the webhook.
            webhook_metadata: The payloads' `metadata`; `None` removes it.
            webhook_secret: Another secret; `""` makes the server generate one, `None` removes it.
            webhook_type: Another type; `None` lets the server see it from the address.
            parameters: Other overrides; `None` removes them.
            timezone: IANA name for the cron expression.
            request_timeout: Seconds for this call.

        Returns:
            The schedule after the change.

        Raises:
            ArgumentError: Both of a pair, or a malformed argument.
            NotFoundError: There is no such schedule.

        Reference: Meter, section 10.3.
        """
        if enabled is not None:
            check.flag(enabled, "enabled")
        body = {
            **given(enabled=enabled, timezone=timezone),
            **check.one_page_source(url, urls, required=False),
            **check.one_timing(interval_seconds, cron_expression, required=False),
            **changed_webhook(webhook_url, webhook_metadata, webhook_secret, webhook_type),
            **changed(parameters=parameters),
        }
        schedule: types.Schedule = await self._send(
            Call("PATCH", _path(schedule_id), body=body, timeout_s=request_timeout)
        )
        return schedule

    async def delete_schedule(self, schedule_id: str, *, request_timeout: float | None = None) -> types.Message:
        """Delete a schedule. Its jobs stay.

        Args:
            schedule_id: The schedule.
            request_timeout: Seconds for this call.

        Returns:
            A message.

        Raises:
            NotFoundError: There is no such schedule.

        Reference: Meter, section 10.4.
        """
        message: types.Message = await self._send(Call("DELETE", _path(schedule_id), timeout_s=request_timeout))
        return message

    async def run_schedule(self, schedule_id: str, *, request_timeout: float | None = None) -> types.CreatedJobOrBatch:
        """Run a schedule now, beside its plan.

        Args:
            schedule_id: The schedule.
            request_timeout: Seconds for this call.

        Returns:
            The job or batch that was started.

        Raises:
            NotFoundError: There is no such schedule.
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 19, item 11.
        """
        started: types.CreatedJobOrBatch = await self._send(
            Call("POST", _path(schedule_id, "/run"), timeout_s=request_timeout)
        )
        return started

    async def regenerate_webhook_secret(
        self, schedule_id: str, *, request_timeout: float | None = None
    ) -> types.WebhookSecret:
        """Replace a schedule's webhook secret; the old one is void at once.

        Args:
            schedule_id: The schedule.
            request_timeout: Seconds for this call.

        Returns:
            The new `webhook_secret`, shown only here.

        Raises:
            NotFoundError: There is no such schedule.
            InvalidRequestError: It has no webhook.

        Reference: Meter, section 11.4.
        """
        secret: types.WebhookSecret = await self._send(
            Call("POST", _path(schedule_id, "/webhook-secret/regenerate"), timeout_s=request_timeout)
        )
        return secret

    async def get_schedule_changes(
        self,
        schedule_id: str,
        mark_seen: bool = True,
        filter: str | None = None,
        *,
        request_timeout: float | None = None,
    ) -> types.ScheduleChanges:
        """Get the changed runs that have not been seen, oldest first.

        Args:
            schedule_id: The schedule.
            mark_seen: Whether they count as seen from now on. An answer lost on the way is lost then, so such a
                call is not repeated by itself; with `False` and `mark_changes_seen` nothing is lost.
            filter: Keywords that items must match, such as `+phone -used`.
            request_timeout: Seconds for this call.

        Returns:
            The jobs under `changes`, and their `count`.

        Raises:
            NotFoundError: There is no such schedule.

        Reference: Meter, sections 12.1 and 12.2.
        """
        query = {"mark_seen": _word(check.flag(mark_seen, "mark_seen")), **given(filter=filter)}
        path = _path(schedule_id, "/changes")
        changes: types.ScheduleChanges = await self._send(
            Call("GET", path, query=query, safe=not mark_seen, timeout_s=request_timeout)
        )
        return changes

    async def mark_changes_seen(
        self, schedule_id: str, job_ids: Sequence[str], *, request_timeout: float | None = None
    ) -> dict[str, Any]:
        """Acknowledge changes after they were worked on.

        Args:
            schedule_id: The schedule.
            job_ids: The jobs of the changes.
            request_timeout: Seconds for this call.

        Returns:
            How many were marked by this call, as `acknowledged`.

        Raises:
            NotFoundError: There is no such schedule.
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 19, items 11 and 18.
        """
        return await self._mark(schedule_id, job_ids, "acknowledge", request_timeout)

    async def mark_changes_unseen(
        self, schedule_id: str, job_ids: Sequence[str], *, request_timeout: float | None = None
    ) -> dict[str, Any]:
        """Make seen changes unseen, so that `get_schedule_changes` brings them again.

        Args:
            schedule_id: The schedule.
            job_ids: The jobs of the changes.
            request_timeout: Seconds for this call.

        Returns:
            How many were marked by this call, as `reopened`.

        Raises:
            NotFoundError: There is no such schedule.
            NotSupportedError: The server does not have this call.

        Reference: Meter, section 19, item 11.
        """
        return await self._mark(schedule_id, job_ids, "reopen", request_timeout)

    async def _mark(
        self, schedule_id: str, job_ids: Sequence[str], verb: str, request_timeout: float | None
    ) -> dict[str, Any]:
        body = {"job_ids": check_ids(job_ids, "job_ids")}
        path = _path(schedule_id, f"/changes/{verb}")
        marked: dict[str, Any] = await self._send(Call("POST", path, body=body, safe=True, timeout_s=request_timeout))
        return marked

    async def get_schedule_changelog(
        self,
        schedule_id: str,
        limit: int = 20,
        offset: int = 0,
        include_items: bool = True,
        filter: str | None = None,
        *,
        request_timeout: float | None = None,
    ) -> types.ScheduleChangelog:
        """Get what changed in each run, newest first, seen or not.

        Args:
            schedule_id: The schedule.
            limit: How many runs at most, up to 100.
            offset: How many to skip.
            include_items: Whether the new and removed items come along.
            filter: Keywords that items must match.
            request_timeout: Seconds for this call.

        Returns:
            The runs under `entries`; `iter_schedule_changelog` walks through all.

        Raises:
            ArgumentError: An argument is malformed.
            NotFoundError: There is no such schedule.

        Reference: Meter, section 12.3.
        """
        if check.integer(limit, "limit") > CHANGELOG_LIMIT_MAX:
            raise ArgumentError(f"limit must be at most {CHANGELOG_LIMIT_MAX}, not {limit}.")
        query = {
            **check.page(limit, offset),
            "include_items": _word(check.flag(include_items, "include_items")),
            **given(filter=filter),
        }
        path = _path(schedule_id, "/changelog")
        changelog: types.ScheduleChangelog = await self._send(Call("GET", path, query=query, timeout_s=request_timeout))
        return changelog

    def iter_schedule_changelog(
        self,
        schedule_id: str,
        include_items: bool = True,
        filter: str | None = None,
        *,
        page_size: int = CHANGELOG_LIMIT_MAX,
    ) -> AsyncIterator[types.ChangelogEntry]:
        """Walk through all changed runs; the arguments are those of `get_schedule_changelog`.

        Reference: Meter, section 12.3.
        """

        async def fetch(limit: int, offset: int) -> list[Any]:
            page = await self.get_schedule_changelog(schedule_id, limit, offset, include_items, filter)
            return list(page.get("entries") or [])

        return by_offset(fetch, size_of(page_size))

    async def watch(
        self,
        url: str,
        description: str,
        webhook_url: str | None = None,
        interval_seconds: int = 3600,
        webhook_metadata: Mapping[str, Any] | None = None,
        webhook_secret: str | None = None,
        webhook_type: str | None = None,
        name: str | None = None,
        filter_config: Mapping[str, Any] | None = None,
        *,
        cron_expression: str | None = None,
        urls: list[str] | None = None,
        output_schema: Mapping[str, Any] | None = None,
        force_api: bool | None = None,
        scraper_type: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        timezone: str | None = None,
        request_timeout: float | None = None,
    ) -> types.Watch:
        """Make a strategy and a schedule for a page in one call; both or none.

        Args:
            url: The page to learn from and to watch.
            description: What to extract, in plain words.
            webhook_url: Where to tell of each run.
            interval_seconds: Seconds between runs, at least 60.
            webhook_metadata: Copied into each payload as `metadata`.
            webhook_secret: Sent as `X-Webhook-Secret`; made by the server if not given.
            webhook_type: As for `create_schedule`.
            name: A name for people.
            filter_config: Which items to keep; see `Filter`.
            cron_expression: Five fields, instead of the interval.
            urls: Pages to watch instead of `url` alone.
            output_schema: Names and types that items must have.
            force_api: Try to capture the page's own API.
            scraper_type: `css`, `api` or `content` to demand that kind.
            parameters: Overrides of an API strategy's parameters.
            timezone: IANA name for the cron expression.
            request_timeout: Seconds for this call, 600 by default.

        Returns:
            `strategy_id`, `schedule_id`, a preview and when the first run is due.

        Raises:
            ArgumentError: An argument is malformed.
            InvalidRequestError: The page cannot be fetched, or nothing can be extracted.

        Reference: Meter, sections 13 and 19, item 14. The keyword-only arguments are extensions.
        """
        timing = check.one_timing(interval_seconds if cron_expression is None else None, cron_expression)
        may_be_empty = scraper_type == "content"
        body = {
            "url": check.page_url(url),
            "description": check.text(description, "description", may_be_empty=may_be_empty),
            **timing,
            **check.webhook(url=webhook_url, metadata=webhook_metadata, secret=webhook_secret, kind=webhook_type),
            **given(
                name=name,
                filter_config=None if filter_config is None else grouped(filter_config),
                urls=None if urls is None else check.page_urls(urls),
                output_schema=output_schema,
                force_api=force_api,
                scraper_type=scraper_type,
                parameters=parameters,
                timezone=timezone,
            ),
        }
        timeout_s = GENERATE_TIMEOUT_S if request_timeout is None else request_timeout
        watched: types.Watch = await self._send(Call("POST", "/api/watch", body=body, timeout_s=timeout_s))
        return watched


def _path(schedule_id: str, rest: str = "") -> str:
    return f"/api/schedules/{check.segment(schedule_id, 'schedule_id')}{rest}"


def _word(value: bool) -> str:
    return "true" if value else "false"


def check_ids(values: Any, name: str) -> list[str]:
    """A list of ids, at least one."""
    if isinstance(values, (str, bytes, Mapping)):
        raise ArgumentError(f"{name} must be a list of ids.")
    ids = [check.identifier(value, name) for value in values]
    if not ids:
        raise ArgumentError(f"{name} must hold at least one id.")
    return ids


def changed_webhook(url: Any, metadata: Any, secret: Any, kind: Any) -> dict[str, Any]:
    """The webhook fields of a change, where `None` clears."""
    if kind not in (None, UNSET):
        check.choice(kind, "webhook_type", check.WEBHOOK_TYPES)
    if metadata not in (None, UNSET):
        check.mapping(metadata, "webhook_metadata")
    if url not in (None, UNSET):
        check.text(url, "webhook_url", may_be_empty=True)
    return changed(webhook_url=url, webhook_metadata=metadata, webhook_secret=secret, webhook_type=kind)
