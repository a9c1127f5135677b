"""Strategy groups: one schedule or one schema for many strategies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from .. import _arguments as check
from .._call import Call
from .._unset import UNSET, changed, clearable, given
from .operations import Operations
from .pages import by_offset, size_of
from .schedules import check_ids

if TYPE_CHECKING:
    from ..types import meter as types


class Groups(Operations):
    """The strategy groups of the account. Reference: Meter, section 15."""

    async def create_strategy_group(
        self, name: str, description: str | None = None, *, request_timeout: float | None = None
    ) -> types.StrategyGroup:
        """Make a group.

        Args:
            name: A name for people.
            description: What it is for.
            request_timeout: Seconds for this call.

        Returns:
            The group with its `id`.

        Raises:
            ArgumentError: The name is empty.

        Reference: Meter, section 15.
        """
        body = {"name": check.text(name, "name"), **given(description=description)}
        group: types.StrategyGroup = await self._send(
            Call("POST", "/api/strategy-groups", body=body, timeout_s=request_timeout)
        )
        return group

    async def list_strategy_groups(
        self, limit: int = 50, offset: int = 0, *, request_timeout: float | None = None
    ) -> list[types.StrategyGroup]:
        """List groups, newest first.

        Args:
            limit: How many at most.
            offset: How many to skip.
            request_timeout: Seconds for this call.

        Returns:
            The groups; `iter_strategy_groups` walks through all.

        Raises:
            ArgumentError: A limit below 1 or a negative offset.

        Reference: Meter, section 15.
        """
        groups: list[types.StrategyGroup] = await self._send(
            Call("GET", "/api/strategy-groups", query=check.page(limit, offset), timeout_s=request_timeout)
        )
        return groups

    def iter_strategy_groups(self, page_size: int = 100) -> AsyncIterator[types.StrategyGroup]:
        """Walk through all groups, newest first, fetching `page_size` at a time.

        Reference: Meter, section 15.
        """
        return by_offset(self.list_strategy_groups, size_of(page_size))

    async def get_strategy_group(
        self, group_id: str, *, request_timeout: float | None = None
    ) -> types.StrategyGroupDetail:
        """Get one group with its strategies.

        Args:
            group_id: The group.
            request_timeout: Seconds for this call.

        Returns:
            The group.

        Raises:
            NotFoundError: There is no such group.

        Reference: Meter, section 15.
        """
        group: types.StrategyGroupDetail = await self._send(Call("GET", _path(group_id), timeout_s=request_timeout))
        return group

    @clearable
    async def update_strategy_group(
        self,
        group_id: str,
        name: str | None = None,
        description: str | None = UNSET,
        *,
        request_timeout: float | None = None,
    ) -> types.StrategyGroup:
        """Change a group's name or description. What is not given stays.

        Args:
            group_id: The group.
            name: Another name.
            description: Another description; `None` removes it.
            request_timeout: Seconds for this call.

        Returns:
            The group after the change.

        Raises:
            NotFoundError: There is no such group.

        Reference: Meter, section 15.
        """
        if name is not None:
            check.text(name, "name")
        body = {**given(name=name), **changed(description=description)}
        group: types.StrategyGroup = await self._send(
            Call("PATCH", _path(group_id), body=body, timeout_s=request_timeout)
        )
        return group

    async def delete_strategy_group(self, group_id: str, *, request_timeout: float | None = None) -> types.Message:
        """Delete a group. Its strategies stay.

        Args:
            group_id: The group.
            request_timeout: Seconds for this call.

        Returns:
            A message.

        Raises:
            NotFoundError: There is no such group.

        Reference: Meter, section 15.
        """
        return await self._message(Call("DELETE", _path(group_id), timeout_s=request_timeout))

    async def add_strategies_to_group(
        self, group_id: str, strategy_ids: list[str], *, request_timeout: float | None = None
    ) -> types.Message:
        """Put strategies into a group; those in another group move.

        Args:
            group_id: The group.
            strategy_ids: The strategies, at least one.
            request_timeout: Seconds for this call.

        Returns:
            A message.

        Raises:
            NotFoundError: The group or one of the strategies does not exist; nothing was added.

        Reference: Meter, section 15.
        """
        body = {"strategy_ids": check_ids(strategy_ids, "strategy_ids")}
        path = _path(group_id, "/strategies")
        return await self._message(Call("POST", path, body=body, timeout_s=request_timeout))

    async def remove_strategy_from_group(
        self, group_id: str, strategy_id: str, *, request_timeout: float | None = None
    ) -> types.Message:
        """Take a strategy out of a group.

        Args:
            group_id: The group.
            strategy_id: The strategy.
            request_timeout: Seconds for this call.

        Returns:
            A message.

        Raises:
            NotFoundError: There is no such group, or the strategy is not in it.

        Reference: Meter, section 15.
        """
        path = _path(group_id, f"/strategies/{check.segment(strategy_id, 'strategy_id')}")
        return await self._message(Call("DELETE", path, timeout_s=request_timeout))

    async def apply_group_schedule(
        self,
        group_id: str,
        interval_seconds: int | None = None,
        cron_expression: str | None = None,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        webhook_type: str | None = None,
        webhook_metadata: Mapping[str, Any] | None = None,
        *,
        parameters: Mapping[str, Any] | None = None,
        timezone: str | None = None,
        request_timeout: float | None = None,
    ) -> types.GroupScheduleResult:
        """Give every strategy of a group a schedule on its own page, or change the one made before.

        Args:
            group_id: The group.
            interval_seconds: Seconds between runs, at least 60; or else
            cron_expression: five fields.
            webhook_url: Where to tell of runs.
            webhook_secret: Sent as `X-Webhook-Secret`.
            webhook_type: As for `create_schedule`.
            webhook_metadata: Copied into each payload as `metadata`.
            parameters: Overrides for API strategies.
            timezone: IANA name for the cron expression.
            request_timeout: Seconds for this call.

        Returns:
            How many schedules were created and updated.

        Raises:
            ArgumentError: Both or neither of interval and cron, or a malformed argument.
            NotFoundError: There is no such group.

        Reference: Meter, section 15.
        """
        check.mapping_or_none(parameters, "parameters")
        body = {
            **check.one_timing(interval_seconds, cron_expression),
            **check.webhook(url=webhook_url, metadata=webhook_metadata, secret=webhook_secret, kind=webhook_type),
            **given(parameters=parameters, timezone=timezone),
        }
        applied: types.GroupScheduleResult = await self._send(
            Call("POST", _path(group_id, "/schedule"), body=body, timeout_s=request_timeout)
        )
        return applied

    async def delete_group_schedules(self, group_id: str, *, request_timeout: float | None = None) -> types.Message:
        """Delete all schedules of a group's strategies.

        Args:
            group_id: The group.
            request_timeout: Seconds for this call.

        Returns:
            A message.

        Raises:
            NotFoundError: There is no such group.

        Reference: Meter, section 15.
        """
        return await self._message(Call("DELETE", _path(group_id, "/schedule"), timeout_s=request_timeout))

    async def toggle_group_schedules(
        self, group_id: str, enabled: bool, *, request_timeout: float | None = None
    ) -> types.Message:
        """Switch all schedules of a group's strategies on or off.

        Args:
            group_id: The group.
            enabled: On or off.
            request_timeout: Seconds for this call.

        Returns:
            A message.

        Raises:
            NotFoundError: There is no such group.

        Reference: Meter, section 15.
        """
        body = {"enabled": check.flag(enabled, "enabled")}
        path = _path(group_id, "/schedule/toggle")
        return await self._message(Call("PATCH", path, body=body, timeout_s=request_timeout))

    async def apply_group_schema(
        self, group_id: str, output_schema: Mapping[str, Any], *, request_timeout: float | None = None
    ) -> types.GroupSchemaResult:
        """Make every strategy of a group anew with one output schema, in the background.

        Args:
            group_id: The group.
            output_schema: Names and types that items must have.
            request_timeout: Seconds for this call.

        Returns:
            How many strategies are being made; `get_schema_progress` tells how far it is.

        Raises:
            NotFoundError: There is no such group.
            ConflictError: Another one is still being applied.

        Reference: Meter, sections 5 and 15.
        """
        body = {"output_schema": check.mapping(output_schema, "output_schema")}
        applied: types.GroupSchemaResult = await self._send(
            Call("PATCH", _path(group_id, "/schema"), body=body, timeout_s=request_timeout)
        )
        return applied

    async def get_schema_progress(self, group_id: str, *, request_timeout: float | None = None) -> types.SchemaProgress:
        """Tell how far `apply_group_schema` is.

        Args:
            group_id: The group.
            request_timeout: Seconds for this call.

        Returns:
            Counts, a percentage, and what failed.

        Raises:
            NotFoundError: There is no such group.

        Reference: Meter, section 15.
        """
        path = _path(group_id, "/schema/progress")
        progress: types.SchemaProgress = await self._send(Call("GET", path, timeout_s=request_timeout))
        return progress

    async def test_group_webhook(
        self,
        group_id: str,
        webhook_url: str,
        webhook_secret: str | None = None,
        webhook_type: str | None = None,
        webhook_metadata: Mapping[str, Any] | None = None,
        *,
        request_timeout: float | None = None,
    ) -> types.WebhookTestResult:
        """Send a sample notification.

        Args:
            group_id: The group.
            webhook_url: Where to send it.
            webhook_secret: Sent as `X-Webhook-Secret`.
            webhook_type: As for `create_schedule`.
            webhook_metadata: Copied into the payload as `metadata`.
            request_timeout: Seconds for this call.

        Returns:
            Whether the receiver answered with 2xx, and with which status.

        Raises:
            ArgumentError: An argument is malformed.
            NotFoundError: There is no such group.

        Reference: Meter, section 11.5.
        """
        body = check.webhook(
            url=check.text(webhook_url, "webhook_url"),
            metadata=webhook_metadata,
            secret=webhook_secret,
            kind=webhook_type,
        )
        path = _path(group_id, "/webhook/test")
        tested: types.WebhookTestResult = await self._send(Call("POST", path, body=body, timeout_s=request_timeout))
        return tested

    async def _message(self, call: Call) -> types.Message:
        message: types.Message = await self._send(call)
        return message


def _path(group_id: str, rest: str = "") -> str:
    return f"/api/strategy-groups/{check.segment(group_id, 'group_id')}{rest}"
